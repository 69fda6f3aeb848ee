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
	for last := p; p+8 <= len(k.data) && p-last < quiet && !k.stopped; p += 8 {
		v := binary.LittleEndian.Uint64(k.data[p:])
		z := zeros(v)
		if z == 0 {
			continue
		}
		last = p
		if z == ^uint64(0)&highBits {
			continue
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
)

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
	if n := bits.OnesCount64(z); (n == 5 || n == 6) && k.column(p, z) {
		if k.quads(p); len(k.ways) > 0 {
			return k.ways
		}
	}
	const even, odd = 0x0080008000800080, 0x8000800080008000
	at := p
	if z&odd != 0 && z&even != 0 {
		z &^= z<<8 | z>>8 // units of zero stand before texts and behind
		at += bits.TrailingZeros64(z) / 8 &^ 1
	}
	phase, of := 0, uint64(even) // where in a unit the zero byte stands
	if z&odd != 0 {
		phase, of = 1, odd
	}
	if z == 0 || z&^of != 0 || !k.several(p, of) {
		return nil
	}
	little, big := coding{width: 2, from: at + 1 - phase}, coding{width: 2, big: true, from: at + phase}
	l, b := k.extend(&little), k.extend(&big)
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

// quads looks for the sign of UTF-32: two units, one of them ASCII.
func (k *wideText) quads(p int) {
	if p+12 > len(k.data) {
		return
	}
	// A unit of ASCII begins or ends with three bytes of zero.
	z := compact(zeros(binary.LittleEndian.Uint64(k.data[p:]))) | compact(zeros(uint64(binary.LittleEndian.Uint32(k.data[p+8:]))))<<8
	three := z & (z >> 1) & (z >> 2)
	ascii := false
	for order, units := range [...]uint64{three >> 1 &^ z, three &^ (z >> 3)} {
		big := order == 1
		for phases := (units | units>>4) & 0xf; phases != 0; phases &= phases - 1 {
			phase := bits.TrailingZeros64(phases)
			first, second := binary.LittleEndian.Uint32(k.data[p+phase:]), binary.LittleEndian.Uint32(k.data[p+phase+4:])
			if big {
				first, second = bits.ReverseBytes32(first), bits.ReverseBytes32(second)
			}
			if a, b := rune(first&0x7fffffff), rune(second&0x7fffffff); !plain(a) && !plain(b) || !scalar(a) || !scalar(b) {
				continue
			}
			c := coding{width: 4, big: big, from: p + phase}
			if !k.extend(&c) {
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

// several reports whether at least three units of ASCII stand in the word at p and
// the one behind, with their zero bytes where of says.
func (k *wideText) several(p int, of uint64) bool {
	n := k.units(p, of)
	return n >= 3 || n+k.units(p+8, of) >= 3
}

// units counts the zero bytes at p that stand where they do in units and have
// ASCII beside them.
func (k *wideText) units(p int, of uint64) int {
	if p+9 > len(k.data) {
		return 0
	}
	v := binary.LittleEndian.Uint64(k.data[p:])
	before, behind := v<<8, v>>8|uint64(k.data[p+8])<<56
	if p > 0 {
		before |= uint64(k.data[p-1])
	}
	return bits.OnesCount64(zeros(v) & of & (plains(before) | plains(behind)))
}

// plains has the highest bit set of every byte of v that plainBytes has.
func plains(v uint64) uint64 {
	x := v &^ highBits
	prints := (x + (0x80-' ')*everyByte) &^ (x + everyByte)
	return (prints | zeros(v^'\t'*everyByte) | zeros(v^'\n'*everyByte) | zeros(v^'\r'*everyByte)) &^ v & highBits
}

const (
	shortest = 7       // units of a stretch
	backward = 4 << 10 // bytes that are looked at before the sign
	strange  = 16      // units in a row that are neither ASCII nor of one script
)

// extend finds where the stretch begins and ends that holds the unit at from;
// false when there is none worth a look.
func (k *wideText) extend(c *coding) bool { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	at, done := c.from, max(0, k.done-c.width+1) // the last one may have been read in the wrong byte order
	if at < done {
		at += (done - at + c.width - 1) / c.width * c.width
	}
	low := max(done, at-backward)
	c.from = k.begin(c, at, low)
	if c.width == 2 { // most are
		return k.extend16(c, at)
	}
	odd, page, good := 0, rune(0), 0
	c.to = c.from
	for p := c.from; p+c.width <= len(k.data) && (p <= at || odd < strange); p += c.width {
		r := k.unit(c, p)
		if p == at {
			odd = 0 // what stands before the sign does not count
		}
		switch {
		case r == 0 || r > utf8.MaxRune:
			odd = 2 * strange
		case r < 0x7f && plainBytes[byte(r)]:
			odd = 0
			if good++; good == 1 {
				c.core = p
			}
			c.to = p + c.width
		case r>>8 == page>>8 && r > 0xff: // letters of one script have their high byte in common
			c.to = p + c.width
		default:
			odd++
		}
		page = r
		if hopeless(c, p, at, good) {
			return false
		}
	}
	return enough(c, good)
}

// hopeless reports whether a stretch with so many characters of ASCII up to a place
// is not worth a look on.
func hopeless(c *coding, p, at, good int) bool {
	return good < 4 && p-at > 8*c.width && c.to < p-4*c.width
}

// enough reports whether a stretch is long enough.
func enough(c *coding, good int) bool { return good >= shortest/2 && c.to-c.from >= shortest*c.width }

// extend16 is extend for UTF-16, behind where the stretch begins.
func (k *wideText) extend16(c *coding, at int) bool {
	first, good := 0, 0
	if c.big {
		first = 1
	}
	var page byte
	c.to = c.from
	p := c.from
	for ; p < at && p+2 <= len(k.data); p += 2 { // what stands before the sign does not end it
		low, high := k.data[p+first], k.data[p+1-first]
		if high == 0 && plainBytes[low] {
			if good++; good == 1 {
				c.core = p
			}
			c.to = p + 2
		} else if high == page && high != 0 {
			c.to = p + 2
		}
		page = high
	}
	for odd := 0; p+2 <= len(k.data) && odd < strange; p += 2 {
		low, high := k.data[p+first], k.data[p+1-first]
		switch {
		case high == 0 && plainBytes[low]:
			if good++; good == 1 {
				c.core = p
			}
			more := k.plainRow(p+2, 8*first)
			p, good, odd = p+2*more, good+more, 0
			c.to = p + 2
		case low|high == 0:
			odd = strange
		case high == page && high != 0: // letters of one script have their high byte in common
			c.to = p + 2
		default:
			odd++
		}
		page = high
		if hopeless(c, p, at, good) {
			return false
		}
	}
	return enough(c, good)
}

// plainRow is how many units of ASCII stand at a place, in fours.
func (k *wideText) plainRow(p, turn int) (n int) {
	const unit, room, del = 0x0001000100010001, 0x0060006000600060, 0x0080008000800080
	for ; p+8 <= len(k.data); p += 8 {
		v := bits.RotateLeft64(binary.LittleEndian.Uint64(k.data[p:]), -turn)
		if v&^(0x7f*unit) != 0 || (v+room)&del != del || (v+unit)&del != 0 {
			break
		}
		n += 4
	}
	return n
}

// begin is where the stretch begins that holds the unit at a place, at low at the
// earliest.
func (k *wideText) begin(c *coding, at, low int) int {
	from, strangers := at, 0
	if c.width == 2 { // most are
		first := 0
		if c.big {
			first = 1
		}
		for from-2 >= low && k.data[from-1-first] == 0 && plainBytes[k.data[from-2+first]] {
			from -= 2
		}
		for ; strangers < strange && from-2 >= low; strangers++ {
			if r := rune(k.data[from-2+first]) | rune(k.data[from-1-first])<<8; r <= 0x9f && !plain(r) {
				break
			}
			from -= 2
		}
		return from
	}
	for from-c.width >= low && plain(k.unit(c, from-c.width)) {
		from -= c.width
	}
	for ; strangers < strange && from-c.width >= low && scalar(k.unit(c, from-c.width)); strangers++ {
		from -= c.width
	}
	return from
}

// unit reads a unit.
func (k *wideText) unit(c *coding, p int) rune {
	b := k.data[p:]
	switch {
	case c.width == 2 && c.big:
		return rune(binary.BigEndian.Uint16(b))
	case c.width == 2:
		return rune(binary.LittleEndian.Uint16(b))
	case c.big:
		return rune(binary.BigEndian.Uint32(b) & 0x7fffffff)
	}
	return rune(binary.LittleEndian.Uint32(b) & 0x7fffffff)
}

// plain reports whether r is ASCII that texts have.
func plain(r rune) bool { return r >= ' ' && r < 0x7f || r == '\t' || r == '\n' || r == '\r' }

// plainBytes are the bytes that plain is true of.
var plainBytes = func() (t [256]bool) {
	for c := range t {
		t[c] = plain(rune(c))
	}
	return t
}()

// ascii reports whether the stretch has nothing but ASCII, as far as it is sure
// to be text.
func (k *wideText) ascii(c *coding) bool {
	for p := c.core; p < c.to; p += c.width {
		if k.unit(c, p) > 0x7f {
			return false
		}
	}
	return true
}

// other is a stretch of ASCII in the other byte order, when its ends look so:
// one more character stands at its end, and zero bytes before its first.
func (k *wideText) other(c coding) (coding, bool) {
	zeros := c.width - 1
	o := coding{width: c.width, big: true, from: c.core - zeros, core: c.core - zeros, to: c.to + 1}
	if c.big || o.from < 0 || o.to > len(k.data) || !plain(rune(k.data[c.to])) || !allZero(k.data[o.from:c.core]) {
		return c, false
	}
	if behind := k.data[o.to:min(len(k.data), o.to+zeros)]; len(behind) == zeros && allZero(behind) {
		return c, false
	}
	return o, k.ascii(&c)
}

func allZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

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
