package views

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/bits"
	"sync"
	"unicode/utf16"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners"
)

// wide finds stretches of UTF-16 and UTF-32, in either byte order and at any
// offset: text among other bytes, as in databases and programs, too.
//
// Of ASCII alone nobody can tell whether the zero bytes come first or last but
// by the ends of the stretch; where they do not tell, they come last.
type wide struct{ idle *sync.Pool } // of *wideText

// wideText is one layer being looked through.
type wideText struct {
	looking
	text spliced
	odd  bool // it has characters that no text has
	row  int  // most characters of ASCII in a row in it
	ways []coding
	sure int // where they end, but for what the ends of a stretch suggest
	done int // everything before it was transcoded

	aside spliced // texts for those who confirm what they find
}

func newWide() wide {
	return wide{idle: &sync.Pool{New: func() any { return &wideText{} }}}
}

// quiet is how many bytes without a zero end the search that looks at every
// word.
const quiet = 256

func (f wide) view(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) bool {
	next := bytes.IndexByte(l.Data, 0)
	if next < 0 {
		return true
	}
	k, _ := f.idle.Get().(*wideText)
	k.looking, k.done, k.sure = looking{data: l.Data, layer: l, yield: yield}, 0, 0
	for next >= 0 && !k.stopped && ctx.Err() == nil {
		p := k.words(max(next-8, k.done))
		if next = bytes.IndexByte(l.Data[p:], 0); next >= 0 {
			next += p
		}
	}
	stopped := !k.flush()
	k.text.forget()
	k.aside.forget()
	k.looking = looking{}
	f.idle.Put(k) // not when yield panics: something would be left in it
	return !stopped
}

// words looks at every word from p on, until there are no zero bytes for a
// while, and returns how far it came.
func (k *wideText) words(p int) int {
	p &^= 7
	next, nextAt := uint64(0), -1 // of the word behind, where it was looked at
	for last := p; p+8 <= len(k.data) && p-last < quiet && !k.stopped; p += 8 {
		z := next
		if p != nextAt {
			z = zeros(binary.LittleEndian.Uint64(k.data[p:]))
		}
		if nextAt = -1; z == 0 {
			continue
		}
		last = p
		if z == ^uint64(0)&highBits {
			continue
		}
		if p+16 <= len(k.data) {
			next, nextAt = zeros(binary.LittleEndian.Uint64(k.data[p+8:])), p+8
			if !signlike(z, next) {
				continue
			}
		}
		if c := k.sign(p, z); len(c) > 0 {
			for _, c := range c {
				k.transcode(c)
			}
			k.done = max(k.done, k.sure)
			p = max(p, k.done&^7-8)
			last = p
		}
	}
	if p+8 > len(k.data) {
		return len(k.data)
	}
	return p
}

const (
	highBits  = 0x8080808080808080
	everyByte = 0x0101010101010101

	evenBytes, oddBytes = 0x0080008000800080, 0x8000800080008000 // places in a word
)

// signlike reports whether a word may have the sign of a wide encoding, by the zeros in
// it and in the one behind: three beside each other of UTF-16, five in the word of
// UTF-32. Of the numbers that programs are full of it hardly ever is so.
func signlike(z, behind uint64) bool {
	return bits.OnesCount64(z&evenBytes)+bits.OnesCount64(behind&evenBytes) >= 3 ||
		bits.OnesCount64(z&oddBytes)+bits.OnesCount64(behind&oddBytes) >= 3
}

// zeros has the highest bit set of every byte of v that is zero.
func zeros(v uint64) uint64 { return ^((v&^highBits + ^uint64(highBits)) | v) & highBits }

// coding is how a stretch is encoded, and where.
type coding struct {
	width    int // bytes of a unit
	big      bool
	from, to int
	core     int // where the first ASCII stands
}

