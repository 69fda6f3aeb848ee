package search

import (
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"revenant/ingest/search/query"
)

// found is which documents match at least, and at most. They are the same set
// where the index knows everything that was asked. Neither is to be changed.
type found struct{ least, most *roaring.Bitmap }

func certain(b *roaring.Bitmap) found { return found{b, b} }

// eval finds the documents of a part that a query selects.
func (p *part) eval(q query.Query, now time.Time) (found, error) {
	if q.Root() == nil {
		return certain(p.live), nil
	}
	f, err := p.node(q.Root(), now)
	if err != nil {
		return f, err
	}
	return f.each(func(b *roaring.Bitmap) *roaring.Bitmap { return roaring.And(b, p.live) }), nil
}

// each applies an operation to both sets, once where they are one.
func (f found) each(op func(*roaring.Bitmap) *roaring.Bitmap) found {
	if f.least == f.most {
		return certain(op(f.least))
	}
	return found{op(f.least), op(f.most)}
}

func (p *part) node(n query.Node, now time.Time) (found, error) {
	switch n := n.(type) {
	case query.And:
		return p.join(n, now, roaring.FastAnd)
	case query.Or:
		return p.join(n, now, roaring.FastOr)
	case query.Not:
		f, err := p.node(n.Node, now)
		if err != nil {
			return f, err
		}
		f.least, f.most = f.most, f.least
		return f.each(func(b *roaring.Bitmap) *roaring.Bitmap { return roaring.AndNot(p.live, b) }), nil
	case query.Text:
		b, err := p.text(n)
		return certain(b), err
	case query.In:
		return p.in(n, now)
	case query.Time:
		return p.time(n, now)
	}
	return certain(roaring.New()), nil
}

func (p *part) join(list []query.Node, now time.Time, op func(...*roaring.Bitmap) *roaring.Bitmap) (found, error) {
	sure := true
	var least, most []*roaring.Bitmap
	for _, n := range list {
		f, err := p.node(n, now)
		if err != nil {
			return f, err
		}
		sure = sure && f.least == f.most
		least, most = append(least, f.least), append(most, f.most)
	}
	if sure {
		return certain(op(most...)), nil
	}
	return found{op(least...), op(most...)}, nil
}

func (p *part) in(n query.In, now time.Time) (found, error) {
	out := roaring.New()
	var nodes query.Or
	for _, v := range n.Values {
		var err error
		word, _ := v.Exact()
		switch n.Field {
		case query.FieldIs:
			nodes = append(nodes, query.Is(word))
		case query.FieldHas:
			err = p.orTerm(out, fieldHas, word)
		case query.FieldNo:
			has := roaring.New()
			err = p.orTerm(has, fieldHas, word)
			out.Or(roaring.AndNot(p.live, has))
		case query.FieldID:
			if err = p.orTerms(out, "_id", v); err == nil {
				err = p.orTerms(out, fieldAlias, v)
			}
		default:
			err = p.orTerms(out, string(n.Field), v)
		}
		if err != nil {
			return found{}, err
		}
	}
	if nodes != nil {
		return p.join(nodes, now, roaring.FastOr)
	}
	return certain(out), nil
}

// orTerms adds the documents of all terms that a pattern matches.
func (p *part) orTerms(into *roaring.Bitmap, field string, v query.Pattern) error {
	if term, exact := v.Exact(); exact {
		return p.orTerm(into, field, term)
	}
	terms, err := p.terms(field, v, 0)
	if err != nil {
		return err
	}
	return p.orAll(into, field, terms)
}

// orAll adds the documents of terms. They are put together at once: adding each of a
// thousand to what the others had would copy that as often.
func (p *part) orAll(into *roaring.Bitmap, field string, terms []string) error {
	sets := make([]*roaring.Bitmap, len(terms))
	for i, t := range terms {
		sets[i] = roaring.New()
		if err := p.orTerm(sets[i], field, t); err != nil {
			return err
		}
	}
	into.Or(roaring.FastOr(sets...))
	return nil
}

// terms are those of a field that a pattern matches, up to a limit; 0: none.
func (p *part) terms(field string, v query.Pattern, limit int) ([]string, error) {
	var out []string
	prefix := v.Prefix()
	err := p.eachTerm(field, prefix, behindPrefix(prefix), func(term string) (bool, error) {
		if v.Match(term) {
			out = append(out, term)
		}
		return limit == 0 || len(out) < limit, nil
	})
	return out, err
}

// time finds by the day and the minute of a moment. The index does not know when
// something was last seen, and within the minute of the bound nothing for certain.
func (p *part) time(n query.Time, now time.Time) (found, error) {
	which, bound, before := n.Bound(now)
	field := fieldFirst
	switch which {
	case query.Last:
		return found{roaring.New(), p.live}, nil
	case query.Due:
		field = fieldDue
	case query.First:
	}
	day, minute := dayTerm(bound), minuteTerm(bound)
	all, earlier, maybe := roaring.New(), roaring.New(), roaring.New()
	if err := p.orRange(all, field, "d", "e"); err != nil {
		return found{}, err
	}
	if err := p.orRange(earlier, field, "d", day); err != nil {
		return found{}, err
	}
	dayStart := minuteTerm(time.Unix(bound.Unix()/secondsOfDay*secondsOfDay, 0))
	if err := p.orRange(earlier, field, dayStart, minute); err != nil {
		return found{}, err
	}
	if err := p.orTerm(maybe, field, minute); err != nil {
		return found{}, err
	}
	least, most := earlier, earlier
	if !before {
		least = roaring.AndNot(all, earlier)
		most = least
		if !maybe.IsEmpty() {
			least = roaring.AndNot(least, maybe)
		}
	} else if !maybe.IsEmpty() {
		most = roaring.Or(earlier, maybe)
	}
	return found{least, most}, nil
}

// orRange adds the documents of the terms from one to before another.
func (p *part) orRange(into *roaring.Bitmap, field, from, to string) error {
	var terms []string
	err := p.eachTerm(field, from, to, func(term string) (bool, error) {
		terms = append(terms, term)
		return true, nil
	})
	if err != nil {
		return err
	}
	return p.orAll(into, field, terms)
}
