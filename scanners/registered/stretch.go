package registered

import (
	"bytes"
	"encoding/binary"
)

// escapes probes the bytes around every escape of a tile as they are when
// unescaped: values whose region holds characters that escapes change do not
// stand raw anywhere. Bytes away from escapes were probed already.
func (w *work) escapes(x *text, from, to int) {
	for i := range w.m.schemes {
		s := &w.m.schemes[i]
		if len(s.layers) == 1 && s.sign != 0 {
			w.stretches(x, s, from, to)
		}
	}
}

// stretches finds the escapes of one scheme and probes around each, several at
// once where they stand close together.
func (w *work) stretches(x *text, s *scheme, from, to int) {
	reach := w.m.region // bytes of the widest region
	e := s.layers[0]
	for p := from; p < to; {
		k := bytes.IndexByte(x.data[p:to], s.sign)
		if k < 0 {
			return
		}
		p += k
		u := e.next(x.data[p:])
		if u.width < 2 {
			p++
			continue
		}
		first := max(0, p-reach+1)
		for first > 0 && x.data[first-1] == '\\' && e == escBackslash {
			first--
		}
		last := p + u.width
		for end := last; end < min(len(x.data), last+reach) && last-first < tile; {
			u := e.next(x.data[end:])
			end += u.width
			if u.width > 1 {
				last = end
			}
		}
		p = last
		w.stretch(x, s, first, min(len(x.data), last+reach-1))
	}
}

// stretch probes one unescaped stretch. Where a region is met in it, the text
// around the region's first byte is confirmed through escapes.
func (w *work) stretch(x *text, s *scheme, from, to int) {
	l := &w.stretched
	*l = s.layers[0].append(layer{out: l.out[:0], start: l.start[:0], end: l.end[:0]}, x.data[from:to], int32(from))
	w.probeStretch(x, l.out, l.start)
	for depth := 0; depth < 2 && bytes.IndexByte(l.out, s.sign) >= 0; depth++ {
		again := s.layers[0].append(layer{}, l.out, 0)
		if len(again.out) == len(l.out) {
			return
		}
		for k, i := range again.start {
			again.start[k] = l.start[i]
		}
		*l = again
		w.probeStretch(x, l.out, l.start)
	}
}

// probeStretch probes unescaped bytes that come from start in the text.
func (w *work) probeStretch(x *text, out []byte, start []int32) {
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
					w.confirm(x, int(start[p+at-reach]), found)
				}
			}
		}
	}
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
