package registered

import "math/bits"

// alphabet is a class of characters that carry the same number of bits each.
type alphabet struct {
	bits  int        // a character
	digit *[256]byte // 0xff: not in the class
}

// The two alphabets; both base64 alphabets count as one.
var (
	base64Class = alphabet{bits: 6, digit: &sextet}
	hexClass    = alphabet{bits: 4, digit: &nibble}
)

// characters is how many characters n bytes take at least.
func (a *alphabet) characters(n int) int { return (8*n + a.bits - 1) / a.bits }

// runFinder finds stretches of at least 8 or 16 bytes whose bit is set in the
// bitmaps of successive tiles. s1 to s3 have the bits where stretches of 2, 4
// and 8 end, of the word before.
type runFinder struct{ m, s1, s2, s3 uint64 }

// ends returns the bits of the word where stretches of n end, 8 or 16, and
// moves on.
func (f *runFinder) ends(m uint64, n int) uint64 {
	s1 := m & (m<<1 | f.m>>63)
	s2 := s1 & (s1<<2 | f.s1>>62)
	s3 := s2 & (s2<<4 | f.s2>>60)
	out := s3
	if n == 16 {
		out &= s3<<8 | f.s3>>56
	}
	*f = runFinder{m, s1, s2, s3}
	return out
}

// findRuns probes the runs of base64 and hex characters that a tile's bitmap
// shows. A run is followed to its end, beyond the tile if need be; next is
// where the last one ended, and the new one is returned.
func (w *work) findRuns(x *text, f *runFinder, bitmap []uint64, from, next int) int {
	j := &w.runs.run
	j.bitmap, j.origin = bitmap, from
	defer func() { j.bitmap = nil }()
	least := base64Class.characters(w.m.minValue)
	n := 16
	if least < 16 {
		n = 8
	}
	for i, m := range bitmap {
		ends := f.ends(m, n)
		for at := from + 64*i; ends != 0; {
			if skip := next + n - 1 - at; skip >= 64 {
				break
			} else if ends &= ^uint64(0) << max(skip, 0); ends == 0 {
				break
			}
			first := at + bits.TrailingZeros64(ends) - n + 1
			for first > next && sextet[x.data[first-1]] != 0xff {
				first--
			}
			end := w.runFrom(x, &base64Class, first, len(x.data), next, least)
			w.hexRuns(x, first, end)
			next = end
		}
	}
	return next
}

// hexRuns probes the runs of hex digits in a run of base64 characters.
func (w *work) hexRuns(x *text, from, to int) {
	least := hexClass.characters(w.m.minValue)
	for p := from; p+joinFrom <= to; {
		q := p + joinFrom - 1 // as Boyer and Moore: look at the end first
		for q >= p && nibble[x.data[q]] != 0xff {
			q--
		}
		if q >= p {
			p = q + 1
			continue
		}
		p = w.runFrom(x, &hexClass, p, to, p, least)
	}
}

// runFrom probes the run that starts at a place of the text and returns where
// it ends; low is where the one before ended.
func (w *work) runFrom(x *text, a *alphabet, from, to, low, least int) int {
	j := &w.runs.run
	*j = joined{a: a, data: x.data[:to], segments: j.segments[:0], to: from, bitmap: j.bitmap, origin: j.origin}
	j.more()
	if a.bits == 6 {
		j.before(low, joinFrom*8)
	}
	w.run(x, j, least)
	return j.to
}
