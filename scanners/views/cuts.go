package views

import (
	"bytes"
	"encoding/binary"
	"math/bits"
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
// numbers of a list. Behind a long word a run may go on.
func breaks(line []byte) bool {
	text := bytes.Trim(line, " \t")
	if len(text) <= longestSeparator || byteclass.Nibbles()[text[0]] != byteclass.None || bytes.IndexByte(text, ' ') < 0 {
		return false
	}
	row, letters, hex := 0, 0, false
	run, ended, far := 0, false, false // run: characters of a word
	for _, c := range text {
		if blank(c) {
			ended = ended || run < leastSpaced
			run, hex = 0, false
			continue
		}
		run++
		now := byteclass.Nibbles()[c] != byteclass.None
		if digit(c) || now && hex { // two hex digits are a number
			row, letters = 0, 0
		}
		hex = now
		row++
		if c >= 'a' && c <= 'z' {
			letters++
		}
		if far = far || row > longestSeparator+1 && letters > 0; far && ended {
			return true
		}
	}
	return false
}

// Flows implements scanners.Cutter. Over any cut go what is no text, of which
// streams may be a part, streams whose first bytes are ASCII, documents of RTF, and
// lists of literals that a call joins.
func (v *Viewer) Flows(part []byte) (before, behind scanners.Flow) {
	if !utf8.Valid(part) || !plainText(part) || begins(part) {
		return scanners.FlowAny, scanners.FlowAny
	}
	f := flows{part: part}
	var room [64]uint64
	for i, word := range v.flows.Append(room[:0], part) {
		for ; word != 0; word &= word - 1 {
			f.at(64*i + bits.TrailingZeros64(word))
		}
	}
	if f.list {
		return scanners.FlowAny, scanners.FlowAny
	}
	if f.block {
		behind |= flowBlock
	}
	return 0, behind
}

// plainText reports whether there are no control characters but white space.
func plainText(part []byte) bool {
	for ; len(part) >= 8; part = part[8:] {
		w := binary.LittleEndian.Uint64(part)
		low := (w - 0x20*ones) &^ w // below a blank, and some that follow one
		del := ((w ^ 0x7f*ones) - ones) & ^(w ^ 0x7f*ones)
		if (low|del)&(0x80*ones) != 0 && !whiteText(part[:8]) {
			return false
		}
	}
	return whiteText(part)
}

// ones has a 1 in each of 8 bytes.
const ones = 0x0101010101010101

// whiteText is plainText, byte by byte.
func whiteText(part []byte) bool {
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

// flowMarks are three bytes of each thing that Flows looks for: what ends the
// header of a block, what is in the names of calls that join, and what RTF begins with.
func flowMarks() *byteclass.Triples {
	return byteclass.NewTriples([3]string{":-", " ", "|>"}, [3]string{"cC", "aA", "tT"}, [3]string{"o", "i", "n"}, [3]string{"l", "o", "d"}, [3]string{"{", "\\", "r"})
}

// flows is what a part has that may go on beyond it.
type flows struct {
	part        []byte
	block, list bool
}

// at looks at three bytes that may be one of flowMarks.
func (f *flows) at(p int) {
	switch f.part[p] | 0x20 {
	case ':', '-':
		f.block = f.block || f.header(p+2)
	case 'c', 'l':
		f.list = f.list || f.opens(p+3)
	case '{':
		f.list = f.list || bytes.HasPrefix(f.part[p:], []byte(richMark))
	case 'o':
		f.list = f.list || f.opens(p+3) || f.joins(p-1)
	}
}

// header reports whether a block of YAML begins behind the line that the mark at
// p may end, or may do so in what is not shown.
func (f *flows) header(p int) bool {
	end := p + 1
	if end < len(f.part) && (f.part[end] == '+' || f.part[end] == '-') {
		end++
	}
	next := end
	if next < len(f.part) && f.part[next] == '\r' {
		next++
	}
	if next >= len(f.part) {
		return true
	}
	if next++; f.part[next-1] != '\n' {
		return false
	}
	start := bytes.LastIndexByte(f.part[:p], '\n') + 1
	_, _, ok := blockAt(f.part, start, end, next)
	return ok || next+indentation(f.part, next) >= len(f.part)
}

// opens reports whether the name that ends at p calls what joins a list that goes
// on where the part ends: joinsBefore looks for it.
func (f *flows) opens(p int) bool {
	rest := f.part[p:]
	if !joinsBefore(f.part[max(0, p-8) : p+min(len(rest), 3)]) {
		return false
	}
	comments := false // then quotes may stand in them
	for i := 0; i < min(len(rest), nameBefore+3); i++ {
		switch c := rest[i]; {
		case isQuote(c):
			end, lasts := f.lasting(p + i)
			if lasts {
				return true
			}
			if !comments {
				i = end - p
			}
		case c == '\n' || c == ';':
			return false
		case c == '/' || c == '#' || c == '-':
			comments = true
		}
	}
	return len(rest) < nameBefore+3
}

// lasting reports whether a list of which the literal at p is the first goes on
// where the part ends; end is where the literal does.
func (f *flows) lasting(p int) (end int, lasts bool) {
	for end = p + 1; end < len(f.part) && (f.part[end] != f.part[p] || protected(f.part, p, end)); {
		end++
	}
	return end, end == len(f.part) || listEnd(f.part, end)+nameBehind >= min(len(f.part), end+longestLiteral)
}

// joins reports whether a list of literals ends before the call of join that may
// stand at p: joinsBehind looks for it.
func (f *flows) joins(p int) bool {
	if p < 1 || !bytes.HasPrefix(f.part[p:], []byte("join")) || bytes.IndexByte([]byte(".-|"), f.part[p-1]) < 0 {
		return false
	}
	list := bytes.TrimRight(f.part[:p-1], ") \n\t")
	closed := bytes.IndexByte(f.part[len(list):p-1], ')') >= 0
	if n := len(list); n > 0 && (list[n-1] == ']' || list[n-1] == '}') {
		list, closed = list[:n-1], true
	}
	if !closed {
		return len(list) == 0 && p > 1
	}
	list = bytes.TrimRight(list, ", \r\n\t")
	if len(list) == 0 || isQuote(list[len(list)-1]) {
		return true
	}
	line := list[bytes.LastIndexByte(list, '\n')+1:] // a comment may stand behind the last literal
	return bytes.IndexByte(line, '#') >= 0 || bytes.Contains(line, []byte("//")) || bytes.Contains(line, []byte("--")) || bytes.HasSuffix(line, []byte("*/"))
}
