package registered

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"revenant/scanners/escapes"
)

// marked probes the bytes around the escapes of a tile as they are when
// unescaped: values whose region holds characters that escapes change do not
// stand raw anywhere. Bytes away from escapes were probed already. done is
// where the last stretch of each scheme ended.
func (w *work) marked(x *text, words, from int, done *[signs]int, probed *reached) {
	for i, m := range w.bitmaps.Marks[:words] {
		for ; m != 0; m &= m - 1 {
			p := from + 64*i + bits.TrailingZeros64(m)
			if x.data[p] == '+' {
				w.plus(x, p, done)
				continue
			}
			w.chainAt(x, p, probed)
			switch x.data[p] {
			case '\\':
				w.mark(x, bySlash, p, done)
				if p > 0 && p+2 < len(x.data) && x.data[p-1] == '\'' && x.data[p+1] == '\'' && x.data[p+2] == '\'' {
					w.mark(x, bySingle, p-1, done)
				}
			case '%':
				w.mark(x, byPercent, p, done)
			case '&':
				w.mark(x, byEntity, p, done)
			}
		}
	}
	for i, m := range w.bitmaps.Quotes[:words] {
		for m &= m>>1 | 1<<63; m != 0; m &= m - 1 {
			p := from + 64*i + bits.TrailingZeros64(m)
			if p+1 < len(x.data) && x.data[p] != x.data[p+1] && escSingle.next(x.data[p:]).Width > 1 {
				w.mark(x, bySingle, p, done)
			}
			if p+1 < len(x.data) && x.data[p] == x.data[p+1] {
				if x.data[p] == '"' {
					w.mark(x, byDouble, p, done)
				} else {
					w.mark(x, byQuote, p, done)
				}
			}
		}
	}
}

// mark probes around an escape unless that was done with the one before.
func (w *work) mark(x *text, scheme, p int, done *[signs]int) {
	if p >= done[scheme] {
		done[scheme] = w.around(x, &w.m.schemes[scheme], p)
	}
}

// around probes the bytes around an escape of the scheme at p, together with
// those that follow closely, and returns where the last ends.
func (w *work) around(x *text, s *scheme, p int) int {
	e := s.layers[0]
	u := e.next(x.data[p:])
	if u.Width < 2 {
		return p + 1
	}
	near := w.m.region // bytes of the widest region
	first := max(0, p-near+1)
	if e == escBackslash {
		first = beforeSlashes(x.data, first)
	}
	var b [maxQuick + 16]byte
	n := copy(b[:maxQuick/2], x.data[first:p])
	end, last := p, p
	for quiet := 0; quiet < near-1 && end < len(x.data); {
		if n > maxQuick-8 {
			return w.crowd(x, s, first, p)
		}
		if c := x.data[end]; c != s.sign {
			b[n] = c
			n, end, quiet = n+1, end+1, quiet+1
			continue
		}
		u := e.next(x.data[end:])
		n += copy(b[n:], u.Out[:u.N])
		end += u.Width
		if quiet++; u.Width > 1 {
			last, quiet = end, 0
		}
	}
	if escapedAgain(b[:n]) {
		return w.crowd(x, s, first, p)
	}
	if w.touches(b[:n+8], n) {
		w.stretch(x, s, first, end)
	}
	return last
}

// plus probes the bytes around a plus sign with the blank that it stands for in
// forms, together with those that follow closely.
func (w *work) plus(x *text, p int, done *[signs]int) {
	if p < done[byForm] {
		return
	}
	near := w.m.region
	first, end := max(0, p-near+1), min(len(x.data), p+near)
	if p > first && !graphic(x.data[p-1]) || p+1 < end && !graphic(x.data[p+1]) ||
		p-first == near-1 && end-p == near && unbroken(x.data[first:p]) && unbroken(x.data[p+1:end]) {
		return // no form, or base64: a value with such a word has its region in the word
	}
	var b [maxQuick + 16]byte
	n := copy(b[:], x.data[first:end])
	for at := p; at >= 0 && n < maxQuick-near; at = next(x.data[:end], at, '+') { // as long as more signs follow
		n += copy(b[n:], x.data[end:min(len(x.data), at+near)])
		end = first + n
	}
	for at := 0; at >= 0; at = next(b[:n], at, '+') {
		if b[at] == '+' {
			b[at] = ' '
		}
	}
	done[byForm] = max(p+1, end-near+1)
	switch s := &w.m.schemes[byForm]; {
	case formEscaped(b[:n]): // %XX takes three bytes for one
		w.stretch(x, s, max(0, first-2*near), min(len(x.data), end+2*near))
	case w.touches(b[:n+8], n):
		w.stretch(x, s, first, end)
	}
}

// graphic reports whether c is ASCII that prints, the only bytes of forms.
func graphic(c byte) bool { return c > ' ' && c < 0x7f }

// unbroken reports whether b holds characters of base64 but plus signs alone.
func unbroken(b []byte) bool {
	for _, c := range b {
		if sextet[c] == 0xff || c == '+' {
			return false
		}
	}
	return true
}

