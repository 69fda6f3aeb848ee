package scanners

import "context"

// Interruptible is a Matcher that can take long over one chunk. The engine
// prefers AppendHitsUntil; when ctx ends, what was found until then is
// returned, and the engine reports the scan as interrupted.
type Interruptible interface {
	Matcher
	AppendHitsUntil(ctx context.Context, dst []Hit, c Chunk) []Hit
}

func appendHits(ctx context.Context, m Matcher, dst []Hit, c Chunk) []Hit {
	if i, ok := m.(Interruptible); ok {
		return i.AppendHitsUntil(ctx, dst, c)
	}
	return m.AppendHits(dst, c)
}
