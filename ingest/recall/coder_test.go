// Package recall_test plants values the way people leave them, in every
// encoding and every place, scans with the whole engine, and counts: what was
// found, what was found twice, what was found that is not there. It is written
// against the promise, not against the decoders, and prints docs/recall.md.
package recall_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// stretch is a half-open range of a text.
type stretch struct{ from, to int }

// coded is a text made of another one, with where each byte of that stands.
type coded struct {
	out []byte
	at  []stretch
}

// coder encodes a text; false where the text cannot be encoded so.
type coder func(r *rand.Rand, in []byte) (coded, bool)

// maker puts a coded text together.
type maker struct{ coded }

// raw appends what carries nothing of the text.
func (m *maker) raw(s string) *maker {
	m.out = append(m.out, s...)
	return m
}

// carry appends what carries the next n bytes of the text.
func (m *maker) carry(n int, s string) *maker {
	here := stretch{len(m.out), len(m.out) + len(s)}
	if cap(m.at) == 0 {
		m.at = make([]stretch, 0, 64+n) // most texts are as short
	}
	m.out = append(m.out, s...)
	for range n {
		m.at = append(m.at, here)
	}
	return m
}

// of is where a range of the text stands. Neighbours may have changed places,
// as in dumps of words.
func (c coded) of(s stretch) stretch {
	a, b := c.at[s.from], c.at[s.to-1]
	if s.to-s.from > 1 {
		a.from, b.to = min(a.from, c.at[s.from+1].from), max(b.to, c.at[s.to-2].to)
	}
	return stretch{min(a.from, b.from), max(a.to, b.to)}
}

// chain encodes with one coder after the other.
func chain(list ...coder) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		c := coded{out: in, at: make([]stretch, len(in))}
		for i := range in {
			c.at[i] = stretch{i, i + 1}
		}
		for _, f := range list {
			next, ok := f(r, c.out)
			if !ok {
				return coded{}, false
			}
			for i, a := range c.at {
				c.at[i] = next.of(a)
			}
			c.out = next.out
		}
		return c, true
	}
}

// plain leaves the text as it is.
func plain() coder { return chain() }

// frame puts text around.
func frame(before, after string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		m.raw(before)
		for _, b := range in {
			m.carry(1, string([]byte{b}))
		}
		m.raw(after)
		return m.coded, true
	}
}

// frames chooses among texts around: before, after, before, after ...
func frames(pairs ...string) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		i := 2 * r.IntN(len(pairs)/2)
		return frame(pairs[i], pairs[i+1])(r, in)
	}
}

// eachByte encodes every byte by itself.
func eachByte(f func(i int, b byte) string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		for i, b := range in {
			m.carry(1, f(i, b))
		}
		return m.coded, true
	}
}

// eachRune encodes every character by itself; binary data is no text.
func eachRune(f func(r rune) string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		if !isText(in) {
			return coded{}, false
		}
		var m maker
		for _, c := range string(in) {
			m.carry(utf8.RuneLen(c), f(c))
		}
		return m.coded, true
	}
}

// isText reports whether b is UTF-8 without control characters but line breaks
// and tabs.
func isText(b []byte) bool {
	return utf8.Valid(b) && !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' && c != '\n' && c != '\r' && c != '\t' })
}

// whole encodes the text as one: every byte is carried by all of it.
func whole(f func(in []byte) []byte) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		m.carry(len(in), string(f(in)))
		return m.coded, true
	}
}

// when applies a coder only to some texts.
func when(is func(in []byte) bool, c coder) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		if !is(in) {
			return coded{}, false
		}
		return c(r, in)
	}
}

func textOnly(c coder) coder { return when(isText, c) }

// broken inserts text at a few random places that are free to be cut at.
func broken(times int, insert func(r *rand.Rand) string, free func(in []byte, i int) bool) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var places []int
		for i := 1; i < len(in); i++ {
			if free(in, i) {
				places = append(places, i)
			}
		}
		if len(places) == 0 {
			return coded{}, false
		}
		cuts := map[int]bool{}
		for range 1 + r.IntN(times) {
			cuts[places[r.IntN(len(places))]] = true
		}
		var m maker
		for i, b := range in {
			if cuts[i] {
				m.raw(insert(r))
			}
			m.carry(1, string([]byte{b}))
		}
		return m.coded, true
	}
}

