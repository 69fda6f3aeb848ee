package scanners

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
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

// screenBeside is Screen for what two cores are worth: they share what is to be asked,
// so that none waits for the other for long.
func (e *Engine) screenBeside(ctx context.Context, c Chunk) bool {
	e.start()
	within, stop := context.WithCancel(ctx)
	defer stop()
	asks, over := e.asks(within, c)
	var next atomic.Int32
	var found atomic.Bool
	run := func() {
		for i := next.Add(1); int(i) <= len(asks) && !found.Load(); i = next.Add(1) {
			if asks[i-1]() {
				found.Store(true)
				stop()
			}
		}
	}
	wait := e.joined(run)
	func() {
		defer wait() // also when a matcher panics
		run()
	}()
	return found.Load() || over() || ctx.Err() != nil
}

// joined runs f while its caller goes on, from when fewer than there are cores do so; not
// at all if that is not before wait is called. wait returns when f did, and panics if f
// did.
func (e *Engine) joined(f func()) (wait func()) {
	over, done := make(chan struct{}), make(chan any, 1)
	go func() {
		select {
		case e.spare <- struct{}{}:
		case <-over:
			done <- nil
			return
		}
		defer func() {
			<-e.spare
			done <- recover()
		}()
		f()
	}()
	return func() {
		close(over)
		if failure := <-done; failure != nil {
			panic(failure)
		}
	}
}

// asks are what Screen asks, one by one; over reports, when all were asked, whether
// parts of a viewer decoded more than one look may.
func (e *Engine) asks(ctx context.Context, c Chunk) (asks []func() bool, over func() bool) {
	for _, m := range e.Matchers {
		asks = append(asks, func() bool { return matchedBy(ctx, m, c) })
	}
	viewers := []Viewer{e.Viewer}
	if d, ok := e.Viewer.(Divisible); ok {
		viewers = d.Divided()
	}
	var looks []*looking
	for _, v := range viewers {
		l := e.newLooking(c, v, e.overlap())
		looks = append(looks, l)
		asks = append(asks, func() bool {
			l.look(ctx)
			return len(l.hits)+len(l.unread) > 0
		})
	}
	return asks, func() bool { return decodedOver(looks) }
}

// decodedOver reports whether looks together decoded more than one may.
func decodedOver(looks []*looking) bool {
	used := make([]int64, len(looks[0].left))
	for _, l := range looks {
		for depth, left := range l.left {
			if used[depth] += viewRoom(l.chunk) - left; used[depth] > viewRoom(l.chunk) {
				return true
			}
		}
	}
	return false
}

// matched reports whether a matcher finds something as it stands.
func (e *Engine) matched(ctx context.Context, c Chunk) bool {
	return slices.ContainsFunc(e.Matchers, func(m Matcher) bool { return matchedBy(ctx, m, c) })
}

// matchedBy reports whether a matcher finds more than a path's hit.
func matchedBy(ctx context.Context, m Matcher, c Chunk) bool {
	return slices.ContainsFunc(appendHits(ctx, m, nil, c), ofContent)
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
