package views

import "revenant/scanners/byteclass"

func appendDigits(dst []byteclass.Digits, data []byte) []byteclass.Digits {
	return byteclass.AppendDigits(dst, data)
}

// base64Word looks for text in the word i of the tile, which begins at a place
// and in which runs end, in all four grids.
func (s *search) base64Word(i, at int) {
	w, low := &s.words[i], &s.words[i-1]
	for g := range w.ASCII {
		if e := ends(leastBase64, low.ASCII[g], w.ASCII[g]); e != 0 {
			s.suspect(&base64Digits, &s.seen64[g], g, at, e)
		}
	}
}

// hexWord does the same for hex.
func (s *search) hexWord(i, at int) {
	w, low := &s.words[i], &s.words[i-1]
	for g := range s.seen16 {
		if e := ends(leastHex, hexASCII(low, g), hexASCII(w, g)); e != 0 {
			s.suspect(&hexDigits, &s.seen16[g], g, at, e)
		}
	}
}

// suspect judges the places of a word where stretches of characters end that
// may be text in a grid, and follows the chain where they are. seen is how far
// the grid was looked at.
func (s *search) suspect(a *alphabet, seen *int, grid, at int, ends uint64) {
	for !s.stopped {
		if ends = suffix(ends, max(*seen, s.done[a.index])+a.least-1-at); ends == 0 {
			return
		}
		p := at + first(ends) - a.least + 1
		text, next := s.judge(a, s.data, grid, p)
		*seen = next
		if text.to > 0 {
			for a.digit[s.data[p]] == byteclass.None { // the x of \x
				p++
			}
			// From here on, not from the text: another grid may have one before.
			s.done[a.index] = s.follow(a, a.begin(s.data, p, s.done[a.index]))
		}
	}
}
