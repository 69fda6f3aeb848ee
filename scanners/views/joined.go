package views

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// joints undoes the concatenation of string literals: what stands between the
// end of one and the beginning of the next is left out, so that a text reads as
// if it had been written as one literal.
type joints struct {
	sure  *stretches
	guess *stretches // lists, which may be joined somewhere
	done  int
	last  [3]int // the same, for each kind of quote
	list  int    // where the last piece of a list begins
	line  int    // where the last line of a list of lines begins
	put   int    // where the last joint ends that was put to sure
	calls calls
	reach literals

	armour bool // that line is of armour
}

func (s *joints) forget() {
	s.done, s.list, s.line, s.put, s.armour, s.last = 0, 0, 0, 0, false, [3]int{}
	s.calls, s.reach = calls{}, literals{}
}

// joint is what is between two literals.
type joint struct {
	end      int  // behind the second literal's opening quote
	operator bool // there is one
	comma    bool // and it is a comma
	lines    bool // the second is on another line
	doubled  bool // there is nothing: shells join so, others write a quote so
	open     bool // no literal follows, and end is behind a call that makes a character

	n   int // bytes of out: what calls between the literals make
	out [8]byte
}

const (
	// farJoint is how far from each other two literals may be.
	farJoint = 256
	// pieceLook is how far a literal is looked into.
	pieceLook = 128
	// shortJoint is how long what commas separate is at the least when joined,
	// unless it is single characters.
	shortJoint = 12
)

// at looks at a quote, which may close a literal.
func (s *joints) at(data []byte, p int) { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	if p < s.done {
		return
	}
	j, ok := jointAt(data, p)
	if !ok {
		return
	}
	last := s.last[quoteKind(data[p])]
	if j.n > 0 && j.comma && !s.calls.join(data, p, last) {
		return
	} else if j.n > 0 {
		s.spelled(data, p, last, j)
		return
	}
	s.last[quoteKind(data[p])], s.last[quoteKind(data[j.end-1])] = j.end, j.end
	inside := p > 0 && j.end < len(data) && graphic(data[p-1]) && graphic(data[j.end])
	called := j.comma && s.calls.join(data, p, last)
	hangs, first := false, false
	if j.comma && !called {
		hangs, first = s.lineUp(data, p, j.end)
	}
	if hangs {
		from, to := s.reach.around(data, p, j.end, last)
		if first && from > s.put { // what reads rows wants to see where the first begins
			s.sure.putIn(splice{at: from - 1, end: from, n: 1, out: [8]byte{'\n'}}, from-1, to)
		}
		s.put = j.end
		between := splice{at: p, end: j.end, n: 1, out: [8]byte{'\n'}}
		if bytes.HasSuffix(data[from:p], []byte(`\n`)) { // the end of the line is in the literal
			between = cut(p, j.end)
		}
		s.sure.putIn(between, from, to)
		s.guess.put(cut(p, j.end), false)
		s.done = j.end
		return
	}
	if j.comma && !called && !(inside && s.listed(data, p, j.end)) {
		s.done = j.end
		return
	}
	c := cut(p, j.end)
	var from, to int
	if inside || j.comma {
		from, to = s.reach.around(data, p, j.end, last)
	}
	s.done, s.put = j.end, j.end
	switch {
	case j.comma && called:
		s.sure.putIn(c, from, to)
		s.guess.put(c, false)
	case j.comma:
		s.guess.putIn(c, from, to)
		s.list = j.end
	case !inside && !j.operator && !j.lines:
	case !inside:
		s.sure.put(c, false)
		s.guess.put(c, false)
	case j.doubled:
		s.guess.putIn(c, from, to)
	case j.operator || j.lines || s.word(data, j.end, to) && secretAround(data, p, j.end, &alnums):
		s.sure.putIn(c, from, to)
		s.guess.put(c, false)
	default:
		if !s.word(data, j.end, to) {
			to = min(to, j.end+phrase)
		}
		if !s.word(data, from, p) {
			from = max(from, p-phrase)
		}
		s.guess.putIn(c, from, to)
		s.sure.put(c, false)
	}
}

