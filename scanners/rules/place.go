package rules

import (
	"slices"
	"strings"
)

// allowMark in the line of a finding waves it through.
const allowMark = "gitleaks:allow"

// extent is a half-open range of offsets in a text.
type extent struct{ start, end int }

func cover(a, b extent) extent { return extent{min(a.start, b.start), max(a.end, b.end)} }

// within reports whether e is a range of a text of n bytes.
func (e extent) within(n int) bool { return 0 <= e.start && e.start <= e.end && e.end <= n }

// lines knows where the lines of a text end, and where it says gitleaks:allow.
type lines struct {
	text     string
	newlines []int // made when first needed
	indexed  bool
	allows   []int
	searched bool
}

func (l *lines) index() {
	if l.indexed {
		return
	}
	l.indexed = true
	l.newlines = places(l.text, "\n")
}

// allowed reports whether the mark stands in a range.
func (l *lines) allowed(e extent) bool {
	if !l.searched {
		l.searched = true
		l.allows = places(l.text, allowMark)
	}
	i, _ := slices.BinarySearch(l.allows, e.start)
	return i < len(l.allows) && l.allows[i]+len(allowMark) <= e.end
}

// places are where what stands in a text.
func places(text, what string) []int {
	var at []int
	for i := 0; ; i++ {
		n := strings.Index(text[i:], what)
		if n < 0 {
			return at
		}
		i += n
		at = append(at, i)
	}
}

// spot is where gitleaks says that a range stands: lines from 0, the
// column of the start counted from the newline before it, and the stretch
// that it takes for the line.
type spot struct {
	line, column int
	text         extent
}

// position reckons as gitleaks does, which the line's allowlists, the nearness
// of required rules and the choice between two rules hang on: a range on a
// last line without newline has everything from the beginning as its line.
func (l *lines) position(e extent) spot {
	l.index()
	ends := l.newlines
	if len(ends) == 0 {
		ends = []int{len(l.text)}
	}
	begin := func(line int) int {
		if line == 0 {
			return 0
		}
		return ends[line-1]
	}
	line, _ := slices.BinarySearch(ends, e.start+1) // newlines at or before the start
	if line == len(ends) || e.start < 0 {
		end := e.end
		if n := strings.IndexAny(l.text[min(max(end, 0), len(l.text)):], "\r\n"); n >= 0 {
			end += n
		} else {
			end = max(end, len(l.text))
		}
		return spot{line: len(ends), column: e.start - ends[len(ends)-1] + 1, text: extent{0, end}}
	}
	p := spot{line: line, column: e.start - begin(line) + 1, text: extent{begin(line), ends[line]}}
	// gitleaks looks for the start's and the end's line in one loop; the later wins.
	if last, _ := slices.BinarySearch(ends, e.end); last < len(ends) && last >= line && e.end > begin(last) {
		p.text.end = ends[last]
	}
	p.text.end = max(p.text.end, e.end)
	return p
}
