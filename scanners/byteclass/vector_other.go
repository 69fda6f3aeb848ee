//go:build !amd64

package byteclass

// There is no vector code for this machine.

func (t *markTables) words(_, _, _ []uint64, _ []byte) int { return 0 }

func (t *markTables) lastWord([]byte) (first, second, third uint64, ok bool) { return 0, 0, 0, false }

// RunWord is the bitmap of the base64 characters among the first 64 bytes of
// data, which has as many.
func RunWord(data []byte) uint64 {
	run, _, _ := marks.scalar(data[:64])
	return run
}

func digitWords([]Digits, []byte) int { return 0 }

func (t *Triples) words([]uint64, []byte) int { return 0 }
