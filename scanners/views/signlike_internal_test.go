package views

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestSignlike: where a word is passed over by its zeros, no stretch would have been
// found.
func TestSignlike(t *testing.T) {
	r := rand.New(rand.NewPCG(2026, 13))
	passed, found := 0, 0
	for range 200_000 {
		data := make([]byte, 24+r.IntN(64))
		for i := range data {
			if r.IntN(3) > 0 { // the others stay zero
				data[i] = byte(' ' + r.IntN(90))
			}
		}
		if way := r.IntN(3); way > 0 { // a stretch that is one
			from := r.IntN(12)
			for i := from; i+1 < len(data); i += 2 * way {
				clear(data[i:min(i+2*way, len(data))])
				data[i] = byte('a' + r.IntN(26))
			}
		}
		k := &wideText{looking: looking{data: data}}
		p := 8 * r.IntN(len(data)/8-1)
		z, behind := zeros(binary.LittleEndian.Uint64(data[p:])), zeros(binary.LittleEndian.Uint64(data[p+8:]))
		some := z != 0 && z != highBits && len(k.sign(p, z)) > 0
		if some {
			found++
		}
		if !signlike(z, behind) {
			if passed++; some {
				t.Fatalf("a stretch at %d of %q is passed over", p, data)
			}
		}
	}
	if passed < 10_000 || found < 10_000 {
		t.Errorf("%d words are passed over, %d have a sign", passed, found)
	}
}
