package scanners

import (
	"context"
	"errors"
	"io"
)

// Screen reports whether a content may hold a hit at some path: whether
// matchers and viewer find something in data when every condition on the path
// lets it through. What it says no to has no hits at any path. It costs what
// looking at data as one chunk costs, unless it is known to be clean.
func (e *Engine) Screen(ctx context.Context, data []byte) bool {
	c := Chunk{Data: data[:len(data):len(data)], Final: true, AnyPath: true}
	key, known := e.Clean.knows(c)
	if known {
		return false
	}
	found := false
	if len(data) >= screenBesides && e.looksThrough() {
		found = e.screenBeside(ctx, c)
	} else {
		found = e.matched(ctx, c) || e.seenThrough(ctx, c) || ctx.Err() != nil
	}
	if !found {
		e.Clean.keep(key)
	}
	return found
}

// screenBesides is from how many bytes on screening is worth two cores: others are
// screened side by side, and where matchers find something views need not be asked.
const screenBesides = 8 << 20

// screenBeside is Screen for what two cores are worth.
func (e *Engine) screenBeside(ctx context.Context, c Chunk) bool {
	e.start()
	within, stop := context.WithCancel(ctx)
	defer stop()
	through := false
	wait := e.beside(len(c.Data), func() { through = e.seenThrough(within, c) })
	found := true
	func() {
		defer wait() // also when a matcher panics
		if found = e.matched(ctx, c); found {
			stop()
		}
	}()
	return found || through || ctx.Err() != nil
}

// matched reports whether a matcher finds something as it stands.
func (e *Engine) matched(ctx context.Context, c Chunk) bool {
	for _, m := range e.Matchers {
		for _, h := range appendHits(ctx, m, nil, c) {
			if !h.PathOnly {
				return true
			}
		}
	}
	return false
}

// seenThrough reports whether there is something in what the chunk decodes to.
func (e *Engine) seenThrough(ctx context.Context, c Chunk) bool {
	hits, unread := e.viewed(ctx, c, e.overlap())
	return len(hits)+len(unread) > 0
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
