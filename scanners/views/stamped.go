package views

import (
	"bytes"

	"revenant/scanners/stamps"
)

// stamping undoes what programs write before every line, where something goes on
// from one line to the next: lists, dumps, literals, armour, parts of a line.
type stamping struct {
	stamps [2]stamps.Stamp
	this   int // which of them is of the line at hand
	at     int // where that line begins; the stamp of no other is known

	a, b   int  // how much of the two lines at hand the stamps take
	stop   int  // where the second ends
	part   int  // where a line begins that is the rest of another
	marked bool // the mark of armour stands in the line at hand
	armour int  // where armour goes on in the line at hand
	text   prefixedBlock
}

func (s *stamping) forget() {
	s.at, s.a, s.b, s.part, s.armour = -1, 0, 0, 0, 0
	s.text = prefixedBlock{}
}

// read reads the stamps of the line at data[start:end] and the one at next. It
// reports whether they have something in common.
func (s *stamping) read(data []byte, start, end, next int) bool {
	x := &s.stamps[s.this]
	line := data[start:min(end, start+stamps.Longest)]
	if s.at != start {
		x.Read(line)
	}
	s.none(next)
	y := &s.stamps[s.this]
	if !stamps.Starts(data[next]) {
		return false
	}
	s.stop = lineStop(data, next)
	y.ReadLike(data[next:min(s.stop, next+stamps.Longest)], x, line)
	s.a, s.b = stamps.Shared(x, y)
	return s.a > 0
}

// none goes on to the line at next, which has no stamp as far as is known.
func (s *stamping) none(next int) {
	s.a, s.b, s.at = 0, 0, next
	s.this = 1 - s.this
	s.stamps[s.this].Read(nil)
}

// lineStop is where the line that begins at a place ends; the end of data where it is the
// last.
func lineStop(data []byte, at int) int {
	if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(data)
}

// common is how much the line at data[start:end] and the one at next have before
// what is theirs: their stamps, and what those have in common that follow.
func (s *stamping) common(data []byte, start, end, next int) (a, b int) {
	if s.b == 0 {
		return common(data[start:end], data[next:min(len(data), next+faraway)])
	}
	x, y := data[min(start+s.a, end):end], data[next+s.b:min(len(data), next+s.b+faraway)]
	in, also := indentation(x, 0), indentation(y, 0)
	if a, b = common(x[in:], y[also:]); b > 1 && wordly[y[also+b-1]] { // of what is encoded
		a, b = 0, 0
	}
	return s.a + in + a, s.b + also + b
}

// goesOn reports whether the two lines are parts of one.
func (s *stamping) goesOn() bool { return s.stamps[1-s.this].Part() || s.stamps[s.this].GoesOn() }

// within reports whether armour or a block begins in the line at start, as far as its mark
// tells, or goes on in it.
func (s *stamping) within(start int) bool {
	return s.marked || start > 0 && (s.armour == start || s.text.on == start)
}

// hangs reports whether what is logged goes on from a line to the next, at
// places of the layer, in a way that somebody undoes: x and y are the lines
// without what stands before them.
func (s *stamping) hangs(x, y []byte, start, next int) bool {
	if len(x) == 0 || len(y) == 0 || !s.within(start) && s.part != start && !endsHanging[x[len(x)-1]] && !beginsHung[y[0]] {
		return false
	}
	if s.armoured(x, start, next) || s.text.goesOn(x, y, start, next) {
		return true
	}
	part := s.part == start && start > 0             // the line begins with less of what is logged
	rows := x[len(x)-1] == '|' && y[len(y)-1] == '|' // as hexdump ends them
	return linesHang(x, y, part) || (rows || digit(y[0])) && behindStamps(x, y)
}

// endsHanging is what a line may end with, and beginsHung what the next one may begin
// with, where the two hang together: one of both is there, but in armour, in a block, and
// behind a part of a line.
var (
	endsHanging = set("-+>|e=\\^`") // the e is that of \u003e
	beginsHung  = func() (t [256]bool) {
		t = set("\"'`")
		for c := range t {
			t[c] = t[c] || listed[c] || between[c] || '!' <= c && c <= 'M' // the last as rows of uuencode
		}
		return t
	}()
)

// linesHang reports whether the line y goes on with what stands in x, of which part says
// that it is less than it was.
func linesHang(x, y []byte, part bool) bool {
	return rowsMeet(x, y, part) || structure[x[len(x)-1]] && numeric(y) || wrapsOn(x, y) || pieces(x, y)
}

