package views

import "testing"

// TestOpensAddress: a line may be cut off anywhere.
func TestOpensAddress(t *testing.T) {
	const line = "0x00004040 <k>:"
	for n := range len(line) + 1 {
		if got, want := opensAddress([]byte(line[:n])), n > 11; got != want {
			t.Errorf("%q: %v, want %v", line[:n], got, want)
		}
	}
	if !opensAddress([]byte("0x7ffe:\t0x41")) || opensAddress([]byte("0xzz")) || opensAddress([]byte("0x12 34")) {
		t.Error("another line is taken for one")
	}
}
