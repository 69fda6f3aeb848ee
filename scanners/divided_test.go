package scanners_test

import (
	"context"
	"strings"
	"testing"

	"revenant/scanners"
)

// several is a viewer made of others.
type several []scanners.Viewer

func (several) Reach() int { return 64 }

func (s several) View(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	goOn := true
	for _, v := range s {
		if goOn {
			v.View(ctx, l, func(t scanners.Text) bool {
				goOn = yield(t)
				return goOn
			})
		}
	}
}

// Divided implements scanners.Divisible.
func (s several) Divided() []scanners.Viewer { return s }

// swollen is a viewer of texts in which nothing is, of so many bytes.
type swollen struct{ bytes int }

func (swollen) Reach() int { return 64 }

func (s swollen) View(_ context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	if l.Depth > 0 {
		return
	}
	text := make([]byte, 1<<20)
	for n := 0; n < s.bytes && yield(scanners.Text{Form: "hay", Data: text, Origin: func(int, int) (int, int) { return 0, 1 }}); {
		n += len(text)
	}
}

// TestScreenDivided: a content that is screened by parts of a viewer has what any of them
// sees, on its own or in what another sees, and they decode no more than one may.
func TestScreenDivided(t *testing.T) {
	hay := strings.Repeat("hay and hay\n", 9<<20/12)
	const room = 4*9<<20 + 64<<20
	braces := several{rot13{'{', '}'}, rot13{'[', ']'}}
	for name, c := range map[string]struct {
		viewer several
		text   string
		found  bool
	}{
		"nothing":            {braces, hay, false},
		"as it stands":       {braces, hay + "needle", true},
		"the first part":     {braces, hay + "{arrqyr}", true},
		"the last part":      {braces, hay + "[arrqyr]", true},
		"in each other":      {braces, hay + "[<" + "arrqyr" + ">]", true},
		"as much as one may": {several{swollen{room / 2}, swollen{room/2 - 8<<20}}, hay, false},
		"more than one may":  {several{swollen{room / 2}, swollen{room/2 + 8<<20}}, hay, true},
	} {
		for _, parallel := range []int{1, 4} {
			e := &scanners.Engine{Matchers: []scanners.Matcher{literal{text: "needle"}}, Viewer: c.viewer, Parallel: parallel}
			if got := e.Screen(t.Context(), []byte(c.text)); got != c.found {
				t.Errorf("%s, %d at once: %v", name, parallel, got)
			}
		}
	}
}
