package views

import "revenant/scanners/byteclass"

func appendDigits(dst []byteclass.Digits, data []byte) []byteclass.Digits {
	return byteclass.AppendDigits(dst, data)
}

// base64Word looks for text in the word i of the tile, which begins at a place
// and in which runs end, in all four grids.
func (s *search) base64Word(i, at int) {
	w, low := &s.words[i], &s.words[i-1]
	var e [len(w.ASCII)]uint64
	some := uint64(0)
	for g := range e {
		e[g] = ends(leastBase64, low.ASCII[g], w.ASCII[g])
		some |= e[g]
	}
	if some != 0 {
		s.suspect(&base64Digits, s.seen64[:], at, e[:])
	}
}

// hexWord does the same for hex.
func (s *search) hexWord(i, at int) {
	w, low := &s.words[i], &s.words[i-1]
	var e [2]uint64
	for g := range e {
		e[g] = ends(leastHex, hexASCII(low, g), hexASCII(w, g))
	}
	if e[0]|e[1] != 0 {
		s.suspect(&hexDigits, s.seen16[:], at, e[:])
	}
}

// suspect judges the places of a word where stretches of characters end that
// may be text in some grid, and follows the chain where they are. seen is how
// far each grid was looked at. The first place is judged first, since lines that
// are short change the grid within a word, and a chain begins at the first.
func (s *search) suspect(a *alphabet, seen []int, at int, ends []uint64) {
	for !s.stopped {
		grid, p := 0, 64
		for g := range ends {
			ends[g] = suffix(ends[g], max(seen[g], s.done[a.index])+a.least-1-at)
			if e := first(ends[g]); e < p {
				grid, p = g, e
			}
		}
		if p == 64 {
			return
		}
		p += at - a.least + 1
		text, next := s.judge(a, s.data, grid, p)
		seen[grid] = next
		if text.to > 0 {
			for a.digit[s.data[p]] == byteclass.None { // the x of \x
				p++
			}
			// From here on, not from the text: another grid may have one before.
			s.done[a.index] = s.follow(a, a.begin(s.data, p, s.done[a.index]))
		}
	}
}
