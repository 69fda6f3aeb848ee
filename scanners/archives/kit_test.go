package archives_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// seen is a visitor that looks for a text in every content.
type seen struct {
	look     string
	found    []string // paths of the contents that hold it
	paths    []string
	covered  []string // containers where it is covered
	packed   map[string]bool
	skips    map[string]string
	order    []fingerprints.Skip
	bytes    int64
	contents int
	largest  int64
}

func (s *seen) Content(_ context.Context, c archives.Content, r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.bytes += int64(len(b))
	s.largest = max(s.largest, int64(len(b)))
	s.contents++
	if len(s.paths) < 1000 {
		s.paths = append(s.paths, c.Path)
	}
	s.packed[c.Path] = c.Packed
	for from := 0; s.look != ""; {
		i := bytes.Index(b[from:], []byte(s.look))
		if i < 0 {
			break
		}
		from += i
		if c.Covered(int64(from), int64(from+len(s.look))) {
			s.covered = append(s.covered, c.Path)
		} else {
			s.found = append(s.found, c.Path)
		}
		from += len(s.look)
	}
	return nil
}

func (s *seen) Skip(k fingerprints.Skip) {
	s.skips[k.Path] = k.Detail
	s.order = append(s.order, k)
}

func expand(t *testing.T, l archives.Limits, data []byte, look string) *seen {
	t.Helper()
	s := &seen{look: look, skips: map[string]string{}, packed: map[string]bool{}}
	if err := (&archives.Expander{Limits: l}).Expand(t.Context(), bytes.NewReader(data), "item", s); err != nil {
		t.Fatalf("expanding: %v", err)
	}
	return s
}

// streamed hides that a reader has more than Read.
type streamed struct{ r io.Reader }

func (s streamed) Read(p []byte) (int, error) { return s.r.Read(p) }

func noise(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// canary is a text that nothing else contains.
func canary(seed uint64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	b := noise(seed, 40)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

type member struct {
	name   string
	data   []byte
	method uint16
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func zipped(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(93, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	z.RegisterCompressor(95, func(w io.Writer) (io.WriteCloser, error) { return &late{w: w}, nil })
	for _, m := range members {
		w, err := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: m.method})
		must(t, err)
		_, err = w.Write(m.data)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

// late is an xz writer that writes nothing before the first byte comes.
type late struct {
	w io.Writer
	z *xz.Writer
}

func (l *late) Write(p []byte) (n int, err error) {
	if l.z == nil {
		if l.z, err = xz.NewWriter(l.w); err != nil {
			return 0, err
		}
	}
	return l.z.Write(p)
}

func (l *late) Close() error { return l.z.Close() }

func tarred(t testing.TB, members ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range members {
		must(t, w.WriteHeader(&tar.Header{Name: m.name, Size: int64(len(m.data)), Mode: 0o600, Typeflag: tar.TypeReg}))
		_, err := w.Write(m.data)
		must(t, err)
	}
	must(t, w.Close())
	return b.Bytes()
}

func through(t testing.TB, data []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	must(t, err)
	_, err = w.Write(data)
	must(t, err)
	must(t, w.Close())
	return b.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	return through(t, data, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

// packers are the formats that Go can write.
func packers(t testing.TB) map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"zip deflated": func(b []byte) []byte { return zipped(t, member{"m", b, zip.Deflate}) },
		"zip stored":   func(b []byte) []byte { return zipped(t, member{"m", b, zip.Store}) },
		"zip zstd":     func(b []byte) []byte { return zipped(t, member{"m", b, 93}) },
		"zip xz":       func(b []byte) []byte { return zipped(t, member{"m", b, 95}) },
		"zip behind": func(b []byte) []byte {
			return append([]byte("#!/bin/sh\nexit\n"), zipped(t, member{"m", b, zip.Deflate})...)
		},
		"tar":  func(b []byte) []byte { return tarred(t, member{name: "m", data: b}) },
		"7z":   func(b []byte) []byte { return stored7z("m", b) },
		"gzip": func(b []byte) []byte { return gzipped(t, b) },
		"gzip twice": func(b []byte) []byte {
			return append(gzipped(t, b[:len(b)/2]), gzipped(t, b[len(b)/2:])...)
		},
		"xz": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
		},
		"zstd": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
		},
		"lz4": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })
		},
		"zlib": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
		},
	}
}
