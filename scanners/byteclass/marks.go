package byteclass

// Classes of bytes as Marks tells them apart: a byte is in a class when the
// entries of its low and high half share a bit of the class.
const (
	runBits  = 0x1f // both base64 alphabets
	markBits = 0x60 // what escapes begin with: \ % &, and + of forms
	quoteBit = 0x80 // quotes: two in a row are an escape
)

// markTables are the class bits by low half, by high half, and constants for
// vector code: 16 bytes each.
type markTables struct {
	low, high, half, run, mark [16]byte
}

var marks = makeMarkTables()

func makeMarkTables() *markTables {
	t := &markTables{}
	add := func(bit byte, high int, lows string) {
		t.high[high] |= bit
		for _, c := range []byte(lows) {
			t.low[c&15] |= bit
		}
	}
	add(0x01, 2, "+-/")
	add(0x02, 3, "0123456789")
	add(0x04, 4, "ABCDEFGHIJKLMNO")
	add(0x04, 6, "abcdefghijklmno")
	add(0x08, 5, "PQRSTUVWXYZ_")
	add(0x10, 7, "pqrstuvwxyz")
	add(0x20, 5, "\\")
	add(0x40, 2, "%&+")
	add(quoteBit, 2, "\"'")
	for i := range t.half {
		t.half[i], t.run[i], t.mark[i] = 15, runBits, markBits
	}
	return t
}

// Tile is how many bytes Marks holds.
const Tile = 128 << 10

// Marks are the bitmaps of a tile: characters of base64, what escapes begin
// with, and quotes.
type Marks struct{ Runs, Marks, Quotes [Tile / 64]uint64 }

// Classify fills the bitmaps for data, at most a tile, and returns how many
// words of each are in use. The last is padded with zero bits.
func (b *Marks) Classify(data []byte) int {
	n := b.classifyWords(data)
	for i, rest := n, data[64*n:]; len(rest) > 0; i++ {
		part := rest[:min(64, len(rest))]
		var ok bool
		if b.Runs[i], b.Marks[i], b.Quotes[i], ok = lastWord(part, marks); !ok {
			b.Runs[i], b.Marks[i], b.Quotes[i] = markScalar(part)
		}
		rest = rest[len(part):]
	}
	return (len(data) + 63) / 64
}

// markScalar classifies up to 64 bytes on any machine.
func markScalar(data []byte) (run, mark, quote uint64) {
	for k, c := range data {
		b := marks.low[c&15] & marks.high[c>>4]
		if b&runBits != 0 {
			run |= 1 << k
		}
		if b&markBits != 0 {
			mark |= 1 << k
		}
		if b&quoteBit != 0 {
			quote |= 1 << k
		}
	}
	return run, mark, quote
}
