package archives_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// skippable is a frame of zstd that decoders skip.
func skippable(content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("\x53\x2a\x4d\x18"), uint32(len(content))), content...)
}

// TestBesideStreams: what stands in a compressed stream beside what it unpacks to is
// found in the container, and opened where it is packed itself.
func TestBesideStreams(t *testing.T) {
	look := canary(61)
	text := []byte("key " + look)
	zst := func(b []byte) []byte {
		return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	}
	headed := func(h gzip.Header) []byte {
		return through(t, noise(1, 3000), func(w io.Writer) (io.WriteCloser, error) {
			z := gzip.NewWriter(w)
			z.Header = h
			return z, nil
		})
	}
	plain := zst(noise(2, 3000))
	for name, c := range map[string]struct {
		data []byte
		want []string
	}{
		"frame":                  {slices.Concat(plain, skippable(text)), []string{"item"}},
		"frame before":           {slices.Concat(skippable(text), plain), []string{"item"}},
		"packed frame":           {slices.Concat(plain, skippable([]byte("nothing")), skippable(zst(text)), plain), []string{"item!@frame!content", "item!@frame"}}, // where it is too short to be packed
		"frame of gzip":          {slices.Concat(skippable(gzipped(t, text)), plain), []string{"item!@frame!content", "item!@frame"}},
		"frame of a tar":         {slices.Concat(plain, skippable(tarred(t, member{name: "m", data: text}))), []string{"item!@frame!m"}},
		"frame that breaks off":  {slices.Concat(plain, skippable(text)[:len(text)]), nil},
		"behind the frames":      {slices.Concat(plain, skippable(noise(3, 20)), text), []string{"item"}},
		"name of gzip":           {headed(gzip.Header{Name: string(text)}), []string{"item"}},
		"comment of gzip":        {headed(gzip.Header{Comment: string(text)}), []string{"item"}},
		"extra of gzip":          {headed(gzip.Header{Extra: text}), []string{"item"}},
		"name of a later member": {slices.Concat(headed(gzip.Header{}), headed(gzip.Header{Name: string(text)})), []string{"item"}},
	} {
		s := expand(t, small(), c.data, look)
		if !slices.Equal(s.found, c.want) || (len(s.skips) > 0) != (c.want == nil) {
			t.Errorf("%s: found in %v, want %v; listed %v", name, s.found, c.want, s.skips)
		}
	}
	deep := text
	for range 30 {
		deep = slices.Concat(plain, skippable(zst(deep)))
	}
	if s := expand(t, small(), deep, look); len(s.skips) == 0 || bytes.Count([]byte(s.order[0].Path), []byte("!")) > small().Depth {
		t.Errorf("frames in each other: listed %v", s.skips)
	}
}

// TestSizesThatLie: what stands behind the header of a link or a folder that says it has
// a size is no content of it, and is found in the archive.
func TestSizesThatLie(t *testing.T) {
	look := canary(62)
	for _, kind := range []byte("123456") {
		raw := tarred(t, member{name: "one", data: []byte("text")}, member{name: "two", data: []byte("key " + look)})
		second := raw[1024:]
		copy(second[148:156], "        ")
		second[156] = kind
		sum := 0
		for _, c := range second[:512] {
			sum += int(c)
		}
		copy(second[148:], fmt.Sprintf("%06o\x00 ", sum))
		if s := expand(t, small(), raw, look); !slices.Equal(s.found, []string{"item"}) || len(s.skips) != 1 {
			t.Errorf("kind %c: found in %v, covered in %v; listed %v", kind, s.found, s.covered, s.skips)
		}
	}
}
