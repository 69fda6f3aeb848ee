package views

import (
	"bytes"
	"encoding/binary"

	"revenant/scanners/byteclass"
)

// lines undoes line breaks in values, and what precedes every line: times of a
// log, marks of a comment, a difference or a quotation, numbers.
type lines struct {
	prefix *stretches // behind what programs write before lines, and before armour
	marks  *stretches // behind what people do: rules would take a comment's words for a program's
	wrap   *stretches
	feeds  *stretches // as if lines ended as Unix has them: values of several lines do
	yaml
	coat  coat
	stamp stamping
	envelope
	peeled
	team team

	start int // of the line at hand
	on    int // where the line at hand goes on with a value

	encoded int // where the line at hand goes on with the body of something encoded
	cut     int // the prefix of the line at hand was left out up to here
	armour  int // where the line at hand goes on with armour
}

const (
	// wrapped is how much of a line is shown around a break in a value: longer
	// values are found by one of their parts.
	wrapped = 192
	// wrappedLine is the same for lines of what was encoded, or wrapped by hand.
	wrappedLine = 512
	// deepest is how far a line may be indented.
	deepest = 64
	// region is how long a stretch of a value is that a break can hide.
	region = 13
	// solid is how many bytes without a blank a value has beside a break when
	// anything may stand there.
	solid = 12
)

func (s *lines) forget() {
	s.start, s.cut, s.on, s.encoded, s.armour, s.coat.on, s.inner = 0, 0, 0, 0, 0, 0, 0
	s.envelope, s.peeled = envelope{}, peeled{}
	s.coat.mark = -1
	s.stamp.forget()
}

// end looks at the end of a line.
func (s *lines) end(data []byte, p int) {
	start, end := s.start, p
	s.start = p + 1
	s.peeled.prev, s.peeled.this = s.peeled.this, start
	if end > start && data[end-1] == '\r' {
		end--
		s.feeds.put(cut(end, p), true)
	}
	if p+1 == len(data) {
		return
	}
	first, indented := lineOpens(data, p+1)
	if (indented || first == '\n' || first == '\r') && s.settled(data, start, end, p+1) { // as most lines of programs
		s.stamp.none(p + 1)
		return
	}
	s.stamp.marked = s.coat.marked(data, start, end)
	if !s.stamp.read(data, start, end, p+1) {
		if indented || !s.unstamped(data, start, end, p+1, first) {
			s.between(data, start, end, p)
		}
		return
	}
	if s.stamp.goesOn() {
		s.stamp.part = p + 1
		s.joined(data, cut(start, start+s.stamp.a), cut(end, p+1+s.stamp.b))
		return
	}
	if s.peeled.whole != start && s.peel(data, start, end, p+1) { // there is more than the stamp
		return
	}
	x, y := s.stamp.behind(data, start, end, p+1)
	worth := s.stamp.hangs(x, y, start, p+1)
	if worth {
		s.peeled.whole = p + 1
	} else {
		s.between(data, start, end, p)
	}
	if s.cut <= p+1 {
		s.shows(data, start, p+1, worth)
	}
}

// lineOpens is the first byte that is no blank of the line at a place, and whether the line is
// indented as those of programs are: they do not begin with a digit or a mark.
func lineOpens(data []byte, next int) (first byte, indented bool) {
	first = data[next]
	if !blank(first) {
		return first, false
	}
	at := next + indentation(data[:min(len(data), next+deepest)], next)
	if at == len(data) {
		return first, true
	}
	first = data[at]
	return first, !digit(first) && !lineMarks[first]
}

// settled reports whether nothing that is looked for goes on from a line to one that is
// empty or indented: it is empty, too, or ends as no value does. All that is done for other
// lines comes to nothing there.
func (s *lines) settled(data []byte, start, end, next int) bool {
	if s.yaml.inner > 0 {
		return false
	}
	return start == end || settledEnds[data[end-1]] || data[end-1] == '}' && next-start <= shortestLogged
}

