package byteclass_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/byteclass"
)

func TestSymbol(t *testing.T) {
	count := map[uint8]int{}
	for c := range 256 {
		s := byteclass.Symbol(byte(c))
		if s >= byteclass.Symbols {
			t.Fatalf("byte %#x: symbol %d", c, s)
		}
		count[s]++
		lower := bytes.ToLower([]byte{byte(c)})[0]
		if c < 0x80 && byteclass.Symbol(lower) != s {
			t.Errorf("case of %c matters", c)
		}
	}
	for s, n := range count {
		if n != 4 {
			t.Errorf("symbol %d stands for %d bytes", s, n)
		}
	}
}

// TestGrams looks every pattern up as the definition says, on texts of every
// length, by vector code and without.
func TestGrams(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var g byteclass.Grams
	set := map[[3]uint8]bool{}
	for range 60000 {
		p := [3]uint8{uint8(r.IntN(64)), uint8(r.IntN(64)), uint8(r.IntN(64))}
		g.Add(p[0], p[1], p[2])
		set[p] = true
	}
	if n := g.Number(); n != len(set) {
		t.Fatalf("%d patterns, want %d", n, len(set))
	}
	ranks := map[int]bool{}
	for p := range set {
		ranks[g.Rank(p[0], p[1], p[2])] = true
	}
	if len(ranks) != len(set) || !ranks[0] || !ranks[len(set)-1] {
		t.Errorf("%d ranks of %d patterns", len(ranks), len(set))
	}
	data := make([]byte, 400)
	for i := range data {
		data[i] = byte(r.Uint32())
	}
	at := func(text []byte, i int) uint8 {
		if i < len(text) {
			return byteclass.Symbol(text[i])
		}
		return 0
	}
	found := 0
	for size := range data {
		text := data[:size]
		for _, n := range []int{size, size / 2, max(0, size-1), max(0, size-2)} {
			fast, scalar := byteclass.GramWords(&g, text, n)
			if diff := cmp.Diff(scalar, fast); diff != "" {
				t.Fatalf("%d of %d bytes (-scalar +fast):\n%s", n, size, diff)
			}
			want := make([]uint32, (n+63)/64)
			for i := 0; i < n; i += 2 {
				if set[[3]uint8{at(text, i), at(text, i+1), at(text, i+2)}] {
					want[i/64] |= 1 << (i % 64 / 2)
					found++
				}
			}
			if n > 0 {
				if diff := cmp.Diff(want, fast); diff != "" {
					t.Fatalf("%d of %d bytes (-want +got):\n%s", n, size, diff)
				}
			}
		}
	}
	if found < 1000 {
		t.Error("too few patterns found")
	}
}

func BenchmarkGrams(b *testing.B) {
	var g byteclass.Grams
	data := bytes.Repeat([]byte(signs), 512)
	var dst []uint32
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		dst = g.Append(dst[:0], data, len(data))
	}
}
