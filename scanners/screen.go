package scanners

import "context"

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