// settledEnds is what lines end with that do not go on, whatever they begin with.
var settledEnds = func() (t [256]bool) {
	t = structure
	for _, c := range "`}]" {
		t[c] = false
	}
	return t
}()

// unstamped leaves out what stands before two lines that is no stamp, where what follows
// it goes on from one to the other; first is what the next begins with behind blanks. It
// reports whether it did.
func (s *lines) unstamped(data []byte, start, end, next int, first byte) bool {
	if lineMarks[first] && s.behindMarks(data, start, end, next) {
		return true
	}
	return s.peel(data, start, end, next)
}

// behindMarks is unstamped for the signs of comments, differences and quotations.
func (s *lines) behindMarks(data []byte, start, end, next int) bool {
	if start == end || !s.stamp.within(start) && !mayGoOn(data[start:end]) && !isQuote(data[end-1]) || !s.stamp.readMarks(data, start, end, next) {
		return false
	}
	x, y := s.stamp.behind(data, start, end, next)
	if !s.stamp.hangs(x, y, start, next) {
		s.stamp.a, s.stamp.b = 0, 0
		return false
	}
	if s.cut <= next {
		s.shows(data, start, next, true)
	}
	return true
}

// between looks at the end of the line data[start:end], and at the next one
// behind p.
func (s *lines) between(data []byte, start, end, p int) {
	if s.yaml.inner > 0 || end > start && blockEnds[data[end-1]] {
		s.yaml.end(data, start, end, p+1)
	}
	if end == start {
		return
	}
	if digit(data[p+1]) && s.partial(data, start, end, p+1) {
		return
	}
	if c := data[end-1]; structure[c] && c != '`' { // so do most lines of programs
		switch {
		case c == '}' && shortestLogged <= p-start && p-start < longestLogged:
			next := p + 1 + s.stamp.b
			if stop := lineStop(data, next); !s.docker(data, start, end, next, stop) {
				s.envelope.end(s, data, start+s.stamp.a, end, next, stop)
			}
		case c == ']' && p-start < longestLogged:
			s.team.line(data[:end], start)
		}
		return
	}
	if !s.wrap.layer.NoGuesses {
		s.broken(data, start, end, p+1)
	}
	s.coat.line(data, start, end, p+1)
	if p-start < faraway {
		if data[end-1] == '|' {
			s.dump(data, start, end, p+1)
			return
		}
		s.prefixed(data, start, end, p+1)
		if !s.wrap.layer.NoGuesses {
			s.logged(data, start, end, p+1)
		}
	}
}

// carriage looks at a carriage return.
func (s *lines) carriage(data []byte, p int) {
	if p+1 < len(data) && data[p+1] != '\n' && p > s.start && !s.wrap.layer.NoGuesses {
		s.broken(data, s.start, p, p+1)
	}
}

// broken leaves out a line break at data[end:next] that stands in a value, with
// what tells that the line goes on.
func (s *lines) broken(data []byte, start, end, next int) { //nolint:gocyclo // one look at both sides of a break, in a hot loop
	if end > 0 && (data[end-1] == '\\' || data[end-1] == '^' || data[end-1] == '`') {
		end--
	}
	for next < min(len(data), end+deepest) && blanks[data[next]] {
		next++
	}
	if end == start || next == len(data) || structure[data[end-1]] || structure[data[next]] || begunAlike(data[start:end], data[next:]) {
		return
	}
	left, right, signs := 0, 0, 0
	for i := end - 1; i >= 0 && left < region && graphic(data[i]); i-- {
		left++
		signs += uneven[data[i]]
	}
	goesOn := end-left <= s.on && s.on > 0
	if left < solid && !goesOn && dated(data[next:]) { // as nearly all lines of a log
		return
	}
	if left == region && s.body(data, start, end, next) { // no line of a body has fewer
		return
	}
	words := wordly[data[end-1]] && wordly[data[next]]
	for i := next; i < len(data) && right < region && graphic(data[i]); i++ {
		right++
		signs += uneven[data[i]]
	}
	before, after := data[end-left:end], data[next:next+right]
	if goesOn {
		left, signs = region, signs+unevenSign // a piece of what was broken before
	}
	// Letters alone are words of prose and names of programs.
	least := unevenSign
	switch c := data[end-1]; {
	case words:
		least = 1
	case c == '.' || c == ':' || c == '!' || c == '?': // a sentence ends
		least = 2 * unevenSign
	}
	apart := left >= solid && right >= solid ||
		left+right >= secretLength && (signs >= least && left+right >= region || words && signs >= 2 || signs >= 4*unevenSign) &&
			wordy(before) && wordy(after) && !dated(data[next:])
	if apart && (words || legibleAround(data, end, after)) {
		s.on = next
		s.wrap.put(cut(end, next), true)
	}
}

