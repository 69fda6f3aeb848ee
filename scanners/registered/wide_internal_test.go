package registered

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"revenant/scanners"
)

// plainUnits reads UTF-16 the plain way: unit by unit, each byte with where it came
// from.
func plainUnits(data []byte, low int) (out []byte, from []scanners.Span, end, gap int) {
	p, page, zero := 0, byte(0), false
	for p+2 <= len(data) && gap <= wideGap {
		lo, hi := data[p+low], data[p+1-low]
		r, width := rune(lo)|rune(hi)<<8, 2
		if r == 0 && zero || r != 0 && r < ' ' && !bytes.ContainsRune([]byte("\b\t\n\v\f\r\x1b"), r) {
			break
		}
		zero = r == 0
		switch {
		case hi == 0 && lo != 0:
			gap = 0
		case hi != page || hi == 0:
			gap++
		}
		page = hi
		if p+4 <= len(data) {
			if full := utf16.DecodeRune(r, rune(data[p+2+low])|rune(data[p+3-low])<<8); full != utf8.RuneError {
				r, width = full, 4
			}
		}
		n := len(out)
		out = utf8.AppendRune(out, r)
		for range len(out) - n {
			from = append(from, scanners.Span{Start: int64(p), End: int64(p + width)})
		}
		p += width
	}
	return out, from, p, gap
}

// mixedUnits is UTF-16 of every kind, and what is none.
func mixedUnits(r *rand.Rand) []byte {
	var data []byte
	for range r.IntN(12) {
		kind := r.IntN(7)
		for range r.IntN(2 * wideGap) {
			c := [2]byte{}
			switch kind {
			case 0, 1, 2: // ASCII
				if c[0] = byte(1 + r.IntN(0x7f)); c[0] < ' ' && r.IntN(8) > 0 {
					c[0] |= 0x40
				}
			case 3: // a script
				c = [2]byte{byte(r.IntN(256)), 0x30}
			case 4: // zeros and small numbers
				c[0] = byte(r.IntN(3) * 90)
			case 5: // surrogates
				c = [2]byte{byte(r.IntN(256)), byte(0xd8 + r.IntN(8))}
			case 6:
				c = [2]byte{byte(r.IntN(256)), byte(r.IntN(256))}
			}
			data = append(data, c[:]...)
		}
	}
	return data
}

// TestUnits: UTF-16 is read as the plain way does, in pieces of any length, and
// each byte comes from the same place.
func TestUnits(t *testing.T) {
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 15))
		data := mixedUnits(r)
		low := r.IntN(2)
		if low == 1 {
			for i := 0; i < len(data); i += 2 {
				data[i], data[i+1] = data[i+1], data[i]
			}
		}
		data = data[:len(data)-min(len(data), r.IntN(2))]
		want, from, end, gap := plainUnits(data, low)
		u := units{data: data, low: low}
		y, piece, keep, at := &text{}, 1+r.IntN(300), 0, 0
		for u.more() {
			if len(y.data) >= piece {
				at += len(y.data) - keep
				y = y.tail(keep)
			}
			y.units(&u, piece)
			if !bytes.HasPrefix(want[at:], y.data) {
				t.Fatalf("seed %d: %q at %d, want %q", seed, y.data, at, want)
			}
			for i := range y.data {
				if got := y.span(i, i+1); got != from[at+i] {
					t.Fatalf("seed %d: byte %d comes from %v, not %v", seed, at+i, got, from[at+i])
				}
			}
			keep = r.IntN(piece)
		}
		if at+len(y.data) != len(want) || u.at != end || u.gap != gap {
			t.Fatalf("seed %d: %d bytes to %d, %d units without a zero; want %d, %d, %d", seed, at+len(y.data), u.at, u.gap, len(want), end, gap)
		}
	}
}
