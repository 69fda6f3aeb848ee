package registered

import (
	"encoding/binary"
	"math/bits"
)

// alphabet is a class of characters that carry the same number of bits each.
type alphabet struct {
	bits  int        // a character
	digit *[256]byte // 0xff: not in the class
	grids []uint     // where a byte can start, in bits from a byte boundary
	low   byte       // characters below are not in the class
}

// The two alphabets; both base64 alphabets count as one. A value encoded with
// others starts at any character, so at any multiple of 6 bits modulo 8.
var (
	base64Class = alphabet{bits: 6, digit: &sextet, grids: []uint{0, 2, 4, 6}, low: '+'}
	hexClass    = alphabet{bits: 4, digit: &nibble, grids: []uint{0, 4}, low: '0'}
)

// characters is how many characters n bytes take at least.
func (a *alphabet) characters(n int) int { return (8*n + a.bits - 1) / a.bits }

const (
	highBits  = 0x8080808080808080
	everyByte = 0x0101010101010101
)

// outside flags, as the top bit of each byte, bytes of w that are below low or
// above 0x7f. Exact for each byte.
func outside(w uint64, low uint64) uint64 {
	return (^((w | highBits) - low*everyByte) | w) & highBits
}

// nextSegment returns the first stretch of at least n characters of the class
// that starts at or after p; ok is false when there is none. n is at least 8.
// Like Boyer and Moore it looks at the end of where a stretch could be first
// and skips to behind the last character that rules it out.
func (a *alphabet) nextSegment(data []byte, p, n int) (from, to int, ok bool) {
	low, digit := uint64(a.low), a.digit
search:
	for p+n <= len(data) {
		q := p + n
		if b := outside(binary.LittleEndian.Uint64(data[q-8:]), low); b != 0 {
			p = q - bits.LeadingZeros64(b)>>3
			continue
		}
		if n >= 16 {
			if b := outside(binary.LittleEndian.Uint64(data[q-16:]), low); b != 0 {
				p = q - 8 - bits.LeadingZeros64(b)>>3
				continue
			}
		}
		for k := q - 1; k >= p; k-- {
			if digit[data[k]] == 0xff {
				p = k + 1
				continue search
			}
		}
		for q < len(data) && digit[data[q]] != 0xff {
			q++
		}
		return p, q, true
	}
	return 0, 0, false
}
