package views

import "revenant/scanners/byteclass"

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
// are ASCII. It returns the stretch that reads as text, empty when none does,
// and where to look on.
func (a *alphabet) judge(chars []byte, grid, from int) (text extent, next int) {
	begin := from - (from-grid%a.group+a.group)%a.group
	for k := max(begin, 0); begin < from && (begin < 0 || k < from); k++ {
		if begin < 0 || a.digit[chars[k]] == byteclass.None {
			begin += a.group // the run begins in the middle of a group
			break
		}
	}
	var t texture
	last := from
	for at, whole := begin, true; whole && at < len(chars); at += a.group {
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
	if t.found.to == 0 {
		return extent{}, last + 1
	}
	return extent{begin + 8*t.found.from/a.bits, min(len(chars), begin+(8*t.found.to+a.bits-1)/a.bits)}, last + 1
}

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
