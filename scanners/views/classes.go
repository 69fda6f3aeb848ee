package views

// classes are the bitmaps of a tile.
type classes struct{ signs, quotes, breaks [tile / 64]uint64 }

var classOf = func() (t [256]uint8) {
	for _, c := range []byte("\\^%&<=\xc2\xe2\xef") {
		t[c] = 1
	}
	for _, c := range []byte("\"'`") {
		t[c] = 2
	}
	for _, c := range []byte("\b\n\r\x1b") {
		t[c] = 4
	}
	return t
}()

func (b *classes) classify(data []byte) int {
	n := (len(data) + 63) / 64
	for i := range n {
		var m [3]uint64
		for k, c := range data[64*i : min(len(data), 64*i+64)] {
			if c := classOf[c]; c != 0 {
				m[c>>1] |= 1 << k
			}
		}
		b.signs[i], b.quotes[i], b.breaks[i] = m[0], m[1], m[2]
	}
	return n
}
