package scanners_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"sync/atomic"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
)

// counting counts the looks of a matcher of patterns that also knows paths.
type counting struct {
	literal
	looks *atomic.Int64
}

func (m counting) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	m.looks.Add(1)
	if m.Names(c.Path) && c.Base == 0 {
		dst = append(dst, scanners.Hit{Rule: "path", PathOnly: true, Value: fingerprints.NewValue([]byte(c.Path))})
	}
	return m.literal.AppendHits(dst, c)
}

func (counting) Names(path string) bool { return strings.HasSuffix(path, ".jks") }

// TestClean: what a screen found nothing in is not looked at again, wherever it
// stands, but where the path itself is a hit; what holds something always is.
func TestClean(t *testing.T) {
	var looks atomic.Int64
	e := &scanners.Engine{Matchers: []scanners.Matcher{counting{literal{text: "needle"}, &looks}}, Clean: scanners.NewClean()}
	hits := func(path, text string) (n int) {
		if _, err := e.Scan(t.Context(), strings.NewReader(text), path, func(w scanners.Window) error {
			n += len(w.Hits)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	screen := func(text string) int {
		if e.Screen(t.Context(), []byte(text)) {
			return 1
		}
		return 0
	}
	for _, step := range []struct {
		name        string
		do          func() int
		found, look int
	}{
		{"a scan remembers nothing, for it knows one path", func() int { return hits("a", "hay") + hits("a", "hay") }, 0, 2},
		{"a screen looks", func() int { return screen("hay") }, 0, 1},
		{"and never again", func() int { return screen("hay") }, 0, 0},
		{"nor does a scan", func() int { return hits("a", "hay") }, 0, 0},
		{"but at a path that is a hit", func() int { return hits("a.jks", "hay") }, 1, 1},
		{"another content", func() int { return hits("a", "hay ") }, 0, 1},
		{"what holds something", func() int { return screen("a needle") + screen("a needle") + hits("a", "a needle") }, 3, 3},
	} {
		looks.Store(0)
		if found := step.do(); found != step.found || int(looks.Load()) != step.look {
			t.Errorf("%s: %d found by %d looks, want %d by %d", step.name, found, looks.Load(), step.found, step.look)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if !e.Screen(ended, []byte("straw")) || screen("straw") != 0 || looks.Load() == 0 {
		t.Error("what was not looked at to its end is clean")
	}
}

// TestCleanPieces: pieces of a long content are remembered one by one.
func TestCleanPieces(t *testing.T) {
	var looks atomic.Int64
	e := &scanners.Engine{Matchers: []scanners.Matcher{counting{literal{text: "needle"}, &looks}}, Clean: scanners.NewClean(), ChunkSize: 64}
	var long []byte
	for i := range uint64(100) {
		long = binary.BigEndian.AppendUint64(long, i)
	}
	if e.ScreenReader(t.Context(), bytes.NewReader(long)) || looks.Load() < 10 {
		t.Fatalf("%d looks at a clean content", looks.Load())
	}
	looks.Store(0)
	if e.ScreenReader(t.Context(), bytes.NewReader(long)) || looks.Load() != 0 {
		t.Errorf("%d looks at the same again", looks.Load())
	}
	copy(long[400:], "needle")
	found := 0
	if _, err := e.Scan(t.Context(), bytes.NewReader(long), "a", func(w scanners.Window) error {
		found += len(w.Hits)
		return nil
	}); err != nil || found != 1 || looks.Load() == 0 || looks.Load() > 3 {
		t.Errorf("%d found by %d looks: %v", found, looks.Load(), err)
	}
}

// TestCleanForgets: what is packed is known apart, and neither is taken for another
// when there is more than can be remembered.
func TestCleanForgets(t *testing.T) {
	c := scanners.NewClean()
	yes, no := func() bool { return true }, func() bool { return false }
	if c.Throughout([]byte("x"), yes); !c.Throughout([]byte("x"), yes) {
		t.Error("what holds something is taken for clean")
	}
	many := uint64(1 << 21)
	if testing.Short() { // the race detector takes half a minute for that
		many = 1 << 18
	}
	var text [8]byte
	for i := range many {
		binary.BigEndian.PutUint64(text[:], i)
		c.Throughout(text[:], no)
	}
	if c.Throughout(text[:], yes) {
		t.Error("what was clean just now is not known")
	}
	known := 0
	for i := range many {
		binary.BigEndian.PutUint64(text[:], ^i)
		if !c.Throughout(text[:], yes) {
			known++
		}
	}
	if known > 0 {
		t.Errorf("%d contents are known that never came", known)
	}
	if !(*scanners.Clean)(nil).Throughout(nil, yes) {
		t.Error("who remembers nothing finds nothing")
	}
}

// TestCleanOfUnknown: a matcher that says nothing of paths is asked at each.
func TestCleanOfUnknown(t *testing.T) {
	e := &scanners.Engine{Matchers: []scanners.Matcher{pathRule{}}, Clean: scanners.NewClean()}
	if e.Screen(t.Context(), []byte("hay")) {
		t.Fatal("a path is found in a content")
	}
	found := 0
	if _, err := e.Scan(t.Context(), strings.NewReader("hay"), "a", func(w scanners.Window) error {
		found += len(w.Hits)
		return nil
	}); err != nil || found != 1 {
		t.Errorf("%d found at a path: %v", found, err)
	}
}
