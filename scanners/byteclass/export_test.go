package byteclass

// MarkWord returns the bitmaps of 64 bytes as this machine makes them and as
// any machine does.
func MarkWord(data []byte) (fast, scalar [3]uint64) {
	var b Marks
	b.Classify(data)
	fast = [3]uint64{b.Runs[0], b.Marks[0], b.Quotes[0]}
	scalar[0], scalar[1], scalar[2] = marks.scalar(data)
	return fast, scalar
}

// DigitWord does the same for Digits.
func DigitWord(data []byte) (fast, scalar Digits) {
	return AppendDigits(nil, data)[0], digitScalar(data)
}

// GramWords does the same for Grams.
func GramWords(g *Grams, data []byte, n int) (fast, scalar []uint32) {
	for i := 0; i < n; i += 64 {
		scalar = append(scalar, g.word(data[i:], n-i))
	}
	return g.Append(nil, data, n), scalar
}

// SignWord does the same for Signs.
func SignWord(data []byte) (fast, scalar [3]uint64) {
	var b Signs
	b.Classify(data)
	fast = [3]uint64{b.Signs[0], b.Quotes[0], b.Breaks[0]}
	scalar[0], scalar[1], scalar[2] = signs.scalar(data)
	return fast, scalar
}

// DoubleWord does the same for Doubles.
func DoubleWord(data []byte) (fast, scalar [3]uint64) {
	var b Doubles
	b.Classify(data)
	fast = [3]uint64{b.Signs[0], b.Leads[0], b.Trails[0]}
	scalar[0], scalar[1], scalar[2] = doubles.scalar(data)
	return fast, scalar
}
