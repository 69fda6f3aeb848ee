package registered

import "golang.org/x/sys/cpu"

// classifyWords does as many whole words as vector code can and returns how
// many that were.
func classifyWords(runs, marks []uint64, data []byte) int {
	n := min(len(data)/64, len(runs), len(marks))
	if n == 0 || !cpu.X86.HasAVX2 {
		return 0
	}
	classifyAVX2(&runs[0], &marks[0], &data[0], n, tables)
	return n
}

// classifyAVX2 classifies 64 bytes for each of n words, n at least 1.
//
//go:noescape
func classifyAVX2(runs, marks *uint64, data *byte, n int, t *nibbleTables)
