//go:build !amd64

package registered

// classifyWords does nothing: there is no vector code for this machine.
func classifyWords(_, _ []uint64, _ []byte) int { return 0 }
