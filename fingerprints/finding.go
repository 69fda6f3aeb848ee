package fingerprints

import "time"

// Finding is one value at one path of one source.
type Finding struct {
	ID        FindingID
	Value     ValueID // zero when the value is too weak to hash
	SourceID  string
	Path      string // redacted; what is shown
	PathID    PathID // identity of the raw path
	Presence  Presence
	Status    Status
	Owner     string
	Reason    string    // of an acceptance or dismissal
	Until     time.Time // end of an acceptance
	Due       time.Time
	FirstSeen time.Time
	LastSeen  time.Time
	GoneAt    time.Time // zero: still there
	Rules     []string  // generic rules that matched at this place, sorted
}

// Sighting is a finding and a locator.
type Sighting struct {
	Finding FindingID
	// Locator names the content inside the source in a form that is stable
	// for unchanged content; for files it is empty (the path says it all).
	// Archive members, rows and parts are in the path or here, never a value.
	Locator   string
	Start     int64 // span in the content's bytes, as found
	End       int64
	Line      int // from 1; 0 when there are no lines
	Column    int // from 1, in bytes
	EndLine   int
	EndColumn int
	Form      Form
	Rule      string // generic rule, empty for registered hits alone
	Row       RowID  // registered field; zero for generic hits
	Within    bool   // inside another registered value's hit
	Presence  Presence
	Context   string // the line around the hit, redacted; may be empty
	URL       string
	At        time.Time // the content's own time, where it has one
	// Commit is what brought the content in, where the source is a history, and Author
	// who wrote it: a name as it is said there, redacted; no address.
	Commit    string
	Author    string
	FirstSeen time.Time
	LastSeen  time.Time
}

// Skip is something that was not read, and why. A scan with skips is never
// called clean.
type Skip struct {
	Path    string // redacted
	Locator string
	Reason  SkipReason
	Detail  string // never content
	Size    int64  // bytes not read; -1 when unknown
}

// SkipReason is why something was not read.
type SkipReason string

// The reasons. Failures mean that a source was not read to its end (exit 3);
// the others are bounds or kinds that are listed.
const (
	SkipUnreadable  SkipReason = "unreadable"   // permission or I/O error: failure
	SkipVanished    SkipReason = "vanished"     // removed while scanning
	SkipSpecial     SkipReason = "special-file" // FIFO, socket, device
	SkipLoop        SkipReason = "symlink-loop"
	SkipSymlink     SkipReason = "symlink" // not followed: its target is outside or scanned by itself
	SkipTooLarge    SkipReason = "too-large"
	SkipArchive     SkipReason = "archive" // encrypted, unsupported or out of bounds
	SkipLongMatch   SkipReason = "generic-span-too-long"
	SkipEncoded     SkipReason = "encoded-beyond-bounds" // what it decodes to was not searched wholly
	SkipExcluded    SkipReason = "excluded"              // by the user's own words
	SkipIgnored     SkipReason = "ignored"               // by the place's own rules: no part of it, as .dockerignore has it
	SkipMissing     SkipReason = "missing-object"        // that a shallow or partial clone left out, or a saved image lacks
	SkipLFS         SkipReason = "lfs-content"           // a pointer to content that is kept elsewhere
	SkipRepository  SkipReason = "other-repository"      // a submodule or nested repository: a source of its own
	SkipExpired     SkipReason = "expired"               // not kept any longer by the system that had it
	SkipNotAsked    SkipReason = "not-asked"             // a server, about values that are not known here
	SkipBadRecord   SkipReason = "bad-record"
	SkipChanging    SkipReason = "changed-while-reading"
	SkipInterrupted SkipReason = "interrupted"
)

// Failure reports whether the skip means that the source was not read to its
// end.
func (r SkipReason) Failure() bool {
	switch r {
	case SkipUnreadable, SkipBadRecord, SkipInterrupted, SkipChanging:
		return true
	case SkipVanished, SkipSpecial, SkipLoop, SkipSymlink, SkipTooLarge, SkipArchive, SkipLongMatch, SkipEncoded, SkipExcluded, SkipIgnored, SkipMissing,
		SkipLFS, SkipRepository, SkipExpired, SkipNotAsked:
		return false
	}
	return true
}
