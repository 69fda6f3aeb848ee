package search

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"revenant/ingest/search/query"
)

// spot is a finding's place in the order of results: by rank, then by id.
type spot struct{ rank, id string }

func (s spot) compare(o spot) int {
	return cmp.Or(strings.Compare(s.rank, o.rank), strings.Compare(s.id, o.id))
}

// cursor is the spot as a page's cursor has it.
func (s spot) cursor() string { return s.rank + strings.TrimPrefix(s.id, "rv1:") }

func spotOf(cursor string) (spot, error) {
	if cursor == "" {
		return spot{}, nil
	}
	if len(cursor) < 3 || len(cursor) > 64 || strings.ContainsFunc(cursor, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
		return spot{}, ErrCursor
	}
	return spot{cursor[:2], "rv1:" + cursor[2:]}, nil
}

// few is how many findings are sorted at once; more are looked for in one
// neighbourhood of ids after the other.
const few = 1000

// matches are what a query found in a view.
type matches struct {
	parts []*part
	found []found
	least int
	most  int
}

func (v *view) matches(q query.Query, now time.Time) (*matches, error) {
	m := &matches{parts: v.parts}
	for _, p := range v.parts {
		f, err := p.eval(q, now)
		if err != nil {
			return nil, err
		}
		m.found = append(m.found, f)
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
	ranks, err := m.ranks()
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

// ranks are all ranks that the index has, the worst first.
func (m *matches) ranks() ([]string, error) {
	var out []string
	for _, p := range m.parts {
		err := p.eachTerm(fieldRank, "", "", func(term string) (bool, error) {
			if !slices.Contains(out, term) {
				out = append(out, term)
			}
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return out, nil
}

// ranked lists ids of one rank behind another id.
func (m *matches) ranked(rank, after string, limit int) ([]string, error) {
	sets := make([]*roaring.Bitmap, len(m.parts))
	count := 0
	for i, p := range m.parts {
		b := roaring.New()
		if err := p.orTerm(b, fieldRank, rank); err != nil {
			return nil, err
		}
		b.And(m.found[i].most)
		sets[i] = b
		count += int(b.GetCardinality())
	}
	if count <= few {
		return m.idsOf(sets, after, limit)
	}
	var out []string
	nears, err := m.nears(nearOf(after))
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

// nears are the neighbourhoods that the index has, in order, from one on.
func (m *matches) nears(from string) ([]string, error) {
	all := map[string]bool{}
	for _, p := range m.parts {
		err := p.eachTerm(fieldNear, from, "", func(near string) (bool, error) {
			all[near] = true
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
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
