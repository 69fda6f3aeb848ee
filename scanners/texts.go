package scanners

import (
	"context"
	"slices"
	"sort"
)

// Placeless is a Matcher whose hits hang on nothing but their own bytes: what stands
// beside them neither makes nor hides one.
type Placeless interface {
	Matcher
	Placeless()
}

// Joint is a Matcher that can look at many contents at once, with line ends between
// them.
type Joint interface {
	Matcher
	// Alone reports whether a content may be something as a whole, so that it has to be
	// looked at by itself.
	Alone(content []byte) bool
	// AppendJoinedHits is AppendHitsUntil for a chunk that is many contents. It may find
	// more than in each of them, at their edges and for what stands in others, and calls
	// on for each stretch of c.Data, not in one content alone, that may have hidden
	// something. local is false when something else may have.
	AppendJoinedHits(ctx context.Context, dst []Hit, c Chunk, on func(from, to int)) (hits []Hit, local bool)
}

// Bounds of what is looked at together.
const (
	shortText  = 4 << 10
	joinedText = 32 << 10
	betweenAt  = "\n\x00\n" // ends a line, a word and whatever is wrapped
)

// ScreenTexts is Screen for many contents, most of which are short, as messages are:
// yes is called for each that may hold a hit, in order. A look costs much the same for
// a short text as for one ten times as long, so matchers see many texts at once, and a
// text is looked at by itself where an answer hangs on more than its own bytes.
func (e *Engine) ScreenTexts(ctx context.Context, texts [][]byte, yes func(i int)) {
	overlap := e.overlap()
	j := joiner{e: e}
	for from := 0; from < len(texts); {
		to := j.join(texts, from)
		if to == from { // it is long
			if e.Screen(ctx, texts[from]) {
				yes(from)
			}
			from++
			continue
		}
		j.look(ctx)
		for i := from; i < to; i++ {
			again := j.again[i-from]
			if !again {
				c := Chunk{Data: texts[i][:len(texts[i]):len(texts[i])], Final: true, AnyPath: true}
				hits, unread := e.viewed(ctx, c, overlap)
				if len(hits) > 0 || len(unread) > 0 || ctx.Err() != nil {
					yes(i)
				}
			} else if e.Screen(ctx, texts[i]) {
				yes(i)
			}
		}
		from = to
	}
}

// joiner puts texts together for matchers.
type joiner struct {
	e     *Engine
	buf   []byte
	ends  []int // of each text in buf
	start []int
	again []bool // it must be looked at by itself
	hits  []Hit
}

// join takes texts from one on, and returns the first that it did not take.
func (j *joiner) join(texts [][]byte, from int) int {
	j.buf, j.start, j.ends, j.again = append(j.buf[:0], betweenAt...), j.start[:0], j.ends[:0], j.again[:0]
	for i := from; i < len(texts); i++ {
		t := texts[i]
		if len(t) > shortText || i > from && len(j.buf)+len(t) > joinedText {
			return i
		}
		j.start = append(j.start, len(j.buf))
		j.buf = append(j.buf, t...)
		j.ends = append(j.ends, len(j.buf))
		j.again = append(j.again, slices.ContainsFunc(j.e.Matchers, func(m Matcher) bool {
			whole, ok := m.(Joint)
			return ok && whole.Alone(t)
		}))
		j.buf = append(j.buf, betweenAt...)
	}
	return len(texts)
}

// look marks the texts that may hold something, or that an answer cannot be given of
// by what is in buf.
func (j *joiner) look(ctx context.Context) {
	c := Chunk{Data: j.buf, Final: true, AnyPath: true}
	for _, m := range j.e.Matchers {
		j.hits = j.hits[:0]
		local := true
		switch m := m.(type) {
		case Joint:
			j.hits, local = m.AppendJoinedHits(ctx, j.hits, c, j.hangs)
		case Placeless:
			j.hits = appendHits(ctx, m, j.hits, c)
		default:
			local = false
		}
		if !local || ctx.Err() != nil {
			for i := range j.again {
				j.again[i] = true
			}
			return
		}
		for _, h := range j.hits {
			if h.PathOnly {
				continue
			}
			j.mark(int(h.Span.Start), int(h.Span.End))
			if h.Match.Len() > 0 {
				j.mark(int(h.Match.Start), int(h.Match.End))
			}
		}
	}
	clear(j.hits)
}

// hangs marks the texts that a stretch decides something of which does not lie in one
// of them alone.
func (j *joiner) hangs(from, to int) {
	i := j.at(from)
	if i < len(j.start) && j.start[i] <= from && to <= j.ends[i] {
		return
	}
	j.mark(from, to)
}

// mark marks the texts that a stretch has a byte of, or is beside.
func (j *joiner) mark(from, to int) {
	for i := j.at(from - len(betweenAt)); i < len(j.start) && j.start[i] <= to+len(betweenAt); i++ {
		j.again[i] = true
	}
}

// at is the first text that ends at an offset or behind it.
func (j *joiner) at(offset int) int {
	return sort.Search(len(j.ends), func(i int) bool { return j.ends[i] >= offset })
}
