package views

import (
	"bytes"

	"revenant/scanners/byteclass"
	"revenant/scanners/stamps"
)

// How long the lines of a container's log are that are looked at: programs break what is
// longer than 16 KiB in two, and all write as much around it.
const (
	shortestLogged = len(`{"log":"","stream":""}`)
	longestLogged  = 40 << 10
)

// stamped reports whether a prefix is what programs write before lines: a time,
// or the name of a container.
func stamped(prefix []byte) bool {
	digits, colons := 0, 0
	for i, c := range prefix {
		switch {
		case digit(c):
			digits++
		case c == ':' && i > 0 && i+1 < len(prefix) && digit(prefix[i-1]) && digit(prefix[i+1]):
			colons++
		}
	}
	return digits >= 4 && colons > 0 || bytes.Contains(prefix, []byte(" | "))
}

// partial puts a line of CRI's log format and the next one together where the
// first is marked as a part. It reports whether it did.
func (s *lines) partial(data []byte, start, end, next int) bool {
	behind, _ := container(data[next:min(len(data), next+deepest)])
	if behind == 0 {
		return false
	}
	line := data[max(start, end-longestLogged):end]
	tag := max(bytes.LastIndex(line, []byte(" stdout P ")), bytes.LastIndex(line, []byte(" stderr P ")))
	if tag < 0 {
		return false
	}
	tag += end - len(line)
	from := tag
	for from > start && (alnums[data[from-1]] || bytes.IndexByte([]byte("-:.+"), data[from-1]) >= 0) {
		from--
	}
	s.joined(data, cut(from, tag+len(" stdout P ")), cut(end, next+behind))
	return true
}

// container is how long what CRI's log format has before a line is, and whether
// the line is a part; 0 when line has no such thing.
func container(line []byte) (n int, part bool) {
	const date = len("2026-05-06T07:08:09")
	if len(line) < date+12 || line[4] != '-' || line[10] != 'T' || line[16] != ':' {
		return 0, false
	}
	i := bytes.IndexByte(line[date:], ' ')
	if i < 0 || !bytes.HasPrefix(line[date+i:], []byte(" std")) {
		return 0, false
	}
	i += date + len(" stdout ")
	if i+2 > len(line) || line[i+1] != ' ' || line[i-1] != ' ' || line[i] != 'F' && line[i] != 'P' {
		return 0, false
	}
	return i + 2, line[i] == 'P'
}

// joined leaves out what stands before a line, and between its end and what it
// goes on with, and shows all of it.
func (s *lines) joined(data []byte, before, between splice) {
	from := max(before.at, between.at-longestBroken)
	to := min(lineStop(data, between.end), between.end+longestBroken)
	if before.at >= s.cut {
		s.prefix.putIn(before, from, to)
	}
	s.cut = between.end
	s.prefix.putIn(between, from, to)
}

// docker leaves out what Docker writes around every line: what it wrote becomes
// one string of JSON again. The second line is data[next:stop], behind what
// another program wrote before it. It reports whether both are Docker's.
func (s *lines) docker(data []byte, start, end, next, stop int) bool {
	const before = `{"log":"`
	first := bytes.Index(data[next:min(stop, next+farJoint)], []byte(before)) // behind what no stamp is known for
	if first < 0 {
		return false
	}
	next += first
	from, to, ok := inDocker(data[start:end])
	if !ok {
		return false
	}
	from, to = start+from, start+to
	at, behind := from-len(before), next+len(before)
	if !bytes.HasSuffix(data[from:to], []byte(`\n`)) {
		s.joined(data, cut(at, from), cut(to, behind))
		return true
	}
	text := to - len(`\n`)
	x, y := bytes.TrimSuffix(data[from:text], []byte(`\r`)), said(data[behind:stop])
	hang := s.stamp.hangs(x, y, start, next) || behindStamps(x, y)
	worth := hang || secretAround(data, text, behind, &wordly) || armoured(x)
	if at >= s.cut {
		s.prefix.put(cut(at, from), worth)
	}
	s.cut = behind
	if !hang {
		s.prefix.put(cut(to, behind), worth)
		if !worth && !s.wrap.layer.NoGuesses && oddAround(x, y) {
			s.wrap.put(cut(from+len(x), behind), true)
		}
		return true
	}
	s.prefix.putIn(cut(to, behind), max(from, to-longestBroken), min(stop, behind+longestBroken))
	return true
}

// oddAround reports whether the end of a line and the beginning of the next one are
// together a word that may be a password.
func oddAround(x, y []byte) bool {
	var word odd
	before := word.addBefore(x[max(0, len(x)-secretLook):])
	if before == 0 || len(y) == 0 || dated(y) {
		return false
	}
	word.addBehind(y[:min(len(y), 2*secretLook-before)])
	return word.secret()
}

// said is what was logged in the rest of a line that Docker wrote.
func said(line []byte) []byte {
	tail := max(0, len(line)-faraway)
	if i := bytes.LastIndex(line[tail:], []byte(`","stream":"`)); i >= 0 {
		line = line[:tail+i]
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte(`\n`)), []byte(`\r`))
}

