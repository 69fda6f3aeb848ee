package views

import (
	"math/bits"
	"sort"

	"revenant/scanners/byteclass"
)

// chain is a run of characters of an alphabet, put together over the ends of
// wrapped lines and from escapes.
type chain struct {
	a     *alphabet
	data  []byte
	chars []byte
	links []link
	from  int  // where the line at hand begins, in data
	to    int  // where it ends so far
	line  int  // characters since the last end of a line
	ended bool // it does not go on
	broke bool // a line ended since the last character
}

// link is where a stretch of a chain's characters stands in data, one after
// another; or one character that an escape of some width stands for.
type link struct {
	char  int32 // the first of them
	at    int32
	width int32 // of the escape; 0: none
}

// start begins a chain anew.
func (c *chain) start(a *alphabet, data []byte, at int) {
	*c = chain{a: a, data: data, chars: c.chars[:0], links: c.links[:0], from: a.lineFrom(data, at, 0), to: at, line: joinFrom}
}

// joinFrom is how long a line has to be at least for the run to go on in the
// next: encoders wrap at 60 to 76 characters, few below 20.
const joinFrom = 16

// gather puts the chain together until it has n characters or ends.
func (c *chain) gather(n int) {
	for len(c.chars) < n && !c.ended {
		end := c.class(c.to, min(len(c.data), c.to+n-len(c.chars)))
		if end > c.to {
			c.push(link{at: int32(c.to)}, c.data[c.to:end]...)
			c.to = end
			continue
		}
		c.step()
	}
}

func (c *chain) push(l link, chars ...byte) {
	l.char = int32(len(c.chars))
	if k := len(c.links) - 1; k < 0 || l.width > 0 || c.links[k].width > 0 || int(l.at-c.links[k].at) != int(l.char-c.links[k].char) {
		c.links = append(c.links, l)
	}
	c.chars = append(c.chars, chars...)
	c.line += len(chars)
}

// class returns where the characters of the alphabet that start at p end, at to
// at the latest.
func (c *chain) class(p, to int) int {
	if c.a.bits == 6 {
		for p+64 <= to {
			if run := byteclass.RunWord(c.data[p:]); run != ^uint64(0) {
				return p + bits.TrailingZeros64(^run)
			}
			p += 64
		}
	}
	for p < to && c.a.digit[c.data[p]] != byteclass.None {
		p++
	}
	return p
}

// step goes on behind what stands between two stretches, or ends the chain.
func (c *chain) step() {
	p := c.to
	c.broke = false
	for p < len(c.data) && p-c.to < longestGap && c.a.digit[c.data[p]] == byteclass.None {
		width, sub := c.gap(p)
		if width == 0 {
			break
		}
		if sub != 0 {
			c.push(link{at: int32(p), width: int32(width)}, sub)
			c.to = p + width
			return
		}
		p += width
	}
	if p == c.to || p >= len(c.data) || c.a.digit[c.data[p]] == byteclass.None {
		c.ended = true
		return
	}
	if c.broke {
		c.line, c.from = 0, p
	}
	c.to = p
}

// longestGap bounds what stands between two stretches: line ends and
// indentation.
const longestGap = 512

// gap is how long what stands at p and means nothing is, or an escape of one
// sign; 0: the run does not go on.
func (c *chain) gap(p int) (width int, sub byte) {
	switch ch := c.data[p]; ch {
	case '\\':
		return c.backslash(p)
	case '%':
		if v, ok := hexAt(c.data, p+1, 2); ok {
			return c.escaped(3, v)
		}
	case '&':
		return c.entity(p)
	case '\r', '\n', ' ', '\t':
		if c.a.lines && c.line >= joinFrom {
			n := lineEnd(c.data[p:min(len(c.data), p+longestGap)])
			if n == 0 && ch == ' ' && !c.broke {
				n = c.a.spaced(c.data, c.from, p)
			}
			c.broke = c.broke || n > 0
			return n, 0
		}
	}
	return 0, 0
}

