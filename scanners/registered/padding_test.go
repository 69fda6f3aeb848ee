package registered_test

import (
	"bytes"
	"slices"
	"testing"

	"revenant/fingerprints"
)

// TestPadding: what stands behind a long run of one byte is found, at every place
// beside probes and ends of tiles. Runs of some of all bytes pass the filter.
func TestPadding(t *testing.T) {
	vals := values(31, 3000, 20, alnum)
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for pad := range 256 {
		for before := 4090; before < 4106; before++ {
			run := bytes.Repeat([]byte{byte(pad)}, before)
			i := (pad*16 + before) % len(vals)
			v := vals[i]
			content := slices.Concat(run, v, run[:500], v, run[:before%19])
			var got []int
			for _, h := range scan(t, m, content, 0) {
				if slices.Equal(h.Rows, built.Rows[i:i+1]) {
					got = append(got, int(h.Span.Start))
				}
			}
			if want := []int{before, before + len(v) + 500}; !slices.Equal(got, want) {
				t.Fatalf("behind %d of %#x: %v, want %v", before, pad, got, want)
			}
		}
	}
}
