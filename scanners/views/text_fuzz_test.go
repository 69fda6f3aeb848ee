package views_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// FuzzTexts checks what every text promises: that it comes from where it says.
func FuzzTexts(f *testing.F) {
	for _, s := range floods() {
		f.Add([]byte(strings.Repeat(s, 3)+"key1"+s), uint16(1))
	}
	for _, e := range textuals() {
		content, _ := e.plant("kR7pQ2xV9nL4tB6wY1mZ")
		f.Add([]byte(content), uint16(40))
	}
	f.Fuzz(func(t *testing.T, data []byte, n uint16) {
		data = slices.Repeat(data, 1+int(n)%8)
		before := slices.Clone(data)
		total := 0
		views.New().View(context.Background(), scanners.Layer{Data: data, Piece: 64, Overlap: 16}, func(x scanners.Text) bool {
			total += len(x.Data)
			last, lastEnd := 0, 0
			for i := range x.Data {
				start, end := x.Origin(i, i+1)
				if start < last || end < lastEnd || end < start || end > len(data) {
					t.Fatalf("%s: byte %d of %d comes from %d to %d, the one before from %d to %d", x.Form, i, len(x.Data), start, end, last, lastEnd)
				}
				last, lastEnd = start, end
			}
			if start, end := x.Origin(0, len(x.Data)); start > end || end != lastEnd {
				t.Fatalf("%s: all comes from %d to %d", x.Form, start, end)
			}
			return true
		})
		if !slices.Equal(before, data) {
			t.Fatal("the layer was changed")
		}
		if total > 32*len(data)+64 {
			t.Fatalf("%d bytes for %d", total, len(data))
		}
	})
}

// outer are encodings that anything can be put into.
func outer() []textual {
	return []textual{
		{enc: each(`\x%02x`), around: `"%s"`},
		{enc: each("%%%02X"), around: "a=%s&b"},
		{enc: eachRune("&#%d;"), around: "<p>%s</p>"},
		{enc: times(2, jsonOf), around: `{"a":"%s"}`}, // twice, in UTF-16 and around two encodings: seven of the eight that are undone
		{enc: each("=%02X"), around: "a: %s"},
		{enc: replace(`"`, `""`), around: `"%s"`},
	}
}

// FuzzLayers finds a value behind encodings in each other, whole and in chunks.
func FuzzLayers(f *testing.F) {
	const v = "kR7pQ2xV9nL4tB6wY1mZ0c"
	m := registeredMatcher(f, v)
	for i := range uint64(64) {
		f.Add(i, uint16(7000+i))
	}
	f.Fuzz(func(t *testing.T, seed uint64, chunk uint16) {
		rng := rand.New(rand.NewPCG(seed, 5))
		inner := textuals()
		e := inner[rng.IntN(len(inner))]
		content, _ := e.plant(v)
		name := e.name
		for range rng.IntN(3) {
			o := outer()[rng.IntN(len(outer()))]
			content, _ = o.plant("is\n" + content + "\nno more")
			name += " in " + o.around
		}
		if rng.IntN(4) == 0 {
			o := textual{enc: wide([]string{"le", "be"}[rng.IntN(2)]), around: "\xff%s\xff"}
			content, _ = o.plant("is\n" + content + "\nno more")
			name += " in UTF-16"
		}
		kinds := []scannerstest.Kind{scannerstest.Source, scannerstest.Logs, scannerstest.Random}
		text := func() string {
			return string(scannerstest.Corpus(kinds[rng.IntN(len(kinds))], seed, 200)[:rng.IntN(200)]) + strings.Repeat("\nline of it\n", rng.IntN(1500))
		}
		all := text() + "\n" + content + "\n" + text()
		hits := scan(t, m, all, 0)
		want := scannerstest.Describe(hits)
		if len(want) != 1 && e.enc(v) != v {
			t.Fatalf("%s: %d hits: %v\n%.2000q", name, len(want), want, content)
		}
		if len(hits) > 0 && hits[0].Span.Len() > int64(m.Overlap()) {
			return // longer than what chunks have in common
		}
		if got := scannerstest.Describe(scan(t, m, all, 1+int(chunk))); cmp.Diff(want, got) != "" {
			t.Fatalf("%s: chunks of %d:\n%s", name, 1+int(chunk), cmp.Diff(want, got))
		}
	})
}

// FuzzCuts has a value in any bytes, repeated, and finds the same in chunks.
func FuzzCuts(f *testing.F) {
	const v = "kR7pQ2xV9nL4tB6wY1mZ0c"
	m := registeredMatcher(f, v)
	for i, s := range floods() {
		f.Add([]byte(s), []byte(s+"\n"), uint16(i), uint16(9000+i), uint8(i))
	}
	f.Fuzz(func(t *testing.T, front, back []byte, n, chunk uint16, which uint8) {
		all := textuals()
		content, _ := all[int(which)%len(all)].plant(v)
		n %= 1 << 13
		data := strings.Repeat(string(front[:min(len(front), 16)]), int(n)) + content + strings.Repeat(string(back[:min(len(back), 16)]), int(n))
		want := scannerstest.Describe(scan(t, m, data, 0))
		if got := scannerstest.Describe(scan(t, m, data, 1+int(chunk))); cmp.Diff(want, got) != "" {
			t.Fatalf("chunks of %d:\n%s", 1+int(chunk), cmp.Diff(want, got))
		}
	})
}
