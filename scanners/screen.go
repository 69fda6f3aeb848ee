package scanners

import (
	"context"
	"errors"
	"io"
)

// Screen reports whether a content may hold a hit at some path: whether
// matchers and viewer find something in data when every condition on the path
// lets it through. What it says no to has no hits at any path. It costs what
// looking at data as one chunk costs.
func (e *Engine) Screen(ctx context.Context, data []byte) bool {
	c := Chunk{Data: data[:len(data):len(data)], Final: true, AnyPath: true}
	for _, m := range e.Matchers {
		for _, h := range appendHits(ctx, m, nil, c) {
			if !h.PathOnly {
				return true
			}
		}
	}
	hits, unread := e.viewed(ctx, c, e.overlap())
	return len(hits) > 0 || len(unread) > 0 || ctx.Err() != nil
}

// errSeen ends the look into a content.
var errSeen = errors.New("seen")

// ScreenReader is Screen for a content that is read, and cut into chunks as Scan
// does. It reads as far as the answer needs; a content that cannot be read to its end
// may hold something.
func (e *Engine) ScreenReader(ctx context.Context, r io.Reader) bool {
	_, err := e.scan(ctx, r, "", true, func(w Window) error {
		for _, h := range w.Hits {
			if !h.PathOnly {
				return errSeen
			}
		}
		if len(w.Skips) > 0 {
			return errSeen
		}
		return nil
	})
	return err != nil
}
