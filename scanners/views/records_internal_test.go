package views

import (
	"context"
	"strings"
	"testing"

	"revenant/scanners"
)

// TestManyRecords has records that hold nothing: they are read once, all of them.
func TestManyRecords(t *testing.T) {
	for _, line := range []string{":00000001FF\n", "S9030000FC\n"} {
		data := "\n" + strings.Repeat(line, 1000)
		k := &spotting{ctx: context.Background(), layer: scanners.Layer{Data: []byte(data), Piece: 1 << 20, Overlap: 1 << 10}}
		if k.records(1); k.done < len(data)-len(line) {
			t.Errorf("%q: read to %d of %d", line, k.done, len(data))
		}
	}
}
