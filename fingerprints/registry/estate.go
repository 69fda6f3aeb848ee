package registry

import (
	"context"

	"revenant/fingerprints/store"
)

// Estate is how far all sources together were searched, by the newest scan of each:
// each source counts once.
type Estate struct {
	Sources  int
	Complete int // everything was read, for every value that is registered
	Skipped  int // so it was, but for places that were skipped
	Partial  int // the scan did not read everything, or a part of the source alone
	Behind   int // values were registered since that it was not searched for
	Never    int // it was not scanned yet
}

// Estate says how far the sources were searched. Coverage says it of one version.
func (r *Registry) Estate(ctx context.Context, a Actor) (Estate, error) {
	var out Estate
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		sources, err := v.tx.Sources(ctx)
		if err != nil {
			return err
		}
		newest, err := v.tx.NewestScans(ctx)
		out = Estate{Sources: len(sources)}
		for _, src := range sources {
			scan, has := newest[src.ID]
			switch {
			case !has:
				out.Never++
			case scan.FieldRevision < v.meta.FieldRevision:
				out.Behind++
			case !scan.Complete || scan.FinishedAt.IsZero() || scan.Extent != "" && scan.Extent != store.ExtentStream:
				out.Partial++
			case scan.Skips > 0:
				out.Skipped++
			default:
				out.Complete++
			}
		}
		return err
	})
	return out, err
}
