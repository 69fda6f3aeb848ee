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

// reached is how far the runs of a text were probed.
type reached struct {
	plain int // as they stand
	chain int // through escapes
}

// findRuns probes the runs of base64 and hex characters that a tile's bitmap
// shows. A run is followed to its end, beyond the tile if need be.
//
// The letters of an escape can be characters of the run that follows, too: \n
// and %2B are. So a run is probed as it stands, and again as one with what
// escapes connect it to.
func (w *work) findRuns(x *text, f *runFinder, bitmap []uint64, from int, done *reached) {
	j := &w.runs.run
	j.bitmap, j.origin = bitmap, from
	least := base64Class.characters(w.m.minValue)
	n := 16
	if least < 16 {
		n = 8
	}
	for i, m := range bitmap {
		ends := f.ends(m, n)
		for at := from + 64*i; ends != 0; {
			skip := done.plain + n - 1 - at
			if skip >= 64 {
				break
			}
			if ends &= ^uint64(0) << max(skip, 0); ends == 0 {
				break
			}
			first := at + bits.TrailingZeros64(ends) - n + 1
			for first > done.plain && sextet[x.data[first-1]] != 0xff {
				first--
			}
			low := max(done.plain, done.chain)
			if end := j.inTile(first); first >= from && end-first < least && end < from+64*len(bitmap) && end < len(x.data) &&
				x.data[end] != '\n' && x.data[end] != '\r' && !w.chained(x, first, end) {
				done.plain = end // too short, and nothing goes on behind it
				continue
			}
			done.plain = w.runFrom(x, &base64Class, first, len(x.data))
			w.hexRuns(x, first, done.plain, w.runFrom)
			if first >= low && w.chained(x, first, done.plain) {
				done.chain = w.chainFrom(x, first, low)
			}
		}
	}
	j.bitmap = nil
}

// hexRuns probes the runs of hex digits in a run of base64 characters.
func (w *work) hexRuns(x *text, from, to int, probe func(*text, *alphabet, int, int) int) {
	for p := from; p+joinFrom <= to; {
		q := p + joinFrom - 1 // as Boyer and Moore: look at the end first
		for q >= p && nibble[x.data[q]] != 0xff {
			q--
		}
		if q >= p {
			p = q + 1
			continue
		}
		p = probe(x, &hexClass, p, to)
	}
}

// runFrom probes the run that starts at a place of the text, as it stands, and
// returns where it ends; that is at to at the latest.
func (w *work) runFrom(x *text, a *alphabet, from, to int) int {
	j := w.begin(x, a, from, to)
	j.plain = true
	j.more()
	least := a.characters(w.m.minValue)
	if j.chars < least && (j.to == to || x.data[j.to] != '\n' && x.data[j.to] != '\r') {
		return j.to
	}
	w.run(x, j, least)
	return j.to
}

// chained reports whether an escape can connect the run to something.
func (w *work) chained(x *text, from, to int) bool {
	if to < len(x.data) {
		if c := x.data[to]; c == '\\' || c == '%' || c == '&' {
			return true
		}
	}
	for p := max(0, from-longestEscape); p < from; p++ {
		if c := x.data[p]; c == '\\' || c == '%' || c == '&' {
			return true
		}
	}
	return false
}

// chainFrom probes the run that starts at a place of the text together with
// what escapes connect it to, down to low, and returns where it ends.
func (w *work) chainFrom(x *text, from, low int) int {
	j := w.begin(x, &base64Class, from, len(x.data))
	j.more()
	j.before(low, joinFrom*8)
	w.run(x, j, base64Class.characters(w.m.minValue))
	end := j.to
	w.hexRuns(x, from, end, func(x *text, a *alphabet, from, to int) int {
		j := w.begin(x, a, from, to)
		j.more()
		w.run(x, j, a.characters(w.m.minValue))
		return j.to
	})
	return end
}

// chainAt probes what the escape at p connects when it stands for a sign of
// base64: where signs are many, no stretch is long enough to be found itself.
func (w *work) chainAt(x *text, p int, done *reached) {
	if p < done.chain || p+1 >= len(x.data) || !signFollows(x.data[p], x.data[p+1]) {
		return
	}
	if _, sub := w.begin(x, &base64Class, p, len(x.data)).escape(p); sub == 0 {
		return
	}
	first := p
	for first > done.chain && sextet[x.data[first-1]] != 0xff {
		first--
	}
	done.chain = w.chainFrom(x, first, done.chain)
}

// signFollows reports whether an escape that begins with mark and c can stand
// for a sign of base64; it is cheap and nearly always says no.
func signFollows(mark, c byte) bool {
	switch mark {
	case '%':
		return c == '2' || c == '5' // 2B 2D 2F 5F
	case '\\':
		return c == '/' || c == 'u' || c == 'x' || c == '0' || c == '1' || isSign(c)
	}
	return c == '#' || c|0x20 == 'p' || c == 's' || c == 'l' || c|0x20 == 'u' // plus sol lowbar UnderBar
}

// begin starts a run.
func (w *work) begin(x *text, a *alphabet, from, to int) *joined {
	j := &w.runs.run
	*j = joined{a: a, data: x.data[:to], segments: j.segments[:0], to: from, bitmap: j.bitmap, origin: j.origin}
	return j
}
