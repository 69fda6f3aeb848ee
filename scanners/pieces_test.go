package scanners_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners"
)

// sparse is a text with needles at known places.
func sparse(size int, at []int) []byte {
	text := bytes.Repeat([]byte("hay and hay\n"), size/12+1)[:size]
	for _, i := range at {
		copy(text[i:], "needle")
	}
	return text
}

// TestPieces cuts contents that are longer than a chunk, with as many pieces
// under way as there may be, and finds every needle, in order.
func TestPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const size = 3*scanners.DefaultPieceSize + 12345
	places := []int{0, size - 6}
	for edge := scanners.DefaultPieceSize; edge < size; edge += scanners.DefaultPieceSize {
		places = append(places, edge-20, edge-3, edge, edge+40)
	}
	for range 200 {
		places = append(places, r.IntN(size-6))
	}
	text := sparse(size, places)
	var want []int64
	for i := 0; ; i++ {
		n := bytes.Index(text[i:], []byte("needle"))
		if n < 0 {
			break
		}
		i += n
		want = append(want, int64(i))
	}
	for _, tt := range []struct{ chunk, parallel, windows int }{
		{size + 1, 4, 1}, {scanners.DefaultPieceSize + 1, 1, 4}, {scanners.DefaultPieceSize + 1, 3, 4}, {1 << 20, 16, 25},
	} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{indexed("needle")}, ChunkSize: tt.chunk, Parallel: tt.parallel}
		var got []int64
		windows := 0
		n, err := e.Scan(context.Background(), iotest.HalfReader(bytes.NewReader(text)), "p", func(w scanners.Window) error {
			windows++
			for _, h := range w.Hits {
				got = append(got, h.Span.Start)
			}
			if line, column := w.Position(w.Chunk.Base); line != 1+bytes.Count(text[:w.Chunk.Base], []byte("\n")) || column < 1 {
				t.Errorf("window at %d is on line %d", w.Chunk.Base, line)
			}
			return nil
		})
		if err != nil || n != size || windows != tt.windows {
			t.Errorf("%+v: %d bytes in %d windows, %v", tt, n, windows, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v: (-want +got)\n%s", tt, diff)
		}
	}
}

// indexed finds a text.
type indexed string

func (m indexed) Overlap() int { return len(m) }

func (m indexed) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	for i := 0; ; i++ {
		n := bytes.Index(c.Data[i:], []byte(m))
		if n < 0 {
			return dst
		}
		i += n
		s := scanners.Span{Start: c.Base + int64(i), End: c.Base + int64(i+len(m))}
		dst = append(dst, scanners.Hit{Rule: "indexed", Span: s, Match: s})
	}
}

// brittle panics on a text.
type brittle string

func (m brittle) Overlap() int { return len(m) }

func (m brittle) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	if bytes.Contains(c.Data, []byte(m)) {
		panic("brittle")
	}
	return dst
}

// TestPiecesEndWell: whatever ends a scan, the next one has all turns again,
// and nobody is left running.
func TestPiecesEndWell(t *testing.T) {
	boom := errors.New("boom")
	text := strings.Repeat("hay ", 3000) + "needle" + strings.Repeat(" hay", 3000)
	e := &scanners.Engine{Matchers: []scanners.Matcher{brittle("needle")}, ChunkSize: 1000, Parallel: 3}
	before := runtime.NumGoroutine()
	for range 50 {
		windows := 0
		func() {
			defer func() {
				if got := recover(); got != "brittle" {
					t.Errorf("recovered %v", got)
				}
			}()
			_, _ = e.Scan(context.Background(), strings.NewReader(text), "", func(scanners.Window) error { windows++; return nil })
		}()
		if windows < 10 {
			t.Fatalf("%d windows before the matcher failed", windows)
		}
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		_, err := e.Scan(ctx, strings.NewReader(text), "", func(scanners.Window) error {
			if calls++; calls == 3 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) || calls != 3 {
			t.Fatalf("%d windows, %v", calls, err)
		}
		calls = 0
		_, err = e.Scan(context.Background(), strings.NewReader(text), "", func(scanners.Window) error { calls++; return boom })
		if !errors.Is(err, boom) || calls != 1 {
			t.Fatalf("%d windows, %v", calls, err)
		}
	}
	after := 0
	for range 1 << 20 { // one that has said it is done may not have ended yet
		if after = runtime.NumGoroutine(); after <= before {
			break
		}
		runtime.Gosched()
	}
	if after > before {
		t.Errorf("%d goroutines more", after-before)
	}
	n, err := e.Scan(context.Background(), strings.NewReader(strings.Repeat("hay ", 10000)), "", func(scanners.Window) error { return nil })
	if n != 40000 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// fragile is a viewer that panics on a text.
type fragile struct{ text string }

func (fragile) Reach() int { return 0 }

func (f fragile) View(_ context.Context, l scanners.Layer, _ func(scanners.Text) bool) {
	if bytes.Contains(l.Data, []byte(f.text)) {
		panic("fragile")
	}
}

// meeting is a matcher and a viewer that wait for each other.
type meeting struct {
	rot13
	matcher, viewer chan struct{}
}

func (meeting) Overlap() int { return 0 }

func (m meeting) AppendHits(dst []scanners.Hit, _ scanners.Chunk) []scanners.Hit {
	m.matcher <- struct{}{}
	<-m.viewer
	return dst
}

func (m meeting) View(context.Context, scanners.Layer, func(scanners.Text) bool) {
	<-m.matcher
	m.viewer <- struct{}{}
}

// TestMatchersAndViewerSideBySide: a chunk that is worth two cores is looked at
// by two goroutines, scan after scan, has the hits that it has on one core, and
// a panic of either ends where the caller sees it.
func TestMatchersAndViewerSideBySide(t *testing.T) {
	text := strings.Repeat("hay and hay\n", 200_000) + "needle {arrqyr}\n"
	ignore := func(scanners.Window) error { return nil }
	m := meeting{matcher: make(chan struct{}), viewer: make(chan struct{})}
	e := &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: m, Parallel: 2}
	for range 3 { // what is spare is given back, or they would never meet again
		if _, err := e.Scan(context.Background(), strings.NewReader(text), "", ignore); err != nil {
			t.Fatal(err)
		}
	}
	matchers := []scanners.Matcher{literal{text: "needle"}}
	want, _ := collect(t, &scanners.Engine{Matchers: matchers, Viewer: rot13{'{', '}'}, Parallel: 1}, text)
	e = &scanners.Engine{Matchers: matchers, Viewer: rot13{'{', '}'}, Parallel: 4}
	if got, _ := collect(t, e, text); !cmp.Equal(want, got) || len(want) != 2 {
		t.Fatal(cmp.Diff(want, got), want)
	}
	for _, tt := range []struct {
		panics string
		m      scanners.Matcher
		v      scanners.Viewer
	}{{"brittle", brittle("needle"), rot13{'{', '}'}}, {"fragile", literal{text: "needle"}, fragile{"needle"}}} {
		e := &scanners.Engine{Matchers: []scanners.Matcher{tt.m}, Viewer: tt.v, Parallel: 2}
		func() {
			defer func() {
				if got := recover(); got != tt.panics {
					t.Errorf("recovered %v, want %s", got, tt.panics)
				}
			}()
			_, _ = e.Scan(context.Background(), strings.NewReader(text), "", ignore)
		}()
	}
}
