package scanners

import (
	"context"
	"slices"
	"sort"
	"sync/atomic"
)

// Screener is Engine.Screen for many contents that have much in common, as the
// versions of a file do. It cuts a content into parts where the Viewer says that
// it can, looks at each part with what is beside it, and at none twice: what came
// of it is remembered by hashes with keys of their own. Where an answer hangs on
// more than a part, the content is looked at whole. What must not be seen in parts,
// which is every Matcher that is not Local, always is.
//
// Its answer is that of Engine.Screen, but for what bounds of decoding cut off:
// parts have more room than a whole. Safe for concurrent use. Memory is 32 MiB
// once there is something to remember.
type Screener struct {
	e     *Engine
	cuts  Cutter // nil: everything is looked at whole
	parts []Local
	whole []Matcher
	how   Cutting
	memo  memo
	lines memo // of what is beside the ends of lines

	bytes, looked atomic.Int64
}

// NewScreener returns a screener that remembers nothing yet.
func NewScreener(e *Engine, how Cutting) *Screener {
	s := &Screener{e: e, how: how.orDefault(), memo: newMemo(memoSlots), lines: newMemo(memoSlots)}
	for _, m := range e.Matchers {
		if l, ok := m.(Local); ok {
			s.parts = append(s.parts, l)
		} else {
			s.whole = append(s.whole, m)
		}
	}
	if c, ok := e.Viewer.(Cutter); ok && e.looksThrough() {
		s.cuts = c
	}
	return s
}

// Engine is whose screen it is.
func (s *Screener) Engine() *Engine { return s.e }

// Looked is how many bytes were to be screened so far, and how many of them were
// looked at, those that are shown twice counted twice.
func (s *Screener) Looked() (all, looked int64) { return s.bytes.Load(), s.looked.Load() }

// Screen is Engine.Screen.
func (s *Screener) Screen(ctx context.Context, data []byte) bool {
	s.bytes.Add(int64(len(data)))
	var cuts []cut
	if s.cuts != nil {
		cuts = s.appendCuts(nil, data)
	}
	if len(cuts) == 0 {
		return s.all(ctx, data)
	}
	c := Chunk{Data: data[:len(data):len(data)], Final: true, AnyPath: true}
	for _, m := range s.whole {
		if len(appendHits(ctx, m, nil, c)) > 0 {
			return true
		}
	}
	a := s.parted(ctx, data, cuts)
	return a == holds || a != isClean && s.all(ctx, data)
}

// all looks at a content whole.
func (s *Screener) all(ctx context.Context, data []byte) bool {
	s.looked.Add(int64(len(data)))
	return s.e.Screen(ctx, data)
}

// answer is what is known of a part.
type answer uint16

const (
	unasked   answer = iota
	isClean          // it holds nothing
	goesLeft         // it cannot be looked at without what is before it
	goesRight        // or behind it
	isWhole          // or without all
	holds            // it holds something, whatever is around it
)

// parted is what the parts of a content say of it: isClean, holds or isWhole.
// Where a cut turns out to be none the parts on both sides are one.
func (s *Screener) parted(ctx context.Context, data []byte, cuts []cut) answer {
	end := cut{at: len(data), ends: ^Flow(0)}
	starts := []cut{{ends: ^Flow(0)}}
	cuts = append(cuts, end)
	left := 4 * (len(data) + 2*s.cuts.CutSide()*len(cuts))
	for joined := 1; len(cuts) > 0; {
		from, to := starts[len(starts)-1], cuts[0]
		a, cost := s.part(ctx, data, from, to)
		if left -= cost; left < 0 || ctx.Err() != nil {
			return isWhole
		}
		switch a {
		case isClean:
			starts, cuts, joined = append(starts, to), cuts[1:], 1
		case goesRight: // ever more, so that looking again costs little
			cuts, joined = cuts[min(joined, len(cuts)-1):], 2*joined
		case goesLeft:
			starts, joined = starts[:max(1, len(starts)-joined)], 2*joined
		default:
			return a
		}
	}
	return isClean
}

