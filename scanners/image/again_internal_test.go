package image

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"slices"
	"sync/atomic"
	"testing"
)

// TestRepeatedFiles: a content in which nothing was found is looked at once, in
// however many layers it is; one that holds something is found in each.
func TestRepeatedFiles(t *testing.T) {
	raw := slices.Concat(entryBytes(block{name: "same", kind: '0', magic: magicPOSIX}, "nothing in it"), entryBytes(block{name: "held", kind: '0', magic: magicPOSIX}, planted))
	var list []blob
	for i := range 5 {
		layer := slices.Concat(entryBytes(block{name: "own", kind: '0', magic: magicPOSIX}, string(rune('a'+i))), raw)
		list = append(list, blob{open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer)), nil }})
	}
	var same atomic.Int64
	v := &survey{screening: newScreening(Options{Screen: func(ctx context.Context, data []byte) bool {
		if string(data) == "nothing in it" {
			same.Add(1)
		}
		return seesPlanted(ctx, data)
	}})}
	held := 0
	for _, b := range list {
		s, err := v.layer(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		held += len(s.Held)
	}
	if held != 5 || same.Load() > 2 { // the second may be screened while the first is
		t.Errorf("%d are held, the same content was looked at %d times", held, same.Load())
	}
	c := newClean()
	for i := range uint64(3 * maxClean) {
		c.look(binary.BigEndian.AppendUint64(nil, i), func() bool { return false })
	}
	if len(c.last)+len(c.older) > 2*maxClean {
		t.Errorf("%d contents are remembered", len(c.last)+len(c.older))
	}
	if c.look([]byte("x"), func() bool { return true }); !c.look([]byte("x"), func() bool { return true }) {
		t.Error("what holds something is taken for clean")
	}
}
