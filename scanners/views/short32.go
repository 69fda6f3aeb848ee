package views

import (
	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// What base32 that is judged as a whole has: shortest of a value of ten
// characters, at the most longest.
const (
	shortest32 = 16
	longest32  = 1 << 10
)

// whole32 looks at the runs of base64 characters that end at places of a word:
// what is base32 to its last bit is put aside whatever it decodes to, because
// it is too short or no text.
func (s *search) whole32(at int, ends uint64) {
	for ; ends != 0 && !s.stopped; ends &= ends - 1 {
		if end := at + first(ends) + 1; end > s.done[inBase32] {
			s.base32Run(end)
		}
	}
}

// base32Run puts the base32 aside that ends at a place, where no digit stands.
func (s *search) base32Run(end int) {
	const both = 1<<0 | 1<<1 // the alphabets of RFC 4648 that are in use
	in, p := inBase32s[s.data[end-1]]&both, end
	for ; p > max(0, end-longest32-1); p-- {
		now := in & inBase32s[s.data[p-1]]
		if now == 0 {
			break
		}
		in = now
	}
	n := end - p
	if in == 0 || n < shortest32 || n > longest32 || p > 0 && alnums[s.data[p-1]] {
		return
	}
	a := &base32Alphabets[0]
	if in&1 == 0 {
		a = &base32Alphabets[1]
	}
	if !a.whole(s.data[p:end]) {
		return
	}
	s.cost.Judged += int64(n)
	b := s.aside(fingerprints.FormBase32, p)
	for at := p; at < end && b != nil; at += a.group {
		v, n := a.load(s.data[:end], at)
		for k := range n {
			b.push(byte(v>>(8*(a.bytes-1-k))), at+8*k/a.bits, min(end, at+(8*k+7)/a.bits+1))
		}
	}
	s.apart(end)
}

// whole reports whether characters are of some bytes and no bit more, and not
// one character again and again.
func (a *alphabet) whole(chars []byte) bool {
	left := len(chars) % a.group
	if bits := left * a.bits % 8; bits >= a.bits || a.digit[chars[len(chars)-1]]&(1<<bits-1) != 0 {
		return false
	}
	for _, c := range chars[1:] {
		if c != chars[0] {
			return true
		}
	}
	return false
}

// runEnds are the places of a word where runs of shortest32 characters and more
// end.
func runEnds(s16 uint64, w, next *byteclass.Digits) uint64 {
	return s16 &^ (w.Run>>1 | next.Run<<63)
}
