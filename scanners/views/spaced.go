package views

import "revenant/scanners/byteclass"

// Lines of what is encoded whose ends became single blanks, as a shell writes a
// variable that stands in no quotes, go on behind them.
const (
	// leastSpaced is how many characters such a line has at the least: no word of
	// prose and few paths have as many. longestSpaced is how many it has at the most.
	leastSpaced, longestSpaced = 40, 160
	// mostBlanks is how many blanks stand between two of them.
	mostBlanks = 2
)

// lineAt is how many characters of the alphabet stand at p, up to one more than a
// line has, and where they end. Of escapes that JSON has in them it knows those of
// the two signs.
func (a *alphabet) lineAt(data []byte, p int) (n, end int) {
	for p < len(data) && n <= longestSpaced {
		switch c := data[p]; {
		case a.digit[c] != byteclass.None:
			p++
			n++
		case c == '\\' && a.signs && p+1 < len(data) && data[p+1] == '/':
			p++
		case c == '\\' && a.signs && plusEscaped(data, p):
			p += len(`\u002b`)
			n++
		default:
			return n, p
		}
	}
	return n, p
}

// lineFrom is where the line that p stands in begins, as far as lineAt looks; at low at
// the earliest.
func (a *alphabet) lineFrom(data []byte, p, low int) int {
	for low = max(low, p-longestSpaced-1); p > low; p-- {
		if a.digit[data[p-1]] == byteclass.None && (!a.signs || data[p-1] != '\\' || data[p] != '/' && !plusEscaped(data, p-1)) {
			break
		}
	}
	return p
}

// plusEscaped reports whether \u002b or \u002f stands at p.
func plusEscaped(data []byte, p int) bool {
	v, ok := hexAt(data, p+2, 4)
	return ok && data[p+1] == 'u' && (v == '+' || v == '/')
}

// spaced is how many blanks stand at p where a line that begins at a place goes on
// behind them; 0: it does not. Behind them is another of as many characters or the
// last one, which is shorter: no sentence goes on behind that.
func (a *alphabet) spaced(data []byte, from, p int) int {
	q := p
	for q < len(data) && q-p <= mostBlanks && data[q] == ' ' {
		q++
	}
	if q-p > mostBlanks || q >= len(data) || a.digit[data[q]] == byteclass.None && data[q] != '\\' {
		return 0
	}
	width, end := a.lineAt(data, from)
	if end != p || width < leastSpaced || width > longestSpaced {
		return 0
	}
	next, end := a.lineAt(data, q)
	if next == width || next > 0 && next < width && (next >= joinFrom || end == len(data) || !blanks[data[end]] && !prosaic(data[end])) {
		return q - p
	}
	return 0
}

// prosaic reports whether c stands behind a word of a sentence.
func prosaic(c byte) bool {
	return c == '.' || c == ',' || c == ':' || c == ';' || c == '!' || c == '?'
}

// spacedBefore is where the line ends that goes on behind the blanks before a
// place; 0: none does. It is looked at from low on.
func (a *alphabet) spacedBefore(data []byte, at, low int) int {
	p := at
	for p > low && at-p < mostBlanks && data[p-1] == ' ' {
		p--
	}
	if p == at || p <= low || a.digit[data[p-1]] == byteclass.None {
		return 0
	}
	from := a.lineFrom(data, p, low)
	if a.spaced(data, from, p) != at-p {
		return 0
	}
	return p
}
