package registered

import (
	"slices"
	"sort"
)

// layer is bytes after one layer of unescaping, with where each came from.
type layer struct {
	out        []byte
	start, end []int32
	high       int // most bytes that were in out
}

// view is a stretch of a text as one scheme unescapes it, kept because
// neighbouring anchors need the same stretch.
type view struct {
	of       *text
	from, to int // of the text
	layer        // start and end are places in the text
	spare    layer
	hint     int     // where the last anchor stood in out
	blocks   []uint8 // triggers in each triggerUnit bytes of out
}

// keepView is how much memory a view may keep between contents.
const keepView = 64 << 10

func (v *view) forget() {
	if v.of == nil {
		return
	}
	clear(v.out)
	clear(v.spare.out[:cap(v.spare.out)])
	if cap(v.out) > keepView {
		*v = view{}
	}
	v.of, v.hint = nil, 0
}

const (
	// margin is how far before the bytes that are needed unescaping starts,
	// so that it has found the escapes' boundaries when it gets there.
	margin = 64
	// longestView bounds how far views are extended ahead of need.
	longestView = 1 << 20
)

// viewAround returns a scheme's view of the n bytes of which the one at offset
// o stands at a place of the text, and where in the view they begin; -1 when
// they do not stand there. It unescapes a little more than n bytes, and up to
// spanFactor times as many where escapes turn out to take them.
func (w *work) viewAround(i int, x *text, p place, o, n int) (v *view, at int) {
	back, ahead := o+o/8+2*margin, n-o+(n-o)/8+2*margin
	for range 8 {
		v = w.view(i, x, max(0, p.at-back), min(len(x.data), p.at+ahead))
		k := v.index(p)
		if k < 0 {
			return v, -1
		}
		a, b := k-o, k-o+n
		// What the view's ends cut through is not to be trusted.
		early := v.from > 0 && (a < 0 || int(v.start[a]) < v.from+margin)
		late := v.to < len(x.data) && (b > len(v.out) || int(v.end[b-1])+margin > v.to)
		if !early && !late {
			if a < 0 || b > len(v.out) {
				return v, -1
			}
			return v, a
		}
		if early && back > spanFactor*(o+margin) || late && ahead > spanFactor*(n-o+margin) {
			return v, -1
		}
		if early {
			back *= 2
		}
		if late {
			ahead *= 2
		}
	}
	return v, -1
}

// index is where in the view the byte of a place stands; -1 when it does not.
func (v *view) index(from place) int {
	p := from.at
	// Anchors follow each other: look from the last one on first.
	k := v.hint
	if k >= len(v.start) || int(v.start[k]) > p || p-int(v.start[k]) > 64 {
		k = sort.Search(len(v.start), func(k int) bool { return int(v.start[k]) >= p })
	}
	for k < len(v.start) && int(v.start[k]) < p {
		k++
	}
	if k+from.of >= len(v.start) || int(v.start[k+from.of]) != p {
		return -1
	}
	v.hint = k
	return k + from.of
}

// view returns the stretch of the text unescaped by a scheme, or a longer one.
// Where anchors follow each other, each new stretch is twice as long as the
// last, so that many of them cost what few do.
func (w *work) view(i int, x *text, from, to int) *view {
	v := &w.views[i]
	if v.of == x && v.from <= from && to <= v.to {
		return v
	}
	if v.of == x && from <= v.to && v.from <= to {
		more := min(2*(v.to-v.from), longestView)
		if from < v.from {
			from = max(0, from-more)
		}
		to = min(len(x.data), to+more)
	}
	from = beforeSlashes(x.data, from)
	v.of, v.from, v.to, v.hint = x, from, to, 0
	w.stats.Unescaped += int64(to - from)
	v.decode(w.m.schemes[i].layers, x.data)
	return v
}

