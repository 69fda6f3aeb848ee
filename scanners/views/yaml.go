package views

import "bytes"

// yaml undoes the layout of YAML's block scalars: lines of folded ones are
// words of one line, and those of literal ones are indented.
type yaml struct {
	fold  *stretches
	block *stretches

	header int // where the block at hand begins
	inner  int // how far its lines are indented; 0: there is none
	folded bool
}

// longestBlock is how much of a block is looked at: what is undone must not
// depend on a header that another chunk may not show.
const longestBlock = reach - nearby

// end looks at the end of a line, data[start:end], before the one at next.
func (s *yaml) end(data []byte, start, end, next int) {
	if s.inner == 0 {
		s.begin(data, start, end, next)
		return
	}
	n := indentation(data, next)
	switch {
	case next+n == len(data) || next-s.header > longestBlock:
		s.inner = 0
	case data[next+n] == '\n' || data[next+n] == '\r': // an empty line, however far it is indented
		if !s.folded && n > 0 {
			s.block.put(cut(next, next+min(n, s.inner)), true)
		}
	case n < s.inner:
		s.inner = 0
	case !s.folded:
		s.block.put(cut(next, next+s.inner), true)
	case n == s.inner && end > start && !blanks[data[end-1]]: // other lines are not folded
		s.fold.put(splice{at: end, end: next + n, n: 1, out: [8]byte{' '}}, true)
	}
}

// blockEnds is what the header of a block ends with.
var blockEnds = set(">|-+")

// begin looks for the header of a block.
func (s *yaml) begin(data []byte, start, end, next int) {
	n, folded, ok := blockAt(data, start, end, next)
	if !ok {
		return
	}
	s.header, s.inner, s.folded = start, n, folded
	if !folded {
		s.block.put(cut(next, next+n), true)
	}
}

// blockAt reports whether data[start:end] is the header of a block whose first
// line is at next, and how far that is indented. Of literal blocks only those
// matter that hold an object: other values have no indentation in them.
func blockAt(data []byte, start, end, next int) (inner int, folded, ok bool) {
	if end-start < 4 {
		return 0, false, false
	}
	if c := data[end-1]; c == '-' || c == '+' {
		end--
	}
	if data[end-1] != '>' && data[end-1] != '|' || !beforeMark(data[start:end-1]) {
		return 0, false, false
	}
	n := indentation(data, next)
	if n <= indentation(data, start) || n > deepest || next+n == len(data) {
		return 0, false, false
	}
	folded = data[end-1] == '>'
	return n, folded, folded || data[next+n] == '{'
}

// prefixedBlock follows a block of YAML that something stands before every line of.
type prefixedBlock struct {
	on       int // where the line begins that it goes on in
	header   int // where it begins
	indented int // how far its header is
}

// goesOn reports whether a block begins behind the line at start or goes on in the next
// one: x and y are the lines without what stands before them.
func (b *prefixedBlock) goesOn(x, y []byte, start, next int) bool {
	if b.on != start || start == 0 {
		if !blockHead(x) {
			return false
		}
		b.header, b.indented = start, indentation(x, 0)
	}
	if indentation(y, 0) <= b.indented || next-b.header > longestBlock {
		return false
	}
	b.on = next
	return true
}

// blockHead reports whether b ends as the header of a block does, as it stands or in a
// string of JSON, where > may be an escape.
func blockHead(b []byte) bool {
	if n := len(b); n > 0 && (b[n-1] == '-' || b[n-1] == '+') {
		b = b[:n-1]
	}
	mark := bytes.TrimSuffix(b, []byte("u003e"))
	if len(mark) < len(b) {
		mark = bytes.TrimRight(mark, `\`)
	} else if n := len(b); n > 0 && (b[n-1] == '>' || b[n-1] == '|') {
		mark = b[:n-1]
	}
	return len(mark) < len(b) && beforeMark(mark)
}

// beforeMark reports whether b ends as what stands before a block's mark does: behind a
// key, or in a list.
func beforeMark(b []byte) bool {
	n := len(b)
	return n > 1 && b[n-1] == ' ' && (b[n-2] == ':' || b[n-2] == '-')
}

// indentation is how many blanks stand at p.
func indentation(data []byte, p int) int { return skip(data, p, blank) - p }
