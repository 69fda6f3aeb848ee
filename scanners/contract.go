// Package scanners is the contract between places that hold bytes and matchers
// that look at them, and the engine that drives both: bytes in, hits out.
//
// It promises: one pass over each content; the same hits however the content is
// cut into reads and chunks; nothing dropped without a Skip. It refuses: I/O of
// its own, clocks, storing or judging what it found.
//
// Plaintext lives between a Source and the pipeline that consumes Hits, and
// goes no further.
package scanners

import (
	"context"
	"io"
	"time"

	"revenant/fingerprints"
)

// Chunk is a stretch of one content. Matchers borrow Data until they return.
type Chunk struct {
	Data []byte
	Base int64  // offset of Data[0] in the content
	Path string // raw path, for rules that look at paths
	// Final reports that the content ends with Data.
	Final bool
	// Decoded marks a chunk that a Viewer made: it is no content of its own, so
	// nothing is to be said of its path again.
	Decoded bool
	// AnyPath says that the path is not known yet: conditions on it are taken to
	// let everything through, and hits of the path alone are not asked for.
	AnyPath bool
	// Plain says that values stand in Data as they are, if at all, and not encoded.
	Plain bool
}

// Span is a half-open range of offsets in the content.
type Span struct{ Start, End int64 }

// Len is the number of bytes of the span.
func (s Span) Len() int64 { return s.End - s.Start }

// Contains reports whether t lies inside s.
func (s Span) Contains(t Span) bool { return s.Start <= t.Start && t.End <= s.End }

// Overlaps reports whether s and t share a byte.
func (s Span) Overlaps(t Span) bool { return s.Start < t.End && t.Start < s.End }

// Hit is what a matcher found. Either Rows or Rule is set.
type Hit struct {
	Span Span
	Form fingerprints.Form
	// Value is the decoded value in canonical form (registered) or the secret
	// group of the rule (generic). In memory only.
	Value fingerprints.Value

	// Rows are the registered fields that have this value, sorted.
	Rows []fingerprints.RowID

	// Rule and what follows describe a generic hit.
	Rule        string
	Description string
	Tags        []string
	Entropy     float32
	Match       Span // of the whole match; Span is the secret's
	// PathOnly marks a rule that matched the path, not the content.
	PathOnly bool
	// Low says that a generic hit is likely of no consequence: a weak value, or one
	// in a test, an example, a lock file.
	Low bool

	depth int  // views that it was found behind
	alike int  // how many of them, from the innermost on, read as what they were made of
	inner bool // the matcher decoded more by itself
}

// Registered reports whether the hit is of a registered value.
func (h Hit) Registered() bool { return len(h.Rows) > 0 }

// RuleHalfMasked is the rule of hits that are a part of a registered value which a
// mask left readable. Of which value it is cannot be told.
const RuleHalfMasked = "half-masked-value"

// Certain reports whether the hit is of a registered value, whole or a part of it:
// nothing that stands in a content excuses it.
func (h Hit) Certain() bool { return h.Registered() || h.Rule == RuleHalfMasked }

// Matcher finds hits in a chunk. Matchers are pure, safe for concurrent use,
// and fail when they are built, not when they run.
type Matcher interface {
	// AppendHits appends the hits in c to dst. Spans are offsets in the
	// content (c.Base added). A hit is found whenever its span, with Overlap
	// bytes on both sides where the content has them, lies in c.Data.
	AppendHits(dst []Hit, c Chunk) []Hit
	// Overlap is how many bytes two neighbouring chunks must share for this
	// matcher to see every hit whole in one of them.
	Overlap() int
}