// behindStamps reports whether two lines have stamps of their own, and what is
// behind them hangs together.
func behindStamps(x, y []byte) bool {
	if len(y) == 0 || !stamps.Starts(y[0]) {
		return false
	}
	var before, behind stamps.Stamp
	before.Read(x)
	behind.Read(y)
	a, b := stamps.Shared(&before, &behind)
	return a > 0 && (before.Part() || behind.GoesOn() || a < len(x) && b < len(y) && linesHang(x[a:], y[b:], false))
}

// stampedAt reports whether a line begins at a place with what programs write
// before lines.
func stampedAt(data []byte, at int) bool {
	if at >= len(data) || !stamps.Starts(data[at]) {
		return false
	}
	line := data[at:min(len(data), at+stamps.Longest)]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	var s stamps.Stamp
	s.Read(line)
	return s.Len() > 0
}

// rowsMeet reports whether two lines may be rows of a dump or of a list, of which part
// says that the first is less than it was.
func rowsMeet(x, y []byte, part bool) bool {
	return numeric(y) && (part || numeric(x)) || uuSized(y) && (part || uuSized(x) || bytes.HasPrefix(x, []byte("begin ")))
}

// behind are two lines without their stamps, and without the end of a colour.
func (s *stamping) behind(data []byte, start, end, next int) (x, y []byte) {
	x, y = data[min(start+s.a, end):end], bytes.TrimSuffix(data[next+s.b:s.stop], []byte("\r"))
	return x[:len(x)-colourEnd(x)], y[:len(y)-colourEnd(y)]
}

// colourEnd is how long the control sequence is that a line ends with, which ends what a
// terminal was told to show otherwise; 0 where there is none.
func colourEnd(line []byte) int {
	if n := len(line); n < 3 || line[n-1] != 'm' && line[n-1] != 'K' {
		return 0
	}
	const most = 12
	n := 1
	for n < min(len(line), most) && (digit(line[len(line)-n-1]) || line[len(line)-n-1] == ';') {
		n++
	}
	if n+2 > len(line) || line[len(line)-n-1] != '[' || line[len(line)-n-2] != 0x1b {
		return 0
	}
	n += 2
	return n + colourEnd(line[:len(line)-n])
}

// readMarks is read for what people and programs put before lines that is no stamp: the
// sign of a comment, a difference or a quotation, the same before both.
func (s *stamping) readMarks(data []byte, start, end, next int) bool {
	n := markLen(data[start:end])
	if n == 0 || next+n > len(data) || !bytes.Equal(data[start:start+n], data[next:next+n]) {
		return false
	}
	s.a, s.b, s.stop = n, n, lineStop(data, next)
	return true
}

// markLen is how long the signs are that a line begins with, with the blanks before them
// and one behind.
func markLen(line []byte) int {
	const most = 4 // signs
	from := indentation(line, 0)
	if from > deepest || from == len(line) || !lineMarks[line[from]] {
		return 0
	}
	sign, at := line[from], from+1
	for n := 1; n < most && at < len(line); n++ {
		switch {
		case line[at] == sign, sign == '/' && line[at] == '*':
			at++
		case line[at] == ' ' && at+1 < len(line) && line[at+1] == sign:
			at += 2
		default:
			n = most
		}
	}
	if at < len(line) && lineMarks[line[at]] && !(line[at] == '|' && nibblesEnd(line, at+1) > at+4) { // signs are no mark where others follow, but a dump of Netty
		return 0
	}
	if at < len(line) && line[at] == ' ' {
		at++
	}
	if string(line[from:at]) == "- " && at < len(line) && !blanks[line[at]] { // one of a list
		return 0
	}
	return at
}

// lineMarks are the signs that are put before lines.
var lineMarks = set("+-><#/*;|")

// armoured reports whether armour begins in the line or goes on in it.
func (s *stamping) armoured(x []byte, start, next int) bool {
	const tail = 48 // what a script has behind armour is short
	in := s.armour == start && start > 0 || s.part == start && start > 0 && bytes.Contains(x, []byte("KEY-----"))
	if !in && (!s.marked || !bytes.Contains(x[max(0, len(x)-tail):], []byte("-----")) || !bytes.Contains(x, []byte("-----BEGIN "))) || bytes.Contains(x, []byte("-----END ")) {
		return false
	}
	s.armour = next
	return true
}

