package registry

import (
	"context"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// ScanStart opens a scan of a source.
type ScanStart struct {
	SourceID string
	Kind     fingerprints.SourceKind
	// Extent is "" for the whole source, else a canonical description of the
	// part that the scan sets out to read.
	Extent string
	// FieldRevision and PackRevision are the pack's; Generic says that generic
	// rules run too.
	FieldRevision uint64
	PackRevision  uint64
	Generic       bool
	// Resume continues the newest unfinished scan of the same extent, if any.
	Resume bool
}

// Observation is one sighting of a scan, redacted, with the raw path for the
// match with allowed homes; the raw path is not stored.
type Observation struct {
	store.Observed
	RawPath string
}

// Progress is how far a scan came.
type Progress struct {
	Cursor  []byte
	Items   int64
	Bytes   int64
	Through string
}

// Outcome ends a scan.
type Outcome struct {
	Progress
	// Complete: everything of the extent was read to its end. A scan that
	// recorded a skip that is a failure is never complete, whatever this says.
	Complete bool
}

// ScanDone is what Finish did.
type ScanDone struct {
	Complete bool                     `json:"complete"`
	Gone     []fingerprints.FindingID `json:"gone,omitempty"` // seen before, no more
	Skips    int64                    `json:"skips"`
}

// ScanRun is one scan in progress. It is safe for concurrent use.
type ScanRun struct {
	reg  *Registry
	scan store.Scan
}

// BeginScan opens a scan. Needs ScopeScan.
func (r *Registry) BeginScan(ctx context.Context, a Actor, s ScanStart) (*ScanRun, error) {
	panic("x")
}

// ID is the scan's number in the store.
func (s *ScanRun) ID() int64 { return s.scan.ID }

// Cursor is where a resumed scan continues; nil: from the start.
func (s *ScanRun) Cursor() []byte { panic("x") }

// Record stores sightings and returns what was known before, one for each in
// order. Idempotent.
func (s *ScanRun) Record(ctx context.Context, obs []Observation) ([]store.Recorded, error) {
	panic("x")
}

// Skips stores what was not read.
func (s *ScanRun) Skips(ctx context.Context, skips []fingerprints.Skip) error { panic("x") }

// SaveCursor stores progress; call it after the sightings it covers are
// recorded.
func (s *ScanRun) SaveCursor(ctx context.Context, p Progress) error { panic("x") }

// Finish ends the scan. After a complete one, what the scan did not meet again
// is gone, except at places that were skipped.
func (s *ScanRun) Finish(ctx context.Context, o Outcome) (ScanDone, error) { panic("x") }
