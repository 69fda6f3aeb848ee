package views

import "bytes"

// tabbed is the width of numbers that stand behind tabs, as gdb has them: of how many
// bytes they are the offset of the next line tells.
const tabbed = 1

// columns is how many bytes decimal numbers have of which one ends every so many
// columns, as od and hexdump write them.
var columns = [...]int{tabbed: 8, 4: 1, 5: 1, 6: 2, 7: 2, 8: 2, 11: 4, 12: 4, 21: 8, 22: 0}

// decimalCells reads decimal numbers, of which each ends as many columns behind the
// one before, and the first behind the offset; or which stand behind tabs.
func (s *search) decimalCells(d *dumpLine, line []byte, p int) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	n := &s.numbers
	stride := 0
	for last := p; ; {
		at := p
		for p < len(line) && blank(line[p]) {
			p++
		}
		if p == at || p-at >= len(columns) {
			p = at
			break
		}
		from := p
		if p < len(line) && line[p] == '-' {
			p++
		}
		for p < len(line) && digit(line[p]) {
			p++
		}
		end := p
		now := end - last
		if line[at] == '\t' {
			now = tabbed
			p = quotedBehind(line, p)
		}
		if stride == 0 {
			stride = now
		}
		if stride != now || stride >= len(columns) || columns[stride] == 0 || !fitsColumns(line[from:end], stride) || p < len(line) && !blank(line[p]) {
			p = at
			break
		}
		n.cells = append(n.cells, cell{from, end - from})
		d.pairs = (d.pairs || len(n.cells) == 1) && end-from == 2
		last = end
	}
	d.width = stride
	rest := bytes.TrimSpace(line[p:])
	d.more = len(rest) > 0 && rest[0] != '>'
}

// quotedBehind is where the character ends that gdb writes behind its number.
func quotedBehind(line []byte, p int) int {
	if p+3 >= len(line) || line[p] != ' ' || line[p+1] != '\'' {
		return p
	}
	q := p + 3
	if line[p+2] == '\\' {
		q++
	}
	for q < min(len(line), p+longestCharacter) && line[q] != '\'' {
		q++
	}
	if q >= len(line) || line[q] != '\'' {
		return p
	}
	return q + 1
}

// fitsColumns reports whether a number is one of its size: od pads with blanks, but
// hexdump -d with zeros.
func fitsColumns(tok []byte, stride int) bool {
	negative := len(tok) > 0 && tok[0] == '-'
	if negative {
		tok = tok[1:]
	}
	if len(tok) == 0 || len(tok) > 20 {
		return false
	}
	if stride == 8 {
		return !negative && len(tok) == 5 && numberIn(tok, 10) < 1<<16
	}
	if stride == tabbed {
		return true
	}
	if len(tok) > 1 && tok[0] == '0' {
		return false
	}
	bits := 8 * columns[stride]
	if stride != 4 && stride != 6 && stride != 11 && stride != 21 { // signed
		bits--
	} else if negative && stride != 21 {
		return false
	}
	return bits == 64 || numberIn(tok, 10) <= 1<<bits-1 || negative && numberIn(tok, 10) == 1<<bits
}

// decimalIn reads a number with its sign, in two's complement; one that begins with a
// zero is octal, as gdb writes those.
func decimalIn(tok []byte) uint64 {
	if tok[0] == '-' {
		return -numberIn(tok[1:], 10)
	}
	if tok[0] == '0' && len(tok) < 5 && digitsOf(tok, 8) {
		return numberIn(tok, 8)
	}
	return numberIn(tok, 10)
}
