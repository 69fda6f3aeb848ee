package registered

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners"
)

// wide finds stretches of UTF-16 in the text, either byte order and at either
// parity, and searches each as UTF-8. Of ASCII alone nobody can tell whether
// the zero bytes come first or last, so each stretch is read in both ways.
func (w *work) wide(x *text) {
	if bytes.IndexByte(x.data, 0) < 0 {
		return
	}
	before := len(w.hits)
	var read [4]int // how far each way of reading came
	for p := 0; ; {
		at, order, ok := nextWide(x.data, p)
		if !ok {
			break
		}
		p = w.transcode(x, &read, at, order)
		if at > 0 {
			w.transcode(x, &read, at-1, 1-order)
		} else {
			w.transcode(x, &read, at+1, 1-order)
		}
	}
	// Read both ways, keep the one at an even offset.
	hits := slices.DeleteFunc(w.hits[before:], func(h scanners.Hit) bool {
		return h.Form == fingerprints.FormUTF16 && h.Span.Start&1 == 1 && (w.has(h, -1) || w.has(h, 1))
	})
	w.hits = w.hits[:before+len(hits)]
}

// has reports whether the hit was also found shifted by one byte.
func (w *work) has(h scanners.Hit, by int64) bool {
	_, ok := w.seen[found{span: scanners.Span{Start: h.Span.Start + by, End: h.Span.End + by}, row: h.Rows[0]}]
	return ok
}

// Four units in a row whose one byte is zero and the other is of a text are taken
// for the sign of UTF-16; every stretch of 12 of them has such four at an even
// or an odd offset that is a multiple of 16 bytes.
const (
	wideLow  = 0x00ff00ff00ff00ff
	wideHigh = 0xff00ff00ff00ff00
	// wideReach is how many bytes before the sign a stretch can begin.
	wideReach = 16
	// wideGap is how many units without a zero byte may stand in a stretch.
	wideGap = 32
)

// nextWide finds the sign of UTF-16 at or after p. order is where in a unit,
// counted from the returned offset, the zero byte stands: 1 is little-endian.
func nextWide(data []byte, p int) (at, order int, ok bool) {
	for ; p+8 <= len(data); p += 8 {
		v := binary.LittleEndian.Uint64(data[p:])
		switch {
		case v == 0:
		case v&wideHigh == 0 && written(v|wideHigh):
			return p, 1, true
		case v&wideLow == 0 && written(v|wideLow):
			return p, 0, true
		}
	}
	return 0, 0, false
}

// written reports whether each byte of v can stand in a text: programs are full of
// small numbers that look like UTF-16 otherwise.
func written(v uint64) bool {
	for range 8 {
		if c := byte(v); c < ' ' && c != '\t' && c != '\n' && c != '\r' {
			return false
		}
		v >>= 8
	}
	return true
}

// widePiece is how many bytes of UTF-8 are searched at once, more when the
// pack has longer values.
const widePiece = 256 << 10

// transcode searches the UTF-16 around p, as far as it goes, and returns where it
// ends. order is where in a unit the zero byte of ASCII stands. What was read in the
// same way before is not read again.
func (w *work) transcode(x *text, read *[4]int, p, order int) int {
	way := &read[p&1<<1|order]
	if p < *way {
		return *way
	}
	u := units{data: x.data, at: p, low: 1 - order}
	u.back(max(*way, p-wideReach))
	keep := w.m.longest
	piece := max(widePiece, 4*keep)
	y := w.wideRoom.tail(0) // its memory, under another name: what is near a place is remembered by the text
	y.form, y.base = fingerprints.FormUTF16, x.base
	w.stats.Wide -= int64(u.at)
	for u.more() {
		y.units(&u, piece)
		if len(y.data) >= piece {
			w.search(y, 1)
			y = y.tail(keep)
		}
	}
	w.search(y, 1)
	w.wideRoom = *y
	w.stats.Wide += int64(u.at)
	if *way = u.at; !u.ended {
		*way -= 2 * min(u.gap, wideGap)
	}
	return *way
}

// units is UTF-16 that is being read.
type units struct {
	data []byte
	at   int
	low  int  // the byte of a unit that counts
	gap  int  // units without a zero byte since the last with one, but for letters of one script
	page rune // the other byte of the last unit
	zero bool // the last unit was zero

	ended bool // what follows is no text
}

// more reports whether there may be more of the text.
func (u *units) more() bool { return u.at+2 <= len(u.data) && u.gap <= wideGap && !u.ended }

// back goes back over what may be text, to low at the earliest.
func (u *units) back(low int) {
	for u.at-2 >= low && !foreign(u.unit(u.at-2)) {
		u.at -= 2
	}
}

func (u *units) unit(p int) rune {
	return rune(bits.RotateLeft16(binary.LittleEndian.Uint16(u.data[p:]), 8*u.low))
}

