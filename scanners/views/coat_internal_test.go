package views

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestMarkAt: the mark of armour is found where package bytes finds it, among hyphens
// and parts of itself.
func TestMarkAt(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 11))
	pieces := []string{"-", "--", "----", "-----", "-----BEGIN", "BEGIN ", armourMark, "\n", "x", "2026-11-27"}
	found := 0
	for range 50_000 {
		var data []byte
		for range r.IntN(8) {
			data = append(data, pieces[r.IntN(len(pieces))]...)
		}
		for p := range data {
			want := len(data)
			if i := bytes.Index(data[p:], []byte(armourMark)); i >= 0 {
				want, found = p+i, found+1
			}
			if got := markAt(data, p); got != want {
				t.Fatalf("%q from %d: at %d, want %d", data, p, got, want)
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d marks", found)
	}
}
