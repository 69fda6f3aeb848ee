package registered

// layer is bytes after one layer of unescaping, with where each came from.
type layer struct {
	out        []byte
	start, end []int32
}

// triggers says which characters that escapes are made of stand in b.
func triggers(b []byte) (set uint8) {
	for _, c := range b {
		set |= trigger[c]
	}
	return set
}

var trigger = [256]uint8{
	'\\': trigBackslash, '%': trigPercent | trigPlus, '+': trigPlus, '&': trigAmpersand,
	'\'': trigQuote, '"': trigQuote, '\n': trigBreak,
}

// view returns the stretch of the text unescaped by a scheme, or a longer one.
func (w *work) view(i int, x *text, from, to int) *view {
	v := &w.views[i]
	if v.of == x && v.from <= from && to <= v.to {
		return v
	}
	// Anchors that follow each other want overlapping stretches: read further
	// ahead each time, so that many of them cost what few do.
	ahead := 0
	if v.of == x && from >= v.from && from < v.to {
		ahead = min(max(2*v.ahead, to-from), 1<<20)
	}
	for from > 0 && x.data[from-1] == '\\' { // not inside of an escape
		from--
	}
	v.of, v.from, v.to, v.ahead = x, from, min(to+ahead, len(x.data)), ahead
	v.decode(w.m.schemes[i].layers, x.data)
	return v
}

// decode fills the view from data[from:to].
func (v *view) decode(layers []escape, data []byte) {
	l := layer{out: v.out[:0], start: v.start[:0], end: v.end[:0]}
	l = layers[0].append(l, data[v.from:v.to], int32(v.from))
	for _, e := range layers[1:] {
		next := layer{out: v.spare.out[:0], start: v.spare.start[:0], end: v.spare.end[:0]}
		next = e.append(next, l.out, 0)
		for k := range next.out {
			next.start[k] = l.start[next.start[k]]
			next.end[k] = l.end[next.end[k]-1]
		}
		l, v.spare = next, l
	}
	v.out, v.start, v.end = l.out, l.start, l.end
}

// append unescapes in, whose first byte stands at base.
func (e escape) append(l layer, in []byte, base int32) layer {
	for i := 0; i < len(in); {
		u := e.next(in[i:])
		from, to := base+int32(i), base+int32(i+u.width)
		for k := range u.n {
			l.out = append(l.out, u.out[k])
			l.start = append(l.start, from)
			l.end = append(l.end, to)
		}
		i += u.width
	}
	return l
}
