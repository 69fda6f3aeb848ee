package views

import (
	"math/bits"

	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// numbers finds lists and dumps of byte values: it counts short numbers behind
// equal bytes, and looks closer where some follow each other.
type numbers struct {
	last  int    // where the last number begins
	prev  byte   // what stands before it
	count int    // numbers in a row, the last one too
	sep   extent // the shortest stretch between two of them
	done  int    // how far lists and dumps were read
	tried int    // behind where the last line begins that was no dump's

	built    built
	shown    bool // a piece of the list at hand was yielded
	cells    []cell
	likeness int // of the dump at hand, so far
}

const (
	// leastRow is how many numbers in a row make a list likely, and leastList
	// how many bytes of text are worth being yielded.
	leastRow, leastList = 6, 8
	// plenty is how many bytes are yielded whether they are text or not.
	plenty = 32
	// longestNumber is how many characters a number has, longestSeparator how
	// many stand between two but for white space, and longestSpace of that.
	longestNumber, longestSeparator, longestSpace = 10, 20, 160
	// mostBack is how many numbers or lines before the first likely one belong
	// to it.
	mostBack = 64
)

// tokenStarts returns the bits of a word of hex digits where runs of up to
// longestNumber digits begin, and those where longer ones do.
func tokenStarts(before, w, after uint64) (starts, long uint64) {
	starts = w &^ (w<<1 | before>>63)
	if starts == 0 {
		return 0, 0
	}
	w1, a1 := w&(w>>1|after<<63), after&(after>>1)
	w2, a2 := w1&(w1>>2|a1<<62), a1&(a1>>2)
	w3, a3 := w2&(w2>>4|a2<<60), a2&(a2>>4)
	long = starts & w3 & (w3>>3 | a3<<61)
	return starts &^ long, long
}

// tokens counts the numbers that begin in a word at a place.
func (s *search) tokens(tokens uint64, at int) {
	n, data := &s.numbers, s.data
	for ; tokens != 0; tokens &= tokens - 1 {
		p := at + bits.TrailingZeros64(tokens)
		prev := byte('\n')
		if p > 0 {
			prev = data[p-1]
		}
		if prev == '\n' && p >= n.done && opensDump(data[p:]) {
			s.dump(p)
		}
		if prev == '-' && p > 1 && (data[p-2] == ' ' || data[p-2] == ',') {
			prev = data[p-2] // a sign, which the next number may not have
		}
		if prev != n.prev || p-n.last > longestNumber+longestSeparator {
			n.prev, n.last, n.count, n.sep = prev, p, 1, extent{}
			continue
		}
		if e := numberEnd(data, n.last); n.sep.to == 0 || p-e < n.sep.to-n.sep.from {
			n.sep = extent{e, p}
		}
		n.last = p
		if n.count++; n.count >= leastRow && !isEscape(prev) {
			n.count = 0
			if p >= n.done && !s.dump(p) && !s.stopped {
				s.lists(p)
			}
		}
	}
}

// addresses looks at runs that are longer than a number, which begin in a word at a
// place: gdb writes the addresses of lines so.
func (s *search) addresses(long uint64, at int) {
	for ; long != 0; long &= long - 1 {
		p := at + bits.TrailingZeros64(long)
		if s.data[p] == '0' && (p == 0 || s.data[p-1] == '\n') && p >= s.numbers.done && opensAddress(s.data[p:]) {
			s.dump(p)
		}
	}
}

// isEscape reports whether numbers behind c are escapes, which others undo.
func isEscape(c byte) bool { return c == '\\' || c == '%' || c == '#' || c == '=' }

// numberEnd returns where the number at p ends.
func numberEnd(data []byte, p int) int {
	for end := min(len(data), p+longestNumber+1); p < end && isDigit(data[p]); p++ {
	}
	return p
}

// isDigit reports whether c is a hex digit or the x of 0x.
func isDigit(c byte) bool { return byteclass.Nibbles()[c] != byteclass.None || c|0x20 == 'x' }

// base is how the numbers of a list are written.
type base int

const (
	inHexPairs base = iota // 41 42
	inPrefixed             // 0x41, 0x42; 0x9
	inDecimal              // 65, 66, -61
	inOctal                // 0141, 141
	inBinary               // 01000001, 0b01000001
	anyBase
)

// value reads a number.
func (b base) value(tok []byte) (byte, bool) {
	switch b {
	case inPrefixed:
		if len(tok) < 3 || len(tok) > 4 || tok[0] != '0' || tok[1]|0x20 != 'x' {
			return 0, false
		}
		return digitsIn(tok[2:], 16)
	case inHexPairs:
		if len(tok) != 2 {
			return 0, false
		}
		return digitsIn(tok, 16)
	case inDecimal:
		if len(tok) > 3 {
			return 0, false
		}
		return digitsIn(tok, 10)
	case inOctal:
		if len(tok) < 2 || len(tok) > 4 || len(tok) != 3 && tok[0] != '0' {
			return 0, false
		}
		return digitsIn(tok, 8)
	case inBinary:
		if len(tok) == 10 && tok[0] == '0' && tok[1]|0x20 == 'b' {
			tok = tok[2:]
		}
		if len(tok) != 8 {
			return 0, false
		}
		return digitsIn(tok, 2)
	default:
		return 0, false
	}
}

// digitsIn reads digits of a radix; false when there are others or none, or the
// number is no byte.
func digitsIn(tok []byte, radix int) (byte, bool) {
	v := 0
	for _, c := range tok {
		d := int(byteclass.Nibbles()[c])
		if d >= radix {
			return 0, false
		}
		if v = v*radix + d; v > 255 {
			return 0, false
		}
	}
	return byte(v), len(tok) > 0
}

// lists reads the lists that the number at p may be part of: 41 may be hex or
// decimal.
func (s *search) lists(p int) {
	n := &s.numbers
	l := list{data: s.data, low: n.done}
	for _, c := range s.data[n.sep.from:n.sep.to] {
		if !isSpace(c) {
			l.sep[l.size] = c
			if l.size++; l.size == len(l.sep) {
				return
			}
		}
	}
	if l.size > 0 && l.sep[l.size-1] == '-' && (l.size > 1 || isSpace(s.data[n.sep.from]) && !isSpace(s.data[n.sep.to-1])) {
		l.size-- // a sign
	}
	done := n.sep.to
	for b := base(0); b < anyBase && !s.stopped; b++ {
		l.base = b
		if _, ok := b.value(s.data[p:numberEnd(s.data, p)]); ok {
			done = max(done, s.list(&l, p))
		}
	}
	n.done = done
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// list is how the numbers of a list are written and what stands between them.
type list struct {
	data []byte
	low  int // nothing before it belongs to the list
	base base
	sep  [longestSeparator]byte // without white space
	size int
	zero bool // a number begins with a zero, as in no decimal list
}

// list reads a list around the number at p, yields it, and returns where it
// ends.
func (s *search) list(l *list, p int) (end int) {
	n := &s.numbers
	for range mostBack {
		q, ok := l.before(p)
		if !ok {
			break
		}
		p = q
	}
	n.built.reset()
	n.shown, l.zero = false, false
	goOn := true
	for goOn {
		end = numberEnd(l.data, p)
		v, ok := l.base.value(l.data[p:end])
		if !ok {
			break
		}
		s.cost.Numbers++
		l.zero = l.zero || end-p > 2 && l.data[p] == '0'
		if l.negative(p) {
			n.built.push(-v, p-1, end)
		} else {
			n.built.push(v, p, end)
		}
		if goOn = s.spill(fingerprints.FormNumbers, l.doubt()); !goOn {
			break
		}
		p, goOn = l.behind(end)
	}
	s.show(fingerprints.FormNumbers, l.doubt())
	return end
}

// negative reports whether a sign stands before the number at p.
func (l *list) negative(p int) bool {
	return l.base == inDecimal && p > l.low && l.data[p-1] == '-' && (l.size == 0 || l.sep[l.size-1] != '-')
}

// goesOn reports whether a backslash at p stands at the end of a line that goes
// on in the next, as in what Windows exports its registry to.
func (l *list) goesOn(p int) bool {
	return l.data[p] == '\\' && p+1 < len(l.data) && (l.data[p+1] == '\n' || l.data[p+1] == '\r')
}

// behind returns where the number after the one that ends at p begins.
func (l *list) behind(p int) (int, bool) {
	from := p
	space := func() {
		for p < len(l.data) && p-from < longestSpace && (isSpace(l.data[p]) || l.goesOn(p)) {
			p++
		}
	}
	space()
	for _, c := range l.sep[:l.size] {
		if p >= len(l.data) || l.data[p] != c {
			return p, false
		}
		p++
		space()
	}
	if p == from || p >= len(l.data) {
		return p, false
	}
	if l.base == inDecimal && l.data[p] == '-' {
		p++
	}
	return p, p < len(l.data)
}

// before returns where the number before the one at p begins.
func (l *list) before(p int) (int, bool) {
	if l.negative(p) {
		p--
	}
	from := p
	space := func() {
		for p > l.low && from-p < longestSpace && (isSpace(l.data[p-1]) || l.goesOn(p-1)) {
			p--
		}
	}
	space()
	for k := l.size - 1; k >= 0; k-- {
		if p <= l.low || l.data[p-1] != l.sep[k] {
			return p, false
		}
		p--
		space()
	}
	end := p
	for p > l.low && end-p <= longestNumber && isDigit(l.data[p-1]) {
		p--
	}
	if end == from {
		return p, false
	}
	_, ok := l.base.value(l.data[p:end])
	return p, ok
}

// spill yields what was read so far once it is a whole piece.
func (s *search) spill(form fingerprints.Form, doubt bool) bool {
	n := &s.numbers
	if !n.built.full(s.layer) {
		return true
	}
	kept := n.built
	goOn := s.show(form, doubt)
	n.shown = true
	n.built = kept.last(s.layer.Overlap)
	return goOn && s.ctx.Err() == nil
}

// show yields what was read, if it can be of use.
func (s *search) show(form fingerprints.Form, doubt bool) bool {
	n := &s.numbers
	w := forAll
	if !n.shown {
		w = worthOf(n.built.out, doubt)
	}
	switch w {
	case forNobody:
	case forCertain:
		s.guess(&n.built, form)
	default:
		s.cost.Texts++
		if !n.built.texts(s.layer, text(form), s.yield) {
			s.stopped = true
		}
	}
	n.built.reset()
	return !s.stopped
}

// doubt reports whether the numbers may well be meant in another base: those of
// three digits are rather decimal than octal.
func (l *list) doubt() bool { return l.base == inOctal && !l.zero }
