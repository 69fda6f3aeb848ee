package scan_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"testing"

	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/views"
)

// TestScreenLarge: what is large enough for two cores is seen as it stands and
// through its encodings, and a matcher that fails, fails there too.
func TestScreenLarge(t *testing.T) {
	v := random(12, 24)
	m := &literal{values: []planted{{v, row(1)}}, overlap: 64}
	s := scan.Screen{Engine: &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New()}}
	hay := bytes.Repeat([]byte("a line of no consequence\n"), 9<<20/25)
	encoded := base64.StdEncoding.EncodeToString([]byte("the password is " + v + " and nothing else"))
	for name, c := range map[string]struct {
		end   string
		found bool
	}{"nothing": {"", false}, "as it stands": {v, true}, "encoded": {encoded, true}} {
		if got := s.Of(t.Context(), append(bytes.Clone(hay), c.end...)); got != c.found {
			t.Errorf("%s: %v", name, got)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if !s.Of(ended, hay) {
		t.Error("what was not looked at to its end holds nothing")
	}
	failing := scan.Screen{Engine: &scanners.Engine{Matchers: []scanners.Matcher{failingMatcher{}}, Viewer: views.New()}}
	defer func() {
		if recover() == nil {
			t.Error("a matcher that fails was not noticed")
		}
	}()
	failing.Of(t.Context(), hay)
}

type failingMatcher struct{}

func (failingMatcher) AppendHits([]scanners.Hit, scanners.Chunk) []scanners.Hit { panic("failed") }
func (failingMatcher) Overlap() int                                             { return 16 }
