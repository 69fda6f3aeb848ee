package registration

import (
	"errors"

	"revenant/fingerprints"
	"revenant/fingerprints/anchor"
	"revenant/fingerprints/keys"
)

// Format is the version of the registration format that Register writes.
const Format = 1

// Bounds of a value's canonical form, in bytes. Shorter values are registered
// as not searchable, longer ones are refused.
const (
	MinLength = 8
	MaxLength = 256 << 10

	maxShort   = 14  // values up to here are anchored in the short geometry
	maxOneSpan = 128 // longer values have up to three regions
	maxRegions = 3
)

// Kind says how a value is confirmed.
type Kind uint8

// The kinds.
const (
	// KindValue is confirmed over the raw bytes around its region.
	KindValue Kind = 1
	// KindPrivateKey is anchored in the public part of a private key and
	// confirmed over the key's canonical private fields.
	KindPrivateKey Kind = 2
)

// Reasons why a field is registered as not searchable.
const (
	ReasonShort  = "shorter than 8 bytes"
	ReasonCommon = "a common word or password: its hits would be noise"
)

// Sentinel errors; they are wrapped.
var (
	ErrEmpty        = errors.New("the value is empty")
	ErrTooLong      = errors.New("the value is longer than 256 KiB")
	ErrUnsearchable = errors.New("the field is registered as not searchable")
	ErrNewer        = errors.New("the row was registered by a newer version of revenant")
	ErrForeignRow   = errors.New("the row does not open: it was moved or changed, or belongs to another key ring")
	ErrSameRevision = errors.New("a row is sealed once at a revision")
)

// Keys is what registering and opening need of a key ring; *keys.Ring has it.
type Keys interface {
	Key(aud fingerprints.Audience, p keys.Purpose, gen uint32) (keys.Key, error)
	Identity(aud fingerprints.Audience) keys.IdentityKey
	Installation() fingerprints.InstallationID
	Epoch() uint32
	FilterGen() uint32
}

// Index is what is registered already; the caller keeps it in memory.
type Index interface {
	// Shared counts the distinct registered values with a region of this tag.
	Shared(tag uint64) int
	// Known returns the entry of any row that has this value, so that the
	// value keeps its regions.
	Known(id fingerprints.ValueID) (Entry, bool)
}

// Region is an anchored stretch of a value.
type Region struct {
	Offset  uint32   // in the raw value; in its public byte string for private keys
	Tag     uint64   // anchor.Tagger of the region
	Windows []uint64 // anchor.Key.AppendWindows of the region
}

// Anchors is what finds a value for one audience.
type Anchors struct {
	Geometry anchor.Geometry
	MAC      [32]byte // HMAC-SHA-256(reg-mac of audience and epoch, raw value)
	Regions  []Region // one to three
}

// Entry is an opened row.
type Entry struct {
	Row       fingerprints.RowID
	Epoch     uint32 // of the MAC keys
	FilterGen uint32 // of the filter keys
	Kind      Kind
	Length    uint32 // of the raw value; of the private fields for private keys
	Strength  fingerprints.Strength
	ValueID   fingerprints.ValueID
	Lookup    [32]byte // HMAC-SHA-256(lookup, raw value): a server's index of known values
	Core      *Anchors // never nil in an entry that Open returned
	Edge      *Anchors // nil: not admitted to edge packs
}

// Anchors returns what an audience's pack holds of the entry; nil when the
// value is not admitted to it.
func (e Entry) Anchors(aud fingerprints.Audience) *Anchors {
	switch aud {
	case fingerprints.AudienceCore:
		return e.Core
	case fingerprints.AudienceEdge:
		return e.Edge
	}
	return nil
}

// Tags returns the tags of every region, for the caller's Index.
func (e Entry) Tags() []uint64 {
	var out []uint64
	for _, a := range []*Anchors{e.Core, e.Edge} {
		if a == nil {
			continue
		}
		for _, r := range a.Regions {
			out = append(out, r.Tag)
		}
	}
	return out
}
