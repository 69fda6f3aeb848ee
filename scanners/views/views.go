// Package views sees through encodings, for every matcher: it finds stretches
// of a text that decode to something and yields what they decode to, with where
// each byte came from. What is encoded in it again is seen through in the same
// way, because the engine shows every text to the viewer again.
//
// It promises: texts do not depend on where a content was cut further away than
// Reach; linear time and bounded memory whatever the text; nothing decoded is
// kept. It refuses: to judge what is found, and to decode to what no matcher can
// use (noise).
package views

import (
	"context"

	"revenant/scanners"
	"revenant/scanners/byteclass"
)

// Viewer sees through every encoding that the package knows. Safe for
// concurrent use.
type Viewer struct {
	finders []finder
	flows   *byteclass.Triples
}

// finder finds the stretches of one kind of encoding. It returns false when
// yield did.
type finder interface {
	view(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) bool
}

// reach is how far around an encoded value finders look: indentation and
// prefixes of the lines before and after, escapes that a stretch starts in.
const reach = 8 << 10

// New returns a viewer.
func New() *Viewer { return &Viewer{finders: finders(), flows: flowMarks()} }

// finders lists them, the surest first.
func finders() []finder {
	return []finder{
		newEncoded(),
		newSpotted(),
		newWide(),
		newWritten(), // guesses come last: what is seen through twice is reported the first way
	}
}

// Divided implements scanners.Divisible: a viewer for each finder.
func (v *Viewer) Divided() (all []scanners.Viewer) {
	for i := range v.finders {
		all = append(all, &Viewer{finders: v.finders[i : i+1], flows: v.flows})
	}
	return all
}

// Reach implements scanners.Viewer.
func (v *Viewer) Reach() int { return reach }

// Silent reports, of short texts that hold nothing encoded for sure, that they do.
func (v *Viewer) Silent(data []byte) bool { return len(data) <= silentLook && silent(data) }

// View implements scanners.Viewer.
func (v *Viewer) View(ctx context.Context, l scanners.Layer, yield func(scanners.Text) bool) {
	if v.Silent(l.Data) {
		return
	}
	for _, f := range v.finders {
		if ctx.Err() != nil || !f.view(ctx, l, yield) {
			return
		}
	}
}