// next is where c stands in b behind a place; -1 when it does not.
func next(b []byte, behind int, c byte) int {
	if k := bytes.IndexByte(b[behind+1:], c); k >= 0 {
		return behind + 1 + k
	}
	return -1
}

// formEscaped reports whether b holds percent escapes.
func formEscaped(b []byte) bool {
	for at := bytes.IndexByte(b, '%'); at >= 0; at = next(b, at, '%') {
		if _, ok := escapes.Hex(b, at+1); ok {
			return true
		}
	}
	return false
}

// escapedAgain reports whether what was unescaped once holds escapes.
func escapedAgain(b []byte) bool {
	for i, c := range b {
		switch c {
		case '\\':
			if escBackslash.next(b[i:]).Width > 1 {
				return true
			}
		case '%':
			if escPercent.next(b[i:]).Width > 1 {
				return true
			}
		case '&':
			if escHTML.next(b[i:]).Width > 1 {
				return true
			}
		}
	}
	return false
}

// maxQuick is how many unescaped bytes are looked at without keeping where
// each came from.
const maxQuick = 128

// touches reports whether a probe of the n bytes in b, which has 8 more, is in
// a filter, and so is a neighbour.
func (w *work) touches(b []byte, n int) bool {
	for _, t := range w.m.tables {
		for p := 0; p+t.window <= n; p += t.stride {
			if t.has(binary.LittleEndian.Uint64(b[p:])) && (p == 0 || p+t.window == n ||
				t.has(binary.LittleEndian.Uint64(b[p+1:])) || t.has(binary.LittleEndian.Uint64(b[p-1:]))) {
				return true
			}
		}
	}
	return false
}

// beforeSlashes moves p before the backslashes that stand in front of it, which
// may be an escape's, as far as anybody nests escapes.
func beforeSlashes(data []byte, p int) int {
	for n := 0; n < margin && p > 0 && data[p-1] == '\\'; n++ {
		p--
	}
	return p
}

// nested is how many times a region's bytes can take in a text that was
// escaped several times.
const nested = 6

// crowd probes a stretch of many escapes, or of several layers of them, and
// returns where the last ends.
func (w *work) crowd(x *text, s *scheme, first, p int) int {
	e, near, last := s.layers[0], nested*w.m.region, p
	for end := p; end < min(len(x.data), last+near) && last-first < tile; {
		if begins[x.data[end]]>>e&1 == 0 { // most stand for themselves
			end++
			continue
		}
		u := e.next(x.data[end:])
		end += u.Width
		if u.Width > 1 {
			last = end
		}
	}
	first = beforeSlashes(x.data, max(0, first-near))
	w.stretch(x, s, first, min(len(x.data), last+near))
	return last
}

// stretch probes one unescaped stretch, and what stands escaped in it again.
// Where a region is met, the text around the region's first byte is confirmed
// through escapes.
func (w *work) stretch(x *text, s *scheme, from, to int) {
	w.stretched = s.layers[0].append(w.stretched.reset(), x.data[from:to], int32(from))
	l := w.stretched
	w.probeStretch(x, l)
	for _, inner := range w.m.schemes[:byQuote] {
		again := l
		for depth := 0; depth < 2 && inner.occurs(again.out); depth++ {
			w.nested[depth] = inner.layers[0].append(w.nested[depth].reset(), again.out, 0)
			next := w.nested[depth]
			if len(next.out) == len(again.out) {
				break
			}
			for k, i := range next.start {
				next.start[k] = again.start[i]
			}
			again = next
			w.probeStretch(x, again)
		}
	}
}

// occurs reports whether b holds an escape: most signs are none.
func (s *scheme) occurs(b []byte) bool {
	for at := bytes.IndexByte(b, s.sign); at >= 0; at = next(b, at, s.sign) {
		if s.layers[0].next(b[at:]).Width > 1 {
			return true
		}
	}
	return false
}

// probeStretch probes unescaped bytes.
func (w *work) probeStretch(x *text, l layer) {
	out := l.out
	for _, t := range w.m.tables {
		for p := 0; p+t.window <= len(out); p += t.stride {
			if !t.has(load(out, p)) {
				continue
			}
			var s spot
			s.lo = max(0, reach-p)
			s.hi = reach + copy(s.b[reach:reach+t.region], out[p:])
			copy(s.b[s.lo:reach], out[p-(reach-s.lo):p])
			first, last := t.starts(&s)
			for at := first; at <= last; at++ {
				if found := w.lookUp(t, &s, at); len(found) > 0 {
					w.confirm(x, l.place(p+at-reach), found)
				}
			}
		}
	}
}

// place is where a byte of the layer comes from.
func (l layer) place(k int) place {
	first := k
	for first > 0 && l.start[first-1] == l.start[k] {
		first--
	}
	return place{at: int(l.start[k]), of: k - first}
}

// load reads up to 8 bytes, the first lowest.
func load(b []byte, p int) uint64 {
	if p+8 <= len(b) {
		return binary.LittleEndian.Uint64(b[p:])
	}
	var last [8]byte
	copy(last[:], b[p:])
	return binary.LittleEndian.Uint64(last[:])
}
