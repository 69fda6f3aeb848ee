package scanners_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/scannerstest"
)

// literal finds every occurrence of a text; it needs context bytes around.
type literal struct {
	text    string
	context int
	rule    string
}

func (m literal) Overlap() int { return len(m.text) + m.context }

func (m literal) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	for p := 0; p+len(m.text) <= len(c.Data); p++ {
		if string(c.Data[p:p+len(m.text)]) != m.text {
			continue
		}
		h := scanners.Hit{Value: fingerprints.NewValue([]byte(m.text)), Form: fingerprints.FormRaw}
		h.Span = scanners.Span{Start: c.Base + int64(p), End: c.Base + int64(p+len(m.text))}
		if h.Rule, h.Match = m.rule, h.Span; m.rule == "" {
			h.Rows = []fingerprints.RowID{{1}}
		}
		dst = append(dst, h, h) // the engine takes repeats out
	}
	return dst
}

func TestConformance(t *testing.T) {
	scannerstest.Run(t, literal{text: "needle", context: 3}, []scannerstest.Sample{
		{Name: "edges", Content: []byte("needle" + strings.Repeat("hay ", 500) + "needle"), Hits: 2},
		{Name: "close", Content: []byte(strings.Repeat("needle", 40)), Hits: 40},
		{Name: "none", Content: []byte("hay")},
		{Name: "empty"},
	})
}

func TestWindows(t *testing.T) {
	text := strings.Repeat("one\ntwo needle three\n\n", 300)
	for _, chunk := range []int{1, 5, 17, 100, 1 << 20} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, ChunkSize: chunk}
		seen, lines := 0, []int(nil)
		_, err := e.Scan(context.Background(), strings.NewReader(text), "p", func(w scanners.Window) error {
			before := text[:w.Chunk.Base]
			if want := 1 + strings.Count(before, "\n"); w.Line != want {
				t.Fatalf("chunk %d: window at %d is on line %d, want %d", chunk, w.Chunk.Base, w.Line, want)
			}
			if want := len(before) - strings.LastIndexByte(before, '\n'); w.Column != want {
				t.Fatalf("chunk %d: window at %d is in column %d, want %d", chunk, w.Chunk.Base, w.Column, want)
			}
			if !strings.HasPrefix(text[w.Chunk.Base:], string(w.Chunk.Data)) || w.Chunk.Path != "p" {
				t.Fatalf("chunk %d: window at %d has other data", chunk, w.Chunk.Base)
			}
			for _, h := range w.Hits {
				seen++
				line, column := w.Position(h.Span.Start)
				if lines = append(lines, line); column != 5 {
					t.Fatalf("chunk %d: hit in column %d, want 5", chunk, column)
				}
			}
			return nil
		})
		if err != nil || seen != 300 || !slices.IsSorted(lines) || lines[299] != 3*299+2 {
			t.Fatalf("chunk %d: %d hits, %v", chunk, seen, err)
		}
	}
}

func TestEmptyContentHasOneWindow(t *testing.T) {
	var e scanners.Engine
	n := 0
	read, err := e.Scan(context.Background(), strings.NewReader(""), "p", func(w scanners.Window) error {
		n++
		if !w.Chunk.Final || w.Line != 1 || w.Column != 1 {
			t.Errorf("%+v", w)
		}
		return nil
	})
	if n != 1 || read != 0 || err != nil {
		t.Errorf("%d windows, %d bytes, %v", n, read, err)
	}
}

// pathRule matches every path, as rules without a content part do.
type pathRule struct{}

func (pathRule) Overlap() int { return 8 }

func (pathRule) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	return append(dst, scanners.Hit{Rule: "path", PathOnly: true, Value: fingerprints.NewValue([]byte(c.Path))})
}

func TestPathOnlyHitsOnce(t *testing.T) {
	for _, chunk := range []int{1, 7, 100} {
		got := scannerstest.Collect(t, pathRule{}, "id_rsa", strings.NewReader(strings.Repeat("x", 60)), chunk)
		if len(got) != 1 {
			t.Errorf("chunks of %d: %d hits of a path", chunk, len(got))
		}
	}
}