// spelled undoes a joint in which calls make characters.
func (s *joints) spelled(data []byte, p, last int, j joint) {
	s.done = j.end
	u := splice{at: p, end: j.end, n: j.n, out: j.out}
	if j.open {
		s.guess.put(u, true)
		return
	}
	s.last[quoteKind(data[p])], s.last[quoteKind(data[j.end-1])] = j.end, j.end
	from, to := s.reach.around(data, p, j.end, last)
	s.put = j.end
	s.guess.putIn(u, from, to)
	s.sure.put(cut(p, j.end), false)
}

// word reports whether the literal that begins at q and ends at to has no blank
// in it, as far as it is looked at. Other literals beside each other are a program's arguments, or fields of
// a log.
func (s *joints) word(data []byte, q, to int) bool {
	return q < to && bytes.IndexByte(data[q:min(to, q+pieceLook)], ' ') < 0
}

// jointAt reads what follows a literal that ends with the quote at p.
func jointAt(data []byte, p int) (joint, bool) {
	data = data[:min(len(data), p+farJoint)]
	j := joint{}
	i := j.space(data, p+1)
	if n := operator(data[i:]); n > 0 {
		j.operator, j.comma = true, data[i] == ','
		i = j.space(data, i+n)
		i = j.lineBreak(data, i)
		if i = j.spell(data, i); j.open {
			j.end = i
			return j, !j.comma
		}
	} else if n := appended(data, i, j.lines); n > 0 {
		j.operator = true
		i += n
	}
	if i < len(data) && data[i] == data[p] && i == p+1 {
		if p == 0 || i+1 == len(data) || !literate(data[p-1]) || !literate(data[i+1]) {
			return j, false
		}
		j.doubled, j.end = true, i+1
		return j, true
	}
	for n := 0; n < 2 && i+1 < len(data) && kindOf(data[i]) && (kindOf(data[i+1]) || isQuote(data[i+1])); n++ {
		i++ // r"...", f"...", @"..."
	}
	if i >= len(data) || !isQuote(data[i]) {
		return j, false
	}
	j.end = i + 1
	return j, true
}

// literate reports whether c is a letter, a digit, or of another script.
func literate(c byte) bool { return alnums[c] || c >= 0x80 }

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

// quoteKind is the place of a quote among the three.
func quoteKind(c byte) int { return strings.IndexByte("\"'`", c) }

// kindOf reports whether c can say of what kind a literal is.
func kindOf(c byte) bool {
	switch c {
	case 'b', 'B', 'r', 'R', 'f', 'F', 'u', 'U', 'N', 'L', '@', '$':
		return true
	}
	return false
}

// operator is the length of the operator that joins strings in some language
// and that b begins with; 0 when it begins with none.
func operator(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	double := b[0] == b[1]
	switch b[0] {
	case '+', '.':
		if double { // Haskell, Erlang; Lua
			return 2
		}
		return 1
	case '|':
		if double {
			return 2
		}
	case '<':
		if b[1] == '>' {
			return 2
		}
	case '&', '~', ',':
		if !double {
			return 1
		}
	}
	return 0
}

// lineBreak skips a name that stands for a line break, and the operator behind
// it.
func (j *joint) lineBreak(data []byte, i int) int {
	end := i
	for end < len(data) && (alnums[data[end]] || data[end] == '_' || data[end] == '.') {
		end++
	}
	if end-i < 4 || end-i > longestBreakName {
		return i
	}
	if !namesBreak(data[i:end]) {
		return i
	}
	if bytes.HasPrefix(data[end:], []byte("()")) {
		end += 2
	}
	next := j.space(data, end)
	if n := operator(data[next:]); n > 0 {
		return j.space(data, next+n)
	}
	return i
}

// namesBreak reports whether a name, of at most longestBreakName bytes, has in either case
// what languages call the end of a line: crlf, vblf, eol, newline, linesep.
func namesBreak(name []byte) bool {
	var room [longestBreakName]byte
	low := room[:copy(room[:], name)]
	for i := range low {
		if c := low[i]; c >= 'A' && c <= 'Z' {
			low[i] = c | 0x20
		}
	}
	for i, c := range low {
		if c != 'l' { // each has one
			continue
		}
		before, rest := low[:i], low[i+1:]
		switch n := len(before); {
		case n > 1 && before[n-2] == 'e' && before[n-1] == 'o',
			len(rest) > 0 && rest[0] == 'f' && n > 1 && (before[n-2] == 'c' && before[n-1] == 'r' || before[n-2] == 'v' && before[n-1] == 'b'),
			len(rest) > 2 && string(rest[:3]) == "ine" && (bytes.HasPrefix(rest[3:], []byte("sep")) || bytes.HasSuffix(before, []byte("new"))):
			return true
		}
	}
	return false
}

