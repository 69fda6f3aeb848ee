package views

import "unicode/utf8"

// latin reads text of one byte for each character as Windows-1252 has it, of which
// ISO 8859-1 is a part.
type latin struct {
	out  *stretches
	done int
}

// windows1252 are the characters of 0x80 to 0x9f; zero: there is none.
var windows1252 = [32]rune{
	'€', 0, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0, 'Ž', 0,
	0, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0, 'ž', 'Ÿ',
}

// latinAround is how far around a byte the layer is looked at, latinLeast how much of it
// has to be text, and latinMost how far a word goes whose bytes are read.
const (
	latinAround = 12
	latinLeast  = 8
	latinMost   = 64
)

// at looks at a byte that is not ASCII and, as far as its neighbours tell, no part of
// UTF-8: it and all others that stand in the same word are read.
func (s *latin) at(data []byte, p int) {
	if p < s.done || (p == 0 || !alnums[data[p-1]]) && (p+1 == len(data) || !alnums[data[p+1]]) || !latinText(data, p) {
		return
	}
	from, to := p, p+1
	for from > s.done && p-from < latinMost && !spaces[data[from-1]] {
		from--
	}
	for to < len(data) && to-p < latinMost && !spaces[data[to]] {
		to++
	}
	for i := from; i < to; {
		if data[i] < utf8.RuneSelf {
			i++
			continue
		}
		if _, size := utf8.DecodeRune(data[i:min(len(data), i+utf8.UTFMax)]); size > 1 {
			i += size
			continue
		}
		r := rune(data[i])
		if r < 0xa0 {
			r = windows1252[r-0x80]
		}
		if r != 0 {
			u := splice{at: i, end: i + 1}
			u.n = utf8.EncodeRune(u.out[:], r)
			s.out.put(u, true)
		}
		i++
	}
	s.done = to
}

// mostHigh is how many of highAround bytes on one side are not ASCII at the most in text
// of one byte for each character.
const mostHigh, highAround = 7, 32

// latinText reports whether what is around a byte is text, most of it letters, digits
// and blanks, and little of it not ASCII: machine code has such bytes everywhere.
func latinText(data []byte, p int) bool {
	before, behind := data[max(0, p-highAround+1):p+1], data[p:min(len(data), p+highAround)]
	var t latinCount
	for i := 1; i <= latinAround && i < len(before); i++ { // what is no text may end there
		if !t.add(before[len(before)-1-i]) {
			break
		}
	}
	for i := 1; i <= latinAround && i < len(behind); i++ {
		if !t.add(behind[i]) {
			break
		}
	}
	return t.n >= latinLeast && 3*t.some >= 2*t.n && t.high <= 1+t.n/8 && highs(before) <= mostHigh && highs(behind) <= mostHigh
}

// latinCount counts bytes of text: all, letters with digits and blanks, not ASCII.
type latinCount struct{ n, some, high int }

// add counts a byte; false where a line or the text ends.
func (t *latinCount) add(c byte) bool {
	if c < ' ' && c != '\t' {
		return false
	}
	t.n++
	if alnums[c] || c == ' ' {
		t.some++
	}
	t.high += int(c >> 7)
	return true
}

// highs is how many bytes are not ASCII.
func highs(b []byte) (n int) {
	for _, c := range b {
		n += int(c >> 7)
	}
	return n
}
