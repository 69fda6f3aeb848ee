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
// Of both it looks up as much as is asked for.
type lines struct {
	text   string
	before []int         // newlines before each block, and in all; nil until asked
	marks  map[int][]int // by block: where allowMark begins
	all    []int         // every one, when the whole text was searched
	whole  bool
}

// lineBlock is how much is searched to answer one question.
const lineBlock = 4 << 10

func (l *lines) index() {
	if l.before != nil {
		return
	}
	n := 0
	l.before = append(make([]int, 0, len(l.text)/lineBlock+2), 0)
	for from := 0; from < len(l.text); from += lineBlock {
		n += strings.Count(l.block(from/lineBlock), "\n")
		l.before = append(l.before, n)
	}
}

func (l *lines) block(i int) string {
	return l.text[i*lineBlock : min(len(l.text), (i+1)*lineBlock)]
}

// total is how many newlines there are.
func (l *lines) total() int { return l.before[len(l.before)-1] }

// count is how many newlines there are before a place.
func (l *lines) count(at int) int {
	at = min(max(at, 0), len(l.text))
	block := at / lineBlock
	return l.before[block] + strings.Count(l.text[block*lineBlock:at], "\n")
}

// last is the last newline before a place, -1 for none.
func (l *lines) last(at int) int {
	at = min(max(at, 0), len(l.text))
	block := at / lineBlock
	if i := strings.LastIndexByte(l.text[block*lineBlock:at], '\n'); i >= 0 {
		return block*lineBlock + i
	}
	if l.before[block] == 0 {
		return -1
	}
	block, _ = slices.BinarySearch(l.before, l.before[block])
	return (block-1)*lineBlock + strings.LastIndexByte(l.block(block-1), '\n')
}

// next is the first newline from a place on, -1 for none.
func (l *lines) next(at int) int {
	at = max(at, 0)
	if at >= len(l.text) {
		return -1
	}
	block := at / lineBlock
	if i := strings.IndexByte(l.text[at:min(len(l.text), (block+1)*lineBlock)], '\n'); i >= 0 {
		return at + i
	}
	if l.before[block+1] == l.total() {
		return -1
	}
	block, _ = slices.BinarySearch(l.before, l.before[block+1]+1)
	return (block-1)*lineBlock + strings.IndexByte(l.block(block-1), '\n')
}

// allowed reports whether the mark stands in a range.
func (l *lines) allowed(e extent) bool {
	first, last := e.start/lineBlock, e.end/lineBlock
	if last-first > 4 && !l.whole {
		l.whole, l.all = true, places(l.text, allowMark)
	}
	if l.whole {
		return allowedBy(l.all, e)
	}
	for i := first; i <= last && i*lineBlock < len(l.text); i++ {
		marks, known := l.marks[i]
		if !known {
			from := i * lineBlock
			marks = places(l.text[from:min(len(l.text), from+lineBlock+len(allowMark)-1)], allowMark)
			for k := range marks {
				marks[k] += from
			}
			if l.marks == nil {
				l.marks = map[int][]int{}
			}
			l.marks[i] = marks
		}
		if allowedBy(marks, e) {
			return true
		}
	}
	return false
}

func allowedBy(marks []int, e extent) bool {
	i, _ := slices.BinarySearch(marks, e.start)
	return i < len(marks) && marks[i]+len(allowMark) <= e.end
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
	if l.total() == 0 {
		return l.only(e)
	}
	line := l.count(e.start + 1) // newlines at or before the start
	if line == l.total() || e.start < 0 {
		return l.behind(e, l.total(), l.last(len(l.text)))
	}
	begin := max(0, l.last(e.start+1))
	p := spot{line: line, column: e.start - begin + 1, text: extent{begin, l.next(e.start + 1)}}
	// gitleaks looks for the start's and the end's line in one loop; the later wins.
	if end := l.next(e.end); end >= 0 && l.count(e.end) >= line && e.end > max(0, l.last(e.end)) {
		p.text.end = end
	}
	p.text.end = max(p.text.end, e.end)
	return p
}

// only is position in a text without newline, whose end stands for one.
func (l *lines) only(e extent) spot {
	if e.start < 0 || e.start >= len(l.text) {
		return l.behind(e, 1, len(l.text))
	}
	return spot{column: e.start + 1, text: extent{0, max(len(l.text), e.end)}}
}

// behind is position behind the last newline.
func (l *lines) behind(e extent, line, newline int) spot {
	end := e.end
	if n := strings.IndexAny(l.text[min(max(end, 0), len(l.text)):], "\r\n"); n >= 0 {
		end += n
	} else {
		end = max(end, len(l.text))
	}
	return spot{line: line, column: e.start - newline + 1, text: extent{0, end}}
}
