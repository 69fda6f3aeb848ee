package views

import (
	"encoding/binary"

	"revenant/scanners/byteclass"
)

// alphabet is a class of characters that carry the same number of bits each.
type alphabet struct {
	index int
	bits  int        // a character
	group int        // characters that come out as whole bytes
	bytes int        // which are so many
	digit *[256]byte // byteclass.None: not in the alphabet
	lines bool       // wrapped lines go on in the next
	signs bool       // escapes may stand for characters of it
	ok    grids      // nil: every character may be text's
	least int        // characters that the shortest text takes
}

// grids returns the characters of 64 that do not set the highest bit of a byte
// in a grid.
type grids func(w *byteclass.Digits, grid int) uint64

// leastText is how many printable bytes in a row are taken for text. A random
// byte prints with a chance of 0.38: of a megabyte of noise some 30 places pass.
const leastText = 12

// What that takes in base64 and hex.
const (
	leastBase64 = 16
	leastHex    = 24
)

// The places of alphabets in arrays.
const (
	inBase64 = iota
	inHex
	inBase32
)

var (
	base64Digits = alphabet{
		index: inBase64, bits: 6, group: 4, bytes: 3, digit: byteclass.Sextets(), lines: true, signs: true,
		ok: func(w *byteclass.Digits, grid int) uint64 { return w.ASCII[grid] }, least: leastBase64,
	}
	hexDigits = alphabet{
		index: inHex, bits: 4, group: 2, bytes: 1, digit: byteclass.Nibbles(), lines: true, ok: hexASCII, least: leastHex,
	}
)

// oddPlaces are the bits of places that the second digits of hex stand at.
const oddPlaces = 0xaaaaaaaaaaaaaaaa

// hexASCII are the digits that do not begin a byte from 0xa0 on.
func hexASCII(w *byteclass.Digits, grid int) uint64 {
	return w.Hex & (w.Dec | oddPlaces>>grid)
}

// load reads the group of characters at a place: its bytes, the first highest,
// and how many whole bytes there are, fewer than usual where the run ends.
func (a *alphabet) load(chars []byte, at int) (v uint64, n int) {
	c := 0
	for ; c < a.group && at+c < len(chars); c++ {
		d := a.digit[chars[at+c]]
		if d == byteclass.None {
			break
		}
		v = v<<a.bits | uint64(d)
	}
	return v << (a.bits * (a.group - c)), c * a.bits / 8
}

// decode appends the bytes of chars, which are all of the alphabet and begin at
// a group.
func (a *alphabet) decode(dst, chars []byte) []byte {
	if a.bits == 6 {
		d := a.digit
		for ; len(chars) >= 4; chars = chars[4:] {
			v := uint32(d[chars[0]])<<18 | uint32(d[chars[1]])<<12 | uint32(d[chars[2]])<<6 | uint32(d[chars[3]])
			dst = append(dst, byte(v>>16), byte(v>>8), byte(v))
		}
	}
	for at := 0; at < len(chars); at += a.group {
		v, n := a.load(chars, at)
		for k := range n {
			dst = append(dst, byte(v>>(8*(a.bytes-1-k))))
		}
	}
	return dst
}

// extent is a stretch, of characters or bytes.
type extent struct{ from, to int }

// judge decodes the characters from a place on, in one grid, as long as bytes
// are ASCII, up to a block of them. It returns the stretch that reads as text, empty when none does,
// and where to look on.
func (a *alphabet) judge(chars []byte, grid, from int) (text extent, next int) {
	begin := from - (from-grid%a.group+a.group)%a.group
	for k := max(begin, 0); begin < from && (begin < 0 || k < from); k++ {
		if begin < 0 || a.digit[chars[k]] == byteclass.None {
			begin += a.group // the run begins in the middle of a group
			break
		}
	}
	if to := from + block; to < len(chars) {
		if text, next = a.judge(chars[:to], grid, from); next <= to-a.group {
			return text, next // it ended before
		}
		return text, max(next-rejudged, from+1)
	}
	var t texture
	last := from
	for at, whole := begin, true; whole && at < len(chars); at += a.group {
		if at >= from && t.idle() {
			if p := a.skip(chars, at); p > at {
				at = p
				t = texture{n: (at - begin) * a.bits / 8, found: t.found}
			}
		}
		last = at
		v, n := a.load(chars, at)
		high := false
		for k := range n {
			b := byte(v >> (8 * (a.bytes - 1 - k)))
			high = high || b >= 0x80
			t.next(b)
		}
		if whole = n == a.bytes; high && at >= from {
			break
		}
	}
	next = max(last, from) + 1 // the x of 0x is no digit: a run may end where it begins
	if t.found.to == 0 {
		return extent{}, next
	}
	return extent{begin + 8*t.found.from/a.bits, min(len(chars), begin+(8*t.found.to+a.bits-1)/a.bits)}, next
}

