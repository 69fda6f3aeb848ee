package kafka

import "slices"

// merge puts together what was known of a partition and what is said of it now.
// Whatever either of them searched was searched.
func (p Position) merge(n Position) Position {
	switch {
	case n.Incarnation != p.Incarnation:
		if n.Incarnation > p.Incarnation {
			return n
		}
		return p
	case n.Start > p.Next: // something was left out between them
		return n
	case n.Next < p.Start: // it is on its way
		return p
	}
	out := p
	if n.Next >= p.Next {
		out = n
	}
	out.Start, out.Kept = min(p.Start, n.Start), max(p.Kept, n.Kept)
	out.describe(append(p.stretches(), n.stretches()...))
	return out
}

// stretch is a part of a partition that was searched for the same.
type stretch struct {
	from, to int64
	fields   uint64
	generic  bool
}

// stretches are what the position says, in order.
func (p Position) stretches() []stretch {
	all := stretch{p.Start, p.Next, p.Fields, p.Generic}
	if p.Newer == nil {
		return []stretch{all}
	}
	late := stretch{p.Newer.From, p.Next, p.Newer.Fields, p.Generic}
	all.to = late.from
	return []stretch{all, late}
}

// describe says what all of it was searched for, and what its end was. What is not
// kept any longer does not count.
func (p *Position) describe(list []stretch) {
	cuts := []int64{max(p.Start, min(p.Kept, p.Next)), p.Next}
	for _, s := range list {
		for _, at := range []int64{s.from, s.to} {
			if at > cuts[0] && at < p.Next {
				cuts = append(cuts, at)
			}
		}
	}
	slices.Sort(cuts)
	var parts []stretch
	for i := 1; i < len(cuts); i++ {
		if one := (stretch{from: cuts[i-1], to: cuts[i]}); one.from < one.to {
			for _, s := range list {
				if s.from <= one.from && s.to >= one.to {
					one.fields, one.generic = max(one.fields, s.fields), one.generic || s.generic
				}
			}
			parts = append(parts, one)
		}
	}
	p.Newer = nil
	if len(parts) == 0 { // nothing of it is kept: both say the same of nothing
		for i, s := range list {
			p.Fields, p.Generic = max(p.Fields, s.fields), i > 0 && p.Generic || s.generic
		}
		return
	}
	last := parts[len(parts)-1]
	p.Fields, p.Generic = last.fields, true
	for _, s := range parts {
		p.Fields, p.Generic = min(p.Fields, s.fields), p.Generic && s.generic
	}
	if last.fields <= p.Fields {
		return
	}
	from := last.from
	for i := len(parts) - 1; i >= 0 && parts[i].fields >= last.fields; i-- {
		from = parts[i].from
	}
	p.Newer = &Newer{From: from, Fields: last.fields}
}
