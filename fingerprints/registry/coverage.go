package registry

import (
	"context"
	"time"

	"revenant/fingerprints"
)

// CoverageState says how far a source was searched for a version.
type CoverageState string

// The states of coverage, for one version and one source.
const (
	CoverageComplete CoverageState = "complete" // read wholly, nothing skipped
	CoverageSkipped  CoverageState = "skipped"  // read, but places were skipped
	CoveragePartial  CoverageState = "partial"  // searched in part only, or with failures
	CoveragePending  CoverageState = "pending"  // not searched since the value was registered
)

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
	Skips   []SkipCount             `json:"skips,omitempty"`
	// SkippedPlaces are the first of the skipped places.
	SkippedPlaces []SkippedPlace `json:"skipped_places,omitempty"`
	// PackRevision is that of the pack that the scan searched with.
	PackRevision uint64 `json:"pack_revision,omitempty"`

	all []fingerprints.Skip
}

// SkipCount counts skips by reason.
type SkipCount struct {
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

// Coverage says where a version was searched for, and where not and why.
func (r *Registry) Coverage(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Coverage, error) {
	var out Coverage
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.coverage(ctx, ref)
		return err
	})
	return out, err
}