func TestErrors(t *testing.T) {
	boom := errors.New("boom")
	text := strings.Repeat("hay needle ", 20)
	m := literal{text: "needle"}
	t.Run("reader", func(t *testing.T) {
		e := &scanners.Engine{Matchers: []scanners.Matcher{m}, ChunkSize: 16}
		r := io.MultiReader(strings.NewReader(text), iotest.ErrReader(boom))
		hits := 0
		n, err := e.Scan(context.Background(), r, "", func(w scanners.Window) error { hits += len(w.Hits); return nil })
		if !errors.Is(err, boom) || n != int64(len(text)) || hits != 20 {
			t.Errorf("read %d bytes, %d hits, %v", n, hits, err)
		}
	})
	t.Run("emit", func(t *testing.T) {
		e := &scanners.Engine{Matchers: []scanners.Matcher{m}, ChunkSize: 16}
		calls := 0
		_, err := e.Scan(context.Background(), strings.NewReader(text), "", func(scanners.Window) error { calls++; return boom })
		if !errors.Is(err, boom) || calls != 1 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		e := &scanners.Engine{Matchers: []scanners.Matcher{m}, ChunkSize: 16}
		calls := 0
		_, err := e.Scan(ctx, strings.NewReader(text), "", func(scanners.Window) error { calls++; cancel(); return nil })
		if !errors.Is(err, context.Canceled) || calls != 1 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
	t.Run("stuck", func(t *testing.T) {
		var e scanners.Engine
		_, err := e.Scan(context.Background(), stuck{}, "", func(scanners.Window) error { return nil })
		if !errors.Is(err, io.ErrNoProgress) {
			t.Error(err)
		}
	})
	t.Run("lying", func(t *testing.T) {
		var e scanners.Engine
		_, err := e.Scan(context.Background(), lying{}, "", func(scanners.Window) error { return nil })
		if err == nil {
			t.Error("no error")
		}
	})
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

type lying struct{}

func (lying) Read(p []byte) (int, error) { return len(p) + 1, nil }

func TestLongGenericHitsAreSkips(t *testing.T) {
	long := longRule{max: 100}
	text := strings.Repeat("a", 300)
	e := &scanners.Engine{Matchers: []scanners.Matcher{long}, ChunkSize: 50}
	var skips []fingerprints.Skip
	_, err := e.Scan(context.Background(), strings.NewReader(text), "p", func(w scanners.Window) error {
		skips = append(skips, w.Skips...)
		return nil
	})
	if err != nil || len(skips) == 0 || skips[0].Reason != fingerprints.SkipLongMatch || skips[0].Path != "p" {
		t.Errorf("%v, %+v", err, skips)
	}
	skips = nil
	e.ChunkSize = 0
	_, err = e.Scan(context.Background(), strings.NewReader(text), "p", func(w scanners.Window) error {
		skips = append(skips, w.Skips...)
		return nil
	})
	if err != nil || len(skips) != 0 {
		t.Errorf("a content of one chunk has skips: %v, %+v", err, skips)
	}
}

// longRule matches all of a chunk.
type longRule struct{ max int }

func (m longRule) Overlap() int { return m.max }

func (longRule) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	s := scanners.Span{Start: c.Base, End: c.Base + int64(len(c.Data))}
	return append(dst, scanners.Hit{Rule: "long", Span: s, Match: s})
}

// TestFlatMemory reads far more than a chunk and looks at what is allocated.
func TestFlatMemory(t *testing.T) {
	e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, ChunkSize: 1 << 16}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := e.Scan(context.Background(), io.LimitReader(zeros{}, 16<<20), "", func(scanners.Window) error { return nil })
	runtime.ReadMemStats(&after)
	if err != nil || n != 16<<20 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 2<<20 {
		t.Errorf("%d bytes allocated for chunks of 64 KiB", got)
	}
	runtime.ReadMemStats(&before)
	for range 1000 {
		_, _ = e.Scan(context.Background(), strings.NewReader("small"), "", func(scanners.Window) error { return nil })
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / 1000; got > 20<<10 {
		t.Errorf("%d bytes allocated for a small content", got)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// FuzzSplit compares the hits of every cut with those of the whole.
func FuzzSplit(f *testing.F) {
	f.Add([]byte("abababab"), uint16(1), byte(3))
	f.Add([]byte("xxaab ab aabab"), uint16(4), byte(0))
	f.Fuzz(func(t *testing.T, content []byte, chunk uint16, context byte) {
		m := literal{text: "ab", context: int(context % 9)}
		want := scannerstest.Collect(t, m, "", bytes.NewReader(content), 0)
		got := scannerstest.Collect(t, m, "", iotest.HalfReader(bytes.NewReader(content)), int(chunk))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("chunks of %d (-whole +cut):\n%s", chunk, diff)
		}
		if len(want) != bytes.Count(content, []byte("ab")) {
			t.Errorf("%d hits, want %d", len(want), bytes.Count(content, []byte("ab")))
		}
	})
}