// escaped judges an escape of the byte v.
func (c *chain) escaped(width int, v rune) (int, byte) {
	switch v {
	case '+', '/', '-', '_':
		if c.a.signs {
			return width, byte(v)
		}
	case '\n', '\r':
		if c.a.lines && c.line >= joinFrom {
			c.broke = true
			return width, 0
		}
	}
	return 0, 0
}

// backslash judges what backslashes begin: \/ and \n, in strings in strings
// also with several of them, \u002b, \x2b, and a line that a shell continues.
func (c *chain) backslash(p int) (int, byte) {
	n := 1
	for n < 8 && p+n < len(c.data) && c.data[p+n] == '\\' {
		n++
	}
	if p+n >= len(c.data) {
		return 0, 0
	}
	switch ch := c.data[p+n]; ch {
	case '+', '/', '-', '_':
		if c.a.signs {
			return n, 0 // the sign itself follows
		}
	case 'n', 'r':
		return c.escaped(n+1, '\n')
	case 'u':
		if v, ok := hexAt(c.data, p+n+1, 4); ok {
			return c.escaped(n+5, v)
		}
	case 'x':
		if v, ok := hexAt(c.data, p+n+1, 2); ok {
			return c.escaped(n+3, v)
		}
	case '\r', '\n':
		if c.a.lines && c.line >= joinFrom {
			return n, 0
		}
	}
	return 0, 0
}

// entity judges a numeric entity, and the named ones of signs.
func (c *chain) entity(p int) (int, byte) {
	rest := c.data[p:min(len(c.data), p+8)]
	for i, name := range [...]string{"&#43;", "&#47;", "&#x2b;", "&#x2f;", "&#x2B;", "&#x2F;", "&plus;", "&sol;"} {
		if len(rest) >= len(name) && string(rest[:len(name)]) == name {
			return c.escaped(len(name), rune("+/+/+/+/"[i]))
		}
	}
	return 0, 0
}

// lineEnd is how long an end of a line is, with blanks on both sides; 0 when
// there is none.
func lineEnd(b []byte) int {
	n, some := 0, false
	for ; n < len(b); n++ {
		switch b[n] {
		case '\n':
			if some {
				return 0 // an empty line
			}
			some = true
		case '\r', ' ', '\t':
		case '\\': // the shell goes on behind it
			if some || n+1 == len(b) || b[n+1] != '\n' && b[n+1] != '\r' {
				return 0
			}
		default:
			if some {
				return n
			}
			return 0
		}
	}
	return 0
}

// hexAt reads n hex digits.
func hexAt(data []byte, p, n int) (v rune, ok bool) {
	if p+n > len(data) {
		return 0, false
	}
	for _, ch := range data[p : p+n] {
		d := byteclass.Nibbles()[ch]
		if d == byteclass.None {
			return 0, false
		}
		v = v<<4 | rune(d)
	}
	return v, true
}

// drop forgets the first characters.
func (c *chain) drop(n int) {
	c.chars = c.chars[:copy(c.chars, c.chars[n:])]
	k := c.link(n)
	c.links = c.links[:copy(c.links, c.links[k:])]
	for i := range c.links {
		l := &c.links[i]
		if l.char -= int32(n); l.char < 0 {
			l.at -= l.char
			l.char = 0
		}
	}
}

// link is the index of the link that a character belongs to.
func (c *chain) link(char int) int {
	return sort.Search(len(c.links), func(k int) bool { return int(c.links[k].char) > char }) - 1
}

// place returns where a character stands: its first byte and the one behind
// its last.
func (c *chain) place(char int) (from, to int) {
	l := c.links[c.link(char)]
	if l.width > 0 {
		return int(l.at), int(l.at + l.width)
	}
	at := int(l.at) + char - int(l.char)
	return at, at + 1
}
