package inflate_test

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	kflate "github.com/klauspost/compress/flate"

	"revenant/scanners/inflate"
)

// bare compresses what is given, without a frame.
func bare(tb testing.TB, level int, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := kflate.NewWriter(&b, level)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// cut is how a source hands over what it has.
type cut struct {
	name string
	of   func(io.Reader) io.Reader
	size int // of the buffer
}

func cuts() []cut {
	return []cut{
		{"whole", func(r io.Reader) io.Reader { return r }, 1 << 20},
		{"least", func(r io.Reader) io.Reader { return r }, inflate.LeastBuffer},
		{"bytes", iotest.OneByteReader, inflate.LeastBuffer},
		{"halves", iotest.HalfReader, 4 << 10},
		{"end with data", iotest.DataErrReader, 4 << 10},
	}
}

// outcome is all that can be told of a decoded stream.
type outcome struct {
	out  []byte
	left []byte // behind the stream
	err  error
}

func own(in []byte, c cut, inGo bool) (o outcome) {
	src := bufio.NewReaderSize(c.of(bytes.NewReader(in)), c.size)
	r := inflate.NewReader(src)
	if inGo {
		r.InGo()
	}
	o.out, o.err = io.ReadAll(r)
	o.left, _ = io.ReadAll(src)
	return o
}

// theirs is the oracle: the standard library.
func theirs(in []byte) (o outcome) {
	src := bytes.NewReader(in)
	o.out, o.err = io.ReadAll(flate.NewReader(src))
	o.left, _ = io.ReadAll(src)
	return o
}

// agree holds an outcome against the oracle's. Of a broken stream the oracle may
// give out less: it forgets what stands in its window.
func agree(t *testing.T, what string, got, want outcome) {
	t.Helper()
	switch {
	case (got.err == nil) != (want.err == nil):
		t.Fatalf("%s: error %v, want %v", what, got.err, want.err)
	case want.err == nil && (!bytes.Equal(got.out, want.out) || !bytes.Equal(got.left, want.left)):
		t.Fatalf("%s: %d bytes and %d left, want %d and %d, or others", what, len(got.out), len(got.left), len(want.out), len(want.left))
	case want.err != nil && !bytes.HasPrefix(got.out, want.out):
		t.Fatalf("%s: before the error %d bytes, want these %d at least", what, len(got.out), len(want.out))
	case want.err != nil && !errors.Is(got.err, inflate.ErrCorrupt) && !errors.Is(got.err, io.ErrUnexpectedEOF):
		t.Fatalf("%s: error %v", what, got.err)
	}
}

func TestReader(t *testing.T) {
	for name, data := range contents() {
		for _, level := range []int{flate.HuffmanOnly, 0, 1, 6, 9} {
			packed := append(bare(t, level, data), "what stands behind it"...)
			for _, c := range cuts() {
				for _, inGo := range []bool{false, true} {
					got := own(packed, c, inGo)
					agree(t, fmt.Sprintf("%s, level %d, %s, in Go %v", name, level, c.name, inGo), got, theirs(packed))
					if !bytes.Equal(got.out, data) {
						t.Fatal("the oracle agrees, and both are wrong")
					}
				}
			}
		}
	}
}

// A stream that is cut says so, at each place, and gives out what it has.
func TestReaderCut(t *testing.T) {
	for name, data := range contents() {
		packed := bare(t, 6, data)
		for at := 0; at < len(packed); at += 1 + len(packed)/100 {
			for _, inGo := range []bool{false, true} {
				got := own(packed[:at], cuts()[at%len(cuts())], inGo)
				if !errors.Is(got.err, io.ErrUnexpectedEOF) || !bytes.HasPrefix(data, got.out) {
					t.Fatalf("%s: cut at %d of %d: %d bytes, %v", name, at, len(packed), len(got.out), got.err)
				}
				agree(t, name, got, theirs(packed[:at]))
			}
		}
	}
}

// What a source fails with is passed on, behind what came out.
func TestReaderSourceFails(t *testing.T) {
	broken := errors.New("a broken source")
	data := contents()["mixed"]
	packed := bare(t, 6, data)
	src := bufio.NewReader(io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(broken)))
	out, err := io.ReadAll(inflate.NewReader(src))
	if !errors.Is(err, broken) || !bytes.HasPrefix(data, out) || len(out) < len(data)/4 {
		t.Fatalf("%d bytes of %d, %v", len(out), len(data), err)
	}
}

