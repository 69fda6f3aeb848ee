//go:build !amd64

package registered

// classifyWords does nothing: there is no vector code for this machine.
func (b *bitmaps) classifyWords([]byte) int { return 0 }

// runWord is the bitmap of the base64 characters among the first 64 bytes.
func runWord(data []byte) uint64 {
	run, _, _ := classifyScalar(data[:64])
	return run
}
