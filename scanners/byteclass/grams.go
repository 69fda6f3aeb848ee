package byteclass

import "math/bits"

// Symbols is how many symbols bytes are told apart by.
const Symbols = 64

// Symbol maps a byte to one of Symbols: letters without case; other bytes share
// one with at most three more.
func Symbol(c byte) uint8 { return c&0x1f | c&0x40>>1 }

// Grams is a set of patterns of three symbols. It is filled once, then safe for
// concurrent use.
type Grams struct {
	// bits has a word for each last and middle symbol, with a bit for each first.
	bits  [Symbols * Symbols]uint64
	ranks [Symbols * Symbols]uint32 // patterns in the words before
}

// Number numbers the patterns that were added, from 0, and returns how many
// there are.
func (g *Grams) Number() int {
	n := 0
	for i, word := range g.bits {
		g.ranks[i] = uint32(n)
		n += bits.OnesCount64(word)
	}
	return n
}

// Rank is the number of a pattern that was added before Number was called.
func (g *Grams) Rank(first, middle, last uint8) int {
	word := (int(last)*Symbols + int(middle)) % len(g.bits)
	return int(g.ranks[word]) + bits.OnesCount64(g.bits[word]&(1<<(first%Symbols)-1))
}

// Add adds the pattern of three symbols, in the order in which they stand.
func (g *Grams) Add(first, middle, last uint8) {
	g.bits[int(last)*Symbols+int(middle)] |= 1 << first
}

// Append appends a bitmap for each 64 of the first n bytes of data: bit k of
// one says whether a pattern begins at the byte with twice that number. Places
// behind data have symbol 0. Every second place is enough for patterns of four
// symbols, which are two of three.
func (g *Grams) Append(dst []uint32, data []byte, n int) []uint32 {
	had := len(dst)
	words := (n + 63) / 64
	if cap(dst)-had < words {
		dst = append(make([]uint32, 0, had+words+words/4), dst...)
	}
	dst = dst[:had+words]
	for i := g.words(dst[had:], data, n); i < words; i++ {
		dst[had+i] = g.last(data[64*i:], n-64*i)
	}
	return dst
}

// last looks at the first n places as Append does, at most 64.
func (g *Grams) last(data []byte, n int) uint32 {
	var padded [64 + 2]byte
	var found [1]uint32
	copy(padded[:], data)
	if g.words(found[:], padded[:], 64) == 0 {
		return g.word(data, n)
	}
	if n < 64 {
		found[0] &= 1<<((n+1)/2) - 1
	}
	return found[0]
}

// word looks at the first n places on any machine, or at 64 if n is more.
func (g *Grams) word(data []byte, n int) (found uint32) {
	symbol := func(i int) uint8 {
		if i < len(data) {
			return Symbol(data[i])
		}
		return 0
	}
	first := symbol(0)
	for k := 0; 2*k < min(n, 64); k++ {
		last := symbol(2*k + 2)
		found |= uint32(g.bits[int(last)*Symbols+int(symbol(2*k+1))]>>first&1) << k
		first = last
	}
	return found
}