// part says what is known of the part between two cuts, and what it cost to learn.
func (s *Screener) part(ctx context.Context, data []byte, from, to cut) (a answer, cost int) {
	p := part{s: s, from: from, to: to, first: from.at == 0, last: to.at == len(data)}
	side := s.cuts.CutSide()
	start, end := max(0, from.at-side), min(len(data), to.at+side)
	if p.first {
		start = 0
	}
	p.data = data[start:end:end]
	p.from.at -= start
	p.to.at -= start
	key := s.memo.key(p.data, p.first, p.last)
	if a = answer(s.memo.get(key)); a != unasked {
		return a, 0
	}
	s.looked.Add(int64(len(p.data)))
	a = p.look(ctx)
	if ctx.Err() == nil {
		s.memo.put(key, uint16(a))
	}
	return a, len(p.data)
}

// part is a stretch of a content with what is beside it.
type part struct {
	s           *Screener
	data        []byte
	from, to    cut // in data
	first, last bool
	left, right bool // something goes on over from, or to
}

// look looks at the part.
func (p *part) look(ctx context.Context) answer {
	before, behind := p.s.cuts.Flows(p.data)
	switch {
	case (before|behind)&FlowAny != 0:
		return isWhole
	case !p.first && before&^p.from.ends != 0:
		return goesLeft
	case !p.last && behind&^p.to.ends != 0:
		return goesRight
	}
	c := Chunk{Data: p.data, Final: true, AnyPath: true}
	for _, m := range p.s.parts {
		hits, local := m.AppendLocalHits(ctx, nil, c, p.on)
		hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.PathOnly })
		if !local || len(hits) > 0 {
			return p.held(local, hits)
		}
	}
	if a, ok := p.going(); ok {
		return a
	}
	hits, unread := p.s.e.viewedBy(ctx, c, p.s.e.overlap(), p.text)
	if len(hits)+len(unread) > 0 {
		return p.held(true, hits)
	}
	if a, ok := p.going(); ok {
		return a
	}
	return isClean
}

// held says what hits in a part say of the content: they may not be hits with
// what else is there, unless they are in what is not shown twice and nothing
// went on over a cut.
func (p *part) held(local bool, hits []Hit) answer {
	own := func(h Hit) bool { return int(h.Span.Start) >= p.from.at && int(h.Span.End) <= p.to.at }
	if local && !p.left && !p.right && slices.ContainsFunc(hits, own) {
		return holds
	}
	return isWhole
}

// going says over which cut something goes on.
func (p *part) going() (answer, bool) {
	switch {
	case p.left:
		return goesLeft, true
	case p.right:
		return goesRight, true
	}
	return unasked, false
}

// on notes that a stretch decided something.
func (p *part) on(from, to int) {
	p.left = p.left || !p.first && p.from.over(from, to)
	p.right = p.right || !p.last && p.to.over(from, to)
}

// text notes over which cuts a text goes on. One that begins and ends close to
// the cut is seen whole on both sides.
func (p *part) text(t Text) {
	if !p.first {
		if from, _, over := stretchAt(t, p.from.at); over && from < inMargin {
			p.left = true
		}
	}
	if !p.last {
		if _, to, over := stretchAt(t, p.to.at); over && to > len(p.data)-inMargin {
			p.right = true
		}
	}
}

// inMargin is how far from the end of what is beside a part something stands
// that is seen whole.
const inMargin = 48

// stretchAt is where the stretch that a text was made of begins and ends, if it
// comes from close to a place or from both sides of it. Guessed texts are of
// stretches that stand apart, with a border between them.
func stretchAt(t Text, at int) (from, to int, over bool) {
	n := len(t.Data)
	i := sort.Search(n, func(i int) bool {
		_, end := t.Origin(i, i+1)
		return end > at-nearCut
	})
	if i == n {
		return 0, 0, false
	}
	lo, hi := 0, n
	if t.Guessed {
		for lo = i; lo > 0 && !borderAt(t, lo); lo-- {
		}
		for hi = i + 1; hi < n && !borderAt(t, hi); hi++ {
		}
	}
	if start, _ := t.Origin(i, i+1); start >= at+nearCut && i == lo {
		return 0, 0, false
	}
	from, to = t.Origin(lo, hi)
	if n >= viewPiece/2 { // it may be a piece of one
		from, to = 0, int(^uint(0)>>1)
	}
	return from, to, true
}

// borderAt reports whether a stretch of a guessed text ends before a place: two
// bytes that come from one.
func borderAt(t Text, i int) bool {
	if i < 2 || t.Data[i-2] != ' ' || t.Data[i-1] != '\n' {
		return false
	}
	a, b := t.Origin(i-2, i-1)
	c, d := t.Origin(i-1, i)
	return a == c && b == d
}
