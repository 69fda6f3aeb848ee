package archives_test

import (
	"bytes"
	"encoding/binary"
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
