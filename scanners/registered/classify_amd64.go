package registered

import "golang.org/x/sys/cpu"

// classifyWords does as many whole words as vector code can and returns how
// many that were.
func (b *bitmaps) classifyWords(data []byte) int {
	n := min(len(data)/64, len(b.runs))
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	classifyAVX2(&b.runs[0], &b.marks[0], &b.quotes[0], &data[0], n, tables)
	return n
}

// runWord is the bitmap of the base64 characters among the first 64 bytes.
func runWord(data []byte) (run uint64) {
	if !cpu.X86.HasAVX2 {
		run, _, _ = classifyScalar(data[:64])
		return run
	}
	var mark, quote uint64
	classifyAVX2(&run, &mark, &quote, &data[:64][0], 1, tables)
	return run
}

// classifyAVX2 classifies 64 bytes for each of n words, n at least 1.
//
//go:noescape
func classifyAVX2(runs, marks, quotes *uint64, data *byte, n int, t *nibbleTables)
