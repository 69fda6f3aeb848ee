package image

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

func BenchmarkZZ(b *testing.B) {
	r := rand.New(rand.NewPCG(2026, 11))
	var vals [][]byte
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	for range 1000 {
		v := make([]byte, 32)
		for i := range v {
			v[i] = letters[r.IntN(len(letters))]
		}
		vals = append(vals, v)
	}
	built := packtest.New(b, fingerprints.AudienceCore, vals...)
	reg, err := registered.New(built.Pack)
	if err != nil {
		b.Fatal(err)
	}
	m, err := rules.New(rules.Options{})
	if err != nil {
		b.Fatal(err)
	}
	var files [][]byte
	f, err := os.Open(os.Getenv("ZZ"))
	if err != nil {
		b.Fatal(err)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for t := tar.NewReader(z); n < 40<<20; {
		_, err := t.Next()
		if err != nil {
			break
		}
		d, err := io.ReadAll(t)
		if err != nil {
			b.Fatal(err)
		}
		files = append(files, d)
		n += len(d)
	}
	for _, c := range []struct {
		name string
		e    *scanners.Engine
	}{
		{"all", &scanners.Engine{Matchers: []scanners.Matcher{reg, m}, Viewer: views.New()}},
		{"rules", &scanners.Engine{Matchers: []scanners.Matcher{m}}},
		{"reg", &scanners.Engine{Matchers: []scanners.Matcher{reg}}},
		{"views", &scanners.Engine{Viewer: views.New()}},
	} {
		s := scan.Screen{Engine: c.e, Archives: &archives.Expander{Limits: archives.DefaultLimits()}}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(n))
			b.ReportAllocs()
			k := 0
			for b.Loop() {
				k = 0
				for _, d := range files {
					if s.Of(context.Background(), d) {
						k++
					}
				}
			}
			fmt.Fprintln(os.Stderr, k, len(files))
		})
	}
}