// skip returns where to look on from a place on: before the first unit of eight
// characters that may be of text, since no text is so short that it has no whole
// unit, that is not ASCII, or that the run ends in.
func (a *alphabet) skip(chars []byte, at int) int {
	d, b := a.digit, a.bits&7
	p := at
	for ; p+unit <= len(chars); p += unit {
		c := chars[p : p+unit : p+unit]
		if (d[c[0]]|d[c[1]]|d[c[2]]|d[c[3]]|d[c[4]]|d[c[5]]|d[c[6]]|d[c[7]])&0x80 != 0 {
			break
		}
		v := uint64(d[c[0]])<<b | uint64(d[c[1]])
		w := uint64(d[c[2]])<<b | uint64(d[c[3]])
		x := uint64(d[c[4]])<<b | uint64(d[c[5]])
		y := uint64(d[c[6]])<<b | uint64(d[c[7]])
		if v = (v<<(2*b)|w)<<(4*b) | x<<(2*b) | y; v&(highBits>>(64-8*b)) != 0 {
			break
		}
		n := 0
		for n < b && textual[byte(v>>(8*n))] {
			n++
		}
		if n == b && v != 0 {
			break
		}
	}
	return max(at, p-unit)
}

// likely returns where to judge from a place on: where leastText bytes in a row may
// begin that are of text, or at most that far before; the end of chars: nowhere.
func (a *alphabet) likely(chars []byte, grid, from int) int {
	p := from - (from-grid%a.group+a.group)%a.group
	if p < 0 {
		p += a.group
	}
	d, b := a.digit, a.bits&7
	row := b // textual bytes before p: those of the group that from stands in may be
	for ; p+unit <= len(chars); p += unit {
		c := chars[p : p+unit : p+unit]
		x, y := d[c[0]]|d[c[1]]|d[c[2]]|d[c[3]], d[c[4]]|d[c[5]]|d[c[6]]|d[c[7]]
		if (x|y)&0x80 != 0 {
			if row+b > leastText {
				break
			}
			row = b
			continue
		}
		v := (uint64(d[c[0]])<<b|uint64(d[c[1]]))<<(2*b) | uint64(d[c[2]])<<b | uint64(d[c[3]])
		v = v<<(4*b) | (uint64(d[c[4]])<<b|uint64(d[c[5]]))<<(2*b) | uint64(d[c[6]])<<b | uint64(d[c[7]])
		n := 0
		for n < b && textual[byte(v>>(8*n))] {
			n++
		}
		switch {
		case n == b && v != 0:
			if row += b; row >= leastText {
				return max(from, p-(row/b+1)*unit)
			}
			continue
		case row+b > leastText: // the first bytes of this unit may be the last ones of a row
			for lead := 0; lead < b && textual[byte(v>>(8*(b-1-lead)))]; lead++ {
				if row+lead+1 >= leastText {
					return max(from, p-(row/b+2)*unit)
				}
			}
		}
		if row = n; v == 0 {
			row = 1 // UTF-16 has no two zeros in a row
		}
		if n == 0 || v == 0 {
			p += sameUnits(chars[p:]) // noise is often a long row of one character
		}
	}
	if row+b > leastText {
		return max(from, min(p, len(chars)-1)-(row/b+2)*unit)
	}
	return len(chars)
}

// sameUnits is how many bytes the units take that follow the first one and are
// equal to it: what was said of it holds for them.
func sameUnits(chars []byte) int {
	same := binary.LittleEndian.Uint64(chars)
	n := unit
	for n+unit <= len(chars) && binary.LittleEndian.Uint64(chars[n:]) == same {
		n += unit
	}
	return n - unit
}

// unit is how many characters are looked at together; all alphabets' come out
// as whole bytes, and fewer than half of the shortest text.
const unit = 8

// textual are the bytes of ASCII text, in UTF-16 too.
var textual = func() [256]bool {
	t := makePrintable()
	t[0] = true
	return t
}()

// rejudged is how many characters two looks have in common, so that no text is
// cut in two that are too short.
const rejudged = 64

// texture looks for text in bytes: a row of printable ones, or of printable
// ones between zeros as UTF-16 has them.
type texture struct {
	n           int // bytes
	plain, wide int // how many of the last ones may be such a row
	last        byte
	found       extent // of bytes; empty: nothing found
}

func (t *texture) next(b byte) {
	prints := printable[b]
	if t.plain++; !prints {
		t.plain = 0
	}
	if t.wide++; !(prints && t.last == 0 || b == 0 && printable[t.last]) {
		t.wide = 1
	}
	t.last = b
	t.n++
	if t.plain >= leastText {
		t.tell(t.plain)
	}
	if t.wide >= leastWide {
		t.tell(t.wide)
	}
}

// idle reports whether no row may go on.
func (t *texture) idle() bool { return t.plain == 0 && t.wide <= 1 }

// tell notes that the last bytes are text.
func (t *texture) tell(row int) {
	if t.found.to == 0 {
		t.found.from = t.n - row
	}
	t.found.to = t.n
}

// leastWide is how many bytes of UTF-16 are taken for text.
const leastWide = 2 * 8

// printable are the bytes of ASCII text.
var printable = makePrintable()

func makePrintable() (t [256]bool) {
	for c := ' '; c <= '~'; c++ {
		t[c] = true
	}
	t['\t'], t['\n'], t['\r'] = true, true, true
	return t
}