// inDocker is where in a line that Docker wrote what was logged begins and ends.
func inDocker(line []byte) (from, to int, ok bool) {
	const before, after = `{"log":"`, `","stream":"`
	tail := max(0, len(line)-faraway) // what follows is short
	if to = bytes.LastIndex(line[tail:], []byte(after)); to < 0 {
		return 0, 0, false
	}
	to += tail
	if from = bytes.LastIndex(line[:to], []byte(before)); from < 0 {
		return 0, 0, false
	}
	return from + len(before), to, true
}

// dump leaves out what stands before two rows of a dump, at data[start:end] and
// at next.
func (s *lines) dump(data []byte, start, end, next int) {
	n := bytes.IndexByte(data[next:min(len(data), next+faraway)], '\n')
	if n < 0 {
		return
	}
	last := next + n
	if last > next && data[last-1] == '\r' {
		last--
	}
	a, b := rowOf(data[start:end]), rowOf(data[next:last])
	if a <= 0 || b <= 0 {
		return
	}
	out := s.marks
	if stamped(data[next : next+b]) {
		out = s.prefix
	}
	if start >= s.cut {
		out.put(cut(start, start+a), true)
	}
	s.cut = next + b
	out.put(cut(next, next+b), true)
}

// rowOf is where in a line that ends with it a row as hexdump -C writes it
// begins; -1 when there is none.
func rowOf(line []byte) int {
	const digits, column = 8, 62 // of the offset, and of all but the characters
	for n := 1; n <= 16; n++ {
		from := len(line) - column - n
		if from < 0 {
			return -1
		}
		if line[len(line)-n-2] != '|' || line[from+digits] != ' ' || line[from+digits+1] != ' ' {
			continue
		}
		if hexOnly(line[from:from+digits]) && hexOnly(line[from+digits+2:from+digits+4]) && (from == 0 || blanks[line[from-1]]) {
			return from
		}
	}
	return -1
}

func hexOnly(b []byte) bool {
	for _, c := range b {
		if byteclass.Nibbles()[c] == byteclass.None {
			return false
		}
	}
	return true
}

// logged leaves out the line break and what a program wrote before the next
// line where a value may have been broken: it was wrapped before it was logged.
func (s *lines) logged(data []byte, start, end, next int) {
	if next == len(data) || !stamps.Starts(data[next]) {
		return
	}
	var word odd
	before := word.addBefore(data[max(start, end-secretLook):end])
	if before == 0 {
		return
	}
	follows := data[next:min(len(data), next+nearby)]
	_, b := s.stamp.common(data, start, end, next)
	if b < shortestStamp && numbered(follows[:min(len(follows), deepest)]) { // the first line of a log, behind something else
		if n := bytes.IndexByte(follows, '\n'); n >= 0 {
			b, _ = common(follows[:n], follows[n+1:])
		}
	}
	if s.stamp.b == 0 && (b < shortestStamp || !stamped(data[next:next+b])) {
		return
	}
	word.addBehind(data[next+b : min(len(data), next+b+2*secretLook-before)])
	if word.secret() {
		s.wrap.put(cut(end, next+b), true)
	}
}

// shortestStamp is how long what a program writes before lines is at the least.
const shortestStamp = 6

// numbered reports whether a digit or what compose puts behind a name stands in
// the beginning of a line.
func numbered(line []byte) bool {
	for _, c := range line {
		switch {
		case digit(c) || c == '|':
			return true
		case c == '\n':
			return false
		}
	}
	return false
}

// longWord is how long no word of prose is.
const longWord = 20

// odd counts the characters of a word that may be a password: sixteen bits each for
// letters, digits, signs, and bytes of other scripts.
type odd uint64

const (
	oddLetter odd = 1 << (16 * iota)
	oddDigit
	oddSign
	oddHigh
)

// oddOf is what a character counts; zero is behind the word.
var oddOf = func() (t [256]odd) {
	for i := range t {
		switch c := byte(i); {
		case !graphic(c):
		case digit(c):
			t[i] = oddDigit
		case alnums[c]:
			t[i] = oddLetter
		case c >= 0x80:
			t[i] = oddHigh
		default:
			t[i] = oddSign
		}
	}
	return t
}()

// addBefore adds the characters of the word that b ends with, and returns how many.
func (w *odd) addBefore(b []byte) int {
	sum, i := *w, len(b)
	for ; i > 0 && oddOf[b[i-1]] != 0; i-- {
		sum += oddOf[b[i-1]]
	}
	*w = sum
	return len(b) - i
}

// addBehind adds those of the word that b begins with.
func (w *odd) addBehind(b []byte) {
	sum := *w
	for _, c := range b {
		if oddOf[c] == 0 {
			break
		}
		sum += oddOf[c]
	}
	*w = sum
}

func (w odd) secret() bool {
	letters, digits, signs, high := uint16(w), uint16(w>>16), uint16(w>>32), uint16(w>>48)
	n := letters + digits + signs + high
	return n >= secretLength && (letters > 0 && digits > 0 || signs >= 3 || high >= 4) ||
		n >= region && signs > 0 || n >= longWord
}
