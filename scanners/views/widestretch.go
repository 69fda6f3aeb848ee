package views

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// zeroRow is a bitmap of which bytes are zero of the word at p and those beside it; none
// are where there are fewer, or where a stretch may begin behind the word.
func (k *wideText) zeroRow(p int) uint64 {
	if p < max(8, k.done) || p+16 > len(k.data) {
		return 0
	}
	row := k.data[p-8 : p+16 : p+16]
	return compact(zeros(binary.LittleEndian.Uint64(row))) | compact(zeros(binary.LittleEndian.Uint64(row[8:])))<<8 |
		compact(zeros(binary.LittleEndian.Uint64(row[16:])))<<16
}

// cramped reports whether units of zero stand on both sides of a unit of UTF-16, so close
// to each other that no stretch between them is worth a look. The unit is so far from the
// word that the row was made for.
func cramped(row uint64, from int) bool {
	at := 8 + from
	zero := row & (row >> 1) & (0x555555 << (at & 1))
	behind, before := zero>>at, zero&(1<<at-1)
	return behind != 0 && before != 0 && at+bits.TrailingZeros64(behind)-bits.Len64(before)-1 < 2*shortest
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
func (k *wideText) extend(c *coding) bool {
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
