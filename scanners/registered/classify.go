package registered

// A bitmap has one bit for each byte of a tile, the first byte's lowest in the
// first word.

// Classes of bytes as classify tells them apart: a byte is in a class when the
// entries of its low and high half share a bit of the class.
const (
	runBits  = 0x1f // both base64 alphabets
	markBits = 0x60 // what escapes begin with: \ % &
)

// nibbleTables are the class bits by low half, by high half, and constants for
// vector code: 16 bytes each.
type nibbleTables struct {
	low, high, half, run, mark [16]byte
}

var tables = makeTables()

func makeTables() *nibbleTables {
	t := &nibbleTables{}
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
	add(0x40, 2, "%&")
	for i := range t.half {
		t.half[i], t.run[i], t.mark[i] = 15, runBits, markBits
	}
	return t
}

// classify fills the bitmaps of both classes for data; each has one word for
// every 64 bytes, the last padded with zero bits.
func classify(runs, marks []uint64, data []byte) {
	n := classifyWords(runs, marks, data)
	classifyScalar(runs[n:], marks[n:], data[64*n:])
}

// classifyScalar is classify for any machine.
func classifyScalar(runs, marks []uint64, data []byte) {
	for i := 0; len(data) > 0; i++ {
		part := data[:min(64, len(data))]
		var run, mark uint64
		for k, c := range part {
			b := tables.low[c&15] & tables.high[c>>4]
			if b&runBits != 0 {
				run |= 1 << k
			}
			if b&markBits != 0 {
				mark |= 1 << k
			}
		}
		runs[i], marks[i] = run, mark
		data = data[len(part):]
	}
}
