package byteclass

// Triples finds where one of a few patterns of three bytes may stand.
// Immutable, safe for concurrent use.
type Triples struct {
	low, high [3][16]byte
	half      [16]byte
}

// MaxTriples is how many patterns Triples holds apart.
const MaxTriples = 8

// NewTriples compiles patterns: each is the sets of bytes that may stand first,
// second and third. Patterns beyond MaxTriples share a place with earlier ones,
// which makes more places suspicious that are none. What is found has to be
// looked at again in any case: only halves of bytes are compared.
func NewTriples(patterns ...[3]string) *Triples {
	t := &Triples{}
	for i, p := range patterns {
		bit := byte(1) << (i % MaxTriples)
		for k, set := range p {
			for _, c := range []byte(set) {
				t.low[k][c&15] |= bit
				t.high[k][c>>4] |= bit
			}
		}
	}
	for i := range t.half {
		t.half[i] = 15
	}
	return t
}

// Append appends the bitmap of the places in data where a pattern may begin;
// never at the last two bytes.
func (t *Triples) Append(dst []uint64, data []byte) []uint64 {
	n := len(dst)
	words := (len(data) + 63) / 64
	if cap(dst)-n < words {
		dst = append(make([]uint64, 0, n+words+words/4), dst...)
	}
	dst = dst[:n+words]
	whole := t.words(dst[n:], data)
	for i := whole; i < words; i++ {
		var padded [64 + 2]byte
		if from := data[64*i:]; len(from) < len(padded) {
			copy(padded[:], from)
			if t.words(dst[n+i:n+i+1], padded[:]) > 0 {
				// Never at the last two bytes, nor behind them.
				dst[n+i] &= 1<<max(len(from)-2, 0) - 1
				continue
			}
		}
		var w uint64
		for k := 64 * i; k < min(64*i+64, len(data)-2); k++ {
			if t.at(data[k], 0)&t.at(data[k+1], 1)&t.at(data[k+2], 2) != 0 {
				w |= 1 << (k % 64)
			}
		}
		dst[n+i] = w
	}
	return dst
}

func (t *Triples) at(c byte, k int) byte { return t.low[k][c&15] & t.high[k][c>>4] }
