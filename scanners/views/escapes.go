package views

import (
	"bytes"
	"unicode/utf8"

	"revenant/scanners/escapes"
	"revenant/scanners/stamps"
)

// What matters is an escape that can hide something: most backslashes, percent
// signs and ampersands stand in prose and patterns and are left alone unless
// one of worth is near.

// slashes undoes backslash escapes of JSON, C, shells, .properties and the
// like. Deeper layers are undone one after the other.
type slashes struct {
	out  *stretches
	hex  *stretches // \2C: LDAP
	done int

	points *stretches // \xfc: a character and no byte
}

// longestRun is how many backslashes in a row are escapes of each other; more
// are no text, and nobody can tell where the run began.
const longestRun = 1 << 10

// at looks at a backslash.
func (s *slashes) at(data []byte, p int) {
	if p < s.done {
		return
	}
	q := p
	for q < len(data) && data[q] == '\\' {
		q++
	}
	if s.done = q; q-p > longestRun {
		return
	}
	worth := q-p > 2 || q-p == 2 && layered(data, p, q)
	for ; q-p >= 2; p += 2 {
		u := splice{at: p, end: p + 2, n: 1, out: [8]byte{'\\'}}
		s.out.put(u, worth)
		s.hex.put(u, false)
		s.points.put(u, false)
	}
	if p == q {
		return
	}
	u := escapes.Backslash(data[p:])
	if u.N == 0 && stampedAt(data, p+u.Width) {
		return // the line goes on behind the stamp
	}
	escaped := u.Width > 2 || u.Width == 2 && (u.N != 1 || !alnums[u.Out[0]]) // nobody escapes letters
	if !s.hex.unwanted() {
		s.pair(data, p, u, escaped)
	}
	if escaped {
		s.done = p + u.Width
		s.out.put(unitAt(p, u), worth || matters(data, p, u))
		s.point(data, p, u)
	}
}

// pair undoes LDAP's escape at p, and with it what else is escaped.
func (s *slashes) pair(data []byte, p int, u escapes.Unit, escaped bool) {
	if b, ok := pair(data, p); ok {
		s.hex.put(splice{at: p, end: p + 3, n: 1, out: [8]byte{b}}, true)
	} else if escaped {
		s.hex.put(unitAt(p, u), false)
	}
}

// point reads an escape of a byte above ASCII as the character of that number.
func (s *slashes) point(data []byte, p int, u escapes.Unit) {
	if s.points.unwanted() {
		return
	}
	if c := u.Out[0]; u.N == 1 && u.Width == 4 && c >= utf8.RuneSelf {
		s.points.put(pointAt(p, u.Width, c), lone(data, p, u.Width, c))
	} else {
		s.points.put(unitAt(p, u), false)
	}
}

// layered reports whether two backslashes, data[p:q], are worth undoing: if an
// escape comes out.
func layered(data []byte, p, q int) bool {
	if q >= len(data) {
		return false
	}
	switch data[q] {
	case '"', '\'', '/', '`', '\n', '\r':
		return true
	case 'u', 'U', 'x', '0', '1', '2', '3':
		if escapes.Backslash(data[q-1:]).Width > 3 {
			return true
		}
	case 'n', 'r', 't':
		return besideBreak(data, p, q+1)
	}
	_, ok := pair(data, q-1)
	return ok
}

// matters reports whether the escape at p is worth undoing by itself.
func matters(data []byte, p int, u escapes.Unit) bool {
	end := p + u.Width
	switch c := data[p+1]; {
	case c == '/' || c == '=' || c == ':' || c == '@':
		return true
	case c == 'u' || c == 'U':
		return u.N == 1 || hidesIn(data, p, u) // no letters of other scripts: rules do not care
	case c == 'x':
		return true
	case c >= '0' && c <= '7':
		return u.Width == 4
	case c == '\n' || c == '\r':
		return p > 0 && end < len(data) && wordly[data[p-1]] && wordly[data[end]]
	case c == '"' || c == '\'':
		if separates(data, p-1, -1) || separates(data, end, 1) {
			return true
		}
	}
	return besideBreak(data, p, end)
}

