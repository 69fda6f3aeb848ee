package views

import (
	"context"

	"revenant/scanners"
)

// CostOf looks through a text and returns what it took.
func CostOf(l scanners.Layer, yield func(scanners.Text) bool) Cost {
	e := newEncoded()
	s, _ := e.pool.Get().(*search)
	s.begin(context.Background(), l, yield)
	for from := 0; from < len(l.Data) && !s.stopped; from += tile {
		s.tile(from, min(from+tile, len(l.Data)))
	}
	return s.cost
}
