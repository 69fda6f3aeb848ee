package registered

import (
	"bytes"
	"encoding/binary"
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
	for p := 0; ; {
		from, order, ok := nextWide(x.data, p)
		if !ok {
			break
		}
		from = max(p, from-wideReach)
		p = w.transcode(x, from, order)
		if from > 0 {
			w.transcode(x, from-1, 1-order)
		} else {
			w.transcode(x, from+1, 1-order)
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

// transcode searches the UTF-16 that starts at p, as far as it goes, and
// returns where it ends. order is where in a unit the zero byte of ASCII
// stands.
func (w *work) transcode(x *text, p, order int) int {
	keep := w.m.longest
	piece := max(widePiece, 4*keep)
	y := w.wideRoom.tail(0) // its memory, under another name: what is near a place is remembered by the text
	y.form, y.base = fingerprints.FormUTF16, x.base
	u := units{data: x.data, at: p, low: 1 - order}
	for u.more() {
		y.units(&u, piece)
		if len(y.data) >= piece {
			w.search(y, 1)
			y = y.tail(keep)
		}
	}
	w.search(y, 1)
	w.wideRoom = *y
	return u.at - 2*min(u.gap, wideGap)
}

// units is UTF-16 that is being read.
type units struct {
	data []byte
	at   int
	low  int  // the byte of a unit that counts
	gap  int  // units without a zero byte since the last with one, but for letters of one script
	page byte // the other byte of the last unit
}

// more reports whether there may be more of the text.
func (u *units) more() bool { return u.at+2 <= len(u.data) && u.gap <= wideGap }

// units appends the characters of UTF-16, as far as it goes and up to a length of
// the text.
func (t *text) units(u *units, most int) {
	data, out := u.data, t.data
	p, low, gap, page := u.at, u.low, u.gap, u.page
	next := t.bytewise()
	for p+2 <= len(data) && gap <= wideGap && len(out) < most {
		pair := data[p : p+2 : p+2]
		lo, hi := pair[low&1], pair[low&1^1]
		r, width := rune(lo)|rune(hi)<<8, 2
		if r < utf8.RuneSelf { // zeros, too: programs are full of them
			if next != p {
				t.from = append(t.from, stretchOf{out: int32(len(out)), at: int32(p), each: 2})
			}
			out = append(out, lo)
			p += 2
			if page = 0; r == 0 {
				gap++
			} else {
				gap = 0
				out, p = ascii(out, data, p, low, most)
			}
			next = p
			continue
		}
		if hi == 0 {
			gap = 0
		} else if hi != page { // letters of one script have their high byte in common
			gap++
		}
		page = hi
		if utf16.IsSurrogate(r) && p+4 <= len(data) {
			if full := utf16.DecodeRune(r, rune(data[p+2+low])|rune(data[p+3-low])<<8); full != utf8.RuneError {
				r, width = full, 4
			}
		}
		t.from = append(t.from, stretchOf{out: int32(len(out)), at: int32(p), width: int32(width)})
		out = utf8.AppendRune(out, r)
		p += width
		next = -1
	}
	t.data, u.at, u.gap, u.page = out, p, gap, page
}

// ascii appends the ASCII that stands at a place of the chunk, four units at
// once, as far as that goes and up to a length of the text.
func ascii(out, data []byte, p, low, most int) ([]byte, int) {
	for shift := 8 * low; p+8 <= len(data) && len(out)+4 <= most; p += 8 {
		v := binary.LittleEndian.Uint64(data[p:])
		u := v >> shift & wideLow
		if v&^(wideLow<<shift) != 0 || u&notASCII != 0 || (u+lastASCII)&notASCII != notASCII {
			break
		}
		u = (u | u>>8) & 0x0000ffff0000ffff
		out = binary.LittleEndian.AppendUint32(out, uint32(u|u>>16))
	}
	return out, p
}

const (
	notASCII  = 0x0080008000800080
	lastASCII = 0x007f007f007f007f
)

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
