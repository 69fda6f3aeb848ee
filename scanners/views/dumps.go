package views

import (
	"bytes"

	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// cell is a group of digits of a dump's line.
type cell struct{ at, width int }

// dumpLine is a line of a dump: an offset, groups of equal width, and often
// what they are as text, which is not looked at.
type dumpLine struct {
	from, to int // the line, without its end
	offset   [3]int64
	colon    bool // behind the offset: xxd, which keeps the order of bytes
	how      groups
	width    int // of a group of digits
	cells    int
	more     bool // something stands behind characters
}

// groups is what the groups of a line are.
type groups int

// What groups may be, those first that are not easily taken for others.
const (
	ofChars    groups = iota // four columns a byte: a character, an escape or an octal number, as od -c has them
	ofBits                   // eight binary digits
	ofDecimals               // numbers that end every four columns
	ofDigits                 // hex digits, or six octal ones
	anyGroups
)

// radices are what offsets are written in.
var radices = [3]int{16, 8, 10}

// longestLine is how long a line of a dump can be.
const longestLine = 400

// opensDump reports whether a line begins with what may be an offset: lines of
// few groups, or of characters, have no row of numbers.
func opensDump(line []byte) bool {
	n := numberEnd(line, 0)
	return n >= 6 && n <= 8 && n < len(line) && (line[n] == ' ' || line[n] == '\t' || line[n] == ':')
}

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
	return a.colon == b.colon && a.width == b.width && a.step(b) > 0
}

