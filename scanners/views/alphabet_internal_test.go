package views

import (
	"math/rand/v2"
	"testing"

	"revenant/scanners/byteclass"
)

// judgeEach is judge without units: every byte is looked at.
func judgeEach(a *alphabet, chars []byte, grid, from int) (text extent, next int) {
	begin := from - (from-grid%a.group+a.group)%a.group
	for k := max(begin, 0); begin < from && (begin < 0 || k < from); k++ {
		if begin < 0 || a.digit[chars[k]] == byteclass.None {
			begin += a.group
			break
		}
	}
	var t texture
	last := from
	for at, whole := begin, true; whole && at < len(chars); at += a.group {
		last = at
		v, n := a.load(chars, at)
		high := false
		for k := range n {
			b := byte(v >> (8 * (a.bytes - 1 - k)))
			high = high || b >= 0x80
			t.next(b)
		}
		if whole = n == a.bytes; high && at >= from {
			break
		}
	}
	next = max(last, from) + 1
	if t.found.to == 0 {
		return extent{}, next
	}
	return extent{begin + 8*t.found.from/a.bits, min(len(chars), begin+(8*t.found.to+a.bits-1)/a.bits)}, next
}

// runOf is what stands in a run of an alphabet: noise, zeros, text, UTF-16, and
// now and then what is none of its characters.
func runOf(r *rand.Rand, a *alphabet, signs []byte) []byte {
	var bits []byte
	for range 1 + r.IntN(4) {
		kind := r.IntN(5)
		for n := r.IntN(40); n > 0; n-- {
			switch c := byte(' ' + r.IntN(95)); kind {
			case 0:
				bits = append(bits, byte(r.IntN(256)))
			case 1:
				bits = append(bits, 0)
			case 2:
				bits = append(bits, c, 0)
			default:
				bits = append(bits, c)
			}
		}
	}
	chars := make([]byte, r.IntN(9)) // any grid
	for i := range chars {
		chars[i] = signs[r.IntN(len(signs))]
	}
	for at := 0; at+a.bits <= 8*len(bits); at += a.bits {
		v := 0
		for k := range a.bits {
			v = v<<1 | int(bits[(at+k)/8]>>(7-(at+k)%8)&1)
		}
		chars = append(chars, signs[v])
	}
	if len(chars) > 0 && r.IntN(4) == 0 {
		chars[r.IntN(len(chars))] = " x=\n"[r.IntN(4)]
	}
	return chars
}

// TestUnits compares what skips units of what is no text with what looks at
// every byte.
func TestUnits(t *testing.T) {
	r := rand.New(rand.NewPCG(32, 8))
	texts := 0
	for _, a := range []*alphabet{&base64Digits, &hexDigits, &base32Alphabets[0], &base32Alphabets[1], &base32Alphabets[2]} {
		var signs []byte
		for v := range 1 << a.bits {
			for c, d := range a.digit {
				if int(d) == v {
					signs = append(signs, byte(c))
					break
				}
			}
		}
		for range 20_000 {
			chars := runOf(r, a, signs)
			if len(chars) == 0 {
				continue
			}
			grid, from := r.IntN(a.group), r.IntN(len(chars))
			want, wantNext := judgeEach(a, chars, grid, from)
			got, next := a.judge(chars, grid, from)
			if got != want || next != wantNext {
				t.Fatalf("%q, grid %d from %d: %v and %d, want %v and %d", chars, grid, from, got, next, want, wantNext)
			}
			if want.to > 0 {
				texts++
			}
			if a.index != inBase32 {
				continue
			}
			for at := from; at < len(chars); { // none is left out
				text, next := judgeEach(a, chars, grid, at)
				if text.to > 0 {
					if p := a.likely(chars, grid, from); p >= len(chars) {
						t.Fatalf("%q, grid %d from %d: nothing likely, but text at %v", chars, grid, from, text)
					}
					break
				}
				at = max(next, at+1)
			}
		}
	}
	if texts < 1000 {
		t.Errorf("only %d texts", texts)
	}
}
