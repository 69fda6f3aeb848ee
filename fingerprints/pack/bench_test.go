package pack_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/pack/packtest"
)

var sizes = []int{1_000, 10_000, 100_000, 1_000_000}

// buildTo writes a pack of n entries of an audience.
func buildTo(tb testing.TB, w io.Writer, n int, aud fingerprints.Audience) int64 {
	tb.Helper()
	b, err := pack.NewBuilder(packtest.Ring(tb, 1), packtest.Seed(4), spec(aud))
	if err != nil {
		tb.Fatal(err)
	}
	entry := synthetic(aud)
	for i := range n {
		e := entry(i)
		if err := b.Add(e, packtest.Label(i, e)); err != nil {
			tb.Fatal(err)
		}
	}
	size, err := b.WriteTo(w)
	if err != nil {
		tb.Fatal(err)
	}
	return size
}

// BenchmarkBuild includes making the entries, about 0.4 us each.
func BenchmarkBuild(b *testing.B) {
	for _, n := range sizes {
		b.Run(name(n), func(b *testing.B) {
			for b.Loop() {
				size := buildTo(b, io.Discard, n, fingerprints.AudienceCore)
				b.ReportMetric(float64(size)/float64(n), "B/version")
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	ring := packtest.Ring(b, 1)
	for _, n := range sizes {
		b.Run(name(n), func(b *testing.B) {
			var buf bytes.Buffer
			buildTo(b, &buf, n, fingerprints.AudienceCore)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, err := pack.OpenBytes(buf.Bytes(), ring, pack.Options{})
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			runtime.KeepAlive(p)
			kept := float64(after.HeapAlloc) - float64(before.HeapAlloc)
			for b.Loop() {
				if _, err := pack.OpenBytes(buf.Bytes(), ring, pack.Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(kept/float64(n), "memoryB/version")
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	ring := packtest.Ring(b, 1)
	values := tokens(1, 1000, 24)
	p, err := pack.OpenBytes(write(b, ring, spec(fingerprints.AudienceCore), register(b, ring, values...)...), ring, pack.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for name, v := range map[string][]byte{"hit": values[0], "miss": tokens(2, 1, 24)[0]} {
		b.Run(name, func(b *testing.B) {
			c := p.NewConfirmer()
			for b.Loop() {
				c.Lookup(1, v)
			}
		})
	}
	b.Run("label", func(b *testing.B) {
		c := p.NewConfirmer()
		row := c.Lookup(1, values[0])[0]
		for b.Loop() {
			if _, err := c.Label(row, values[0]); err != nil {
				b.Fatal(errors.Unwrap(err))
			}
		}
	})
}