// foreign reports whether no text has the unit: zeros, which may stand between two
// texts, and control characters but for those that lay text out.
func foreign(r rune) bool { return r < ' ' && 1<<r&layout == 0 }

const layout = 1<<'\b' | 1<<'\t' | 1<<'\n' | 1<<'\v' | 1<<'\f' | 1<<'\r' | 1<<0x1b

// unitStride is how many units are read before room is made for as many more.
const unitStride = 256

// units appends the characters of UTF-16, as far as it goes and up to a length of
// the text.
func (t *text) units(u *units, most int) {
	for u.more() && len(t.data) < most {
		t.data, t.from = slices.Grow(t.data, utf8.UTFMax*unitStride), slices.Grow(t.from, unitStride)
		t.someUnits(u, most)
	}
}

// someUnits is units for unitStride of them, for which there is room.
func (t *text) someUnits(u *units, most int) {
	data, out, from := u.data, t.data[:cap(t.data)], t.from[:cap(t.from)]
	p, n, k, gap, page, zero, turn := u.at, len(t.data), len(t.from), u.gap, u.page, u.zero, 8*u.low
	next := t.bytewise()
	for i := 0; i < unitStride && p+2 <= len(data) && gap <= wideGap && n < most; i++ {
		r := rune(bits.RotateLeft16(binary.LittleEndian.Uint16(data[p:]), turn))
		if r < utf8.RuneSelf {
			if foreign(r) && (r != 0 || zero) { // one zero may stand in a list of texts
				u.ended = true
				break
			}
			zero = r == 0
			if next != p {
				from[k] = stretchOf{out: int32(n), at: int32(p), each: 2}
				k++
			}
			out[n] = byte(r)
			n, p, page = n+1, p+2, 0
			if gap++; r != 0 {
				gap = 0
				for ; i+4 < unitStride && n+4 <= most && p+8 <= len(data); i += 4 {
					four, ok := ascii(bits.RotateLeft64(binary.LittleEndian.Uint64(data[p:]), -turn))
					if !ok {
						break
					}
					binary.LittleEndian.PutUint32(out[n:], four)
					n, p = n+4, p+8
				}
			}
			next = p
			continue
		}
		if r>>8 == 0 {
			gap = 0
		} else if r>>8 != page { // letters of one script have their high byte in common
			gap++
		}
		page, zero = r>>8, false
		width := 2
		if utf16.IsSurrogate(r) {
			r, width = u.pair(r, p)
		}
		from[k] = stretchOf{out: int32(n), at: int32(p), width: int32(width)}
		k, p = k+1, p+width
		n += utf8.EncodeRune(out[n:], r)
	}
	t.data, t.from, u.at, u.gap, u.page, u.zero = out[:n], from[:k], p, gap, page, zero
}

// pair is the character of two units, of which the first, r, stands at a place, and
// how long it is; r itself if it has no other half.
func (u *units) pair(r rune, p int) (rune, int) {
	if p+4 <= len(u.data) {
		second := rune(bits.RotateLeft16(binary.LittleEndian.Uint16(u.data[p+2:]), 8*u.low))
		if full := utf16.DecodeRune(r, second); full != utf8.RuneError {
			return full, 4
		}
	}
	return r, 2
}

const (
	notASCII = 0x0080008000800080
	controls = 0x0060006000600060 // added, a control character has no highest bit
)

// ascii is the ASCII of four units, if they are nothing else, and no control
// characters. The lower byte of each is what counts.
func ascii(v uint64) (four uint32, ok bool) {
	if v&^wideLow != 0 || v&notASCII != 0 || (v+controls)&notASCII != notASCII {
		return 0, false
	}
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), true
}

// bytewise is the place of the chunk that the next byte of the text comes from if
// the last ones come from two bytes each, and it does, too; -1 if they do not.
func (t *text) bytewise() int {
	if k := len(t.from) - 1; k >= 0 && t.from[k].each == 2 {
		return int(t.from[k].at) + 2*(len(t.data)-int(t.from[k].out))
	}
	return -1
}

// tail is a new text with the last n bytes, in the memory of t, which is not used any
// more.
func (t *text) tail(n int) *text {
	cut := max(0, len(t.data)-n)
	out := &text{form: t.form, base: t.base, data: append(t.data[:0], t.data[cut:]...), from: t.from[:0]}
	for k, s := range t.from {
		if k+1 < len(t.from) && int(t.from[k+1].out) <= cut {
			continue
		}
		if int(s.out) < cut {
			s.at += s.each * int32(cut-int(s.out))
			s.out = int32(cut)
		}
		s.out -= int32(cut)
		out.from = append(out.from, s)
	}
	if n == 0 {
		out.from = out.from[:0]
	}
	return out
}
