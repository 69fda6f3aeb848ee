package views

import (
	"bytes"
	"unicode/utf16"

	"revenant/scanners/escapes"
)

// team undoes the escapes of TeamCity's service messages, in which build tools
// tell what they print.
type team struct{ out *stretches }

// serviceMessage begins one. Other programs may have written something before it.
const serviceMessage = "##teamcity["

// line looks at a line of the layer that ends with it and begins at a place.
func (s *team) line(data []byte, start int) {
	i := bytes.Index(data[start:min(len(data), start+faraway)], []byte(serviceMessage))
	if i < 0 {
		return
	}
	from := start + i
	for at := from + len(serviceMessage); at < len(data); {
		n := bytes.IndexByte(data[at:], '|')
		if n < 0 {
			return
		}
		at += n
		u, ok := barred(data[at:])
		if ok {
			s.out.putIn(unitAt(at, u), max(from, at-longestBroken), min(len(data), at+longestBroken))
		}
		at += max(u.Width, 1)
	}
}

// barred reads an escape that begins with a bar.
func barred(in []byte) (escapes.Unit, bool) {
	if len(in) < 2 {
		return escapes.Unit{}, false
	}
	switch c := in[1]; c {
	case 'n':
		return escapes.Literal('\n', 2), true
	case 'r':
		return escapes.Literal('\r', 2), true
	case '|', '\'', '[', ']':
		return escapes.Literal(c, 2), true
	case 'x': // the next line
		return escapes.Character('\u0085', 2), true
	case 'l':
		return escapes.Character('\u2028', 2), true
	case 'p':
		return escapes.Character('\u2029', 2), true
	case '0':
		const long = len("|0x0000")
		r, ok := barredUnit(in)
		if ok && utf16.IsSurrogate(r) && len(in) > long {
			next, _ := barredUnit(in[long:])
			return escapes.Character(utf16.DecodeRune(r, next), 2*long), true
		}
		if ok {
			return escapes.Character(r, long), true
		}
	}
	return escapes.Unit{}, false
}

// barredUnit reads a unit of UTF-16.
func barredUnit(in []byte) (rune, bool) {
	if len(in) < len("|0x0000") || in[0] != '|' || in[2] != 'x' {
		return 0, false
	}
	high, ok := escapes.Hex(in, 3)
	low, also := escapes.Hex(in, 5)
	return rune(high)<<8 | rune(low), ok && also
}
