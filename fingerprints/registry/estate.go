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
	Failing  int // a watch's newest scan of it failed, whatever is known from before
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
		if err != nil {
			return err
		}
		watches, err := v.tx.Watches(ctx, store.WatchFilter{Outcome: WatchFailed})
		failing := map[string]bool{}
		for _, w := range watches {
			failing[w.SourceID] = true
		}
		out = Estate{Sources: len(sources)}
		for _, src := range sources {
			scan, has := newest[src.ID]
			switch {
			case failing[src.ID]:
				out.Failing++
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
