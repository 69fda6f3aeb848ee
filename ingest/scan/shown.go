package scan

import (
	"context"

	"revenant/scanners"
)

// Shown returns a piece of provenance as a scan with the same matchers would
// store and report it: every hit in it replaced. A source that is known before
// its scan is looked up by its shown id.
func Shown(ctx context.Context, matchers []scanners.Matcher, labels Labels, raw string) string {
	r := &redactor{matchers: matchers, namer: newNamer(labels), known: map[string]bool{}}
	return r.scan(ctx, []string{raw})[0].shown()
}
