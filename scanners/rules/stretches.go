package rules

import (
	"math/bits"
	"strings"

	"revenant/scanners/byteclass"
)

// stretches walks over what looks encoded in a text, as one pass of gitleaks'
// pattern finds it: leftmost, without overlap, at each place percent before
// escapes before hexadecimal before base64.
type stretches struct {
	*alphabets
	text  string
	pos   int
	tile  *byteclass.Marks // borrowed; of the text from base on
	base  int
	words int // of the tile; one more is known where the text goes on
}

// stretchTile is how many bytes are classified at once: few enough to stay in
// the first cache.
const stretchTile = 8 << 10

// next is the next stretch.
func (s *stretches) next() (encoded, bool) {
	for s.pos < len(s.text) {
		if s.pos-s.base >= 64*s.words {
			s.classify()
		}
		word, from := (s.pos-s.base)/64, (s.pos-s.base)%64
		runs := s.runs(word)
		for events := (runs | s.tile.Marks[word]) >> from << from; events != 0; events &= events - 1 {
			at := bits.TrailingZeros64(events)
			s.pos = s.base + 64*word + at
			if runs>>at&1 != 0 {
				e := s.runAt(s.pos)
				s.pos = e.end
				return e, true
			}
			if e, ok := s.marked(s.pos); ok {
				s.pos = e.end
				return e, true
			}
		}
		s.pos = s.base + 64*(word+1)
	}
	return encoded{}, false
}

// classify makes the tile that holds pos.
func (s *stretches) classify() {
	s.base = s.pos
	data := bytesOf(s.text[s.base:min(len(s.text), s.base+stretchTile+64)])
	s.words = min(s.tile.Classify(data), stretchTile/64)
	if len(data) <= stretchTile {
		s.tile.Runs[s.words] = 0
	}
}

// runs are the places of a word where at least minBase64 characters of base64
// follow each other: pairs, pairs of pairs and so on.
func (s *stretches) runs(word int) uint64 {
	here, after := s.tile.Runs[word], s.tile.Runs[word+1]
	here &= here>>1 | after<<63
	after &= after >> 1
	here &= here>>2 | after<<62
	after &= after >> 2
	here &= here>>4 | after<<60
	after &= after >> 4
	return here & (here>>8 | after<<56)
}

// runAt is the run of hexadecimal or base64 at a place where runs has one.
func (s *stretches) runAt(at int) encoded {
	hex := at
	for hex < len(s.text) && s.hex[s.text[hex]] != 0xff {
		hex++
	}
	if hex-at >= minHex {
		return encoded{extent{at, hex}, hexadecimal}
	}
	end := s.runEnd(at)
	for range 2 {
		if end < len(s.text) && s.text[end] == '=' {
			end++
		}
	}
	return encoded{extent{at, end}, base64ish}
}

// runEnd is where the base64 characters end that stand at a place of the tile.
func (s *stretches) runEnd(at int) int {
	word, bit := (at-s.base)/64, (at-s.base)%64
	end := at + bits.TrailingZeros64(^(s.tile.Runs[word] >> bit))
	if end-at < 64-bit {
		return end
	}
	for end = at + 64 - bit; word+1 < s.words; end += 64 {
		word++
		if here := s.tile.Runs[word]; here != ^uint64(0) {
			return end + bits.TrailingZeros64(^here)
		}
	}
	for end < len(s.text) && s.base64[s.text[end]] {
		end++
	}
	return end
}

// marked is the stretch that a mark at a place begins; of U+0041 the plus sign
// is the mark.
func (s *stretches) marked(at int) (encoded, bool) {
	switch s.text[at] {
	case '%':
		if !s.percentAt(at) {
			return encoded{}, false
		}
		line := at + 3
		if n := strings.IndexByte(s.text[line:], '\n'); n >= 0 {
			line += n
		} else {
			line = len(s.text)
		}
		end := at + 3
		for i := line; ; {
			i = strings.LastIndexByte(s.text[at+3:i], '%')
			if i < 0 {
				break
			}
			if i += at + 3; i+3 <= line && s.percentAt(i) {
				end = i + 3
				break
			}
		}
		return encoded{extent{at, end}, percent}, true
	case '+':
		at--
		if at < 0 || s.text[at] != 'U' { // no stretch ends between the two
			return encoded{}, false
		}
		end := at
		for s.codePoint(end) {
			end += 6
			if end < len(s.text) {
				end++ // the white space behind
			}
		}
		return encoded{extent{at, end}, escape}, end > at
	case '\\':
		end := at
		for n := s.escaped(end); n > 0; n = s.escaped(end) {
			end += n
		}
		return encoded{extent{at, end}, escape}, end > at
	default:
		return encoded{}, false
	}
}

func (s *stretches) percentAt(i int) bool {
	return i+3 <= len(s.text) && s.hex[s.text[i+1]] != 0xff && s.hex[s.text[i+2]] != 0xff
}

func (s *stretches) fourHex(i int) bool {
	if i+4 > len(s.text) {
		return false
	}
	for _, c := range []byte(s.text[i : i+4]) {
		if s.hex[c] == 0xff {
			return false
		}
	}
	return true
}

// codePoint reports whether U+0041 and white space, or the end, stand there.
func (s *stretches) codePoint(i int) bool {
	return strings.HasPrefix(s.text[i:], "U+") && s.fourHex(i+2) &&
		(i+6 == len(s.text) || strings.IndexByte("\t\n\f\r ", s.text[i+6]) >= 0)
}

// escaped is the length of the \u0041 or \\u0041 there, 0 for none.
func (s *stretches) escaped(i int) int {
	start := i
	for range 2 {
		if i < len(s.text) && s.text[i] == '\\' {
			i++
		}
	}
	if i == start || i >= len(s.text) || s.text[i]|0x20 != 'u' || !s.fourHex(i+1) {
		return 0
	}
	return i + 5 - start
}
