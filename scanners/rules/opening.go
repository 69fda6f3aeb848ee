package rules

import (
	"math"
	"regexp/syntax"
	"unicode/utf8"
)

// opening is what every match of a pattern begins with where that is everywhere in
// ordinary text, and hardly ever in such a row: so many bytes of a set, or more. A
// text is looked through for it at once, and the pattern asked there alone.
type opening struct {
	set   [256]bool
	least int
	first bool // nowhere but at the text's begin
}

// rareOpening is the share of places at which bytes that follow each other by
// chance may be taken for an opening.
const rareOpening = 1e-6

// newOpening derives a pattern's opening; nil when it begins with anything.
func newOpening(tree *syntax.Regexp) *opening {
	var best *opening
	var runes []rune
	least, rarest := 0, math.Log(rareOpening)
	parts := flattened(tree)
	first := len(parts) > 0 && parts[0].Op == syntax.OpBeginText
	for _, part := range parts {
		lo, _ := width(part)
		if least += lo; lo >= unbounded || least >= unbounded {
			break
		}
		if runes = addRunes(runes, part); least == 0 {
			continue
		}
		o := openingOf(runes, least)
		o.first = first
		if r := o.rarity(); r < rarest {
			best, rarest = o, r
		}
	}
	return best
}

// openingOf is one of so many runes of some ranges: a rune has at least one byte.
func openingOf(ranges []rune, least int) *opening {
	o := &opening{least: least}
	for i := 0; i+1 < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		if hi-lo > few || lo <= utf8.RuneError && utf8.RuneError <= hi { // which stands for bytes that are none, too
			for c := utf8.RuneSelf; c < len(o.set) && hi >= utf8.RuneSelf; c++ {
				o.set[c] = true
			}
			hi = min(hi, utf8.RuneSelf-1)
		}
		for r := lo; r <= hi; r++ {
			for _, c := range utf8.AppendRune(nil, r) {
				o.set[c] = true
			}
		}
	}
	return o
}

// few is how many runes of a range are told apart by their bytes.
const few = 128

// rarity is the logarithm of the share of places where it stands by chance, if all
// bytes were as likely as each other.
func (o *opening) rarity() float64 {
	n := 0
	for _, in := range o.set {
		if in {
			n++
		}
	}
	return float64(o.least) * math.Log(float64(n)/float64(len(o.set)))
}

// appendStarts appends where matches may start. It looks at few bytes of a text
// that has no long rows of the set.
func (o *opening) appendStarts(dst []interval, text string) []interval {
	if o.first {
		text = text[:min(len(text), o.least)]
	}
	for i := 0; i+o.least <= len(text); {
		back := i + o.least - 1
		for back >= i && o.set[text[back]] {
			back--
		}
		if back >= i {
			i = back + 1
			continue
		}
		end := i + o.least
		for end < len(text) && o.set[text[end]] {
			end++
		}
		dst = append(dst, interval{i, end - o.least})
		i = end + 1
	}
	return dst
}

// opens finds where a plan without leads may start to match, and reports whether that
// can be told.
func (s *search) opens(plan int) bool {
	o := s.plans[plan].opening()
	if o == nil {
		return false
	}
	s.touch(plan)
	s.hangs.onMore() // a keyword may stand anywhere
	s.interval[plan] = o.appendStarts(s.interval[plan][:0], s.text)
	return true
}