// begunAlike reports whether two lines begin alike behind their blanks, as rows of a table and
// statements of a program do: what a line goes on with does not begin as the line did.
func begunAlike(line, next []byte) bool {
	i := 0
	for i < len(line) && blanks[line[i]] {
		i++
	}
	return len(line)-i >= alikeRows && len(next) >= alikeRows && string(line[i:i+alikeRows]) == string(next[:alikeRows])
}

// alikeRows is how many bytes tell that.
const alikeRows = 3

// wordy reports whether there is a letter or a digit in what stands beside a
// break: signs alone are an operator, or the mark of a comment.
func wordy(b []byte) bool {
	for _, c := range b {
		if alnums[c] || c >= 0x80 {
			return true
		}
	}
	return false
}

// uneven is how little a character is one of words: digits a little, signs and
// other scripts more.
var uneven = func() (t [256]int) {
	for c := range t {
		switch {
		case digit(byte(c)):
			t[c] = 1
		case !alnums[c]:
			t[c] = unevenSign
		}
	}
	return t
}()

const unevenSign = 2

// body reports whether the break is in the body of something that is encoded
// in characters of base64: no value stands there as it is, and those who undo
// the encoding see through the breaks.
func (s *lines) body(data []byte, start, end, next int) bool {
	within := end-bodyLine >= s.encoded && s.encoded > 0
	if end < 64 || end-bodyLine < start || !allDigits(byteclass.RunWord(data[end-64:])>>(64-bodyLine)) {
		return false
	}
	if !within {
		second := bodyAt(data, next)
		if second == 0 || bodyAt(data, second) == 0 {
			return false
		}
	}
	s.encoded = next
	return true
}

// bodyLine is how long the lines of a body are at the least: three of them are
// longer than a value that a break could hide.
const bodyLine = 48

func allDigits(m uint64) bool { return ^m&(1<<bodyLine-1) == 0 }

// bodyAt is where the line behind the line of a body at p begins; 0 when there
// is no such line at p.
func bodyAt(data []byte, p int) int {
	if len(data)-p < 128 || !allDigits(byteclass.RunWord(data[p:])) {
		return 0
	}
	n := bytes.IndexByte(data[p:p+128], '\n')
	if n < 0 {
		return 0
	}
	for p += n + 1; p < len(data) && blanks[data[p]]; p++ {
	}
	return p
}

// dated reports whether the line begins with a date, a time or an address: it
// begins something.
func dated(line []byte) bool {
	if len(line) >= 8 && beginsDate(binary.LittleEndian.Uint64(line)) { // as mostly
		return true
	}
	n, signs := 0, 0
	for _, c := range line[:min(len(line), 12)] {
		switch {
		case digit(c):
			n++
		case c == '-' || c == ':' || c == '.' || c == '/':
			signs++
		default:
			return n >= 4 && signs >= 2
		}
	}
	return n >= 4 && signs >= 2
}

