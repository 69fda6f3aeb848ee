package scan_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
)

// TestScreen: what is packed is looked into, members' names included.
func TestScreen(t *testing.T) {
	v := random(11, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	filler := strings.Repeat("a line that packs well\n", 40)
	zipped := func(name, content string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err == nil {
			err = z.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	gzipped := func(content []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write(content); err != nil || z.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	screen := scan.Screen{
		Engine: &scanners.Engine{Matchers: []scanners.Matcher{m}}, Archives: &archives.Expander{Limits: archives.DefaultLimits()},
	}
	blind := scan.Screen{Engine: screen.Engine}
	for name, c := range map[string]struct {
		data         []byte
		found, blind bool
	}{
		"text":               {[]byte(filler + v), true, true},
		"other text":         {[]byte(filler), false, false},
		"in a zip":           {zipped("a.txt", filler+v+filler), true, false},
		"in no zip":          {zipped("a.txt", filler), false, false},
		"in a zip in a gzip": {gzipped(zipped("a.txt", filler+v+filler)), true, false},
		"in a member's name": {gzipped(zipped(v+".txt", filler)), true, false},
		"in what is damaged": {gzipped([]byte(filler))[:30], true, false},
		"in a large member":  {gzipped(append(bytes.Repeat([]byte(filler), 10_000), v...)), true, false},
		"in no large member": {gzipped(bytes.Repeat([]byte(filler), 10_000)), false, false},
	} {
		if got := screen.Of(t.Context(), c.data); got != c.found {
			t.Errorf("%s: %v", name, got)
		}
		if got := blind.Of(t.Context(), c.data); got != c.blind {
			t.Errorf("%s, without archives: %v", name, got)
		}
		if got := screen.Stream(t.Context(), bytes.NewReader(c.data)); got != c.found {
			t.Errorf("%s, as it is read: %v", name, got)
		}
		if got := blind.Stream(t.Context(), bytes.NewReader(c.data)); got != c.blind {
			t.Errorf("%s, as it is read, without archives: %v", name, got)
		}
		if !screen.Stream(t.Context(), io.MultiReader(bytes.NewReader(c.data), iotest.ErrReader(io.ErrUnexpectedEOF))) {
			t.Errorf("%s, that breaks off, holds nothing", name)
		}
	}
}

// TestScreenRemembers: of an archive nothing is looked at twice that holds nothing,
// and its packed bytes are noise that is not looked at at all.
func TestScreenRemembers(t *testing.T) {
	v := random(13, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	looked := &watching{literal: m}
	s := scan.Screen{
		Engine:   &scanners.Engine{Matchers: []scanners.Matcher{looked}, Clean: scanners.NewClean()},
		Archives: &archives.Expander{Limits: archives.DefaultLimits()},
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, text := range []string{random(14, 30_000), random(15, 20_000), v} {
		w, err := z.Create("member")
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if !s.Of(t.Context(), b.Bytes()) {
		t.Fatal("what an archive holds is not found")
	}
	if n := looked.bytes.Load(); n < 50_000 || n > 60_000 {
		t.Errorf("%d bytes were looked at, of 50,024 in members", n)
	}
	looked.bytes.Store(0)
	if !s.Of(t.Context(), b.Bytes()) || looked.bytes.Load() > 1000 {
		t.Errorf("%d bytes were looked at again", looked.bytes.Load())
	}
	clean, err := gzipOf(random(16, 10_000))
	if err != nil {
		t.Fatal(err)
	}
	for i, most := range []int64{10_000 + 1000, 0} {
		looked.bytes.Store(0)
		if s.Of(t.Context(), clean) || looked.bytes.Load() > most {
			t.Errorf("look %d: %d bytes were looked at", i+1, looked.bytes.Load())
		}
	}
}

func gzipOf(text string) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, text)
	err = errors.Join(err, z.Close())
	return b.Bytes(), err
}

// watching counts the bytes that are no zeros, of what a matcher is shown.
type watching struct {
	*literal
	bytes atomic.Int64
}

func (w *watching) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	w.bytes.Add(int64(len(c.Data) - bytes.Count(c.Data, []byte{0})))
	return w.literal.AppendHits(dst, c)
}
