package image

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestBeside: files of one parcel are screened side by side, and so are names beside
// the last files, whatever that finds.
func TestBeside(t *testing.T) {
	raw := slices.Concat(
		entryBytes(block{name: "first", kind: '0', magic: magicPOSIX}, "one"),
		entryBytes(block{name: "second", kind: '0', magic: magicPOSIX}, "two"),
		entryBytes(block{name: planted, kind: '0', magic: magicPOSIX}, "three"),
		entryBytes(block{name: planted + "/held", kind: '0', magic: magicPOSIX}, planted))
	b := blob{digest: "d", open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil }}
	one, two, names := make(chan struct{}), make(chan struct{}), make(chan struct{})
	meet := func(mine, other chan struct{}) {
		close(mine)
		select {
		case <-other:
		case <-t.Context().Done():
		}
	}
	screening := newScreening(Options{Screen: func(_ context.Context, data []byte) bool {
		switch text := string(data); {
		case text == "one":
			meet(one, two)
		case text == "two":
			meet(two, one)
		case text == "three":
			<-names
		case strings.HasPrefix(text, "first\n"):
			close(names)
		}
		return seesPlanted(t.Context(), data)
	}})
	screening.desks = make(chan struct{}, 2)
	s, err := (&survey{screening: screening}).layer(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	var held []int
	for _, h := range s.Held {
		held = append(held, h.Entry)
	}
	if !slices.Equal(held, []int{2, 3}) || s.counts.Bytes != int64(len("onetwothree"+planted)) {
		t.Errorf("held %v, %d bytes", held, s.counts.Bytes)
	}
}
