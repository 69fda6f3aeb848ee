package byteclass

var doubles = makeDoubleTables()

func makeDoubleTables() *markTables {
	t := &markTables{}
	add := func(bit byte, high int, lows string) {
		t.high[high] |= bit
		for _, c := range []byte(lows) {
			t.low[c&15] |= bit
		}
	}
	add(0x01, 2, "#$%&,")
	add(0x02, 4, "@")
	add(0x04, 7, "{}")
	for h := 8; h < 16; h++ {
		t.high[h] |= trailBit
		if h >= 0xc {
			t.high[h] = leadBit
		}
	}
	for i := range t.low {
		t.low[i] |= leadBit | trailBit
		t.half[i], t.run[i], t.mark[i] = 15, 0x07, leadBit
	}
	return t
}

const (
	leadBit  = 0x10
	trailBit = thirdBit
)

// Doubles are bitmaps of a tile of Signs: # $ % & , @ { }, which some formats double;
// and of the bytes of UTF-8 that are not ASCII those that begin a character and those
// that go on with one.
type Doubles struct{ Signs, Leads, Trails [SignTile / 64]uint64 }

// Classify fills the bitmaps for data, at most a tile, and returns how many
// words of each are in use. The last is padded with zero bits.
func (b *Doubles) Classify(data []byte) int {
	return doubles.classify(b.Signs[:], b.Leads[:], b.Trails[:], data)
}
