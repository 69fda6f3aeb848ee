//go:build unix

package image

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/rules"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// BenchmarkLayer reads a layer of program text, logs and noise in files of 20 KB,
// or the one in the file REVENANT_BENCH_LAYER: decompressed and walked through
// alone, which is the floor; as a survey in which nothing is looked for; with rules; and with views and archives,
// as scans do. core-MB/s are uncompressed bytes by the processor time of all threads.
func BenchmarkLayer(b *testing.B) {
	m, err := rules.New(rules.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ruled := scan.Screen{Engine: &scanners.Engine{Matchers: []scanners.Matcher{m}}}
	all := scan.Screen{Engine: &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New()}, Archives: &archives.Expander{Limits: archives.DefaultLimits()}}
	nothing := Options{Screen: func(context.Context, []byte) bool { return false }, Stream: seesNothing}
	for name, raw := range benchLayers(b) {
		open := blob{digest: "d", open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
		b.Run(name+"/floor", func(b *testing.B) {
			measured(b, func() int64 {
				un, err := decompressed(bytes.NewReader(raw), nil)
				if err != nil {
					b.Fatal(err)
				}
				n := int64(0)
				for t := tar.NewReader(un); ; {
					h, err := t.Next()
					if errors.Is(err, io.EOF) {
						return n
					}
					if err != nil {
						b.Fatal(err)
					}
					n += h.Size
				}
			})
		})
		for _, c := range []struct {
			name string
			o    Options
		}{{"walk", nothing}, {"rules", Options{Screen: ruled.Of, Stream: ruled.Stream}}, {"all", Options{Screen: all.Of, Stream: all.Stream}}} {
			b.Run(name+"/"+c.name, func(b *testing.B) {
				measured(b, func() int64 {
					s, err := (&survey{screening: newScreening(c.o)}).layer(b.Context(), open)
					if err != nil || s.failed {
						b.Fatal(err, s.skipped)
					}
					return s.counts.Bytes
				})
			})
		}
	}
}

func seesNothing(_ context.Context, r io.Reader) bool {
	_, err := io.Copy(io.Discard, r)
	return err != nil
}

// measured runs what says how many bytes it read.
func measured(b *testing.B, read func() int64) {
	began, all := processTime(b), int64(0)
	for b.Loop() {
		n := read()
		b.SetBytes(n)
		all += n
	}
	b.ReportMetric(float64(all)/1e6/(processTime(b)-began).Seconds(), "core-MB/s")
}

func processTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchLayers(b *testing.B) map[string][]byte {
	if name := os.Getenv("REVENANT_BENCH_LAYER"); name != "" {
		raw, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		return map[string][]byte{"given": raw}
	}
	var raw bytes.Buffer
	w := tar.NewWriter(&raw)
	const size = 20 << 10
	for _, k := range []scannerstest.Kind{scannerstest.Source, scannerstest.Logs, scannerstest.Random} {
		text := scannerstest.Corpus(k, 1, 8<<20)
		for i := 0; i+size <= len(text); i += size {
			err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%s/%d", k, i), Size: size, Typeflag: tar.TypeReg})
			if err == nil {
				_, err = w.Write(text[i : i+size])
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	var gz, zst bytes.Buffer
	g := gzip.NewWriter(&gz)
	z, err := zstd.NewWriter(&zst)
	if err != nil {
		b.Fatal(err)
	}
	_, gErr := g.Write(raw.Bytes())
	_, zErr := z.Write(raw.Bytes())
	if err := errors.Join(gErr, g.Close(), zErr, z.Close()); err != nil {
		b.Fatal(err)
	}
	return map[string][]byte{"plain": raw.Bytes(), "gzip": gz.Bytes(), "zstd": zst.Bytes()}
}
