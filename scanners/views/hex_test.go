package views_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// TestHexBehindX: what a digit of no byte stands before is decoded from its
// first digit on, as PostgreSQL prints bytes behind a backslash and an x.
func TestHexBehindX(t *testing.T) {
	want := []byte("-----BEGIN of what nobody knows-----")
	for _, before := range []string{"", " ", "x", "xx", `\x`, `\\x`, "ax", "0x", "g"} {
		data := []byte(before + hex.EncodeToString(want) + " b\n")
		found := false
		views.New().View(context.Background(), scanners.Layer{Data: data, Piece: 1 << 20, Overlap: 4 << 10}, func(v scanners.Text) bool {
			if bytes.Contains(v.Data, want) {
				start, end := v.Origin(bytes.Index(v.Data, want), bytes.Index(v.Data, want)+len(want))
				found = found || start == len(before) && end == len(before)+2*len(want)
			}
			return true
		})
		if !found {
			t.Errorf("behind %q: not found at its place", before)
		}
	}
}
