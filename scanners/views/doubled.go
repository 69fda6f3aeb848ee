package views

import (
	"math/bits"

	"revenant/scanners/byteclass"
)

// Formats double a sign that means something to them where it is to stand for itself:
// $ (Compose, make, GitLab CI), % (systemd, .bat files, ConfigParser, printf), { and }
// (format strings, ODBC), @ (RCS, Razor), # (ColdFusion), & (labels and menus), and the
// comma (QEMU). The same two signs are common for other reasons, so it is guessing, and
// each format doubles its own alone.

// doubled undoes signs that stand doubled.
type doubled struct {
	signs [256]*marks
	unit  marks // systemd doubles two of them
	last  [2]int
}

// doubledSigns are the signs by kinds: those that one format doubles together are one.
var doubledSigns = [...]string{"$", "%", "{}", "@", "#", "&", ","}

// at looks at two equal signs.
func (s *doubled) at(data []byte, p int) {
	c := data[p]
	m := s.signs[c]
	if p < m.done {
		return
	}
	q := p + 2
	for q < len(data) && data[q] == c && q-p < longestRun {
		q++
	}
	if m.done = q; q-p > longestMarks {
		return
	}
	worth := s.worth(data, p, q)
	for ; q-p >= 2; p += 2 {
		u := splice{at: p, end: p + 2, n: 1, out: [8]byte{c}}
		m.out.put(u, worth)
		if c == '$' || c == '%' {
			mine, other := &s.last[c&1], s.last[c&1^1]
			*mine = p + 1
			s.unit.out.put(u, worth && other > 0 && p < other+phrase)
		}
	}
}

// leastDoubled is how much stands at the least beside a sign that is part of a value.
const leastDoubled = 5

// worth reports whether the signs data[p:q] may be part of a value: something that is no
// blank is around them and, for those that are operators or separate fields, a word that
// may be a secret.
func (s *doubled) worth(data []byte, p, q int) bool {
	switch data[p] {
	case '&': // of programs, many of them without blanks
		w, from, to := wordAround(data, p, q, &wordEnds)
		return w.secret() && p-from < secretLook && to-q < secretLook
	case ',': // rows have fields without anything; an option has a name
		return option(data, p)
	case '{', '}': // of values in each other, too
		w, _, _ := wordAround(data, p, q, &wordEnds)
		return w.n >= leastDoubled && w.letters > 0
	}
	w, _, _ := wordAround(data, p, q, &spaces)
	return w.n >= leastDoubled
}

// wordAround is what ends at p and what begins at q, up to what ends words.
func wordAround(data []byte, p, q int, ends *[256]bool) (w word, from, to int) {
	from, to = p, q
	for low := max(0, p-secretLook); from > low && !ends[data[from-1]]; from-- {
		w.add(data[from-1])
	}
	for high := min(len(data), q+secretLook); to < high && !ends[data[to]]; to++ {
		w.add(data[to])
	}
	return w, from, to
}

// option reports whether what ends at p began with a name and an equals sign.
func option(data []byte, p int) bool {
	for i := p; i > max(0, p-secretLook) && !wordEnds[data[i-1]]; i-- {
		if data[i-1] == '=' {
			return true
		}
	}
	return false
}

// forget is for the next layer.
func (s *doubled) forget() {
	for _, m := range s.signs {
		if m != nil {
			m.done = 0
		}
	}
	s.last = [2]int{}
}

// doublesAt looks at signs that stand doubled.
func (k *pass) doublesAt(bitmap []uint64, from int) {
	for i, m := range bitmap {
		behind := uint64(1) // the next tile is looked at
		if i+1 < len(bitmap) {
			behind = bitmap[i+1]
		}
		for m &= m>>1 | behind<<63; m != 0; m &= m - 1 {
			if p := from + 64*i + bits.TrailingZeros64(m); k.next(p) == k.data[p] {
				k.doubled.at(k.data, p)
			}
		}
	}
}

// latinAt looks at bytes that are not ASCII and no part of UTF-8.
func (k *pass) latinAt(d *byteclass.Doubles, words, from int) {
	for i := range words {
		leads, trails := d.Leads[i], d.Trails[i]
		high := leads | trails
		if high == 0 {
			k.trails = 0
			continue
		}
		behind := uint64(1)
		if i+1 < words {
			behind = d.Trails[i+1]
		}
		bad := leads&^(trails>>1|behind<<63) | trails&^(high<<1|k.trails)
		k.trails = high >> 63
		for ; bad != 0; bad &= bad - 1 {
			at := bits.TrailingZeros64(bad)
			if bits.OnesCount32(uint32(high>>at)) <= mostHigh && bits.OnesCount32(uint32(high<<(63-at)>>32)) <= mostHigh { //nolint:gosec // half of it is meant
				k.latin.at(k.data, from+64*i+at)
			}
		}
	}
}
