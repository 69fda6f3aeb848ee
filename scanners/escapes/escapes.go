// Package escapes reads single escapes: what one step of unescaping consumes and
// what it yields.
//
// It promises: every step consumes at least one byte and looks a bounded number
// of bytes ahead; what is no escape stands for itself. It refuses: to know where
// a text begins or ends.
package escapes

import (
	"html"
	"unicode/utf16"
	"unicode/utf8"
)

// Unit is what one step of unescaping consumed and yields.
type Unit struct {
	Width int // bytes consumed, at least 1
	N     int // bytes of Out
	Out   [8]byte
}

// Literal is a step that yields one byte.
func Literal(b byte, width int) Unit { return Unit{Width: width, N: 1, Out: [8]byte{b}} }

// Skipped is a step that yields nothing.
func Skipped(width int) Unit { return Unit{Width: width} }

// Character is a step that yields a character as UTF-8.
func Character(r rune, width int) Unit {
	u := Unit{Width: width}
	u.N = utf8.EncodeRune(u.Out[:], r)
	return u
}

// Break is the length of the line break and the indentation after it that in
// starts with; 0 when it starts with none.
func Break(in []byte) int {
	n := 0
	for n < len(in) && (in[n] == '\r' || in[n] == '\n') {
		n++
	}
	if n == 0 {
		return 0
	}
	for n < len(in) && (in[n] == ' ' || in[n] == '\t') {
		n++
	}
	return n
}

// digit is the value of a hex digit; 0xff for other bytes.
func digit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// Hex reads two hex digits at a place.
func Hex(in []byte, at int) (byte, bool) {
	if len(in) < at+2 {
		return 0, false
	}
	hi, lo := digit(in[at]), digit(in[at+1])
	return hi<<4 | lo&15, hi < 16 && lo < 16
}

// hexNumber reads exactly n hex digits.
func hexNumber(in []byte, at, n int) (rune, bool) {
	if len(in) < at+n {
		return 0, false
	}
	var r rune
	for _, c := range in[at : at+n] {
		d := digit(c)
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

// controls are what letters behind a backslash stand for; 0: nothing.
var controls = [256]byte{'n': '\n', 't': '\t', 'r': '\r', 'b': '\b', 'f': '\f', 'v': '\v', 'a': '\a', 'e': 0x1b}

// Backslash reads one escape of JSON, C, JavaScript, YAML, Go and the like,
// which in starts with.
func Backslash(in []byte) Unit {
	if len(in) < 2 {
		return Literal('\\', 1)
	}
	switch c := in[1]; c {
	case 'x':
		if b, ok := Hex(in, 2); ok {
			return Literal(b, 4)
		}
		return braces(in)
	case 'u', 'U':
		return unicodeEscape(in)
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n := 1
		v := 0
		for ; n < len(in) && n < 4 && in[n] >= '0' && in[n] <= '7' && v*8 < 256; n++ {
			v = v*8 + int(in[n]-'0')
		}
		return Literal(byte(v), n)
	case '\n', '\r': // a continued line
		return Skipped(1 + Break(in[1:]))
	default:
		if controls[c] != 0 {
			return Literal(controls[c], 2)
		}
		if c >= 0x21 && c < 0x7f || c == ' ' || c == '\t' {
			return Literal(c, 2)
		}
	}
	return Literal('\\', 1)
}

// unicodeEscape reads \uXXXX, with surrogates, \u{X...} and \UXXXXXXXX.
func unicodeEscape(in []byte) Unit {
	if in[1] == 'U' {
		if r, ok := hexNumber(in, 2, 8); ok && r >= 0 && r <= utf8.MaxRune {
			return Character(r, 10)
		}
		return Literal('\\', 1)
	}
	if len(in) > 3 && in[2] == '{' {
		return braces(in)
	}
	r, ok := hexNumber(in, 2, 4)
	if !ok {
		return Literal('\\', 1)
	}
	if utf16.IsSurrogate(r) && len(in) >= 12 && in[6] == '\\' && in[7] == 'u' {
		if low, ok := hexNumber(in, 8, 4); ok {
			if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
				return Character(full, 12)
			}
		}
	}
	return Character(r, 6)
}

// braces reads \u{X...} and \x{X...}.
func braces(in []byte) Unit {
	if len(in) < 3 || in[2] != '{' {
		return Literal('\\', 1)
	}
	for n := 3; n < len(in) && n <= 11; n++ {
		if in[n] != '}' {
			continue
		}
		if r, ok := hexNumber(in, 3, n-3); ok && n > 3 {
			return Character(r, n+1)
		}
		break
	}
	return Literal('\\', 1)
}

// longestEntity bounds the search for the end of an HTML entity.
const longestEntity = 32

// Entity reads one HTML character reference, which in starts with.
func Entity(in []byte) Unit {
	for n := 2; n < len(in) && n < longestEntity; n++ {
		switch c := in[n]; {
		case c == ';':
			if s := html.UnescapeString(string(in[:n+1])); len(s) <= 8 && s != string(in[:n+1]) {
				u := Unit{Width: n + 1, N: len(s)}
				copy(u.Out[:], s)
				if in[1] == '#' && s == "\ufffd" { // out of range or zero: leave it alone
					return Literal('&', 1)
				}
				return u
			}
			return Literal('&', 1)
		case c != '#' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z'):
			return Literal('&', 1)
		}
	}
	return Literal('&', 1)
}
