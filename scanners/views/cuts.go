package views

import (
	"bytes"
	"unicode/utf8"

	"revenant/scanners"
	"revenant/scanners/byteclass"
)

var _ scanners.Cutter = (*Viewer)(nil)

const (
	// cutSide is how much on each side of a cut is looked at: more than finders
	// look beyond a line, but along what Cut wants to see broken.
	cutSide = farJoint + 16
	// cutLine is how long the lines beside a cut are at the most, and cutLines how
	// many whole ones there are on each side at the least.
	cutLine, cutLines = 192, 3
)

// flowBlock is a block of YAML: a line that is not indented ends it.
const flowBlock scanners.Flow = 1

// CutSide implements scanners.Cutter.
func (v *Viewer) CutSide() int { return cutSide }

// Cut implements scanners.Cutter. On each side stand short lines of ASCII, and
// among them what ends everything that finders follow from line to line without
// yielding a text of it: runs of digits of a base, lists of numbers, dumps,
// uuencode, words that wrap, armour. What else they look at is bounded by
// lines, or by fewer bytes than cutSide.
func (v *Viewer) Cut(data []byte) (ends scanners.Flow, ok bool) {
	at := len(data) / 2
	if at != cutSide || data[at-1] != '\n' {
		return 0, false
	}
	left, right := sideOf(data[:at]), sideOf(data[at:])
	if left.flush || right.flush {
		ends |= flowBlock
	}
	return ends, left.calm && right.calm
}

// side is one side of a cut.
type side struct{ calm, flush bool }

func sideOf(data []byte) (s side) {
	lines, broken, ended := -1, false, false // the first may have begun before
	for len(data) > 0 {
		n := bytes.IndexByte(data, '\n')
		whole := n >= 0
		if !whole {
			n = len(data)
		}
		line := bytes.TrimSuffix(data[:n], []byte("\r"))
		if len(line) > cutLine || !plainLine(line) {
			return s
		}
		if whole {
			if lines++; lines > 0 {
				broken = broken || breaks(line)
				ended = ended || len(line) < solid || !wordly[line[len(line)-1]]
				s.flush = s.flush || len(line) > 0 && !blanks[line[0]]
			}
			n++
		}
		data = data[n:]
	}
	s.calm = lines >= cutLines && broken && ended
	return s
}

// plainLine reports whether a line is ASCII that prints.
func plainLine(line []byte) bool {
	for _, c := range line {
		if c < ' ' && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

// breaks reports whether no run and no list goes on over a line: there is a
// blank between words, it does not begin like the line of a dump, uuencode has
// no small letters, and there is more without a number than stands between two
// numbers of a list.
func breaks(line []byte) bool {
	text := bytes.Trim(line, " \t")
	if len(text) <= longestSeparator || byteclass.Nibbles()[text[0]] != byteclass.None || bytes.IndexByte(text, ' ') < 0 {
		return false
	}
	row, letters, hex := 0, 0, false
	for _, c := range text {
		if blank(c) {
			hex = false
			continue
		}
		now := byteclass.Nibbles()[c] != byteclass.None
		if digit(c) || now && hex { // two hex digits are a number
			row, letters = 0, 0
		}
		hex = now
		row++
		if c >= 'a' && c <= 'z' {
			letters++
		}
		if row > longestSeparator+1 && letters > 0 {
			return true
		}
	}
	return false
}

// Flows implements scanners.Cutter. Over any cut go what is no text, of which
// streams may be a part, streams whose first bytes are ASCII, and lists of
// literals that a call joins.
func (v *Viewer) Flows(part []byte) (before, behind scanners.Flow) {
	if !utf8.Valid(part) || !plainText(part) || begins(part) || lists(part) {
		return scanners.FlowAny, scanners.FlowAny
	}
	if blocks(part) {
		behind |= flowBlock
	}
	return 0, behind
}

// plainText reports whether there are no control characters but white space.
func plainText(part []byte) bool {
	for _, c := range part {
		if c < ' ' && !(c >= '\t' && c <= '\r') || c == 0x7f {
			return false
		}
	}
	return true
}

// begins reports whether a compressed stream may begin with bytes that stand in
// texts: zlib's, of which two have the first two, and bzip2's.
func begins(part []byte) bool {
	for i := 0; ; i++ {
		n := bytes.IndexByte(part[i:], 'x')
		if n < 0 {
			return bytes.Contains(part, []byte("BZh"))
		}
		if i += n; packingOf(part[i:]) == packZlib {
			return true
		}
	}
}

// lists reports whether a call may join a list of literals: what joinsBefore and
// joinsBehind look for.
func lists(part []byte) bool {
	for _, name := range [...]string{"concat!(", "oncat(", "ONCAT(", "join([", "join((", "mplode("} {
		if bytes.Contains(part, []byte(name)) {
			return true
		}
	}
	for i := 0; ; i++ {
		n := bytes.Index(part[i:], []byte("join"))
		if n < 0 {
			return false
		}
		if i += n; i > 0 && bytes.IndexByte([]byte(".-|"), part[i-1]) >= 0 {
			if list := bytes.TrimRight(part[:i-1], ") \n\t"); len(list) < i-1 || len(list) == 0 || list[len(list)-1] == ']' || list[len(list)-1] == '}' {
				return true
			}
		}
	}
}

// blocks reports whether a block of YAML may begin.
func blocks(part []byte) bool {
	for _, mark := range [...]string{" |", " >"} {
		for i := 0; ; i++ {
			n := bytes.Index(part[i:], []byte(mark))
			if n < 0 {
				break
			}
			i += n
			rest := bytes.TrimLeft(part[i+len(mark):], "+-\r")
			if i > 0 && (part[i-1] == ':' || part[i-1] == '-') && (len(rest) == 0 || rest[0] == '\n') {
				return true
			}
		}
	}
	return false
}
