package views

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/inflate"
)

// radix85 are the digits of one way to write four bytes in five characters. A
// group of them is at most 1<<32 - 1.
type radix85 struct {
	digit [256]byte
	zero  byte // stands for a whole group of zeros; 0: nothing does
}

// none85 is what digit has for what is no digit.
const none85 = 0xff

func newRadix85(digits string, zero byte) *radix85 {
	r := &radix85{zero: zero}
	for i := range r.digit {
		r.digit[i] = none85
	}
	for i := range len(digits) {
		r.digit[digits[i]] = byte(i)
	}
	return r
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// The digits of git and RFC 1924, of Adobe, and of ZeroMQ.
var (
	gitDigits   = newRadix85(base62+"!#$%&()*+-;<=>?@^_`{|}~", 0)
	adobeDigits = newRadix85(string(fromTo('!', 'u')), 'z')
	zeroDigits  = newRadix85("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#", 0)
)

func fromTo(first, last byte) (out []byte) {
	for c := first; c <= last; c++ {
		out = append(out, c)
	}
	return out
}

// group85 is a group being read: its digits so far and where they begin.
type group85 struct {
	v    uint64
	n    int
	from int
}

// add takes a digit that stands in data[at:end] and puts what a whole group is into
// b; false when it is too much for one.
func (g *group85) add(b *built, d byte, at, end int) bool {
	if g.n == 0 {
		g.from = at
	}
	g.v = g.v*85 + uint64(d)
	if g.n++; g.n < 5 {
		return true
	}
	return g.put(b, 4, end)
}

// rest puts what a part of a group at the end is.
func (g *group85) rest(b *built, end int) bool {
	n := g.n - 1
	if n < 1 {
		return g.n == 0
	}
	for ; g.n < 5; g.n++ {
		g.v = g.v*85 + 84
	}
	return g.put(b, n, end)
}

func (g *group85) put(b *built, n, end int) bool {
	if g.v > 1<<32-1 {
		return false
	}
	for k := range n {
		b.push(byte(g.v>>(24-8*k)), g.from, end)
	}
	*g = group85{}
	return true
}

// reading85 is what reads digits, over the ends of lines.
type reading85 struct {
	*radix85
	quote   string // ends them
	escaped bool   // backslashes stand before quotes and themselves
	stream  bool   // which says itself where it ends; there are no blanks in it
	group   group85
}

// step reads what stands in data at a place, and puts whole groups into b. It returns
// where it ends; false when digits end there.
func (r *reading85) step(data []byte, at int, b *built) (end int, goOn bool) {
	c, end := data[at], at+1
	if r.quote != "" && c == r.quote[0] && bytes.HasPrefix(data[at:], []byte(r.quote)) {
		return at, false
	}
	if isSpace(c) && !(r.stream && blank(c)) {
		return end, true
	}
	if r.escaped && c == '\\' && end < len(data) && (isQuote(data[end]) || data[end] == '\\') {
		c = data[end]
		end++
	}
	switch d := r.digit[c]; {
	case d != none85:
		return end, r.group.add(b, d, at, end)
	case c == r.zero && c != 0 && r.group.n == 0:
		r.group.from = at
		return end, r.group.put(b, 4, end)
	}
	return at, false
}

// text85 reads digits from p on and yields what they are. That must end as ok says, unless
// the text at hand ends there.
func (k *spotting) text85(r reading85, p int, ok func(end int) bool) (goOn bool) {
	data, b, like := k.layer.Data, &k.built, text(fingerprints.FormBase85)
	end := p
	for goOn = true; goOn && end < len(data); {
		if end, goOn = r.step(data, end, b); b.full(k.layer) {
			if k.done = end; !k.whole85() {
				b.reset()
				return true
			}
			if p := packingOf(b.out); p != packNone && p != packZip { // each piece is read by itself
				like.Unread = "a compressed stream in base85 that is too long"
			}
			kept := *b
			if !b.texts(k.layer, like, k.yield) || k.ctx.Err() != nil {
				return false
			}
			*b = kept.last(k.layer.Overlap)
		}
	}
	sure := r.stream || end == len(data) || ok(end)
	if !r.group.rest(b, end) && !r.stream || !sure {
		b.reset()
		return true
	}
	if k.done = end; !k.whole85() {
		b.reset()
		return true
	}
	return b.texts(k.layer, like, k.yield)
}

// whole85 reports whether what was read can be a stream that is whole, if it is one. In
// texts in which something was undone it need not be: of these digits some are taken for
// tags and escapes. What is left out there stands in the layer before as it is.
func (k *spotting) whole85() bool {
	if k.layer.Depth == 0 {
		return true
	}
	var r io.Reader
	var err error
	switch in := bufio.NewReaderSize(bytes.NewReader(k.built.out), block); packingOf(k.built.out) {
	case packNone:
		return true
	case packZlib:
		r, err = inflate.NewZlib(in)
	case packGzip:
		r, err = inflate.NewGzip(in)
	default:
		return false
	}
	if err == nil {
		var n int64
		n, err = io.CopyN(io.Discard, r, unpackFuel-k.tried+1)
		k.tried += n
	}
	return errors.Is(err, io.EOF)
}

// adobe85 reads what stands between <~ and ~>.
func (k *spotting) adobe85(p int) (goOn bool) {
	data := k.layer.Data
	end := bytes.IndexByte(data[p+2:], '~')
	ends := func(end int) bool { return bytes.HasPrefix(data[end:], []byte("~>")) }
	if end > 0 && inString85(data[p+2:p+2+end]) && !k.text85(reading85{radix85: adobeDigits, escaped: true}, p+2, ends) {
		return false
	}
	return k.text85(reading85{radix85: adobeDigits}, p+2, ends)
}

// inString85 reports whether backslashes stand before all quotes and backslashes of
// digits, which may be either: they are in a string, or so by chance.
func inString85(digits []byte) bool {
	some := false
	for i := 0; i < len(digits); i++ {
		switch digits[i] {
		case '\\':
			if i++; i == len(digits) || digits[i] != '"' && digits[i] != '\\' {
				return false
			}
			some = true
		case '"':
			return false
		}
	}
	return some
}

// packed85 are the first characters of zip and gzip in the digits of git.
var packed85 = [...]string{"P)h>@", "ABzY8", "ABzYG"}

// stream85 reads a stream that is told by its first bytes.
func (k *spotting) stream85(p int) (goOn bool) {
	for _, head := range packed85 {
		if bytes.HasPrefix(k.layer.Data[p:], []byte(head)) {
			return k.text85(reading85{radix85: gitDigits, stream: true}, p, nil)
		}
	}
	return true
}

// call85 reads the literal that a call decodes whose name has the 85 at p.
func (k *spotting) call85(p int) (goOn bool) {
	data := k.layer.Data
	if p == 0 || !bytes.HasPrefix(data[p:], []byte("85decode(")) {
		return true
	}
	r := reading85{radix85: gitDigits}
	switch data[p-1] {
	case 'a':
		r = reading85{radix85: adobeDigits, escaped: true}
	case 'z':
		r.radix85 = zeroDigits
	case 'b':
	default:
		return true
	}
	at := p + len("85decode(")
	for to := min(len(data), at+nameBefore); at < to && !isQuote(data[at]); at++ {
		switch c := data[at]; {
		case c|0x20 == 'r':
			r.escaped = false
		case !isSpace(c) && c|0x20 != 'b':
			return true
		}
	}
	if at == len(data) || !isQuote(data[at]) {
		return true
	}
	r.quote = string(data[at])
	if whole := strings.Repeat(r.quote, 3); bytes.HasPrefix(data[at:], []byte(whole)) {
		r.quote = whole
	}
	at += len(r.quote)
	if bytes.HasPrefix(data[at:], []byte("<~")) {
		at += 2
	}
	return k.text85(r, at, func(end int) bool { return data[end] == r.quote[0] || data[end] == '~' })
}
