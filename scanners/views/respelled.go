package views

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/byteclass"
	"revenant/scanners/escapes"
)

// The same value is written in more ways than one, and was registered in one of them:
// hex in small letters or capitals (RFC 4648, section 8), a UUID with or without its
// dashes, in either case and in braces (RFC 9562, section 4, and Windows), base64 with
// + and / or with - and _, with its padding or without (RFC 4648, sections 4 and 5).
// Whoever was given a value in one of them copies it in that; programs that read it and
// write it again do not.

// respelled is what is read in another spelling, each way by itself, so that places are
// in order and much can be shown at once. Most texts need none of it.
type respelled [waysToSpell]struct {
	spliced
	end int // of what was put aside last
}

// The ways to spell something.
const (
	inOtherCase = iota // also base64 of the other signs
	withDashes         // also base64 with its padding
	otherDashed        // in the other case
	withoutDash        // also - and _ for + and /
	otherUndash        // in the other case
	waysToSpell
)

// spelling is where a stretch is put; nil: nobody wants more.
func (s *search) spelling(way, start, end int) *spliced {
	if s.respelled == nil {
		s.respelled = new(respelled)
	}
	s.spelt = true
	b := &s.respelled[way]
	if n := len(b.out); n > 0 && (n >= batch || start < b.end) && !s.showSpelling(way) {
		return nil
	}
	b.end = end
	return &b.spliced
}

// parted ends a stretch whose last byte is before a place.
func (b *spliced) parted(end int) {
	p := splice{at: end - 1, end: end, n: len(border)} // it has to come from somewhere
	copy(p.out[:], border)
	b.put(p)
}

// sign appends a character that stands in no layer, at one that does.
func (b *spliced) sign(c byte, at int) { b.put(splice{at: at, end: at + 1, n: 1, out: [8]byte{c}}) }

// showSpelling yields what was put aside. Whatever is encoded in it is encoded in the
// layer, too: the digits mean the same.
func (s *search) showSpelling(way int) bool {
	b := &s.respelled[way]
	if len(b.out) == 0 {
		return true
	}
	s.cost.Texts++
	t := scanners.Text{
		Data: b.out[:len(b.out):len(b.out)], Origin: b.origin,
		Form: fingerprints.FormRaw, Alike: true, Guessed: true, Bare: true, Plain: true,
	}
	if !s.yield(t) {
		s.stopped = true
	}
	b.keep(0)
	return !s.stopped
}

// showSpellings yields all that was put aside.
func (s *search) showSpellings() bool {
	for way := 0; s.spelt && way < waysToSpell; way++ {
		if !s.showSpelling(way) {
			return false
		}
	}
	return true
}

// forget drops every trace of a text.
func (r *respelled) forget() {
	for way := range r {
		r[way].forget()
	}
}

// hexSpellings looks at hex that ends at places of a word, stretches of 16 digits and
// the last groups of UUIDs.
func (s *search) hexSpellings(at int, of16, of12 uint64) {
	for e := suffix(of16|of12, s.seenHex-at); e != 0 && !s.stopped; e = suffix(e&(e-1), s.seenHex-at) {
		p := at + first(e)
		switch {
		case of16>>first(e)&1 != 0:
			s.hexRun(p)
		case uuidAt(s.data, p+1-uuidLength) && !hexAround(s.data, p+1-uuidLength, p+1):
			s.uuid(p + 1 - uuidLength)
		}
	}
}

// A UUID is 32 digits, in groups between dashes.
const (
	uuidDigits = 32
	uuidLength = 36
)

// dashes are the digits of a UUID before which one stands.
const dashes = 1<<8 | 1<<12 | 1<<16 | 1<<20

// uuidAt reports whether a UUID with its dashes is at a place.
func uuidAt(data []byte, p int) bool {
	if p < 0 || p+uuidLength > len(data) {
		return false
	}
	for i, c := range data[p : p+uuidLength] {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (c == '-') || !dash && byteclass.Nibbles()[c] == byteclass.None {
			return false
		}
	}
	return true
}

// hexAround reports whether hex goes on before or behind data[from:to].
func hexAround(data []byte, from, to int) bool {
	return from > 0 && byteclass.Nibbles()[data[from-1]] != byteclass.None || to < len(data) && byteclass.Nibbles()[data[to]] != byteclass.None
}