// sign looks for the sign of a wide encoding at p, where z says which bytes are
// zero: units of ASCII, in a row or among units of some script. It returns the
// ways to read the stretch, the likeliest first.
func (k *wideText) sign(p int, z uint64) []coding {
	k.ways = k.ways[:0]
	if n := bits.OnesCount64(z); n == 5 || n == 6 {
		if k.quads(p, z); len(k.ways) > 0 {
			return k.ways
		}
	}
	at := p
	if z&oddBytes != 0 && z&evenBytes != 0 {
		z &^= z<<8 | z>>8 // units of zero stand before texts and behind
		at += bits.TrailingZeros64(z) / 8 &^ 1
	}
	phase, of := 0, uint64(evenBytes) // where in a unit the zero byte stands
	if z&oddBytes != 0 {
		phase, of = 1, oddBytes
	}
	if z == 0 || z&^of != 0 {
		return nil
	}
	little, big := coding{width: 2, from: at + 1 - phase}, coding{width: 2, big: true, from: at + phase}
	row := k.zeroRow(p)
	l, b := !cramped(row, little.from-p), !cramped(row, big.from-p)
	if !l && !b || !k.several(p, of) {
		return nil
	}
	l, b = l && k.extend(&little), b && k.extend(&big)
	if l {
		k.way(little)
	}
	if b && !(l && k.ascii(&little) && k.ascii(&big)) {
		k.way(big)
	}
	return k.ways
}

// column reports whether every fourth byte is zero, three times in a row, in the
// word at p and its neighbours, as the highest byte of UTF-32 is. z says which
// bytes of the word are. Of every stretch that is long enough this is so; of
// the lengths and offsets that programs are full of it hardly ever is.
func (k *wideText) column(p int, z uint64) bool {
	if p < 8 || p+16 > len(k.data) {
		return true
	}
	before, behind := zeros(binary.LittleEndian.Uint64(k.data[p-8:])), zeros(binary.LittleEndian.Uint64(k.data[p+8:]))
	low, high := uint32(z), uint32(z>>32)
	return uint32(before)&uint32(before>>32)&low|uint32(before>>32)&low&high|low&high&uint32(behind)|high&uint32(behind)&uint32(behind>>32) != 0
}

// quads looks for the sign of UTF-32: two units, one of them ASCII. z says which bytes
// of the word at p are zero.
func (k *wideText) quads(p int, z uint64) {
	if p+12 > len(k.data) {
		return
	}
	little, big := k.pairs(p, z)
	if little|big == 0 || !k.column(p, z) {
		return // small numbers
	}
	ascii := false
	for order, phases := range [...]uint64{little, big} {
		for ; phases != 0; phases &= phases - 1 {
			c := coding{width: 4, big: order == 1, from: p + bits.TrailingZeros64(phases)}
			if a, b := k.unit(&c, c.from), k.unit(&c, c.from+4); !scalar(a) || !scalar(b) || !k.extend(&c) {
				continue
			}
			if !ascii || !k.ascii(&c) {
				k.way(c)
			}
			ascii = ascii || k.ascii(&c)
			break
		}
	}
}

// pairs are the phases at which two units may begin behind p in either byte order, one
// of them ASCII, the other no control and not too large. Both take at most 12 bytes.
func (k *wideText) pairs(p int, z uint64) (little, big uint64) {
	word, behind := binary.LittleEndian.Uint64(k.data[p:]), uint64(binary.LittleEndian.Uint32(k.data[p+8:]))
	prints := compact(plains(word)) | compact(plains(behind))<<8
	zero := compact(z) | compact(zeros(behind))<<8
	high := compact(word&highBits) | compact(behind&highBits)<<8
	three := zero & (zero >> 1) & (zero >> 2)
	pair := func(ascii, other uint64) uint64 { return ascii&(other>>4) | other&(ascii>>4) }
	small := three >> 1 // but for the first byte of each
	little = pair(prints&small, zero>>3&^(small&^(prints|high)))
	small = three // but for the last
	big = pair(prints>>3&small, zero&^(small&^((prints|high)>>3)))
	return little & 0xf, big & 0xf
}

// compact is the bitmap of the bytes whose highest bit is set in v, which has no
// others.
func compact(v uint64) uint64 { return (v >> 7) * 0x0102040810204080 >> 56 }

