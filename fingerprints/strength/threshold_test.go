package strength_test

import (
	"math/rand/v2"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/strength"
)

// The rule for packs that leave servers, to the bit: what is left of a value
// outside the region, wherever that stands, after 8 bits off.
func TestEdgeThreshold(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	rng := rand.New(rand.NewPCG(7, 11))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return b
	}
	for _, c := range []struct {
		name string
		hint func(n int) strength.Hint
		need float64
	}{
		{"estimated", func(int) strength.Hint { return strength.Hint{} }, 80 + 8},
		{"exact", func(n int) strength.Hint { return strength.Hint{Bits: 5.5 * float64(n)} }, 72 + 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			below, above := 0, 0
			for n := 15; n <= 40; n++ {
				for range 40 {
					v := random(n)
					left := strength.Analyse(v, c.hint(n)).Worst(9, 1)
					got := strength.Classify(v, c.hint(n)) == fingerprints.StrengthEdge
					if got != (left >= c.need) {
						t.Fatalf("%d bytes with %.1f bits outside: edge is %v, the rule asks for %.0f", n, left, got, c.need)
					}
					switch {
					case left >= c.need-8 && left < c.need:
						below++
					case left >= c.need && left < c.need+8:
						above++
					}
				}
			}
			if below == 0 || above == 0 {
				t.Errorf("%d values just below the threshold, %d just above: nothing is proven", below, above)
			}
		})
	}
}
