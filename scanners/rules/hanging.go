package rules

import (
	"context"
	"slices"

	"revenant/scanners"
)

// hanging is what the findings in a content hang on, and that there are no
// others. The nil one takes nothing down.
type hanging struct {
	reads []extent // of the layer at hand
	below []extent // of the content
	all   bool     // on more than can be told
	// joined: the content is many, and what finds more in one of them for what stands
	// in another need not be taken down.
	joined bool
}

// on takes down that a stretch of the layer decides something.
func (h *hanging) on(from, to int) {
	if h == nil {
		return
	}
	if n := len(h.reads) - 1; h.joined && n >= 0 && h.reads[n].start <= from && from <= h.reads[n].end {
		h.reads[n].end = max(h.reads[n].end, to) // between two contents is a gap
		return
	}
	h.reads = append(h.reads, extent{from, to})
}

// onAll takes down that something hangs on what may stand anywhere: a line that excuses,
// or that package regexp read everything.
func (h *hanging) onAll() {
	if h != nil {
		h.all = true
	}
}

// onMore takes down that something is found for what may stand anywhere, and would not
// be without.
func (h *hanging) onMore() {
	if h != nil && !h.joined {
		h.all = true
	}
}

// onLine takes down that a line of the layer hides something.
func (h *hanging) onLine(line extent) {
	if h != nil && h.joined {
		h.on(line.start, line.end)
		return
	}
	h.onAll()
}

// leave ends a layer: where its stretches come from is taken down.
func (h *hanging) leave(l *layer) {
	if h == nil {
		return
	}
	for _, e := range h.reads {
		for at := l; at.below != nil; at = at.below {
			e = at.under(e)
		}
		h.below = append(h.below, e)
	}
	h.reads = h.reads[:0]
}

// under is the stretch of the layer below that a stretch comes from, with the
// whole of each segment that it shares a byte with.
func (l *layer) under(e extent) extent {
	count := func(at int) int {
		n, _ := slices.BinarySearchFunc(l.segments, at, func(s segment, at int) int { return s.decoded.start - at })
		return n
	}
	out := e
	if n := count(e.start + 1); n > 0 {
		if s := l.segments[n-1]; e.start < s.decoded.end {
			out.start = s.encoded.start
		} else {
			out.start = s.encoded.end + e.start - s.decoded.end
		}
	}
	if n := count(max(e.end, e.start+1)); n > 0 {
		if s := l.segments[n-1]; e.end <= s.decoded.end {
			out.end = s.encoded.end
		} else {
			out.end = s.encoded.end + e.end - s.decoded.end
		}
	}
	return out
}

// AppendLocalHits implements scanners.Local. A match that may begin somewhere
// hangs on what was read to see whether it does, however far that is; what reads
// no more than longRead to see that none does is not told of.
func (m *Matcher) AppendLocalHits(ctx context.Context, dst []scanners.Hit, c scanners.Chunk, on func(from, to int)) ([]scanners.Hit, bool) {
	h := &hanging{}
	dst = m.appendHits(ctx, dst, c, h)
	for _, e := range h.below {
		on(e.start, e.end)
	}
	return dst, !h.all
}
