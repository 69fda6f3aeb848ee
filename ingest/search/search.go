package search

import (
	"context"
	"errors"
	"fmt"
	"time"

	"revenant/fingerprints/registry"
	"revenant/ingest/search/query"
)

const (
	// countable is how many findings of which the index is not certain are held
	// against the query for the total.
	countable = 2000
	// lookups is how many findings are read for one page at most, beyond which the
	// page is shorter than it could be.
	lookups = 20000
)

// Search finds what a query selects. An error is of the registry, of the cursor, or
// ErrBroad; where the index fails, the store is read.
func (x *Index) Search(ctx context.Context, a registry.Actor, q query.Query, page Page) (Result, error) {
	from, err := spotOf(page.After, page.Order)
	if err != nil {
		return Result{}, fmt.Errorf("searching: %w", err)
	}
	if page.Limit <= 0 {
		page.Limit = DefaultLimit
	}
	page.Limit = min(page.Limit, MaxLimit)
	if page.Top <= 0 {
		page.Top = DefaultTop
	}
	if x.mode == Scans || len(a.Teams) > 0 || x.building() { // the index does not know who sees what
		return x.scan(ctx, a, q, from, page)
	}
	r, err := x.search(ctx, a, q, from, page)
	if errors.Is(err, errDamaged) {
		x.damaged.Store(true)
		return x.scan(ctx, a, q, from, page)
	}
	if err != nil {
		return Result{}, fmt.Errorf("searching: %w", err)
	}
	return r, nil
}

// building reports whether findings are missing that the feed will not tell.
func (x *Index) building() bool {
	v, err := x.view()
	if err != nil {
		return true
	}
	defer v.close()
	return v.state.Building
}

func (x *Index) search(ctx context.Context, a registry.Actor, q query.Query, from spot, page Page) (r Result, err error) {
	defer caught(&err)
	v, err := x.view()
	if err != nil {
		return r, err
	}
	defer v.close()
	now := x.o.Now().UTC()
	m, err := v.matches(q, now)
	if err != nil {
		return r, err
	}
	m.order = page.Order
	r = Result{Findings: []Hit{}, Total: m.least, Most: m.most, By: x.mode}
	if r.Behind, err = x.behind(ctx, v.state); err != nil {
		return r, err
	}
	if len(page.Facets) > 0 {
		if r.Facets, err = m.facets(page.Facets, page.Top); err != nil {
			return r, err
		}
	}
	c := checker{x: x, ctx: ctx, a: a, q: q, now: now}
	if err := c.page(&r, m, from, page.Limit); err != nil {
		return r, err
	}
	if m.least != m.most && m.most <= countable {
		r.Total, err = c.count(m)
		r.Most = r.Total
		return r, err
	}
	r.Total = max(r.Total-c.wrong, 0)
	return r, nil
}

// checker holds what the index found against the registry.
type checker struct {
	x     *Index
	ctx   context.Context //nolint:containedctx // of one call
	a     registry.Actor
	q     query.Query
	now   time.Time
	wrong int // found, and they do not match now
}

// page fills a page behind a spot.
func (c *checker) page(r *Result, m *matches, from spot, limit int) error {
	for read := 0; read < lookups; {
		want := limit + 1 - len(r.Findings)
		if read > 0 {
			want = max(want, 200) // few of them match: read on in larger steps
		}
		spots, err := m.after(from, want)
		if err != nil {
			return err
		}
		hits, err := c.check(spots)
		if err != nil {
			return err
		}
		read += len(spots)
		for i, h := range hits {
			if h == nil {
				continue
			}
			if len(r.Findings) == limit {
				r.Next = from.cursor()
				return nil
			}
			r.Findings = append(r.Findings, *h)
			from = spots[i]
		}
		if len(spots) < want {
			return nil
		}
		if len(r.Findings) < limit || hits[len(hits)-1] == nil {
			from = spots[len(spots)-1]
		}
	}
	r.Next = from.cursor()
	return nil
}

// check reads findings; nil stands for one that does not match, or is no more.
func (c *checker) check(spots []spot) ([]*Hit, error) {
	list := make([]string, len(spots))
	at := map[string]int{}
	for i, s := range spots {
		list[i] = s.id
		at[s.id] = i
	}
	out := make([]*Hit, len(spots))
	found, err := c.x.o.Registry.FindingsByID(c.ctx, c.a, ids(list), query.Contexts)
	if err != nil {
		return nil, err
	}
	right := 0
	for _, d := range found {
		i, asked := at[string(d.ID)]
		if !asked || out[i] != nil || !c.q.Match(query.FactsOf(d), c.now) {
			continue
		}
		h := hitOf(d)
		out[i] = &h
		right++
	}
	c.wrong += len(spots) - right
	return out, nil
}

// count counts what matches, by looking at each.
func (c *checker) count(m *matches) (int, error) {
	n := 0
	for from := (spot{}); ; {
		spots, err := m.after(from, batch)
		if err != nil || len(spots) == 0 {
			return n, err
		}
		hits, err := c.check(spots)
		if err != nil {
			return 0, err
		}
		for _, h := range hits {
			if h != nil {
				n++
			}
		}
		from = spots[len(spots)-1]
	}
}

// shownContexts is how many contexts a hit has.
const shownContexts = 3

func hitOf(d registry.FindingDetail) Hit {
	h := Hit{Finding: d.FindingView}
	for _, s := range d.Sightings {
		if s.Context != "" && len(h.Contexts) < shownContexts {
			h.Contexts = append(h.Contexts, s.Context)
		}
	}
	return h
}
