package views

import "bytes"

// peeled undoes what programs write before lines that no stamp is known for, where a
// dump, a list, a literal or a line goes on behind it from one line to the next. Where
// it ends is told by what lines have in common; in rows that are alike, by what the
// first has in common with the line before.
type peeled struct {
	this int // where the line at hand begins
	prev int // and the line before it
	on   int // where a line begins that goes on with what was put together
	n    int // how much of it is no part of that

	whole int // where a line begins that goes on behind its stamp alone
	text  prefixedBlock
}

// peel leaves out what stands before data[start:end] and before the line at next, more
// than their stamps. It reports whether it did.
func (s *lines) peel(data []byte, start, end, next int) bool {
	on := s.peeled.on == start && start > 0
	x, behind := data[start:end], s.stamp.b
	if len(x) <= s.stamp.a || len(x) > faraway || !on && !mayGoOn(x) || !beginAlike(x[s.stamp.a:], data[next+behind:], behind > 0) {
		return false
	}
	stop := s.stopOf(data, next)
	y := bytes.TrimSuffix(data[next:stop], []byte("\r"))
	if len(y) <= behind || !on && !rowEnd(y) && !uuRow(y) && !hangingEnd(x) && !itemEnd(y) {
		return false
	}
	a, b := s.writtenBefore(data, x, y, start, on)
	if a == 0 || a == len(x) || b == len(y) {
		return false
	}
	if v, w := x[a:len(x)-colourEnd(x[a:])], y[b:len(y)-colourEnd(y[b:])]; !hangBehind(v, w, on) && !s.peeled.text.goesOn(v, w, start, next) || !prefixes(y[:b]) {
		return false
	}
	s.peeled.on, s.peeled.n = next, b
	if s.cut <= next {
		s.stamp.a, s.stamp.b, s.stamp.stop = a, b, stop
		s.shows(data, start, next, true)
		s.stamp.a, s.stamp.b = 0, 0
	}
	return true
}

// stopOf is where the line at next ends, as far as a prefix is looked for in it.
func (s *lines) stopOf(data []byte, next int) int {
	if s.stamp.b > 0 {
		return s.stamp.stop
	}
	return lineStop(data[:min(len(data), next+faraway)], next)
}

// hangBehind is linesHang for what stands behind a prefix, which may be nothing. Sums end
// with a sign that mail breaks lines with.
func hangBehind(v, w []byte, on bool) bool {
	return len(v) > 0 && len(w) > 0 && linesHang(v, w, on) && (v[len(v)-1] != '=' || numeric(w) || softBroken(v))
}

// writtenBefore is how much of two lines, the first of which begins at start, stands
// before what is theirs: what they have in common, as far as the line before them has it,
// or as what was put together last; zeros where that is their stamps alone, or nothing
// tells.
func (s *lines) writtenBefore(data, x, y []byte, start int, on bool) (a, b int) {
	from, behind, limit := s.stamp.a, s.stamp.b, len(x)
	if on {
		limit = max(from, min(limit, s.peeled.n))
	}
	a, b = common(x[from:limit], y[behind:])
	if !on && a > 0 {
		least := 0
		if before := s.peeled.prev; before < start {
			least, _ = common(x[:from+a], bytes.TrimPrefix(data[before:start-1], []byte("\ufeff")))
		}
		switch {
		case least < from: // rows are alike
			return 0, 0
		case least > 0 && least < from+a:
			a, b = common(x[from:least], y[behind:])
		}
	}
	if a == 0 {
		return 0, 0
	}
	a, b = from+a, behind+b
	// What one is indented further than the other is its own.
	in, also := a-len(bytes.TrimRight(x[:a], " \t")), b-len(bytes.TrimRight(y[:b], " \t"))
	return a - max(0, in-also), b - max(0, also-in)
}

// beginAlike reports whether two lines may begin with what a program writes: with the same
// letter or sign, or digits; behind a stamp with any sign.
func beginAlike(x, y []byte, stamped bool) bool {
	i, j := indentation(x, 0), indentation(y, 0)
	if i == len(x) || j == len(y) {
		return false
	}
	c, d := x[i], y[j]
	if digit(c) && digit(d) && !stamped { // so begin lists, too, but with no date, seconds since 1970, or number and a bar
		n := skip(x, i, digit)
		return n-i >= leastEpoch || n < len(x) && (x[n] == '|' || i > 0 && n-i == len("2026") && x[n] == '-')
	}
	return c == d && (stamped || alnums[c] || c == '[' || c == '<') || digit(c) && digit(d)
}