// beginsDate reports whether eight bytes are 0000-00-, with any digits.
func beginsDate(v uint64) bool {
	const (
		signs, signsAre   = 0xff0000ff_00000000, 0x2d00002d_00000000
		digits, digitsAre = 0x00f0f000_f0f0f0f0, 0x00303000_30303030
		six               = 0x00060600_06060606
	)
	return v&signs == signsAre && v&digits == digitsAre && (v+six)&digits == digitsAre
}

// prefixed leaves out what two lines have in common before the pieces of a
// value: data[start:end] and the line at next.
func (s *lines) prefixed(data []byte, start, end, next int) {
	if !tail(data, start, end) {
		return
	}
	a, b := s.stamp.common(data, start, end, next)
	if a == 0 || next+b >= len(data) || !wordly[data[next+b]] {
		return
	}
	armour := armoured(data[start+a:end]) || s.armour == start && start > 0
	if !armour && !secretAround(data, end, next+b, &wordly) {
		return
	}
	out := s.marks
	if armour || b-s.stamp.b <= longestPrefix && encodedOver(data, start, end, next+b) {
		out = s.prefix
	}
	if armour {
		s.armour = next
	}
	if from := max(s.cut, start); from < start+a {
		out.put(cut(from, start+a), true)
	}
	s.cut = next + b
	out.put(cut(next, next+b), true)
}

// encodedOver reports whether a line ends with a piece of what may be encoded,
// and the next one goes on with another at p. What rules look for otherwise
// stands in one line of a log, or in armour.
func encodedOver(data []byte, start, end, p int) bool {
	if end-start < bodyPiece {
		return false
	}
	for i := end - bodyPiece; i < end; i++ {
		if !wordly[data[i]] {
			return false
		}
	}
	to := p
	for to < len(data) && to < p+bodyPiece && wordly[data[to]] {
		to++
	}
	return to == p+bodyPiece || to == len(data) || data[to] == '\n' || data[to] == '\r'
}

// longestPrefix is how long what programs write before lines is at the most.
// What lines have in common beyond that is what they are about.
const longestPrefix = 128

// bodyPiece is how long a piece is of what is encoded and wrapped.
const bodyPiece = 32

// tail reports whether a line ends with a piece of something.
func tail(data []byte, start, end int) bool {
	if end-start < solid || !wordly[data[end-1]] || !wordly[data[end-solid/2]] {
		return false
	}
	for i := end - solid; i < end; i++ {
		if !wordly[data[i]] {
			return armoured(data[start:end])
		}
	}
	return true
}

// armoured reports whether the line is a header of armour.
func armoured(line []byte) bool {
	return bytes.HasSuffix(line, []byte("-----")) && bytes.Contains(line, []byte("-----BEGIN "))
}

// common is how much of two lines is a prefix of one kind: numbers are alike,
// and so are blanks. It ends with a blank or a sign, and is not blank.
func common(x, y []byte) (a, b int) {
	i, j, inked := 0, 0, false
	for i < len(x) && j < len(y) {
		c, d := x[i], y[j]
		switch {
		case digit(c) && digit(d):
			i, j = skip(x, i, digit), skip(y, j, digit)
			inked = true
			continue
		case blank(c) && blank(d):
			i, j = skip(x, i, blank), skip(y, j, blank)
			if inked {
				a, b = i, j
			}
			continue
		case c != d && !(flag(x, i) && flag(y, j)) || c == '\n':
			return a, b
		}
		i, j, inked = i+1, j+1, true
		if !alnums[c] && c < 0x80 && c != '_' {
			a, b = i, j
		}
	}
	return a, b
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func blank(c byte) bool { return c == ' ' || c == '\t' }

// flag reports whether the letter at i says whether a line of a container's log
// is whole.
func flag(line []byte, i int) bool {
	return (line[i] == 'F' || line[i] == 'P') && i > 0 && line[i-1] == ' ' && i+1 < len(line) && line[i+1] == ' '
}

func skip(b []byte, i int, class func(byte) bool) int {
	for i < len(b) && class(b[i]) {
		i++
	}
	return i
}