// hexRun reads the hex around a place in other spellings.
func (s *search) hexRun(p int) {
	nibbles := byteclass.Nibbles()
	from, to := p+1, p+1
	for from > max(s.seenHex, p+1-leastSpelled) && nibbles[s.data[from-1]] != byteclass.None { // before it no streak of 16 ended
		from--
	}
	for to < len(s.data) && nibbles[s.data[to]] != byteclass.None {
		to++
	}
	s.seenHex = to
	if to-from < leastSpelled || caseOf(s.data[from:to]) != oneCase {
		return
	}
	s.spell(inOtherCase, from, to, 0, true)
	if to-from == uuidDigits {
		s.spell(withDashes, from, to, dashes, false)
		s.spell(otherDashed, from, to, dashes, true)
	}
}

// leastSpelled is how many characters are read in another spelling at the least.
const leastSpelled = 16

// uuid reads a UUID in other spellings.
func (s *search) uuid(from int) {
	to := from + uuidLength
	s.seenHex = to
	if caseOf(s.data[from:to]) != oneCase {
		return
	}
	s.spell(inOtherCase, from, to, 0, true)
	s.spell(withoutDash, from, to, 0, false)
	s.spell(otherUndash, from, to, 0, true)
}

// cases says in what cases letters are.
type cases int

const (
	noCase cases = iota
	oneCase
	bothCases
)

// caseOf is in how many cases the letters of hex are.
func caseOf(hex []byte) (n cases) {
	var upper, lower uint64
	for len(hex) >= 8 {
		w := binary.LittleEndian.Uint64(hex)
		upper |= w &^ (w << 1)
		lower |= w & (w << 1)
		hex = hex[8:]
	}
	for _, c := range hex {
		w := uint64(c)
		upper |= w &^ (w << 1)
		lower |= w & (w << 1)
	}
	switch upper, lower = upper&letterBits, lower&letterBits; {
	case upper != 0 && lower != 0:
		return bothCases
	case upper|lower != 0:
		return oneCase
	}
	return noCase
}

// letterBits are the bits that letters have and digits and dashes do not; the next lower
// one tells small letters from capitals.
const letterBits = 0x4040404040404040

// turn puts the letters of hex in the other case.
func turn(hex []byte) {
	for len(hex) >= 8 {
		w := binary.LittleEndian.Uint64(hex)
		binary.LittleEndian.PutUint64(hex, w^w&letterBits>>1)
		hex = hex[8:]
	}
	for i, c := range hex {
		hex[i] ^= c & 0x40 >> 1
	}
}

// spell puts hex aside in another spelling: in the other case, with dashes before some
// digits, and in the last two ways without those that stand there. A UUID is in braces,
// so that one which was registered with them is found.
func (s *search) spell(way, from, to int, dashed uint64, other bool) {
	b := s.spelling(way, from, to)
	if b == nil {
		return
	}
	s.cost.Judged += int64(to - from)
	braces := to-from == uuidLength && way == inOtherCase || dashed != 0
	if braces {
		b.sign('{', from)
	}
	first, last := len(b.out), from
	for ; dashed != 0; dashed &= dashed - 1 {
		p := from + bits.TrailingZeros64(dashed)
		b.raw(s.data, last, p)
		b.sign('-', p)
		last = p
	}
	for _, p := range []int{8, 13, 18, 23} {
		if way >= withoutDash {
			b.raw(s.data, last, from+p)
			last = from + p + 1
		}
	}
	b.raw(s.data, last, to)
	if other {
		turn(b.out[first:])
	}
	if braces {
		b.sign('}', to-1)
	}
	b.parted(to)
}

// Kinds of characters of base64.
const (
	lowers = 1 << iota
	uppers
	numerals
	pluses
	hyphens
)

// kinds64 are the kinds of the characters of both alphabets of base64.
var kinds64 = func() (t [256]uint8) {
	for c := range alnums {
		switch c := byte(c); {
		case c >= 'a' && c <= 'z':
			t[c] = lowers
		case c >= 'A' && c <= 'Z':
			t[c] = uppers
		case digit(c):
			t[c] = numerals
		}
	}
	t['+'], t['/'], t['-'], t['_'] = pluses, pluses, hyphens, hyphens
	return t
}()

// longestSpelled is how long base64 is at the most that is read in another spelling: it
// is the value itself.
const longestSpelled = 1 << 10

