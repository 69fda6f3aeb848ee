package strength

import "math/bits"

// unit is one bit in the fixed-point numbers that prices are kept in, so that
// every machine computes the same.
const unit = 1024

// log2 is floor(1024 * log2(n)) for n >= 1, by repeated squaring.
func log2(n uint64) int {
	k := bits.Len64(n) - 1
	x := n << (63 - k) // 1 <= x/2^63 < 2
	out := k
	for range 10 {
		out <<= 1
		hi, lo := bits.Mul64(x, x) // the square, times 2^126
		if hi>>63 == 1 {
			out |= 1
			x = hi
		} else {
			x = hi<<1 | lo>>63
		}
	}
	return out
}
