package scannerstest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners"
)

// Sample is a content in which a matcher finds something, and how often.
type Sample struct {
	Name    string
	Path    string
	Content []byte
	Hits    int
}

// Run checks that a matcher keeps the contract of scanners.Matcher. Samples
// hold its hits away from each other by less than its overlap or by more; at
// least one must have a hit.
func Run(t *testing.T, m scanners.Matcher, samples []Sample) {
	t.Helper()
	total := 0
	for _, s := range samples {
		total += s.Hits
		t.Run(s.Name, func(t *testing.T) {
			want := Collect(t, m, s.Path, bytes.NewReader(s.Content), 0)
			if len(want) != s.Hits {
				t.Fatalf("%d hits, want %d: %v", len(want), s.Hits, want)
			}
			t.Run("appends", func(t *testing.T) { appends(t, m, s) })
			t.Run("pure", func(t *testing.T) { pure(t, m, s) })
			t.Run("concurrent", func(t *testing.T) { concurrent(t, m, s, want) })
			t.Run("cuts", func(t *testing.T) { cuts(t, m, s, want) })
			t.Run("readers", func(t *testing.T) { readers(t, m, s, want) })
		})
	}
	if total == 0 {
		t.Error("no sample has a hit: the suite proves nothing")
	}
	if first, second := m.Overlap(), m.Overlap(); first < 0 || first != second {
		t.Errorf("the overlap is %d, then %d", first, second)
	}
	if hits := m.AppendHits(nil, scanners.Chunk{Final: true}); len(hits) != 0 {
		t.Errorf("hits in nothing: %v", Describe(hits))
	}
}

// Collect scans a content with the engine and describes the hits.
func Collect(t testing.TB, m scanners.Matcher, path string, r io.Reader, chunk int) []string {
	t.Helper()
	e := &scanners.Engine{Matchers: []scanners.Matcher{m}, ChunkSize: chunk}
	var hits []scanners.Hit
	_, err := e.Scan(context.Background(), r, path, func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil {
		t.Fatalf("scanning: %v", err)
	}
	return Describe(hits)
}

// Describe writes hits down for comparison: everything that a report would
// show, and the value's bytes.
func Describe(hits []scanners.Hit) []string {
	var out []string
	for _, h := range hits {
		out = append(out, fmt.Sprintf("%d-%d %s %q rule=%q rows=%v match=%v path=%v",
			h.Span.Start, h.Span.End, h.Form, h.Value.Reveal(), h.Rule, h.Rows, h.Match, h.PathOnly))
	}
	return out
}

// appends checks that AppendHits leaves what is in dst alone and adds Base.
func appends(t *testing.T, m scanners.Matcher, s Sample) {
	first := scanners.Hit{Rule: "kept"}
	c := scanners.Chunk{Data: s.Content, Path: s.Path, Final: true}
	got := m.AppendHits([]scanners.Hit{first}, c)
	if len(got) == 0 || got[0].Rule != first.Rule {
		t.Fatalf("what was in dst is gone: %v", Describe(got))
	}
	const base = 1 << 33
	c.Base = base
	moved := m.AppendHits(nil, c)
	for i := range moved {
		moved[i].Span.Start -= base
		moved[i].Span.End -= base
		moved[i].Match.Start -= min(base, moved[i].Match.Start)
		moved[i].Match.End -= min(base, moved[i].Match.End)
	}
	if diff := cmp.Diff(Describe(got[1:]), Describe(moved)); diff != "" {
		t.Errorf("a chunk at another base has other hits (-at 0 +moved):\n%s", diff)
	}
}

// pure checks that data is neither changed nor kept and calls do not differ.
func pure(t *testing.T, m scanners.Matcher, s Sample) {
	data := bytes.Clone(s.Content)
	c := scanners.Chunk{Data: data[:len(data):len(data)], Path: s.Path, Final: true}
	first := m.AppendHits(nil, c)
	if !bytes.Equal(data, s.Content) {
		t.Fatal("the chunk was changed")
	}
	before := Describe(first)
	if diff := cmp.Diff(before, Describe(m.AppendHits(nil, c))); diff != "" {
		t.Errorf("a second call has other hits:\n%s", diff)
	}
	clear(data)
	if diff := cmp.Diff(before, Describe(first)); diff != "" {
		t.Errorf("hits keep the chunk:\n%s", diff)
	}
}

func concurrent(t *testing.T, m scanners.Matcher, s Sample, want []string) {
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 8 {
				if got := Collect(t, m, s.Path, bytes.NewReader(s.Content), 0); !slices.Equal(got, want) {
					t.Errorf("another goroutine has other hits: %s", cmp.Diff(want, got))
				}
			}
		})
	}
	wg.Wait()
}

// cuts checks that the hits are the same wherever the content is cut.
func cuts(t *testing.T, m scanners.Matcher, s Sample, want []string) {
	sizes := []int{1, 2, 3, 7, 16, 61, 256, 1000, 4096, 1 << 16}
	// Owning few bytes shows the matcher the overlap again and again: keep
	// the work in bounds.
	least := len(s.Content) * (3*m.Overlap() + 64) / (64 << 20)
	for _, size := range sizes {
		if size < least {
			continue
		}
		if diff := cmp.Diff(want, Collect(t, m, s.Path, bytes.NewReader(s.Content), size)); diff != "" {
			t.Errorf("chunks of %d bytes have other hits (-whole +cut):\n%s", size, diff)
		}
	}
}

// readers checks that the hits are the same however the reader behaves.
func readers(t *testing.T, m scanners.Matcher, s Sample, want []string) {
	for name, r := range map[string]io.Reader{
		"one byte":      iotest.OneByteReader(bytes.NewReader(s.Content)),
		"half":          iotest.HalfReader(bytes.NewReader(s.Content)),
		"data with EOF": iotest.DataErrReader(bytes.NewReader(s.Content)),
		"hesitating":    &hesitating{r: bytes.NewReader(s.Content)},
	} {
		if diff := cmp.Diff(want, Collect(t, m, s.Path, r, 4096)); diff != "" {
			t.Errorf("%s: other hits (-whole +read):\n%s", name, diff)
		}
	}
}

// hesitating returns nothing every other time.
type hesitating struct {
	r io.Reader
	n int
}

func (h *hesitating) Read(p []byte) (int, error) {
	if h.n++; h.n%2 == 0 {
		return 0, nil
	}
	return h.r.Read(p[:min(len(p), 1+h.n%97)])
}
