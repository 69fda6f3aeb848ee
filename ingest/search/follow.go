package search

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	index "github.com/blevesearch/bleve_index_api"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

const (
	// batch is how many findings are indexed at once.
	batch = 1000
	// buildBatch is how many are while everything is: larger segments are merged less.
	buildBatch = 4000
	// settle is how many batches may wait for the disk.
	settle = 4
)

// stats are counted while the index is used.
type stats struct {
	documents atomic.Int64
	behind    atomic.Int64
	built     atomic.Int64 // how often it was begun anew
	rewritten atomic.Int64 // how often its files were rewritten
}

// Stats are the numbers of an index, for metrics.
type Stats struct {
	Documents int64
	Behind    int64 // changes that are not in yet, at most
	Built     int64 // how often it was built since this process began
	Rewritten int64 // how often files were rewritten after a redaction
}

// Stats are the numbers of the index as of the last Follow.
func (x *Index) Stats() Stats {
	return Stats{Documents: x.stats.documents.Load(), Behind: x.stats.behind.Load(), Built: x.stats.built.Load(), Rewritten: x.stats.rewritten.Load()}
}

// Follow brings the index up to date, and rewrites its files where something was
// redacted; it reports whether there was anything to do. It does nothing where
// another process does. What was done when the context ends is kept.
func (x *Index) Follow(ctx context.Context) (did bool, err error) {
	if x.mode != Writes {
		return false, nil
	}
	x.follow.Lock()
	defer x.follow.Unlock()
	if x.closed {
		return false, errors.New("following the registry: the search index is closed")
	}
	before := x.state
	defer func() { did = moved(before, x.state) || before.Building }()
	err = errDamaged // and could not be opened again
	if x.kept != nil {
		err = x.followOnce(ctx)
	}
	if errors.Is(err, errDamaged) || err == nil && x.damaged.Load() {
		if err = x.anew(ctx, "it is damaged"); err == nil {
			err = x.followOnce(ctx)
		}
	}
	x.settled()
	x.stats.behind.Store(0)
	if err != nil {
		x.noteBehind(ctx)
		return did, fmt.Errorf("following the registry: %w", err)
	}
	return did, nil
}

// noteBehind is for metrics, where following did not come to its end.
func (x *Index) noteBehind(ctx context.Context) { _, _ = x.behind(ctx, x.state) }

func (x *Index) followOnce(ctx context.Context) error {
	if err := x.checkEnd(ctx); err != nil {
		return err
	}
	if err := x.build(ctx); err != nil {
		return err
	}
	if err := x.catchUp(ctx); err != nil {
		return err
	}
	if x.state.Owed {
		return x.purge(ctx)
	}
	return nil
}

// checkEnd notices a store that was set back while the index is open.
func (x *Index) checkEnd(ctx context.Context) error {
	installation, end, err := x.registryNow(ctx)
	if err != nil {
		return err
	}
	why, err := x.foreign(ctx, installation, end)
	if err != nil || why == "" {
		return err
	}
	return x.anew(ctx, why)
}

// build indexes all findings, in order of id. What changes meanwhile is told by the
// feed afterwards.
func (x *Index) build(ctx context.Context) error {
	for n := 1; x.state.Building; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		list, err := x.o.Registry.FindingsWithPlaces(ctx, x.o.Actor, store.FindingFilter{After: fingerprints.FindingID(x.state.After), Limit: buildBatch}, query.Contexts)
		if err != nil {
			return err
		}
		b, s := index.NewBatch(), x.state
		for _, d := range list {
			b.Update(documentOf(query.FactsOf(d)))
			s.After = string(d.ID)
		}
		if len(list) < buildBatch {
			s.Building, s.After = false, ""
		}
		if err := x.write(b, s, n%settle == 0 || !s.Building); err != nil {
			return err
		}
		x.settled()
	}
	return nil
}