// mayGoOn is a quick look at whether a line may go on in the next.
func mayGoOn(x []byte) bool {
	switch x[len(x)-1] {
	case '[', '(', '{': // a list begins
		return true
	case '}', ')', ';':
		return false
	}
	return hangingEnd(x) || rowEnd(x) || uuRow(x)
}

// hangingEnd is a quick look at whether a line ends as one does that goes on in the next:
// with a sign for that, or a literal, which an operator may follow.
func hangingEnd(x []byte) bool {
	switch x[len(x)-1] {
	case '\\', '^', '`', '>': // the last begins a block
		return true
	case '=':
		return len(x) > 1 && graphic(x[len(x)-2])
	case '-':
		return len(x) > 1 && (x[len(x)-2] == '>' || x[len(x)-2] == '|')
	}
	const operators, piece = 4, 6
	n := len(x)
	for n > max(piece+1, len(x)-operators) && between[x[n-1]] {
		n--
	}
	return n > piece+1 && isQuote(x[n-1]) && (n < len(x) && !blank(x[len(x)-1]) || all(x[n-1-piece:n-1], &wordly) || assigned(x[:n-1], x[n-1]))
}

// assigned reports whether the literal that a quote ends behind x is assigned to
// something, or added to it.
func assigned(x []byte, quote byte) bool {
	const longest = 128
	from := max(0, len(x)-longest)
	i := from + bytes.LastIndexByte(x[from:], quote)
	for i--; i > from && blank(x[i]); i-- {
	}
	return i > from && (x[i] == '=' || x[i] == '+' || x[i] == '(' || x[i] == ':' && blank(x[i+1]))
}

// itemEnd is a quick look at whether a line ends with a number of a list.
func itemEnd(y []byte) bool {
	n := len(y)
	if n > 1 && y[n-1] == ',' {
		n--
	}
	to := n
	for n > 0 && digit(y[n-1]) {
		n--
	}
	return n > 0 && 0 < to-n && to-n <= len("255") && blank(y[n-1])
}

// rowEnd is a quick look at whether a line ends as rows of dumps and lists do: with
// digits, with a character far from the others, or with what digits stand for.
func rowEnd(y []byte) bool {
	const few, beside = 8, 18 // the characters that xxd writes beside 16 bytes, and what is before them
	n := len(y)
	if n < few {
		return false
	}
	if listed[y[n-1]] && all(y[n-few:], &listed) || y[n-1] == '|' || blanks[y[n-2]] && blanks[y[n-3]] {
		return true
	}
	return n >= beside+few && all(y[n-beside-few:n-beside], &listed)
}

// softBroken reports whether a line is as long as mail's lines are where they are broken:
// others end with the padding of base64, as sums do.
func softBroken(line []byte) bool {
	const most, least = 77, 70
	return least <= len(line) && len(line) <= most
}

// uuRow reports whether a line may end with a full row of uuencode.
func uuRow(line []byte) bool {
	const full = 61
	return len(line) > full && line[len(line)-full] == 'M'
}

// leastEpoch is how many digits the seconds since 1970 have.
const leastEpoch = 10

// prefixes reports whether b may be what a program writes before every line: it names
// something or tells a time, and is no part of a list or of a program.
func prefixes(b []byte) bool {
	letters, clock := 0, skip(b, 0, digit) >= leastEpoch
	for i, c := range b {
		switch {
		case c == '{' || c == '"' || c == '\'' || c == '=' || c == ';' || c == '\\':
			return false
		case c == ':':
			clock = clock || i > 0 && i+1 < len(b) && digit(b[i-1]) && digit(b[i+1])
		case alnums[c] && !digit(c):
			letters++
		}
	}
	if clock {
		return true
	}
	const least = 3
	return letters >= least && !numeric(b) || len(b) > 2 && letters > 0 && b[len(b)-2] == ' '
}
