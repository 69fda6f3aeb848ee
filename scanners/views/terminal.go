package views

import (
	"bytes"
	"unicode/utf8"

	"revenant/scanners/escapes"
)

// control undoes what only a terminal makes sense of: control sequences of
// ECMA-48, and characters that are struck over.
type control struct {
	out   *stretches
	guess *stretches // beside what may be no more than coloured
	done  int
}

// at looks at an escape character or a backspace.
func (s *control) at(data []byte, p int) {
	if p < s.done {
		return
	}
	from, end := p, p+1
	if data[p] == '\b' {
		if from = max(s.done, p-1); p > 0 && data[p-1] >= 0x80 {
			from = p // a part of a character; nobody strikes it over
		}
	} else if end = escapes.Sequence(data, p+1); end < 0 {
		return
	}
	s.cut(data, from, end)
}

// caret looks at a circumflex: terminals show the escape character as ^[.
func (s *control) caret(data []byte, p int) {
	if p < s.done || p+2 >= len(data) || data[p+1] != '[' || data[p+2] != '[' {
		return
	}
	if end := escapes.Sequence(data, p+2); end > 0 {
		s.cut(data, p, end)
	}
}

// cut leaves a sequence out. What stands on both sides of it belongs together,
// or one of them is a word whose edge it hides.
func (s *control) cut(data []byte, from, end int) {
	s.done = end
	if end < len(data) && illegible[data[end]] && (from == 0 || illegible[data[from-1]]) { // as often in machine code
		return
	}
	if !legibleAround(data, from, data[end:min(len(data), end+printed)]) {
		return
	}
	next := end
	for next+1 < len(data) && data[next] == 0x1b { // several in a row
		n := escapes.Sequence(data, next+1)
		if n < 0 {
			break
		}
		next = n
	}
	worth := from > 0 && next < len(data) && wordly[data[from-1]] && wordly[data[next]] ||
		besideSigns(data, from, next)
	start, stop := from, next
	if worth && within(data, from, next) {
		start, stop = max(0, from-longestBroken), min(len(data), next+longestBroken)
	}
	for {
		c := cut(from, s.done)
		if worth {
			s.out.putIn(c, start, stop)
		} else {
			s.out.put(c, false)
		}
		s.guess.put(c, !worth)
		if s.done >= next {
			return
		}
		from, s.done = s.done, escapes.Sequence(data, s.done+1)
	}
}

// besideSigns is beside for what may have an assignment's signs between it and the
// words: a name and its value are coloured apart.
func besideSigns(data []byte, p, q int) bool {
	const most = 4
	for low := max(0, p-most); p > low && assigning[data[p-1]]; p-- {
	}
	for high := min(len(data), q+most); q < high && assigning[data[q]]; q++ {
	}
	return beside(data, p, q)
}

// assigning are the characters between a name and its value.
var assigning = set(" =:>\"'`,")

// printed is how much beside a sequence has to be text: machine code is full of
// what could be one.
const printed = 10

// legibleAround reports whether so much of what stands before a place, and of what
// follows, is text.
func legibleAround(data []byte, p int, follows []byte) bool {
	least := printed - legible(follows)
	if least <= 0 {
		return true
	}
	if p < least {
		return false
	}
	for _, c := range data[p-least : p] { // in machine code there is mostly one
		if illegible[c] {
			return false
		}
	}
	return legibleBefore(data, p) >= least
}

// illegible are the bytes of ASCII that a terminal can make nothing of.
var illegible = func() (t [256]bool) {
	for c := range byte(' ') {
		t[c] = (c < '\a' || c > '\r') && c != 0x1b && c != 0x0e && c != 0x0f
	}
	t[0x7f] = true
	return t
}()

// legible is how many bytes from the beginning on a terminal can make something
// of. The last ones may be a part of a character.
func legible(b []byte) (n int) {
	for n < len(b) {
		switch c := b[n]; {
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[n:])
			if r == utf8.RuneError && size == 1 {
				if !utf8.FullRune(b[n:]) {
					return len(b)
				}
				return n
			}
			n += size
			continue
		case illegible[c]:
			return n
		}
		n++
	}
	return n
}

// legibleBefore is the same for what stands before a place.
func legibleBefore(data []byte, p int) int {
	from := max(0, p-printed)
	for n := 1; n < utf8.UTFMax && from > 0 && !utf8.RuneStart(data[from]); n++ {
		from--
	}
	for from < p {
		n := legible(data[from:p])
		if from+n == p {
			break
		}
		from += n + 1
	}
	return p - from
}

// longestBroken is how much is shown around a sequence in the middle of what is
// longer than a line: a key, a document.
const longestBroken = 5 << 10

// within reports whether what stands on both sides of a sequence is one long
// word, maybe over the end of a line, or armour.
func within(data []byte, p, q int) bool {
	for p > 0 && (data[p-1] == '\n' || data[p-1] == '\r') {
		p--
	}
	for q < len(data) && (data[q] == '\n' || data[q] == '\r') {
		q++
	}
	near := data[max(0, p-secretLook):min(len(data), q+secretLook)]
	return p > 0 && q < len(data) && secretAround(data, p, q, &wordly) && wordly[data[p-1]] && wordly[data[q]] || bytes.Contains(near, []byte("-----"))
}
