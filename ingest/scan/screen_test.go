package scan_test

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
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