// longestBreakName is how long a name is at the most that stands for a line break.
const longestBreakName = 24

// appended is the length of what stands between two literals when the second is
// appended to the same variable by a statement of its own.
func appended(data []byte, i int, lines bool) int { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	from := i
	if i < len(data) && !lines && data[i] != ';' && data[i] != ')' {
		return 0
	}
	var j joint
	for i < len(data) && (data[i] == ';' || data[i] == ')') {
		i = j.space(data, i+1)
	}
	name := i
	for i < len(data) && (alnums[data[i]] || data[i] == '_' || data[i] == '$' || data[i] == '.') {
		i++
	}
	if i == name {
		return 0
	}
	called := i
	i = j.space(data, i)
	switch {
	case i+1 < len(data) && (data[i] == '+' || data[i] == '.') && data[i+1] == '=':
		return j.space(data, i+2) - from
	case i < len(data) && data[i] == '(' && called-name > 7 && string(data[called-5:called]) == "ppend":
		return j.space(data, i+1) - from
	}
	return 0
}

// space skips blanks, line breaks, their continuations, and comments.
func (j *joint) space(data []byte, i int) int { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	for i < len(data) {
		switch c := data[i]; {
		case blanks[c] || c == '\r':
			i++
		case c == '\n':
			j.lines = true
			i++
		case (c == '\\' || c == '_') && lineEnds(data, i+1):
			i++
		case c == '#', c == '/' && i+1 < len(data) && data[i+1] == '/', c == '-' && i+1 < len(data) && data[i+1] == '-':
			n := bytes.IndexByte(data[i:], '\n')
			if n < 0 || !prose(data[i:i+n]) {
				return len(data) // this is no program
			}
			i += n
		case c == '/' && i+1 < len(data) && data[i+1] == '*':
			for i += 2; i+1 < len(data) && (data[i] != '*' || data[i+1] != '/'); i++ {
			}
			i += 2
		default:
			return i
		}
	}
	return len(data)
}

// prose reports whether a comment is text, in any character set.
func prose(b []byte) bool {
	high := 0
	for n := 0; n < len(b); n++ {
		switch c := b[n]; {
		case c < ' ' && c != '\t' && c != '\r':
			return false
		case c >= utf8.RuneSelf:
			if legible(b[n:min(len(b), n+utf8.UTFMax)]) == 0 {
				high++
			} else if _, size := utf8.DecodeRune(b[n:]); size > 1 {
				n += size - 1
			}
		}
	}
	return 8*high <= len(b)
}

// lineEnds reports whether a line ends at i.
func lineEnds(data []byte, i int) bool {
	for i < len(data) && (blanks[data[i]] || data[i] == '\r') {
		i++
	}
	return i < len(data) && data[i] == '\n'
}

// listed reports whether two literals that a comma separates, the first of
// which ends at p and the second begins at q, look like pieces of one.
func (s *joints) listed(data []byte, p, q int) bool {
	if !wordly[data[p-1]] || !wordly[data[q]] {
		return false
	}
	left := 0
	for i := p - 1; i >= max(0, p-pieceLook) && !isQuote(data[i]); i-- {
		if !graphic(data[i]) {
			return false
		}
		left++
	}
	right := 0
	for i := q; i < len(data) && i < q+pieceLook; i++ {
		if isQuote(data[i]) {
			if named(data, i+1) {
				return false
			}
			break
		}
		if !graphic(data[i]) {
			return false
		}
		right++
	}
	return left+right >= shortJoint || s.list == p-left || left == 1 && right == 1
}

// named reports whether a colon follows, so that the literal before it is a
// name and not a piece.
func named(data []byte, i int) bool {
	for i < len(data) && (blanks[data[i]] || data[i] == '\n' || data[i] == '\r') {
		i++
	}
	return i < len(data) && (data[i] == ':' || data[i] == '=')
}
