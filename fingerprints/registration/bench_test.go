package registration_test

import (
	"fmt"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
)

func BenchmarkRegister(b *testing.B) {
	for _, n := range []int{12, 40, 128, 1000, 100_000} {
		b.Run(fmt.Sprintf("bytes=%d", n), func(b *testing.B) {
			r := registration.New(newRing(b, 1), seeded(2), nil)
			in := registration.Input{Value: fingerprints.NewValue(token(1, n)), Field: "value", Revision: 1}
			for b.Loop() {
				if _, err := r.Register(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	r := registration.New(newRing(b, 1), seeded(2), nil)
	row := register(b, r, token(1, 40)).Row
	for b.Loop() {
		if _, err := r.Open(row); err != nil {
			b.Fatal(err)
		}
	}
}
