package views

import (
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"revenant/scanners/escapes"
)

// The same escape is a byte in one language and a character in another: \xfc of C is a
// part of a character, of YAML, Python and JavaScript it is ü. Which one it is nobody
// says, so both are tried.

// lone reports whether the byte above ASCII that an escape of some width at p stands for
// is no part of UTF-8 with the escapes beside it, and stands in a word.
func lone(data []byte, p, width int, c byte) bool {
	before, after := byteEscape(data, p-width, data[p], width), byteEscape(data, p+width, data[p], width)
	if c < 0xc0 && before >= utf8.RuneSelf || c >= 0xc2 && c < 0xf5 && after>>6 == 2 {
		return false
	}
	return p > 0 && before < 0 && inWord(data[p-1]) || p+width < len(data) && after < 0 && inWord(data[p+width])
}

// byteEscape reads \xfc, \374 or %FC at a place, as many bytes as width; -1 where none is.
func byteEscape(data []byte, at int, sign byte, width int) int {
	if at < 0 || at+width > len(data) || data[at] != sign {
		return -1
	}
	if sign == '\\' {
		if u := escapes.Backslash(data[at : at+width]); u.Width == width {
			return int(u.Out[0])
		}
		return -1
	}
	if b, ok := escapes.Hex(data, at+1); ok {
		return int(b)
	}
	return -1
}

// inWord reports whether c may be a part of a word that has escapes in it.
func inWord(c byte) bool { return graphic(c) && !isQuote(c) }

// pointAt is the splice of an escape of a byte that is read as a character.
func pointAt(at, width int, c byte) splice { return unitAt(at, escapes.Character(rune(c), width)) }

// wideEscape reads %u20AC, which JavaScript's escape writes.
func wideEscape(data []byte, p int) (r rune, width int) {
	if p+1 >= len(data) || data[p+1] != 'u' {
		return 0, 0
	}
	r, ok := hexAt(data, p+2, 4)
	if !ok {
		return 0, 0
	}
	if r >= 0xd800 && r < 0xdc00 && p+7 < len(data) && data[p+6] == '%' && data[p+7] == 'u' {
		if low, ok := hexAt(data, p+8, 4); ok && low >= 0xdc00 && low < 0xe000 {
			return 0x10000 + (r-0xd800)<<10 + low - 0xdc00, 12
		}
	}
	return r, 6
}

// octals undoes #303#274, as syslog daemons write bytes that do not print.
type octals struct{ out *stretches }

// at looks at a number sign.
func (s *octals) at(data []byte, p int) {
	c, ok := octalAt(data, p)
	if !ok || s.out.unwanted() {
		return
	}
	next, follows := octalAt(data, p+4)
	s.out.put(splice{at: p, end: p + 4, n: 1, out: [8]byte{c}}, c >= 0xc2 && follows && next>>6 == 2)
}

// octalAt reads a number sign and three octal digits.
func octalAt(data []byte, p int) (c byte, ok bool) {
	if p+4 > len(data) || data[p] != '#' || data[p+1] > '3' {
		return 0, false
	}
	for _, d := range data[p+1 : p+4] {
		if d < '0' || d > '7' {
			return 0, false
		}
		c = c<<3 | d&7
	}
	return c, true
}

// composed puts letters and the marks behind them together, as most text has them: what
// is typed is composed, names of files and what is copied of documents may not be.
type composed struct {
	out  *stretches
	done int
}

// mostMarks bounds the marks of one letter.
const mostMarks = 4

// at looks at the first byte of a mark.
func (s *composed) at(data []byte, p int) {
	if p <= s.done || !mark(data, p) || s.out.unwanted() {
		return
	}
	_, size := utf8.DecodeLastRune(data[max(s.done, p-utf8.UTFMax):p])
	from, end := p-size, p+2
	for n := 1; n < mostMarks && mark(data, end); n++ {
		end += 2
	}
	s.done = end
	var room [32]byte
	out := norm.NFC.Append(room[:0], data[from:end]...)
	if u := (splice{at: from, end: end, n: len(out)}); len(out) < end-from && len(out) <= len(u.out) {
		copy(u.out[:], out)
		s.out.put(u, true)
	}
}

// mark reports whether a mark of the block of those that are put on letters is at p.
func mark(data []byte, p int) bool {
	return p+1 < len(data) && (data[p] == 0xcc && data[p+1]&0xc0 == 0x80 || data[p] == 0xcd && data[p+1] >= 0x80 && data[p+1] <= 0xaf)
}
