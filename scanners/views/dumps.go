package views

import (
	"bytes"

	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// cell is a group of digits of a dump's line.
type cell struct{ at, width int }

// dumpLine is a line of a dump: an offset, groups of equal width, and often
// what they are as text, which tells in what order the bytes of a group are.
type dumpLine struct {
	from, to int // the line, without its end
	offset   [3]int64
	colon    bool // behind the offset: xxd, which keeps the order of bytes
	how      groups
	width    int // of a group of digits; of decimal numbers how many columns one takes
	cells    int
	pairs    bool // all decimal numbers have two digits: they may as well be hex
	marked   bool // the groups begin with 0x: words of the machine
	more     bool // something stands behind characters or numbers
}

// groups is what the groups of a line are.
type groups int

// What groups may be, those first that are not easily taken for others.
const (
	ofChars    groups = iota // four columns a byte: a character, an escape, a name or an octal number, as od -c and -a have them
	ofBits                   // eight binary digits
	ofDecimals               // numbers that end every few columns, or behind tabs
	ofDigits                 // hex digits, or octal ones
	anyGroups
)

// radices are what offsets are written in; noOffset is one that has other digits.
var radices = [3]int{16, 8, 10}

const noOffset = -1 << 63

// longestLine is how long a line of a dump can be.
const longestLine = 1024

// opensDump reports whether a line begins with what may be an offset: lines of
// few groups, or of characters, have no row of numbers.
func opensDump(line []byte) bool {
	n := numberEnd(line, 0)
	if n < 6 || n >= len(line) {
		return false
	}
	switch line[n] {
	case ' ', '\t', ':', '`':
		return n <= 8 || opensAddress(line)
	}
	return opensAddress(line)
}

// opensAddress reports whether a line begins with an address as debuggers write it:
// 0x, digits, and a colon behind them or behind the name of a place.
func opensAddress(line []byte) bool {
	if len(line) < 3 || line[0] != '0' || line[1] != 'x' {
		return false
	}
	p := 2
	for p < min(len(line)-1, longestAddress) && byteclass.Nibbles()[line[p]] != byteclass.None {
		p++
	}
	return line[p] == ':' || line[p] == ' ' && p+1 < len(line) && line[p+1] == '<'
}

// longestAddress is how many characters an address of 64 bits has.
const longestAddress = 18

// dump reads the dump that the line around p may be part of and yields it. It
// reports whether there was one.
func (s *search) dump(p int) bool {
	n := &s.numbers
	low := n.done
	from := max(low, p-longestLine)
	if k := bytes.LastIndexByte(s.data[from:p], '\n'); k >= 0 {
		from += k + 1
	} else if from > low {
		return false
	}
	if n.tried == from+1 {
		return false
	}
	n.tried = from + 1
	for how := range anyGroups {
		if first, ok := s.dumpLine(from, how, 0); ok && s.readDump(s.firstLine(first, low)) {
			return true
		}
	}
	return false
}

// firstLine goes back to the first line of a dump.
func (s *search) firstLine(first dumpLine, low int) dumpLine {
	for range mostBack {
		above, ok := s.lineAbove(first, low)
		if !ok || !s.continues(above, first) {
			break
		}
		first = above
	}
	return first
}

// lineAbove reads the line before another.
func (s *search) lineAbove(d dumpLine, low int) (dumpLine, bool) {
	p := d.from
	if p-1 <= low {
		return dumpLine{}, false
	}
	from := max(low, p-1-longestLine)
	k := bytes.LastIndexByte(s.data[from:p-1], '\n')
	if k < 0 && from > low {
		return dumpLine{}, false
	}
	return s.dumpLine(from+k+1, d.how, d.width)
}

// continues reports whether a line follows another of the same dump.
func (s *search) continues(a, b dumpLine) bool {
	return a.colon == b.colon && a.marked == b.marked && a.width == b.width && a.step(b) > 0
}

// step is how many bytes a line has, by the offset of the next; 0: the next
// does not follow it. Of several that the radices of the offsets allow it is
// the likeliest.
func (d dumpLine) step(next dumpLine) (best int) {
	rank := 0
	for r := range radices {
		n := int(next.offset[r] - d.offset[r])
		if d.offset[r] == noOffset || next.offset[r] == noOffset || n <= 0 || n > d.bytes() || d.tabs() && n%d.cells != 0 {
			continue
		}
		have := 1
		switch {
		case n == d.bytes():
			have = 3
		case n%8 == 0:
			have = 2
		}
		if have > rank {
			best, rank = n, have
		}
	}
	return best
}

// bytes is how many bytes the groups of the line hold at most.
func (d dumpLine) bytes() int { return d.cells * d.each() }

// each is how many bytes a group holds, of numbers behind tabs at most.
func (d dumpLine) each() int {
	switch {
	case d.how == ofDecimals:
		return columns[d.width]
	case d.how != ofDigits:
		return 1
	}
	if d.octal() {
		return octalBytes[d.width]
	}
	return d.width / 2
}

// tabs reports whether the groups are numbers behind tabs, of whose size the next
// line's offset tells.
func (d dumpLine) tabs() bool { return d.how == ofDecimals && d.width == tabbed }

// octal reports whether groups have as many digits as octal numbers of some bytes.
func (d dumpLine) octal() bool {
	return d.width < len(octalBytes) && octalBytes[d.width] > 0 && !d.colon && !d.marked
}

// octalBytes is how many bytes there are in so many octal digits.
var octalBytes = [...]int{6: 2, 11: 4, 22: 8}

// longestGroup is how many digits a group has at the most: xxd -g 32.
const longestGroup = 64

// mostOfText is how many words beside the groups may look like groups.
const mostOfText = 4

// readDump reads a dump from its first line on.
func (s *search) readDump(d dumpLine) bool {
	n := &s.numbers
	low := n.done
	d, _ = s.dumpLine(d.from, d.how, d.width)
	lines, width, each := 1, 16, d.each()
	if d.tabs() {
		width, each = d.cells, 1
	} else if all := d.bytes(); all > width+mostOfText {
		width = all
	}
	n.built.reset()
	n.shown, n.likeness = false, 0
	goOn := true
	for goOn {
		cells := append([]cell(nil), n.cells...)
		next, ok := s.nextLine(d)
		if ok {
			if width = d.step(next); d.tabs() {
				each = width / len(cells)
			}
		}
		if !ok && lines == 1 && !d.alone() || d.more && !n.shown {
			n.done = low
			return false
		}
		s.pushLine(d, cells, min(width, len(cells)*each), each)
		goOn = s.spill(fingerprints.FormDump, false) && ok
		n.done = d.to
		if ok {
			d = next
			lines++
		}
	}
	s.show(fingerprints.FormDump, false)
	return true
}

// nextLine reads the line that follows another of the same dump, be it behind one
// that has the same bytes once more and no offset, as od -tx1c writes them.
func (s *search) nextLine(d dumpLine) (next dumpLine, ok bool) {
	if d.to >= len(s.data) {
		return next, false
	}
	p := d.to + 1
	if next, ok = s.dumpLine(p, d.how, d.width); ok && s.continues(d, next) {
		return next, true
	}
	rest := s.data[p:min(len(s.data), p+longestLine)]
	k := bytes.IndexByte(rest, '\n')
	if k < 0 || d.how != ofDigits || !bytes.HasPrefix(rest, []byte("      ")) {
		return next, false
	}
	next, ok = s.dumpLine(p+k+1, d.how, d.width)
	return next, ok && s.continues(d, next)
}

// alone reports whether a line may be all of a dump. What is written in bits may as well
// be a list.
func (d dumpLine) alone() bool {
	if !d.colon && !d.marked && d.offset[0] != 0 && (d.how == ofBits || d.how == ofDigits && d.width == 8) {
		return false
	}
	return !d.pairs && d.cells*d.each() >= leastList && (d.offset[0]%16 == 0 || d.marked && d.offset[0]%8 == 0)
}

// pushLine appends the first bytes of a line, which has so many in each group.
func (s *search) pushLine(d dumpLine, cells []cell, most, each int) {
	b := &s.numbers.built
	s.cost.Numbers += int64(most)
	cells = cells[:min(len(cells), (most+each-1)/each)]
	s.numbers.likeness += d.likeness(s.data, cells)
	swapped := !d.keeps() || s.numbers.likeness < 0
	for _, c := range cells {
		if most <= 0 {
			return
		}
		tok := s.data[c.at : c.at+c.width]
		switch {
		case d.how == ofChars:
			v, _ := charCell(tok)
			at := c.at
			for at < c.at+c.width-1 && s.data[at] == ' ' {
				at++
			}
			b.push(v, at, c.at+c.width)
		case d.how == ofDigits && d.octal():
			b.pushWord(numberIn(tok, 8), min(each, most), c)
		case d.how == ofDigits && !swapped:
			for k := 0; k+1 < c.width && k/2 < most; k += 2 {
				v, _ := digitsIn(tok[k:k+2], 16)
				b.push(v, c.at+k, c.at+k+2)
			}
		case d.how == ofDigits: // words of the machine, the last byte first
			for k, n := c.width-2, 0; k >= 0 && n < most; k, n = k-2, n+1 {
				if tok[k+1] == '`' {
					k--
				}
				v, _ := digitsIn(tok[k:k+2], 16)
				b.push(v, c.at, c.at+c.width)
			}
		case d.how == ofBits:
			b.pushWord(numberIn(tok, 2), 1, c)
		default:
			b.pushWord(decimalIn(tok), min(each, most), c)
		}
		most -= each
	}
}

// pushWord appends the lowest bytes of a number that a group stands for.
func (b *built) pushWord(v uint64, n int, c cell) {
	for range n {
		b.push(byte(v), c.at, c.at+c.width)
		v >>= 8
	}
}

// keeps reports whether the bytes of a group stand in their order, unless the text
// beside them tells otherwise.
func (d dumpLine) keeps() bool { return d.width == 2 || d.colon && !d.marked }

// likeness is how much better the text beside the groups agrees with their bytes than
// with those of each in the other order, as xxd -e writes them.
func (d dumpLine) likeness(data []byte, cells []cell) (score int) {
	if d.how != ofDigits || !d.keeps() || d.width < 4 || len(cells) == 0 {
		return 0
	}
	last := cells[len(cells)-1]
	text, found := bytes.CutPrefix(bytes.TrimSuffix(data[last.at+last.width:d.to], []byte("\r")), []byte("  "))
	if !found {
		return 0
	}
	total := 0
	for _, c := range cells {
		total += c.width / 2
	}
	text = text[max(0, len(text)-total):] // without the columns of groups that are not there
	for _, c := range cells {
		n := c.width / 2
		if n > len(text) {
			break
		}
		for k := range n {
			v, _ := digitsIn(data[c.at+2*k:c.at+2*k+2], 16)
			if v == text[k] {
				score++
			}
			if v == text[n-1-k] {
				score--
			}
		}
		text = text[n:]
	}
	return score
}
