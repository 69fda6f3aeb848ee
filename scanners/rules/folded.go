package rules

import (
	"cmp"
	"slices"
	"strings"
)

// foldedText is a text in which the runes that fold to ASCII letters are
// those letters, for the prefilter.
type foldedText struct {
	bytes []byte
	cuts  []cut // where something was left out; none in nearly every text
}

// cut says how many bytes are missing before a place.
type cut struct{ at, missing int }

// newFoldedText reports whether it differs from the text; if not, it is empty.
func newFoldedText(text string) (f foldedText, differs bool) {
	if !strings.Contains(text, string(kelvin)) && !strings.Contains(text, string(longS)) {
		return f, false
	}
	f = foldedText{bytes: make([]byte, 0, len(text))}
	missing := 0
	nextK, nextS := -1, -1
	for i := 0; i < len(text); {
		if nextK < i {
			nextK = indexFrom(text, i, string(kelvin))
		}
		if nextS < i {
			nextS = indexFrom(text, i, string(longS))
		}
		next := min(nextK, nextS)
		f.bytes = append(f.bytes, text[i:next]...)
		if next == len(text) {
			break
		}
		letter, width := byte('k'), len(string(kelvin))
		if next == nextS {
			letter, width = 's', len(string(longS))
		}
		f.bytes = append(f.bytes, letter)
		missing += width - 1
		f.cuts = append(f.cuts, cut{at: len(f.bytes), missing: missing})
		i = next + width
	}
	return f, true
}

// indexFrom is where what stands from a place on; len(text) for nowhere.
func indexFrom(text string, from int, what string) int {
	if i := strings.Index(text[from:], what); i >= 0 {
		return from + i
	}
	return len(text)
}

// original is where a place of the folded text stands in the text.
func (f *foldedText) original(at int) int {
	if len(f.cuts) == 0 {
		return at
	}
	i, _ := slices.BinarySearchFunc(f.cuts, at+1, func(c cut, at int) int { return cmp.Compare(c.at, at) })
	if i == 0 {
		return at
	}
	return at + f.cuts[i-1].missing
}
