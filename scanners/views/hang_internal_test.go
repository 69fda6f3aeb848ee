package views

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
)

// TestQuickLooks compares the quick looks at the end of a line and the beginning of the
// next one with what they save: whatever hangs together passes them.
func TestQuickLooks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	pieces := []string{
		"deadbeef", "0000010: 4142 4344", "65, 66,", "\"abc\"", "'abc' +", " | ", "M" + string(bytes.Repeat([]byte("A"), 60)),
		"key: |", "- >", "key: \\u003e", "\\", "`", "=", "^", "-", "word", ".", "\t", " ", "begin 644 a", "12:30:01 ", "x", "{", "|", "&", "~", "\\t",
	}
	piece := func() []byte {
		var b []byte
		for range 1 + r.IntN(3) {
			b = append(b, pieces[r.IntN(len(pieces))]...)
		}
		if r.IntN(3) == 0 {
			b = append(b, byte(r.IntN(256)))
		}
		return b
	}
	hung := 0
	for range 200000 {
		x, y := piece(), piece()
		hangs := linesHang(x, y, false) || blockHead(x) || digit(y[0]) && behindStamps(x, y)
		if !hangs {
			continue
		}
		hung++
		if !endsHanging[x[len(x)-1]] && !beginsHung[y[0]] {
			t.Fatalf("%q and %q hang together, and are not looked at", x, y)
		}
	}
	if hung < 1000 {
		t.Errorf("%d lines hung together: too few to tell", hung)
	}
}

// TestDated compares the look at eight bytes with that at each of them.
func TestDated(t *testing.T) {
	for _, line := range []string{"2026-11-27T10", "2026-11-2:", "2026-1a-27", "2026x11-27", "20;6-11-27", "2026-11-27", "2026-11-", "202?-11-"} {
		digits, signs := 0, 0
		for _, c := range []byte(line[:8]) {
			if digit(c) {
				digits++
			} else if c == '-' {
				signs++
			}
		}
		want := digits == 6 && signs == 2 && line[4] == '-'
		if got := beginsDate(wordAt(line)); got != want {
			t.Errorf("%q begins with a date: %v, want %v", line, got, want)
		}
	}
}

func wordAt(s string) (v uint64) {
	for i := range 8 {
		v |= uint64(s[i]) << (8 * i)
	}
	return v
}

// TestManyPending has more splices that matter little before one that does than are kept
// for nothing, closer together than what is shown around it.
func TestManyPending(t *testing.T) {
	const many = 4 * fewPending
	data := strings.Repeat(`a\.`, many) + `\u0070assword`
	want, seen := strings.Repeat("a.", many)+"password", []string{}
	New().View(context.Background(), scanners.Layer{Data: []byte(data), Piece: 1 << 20, Overlap: 1 << 10}, func(t scanners.Text) bool {
		seen = append(seen, string(t.Data))
		return true
	})
	if !slices.Contains(seen, want) {
		t.Errorf("the text is not shown whole: %q", seen)
	}
}
