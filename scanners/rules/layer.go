package rules

import (
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"revenant/scanners/byteclass"
)

// segment is a stretch that was decoded.
type segment struct {
	original extent // in the content
	encoded  extent // in the text that was decoded
	decoded  extent // in the text that came of it
	kinds    encoding
}

// layer is a text after some passes of decoding. The content itself is the
// layer without segments.
type layer struct {
	text     string
	segments []segment // sorted
	below    *layer    // nil for the content
	depth    int
}

// decode undoes one more layer of encodings; nil when there is none. The new
// layer's text is in memory of the scratch, until the layer after the next is
// decoded.
func (l *layer) decode(a *alphabets, sc *scratch) *layer {
	memory := &sc.layers[(l.depth+1)%len(sc.layers)]
	var up *layer
	var out []byte
	copied, shift := 0, 0
	undo := func(e encoded) {
		value := a.decoded(l.text[e.start:e.end], e.kind)
		if value == "" {
			return
		}
		if up == nil {
			up = &layer{below: l, depth: l.depth + 1}
			if out = (*memory)[:0]; cap(out) < len(l.text) {
				out = make([]byte, 0, len(l.text)+len(value))
			}
		}
		out = append(out, l.text[copied:e.start]...)
		out = append(out, value...)
		copied = e.end
		s := segment{
			encoded:  e.extent,
			original: l.original(e.extent),
			decoded:  extent{e.start + shift, e.start + shift + len(value)},
			kinds:    e.kind,
		}
		for _, under := range l.touching(e.extent) {
			s.kinds |= under.kinds
		}
		shift += len(value) - (e.end - e.start)
		up.segments = append(up.segments, s)
	}
	var previous, current encoded
	has, had := false, false
	walk := l.walk(a, &sc.tile)
	for {
		next, more := walk.next()
		// Of two that touch, the higher rank is undone in this pass, the
		// other perhaps in the next.
		if has && !(had && yields(current, previous)) && !(more && yields(current, next)) {
			undo(current)
		}
		if !more {
			break
		}
		previous, had = current, has
		current, has = next, true
	}
	if up == nil {
		return nil
	}
	out = append(out, l.text[copied:]...)
	*memory = out
	up.text = unsafe.String(unsafe.SliceData(out), len(out))
	return up
}

// fresh are the parts of a decoded text, whole lines, in which something may
// have become encoded text: what is around the segments. Where none is, what did
// not decode before does not decode now.
func (l *layer) fresh() []extent {
	var parts []extent
	for _, s := range l.segments {
		if n := len(parts); n > 0 && s.decoded.end < parts[n-1].end {
			continue
		}
		part := extent{strings.LastIndexByte(l.text[:s.decoded.start], '\n') + 1, len(l.text)}
		if i := strings.IndexByte(l.text[s.decoded.end:], '\n'); i >= 0 {
			part.end = s.decoded.end + i + 1
		}
		if n := len(parts); n > 0 && part.start <= parts[n-1].end {
			parts[n-1].end = part.end
			continue
		}
		parts = append(parts, part)
	}
	return parts
}

// walk is stretches over parts of a text.
type walk struct {
	text   string
	parts  []extent // that come next
	now    stretches
	offset int // of the part that now walks over
}

// walk goes over all of the content, then over what is fresh. U+0041 alone
// reaches over the ends of lines.
func (l *layer) walk(a *alphabets, tile *byteclass.Marks) walk {
	w := walk{text: l.text, now: stretches{alphabets: a, tile: tile}}
	if l.depth == 0 || strings.Contains(l.text, "U+") {
		w.now.text = l.text
		return w
	}
	w.parts = l.fresh()
	return w
}

func (w *walk) next() (encoded, bool) {
	for {
		if e, ok := w.now.next(); ok {
			return encoded{extent{e.start + w.offset, e.end + w.offset}, e.kind}, true
		}
		if len(w.parts) == 0 {
			return encoded{}, false
		}
		part := w.parts[0]
		w.parts, w.offset = w.parts[1:], part.start
		w.now = stretches{alphabets: w.now.alphabets, tile: w.now.tile, text: w.text[part.start:part.end]}
	}
}

func yields(e, neighbour encoded) bool {
	return e.touches(neighbour.extent) && neighbour.kind.rank() > e.kind.rank()
}

// touches reports whether two ranges share a byte or an edge.
func (e extent) touches(o extent) bool { return o.start <= e.end && o.end >= e.start }

// touching are the layer's segments that a range of its text touches.
func (l *layer) touching(e extent) []segment {
	from, _ := slices.BinarySearchFunc(l.segments, e.start, func(s segment, at int) int { return cmp.Compare(s.decoded.end, at) })
	to := from
	for to < len(l.segments) && l.segments[to].decoded.start <= e.end {
		to++
	}
	return l.segments[from:to]
}

// original is where a range of the layer's text comes from, as gitleaks
// reckons it: the whole of a segment that it lies in; else the distances from
// the segments that it touches, layer by layer.
func (l *layer) original(e extent) extent {
	if len(l.segments) == 0 {
		return e
	}
	segments := l.touching(e)
	return l.originalOf(segments, e)
}

func (l *layer) originalOf(segments []segment, e extent) extent {
	var below extent
	for _, s := range segments {
		if s.decoded.start <= e.start && e.end <= s.decoded.end {
			return s.original
		}
		over := cover(s.decoded, e)
		moved := extent{s.encoded.start + over.start - s.decoded.start, s.encoded.end + over.end - s.decoded.end}
		if below.end == 0 {
			below = moved
		} else {
			below = cover(below, moved)
		}
	}
	if below.end == 0 {
		return e
	}
	return l.below.original(below)
}