// oncePerRead gives what it has, and fails the test if it is asked for more.
type oncePerRead struct {
	t    *testing.T
	in   []byte
	more bool
}

func (o *oncePerRead) Read(p []byte) (int, error) {
	if len(o.in) == 0 {
		if !o.more {
			o.t.Error("more was asked for than is needed")
		}
		return 0, io.EOF
	}
	n := copy(p, o.in)
	o.in = o.in[n:]
	return n, nil
}

// A stream that is over, or was flushed, needs nothing behind it.
func TestReaderWaitsForNothing(t *testing.T) {
	for name, data := range contents() {
		out, err := io.ReadAll(inflate.NewReader(bufio.NewReader(&oncePerRead{t: t, in: bare(t, 6, data)})))
		if err != nil || !bytes.Equal(out, data) {
			t.Fatalf("%s: %d bytes, %v", name, len(out), err)
		}
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 6)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err = w.Flush(); err != nil {
			t.Fatal(err)
		}
		flushed := make([]byte, len(data))
		if _, err := io.ReadFull(inflate.NewReader(bufio.NewReader(&oncePerRead{t: t, in: b.Bytes()})), flushed); err != nil || !bytes.Equal(flushed, data) {
			t.Fatalf("%s: flushed: %v", name, err)
		}
	}
}

// A reader that was used, also for something broken, begins anew.
func TestReaderReset(t *testing.T) {
	r := &inflate.Reader{}
	for name, data := range contents() {
		packed := bare(t, 6, data)
		r.Reset(bufio.NewReader(bytes.NewReader(packed[:len(packed)/2])))
		_, _ = io.ReadAll(r)
		r.Reset(bufio.NewReader(bytes.NewReader(packed)))
		if out, err := io.ReadAll(r); err != nil || !bytes.Equal(out, data) {
			t.Fatalf("%s: %d bytes, %v", name, len(out), err)
		}
	}
}

func TestReaderSmallBuffer(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a buffer was taken that a block's head may not fit in")
		}
	}()
	inflate.NewReader(bufio.NewReaderSize(bytes.NewReader(nil), inflate.LeastBuffer-1))
}

// Bits turned over anywhere are taken as the oracle takes them.
func TestReaderDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for name, data := range contents() {
		for _, level := range []int{1, 6, flate.HuffmanOnly} {
			packed := bare(t, level, data[:min(len(data), 20_000)])
			for i := range 60 {
				in := bytes.Clone(packed)
				for range 1 + i%3 {
					in[r.IntN(len(in))] ^= 1 << r.IntN(8)
				}
				agree(t, name, own(in, cuts()[0], i%2 == 0), theirs(in))
			}
		}
	}
}

// Real files, as gzip itself compresses them.
func TestReaderRealFiles(t *testing.T) {
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", "net", "http", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of Go: %v", err)
	}
	for _, f := range files[:min(len(files), 12)] {
		want, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, level := range []string{"-1", "-6", "-9"} {
			packed, err := exec.CommandContext(t.Context(), "gzip", level, "-c", f).Output()
			if err != nil {
				t.Fatal(err)
			}
			z, err := inflate.NewGzip(bufio.NewReader(bytes.NewReader(packed)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(z); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s %s: %d bytes of %d, %v", filepath.Base(f), level, len(got), len(want), err)
			}
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, data := range contents() {
		for _, level := range []int{0, 1, 6, flate.HuffmanOnly} {
			f.Add(bare(f, level, data[:min(len(data), 3000)]), uint8(level))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, how uint8) {
		if len(in) > 1<<16 {
			return
		}
		c := cuts()[int(how)%len(cuts())]
		want := theirs(in)
		agree(t, "assembly", own(in, c, false), want)
		agree(t, "Go", own(in, c, true), want)
	})
}
