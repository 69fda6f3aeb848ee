package wire

import (
	"time"

	"revenant/fingerprints"
)

// SourceSummary is a line of a list.
type SourceSummary struct {
	ID       string                       `json:"id"`
	Kind     fingerprints.SourceKind      `json:"kind"`
	AddedAt  time.Time                    `json:"added_at"`
	LastScan *ScanView                    `json:"last_scan,omitempty"`
	Findings map[fingerprints.Verdict]int `json:"findings,omitempty"`
}

// ScanView is one scan of a source.
type ScanView struct {
	ID            int64      `json:"id"`
	Extent        string     `json:"extent,omitempty"`
	StartedAt     time.Time  `json:"started_at"`
	FinishedAt    *time.Time `json:"finished_at,omitempty"`
	Complete      bool       `json:"complete"`
	Through       string     `json:"through,omitempty"`
	Items         int64      `json:"items"`
	Bytes         int64      `json:"bytes"`
	Skips         int64      `json:"skips"`
	PackRevision  uint64     `json:"pack_revision"`
	FieldRevision uint64     `json:"field_revision"`
	Generic       bool       `json:"generic"`
}

// SourceView is all that is known of a source.
type SourceView struct {
	SourceSummary
	Scans   []ScanView     `json:"scans"`
	Skipped []SkippedPlace `json:"skipped,omitempty"` // of the newest scan
}
