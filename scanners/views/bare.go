package views

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"revenant/fingerprints"
	"revenant/scanners/byteclass"
)

// Deflate without a frame has no magic: sign-on requests of SAML, diagrams of draw.io
// and scripts of PowerShell are that in base64. It is tried where a long run begins
// whose first bits are those of a block of text: codes that are complete, or characters.

const (
	bareRun   = 40 // characters of a run at the least
	bareLeast = 24 // bytes of text that must come out at the least
	bareLook  = 64 // bytes that must be text
	bareChars = 3  // that a block with the codes of the standard begins with
)

// bare tries the streams that begin with runs of which the fortieth character is one of
// those of e, in the word at a place.
func (s *search) bare(at int, e uint64) {
	table := byteclass.Sextets()
	for e &^= e << 1; e != 0 && !s.stopped; e &= e - 1 {
		p := at + first(e) - bareRun + 1
		if p > 0 && table[s.data[p-1]] != byteclass.None || p < s.packed[inBase64] {
			continue
		}
		var head [headSize]byte
		if v := table[s.data[p]]<<2 | table[s.data[p+1]]>>4; v&6 != 2 && v&6 != 4 || asLong(s.data, p) ||
			!sextetsAt(&head, s.data, p, 0) || !bareHead(head[:]) || goesOn64(s.data, p) {
			continue
		}
		s.source.chain.start(&base64Digits, s.data, p)
		s.source.open(0)
		if end := s.unpack(packBare, fingerprints.FormBase64); end > 0 {
			s.packed[inBase64] = end
		}
	}
}

// asLong is a quick look at whether the line at p is as long as the one before, as those
// of wrapped base64 are.
func asLong(data []byte, p int) bool {
	const longest = 128
	if p < 2 || data[p-1] != '\n' {
		return false
	}
	n := bytes.IndexByte(data[p:min(len(data), p+longest)], '\n')
	return n > 0 && p-n-2 >= 0 && data[p-n-2] == '\n'
}

// goesOn64 reports whether base64 that begins at p goes on with that in the line before,
// which is no shorter then.
func goesOn64(data []byte, p int) bool {
	const longest = 128 // of the lines that are wrapped
	table := byteclass.Sextets()
	from, n, m := p, 0, 0
	for from > max(0, p-longestGap) && isSpace(data[from-1]) {
		from--
	}
	for n < min(from, longest) && table[data[from-1-n]] != byteclass.None {
		n++
	}
	for m < longest && p+m < len(data) && table[data[p+m]] != byteclass.None {
		m++
	}
	return n >= joinFrom && m <= n
}

// bareHead reports whether bytes may begin a block of deflate (RFC 1951) that holds text.
func bareHead(head []byte) bool {
	b := bitsOf{head, 1}
	if b.take(2) == 1 {
		for range bareChars {
			if !b.character() {
				return false
			}
		}
		return true
	}
	const most = 29 // codes of lengths and of distances beyond the first
	for range 2 {
		if b.take(5) > most {
			return false
		}
	}
	kraft := 0 // of the code of the lengths of codes, in parts of 128
	for range 4 + b.take(4) {
		if n := b.take(3); n > 0 {
			kraft += 128 >> n
		}
	}
	return kraft == 128
}

// bitsOf are the bits of bytes, the lowest first.
type bitsOf struct {
	data []byte
	at   int
}

// take reads a number of n bits, at most 8.
func (b *bitsOf) take(n int) int {
	v := binary.LittleEndian.Uint16(b.data[b.at/8:]) >> (b.at % 8)
	b.at += n
	return int(v) & (1<<n - 1)
}

// character reports whether the next code of the standard's is that of a character that
// prints, or white space: eight bits, the highest first.
func (b *bitsOf) character() bool {
	const zero = 0x30
	v := bits.Reverse8(byte(b.take(8)))
	return v >= zero && v < zero+0x7f && printable[v-zero]
}

// bareText reports whether what came out of a stream begins as a text.
func bareText(out []byte) bool {
	if len(out) > bareLook {
		out = out[:bareLook]
		for range utf8.UTFMax - 1 { // a character may be cut
			if r, n := utf8.DecodeLastRune(out); r == utf8.RuneError && n == 1 {
				out = out[:len(out)-1]
			}
		}
	}
	return len(out) >= bareLeast && utf8.Valid(out) && !bytes.ContainsFunc(out, unprinted)
}

func unprinted(r rune) bool { return r < ' ' && !isSpace(byte(r)) || r == 0x7f }
