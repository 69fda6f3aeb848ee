package byteclass

import "golang.org/x/sys/cpu"

// words does as many whole words as vector code can.
func (g *Grams) words(dst []uint32, data []byte, n int) int {
	whole := min(n, len(data)-2) / 64 // it loads two bytes more
	if whole <= 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	gramsAVX2(&dst[:whole][0], &data[0], whole, &g.bits[0])
	return whole
}

// gramsAVX2 looks at every second of 64 places for each of n words, and at the
// two bytes behind them.
//
//go:noescape
func gramsAVX2(dst *uint32, data *byte, n int, bits *uint64)