// step is how many bytes a line has, by the offset of the next; 0: the next
// does not follow it. Of several that the radices of the offsets allow it is
// the likeliest.
func (d dumpLine) step(next dumpLine) (best int) {
	rank := 0
	for r := range radices {
		n := int(next.offset[r] - d.offset[r])
		if d.offset[r] < 0 || next.offset[r] < 0 || n <= 0 || n > d.bytes() {
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

// each is how many bytes a group holds.
func (d dumpLine) each() int {
	switch {
	case d.how != ofDigits:
		return 1
	case d.width == 6: // an octal word
		return 2
	}
	return d.width / 2
}

// readDump reads a dump from its first line on.
func (s *search) readDump(d dumpLine) bool {
	n := &s.numbers
	low := n.done
	d, _ = s.dumpLine(d.from, d.how, d.width)
	lines, width := 1, 16
	n.built.reset()
	n.shown = false
	goOn := true
	for goOn {
		cells := append([]cell(nil), n.cells...)
		next, ok := dumpLine{}, false
		if d.to < len(s.data) {
			next, ok = s.dumpLine(d.to+1, d.how, d.width)
		}
		if ok = ok && s.continues(d, next); ok {
			width = d.step(next)
		}
		if !ok && lines == 1 && (d.bytes() < leastList || d.offset[0]%16 != 0) || d.more && !n.shown {
			n.done = low
			return false
		}
		s.pushLine(d, cells, min(width, d.bytes()))
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

// pushLine appends the first bytes of a line.
func (s *search) pushLine(d dumpLine, cells []cell, most int) {
	b := &s.numbers.built
	s.cost.Numbers += int64(most)
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
		case d.how == ofBits:
			v, _ := digitsIn(tok, 2)
			b.push(v, c.at, c.at+c.width)
		case d.how == ofDecimals:
			v, _ := digitsIn(tok, 10)
			b.push(v, c.at, c.at+c.width)
		case d.width == 6:
			v := 0
			for _, ch := range tok {
				v = v<<3 | int(ch-'0')
			}
			b.push(byte(v), c.at, c.at+c.width)
			if most > 1 {
				b.push(byte(v>>8), c.at, c.at+c.width)
			}
		case d.colon || d.width == 2:
			for k := 0; k+1 < c.width && k/2 < most; k += 2 {
				v, _ := digitsIn(tok[k:k+2], 16)
				b.push(v, c.at+k, c.at+k+2)
			}
		default: // words of the machine, the last byte first
			for k := c.width - 2; k >= 0 && (c.width-2-k)/2 < most; k -= 2 {
				v, _ := digitsIn(tok[k:k+2], 16)
				b.push(v, c.at, c.at+c.width)
			}
		}
		most -= d.each()
	}
}

// dumpLine reads the line at p, with groups of one kind, of a width that the
// line beside it has, unless that is 0. They are in numbers.cells.
func (s *search) dumpLine(p int, how groups, width int) (d dumpLine, ok bool) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	n := &s.numbers
	d.how, d.width = how, width
	n.cells = n.cells[:0]
	d.from, d.to = p, min(len(s.data), p+longestLine)
	if k := bytes.IndexByte(s.data[p:d.to], '\n'); k >= 0 {
		d.to = p + k
	} else if d.to < len(s.data) {
		return d, false
	}
	line := s.data[:d.to]
	if len(line) > p && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	for p < len(line) && (line[p] == ' ' || line[p] == '\t') {
		p++
	}
	if p+2 < len(line) && line[p] == '0' && line[p+1]|0x20 == 'x' {
		p += 2
	}
	at := p
	for p < len(line) && byteclass.Nibbles()[line[p]] != byteclass.None {
		p++
	}
	if p-at < 4 || p-at > 16 {
		return d, false
	}
	for r, radix := range radices {
		d.offset[r] = offsetIn(line[at:p], int64(radix))
	}
	if p < len(line) && line[p] == ':' {
		d.colon = true
		p++
	}
	if p >= len(line) || line[p] != ' ' && line[p] != '\t' {
		return d, false
	}
	if how == ofChars {
		s.charCells(&d, line, p)
	} else {
		s.digitCells(&d, line, p)
	}
	d.cells = len(n.cells)
	return d, d.cells > 0
}

// offsetIn reads an offset; -1 when it has other digits.
func offsetIn(tok []byte, radix int64) (v int64) {
	for _, c := range tok {
		d := int64(byteclass.Nibbles()[c])
		if d >= radix || v > 1<<55 {
			return -1
		}
		v = v*radix + d
	}
	return v
}

// digitCells reads groups of digits of equal width.
func (s *search) digitCells(d *dumpLine, line []byte, p int) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	n := &s.numbers
	gap, widest := 0, 0
	if d.how == ofDecimals {
		gap = 2 // columns of four have up to three blanks
	}
	for {
		at := p
		for p < len(line) && (line[p] == ' ' || line[p] == '\t') {
			p++
		}
		if k := len(n.cells); k > 0 && p == at && p < len(line) && line[p] == '-' {
			p++ // between halves
		} else if gap == 0 && k == 1 {
			gap = min(p-at, widestGap)
		}
		if len(n.cells) > 0 && p-at > gap+1 {
			break
		}
		from := p
		for p < len(line) && byteclass.Nibbles()[line[p]] != byteclass.None {
			p++
		}
		if p == from || from == at || p < len(line) && line[p] != ' ' && line[p] != '\t' && line[p] != '-' {
			break
		}
		if len(n.cells) > 0 && p-from > widest && widest > 3 {
			break
		}
		widest = max(widest, p-from)
		n.cells = append(n.cells, cell{from, p - from})
	}
	s.shape(d, line)
}

// shape drops the groups from the first on that is not what groups are.
func (s *search) shape(d *dumpLine, line []byte) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	n := &s.numbers
	if len(n.cells) == 0 {
		return
	}
	// Of the last line xxd may have a part of a group alone.
	alone := d.colon && len(n.cells) == 1 && n.cells[0].width < d.width && n.cells[0].width%2 == 0
	if !alone {
		d.width = n.cells[0].width
	}
	radix := int64(16)
	switch {
	case d.how == ofBits && d.width == 8:
		radix = 2
	case d.how == ofDecimals && d.width <= 3:
		radix = 10
	case d.how == ofDigits && d.width == 6:
		radix = 8
	case d.how == ofDigits && (d.width == 2 || d.width == 4 || d.width == 8 || d.width == 16):
	default:
		n.cells = n.cells[:0]
		return
	}
	k := 0
	for ; k < len(n.cells); k++ {
		c := n.cells[k]
		v := offsetIn(line[c.at:c.at+c.width], radix)
		switch {
		case v < 0, c.width != d.width && radix != 10:
		case radix == 10 && (v > 255 || k > 0 && c.at+c.width-n.cells[k-1].at-n.cells[k-1].width != 4):
		default:
			continue
		}
		break
	}
	if k == len(n.cells)-1 && d.colon && d.how == ofDigits && n.cells[k].width < d.width && n.cells[k].width%2 == 0 {
		k++ // xxd's last group
	}
	if n.cells = n.cells[:k]; radix == 10 {
		d.width = 0 // differs from group to group
	}
}

// widestGap is how far apart groups can stand: hexdump -x has four blanks.
const widestGap = 4

// charCells reads groups of four columns, as od -c has them.
func (s *search) charCells(d *dumpLine, line []byte, p int) {
	n := &s.numbers
	n.cells = n.cells[:0]
	for ; !d.colon && p+4 <= len(line); p += 4 {
		if _, ok := charCell(line[p : p+4]); !ok {
			break
		}
		n.cells = append(n.cells, cell{p, 4})
	}
	d.more = len(bytes.TrimSpace(line[p:])) > 0
}

// charCell reads a group of four columns: a character, an escape, or an octal
// number.
func charCell(b []byte) (byte, bool) {
	if b[0] != ' ' {
		return 0, false
	}
	switch {
	case b[1] == ' ' && b[2] == ' ':
		return b[3], b[3] >= ' ' && b[3] < 0x7f
	case b[1] == ' ' && b[2] == '\\':
		for i, c := range []byte("0abtnvfr") {
			if b[3] == c {
				return [...]byte{0, 7, 8, 9, 10, 11, 12, 13}[i], true
			}
		}
		return 0, false
	}
	return digitsIn(b[1:4], 8)
}