// Item is one content of a source: a file, a record, a blob.
type Item struct {
	SourceID string
	Path     string // raw; bytes need not be UTF-8
	// Outside begins Path with what rules do not look at: where a repository lies that
	// the content is in. Empty: rules look at all of it.
	Outside string
	Locator string // stable name inside the source beyond the path; never content
	// Identity names the content itself, where the source knows that nothing else
	// ever stands under that name: what it gave need not be looked for again.
	// Empty: not known.
	Identity string
	// Recurs says that contents of this kind come under the path again and again, as
	// logs of runs do, and cost requests to read: what is counted at a path is
	// counted in each of them, and what one gave is remembered also where a value
	// is too weak to be known by a hash.
	Recurs   bool
	Presence fingerprints.Presence
	URL      string
	// LineURL goes behind URL, and a line's number behind that, to name the line;
	// empty: lines have no names there.
	LineURL string
	At      time.Time // the content's own time; zero when it has none
	// LineTime reads the time that a line was written at; nil: lines have none.
	LineTime func(line []byte) (time.Time, bool)
	// Section names the part of a log that is open at the end of some of its lines;
	// nil: it has none. The name is raw.
	Section func(before []byte) string
	Size    int64       // -1 when unknown
	Origin  Origin      // who brought the content in, where the source knows
	Owner   string      // whose it is, as the source itself says; raw
	Layer   *ImageLayer // where it stands in images; nil: it is of none
	// Refs are the names under which a history holds the content now, the first
	// ones; raw, the pipeline redacts them. MoreRefs counts the others.
	Refs     []string
	MoreRefs int
	// Fresh, where it is not nil, are the stretches of the content that count,
	// sorted: hits that touch none of them are dropped. Members of archives
	// count wholly.
	Fresh []Span
	// Stream is where the content stands in a stream that is read in its order; nil:
	// it is of none.
	Stream *StreamAt
	// Open returns the content. It is called at most once, and the caller
	// closes what it returns. An error becomes a Skip with the item's path.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// StreamAt is a place in a stream whose contents come in order and never change, as
// a partition's do. What was seen at a place is not counted again when it comes
// again.
type StreamAt struct {
	Name   string // of the stream, within its source; never content
	Offset int64
	// Since is an offset from which on everything up to here was read in order.
	Since int64
}

// Origin is the commit that brought a content in. Texts are raw; the pipeline
// redacts them.
type Origin struct {
	Commit        string
	Author, Email string
	Message       string // first line
}

// ImageLayer is where a content stands in a container image, the first that has it.
// Texts are raw, those in the place of a digest too; the pipeline redacts them.
type ImageLayer struct {
	Image     string // digest
	Platform  string // as OS/ARCHITECTURE; empty: not said
	Digest    string // of the layer; empty: the image itself says it
	Index, Of int    // the layer's number, counted from 1 from the lowest on
	// HiddenBy is the layer that removes or replaces it there, and Hiding the
	// instruction that made that; empty: none does, or it is not known.
	HiddenBy, Hiding string
	// InRepository is where a content stands in a git repository that the layer has;
	// empty: it is in none.
	InRepository fingerprints.Presence
}

// Counts is how much was read.
type Counts struct{ Items, Bytes int64 }

// Batch is what a source yields at once.
type Batch struct {
	// SourceID is the source that the batch is of, its skips and its cursor too, where
	// what is read consists of several; empty: the Source's own.
	SourceID string
	Items    []Item
	// Found says that the source looked at contents itself and gives out what may
	// hold something. When the scan is interrupted it is asked on, with a ctx that
	// has ended, for what it found until then; it must not read on for it.
	Found bool
	// Read counts contents that the source looked at itself since the last
	// batch, and that are given out as items only where they may hold something.
	Read    Counts
	Skipped []fingerprints.Skip // found since the last batch; paths are raw, the pipeline redacts them
	// Notes tell people how the source was read, where that is worth a word:
	// never content, never a path.
	Notes []string
	// Cursor resumes the source after this batch; opaque, never content. It is
	// saved after the batch's sightings are.
	Cursor []byte
}

// BlobPath begins the path of a git blob that no tree is known to name; the
// object's id follows.
const BlobPath = "@blob/"

// Source is pulled: Next returns batches and at the end io.EOF, with the last
// batch or after it. Any other error ends the source as not complete.
type Source interface {
	// ID is the source's normalised URI.
	ID() string
	Kind() fingerprints.SourceKind
	Next(ctx context.Context) (Batch, error)
	Close() error
}
