package byteclass

// Digits are the bitmaps of 64 bytes: characters that numbers and encodings are
// written in.
type Digits struct {
	// Run are the characters of both base64 alphabets.
	Run uint64
	// Hex are the hex digits of either case, and x and X.
	Hex uint64
	// Dec are the decimal digits.
	Dec uint64
	// High are the bytes from 0x80 on.
	High uint64
	// ASCII has, for each place modulo 4 that a group of four base64 characters
	// may begin at, the characters of Run that do not set the highest bit of a
	// byte in the grid of these groups.
	ASCII [4]uint64
}

// Bits by which Digits tells classes apart, as Marks does.
const (
	decBit    = 0x02
	digitRun  = 0x3f
	digitHex  = 0x46
	highBit   = 0x80
	groupSize = 4
)

// digitTables are class bits by low and high half, what is added and set to
// make a character its 6 bits by high half, and constants for vector code.
type digitTables struct {
	low, high, half, add, set, under, run, hex [16]byte
	grid                                       [groupSize][16]byte
}

var digits = makeDigitTables()

func makeDigitTables() *digitTables {
	t := &digitTables{}
	class := func(bit byte, highs []int, lows string) {
		for _, h := range highs {
			t.high[h] |= bit
		}
		for _, c := range []byte(lows) {
			t.low[c&15] |= bit
		}
	}
	class(0x01, []int{2}, "+-/")
	class(decBit, []int{3}, "0123456789")
	class(0x04, []int{4, 6}, "ABCDEF")
	class(0x08, []int{4, 6}, "GHIJKLMNO")
	class(0x10, []int{5}, "PQRSTUVWXYZ_")
	class(0x20, []int{7}, "pqrstuvwxyz")
	class(0x40, []int{5, 7}, "x")
	t.set[2] = 0x3f // + - / set all the bits that matter
	t.add[3] = 52 - '0'
	t.add[4], t.add[5] = 256-'A', 256-'A'
	t.add[6], t.add[7] = 256-('a'-26), 256-('a'-26)
	// The highest bits of three bytes are in the first three characters.
	top := [groupSize]byte{0x20, 0x08, 0x02, 0}
	for i := range t.half {
		t.half[i], t.under[i], t.run[i], t.hex[i] = 15, '_', digitRun, digitHex
		for g := range t.grid {
			t.grid[g][i] = highBit | top[(i-g+groupSize)%groupSize]
		}
	}
	return t
}

// AppendDigits appends the bitmaps of data to dst, the last padded with zero
// bits. Places count from the first byte of data.
func AppendDigits(dst []Digits, data []byte) []Digits {
	n := len(dst)
	words := (len(data) + 63) / 64
	if cap(dst)-n < words {
		dst = append(make([]Digits, 0, n+words+words/4), dst...)
	}
	dst = dst[:n+words]
	whole := digitWords(dst[n:], data)
	for i := whole; i < words; i++ {
		part := data[64*i : min(len(data), 64*i+64)]
		var padded [64]byte
		copy(padded[:], part)
		if digitWords(dst[n+i:n+i+1], padded[:]) == 0 {
			dst[n+i] = digitScalar(part)
		}
	}
	return dst
}

// digitScalar classifies up to 64 bytes on any machine.
func digitScalar(data []byte) (d Digits) {
	for k, c := range data {
		bit := uint64(1) << k
		b := digits.low[c&15] & digits.high[c>>4]
		if b&digitHex != 0 {
			d.Hex |= bit
		}
		if b&decBit != 0 {
			d.Dec |= bit
		}
		if c >= highBit {
			d.High |= bit
		}
		if b&digitRun == 0 {
			continue
		}
		d.Run |= bit
		for g := range d.ASCII {
			if sextets[c]&digits.grid[g][k%16] == 0 {
				d.ASCII[g] |= bit
			}
		}
	}
	return d
}