// scalar reports whether r may stand in a text.
func scalar(r rune) bool { return plain(r) || r > 0x9f && utf8.ValidRune(r) }

// way appends a way to read a stretch, and the one in the other byte order when
// its ends look so.
func (k *wideText) way(c coding) {
	k.ways, k.sure = append(k.ways, c), max(k.sure, c.to)
	if o, ok := k.other(c); ok {
		k.ways = append(k.ways, o)
	}
}

// transcode yields the text of a stretch.
func (k *wideText) transcode(c coding) {
	like := scanners.Text{Form: fingerprints.FormUTF16, Alike: true}
	k.odd, k.row = false, 0
	for p := c.from; p+c.width <= c.to && !k.stopped; {
		if end := k.plains(&c, p); end > p {
			p = end
		} else {
			p += k.another(&c, p)
		}
		if len(k.text.out) >= k.layer.Piece {
			k.yields(&k.text, like)
			k.text.keep(k.layer.Overlap)
		}
	}
	if k.odd && k.row < leastASCII && len(k.text.out) < batch {
		k.guess()
	} else {
		k.yields(&k.text, like)
	}
	k.text.keep(0)
}

// leastASCII is how many characters of ASCII in a row a pattern looks for at the
// least.
const leastASCII = 6

// plains appends the ASCII that stands at a place, and returns where it ends.
func (k *wideText) plains(c *coding, p int) int {
	from, n := p, len(k.text.out)
	most := min(c.to, p+c.width*max(1, k.layer.Piece-n))
	for ; p+c.width <= most; p += c.width {
		r := k.unit(c, p)
		if r >= 0x7f || r < ' ' && !plain(r) {
			break
		}
		k.text.out = append(k.text.out, byte(r))
	}
	if p > from {
		k.text.parts = append(k.text.parts, part{int32(n), int32(from), -int32(c.width)})
		k.text.high = max(k.text.high, len(k.text.out))
		k.row = max(k.row, (p-from)/c.width)
	}
	return p
}

// another appends the character that stands at a place, and returns how long it
// is. Controls, private and broken ones are odd: no text has them.
func (k *wideText) another(c *coding, p int) (width int) {
	r, width := k.unit(c, p), c.width
	if c.width == 2 && utf16.IsSurrogate(r) {
		full := rune(utf8.RuneError)
		if p+4 <= c.to {
			full = utf16.DecodeRune(r, k.unit(c, p+2))
		}
		if full != utf8.RuneError {
			r, width = full, 4
		} else {
			k.odd = true
		}
	}
	k.odd = k.odd || r < 0xa0 || r >= 0xe000 && r < 0xf900
	if r < utf8.RuneSelf {
		k.text.char(byte(r), p, width)
		return width
	}
	s := splice{at: p, end: p + width}
	s.n = utf8.EncodeRune(s.out[:], r)
	k.text.put(s)
	return width
}

// guess puts the text aside. What reads like it are the tables of programs, in
// which no pattern can find a thing; but what confirms what it finds is to see
// all of them, and can look at many at once.
func (k *wideText) guess() {
	if k.layer.NoGuesses || len(k.text.out) == 0 {
		return
	}
	a := &k.aside
	if n := len(a.parts); n > 0 && (len(a.out) >= batch || k.text.parts[0].at < a.parts[n-1].at) && !k.flush() {
		return
	}
	for _, p := range k.text.parts {
		p.out += int32(len(a.out))
		a.parts = append(a.parts, p)
	}
	a.out = append(a.out, k.text.out...)
	a.high = max(a.high, len(a.out))
	_, end := k.text.origin(0, len(k.text.out))
	last := splice{at: max(0, end-1), end: end, n: len(border)} // it has to come from somewhere
	copy(last.out[:], border)
	a.put(last)
}

// flush yields what was put aside.
func (k *wideText) flush() bool {
	k.yields(&k.aside, scanners.Text{Form: fingerprints.FormUTF16, Alike: true, Guessed: true})
	k.aside.keep(0)
	return !k.stopped
}
