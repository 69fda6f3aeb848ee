package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

// scanTime is how long the store is read for one question.
const scanTime = 20 * time.Second

// scan answers from the store, finding by finding, where there is no index to read.
// What is not read in time is said.
func (x *Index) scan(ctx context.Context, a registry.Actor, q query.Query, from spot, page Page) (Result, error) {
	s := scanning{q: q, order: page.Order, now: x.o.Now().UTC(), from: from, limit: page.Limit, texts: q.Texts(), counts: map[query.Field]map[string]int{}}
	for _, f := range page.Facets {
		s.counts[f] = map[string]int{}
	}
	timed, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	filter, _ := q.Filter()
	filter.Limit = batch
	r := Result{Findings: []Hit{}, By: Scans}
	for {
		list, err := s.read(timed, x.o.Registry, a, filter)
		if err != nil && errors.Is(timed.Err(), context.DeadlineExceeded) && ctx.Err() == nil {
			r.Cut = true
			break
		}
		if err != nil {
			return r, fmt.Errorf("searching the store: %w", err)
		}
		if len(list) < batch {
			break
		}
		filter.After = list[len(list)-1].ID
	}
	r.Total, r.Most = s.total, s.total
	for i, h := range s.best {
		if i == page.Limit {
			r.Next = s.spots[i-1].cursor()
			break
		}
		r.Findings = append(r.Findings, h)
	}
	if len(page.Facets) > 0 {
		r.Facets = map[query.Field][]Count{}
		for f, counts := range s.counts {
			r.Facets[f] = topOf(f, counts, page.Top)
		}
	}
	return r, nil
}

// scanning is what was found until now.
type scanning struct {
	q      query.Query
	order  Order
	now    time.Time
	from   spot
	limit  int
	texts  bool // contexts are asked for
	total  int
	spots  []spot // of best, in order; one more than the page has
	best   []Hit
	counts map[query.Field]map[string]int
}

// read reads findings on behind a filter's page and keeps what matches.
func (s *scanning) read(ctx context.Context, reg Registry, a registry.Actor, f store.FindingFilter) ([]registry.FindingDetail, error) {
	var details []registry.FindingDetail
	var err error
	if s.texts {
		details, err = reg.FindingsWithPlaces(ctx, a, f, query.Contexts)
	} else {
		var list []registry.Finding
		list, err = reg.Findings(ctx, a, f)
		for _, one := range list {
			details = append(details, registry.FindingDetail{FindingView: one})
		}
	}
	for _, d := range details {
		if f := query.FactsOf(d); s.q.Match(f, s.now) {
			s.take(f, d)
		}
	}
	return details, errors.Join(err, ctx.Err())
}

func (s *scanning) take(f query.Facts, d registry.FindingDetail) {
	s.total++
	for field, counts := range s.counts {
		for _, v := range f.Values[field] {
			counts[v]++
		}
	}
	at := spot{s.order.rank(f), string(f.ID)}
	if at.compare(s.from) <= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(s.spots, at, spot.compare)
	if i > s.limit {
		return
	}
	s.spots, s.best = slices.Insert(s.spots, i, at), slices.Insert(s.best, i, hitOf(d))
	if keep := s.limit + 1; len(s.spots) > keep {
		s.spots, s.best = s.spots[:keep], s.best[:keep]
	}
}
