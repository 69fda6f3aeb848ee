package registered_test

import (
	"bytes"
	"testing"

	"revenant/scanners/registered"
)

// TestClassify looks at every byte at every place of a word.
func TestClassify(t *testing.T) {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
	for c := range 256 {
		for at := range 64 {
			data := bytes.Repeat([]byte{0}, 64)
			data[at] = byte(c)
			fast, scalar := registered.Classify(data)
			var want [3]uint64
			for i, class := range []string{digits, `\%&+`, `"'`} {
				if c != 0 && bytes.IndexByte([]byte(class), byte(c)) >= 0 {
					want[i] = 1 << at
				}
			}
			if fast != want || scalar != want {
				t.Fatalf("byte %#x at %d: fast %x, scalar %x, want %x", c, at, fast, scalar, want)
			}
		}
	}
}
