// Package scan is the one-shot scan: it pulls a source, drives the engine over
// its items in parallel, and turns hits into observations that hold no
// plaintext.
//
// It promises:
//
//   - Plaintext stays here. What goes to the Sink, to Emit and to Progress is
//     redacted and keyed: paths, source ids, locators and URLs are scanned like
//     content, context lines are redacted for every hit in them.
//   - The order of Emit and Record is the source's order, whatever the number of
//     workers.
//   - A cursor is saved after the sightings that it covers.
//   - What could not be read is a Skip; one broken item never ends a scan.
//   - Memory is bounded: items in flight are weighed by their size.
//
// It refuses: to decide what a verdict means for an exit (ExitCode does, as a
// pure function), to store, and to know any kind of source.
package scan

import (
	"context"
	"hash/maphash"
	"io"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// Engine finds the hits of a content; scanners.Engine implements it.
type Engine interface {
	Scan(ctx context.Context, r io.Reader, path string, emit func(scanners.Window) error) (int64, error)
	Crew() *scanners.Crew
}

// Sink keeps what a scan found. Calls come from one goroutine, in order.
type Sink interface {
	// BeginScan registers the source when it is unknown and starts a scan of
	// it; the id is given to the other methods in the Scan.
	BeginScan(ctx context.Context, src store.Source, s store.Scan) (int64, error)
	// Record stores sightings and skips of a running scan. It is idempotent.
	Record(ctx context.Context, scan int64, obs []Observation, skips []fingerprints.Skip) ([]store.Recorded, error)
	// SaveCursor stores progress and the cursor: everything before it was
	// recorded.
	SaveCursor(ctx context.Context, s store.Scan) error
	// Finish stores the outcome. A complete scan makes gone what it no longer saw.
	Finish(ctx context.Context, s store.Scan) error
}

// Observation is one sighting. RawPath is for the match with allowed homes
// alone: it is not stored, and no printer or encoder can write it.
type Observation struct {
	store.Observed
	RawPath fingerprints.Value
}

// Label is what is known of a registered field that was hit.
type Label struct {
	Row         fingerprints.RowID
	Secret      string
	Version     int
	Field       string
	State       fingerprints.State
	Class       fingerprints.Class
	Owner       string
	Compromised bool
	WindowEnds  time.Time // zero: no deadline
}

// Home is an allowed home of a secret's values.
type Home struct {
	ID    int64
	Until time.Time // zero: no end
}

// Labels names registered hits, from a registry or from a pack. Calls never
// overlap.
type Labels interface {
	// Labels returns one label for each row that is still known. The value is
	// what opens the labels of a pack.
	Labels(ctx context.Context, rows []fingerprints.RowID, value fingerprints.Value) ([]Label, error)
	// Homes are the allowed homes of a secret that cover a place; path is raw.
	Homes(ctx context.Context, secret, sourceID, path string) ([]Home, error)
}

// Triage says what people said of findings, and which values are too common to
// alert; unknown findings are left out.
type Triage interface {
	Standings(ctx context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]fingerprints.Standing, error)
}

// Identities makes the ids of values, paths and findings.
type Identities struct {
	Edge keys.IdentityKey
	// Core is nil where only an edge key is at hand; weaker values then have
	// no finding id.
	Core *keys.IdentityKey
}

// Secrets says whether findings carry plaintext for a report that shows it.
type Secrets int

// The choices.
const (
	SecretsRedacted Secrets = iota
	SecretsShown            // Finding.Secret and Finding.Match are set
)

// Extent describes what the scan sets out to read.
type Extent struct {
	Name string // "": the whole source
	// Partial scans never make anything gone and no coverage complete.
	Partial bool
	// Covers is what a complete scan may claim: the revisions of the pack.
	FieldRevision uint64
	PackRevision  uint64
	Generic       bool
}

// Options configures Run. Source, Engine and Now are required.
type Options struct {
	Source scanners.Source
	Engine Engine
	// PathMatchers look at provenance: every matcher of the engine.
	PathMatchers []scanners.Matcher
	Archives     *archives.Expander // nil: archives are read as the bytes that they are
	Sink         Sink               // nil: nothing is stored
	Labels       Labels             // nil: registered hits have no names
	Triage       Triage             // nil: every finding is open
	Tolerance    Tolerance          // nil: nothing is tolerated
	Outcomes     Outcomes           // nil: every content is looked at
	// IgnoreMarks: a mark in a line lets nothing be.
	IgnoreMarks bool
	Identities  *Identities // nil: no ring; generic rules only, no finding ids
	Extent      Extent
	Secrets     Secrets
	// Seed makes Finding.Same; scans with one seed can be told apart together.
	// Zero: a seed of its own.
	Seed    maphash.Seed
	Now     func() time.Time
	Workers int // 0: one for each CPU
	// Grace is how long what a source had found is looked at after ctx has ended;
	// 0: 5 s.
	Grace   time.Duration
	MaxSize int64 // items that say that they are longer are skipped; 0: none is
	Memory  int64 // budget for items in flight, in bytes; 0: 256 MiB
	// Emit gets every finding in order, after it was recorded. It is called by
	// one goroutine; an error ends the scan.
	Emit func(wire.Finding) error
	// EmitTolerated: findings that are tolerated are emitted, too.
	EmitTolerated bool
	// Skip gets every skip in order, redacted.
	Skip func(wire.Skip) error
	// Progress is called after each item by one goroutine.
	Progress func(Progress)
}

// Progress is how far a scan is.
type Progress struct {
	Items    int64
	Bytes    int64
	Findings int
	Skips    int64
}

// Result is what a scan did.
type Result struct {
	Items     int64
	Bytes     int64
	Findings  int   // distinct
	New       int   // unknown to the registry before
	Sightings int64 // overflow included
	Tolerated int   // distinct findings that alert nobody for the word of a mark, a baseline or a decision
	Decided   int   // those of them by a decision
	Sources   int
	// Verdicts counts open findings; Severities those of them that are neither
	// allowed nor cleared.
	Verdicts   map[fingerprints.Verdict]int
	Severities map[fingerprints.Severity]int
	Skips      map[fingerprints.SkipReason]int64
	Notes      []wire.Note // what the sources say of how they were read
	// SourceFailed says that the source ended before its end, with a reason
	// that holds no content.
	SourceFailed bool
	Interrupted  bool
	// Complete: everything of the extent was read.
	Complete bool
	Duration time.Duration
}

// Outcome is what ExitCode looks at.
func (r Result) Outcome() Outcome {
	o := Outcome{Verdicts: r.Verdicts, Severities: r.Severities, SourceFailed: r.SourceFailed, Interrupted: r.Interrupted}
	for reason, n := range r.Skips {
		o.Skips += n
		if reason.Failure() {
			o.Failures += n
		}
	}
	return o
}
