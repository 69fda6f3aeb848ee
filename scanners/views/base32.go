package views

import (
	"revenant/scanners/byteclass"
)

// base32Alphabets are those of RFC 4648 in either case: the common one and that
// which begins with the digits.
var base32Alphabets = [...]alphabet{
	base32Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), base32Alphabet("abcdefghijklmnopqrstuvwxyz234567"),
	base32Alphabet("0123456789ABCDEFGHIJKLMNOPQRSTUV"), base32Alphabet("0123456789abcdefghijklmnopqrstuv"),
}

func base32Alphabet(chars string) alphabet {
	t := &[256]byte{}
	for i := range t {
		t[i] = byteclass.None
	}
	for i, c := range []byte(chars) {
		t[c] = byte(i)
	}
	return alphabet{index: inBase32, bits: 5, group: 8, bytes: 5, digit: t, lines: true}
}

// inBase32s has, for each character, a bit for each alphabet that it is in.
var inBase32s = makeBase32s()

func makeBase32s() (t [256]uint8) {
	for i := range base32Alphabets {
		for c, d := range base32Alphabets[i].digit {
			if d != byteclass.None {
				t[c] |= 1 << i
			}
		}
	}
	return t
}

// leastBase32 is how many characters of base32 in a row are judged: no word is
// that long.
const leastBase32 = 24

// base32Word looks for base32 among the runs of base64 characters, of at least
// leastBase32, that end at places of the word at a place.
func (s *search) base32Word(at int, ends uint64) {
	low := s.seen32 + leastBase32 - 1 // ends before it are of runs that were judged, or are no base32
	for ends = suffix(ends, low-at); ends != 0 && !s.stopped; ends = suffix(ends, low-at) {
		end := at + first(ends) + 1
		in, p := inBase32s[s.data[end-1]], end-1
		for p > end-leastBase32 && in != 0 {
			p-- // as Boyer and Moore: the end first
			in &= inBase32s[s.data[p]]
		}
		if in != 0 {
			p = len(s.data)
			for i := range base32Alphabets {
				if in>>i&1 != 0 && !s.stopped {
					p = min(p, s.base32(&base32Alphabets[i], end-leastBase32))
				}
			}
			p--
		}
		s.seen32 = p + 1
		low = p + leastBase32
	}
}

// suffix returns the bits of a word from a place on, which may lie before or
// behind the word.
func suffix(w uint64, place int) uint64 {
	if place >= 64 {
		return 0
	}
	return w & (^uint64(0) << max(place, 0))
}

// base32 judges a block of the run of an alphabet that begins at a place, in
// every grid, and follows the chain where there is text. It returns how far it
// looked.
func (s *search) base32(a *alphabet, from int) (end int) {
	if from < s.done[inBase32] {
		return s.done[inBase32]
	}
	to := min(len(s.data), from+block)
	from, end = a.numbered(s.data[:to], from)
	for g := range a.group {
		for at := a.likely(s.data[:end], g, from); at < end; at = a.likely(s.data[:end], g, at) {
			text, next := s.judge(a, s.data[:end], g, at)
			at = max(next, at+1)
			if text.to > 0 {
				s.done[inBase32] = s.follow(a, a.begin(s.data, from, max(s.done[inBase32], from-longestGap)))
				return s.done[inBase32]
			}
		}
	}
	if end == to && to < len(s.data) {
		return end - rejudged
	}
	return end
}

// numberless is how many letters in a row no base32 has: one of five characters or
// six is a digit where text was encoded, and words that were joined have none.
const numberless = 128

// numbered is where in the run of an alphabet that begins at a place there may be
// base32, up to where it has no digits for long; empty, at the end of what was
// looked at, where there is none.
func (a *alphabet) numbered(chars []byte, from int) (begin, end int) {
	last := -1 // where the last digit stands
	for end = from; end < len(chars) && a.digit[chars[end]] != byteclass.None; end++ {
		switch {
		case digit(chars[end]):
			if last < 0 {
				from = max(from, end-numberless)
			}
			last = end
		case last >= 0 && end-last > numberless:
			return from, end
		}
	}
	if last < 0 && end-from > numberless {
		return end, end
	}
	return from, end
}
