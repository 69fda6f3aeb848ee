package objects

import (
	"errors"
	"fmt"

	"revenant/scanners/inflate"
)

// Errors that callers branch on.
var (
	// ErrMissing: the store does not have the object. In a partial or shallow
	// repository that is as it should be.
	ErrMissing = errors.New("object is missing")
	// ErrTooLarge: the object cannot be read within Limits.Whole.
	ErrTooLarge = errors.New("object is too large to be read whole")
	// ErrNoStore: there is no git repository at the path.
	ErrNoStore = errors.New("not a git repository")
	// ErrUnsupported: the repository's format is one that is not known here.
	ErrUnsupported = errors.New("repository format is not supported")
)

// Reason says why an object, or a file of the store, could not be read.
type Reason string

// The reasons.
const (
	ReasonStream   Reason = "stream"     // the compressed data is no valid stream, or cut
	ReasonSize     Reason = "size"       // more or less bytes than were said
	ReasonHeader   Reason = "header"     // no object begins there
	ReasonChecksum Reason = "checksum"   // the bytes are not those that were written
	ReasonID       Reason = "id"         // the content has another id
	ReasonDelta    Reason = "delta"      // an instruction that cannot be followed
	ReasonBase     Reason = "base"       // what the delta is made from could not be read
	ReasonNoBase   Reason = "no-base"    // what the delta is made from is not there
	ReasonCycle    Reason = "cycle"      // the delta is made, in the end, from itself
	ReasonOffset   Reason = "offset"     // the index points outside of the pack, or to another object
	ReasonTooLarge Reason = "too-large"  // beyond a limit
	ReasonIO       Reason = "unreadable" // the file system said no
	ReasonGone     Reason = "gone"       // was there and is not any more
	ReasonIndex    Reason = "index"      // a damaged index file
	ReasonPack     Reason = "pack"       // a damaged pack file
	ReasonFormat   Reason = "format"     // a version that is not known here
	ReasonDepth    Reason = "depth"      // alternates nested too deep, or too many
)

// damage is an error with its reason.
type damage struct {
	reason Reason
	err    error
}

func (d *damage) Error() string {
	if d.err == nil {
		return "damaged object: " + string(d.reason)
	}
	return fmt.Sprintf("damaged object: %s: %v", d.reason, d.err)
}

func (d *damage) Unwrap() error { return d.err }

func broken(r Reason) error { return &damage{reason: r} }

// ReasonOf is the reason that an error of this package has.
func ReasonOf(err error) Reason {
	var d *damage
	switch {
	case errors.As(err, &d):
		return d.reason
	case errors.Is(err, ErrTooLarge):
		return ReasonTooLarge
	case errors.Is(err, ErrMissing):
		return ReasonNoBase
	case errors.Is(err, inflate.ErrCorrupt), errors.Is(err, inflate.ErrHeader), errors.Is(err, inflate.ErrShort):
		return ReasonStream
	case errors.Is(err, inflate.ErrLong), errors.Is(err, inflate.ErrLess):
		return ReasonSize
	}
	return ReasonIO
}

// Damage is an object that is in the store and could not be read, from no copy
// of it and not by the fallback either.
type Damage struct {
	ID     ID
	Pack   string // file name of the pack; empty: a loose object
	Reason Reason
	// Base is what the object is made from when that is the trouble.
	Base ID
}

// Problem is a file of the store that could not be used, or only in part.
type Problem struct {
	Path   string // raw
	Reason Reason
	// Lost reports that objects may be in the file that nobody will see; else
	// what it holds was read in another way.
	Lost bool
}
