package scan

import (
	"context"
	"slices"

	"revenant/scanners"
)

// Marks says what stands in the place of values wherever they are taken out:
// [secret name@3], or [redacted] where nobody names them. Safe for concurrent
// use, if the Labels are.
type Marks struct{ namer *namer }

// NewMarks returns marks that ask labels for names; nil: nothing has a name.
func NewMarks(labels Labels) *Marks { return &Marks{newNamer(labels)} }

// Cover is a stretch of a content that must not be shown, and what stands in
// its place.
type Cover struct {
	Span scanners.Span
	Mark string
}

// Covers are the stretches that hits take, in order and apart: hits that
// overlap share one.
func (m *Marks) Covers(ctx context.Context, hits []scanners.Hit) []Cover {
	var out []Cover
	for _, c := range m.namer.covers(ctx, sorted(slices.Clone(hits))) {
		out = append(out, Cover{Span: c.span, Mark: c.mark})
	}
	return out
}