// besideBreak is beside with what may belong to one line break on both sides:
// escapes of others, indentation, signs that the line goes on.
func besideBreak(data []byte, p, q int) bool { //nolint:gocyclo // a format is read byte by byte, and each byte has its case
	before, behind := p, q
	for low := max(0, p-deepest); p > low; {
		switch c := data[p-1]; {
		case p-2 >= low && data[p-2] == '\\' && (c == 'n' || c == 'r' || c == 't'):
			p -= 2
			for p > low && data[p-1] == '\\' {
				p--
			}
			continue
		case c == '^' || c == '`':
			p--
		}
		break
	}
	for high := min(len(data), q+deepest); q < high; q++ {
		if c := data[q]; c == '\\' && q+1 < high {
			for q+1 < high && data[q+1] == '\\' {
				q++
			}
			if c := data[min(q+1, len(data)-1)]; c != 'n' && c != 'r' && c != 't' {
				break
			}
			q++
		} else if !blanks[c] {
			break
		}
	}
	return beside(data, p, q) || before > 0 && data[before-1] == '=' || joins(data, p, q) || rows(data, before, q) ||
		behind < len(data) && data[behind] == ' ' && blockHead(data[:before]) || patchBreak(data, before)
}

// longestRow is how long the rows are of a dump or a list in a string.
const longestRow = 160

// rows reports whether rows of a dump or of a list end at p and begin at q, where
// escapes of line breaks stand between them.
func rows(data []byte, p, q int) bool {
	if q >= len(data) || !listed[data[q]] && !stamps.Starts(data[q]) && data[q] != '|' && (data[q] <= ' ' || data[q] > ' '+45) {
		return false
	}
	x, y := data[max(0, p-longestRow):p], data[q:min(len(data), q+longestRow)]
	if i, _ := breakEscape(y); i >= 0 {
		y = y[:i]
	}
	for i, end := breakEscape(x); i >= 0; i, end = breakEscape(x) {
		x = x[end:]
	}
	return len(x) > 0 && len(y) > 0 && (rowsMeet(x, y, false) || behindStamps(x, y))
}

// breakEscape is where the first escape of a line break begins, however often it
// is escaped, and where it ends; -1 when there is none.
func breakEscape(b []byte) (from, to int) {
	for i := 0; ; {
		n := bytes.IndexByte(b[i:], '\\')
		if n < 0 {
			return -1, 0
		}
		for i, from = i+n, i+n; i < len(b) && b[i] == '\\'; i++ {
		}
		if i < len(b) && (b[i] == 'n' || b[i] == 'r') {
			return from, i + 1
		}
	}
}

// joins reports whether literals end at p and begin at q, with an operator or a
// blank between them.
func joins(data []byte, p, q int) bool {
	from, to := p, q
	for from > max(0, p-8) && between[data[from-1]] {
		from--
	}
	for to < min(len(data), q+8) && between[data[to]] {
		to++
	}
	return (from < p || to > q) && from > 0 && to < len(data) && isQuote(data[from-1]) && isQuote(data[to])
}

// separates reports whether the character at p, or behind the blank there,
// stands between a name and a value, between such pairs, or between pieces.
func separates(data []byte, p, step int) bool {
	if p >= 0 && p < len(data) && data[p] == ' ' {
		p += step
	}
	if p >= 0 && p < len(data) {
		switch data[p] {
		case ':', '=', ',', '{', '}', '[', ']', '>', '<', '+', '.', '&', '|', '~', '(', ')', ';', '\\':
			return true
		}
	}
	return false
}

// pair reads a backslash and two hex digits, as LDAP escapes bytes. Digits of small
// letters, which are escapes of other kinds, have to be a part of UTF-8.
func pair(data []byte, p int) (byte, bool) {
	b, ok := escapes.Hex(data, p+1)
	if !ok || b < ' ' {
		return 0, false
	}
	if data[p+1] >= 'a' {
		if b >= 0xc0 {
			next, ok := escapes.Hex(data, p+4)
			return b, ok && data[p+3] == '\\' && next>>6 == 2
		}
		before, ok := escapes.Hex(data, max(0, p-2))
		return b, ok && p >= 3 && data[p-3] == '\\' && before >= utf8.RuneSelf
	}
	return b, true
}

// percent undoes percent encoding.
type percent struct {
	out  *stretches
	done int

	points *stretches // %FC: a character and no byte

	form []byte // the text at hand with blanks for plus signs
}

