package main

import (
	"context"
	"fmt"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/scan"
)

// decided is what a scan tolerates by the registry's decisions. A nil one
// tolerates nothing.
type decided struct {
	list []store.Decision
	now  func() time.Time
	over map[int64]bool // decisions that would hold, had they not run out
}

// decided reads the decisions of a registry.
func (a *app) decided(ctx context.Context, s *session) (*decided, error) {
	list, err := s.reg.DecisionsForScan(ctx, s.actor)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &decided{list: list, now: a.now, over: map[int64]bool{}}, nil
}

// and asks decisions first, then what else tolerates.
func (d *decided) and(t scan.Tolerance) scan.Tolerance {
	switch {
	case d == nil:
		return t
	case t == nil:
		return d
	}
	return several{d, t}
}

// Late implements scan.Tolerance.
func (*decided) Late() bool { return false }

// Values implements scan.Tolerance.
func (*decided) Values() bool { return false }

// Tolerate implements scan.Tolerance.
func (d *decided) Tolerate(k scan.Known) (wire.Tolerated, scan.Tolerated) {
	for _, x := range d.list {
		if !registry.About(x, k.ValueID, k.SourceID, k.Path) || !registry.Holds(x, k.Rules, k.Verdict) {
			continue
		}
		if registry.Over(x, d.now()) {
			d.over[x.ID] = true
			continue
		}
		return wire.Tolerated{
			By: fmt.Sprintf("decision %d", x.ID), In: wire.ToleratedInRegistry, Status: x.Status, Owner: x.Owner, Until: x.Until, Reason: x.Reason,
		}, scan.TolerateSighting
	}
	return wire.Tolerated{}, scan.TolerateNone
}

// notes say which decisions the scan would have followed, had they not run out.
func (d *decided) notes() (out []wire.Note) {
	if d == nil {
		return nil
	}
	for _, x := range d.list {
		if d.over[x.ID] {
			out = append(out, wire.Note{Text: fmt.Sprintf("decision %d has run out, since %s: what it tolerated counts again", x.ID, x.Until.UTC().Format(time.DateOnly))})
		}
	}
	return out
}