// add puts findings as they are now into a batch. What became of old ids goes.
func (x *Index) add(ctx context.Context, b *index.Batch, all []fingerprints.FindingID) error {
	if len(all) == 0 {
		return nil
	}
	list, err := x.o.Registry.FindingsByID(ctx, x.o.Actor, all, query.Contexts)
	if err != nil {
		return err
	}
	for _, id := range all {
		b.Delete(string(id)) // where it is gone by now
	}
	for _, d := range list {
		f := query.FactsOf(d)
		for _, alias := range f.Aliases {
			b.Delete(string(alias))
		}
		b.Update(documentOf(f))
	}
	return nil
}

// catchUp follows the feed to its end.
func (x *Index) catchUp(ctx context.Context) error {
	for n := 1; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		redacted, err := x.o.Registry.Redacted(ctx, x.o.Actor)
		if err != nil {
			return err
		}
		page, err := x.o.Registry.Changes(ctx, x.o.Actor, x.state.Position, batch)
		if err != nil {
			return err
		}
		s := x.state
		s.Position = page.Next
		if s.Position.Audit != s.Past.Sequence {
			if s.Past, err = x.past(ctx, s.Position.Audit); err != nil {
				return err
			}
		}
		for _, source := range page.Forgotten {
			if err := x.forget(source); err != nil {
				return err
			}
			s.Owed = true
		}
		if s.Redacted < redacted && s.Position.Change >= redacted {
			s.Redacted, s.Owed = redacted, true
		}
		b := index.NewBatch()
		all := make([]fingerprints.FindingID, len(page.Findings))
		for i, f := range page.Findings {
			all[i] = f.ID
		}
		if err := x.add(ctx, b, all); err != nil {
			return err
		}
		if moved(x.state, s) || len(all) > 0 {
			if err := x.write(b, s, n%settle == 0 || s.Owed); err != nil {
				return err
			}
			x.settled()
		}
		if !page.More {
			return nil
		}
	}
}

// moved reports whether there is something to write.
func moved(a, b state) bool {
	pa, pb := a.Position, b.Position
	return pa.Change != pb.Change || pa.Audit != pb.Audit || !pa.Clock.Equal(pb.Clock) || len(pa.Page.Secrets) != len(pb.Page.Secrets) ||
		pa.Page.After != pb.Page.After || !pa.Page.Until.Equal(pb.Page.Until) || a.Redacted != b.Redacted || a.Owed != b.Owed
}

// forget removes the findings of a source.
func (x *Index) forget(source string) error {
	q := query.Of(query.In{Field: query.FieldSource, Values: []query.Pattern{query.Literal(source)}})
	for {
		v, err := x.view()
		if err != nil {
			return err
		}
		found, err := v.first(q, batch)
		v.close()
		if err != nil || len(found) == 0 {
			return err
		}
		b := index.NewBatch()
		for _, id := range found {
			b.Delete(id)
		}
		if err := x.write(b, x.state, false); err != nil {
			return err
		}
	}
}

// settled notes what the index has now.
func (x *Index) settled() {
	v, err := x.view()
	if err != nil {
		return
	}
	defer v.close()
	x.stats.documents.Store(int64(v.documents()))
}

// behind is what the index does not have yet.
func (x *Index) behind(ctx context.Context, s state) (Behind, error) {
	end, err := x.o.Registry.FeedEnd(ctx, x.o.Actor)
	if err != nil {
		return Behind{}, err
	}
	out := Behind{Building: s.Building}
	if end.Change > s.Position.Change {
		out.Changes += end.Change - s.Position.Change
	}
	if end.Audit > s.Position.Audit {
		out.Changes += end.Audit - s.Position.Audit
	}
	if out.Changes == 0 && (len(s.Position.Page.Secrets) > 0 || !s.Position.Page.Until.IsZero()) {
		out.Changes = 1 // in the middle of one that concerns many findings
	}
	if out.Building {
		out.Done = uint64(max(x.stats.documents.Load(), 0))
	}
	x.stats.behind.Store(int64(out.Changes))
	return out, nil
}
