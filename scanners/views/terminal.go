package views

import (
	"bytes"
	"unicode/utf8"
)

// control undoes what only a terminal makes sense of: control sequences of
// ECMA-48, and characters that are struck over.
type control struct {
	out   *stretches
	guess *stretches // beside what may be no more than coloured
	done  int
}

const (
	// longestSequence bounds control sequences with parameters, longestString
	// those that carry a string: titles and links.
	longestSequence = 64
	longestString   = 2 << 10
)

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
	} else if end = sequence(data, p+1); end < 0 {
		return
	}
	s.cut(data, from, end)
}

// caret looks at a circumflex: terminals show the escape character as ^[.
func (s *control) caret(data []byte, p int) {
	if p < s.done || p+2 >= len(data) || data[p+1] != '[' || data[p+2] != '[' {
		return
	}
	if end := sequence(data, p+2); end > 0 {
		s.cut(data, p, end)
	}
}

// cut leaves a sequence out. What stands on both sides of it belongs together,
// or one of them is a word whose edge it hides.
func (s *control) cut(data []byte, from, end int) {
	s.done = end
	before, after := legibleBefore(data, from), legible(data[end:min(len(data), end+printed)])
	if before+after < printed {
		return
	}
	next := end
	for next+1 < len(data) && data[next] == 0x1b { // several in a row
		n := sequence(data, next+1)
		if n < 0 {
			break
		}
		next = n
	}
	worth := from > 0 && next < len(data) && wordly[data[from-1]] && wordly[data[next]] ||
		beside(data, from, next)
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
		from, s.done = s.done, sequence(data, s.done+1)
	}
}

// printed is how much beside a sequence has to be text: machine code is full of
// what could be one.
const printed = 10

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
		case c < ' ' && (c < '\a' || c > '\r') && c != 0x1b && c != 0x0e && c != 0x0f, c == 0x7f:
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

// sequence is where the control sequence ends whose escape character stands
// before p; -1 when none does.
func sequence(data []byte, p int) int { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	if p >= len(data) {
		return -1
	}
	switch c := data[p]; {
	case c == '[':
		for i := p + 1; i < min(len(data), p+longestSequence); i++ {
			if data[i] >= 0x40 && data[i] <= 0x7e {
				return i + 1
			}
			if data[i] < ' ' || data[i] > 0x7e {
				break
			}
		}
	case c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_':
		in := data[p+1 : min(len(data), p+1+longestString)]
		if i := bytes.IndexAny(in, "\a\x1b\n"); i >= 0 && in[i] == '\a' {
			return p + 2 + i
		} else if i >= 0 && in[i] == 0x1b && i+1 < len(in) && in[i+1] == '\\' {
			return p + 3 + i
		}
	case c >= 0x20 && c <= 0x2f:
		if p+1 < len(data) && data[p+1] >= 0x30 && data[p+1] <= 0x7e {
			return p + 2
		}
	case bytes.IndexByte([]byte("78=>cDEHMNOZ"), c) >= 0:
		return p + 1
	}
	return -1
}
