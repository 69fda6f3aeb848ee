package registry

import (
	"context"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// CoverageState says how far a source was searched for a version.
type CoverageState = wire.CoverageState

// The states of coverage, for one version and one source.
const (
	CoverageComplete CoverageState = "complete" // read wholly, nothing skipped
	CoverageSkipped  CoverageState = "skipped"  // read, but places were skipped
	CoveragePartial  CoverageState = "partial"  // searched in part only, or with failures
	CoveragePending  CoverageState = "pending"  // not searched since the value was registered
)

// SourceCoverage is the coverage of one source.
type SourceCoverage = wire.SourceCoverage

// SkipCount counts skips by reason.
type SkipCount = wire.ReasonCount

// SkippedPlace is one thing that was not read.
type SkippedPlace = wire.SkippedPlace

// Coverage is where a version was searched for.
type Coverage = wire.Coverage

// Coverage says where a version was searched for, and where not and why.
func (r *Registry) Coverage(ctx context.Context, a Actor, ref fingerprints.VersionRef) (Coverage, error) {
	var out Coverage
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		if _, err := secretByName(ctx, v.tx, ref.Name); err != nil {
			return err
		}
		v.tx.Narrow(nil) // a value is searched for everywhere
		var err error
		if out, err = v.coverage(ctx, ref); err != nil {
			return err
		}
		out, err = v.seen(ctx, a, out)
		return err
	})
	return out, err
}
