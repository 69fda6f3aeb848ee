package byteclass

import "golang.org/x/sys/cpu"

// words does as many whole words as vector code can and returns how many that
// were.
func (t *markTables) words(first, second, third []uint64, data []byte) int {
	n := min(len(data)/64, len(first))
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	marksAVX2(&first[0], &second[:n][0], &third[:n][0], &data[0], n, t)
	return n
}

// lastWord classifies up to 64 bytes as if zeros followed; ok is false where
// there is no vector code.
func (t *markTables) lastWord(part []byte) (first, second, third uint64, ok bool) {
	if !cpu.X86.HasAVX2 {
		return 0, 0, 0, false
	}
	var padded [64]byte
	copy(padded[:], part)
	marksAVX2(&first, &second, &third, &padded[0], 1, t)
	return first, second, third, true
}

// RunWord is the bitmap of the base64 characters among the first 64 bytes of
// data, which has as many.
func RunWord(data []byte) (run uint64) {
	if !cpu.X86.HasAVX2 {
		run, _, _ = marks.scalar(data[:64])
		return run
	}
	var mark, quote uint64
	marksAVX2(&run, &mark, &quote, &data[:64][0], 1, marks)
	return run
}

// digitWords does as many whole words as vector code can.
func digitWords(dst []Digits, data []byte) int {
	n := len(data) / 64
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	digitsAVX2(&dst[:n][0], &data[0], n, digits)
	return n
}

// words does as many whole words as vector code can.
func (t *Triples) words(dst []uint64, data []byte) int {
	n := max(len(data)-2, 0) / 64 // it loads two bytes more
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	triplesAVX2(&dst[:n][0], &data[0], n, t)
	return n
}

// marksAVX2 classifies 64 bytes for each of n words, n at least 1.
//
//go:noescape
func marksAVX2(runs, marks, quotes *uint64, data *byte, n int, t *markTables)

// digitsAVX2 does the same for Digits.
//
//go:noescape
func digitsAVX2(dst *Digits, data *byte, n int, t *digitTables)

// triplesAVX2 looks at 64 places for each of n words, and at the two bytes
// behind them.
//
//go:noescape
func triplesAVX2(dst *uint64, data *byte, n int, t *Triples)