// windows is a text of several lines that end as Windows has them.
func windows() coder {
	return when(func(in []byte) bool {
		return isText(in) && bytes.Contains(in, []byte("\n")) && !bytes.Contains(in, []byte("\r"))
	},
		func(_ *rand.Rand, in []byte) (coded, bool) {
			var m maker
			for _, b := range in {
				if b == '\n' {
					m.raw("\r")
				}
				m.carry(1, string([]byte{b}))
			}
			return m.coded, true
		})
}

func always(s string) func(*rand.Rand) string { return func(*rand.Rand) string { return s } }

func choice(list ...string) func(*rand.Rand) string {
	return func(r *rand.Rand) string { return list[r.IntN(len(list))] }
}

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

// betweenLetters is free where no escape can be cut through.
func betweenLetters(in []byte, i int) bool {
	for k := max(0, i-8); k < i; k++ {
		if in[k] == '\\' || in[k] == '%' || in[k] == '&' {
			return false
		}
	}
	return letterOrDigit(in[i-1]) && letterOrDigit(in[i])
}

func anywhere(in []byte, i int) bool { return utf8.RuneStart(in[i]) }

// solidly is free where a break is told from the end of a line: in a word of 13
// characters and more that is not all letters, and not beside a quote, a bracket,
// a comma, a semicolon, the end of a sentence or what continues a line, nor before or behind nothing but
// signs.
func solidly(in []byte, i int) bool {
	const ends = ".:!?\"'`{}[]();,\\^ \t\r\n"
	if bytes.IndexByte(in, ' ') >= 0 {
		return false
	}
	left, right, odd := 0, 0, false
	var leftWord, rightWord bool
	for k := i - 1; k >= 0 && in[k] > ' ' && left < 13; k-- {
		left++
		leftWord = leftWord || letterOrDigit(in[k]) || in[k] >= 0x80
		odd = odd || !letterOrDigit(in[k]|0x20) || in[k] <= '9'
	}
	for k := i; k < len(in) && in[k] > ' ' && right < 13; k++ {
		right++
		rightWord = rightWord || letterOrDigit(in[k]) || in[k] >= 0x80
		odd = odd || !letterOrDigit(in[k]|0x20) || in[k] <= '9'
	}
	return anywhere(in, i) && left+right >= 13 && odd && strings.IndexByte(ends, in[i-1]) < 0 && strings.IndexByte(ends, in[i]) < 0 &&
		leftWord && rightWord
}

// wrapped breaks the text into lines of a width; sep is the line break with
// what the next line begins with.
func wrapped(width int, sep string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		if len(in) <= width {
			return coded{}, false
		}
		var m maker
		for i, b := range in {
			if i > 0 && i%width == 0 {
				m.raw(sep)
			}
			m.carry(1, string([]byte{b}))
		}
		return m.coded, true
	}
}

// around puts random words or bytes around the text, so that it is part of a
// larger one: about n bytes on each side.
func around(n int) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		before, after := prose(r, r.IntN(n+1)), prose(r, r.IntN(n+1))
		return frame(before+" = ", " ; "+after)(r, in)
	}
}

// aligned puts k bytes more before the text than multiples of m.
func aligned(k, m int) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		before := prose(r, m*(1+r.IntN(12))+k)
		return frame(before[:len(before)-1]+"=", "\n"+prose(r, r.IntN(40)))(r, in)
	}
}

// prose is n bytes of words.
func prose(r *rand.Rand, n int) string {
	const letters = "etaoinshrdlucmfw"
	b := make([]byte, n)
	for i := range b {
		if b[i] = letters[r.IntN(len(letters))]; r.IntN(6) == 0 {
			b[i] = ' '
		}
	}
	return string(b)
}
