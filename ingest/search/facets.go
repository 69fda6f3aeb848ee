package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
	segment "github.com/blevesearch/scorch_segment_api/v2"

	"revenant/fingerprints/registry"
	"revenant/ingest/search/query"
)

// Facets counts what a query selects by the values of fields, the most frequent
// first, so many of each. What the index is not certain of counts.
func (x *Index) Facets(ctx context.Context, a registry.Actor, q query.Query, fields []query.Field, top int) (map[query.Field][]Count, error) {
	if !a.May(registry.ScopeRead) {
		return nil, fmt.Errorf("counting: %w", registry.ErrForbidden)
	}
	if x.mode != Scans && len(a.Teams) == 0 && !x.building() {
		out, err := x.countFacets(q, fields, top)
		if !errors.Is(err, errDamaged) {
			return out, err
		}
		x.damaged.Store(true)
	}
	r, err := x.scan(ctx, a, q, spot{}, Page{Limit: 1, Facets: fields, Top: top})
	return r.Facets, err
}

func (x *Index) countFacets(q query.Query, fields []query.Field, top int) (out map[query.Field][]Count, err error) {
	defer caught(&err)
	v, err := x.view()
	if err != nil {
		return nil, err
	}
	defer v.close()
	m, err := v.matches(q, x.o.Now().UTC())
	if err != nil {
		return nil, err
	}
	return m.facets(fields, top)
}

func (m *matches) facets(fields []query.Field, top int) (map[query.Field][]Count, error) {
	out := map[query.Field][]Count{}
	for _, field := range fields {
		counts := map[string]int{}
		for i, p := range m.parts {
			if err := p.facet(string(field), m.found[i].most, counts); err != nil {
				return nil, err
			}
		}
		out[field] = topOf(field, counts, top)
	}
	return out, nil
}

// lister is what lists of documents in segments have.
type lister interface {
	ActualBitmap() *roaring.Bitmap
	DocNum1Hit() (uint64, bool)
}

// facet adds up how many documents of a set have each value of a field.
func (p *part) facet(field string, set *roaring.Bitmap, counts map[string]int) error {
	if set.IsEmpty() {
		return nil
	}
	d, err := p.dict(field)
	if err != nil {
		return err
	}
	if d.Cardinality() > manyValues {
		c, err := p.columns.of(p, field)
		if err == nil {
			c.count(set, counts)
		}
		return err
	}
	var list segment.PostingsList
	var it segment.PostingsIterator
	return p.eachTerm(field, "", "", func(term string) (bool, error) {
		var err error
		if list, err = p.postings(field, term, list); err != nil {
			return false, err
		}
		it = list.Iterator(false, false, false, it)
		l, is := it.(lister)
		if !is {
			return true, nil // an empty list
		}
		n := 0
		if doc, one := l.DocNum1Hit(); one {
			if set.Contains(uint32(doc)) {
				n = 1
			}
		} else if b := l.ActualBitmap(); b != nil {
			n = int(set.AndCardinality(b))
		}
		if n > 0 {
			counts[term] += n
		}
		return true, nil
	})
}

func topOf(field query.Field, counts map[string]int, top int) []Count {
	out := make([]Count, 0, len(counts))
	for value, n := range counts {
		if field == query.FieldSecret && strings.Contains(value, "@") {
			continue // versions are found, and not counted beside their secrets
		}
		out = append(out, Count{value, n})
	}
	slices.SortFunc(out, func(a, b Count) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Value, b.Value)) })
	if top > 0 && len(out) > top {
		out = out[:top]
	}
	return out
}
