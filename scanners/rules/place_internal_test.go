package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// referencePosition reckons with a list of all newlines.
func referencePosition(text string, e extent) spot {
	ends := places(text, "\n")
	if len(ends) == 0 {
		ends = []int{len(text)}
	}
	begin := func(line int) int {
		if line == 0 {
			return 0
		}
		return ends[line-1]
	}
	line, _ := slices.BinarySearch(ends, e.start+1)
	if line == len(ends) || e.start < 0 {
		end := e.end
		if n := strings.IndexAny(text[min(max(end, 0), len(text)):], "\r\n"); n >= 0 {
			end += n
		} else {
			end = max(end, len(text))
		}
		return spot{line: len(ends), column: e.start - ends[len(ends)-1] + 1, text: extent{0, end}}
	}
	p := spot{line: line, column: e.start - begin(line) + 1, text: extent{begin(line), ends[line]}}
	if last, _ := slices.BinarySearch(ends, e.end); last < len(ends) && last >= line && e.end > begin(last) {
		p.text.end = ends[last]
	}
	p.text.end = max(p.text.end, e.end)
	return p
}

// TestPosition compares with the reference in texts with few, many and no
// lines, for ranges in and out of them.
func TestPosition(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, gap := range []int{1, 3, 200, 3000, 2 * lineBlock, 5 * lineBlock, 1 << 30} {
		for range 40 {
			text := []byte(strings.Repeat("x", r.IntN(4*lineBlock)+r.IntN(2)*lineBlock))
			for i := r.IntN(gap + 1); i < len(text); i += 1 + r.IntN(2*gap) {
				text[i] = "\n\n\n\r"[r.IntN(4)]
			}
			for range r.IntN(4) {
				copy(text[r.IntN(len(text)+1):], allowMark)
			}
			l := lines{text: string(text)}
			for range 60 {
				e := extent{start: r.IntN(len(text)+20) - 5}
				e.end = e.start + r.IntN(1<<r.IntN(16))
				if want, got := referencePosition(l.text, e), l.position(e); got != want {
					t.Fatalf("%d bytes, %v: got %v, want %v", len(text), e, got, want)
				}
				if !e.within(len(text)) {
					continue
				}
				if want, got := strings.Contains(l.text[e.start:e.end], allowMark), l.allowed(e); got != want {
					t.Fatalf("%d bytes, %v: allowed is %v", len(text), e, got)
				}
			}
		}
	}
}
