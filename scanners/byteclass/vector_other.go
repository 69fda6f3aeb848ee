//go:build !amd64

package byteclass

// There is no vector code for this machine.

func (b *Marks) classifyWords([]byte) int { return 0 }

func (b *Signs) classifyWords([]byte) int { return 0 }

func lastWord([]byte, *markTables) (first, second, third uint64, ok bool) { return 0, 0, 0, false }

// RunWord is the bitmap of the base64 characters among the first 64 bytes of
// data, which has as many.
func RunWord(data []byte) uint64 {
	run, _, _ := markScalar(data[:64])
	return run
}

func digitWords([]Digits, []byte) int { return 0 }

func (t *Triples) words([]uint64, []byte) int { return 0 }
