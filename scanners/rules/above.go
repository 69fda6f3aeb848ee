package rules

import (
	"context"
	"slices"
)

const (
	// longRead is how much a gate reads before its answer is remembered when it
	// is no.
	longRead = 64
	// nearSegment is how far from a segment everything is searched anew: more than
	// a gate whose answer is forgotten reads, and its neighbours.
	nearSegment = longRead + 16
	// seam is how far a segment reaches into what follows it: a lead.
	seam = 2 * maxLead
)

// asked is an answer of a gate that the layer above may need.
type asked struct {
	target, at, read int
	open             bool
}

// newSearchAbove is newSearch in a layer above one that was searched: away
// from the segments nothing has changed but the places.
func (f *finder) newSearchAbove(ctx context.Context, sc *scratch, l *layer, below *search) (*search, error) {
	parts := l.nearSegments()
	size := 0
	for _, p := range parts {
		size += p.end - p.start
	}
	if size > len(l.text)/2 {
		return f.newSearch(ctx, sc, l.text)
	}
	given := slices.DeleteFunc(slices.Clone(sc.touched), func(plan int) bool { return sc.spent[plan] >= 0 })
	s := f.blank(sc, l.text)
	for _, plan := range given { // too costly once is too costly now
		s.touch(plan)
		s.spent[plan] = -1
	}
	s.carry(l, below.asked)
	for _, part := range parts {
		if err := s.prefilter(ctx, part); err != nil {
			return s, err
		}
	}
	s.askTogether()
	return s, nil
}

// nearSegments are the parts of the text around segments.
func (l *layer) nearSegments() []extent {
	const around = nearSegment + seam
	var parts []extent
	for _, s := range l.segments {
		part := extent{max(s.decoded.start-around, 0), min(s.decoded.end+around, len(l.text))}
		if n := len(parts); n > 0 && part.start <= parts[n-1].end {
			parts[n-1].end = part.end
			continue
		}
		parts = append(parts, part)
	}
	return parts
}

// carry takes over answers given below, moved, and asks anew where a gate read
// what has changed.
func (s *search) carry(l *layer, below []asked) {
	slices.SortFunc(below, func(a, b asked) int { return a.at - b.at })
	i, shift := 0, 0
	for _, q := range below {
		for i < len(l.segments) && l.segments[i].encoded.end <= q.at {
			shift = l.segments[i].decoded.end - l.segments[i].encoded.end
			i++
		}
		next := len(l.text) + 2*nearSegment
		if i < len(l.segments) {
			if l.segments[i].encoded.start <= q.at {
				continue // decoded
			}
			next = l.segments[i].decoded.start
		}
		q.at += shift
		if q.at+nearSegment >= next || i > 0 && q.at <= l.segments[i-1].decoded.end+seam {
			continue // will be searched anew
		}
		if q.at+q.read+seam >= next {
			s.suspect(q.target, q.at)
			continue
		}
		s.asked = append(s.asked, q)
		s.hangs.on(q.at, q.at+q.read)
		if !q.open { // as all of groups are: their members answer for them
			continue
		}
		if b := s.branches[q.target]; s.spent[b.plan] >= 0 {
			s.touch(b.plan)
			s.admit(b, q.at)
		}
	}
}