// numeric reports whether a line may be one of a list of numbers or of a dump.
func numeric(line []byte) bool {
	at := indentation(line, 0)
	for at+1 < len(line) && line[at] == '\\' && (line[at+1] == '\\' || line[at+1] == 't') { // in a string
		if at++; line[at] == 't' {
			at++
		}
	}
	if at < len(line) && line[at] == '|' { // Netty
		at++
	} else if bytes.HasPrefix(line[at:], []byte("0x")) { // gdb
		at += 2
	}
	run, digits := at, 0
	for run < len(line) && hexOnly(line[run:run+1]) {
		if digit(line[run]) {
			digits++
		}
		run++
	}
	if run-at >= 4 && digits > 0 && run < len(line) && behindOffset[line[run]] {
		return true // the offset of a dump
	}
	const looked = 16
	for _, c := range line[at:min(len(line), at+looked)] {
		if !listed[c] {
			return false
		}
		if digit(c) {
			digits++
		}
	}
	return digits > 0
}

// behindOffset is what stands behind the offset of a dump.
var behindOffset = set(": |`")

// listed are the characters of lists of numbers.
var listed = set("0123456789abcdefABCDEFxX,;:\\ \t-'\"")

// wrapsOn reports whether a line says at its end that the next one goes on.
func wrapsOn(x, y []byte) bool {
	const soft = 40 // mail's lines are longer
	switch last := x[len(x)-1]; {
	case last == '=':
		return len(x) > soft
	case last == '\\' || last == '^' || last == '`':
		return len(x) > 1 && graphic(x[len(x)-2]) && indentation(y, 0) < len(y) || numeric(y)
	}
	return false
}

// uuSized reports whether a line is as long as its first character says in
// uuencode, as it stands or in a string.
func uuSized(line []byte) bool {
	c := line[0]
	if c <= ' ' || c > ' '+45 {
		return false
	}
	want := 1 + (int(c-' ')+2)/3*4
	if len(line) < want || len(line) > want*len(`\u0026`) {
		return false
	}
	return len(line) == want || bytes.IndexByte(line[:want], '\\') >= 0 && unescapedLength(line) == want
}

// unescapedLength is how many characters a string of JSON stands for.
func unescapedLength(line []byte) (n int) {
	for i := 0; i < len(line); n++ {
		switch {
		case line[i] != '\\':
			i++
		case i+1 < len(line) && line[i+1] == 'u':
			i += len(`\u0026`)
		default:
			i += 2
		}
	}
	return n
}

// pieces reports whether literals stand at the end of a line and at the beginning
// of the next one, which may be put together.
func pieces(x, y []byte) bool {
	from := 0
	for from < len(y) && (between[y[from]] || y[from] == '\\' || y[from] == 't' && from > 0 && y[from-1] == '\\') {
		from++
	}
	if from == len(y) || !isQuote(y[from]) {
		return false
	}
	const ampersand = `\u0026`
	to := len(x)
	if i := bytes.LastIndex(x[max(0, to-len(ampersand)-2):], []byte(ampersand)); i >= 0 { // as Go and Docker write it
		to = max(0, to-len(ampersand)-2) + i
	}
	for to > 0 && (between[x[to-1]] || x[to-1] == '\\' && to > 1 && x[to-2] == ' ') {
		to--
	}
	if to == 0 || !isQuote(x[to-1]) {
		return false
	}
	end := bytes.IndexByte(y[from+1:min(len(y), from+longestLiteral)], y[from])
	return end < 0 || !named(y, from+1+end+1)
}

// shows puts the stamps of two lines out.
func (s *lines) shows(data []byte, start, next int, worth bool) {
	if from := max(s.cut, start); from < start+s.stamp.a {
		s.prefix.put(cut(from, start+s.stamp.a), worth)
	}
	if line := bytes.TrimSuffix(data[start+s.stamp.a:next-1], []byte("\r")); worth && s.cut <= next-1 {
		if n, end := colourEnd(line), start+s.stamp.a+len(line); n > 0 && end-n >= s.cut {
			s.prefix.put(cut(end-n, end), true)
		}
	}
	s.cut = next + s.stamp.b
	if !worth {
		s.prefix.put(cut(next, next+s.stamp.b), false)
		return
	}
	s.prefix.putIn(cut(next, next+s.stamp.b), max(start, next-longestBroken), min(s.stamp.stop, next+longestBroken))
}
