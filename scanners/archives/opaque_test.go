package archives_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// own collects the item's own bytes as they are shown behind its members.
type own struct {
	top   []byte
	names []string
	skips []fingerprints.Skip
}

func (o *own) Content(_ context.Context, c archives.Content, r io.Reader) error {
	b, err := io.ReadAll(r)
	if o.names = append(o.names, c.Path); c.Parent == 0 {
		o.top = b
	}
	return err //nolint:wrapcheck // a test
}

func (o *own) Skip(s fingerprints.Skip) { o.skips = append(o.skips, s) }

func shownOf(t *testing.T, b []byte) own {
	t.Helper()
	var o own
	x := archives.Expander{Limits: archives.DefaultLimits()}
	if err := x.Expand(context.Background(), bytes.NewReader(b), "a", &o); err != nil {
		t.Fatal(err)
	}
	if len(o.top) != len(b) {
		t.Fatalf("%d bytes of %d are shown", len(o.top), len(b))
	}
	return o
}

func hexNoise(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdef"[r.IntN(16)]
	}
	return b
}

// TestContainersAreShownWithoutTheirMembersData checks that names, comments and
// what stands around members stay, and that data which was not verified does.
func TestContainersAreShownWithoutTheirMembersData(t *testing.T) {
	var z bytes.Buffer
	z.WriteString("#!/bin/sh before-the-archive\n")
	w := zip.NewWriter(&z)
	w.SetOffset(int64(z.Len()))
	f, _ := w.CreateHeader(&zip.FileHeader{Name: "the-name", Comment: "the-comment", Method: zip.Deflate, Extra: []byte("\xfe\xca\x09\x00the-extra")})
	_, _ = f.Write(hexNoise(20 << 10))
	_ = w.SetComment("of-the-archive")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	gz := func(name string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Name, w.Comment = name, "about-"+name
		_, _ = w.Write(hexNoise(20 << 10))
		_ = w.Close()
		return b.Bytes()
	}
	var ball bytes.Buffer
	tw := tar.NewWriter(&ball)
	for _, name := range []string{"in-the-tar", "also-in-it"} {
		_ = tw.WriteHeader(&tar.Header{Name: name, Size: 20 << 10, Mode: 0o600, Uname: "of-" + name})
		_, _ = tw.Write(hexNoise(20 << 10))
	}
	_ = tw.Close()
	ball.WriteString("behind-the-tar")
	two := append(append(gz("first"), gz("second")...), "appended-text"...)
	damaged := bytes.Clone(z.Bytes())
	damaged[8<<10] ^= 1
	for _, c := range []struct {
		name  string
		data  []byte
		zeros bool
		stay  []string
	}{
		{"zip", z.Bytes(), true, []string{"before-the-archive", "the-name", "the-comment", "the-extra", "of-the-archive"}},
		{"gzip", two, true, []string{"first", "about-first", "second", "about-second", "appended-text"}},
		{"tar", ball.Bytes(), true, []string{"in-the-tar", "of-in-the-tar", "also-in-it", "of-also-in-it", "behind-the-tar"}},
		{"cut tar", ball.Bytes()[:15<<10], false, []string{"in-the-tar"}},
		{"damaged zip", damaged, false, []string{"the-name"}},
		{"cut gzip", two[:9<<10], false, []string{"about-first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := shownOf(t, c.data)
			for _, s := range c.stay {
				if !bytes.Contains(o.top, []byte(s)) {
					t.Errorf("%s is not shown", s)
				}
			}
			if !c.zeros {
				if !bytes.Equal(o.top, c.data) {
					t.Error("what was not read to its end is not shown as it is")
				}
				return
			}
			if n := bytes.Count(o.top, []byte{0}); n < 9<<10 {
				t.Errorf("%d zeros", n)
			}
			for i := range o.top {
				if o.top[i] != c.data[i] && o.top[i] != 0 {
					t.Fatalf("byte %d is another one", i)
				}
			}
			if len(o.skips) > 0 {
				t.Errorf("skips: %v", o.skips)
			}
		})
	}
}
