package views

import (
	"bytes"

	"revenant/scanners/byteclass"
)

// dumpLine reads the line at p, with groups of one kind, of a width that the
// line beside it has, unless that is 0. They are in numbers.cells.
func (s *search) dumpLine(p int, how groups, width int) (d dumpLine, ok bool) {
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
	p, ok = d.head(line, p)
	if !ok {
		return d, false
	}
	switch how {
	case ofChars:
		s.charCells(&d, line, p)
	case ofDecimals:
		s.decimalCells(&d, line, p)
	default:
		s.digitCells(&d, line, p)
	}
	d.cells = len(n.cells)
	return d, d.cells > 0
}

// head reads what stands before the groups and returns where it ends: an offset, in
// bars as Netty has it, before a dash as OpenSSL has it, or before the name of a
// place as gdb has it.
func (d *dumpLine) head(line []byte, p int) (end int, ok bool) {
	for p < len(line) && blank(line[p]) {
		p++
	}
	bar := bytes.HasPrefix(line[p:], []byte("|"))
	if bar {
		p++
	}
	marked := p+2 < len(line) && line[p] == '0' && line[p+1]|0x20 == 'x'
	if marked {
		p += 2
	}
	at := p
	p = nibblesEnd(line, p)
	if p-at == 8 && p < len(line) && line[p] == '`' { // WinDbg
		p = nibblesEnd(line, p+1)
	}
	if p-at < 4 || p-at > 17 {
		return p, false
	}
	for r, radix := range radices {
		if d.offset[r] = offsetIn(line[at:p], int64(radix)); marked && radix != 16 {
			d.offset[r] = noOffset
		}
	}
	if bar && bytes.HasPrefix(line[p:], []byte("|")) {
		p++
	}
	return d.behindOffset(line, p)
}

// behindOffset reads what stands between the offset that ends at p and the groups.
func (d *dumpLine) behindOffset(line []byte, p int) (end int, ok bool) {
	if bytes.HasPrefix(line[p:], []byte(" <")) {
		k := bytes.Index(line[p:], []byte(">:"))
		if k < 0 {
			return p, false
		}
		p += k + 1
	}
	if p < len(line) && line[p] == ':' {
		d.colon = true
		p++
	}
	if p >= len(line) || !blank(line[p]) {
		return p, false
	}
	if bytes.HasPrefix(line[p:], []byte(" - ")) {
		p += 2
	}
	return p, true
}

// nibblesEnd is where the hex digits at p end.
func nibblesEnd(line []byte, p int) int {
	for p < len(line) && byteclass.Nibbles()[line[p]] != byteclass.None {
		p++
	}
	return p
}

// offsetIn reads an offset; noOffset when it has other digits. It may overflow: what
// matters is how far two are apart.
func offsetIn(tok []byte, radix int64) (v int64) {
	for _, c := range tok {
		d := int64(byteclass.Nibbles()[c])
		if c == '`' && radix == 16 {
			continue
		}
		if d >= radix {
			return noOffset
		}
		v = v*radix + d
	}
	return v
}

// numberIn reads digits of a radix.
func numberIn(tok []byte, radix uint64) (v uint64) {
	for _, c := range tok {
		v = v*radix + uint64(byteclass.Nibbles()[c])
	}
	return v
}

// digitCells reads groups of digits of equal width.
func (s *search) digitCells(d *dumpLine, line []byte, p int) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	n := &s.numbers
	gap, widest := 0, 0
	for {
		at := p
		for p < len(line) && blank(line[p]) {
			p++
		}
		k := len(n.cells)
		if k > 0 && p == at && p < len(line) && line[p] == '-' {
			p++ // between halves
		} else if gap == 0 && k == 1 {
			gap = min(p-at, widestGap)
		}
		if p+2 < len(line) && line[p] == '0' && line[p+1] == 'x' && (k == 0 || d.marked) {
			d.marked = true
			p += 2
		} else if d.marked {
			break
		}
		from := p
		p = nibblesEnd(line, p)
		if p-from == 8 && p < len(line) && line[p] == '`' && nibblesEnd(line, p+1) == p+9 {
			p += 9
		}
		if p == from || from == at || p < len(line) && !blank(line[p]) && line[p] != '-' {
			break
		}
		if k > 0 && !d.marked && from-at > gap+1 && !(k == 8 && widest == 2 && from-at == gap+2) && !(d.colon && widest > 3 && p-at == gap+widest) {
			break
		}
		if k > 0 && p-from > widest && widest > 3 {
			break
		}
		n.cells = append(n.cells, cell{from, p - from})
		if widest > 3 && p-from < widest {
			break // a part of a group is the last
		}
		widest = max(widest, p-from)
	}
	s.shape(d, line)
}

// shape drops the groups from the first on that is not what groups are.
func (s *search) shape(d *dumpLine, line []byte) {
	n := &s.numbers
	if len(n.cells) == 0 {
		return
	}
	// Of the last line xxd may have a part of a group alone.
	alone := d.colon && len(n.cells) == 1 && n.cells[0].width < d.width && n.cells[0].width%2 == 0
	if !alone {
		d.width = n.cells[0].width
	}
	radix := d.radix()
	k := 0
	for ; radix > 0 && k < len(n.cells); k++ {
		c := n.cells[k]
		if c.width != d.width || !digitsOf(line[c.at:c.at+c.width], radix) {
			break
		}
	}
	if k == len(n.cells)-1 && d.colon && d.how == ofDigits && n.cells[k].width < d.width && n.cells[k].width%2 == 0 {
		k++ // xxd's last group
	}
	n.cells = n.cells[:k]
}

// radix is what groups of the line's width are written in; 0: nothing.
func (d *dumpLine) radix() byte {
	switch w := d.width; {
	case w > longestGroup:
		return 0
	case d.how == ofBits:
		if w == 8 {
			return 2
		}
		return 0
	case d.octal():
		return 8
	case w == 2, w == 4, w == 8, w == 16, w == 17, d.colon && !d.marked && w%2 == 0:
		return 16
	}
	return 0
}

// digitsOf reports whether all digits of a group are of a radix; of 16 they are.
func digitsOf(tok []byte, radix byte) bool {
	for _, c := range tok {
		if radix < 16 && byteclass.Nibbles()[c] >= radix {
			return false
		}
	}
	return true
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

// charCell reads a group of four columns: a character, an escape, a name, or an
// octal number.
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
	case b[2] >= 'a' && b[2] <= 'z': // od -a
		if k := bytes.Index([]byte(controlNames), b[1:4]); k >= 0 && k%3 == 0 {
			return byte(k / 3), true
		}
		return 0x7f, string(b[1:4]) == "del"
	}
	return digitsIn(b[1:4], 8)
}

// controlNames are the names of the first characters of ASCII, three columns each.
const controlNames = "nulsohstxetxeotenqackbel bs ht nl vt ff cr so sidledc1dc2dc3dc4naksynetbcan emsubesc fs gs rs us sp"
