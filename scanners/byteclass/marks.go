package byteclass

// Classes of bytes as Marks tells them apart: a byte is in a class when the
// entries of its low and high half share a bit of the class.
const (
	runBits  = 0x1f     // both base64 alphabets
	markBits = 0x60     // what escapes begin with: \ % &, and + of forms
	quoteBit = thirdBit // quotes: two in a row are an escape
)

// markTables tell three classes apart: the class bits by low half and by high
// half of a byte, and constants for vector code, 16 bytes each: those of the
// first class and of the second.
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
	return marks.classify(b.Runs[:], b.Marks[:], b.Quotes[:], data)
}

// classify fills bitmaps of the three classes.
func (t *markTables) classify(first, second, third []uint64, data []byte) int {
	n := t.words(first, second, third, data)
	for i, rest := n, data[64*n:]; len(rest) > 0; i++ {
		part := rest[:min(64, len(rest))]
		var ok bool
		if first[i], second[i], third[i], ok = t.lastWord(part); !ok {
			first[i], second[i], third[i] = t.scalar(part)
		}
		rest = rest[len(part):]
	}
	return (len(data) + 63) / 64
}

// thirdBit is the class that vector code reads from bytes' highest bits.
const thirdBit = 0x80

// scalar classifies up to 64 bytes on any machine.
func (t *markTables) scalar(data []byte) (first, second, third uint64) {
	for k, c := range data {
		b := t.low[c&15] & t.high[c>>4]
		if b&t.run[0] != 0 {
			first |= 1 << k
		}
		if b&t.mark[0] != 0 {
			second |= 1 << k
		}
		if b&thirdBit != 0 {
			third |= 1 << k
		}
	}
	return first, second, third
}
