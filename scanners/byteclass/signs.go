package byteclass

// Class bits of Signs. Where a class cannot be told from others by halves of
// bytes, a few rare bytes are in it that nobody asked for.
const (
	signBits  = 0x4f
	quoteBits = 0x30
	breakBit  = thirdBit
)

var signs = makeSignTables()

func makeSignTables() *markTables {
	t := &markTables{}
	add := func(bit byte, highs []int, lows ...int) {
		for _, h := range highs {
			t.high[h] |= bit
		}
		for _, l := range lows {
			t.low[l] |= bit
		}
	}
	add(0x01, []int{5}, 0xc, 0xe)
	add(0x02, []int{2}, 3, 5, 6)
	add(0x04, []int{3}, 0xc, 0xd)
	add(0x08, []int{0xc, 0xe}, 2, 0xf)
	add(0x40, []int{0xc}, 0xc, 0xd)
	add(0x10, []int{2}, 2, 7)
	add(0x20, []int{6}, 0)
	add(breakBit, []int{0, 1}, 8, 0xa, 0xb, 0xd)
	for i := range t.half {
		t.half[i], t.run[i], t.mark[i] = 15, signBits, quoteBits
	}
	return t
}

// SignTile is how many bytes Signs holds.
const SignTile = 32 << 10

// Signs are bitmaps of a tile: what text is written in other ways with. Signs
// are \ ^ # % & < =, the first bytes of characters that are not shown (C2, E2,
// EF, and CF) and of marks that are put on letters (CC, CD); quotes are " ' `; breaks are the ends of lines, backspace,
// escape, and 0B 18 1A 1D.
type Signs struct{ Signs, Quotes, Breaks [SignTile / 64]uint64 }

// Classify fills the bitmaps for data, at most a tile, and returns how many
// words of each are in use. The last is padded with zero bits.
func (b *Signs) Classify(data []byte) int {
	return signs.classify(b.Signs[:], b.Quotes[:], b.Breaks[:], data)
}
