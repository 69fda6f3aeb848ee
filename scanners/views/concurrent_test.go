package views_test

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// TestConcurrent shares a viewer, whose texts look through others, and keeps
// nothing between them.
func TestConcurrent(t *testing.T) {
	v := views.New()
	var contents [][]byte
	for i, c := range codings() {
		contents = append(contents, []byte("x: "+base64Codings()[0].encode([]byte(c.encode([]byte(text(uint64(i), 200, alnum)))))))
	}
	all := func() (out [][]byte) {
		for _, data := range contents {
			l := scanners.Layer{Data: data, Piece: 1 << 20, Overlap: 100}
			v.View(context.Background(), l, func(x scanners.Text) bool {
				first := bytes.Clone(x.Data)
				v.View(context.Background(), scanners.Layer{Data: first, Depth: 1, Piece: 1 << 20}, func(y scanners.Text) bool {
					out = append(out, bytes.Clone(y.Data))
					return true
				})
				if !bytes.Equal(first, x.Data) {
					t.Error("a text changed while it was looked through")
				}
				out = append(out, first)
				return true
			})
		}
		return out
	}
	want := all()
	if len(want) < 2*len(contents) {
		t.Fatalf("%d texts of %d contents", len(want), len(contents))
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if got := all(); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Error("another goroutine has other texts")
			}
		})
	}
	wg.Wait()
}