// decode fills the view from data[from:to].
func (v *view) decode(layers []escape, data []byte) {
	l := v.layer.reset()
	l = layers[0].append(l, data[v.from:v.to], int32(v.from))
	for _, e := range layers[1:] {
		next := e.append(v.spare.reset(), l.out, 0)
		for k := range next.out {
			next.start[k] = l.start[next.start[k]]
			next.end[k] = l.end[next.end[k]-1]
		}
		l, v.spare = next, l
	}
	v.layer = l
	v.blocks = v.blocks[:0]
	for k := 0; k < len(l.out); k += triggerUnit {
		v.blocks = append(v.blocks, triggers(l.out[max(0, k-1):min(len(l.out), k+triggerUnit)]))
	}
}

// near returns the triggers in out[from:to], or in a little more.
func (v *view) near(from, to int) (set uint8) {
	for k := max(0, from) / triggerUnit; k < len(v.blocks) && k*triggerUnit < to; k++ {
		set |= v.blocks[k]
	}
	return set
}

// reset empties the layer and keeps its memory.
func (l layer) reset() layer {
	return layer{out: l.out[:0], start: l.start[:0], end: l.end[:0], high: l.high}
}

// append unescapes in, whose first byte stands at base.
func (e escape) append(l layer, in []byte, base int32) layer {
	l.out = slices.Grow(l.out, len(in))
	l.start = slices.Grow(l.start, len(in))
	l.end = slices.Grow(l.end, len(in))
	for i := 0; i < len(in); {
		if plain := e.plain(in[i:]); plain > 0 { // together, because most bytes stand for themselves
			l.out = append(l.out, in[i:i+plain]...)
			for ; plain > 0; plain-- {
				l.start = append(l.start, base+int32(i))
				i++
				l.end = append(l.end, base+int32(i))
			}
			continue
		}
		u := e.next(in[i:])
		from, to := base+int32(i), base+int32(i+u.Width)
		for k := range u.N {
			l.out = append(l.out, u.Out[k])
			l.start = append(l.start, from)
			l.end = append(l.end, to)
		}
		i += u.Width
	}
	l.high = max(l.high, len(l.out))
	return l
}

// plain is how many bytes in begins with that begin no escape.
func (e escape) plain(in []byte) int {
	n := 0
	for n < len(in) && begins[in[n]]>>e&1 == 0 {
		n++
	}
	return n
}

// begins has a bit for every escape that a character begins.
var begins = [256]uint16{
	'\\': 1<<escBackslash | 1<<escShell | 1<<escDocker, '\'': 1<<escSingle | 1<<escQuotes, '"': 1 << escDouble,
	'%': 1<<escPercent | 1<<escForm, '+': 1 << escForm, '&': 1 << escHTML,
	'\n': 1<<escWrap | 1<<escLines | 1<<escStamp, '\r': 1<<escWrap | 1<<escLines | 1<<escStamp,
}

// triggers says which characters that escapes are made of stand in b: of
// quotes, only two in a row or one beside a backslash.
func triggers(b []byte) (set uint8) {
	var last byte
	for _, c := range b {
		t := trigger[c]
		if t == trigQuote && last != c && last != '\\' && last != '\'' && last != '"' {
			t = 0
		}
		set |= t
		last = c
	}
	return set
}

var trigger = [256]uint8{
	'\\': trigBackslash, '%': trigPercent | trigPlus, '+': trigPlus, '&': trigAmpersand,
	'\'': trigQuote, '"': trigQuote, '\n': trigBreak,
}

// neighbourhood remembers the triggers of blocks of a text.
type neighbourhood struct {
	of     *text
	blocks []uint8 // triggers, and seen
}

const (
	seenBlock   = 0x80
	triggerUnit = 256 // bytes of a block
)

// in returns the triggers in text[from:to], or in a little more.
func (n *neighbourhood) in(x *text, from, to int) (set uint8) {
	if n.of != x {
		n.of = x
		n.blocks = slices.Grow(n.blocks[:0], len(x.data)/triggerUnit+1)[:len(x.data)/triggerUnit+1]
		clear(n.blocks)
	}
	for k := from / triggerUnit; k*triggerUnit < to; k++ {
		if n.blocks[k] == 0 {
			n.blocks[k] = seenBlock | triggers(x.data[max(0, k*triggerUnit-1):min(len(x.data), (k+1)*triggerUnit)])
		}
		set |= n.blocks[k]
	}
	return set &^ seenBlock
}