// base64Spellings looks at runs of base64 characters that end at places of a word.
func (s *search) base64Spellings(at int, ends uint64) {
	for ; ends != 0 && !s.stopped; ends &= ends - 1 {
		end := at + bits.TrailingZeros64(ends) + 1
		from, all := end, uint8(0)
		for low := max(0, end-longestSpelled-1); from > low && kinds64[s.data[from-1]] != 0; from-- {
			all |= kinds64[s.data[from-1]]
		}
		const chance = lowers | uppers | numerals
		if all&chance != chance || end-from > longestSpelled || wrappedLine64(s.data, from, end) {
			continue
		}
		if all&pluses == 0 || all&hyphens != 0 { // a token in a path
			s.base64Run(from, end, pluses, all)
		}
		if all&pluses != 0 && !s.stopped {
			s.base64Run(from, end, hyphens, all)
		}
	}
}

// leastLine64 is how long lines are at the least that what wraps base64 makes.
const leastLine64 = 60

// wrappedLine64 reports whether a run is a line of base64 that goes on in the next or
// that goes on from the one before: it is more than a value, and is decoded as it stands.
func wrappedLine64(data []byte, from, end int) bool {
	if n := escapes.Break(data[end:min(len(data), end+longestIndent)]); n > 0 && end-from >= leastLine64 && end+n+leastLine64 <= len(data) && allBase64(data[end+n:end+n+leastLine64]) {
		return true
	}
	before := from
	for before > max(0, from-longestIndent) && (data[before-1] <= ' ') {
		before--
	}
	return before < from && before >= leastLine64 && allBase64(data[before-leastLine64:before]) && bytes.IndexByte(data[before:from], '\n') >= 0
}

// longestIndent bounds what stands between two lines of base64.
const longestIndent = 64

// allBase64 reports whether characters are all of base64.
func allBase64(b []byte) bool {
	for _, c := range b {
		if kinds64[c] == 0 {
			return false
		}
	}
	return true
}

// base64Run looks at what of a run is of one alphabet: characters of a kind separate it.
func (s *search) base64Run(from, end int, separates, all uint8) {
	for start := from; start < end && !s.stopped; {
		to := end
		if all&separates != 0 {
			for to = start; to < end && kinds64[s.data[to]] != separates; to++ {
			}
		}
		if to-start >= leastSpelled && byChance(s.data[start:to]) {
			s.spell64(start, to)
		}
		start = to + 1
	}
}

// byChance reports whether characters look made by chance: there are digits, and kinds
// change as often as words and what is made of words seldom do.
func byChance(b []byte) bool {
	pairs, changes, all := 0, 0, uint8(0)
	last := uint8(0)
	for _, c := range b {
		kind := kinds64[c]
		all |= kind
		if kind&(pluses|hyphens) == 0 && last&(pluses|hyphens) == 0 && last != 0 {
			pairs++
			if kind != last {
				changes++
			}
		}
		last = kind
	}
	const chance = lowers | uppers | numerals
	return all&chance == chance && 3*changes > pairs
}

// spell64 puts base64 aside with the other two signs, and with the padding that it lacks.
func (s *search) spell64(from, to int) {
	pads := 0
	for to+pads < len(s.data) && s.data[to+pads] == '=' && pads < 2 {
		pads++
	}
	lacks := 0
	if n := (to - from) % 4; pads == 0 && n > 1 {
		lacks = 4 - n
	}
	signs := uint8(0)
	for _, c := range s.data[from:to] {
		signs |= kinds64[c] & (pluses | hyphens)
	}
	if signs != 0 {
		way := inOtherCase
		if signs == hyphens {
			way = withoutDash
		}
		s.put64(way, from, to, pads, lacks, true)
	}
	if lacks > 0 {
		s.put64(withDashes, from, to, 0, lacks, false)
	}
}

// otherSigns are the signs of the other alphabet.
var otherSigns = [256]byte{'+': '-', '/': '_', '-': '+', '_': '/'}

func (s *search) put64(way, from, to, pads, lacks int, other bool) {
	b := s.spelling(way, from, to)
	if b == nil {
		return
	}
	s.cost.Judged += int64(to - from)
	first := len(b.out)
	b.raw(s.data, from, to+pads)
	for i := first; other && i < len(b.out); i++ {
		if c := otherSigns[b.out[i]]; c != 0 {
			b.out[i] = c
		}
	}
	for range lacks {
		b.sign('=', to-1)
	}
	b.parted(to + pads)
}
