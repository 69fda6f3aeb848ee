package wire

import (
	"time"

	"revenant/fingerprints"
)

// CoverageState says how far a source was searched for a version.
type CoverageState string

// SourceCoverage is the coverage of one source.
type SourceCoverage struct {
	Source  string                  `json:"source"`
	Kind    fingerprints.SourceKind `json:"kind"`
	State   CoverageState           `json:"state"`
	Since   *time.Time              `json:"since,omitempty"` // start of the scan that counts
	Through string                  `json:"through,omitempty"`
	Items   int64                   `json:"items,omitempty"`
	Bytes   int64                   `json:"bytes,omitempty"`
	Reason  string                  `json:"reason,omitempty"`
	Skips   []ReasonCount           `json:"skips,omitempty"`
	// SkippedPlaces are the first of the skipped places.
	SkippedPlaces []SkippedPlace `json:"skipped_places,omitempty"`
	// PackRevision is that of the pack that the scan searched with.
	PackRevision uint64 `json:"pack_revision,omitempty"`

	// All is every skip; never encoded.
	All []fingerprints.Skip `json:"-"`
}

// ReasonCount counts skips by reason.
type ReasonCount struct {
	Reason fingerprints.SkipReason `json:"reason"`
	Count  int                     `json:"count"`
}

// SkippedPlace is one thing that was not read.
type SkippedPlace struct {
	Path   string                  `json:"path"`
	Reason fingerprints.SkipReason `json:"reason"`
	Detail string                  `json:"detail,omitempty"`
}

// Coverage is where a version was searched for.
type Coverage struct {
	Secret  string             `json:"secret"`
	Version int                `json:"version"`
	State   fingerprints.State `json:"state"`
	// Unsearchable are the fields that cannot be searched for, with reasons.
	Unsearchable []FieldResult         `json:"unsearchable,omitempty"`
	Counts       map[CoverageState]int `json:"counts"`
	Sources      []SourceCoverage      `json:"sources"`
	// Complete: there is a source, all are complete, and every field can be
	// searched for.
	Complete bool `json:"complete"`
}
