package views

import (
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners"
)

// guesses are stretches that decode to any bytes, such as a list of numbers: too
// many for rules, but what confirms what it finds can look at many at once.
type guesses struct {
	built built
	form  fingerprints.Form
}

// guess puts a stretch aside.
func (s *search) guess(b *built, form fingerprints.Form) {
	if s.layer.NoGuesses {
		return
	}
	if to := s.aside(form, int(b.start[0])); to != nil {
		to.append(b)
		s.apart(int(b.end[len(b.end)-1]))
	}
}

// aside returns what a stretch that begins at a place is to be put in, and then
// told from the next. It yields what was put aside so far when there is much of
// it or it cannot stand before that; nil: nobody wants more.
func (s *search) aside(form fingerprints.Form, start int) *built {
	g := &s.guesses
	if k := len(g.built.out); k > 0 && (k >= batch || form != g.form || start < int(g.built.start[k-1])) && !s.flush() {
		return nil
	}
	g.form, s.guessed = form, true
	return &g.built
}

// apart ends a stretch that was put aside.
func (s *search) apart(end int) {
	if s.stopped {
		return
	}
	for _, c := range []byte(border) {
		s.guesses.built.push(c, end-1, end) // it has to come from somewhere
	}
}

// flush yields what was put aside.
func (s *search) flush() bool {
	g := &s.guesses
	if len(g.built.out) == 0 {
		return true
	}
	s.cost.Texts++
	if !g.built.texts(s.layer, scanners.Text{Form: g.form, Guessed: true}, s.yield) {
		s.stopped = true
	}
	return !s.stopped
}

// worth is who bytes from a list are worth being shown to.
type worth int

const (
	forNobody  worth = iota
	forCertain       // matchers that confirm what they find
	forAll
)

// worthOf judges bytes from a list: text, or plenty and no doubt, is for all.
// Small numbers alone are no value of anything.
func worthOf(out []byte, doubt bool) worth {
	if len(out) < leastList {
		return forNobody
	}
	if len(out) >= plenty && !doubt || reads(out) {
		return forAll
	}
	high := 0
	for _, c := range out {
		if c >= ' ' {
			high++
		}
	}
	if 2*high < len(out) {
		return forNobody
	}
	return forCertain
}

// reads reports whether there is text in some bytes: leastList of them in a
// row, in UTF-8 or, of ASCII, in UTF-16.
func reads(out []byte) bool {
	row := 0
	for i := 0; i < len(out) && row < leastList; {
		r, n := rune(out[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(out[i:])
		}
		switch {
		case n > 1 && r >= 0xa0, printable[out[i]], i > 0 && out[i] == 0 && printable[out[i-1]]:
			row += n
		default:
			row = 0
		}
		i += n
	}
	return row >= leastList
}
