package search

import (
	"cmp"
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

// few is how many findings are sorted rather than looked for in the order of ids.
const few = 4096

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
	var out []string
	for i, p := range m.parts {
		var list []string
		var err error
		switch {
		case sets[i].IsEmpty():
			continue
		case count <= few:
			list, err = p.idsOf(sets[i], after)
		default:
			list, err = p.idsInOrder(sets[i], after, limit)
		}
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

// idsInOrder reads ids from one on until enough of them are in the set.
func (p *part) idsInOrder(set *roaring.Bitmap, after string, limit int) ([]string, error) {
	var out []string
	one := roaring.New()
	err := p.eachTerm("_id", after, "", func(id string) (bool, error) {
		if id == after {
			return true, nil
		}
		one.Clear()
		if err := p.orTerm(one, "_id", id); err != nil {
			return false, err
		}
		if one.Intersects(set) {
			out = append(out, id)
		}
		return len(out) < limit, nil
	})
	return out, err
}
