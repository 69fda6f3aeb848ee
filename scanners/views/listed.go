package views

import "bytes"

// lineUp reports whether two literals that a comma separates, the first of which ends at p
// and the second begins at q, are lines of one text: a list of lines is how JSON has what a
// program wrote. It reports, too, whether the first of them is the first of the text.
func (s *joints) lineUp(data []byte, p, q int) (hangs, first bool) {
	x := lastLine(data[max(0, p-longestRow):p], data[p])
	y, end := firstLine(data[q:min(len(data), q+longestRow)], data[q-1])
	if len(x) == 0 || len(y) == 0 || named(data, q+end+1) {
		return false, false
	}
	on := s.line == p-len(x) || s.line == p-len(x)-len(`\n`)
	armour := bytes.HasPrefix(x, []byte("-----BEGIN ")) || on && s.armour
	hangs = armour || isPiece(x) && encodedAt(y) || on && all(x, &wordly) && encodedAt(y) ||
		(hangingEnd(x) || rowEnd(y) || uuRow(y)) && linesHang(x, y, on)
	if hangs {
		s.line, s.armour = q, armour && !bytes.HasPrefix(y, []byte("-----END "))
	}
	return hangs, !on
}

// lastLine is the literal that b ends with and that a quote begins, without the line's end
// in it; nil where it is longer than b or has several lines.
func lastLine(b []byte, quote byte) []byte {
	for i := len(b); ; {
		if i = bytes.LastIndexByte(b[:i], quote); i < 0 {
			return nil
		}
		if !protected(b, 0, i) {
			return withoutEnd(b[i+1:])
		}
	}
}

// firstLine is the literal that b begins with and that a quote ends at a place, as
// lastLine.
func firstLine(b []byte, quote byte) (line []byte, end int) {
	for {
		i := bytes.IndexByte(b[end:], quote)
		if i < 0 {
			return nil, 0
		}
		if end += i; !protected(b, 0, end) {
			return withoutEnd(b[:end]), end
		}
		end++
	}
}

// withoutEnd is a line without the escapes of its end.
func withoutEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte(`\n`)), []byte(`\r`))
}
