package search

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"

	"revenant/ingest/search/query"
)

// spot is a finding's place in the order of results: by rank - what Order says of it -
// then by id.
type spot struct{ rank, id string }

func (s spot) compare(o spot) int {
	return cmp.Or(strings.Compare(s.rank, o.rank), strings.Compare(s.id, o.id))
}

// cursor is the spot as a page's cursor has it.
func (s spot) cursor() string { return s.rank + strings.TrimPrefix(s.id, "rv1:") }

// rankSize is how long ranks of an order are.
func (o Order) rankSize() int {
	if o == Oldest {
		return len(minuteTerm(time.Time{}))
	}
	return 2
}

// rank is what an order says of a finding.
func (o Order) rank(f query.Facts) string {
	if o == Oldest {
		return minuteTerm(f.Times[query.First])
	}
	return rankOf(f)
}

// spotOf is a cursor's spot, in the order that it is of.
func spotOf(cursor string, order Order) (spot, error) {
	if cursor == "" {
		return spot{}, nil
	}
	size := order.rankSize()
	if len(cursor) <= size {
		return spot{}, ErrCursor
	}
	rank, id := cursor[:size], cursor[size:]
	if len(id) > 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.ContainsFunc(rank, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
		return spot{}, ErrCursor
	}
	return spot{rank, "rv1:" + id}, nil
}

// few is how many findings are sorted at once; more are looked for in one
// neighbourhood of ids after the other.
const few = 1000

// matches are what a query found in a view.
type matches struct {
	order Order // of what after lists
	parts []*part
	found []found
	least int
	most  int
}

func (v *view) matches(q query.Query, now time.Time) (*matches, error) {
	m := &matches{parts: v.parts, found: make([]found, len(v.parts))}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, p := range v.parts {
		g.Go(func() (err error) {
			defer caught(&err)
			m.found[i], err = p.eval(q, now)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, f := range m.found {
		m.least += int(f.least.GetCardinality())
		m.most += int(f.most.GetCardinality())
	}
	return m, nil
}

// first are the ids of some findings that a query selects.
func (v *view) first(q query.Query, limit int) (out []string, err error) {
	defer caught(&err)
	m, err := v.matches(q, time.Time{})
	if err != nil {
		return nil, err
	}
	for i, p := range m.parts {
		it := m.found[i].most.Iterator()
		for it.HasNext() && len(out) < limit {
			id, err := p.segment.DocID(uint64(it.Next()))
			if err != nil {
				return nil, errDamaged
			}
			out = append(out, string(id))
		}
	}
	return out, nil
}

// after lists findings behind a spot, up to a limit, in the order of results.
func (m *matches) after(s spot, limit int) ([]spot, error) {
	if m.order == Oldest {
		return m.oldest(s, limit)
	}
	ranks, err := m.terms(fieldRank, "", "")
	if err != nil {
		return nil, err
	}
	var out []spot
	for _, rank := range ranks {
		if rank < s.rank || len(out) == limit {
			continue
		}
		from := ""
		if rank == s.rank {
			from = s.id
		}
		list, err := m.ranked(rank, from, limit-len(out))
		if err != nil {
			return nil, err
		}
		for _, id := range list {
			out = append(out, spot{rank, id})
		}
	}
	return out, nil
}

// oldest lists findings behind a spot by when they were first seen: day by day, and
// minute by minute in days that have any.
func (m *matches) oldest(s spot, limit int) ([]spot, error) {
	var from int64
	if s.rank != "" {
		from = stampOf(s.rank)
	}
	const minutes = secondsOfDay / secondsOfMinute
	days, err := m.terms(fieldFirst, stampTerm('d', from/minutes), behindPrefix("d"))
	if err != nil {
		return nil, err
	}
	var out []spot
	for _, day := range days {
		sets, some, err := m.having(day, nil)
		if err != nil || !some {
			if err != nil {
				return nil, err
			}
			continue
		}
		begin := stampOf(day) * minutes
		list, err := m.terms(fieldFirst, stampTerm('m', max(from, begin)), stampTerm('m', begin+minutes))
		if err != nil {
			return nil, err
		}
		for _, minute := range list {
			here, some, err := m.having(minute, sets)
			if err != nil {
				return nil, err
			}
			if !some {
				continue
			}
			after := ""
			if minute == s.rank {
				after = s.id
			}
			found, err := m.inOrder(here, after, limit-len(out))
			if err != nil {
				return nil, err
			}
			for _, id := range found {
				out = append(out, spot{minute, id})
			}
			if len(out) == limit {
				return out, nil
			}
		}
	}
	return out, nil
}

// having is what of sets - nil: of what was found - was first seen at a term's time.
func (m *matches) having(term string, sets []*roaring.Bitmap) (here []*roaring.Bitmap, some bool, err error) {
	for i, p := range m.parts {
		b := roaring.New()
		if err := p.orTerm(b, fieldFirst, term); err != nil {
			return nil, false, err
		}
		if sets == nil {
			b.And(m.found[i].most)
		} else {
			b.And(sets[i])
		}
		here, some = append(here, b), some || !b.IsEmpty()
	}
	return here, some, nil
}

// terms are those that the index has of a field, in order, from one to before another.
func (m *matches) terms(field, from, to string) ([]string, error) {
	all := map[string]bool{}
	for _, p := range m.parts {
		err := p.eachTerm(field, from, to, func(term string) (bool, error) {
			all[term] = true
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// ranked lists ids of one rank behind another id.
func (m *matches) ranked(rank, after string, limit int) ([]string, error) {
	sets := make([]*roaring.Bitmap, len(m.parts))
	for i, p := range m.parts {
		b := roaring.New()
		if err := p.orTerm(b, fieldRank, rank); err != nil {
			return nil, err
		}
		b.And(m.found[i].most)
		sets[i] = b
	}
	return m.inOrder(sets, after, limit)
}

// inOrder lists ids of sets behind another id.
func (m *matches) inOrder(sets []*roaring.Bitmap, after string, limit int) ([]string, error) {
	count := 0
	for _, b := range sets {
		count += int(b.GetCardinality())
	}
	if count <= few {
		return m.idsOf(sets, after, limit)
	}
	var out []string
	nears, err := m.terms(fieldNear, nearOf(after), "")
	for _, near := range nears {
		here := make([]*roaring.Bitmap, len(sets))
		for i, p := range m.parts {
			here[i] = roaring.New()
			if err := p.orTerm(here[i], fieldNear, near); err != nil {
				return nil, err
			}
			here[i].And(sets[i])
		}
		list, err := m.idsOf(here, after, limit-len(out))
		if err != nil {
			return nil, err
		}
		if out = append(out, list...); len(out) == limit {
			break
		}
	}
	return out, err
}

// idsOf are the first ids behind another of what is in sets.
func (m *matches) idsOf(sets []*roaring.Bitmap, after string, limit int) ([]string, error) {
	var out []string
	for i, p := range m.parts {
		list, err := p.idsOf(sets[i], after)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	slices.Sort(out)
	return out[:min(len(out), limit)], nil
}

// idsOf are the ids of documents that are behind another id.
func (p *part) idsOf(set *roaring.Bitmap, after string) ([]string, error) {
	var out []string
	it := set.Iterator()
	for it.HasNext() {
		id, err := p.segment.DocID(uint64(it.Next()))
		if err != nil {
			return nil, errDamaged
		}
		if s := string(id); s > after {
			out = append(out, s)
		}
	}
	return out, nil
}
