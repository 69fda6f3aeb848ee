package registered

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestASCII: units of two bytes, four at once or one by one, and where each came
// from, beside the plain way.
func TestASCII(t *testing.T) {
	for seed := range uint64(5000) {
		r := rand.New(rand.NewPCG(seed, 15))
		data := make([]byte, r.IntN(80))
		low := r.IntN(2)
		for i := range data {
			if i%2 == low {
				data[i] = byte(1 + r.IntN(0x7f))
			}
			if r.IntN(40) == 0 {
				data[i] = byte(r.IntN(256))
			}
		}
		most := 1 + r.IntN(40)
		var x text
		p := 0
		var want []byte
		var at []int
		for p+2 <= len(data) {
			end := x.ascii(data, p, low, most)
			for q := p; q < end; q += 2 {
				want, at = append(want, data[q+low]), append(at, q)
				if data[q+1-low] != 0 || data[q+low]-1 >= 0x7f || len(want) > most {
					t.Fatalf("seed %d: no ASCII at %d, or too much", seed, q)
				}
			}
			if c := data[min(end+low, len(data)-1)]; end+2 <= len(data) && len(x.data) < most && data[end+1-low] == 0 && c-1 < 0x7f {
				t.Fatalf("seed %d: it ended early, at %d", seed, end)
			}
			p = end + 2
		}
		if !bytes.Equal(x.data, want) {
			t.Fatalf("seed %d: %q, want %q", seed, x.data, want)
		}
		for i, q := range at {
			if s := x.span(i, i+1); s.Start != int64(q) || s.End != int64(q+2) {
				t.Fatalf("seed %d: byte %d comes from %v, not %d", seed, i, s, q)
			}
		}
	}
}