// at looks at a percent sign.
func (s *percent) at(data []byte, p int) {
	if p < s.done {
		return
	}
	if r, width := wideEscape(data, p); width > 0 {
		s.done = p + width
		u := unitAt(p, escapes.Character(r, width))
		s.out.put(u, true)
		s.points.put(u, true)
		return
	}
	b, ok := escapes.Hex(data, p+1)
	if !ok {
		return
	}
	s.done = p + 3
	worth := b > ' ' && b != 0x7f || beside(data, p, p+3)
	u := splice{at: p, end: p + 3, n: 1, out: [8]byte{b}}
	s.out.put(u, worth)
	if b < utf8.RuneSelf {
		s.points.put(u, false)
		return
	}
	s.points.put(pointAt(p, 3, b), lone(data, p, 3, b))
}

// pluses yields a text once more with blanks for plus signs, as forms are sent
// and queries are written. Those that may be part of a secret are left alone,
// and so are those that were escaped.
func (s *percent) pluses(b *spliced) {
	if bytes.IndexByte(b.out, '+') < 0 {
		return
	}
	s.form = append(s.form[:0], b.out...)
	some := false
	for i, p := range b.parts {
		to := len(b.out)
		if i+1 < len(b.parts) {
			to = int(b.parts[i+1].out)
		}
		for at := int(p.out); p.width < 0 && at < to; at++ {
			n := bytes.IndexByte(b.out[at:to], '+')
			if n < 0 {
				break
			}
			if at += n; !secretAround(b.out, at, at+1, &standard) || at == 0 || at+1 == len(b.out) || !standard[b.out[at-1]] || !standard[b.out[at+1]] {
				s.form[at], some = ' ', true
			}
		}
	}
	if some && !s.out.stopped {
		like := s.out.like
		like.Data, like.Origin = s.form[:len(s.form):len(s.form)], b.origin
		s.out.stopped = !s.out.yield(like)
	}
	clear(s.form)
}

// forget drops what is no use for another layer.
func (s *percent) forget() {
	if cap(s.form) > keepSpliced {
		s.form = nil
	}
}

// entity undoes HTML's character references.
type entity struct {
	out  *stretches
	done int
}

// at looks at an ampersand.
func (s *entity) at(data []byte, p int) {
	if p < s.done || p+1 >= len(data) || data[p+1] != '#' && !alnums[data[p+1]] {
		return
	}
	u := escapes.Entity(data[p:])
	if u.Width < 2 {
		return
	}
	s.done = p + u.Width
	s.out.put(unitAt(p, u), u.N == 1 || hidesIn(data, p, u))
}

// hidesIn reports whether the escape at p stands in a word for a character that nobody
// sees: who looks for those takes it out of what the escapes are undone to.
func hidesIn(data []byte, p int, u escapes.Unit) bool {
	end := p + u.Width
	return u.N > 1 && hidden(u.Out[:u.N]) == u.N && p > 0 && end < len(data) && graphic(data[p-1]) && graphic(data[end])
}

// quotes undoes quotes that stand doubled in quotes, and quotes that were put
// into the single quotes of a shell.
type quotes struct {
	double, single, shell *stretches

	done, shelled int
}

// at looks at a quote.
func (s *quotes) at(data []byte, p int) {
	c := data[p]
	if c == '\'' && p >= s.shelled {
		s.shellQuote(data, p)
	}
	if p < s.done || c == '`' || p+1 >= len(data) || data[p+1] != c {
		return
	}
	q := p + 2
	for q < len(data) && data[q] == c && q-p < longestRun {
		q++
	}
	s.done = q
	out := s.double
	if c == '\'' {
		out = s.single
	}
	// An odd one begins or ends the literal.
	worth := (q-p)%2 == 0 && (p > 0 && alnums[data[p-1]] && !literalPrefix(data, p) || q < len(data) && alnums[data[q]])
	for ; q-p >= 2; p += 2 {
		out.put(splice{at: p, end: p + 2, n: 1, out: [8]byte{c}}, worth)
	}
}

// literalPrefix reports whether the literal at p has a letter before it that
// says of what kind it is.
func literalPrefix(data []byte, p int) bool {
	switch data[p-1] | 0x20 {
	case 'b', 'f', 'r', 'u', 'n', 'l':
		return p < 2 || !alnums[data[p-2]]
	}
	return false
}

// shellQuote undoes a quote that stands outside of the quotes for a moment.
func (s *quotes) shellQuote(data []byte, p int) {
	for _, quote := range []string{`'\''`, `'"'"'`} {
		if len(data)-p >= len(quote) && string(data[p:p+len(quote)]) == quote {
			s.shelled = p + len(quote)
			s.shell.put(splice{at: p, end: s.shelled, n: 1, out: [8]byte{'\''}}, true)
			return
		}
	}
}
