package github

import (
	"context"
	"errors"
	"io"
	"sync"

	"revenant/scanners/cilog"
)

// How many archives that nobody reads are kept for who may, and how long they
// may be together.
const (
	maxShelf      = 16
	maxShelfBytes = 1 << 30
)

// shelf keeps the archives that were downloaded last. Each is downloaded once,
// however many of its logs are read at the same time.
type shelf struct {
	load func(context.Context, cilog.Run) (*archive, error)

	mu    sync.Mutex
	tick  int
	held  map[runKey]*onShelf
	ended bool
}

type runKey struct {
	id      string
	attempt int
}

// onShelf is an archive and who uses it.
type onShelf struct {
	ready chan struct{} // closed when a and err are known
	a     *archive
	err   error
	users int
	used  int // by the shelf's tick
	off   bool
}

// take gives a run's archive; it is to be given back.
func (s *shelf) take(ctx context.Context, r cilog.Run) (*onShelf, error) {
	key := runKey{r.ID, r.Attempt}
	for {
		on, mine := s.hold(key)
		if mine {
			on.a, on.err = s.load(ctx, r)
			close(on.ready)
		} else {
			select {
			case <-on.ready:
			case <-ctx.Done(): // whoever fills it holds it until it is known
				s.give(on)
				return nil, ctx.Err()
			}
		}
		if on.err == nil {
			return on, nil
		}
		s.drop(key, on)
		s.give(on)
		// Who began the download may have been cancelled; this caller was not.
		if mine || ctx.Err() != nil || !errors.Is(on.err, context.Canceled) && !errors.Is(on.err, context.DeadlineExceeded) {
			return nil, on.err
		}
	}
}

// hold finds or makes the place of a run's archive. mine: the caller fills it.
func (s *shelf) hold(key runKey) (on *onShelf, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on = s.held[key]
	if on == nil {
		on, mine = &onShelf{ready: make(chan struct{}), off: s.ended}, true
		if s.held == nil {
			s.held = map[runKey]*onShelf{}
		}
		if !s.ended {
			s.held[key] = on
		}
	}
	s.tick++
	on.users++
	on.used = s.tick
	return on, mine
}

func (s *shelf) drop(key runKey, on *onShelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key] == on {
		delete(s.held, key)
	}
	on.off = true
}

// give takes an archive back, and makes room.
func (s *shelf) give(on *onShelf) {
	s.mu.Lock()
	defer s.mu.Unlock()
	on.users--
	if on.users == 0 && on.off && on.a != nil {
		on.a.close()
	}
	for s.evict() {
	}
}

// evict lets go of the archive that was not used for longest, where there are
// too many.
func (s *shelf) evict() bool {
	var (
		oldest *onShelf
		at     runKey
		idle   int
		bytes  int64
	)
	for key, on := range s.held {
		if on.users > 0 {
			continue
		}
		idle++
		bytes += on.a.spool.Size()
		if oldest == nil || on.used < oldest.used {
			oldest, at = on, key
		}
	}
	if oldest == nil || !s.ended && idle <= maxShelf && (bytes <= maxShelfBytes || idle == 1) {
		return false
	}
	delete(s.held, at)
	oldest.a.close()
	return true
}

// close lets go of what nobody reads, and of the rest when it was read.
func (s *shelf) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for key, on := range s.held {
		if on.users > 0 {
			on.off = true
			delete(s.held, key)
		}
	}
	for s.evict() {
	}
}

// lent is a log of an archive, which is given back when it is closed.
type lent struct {
	io.ReadCloser
	s    *shelf
	on   *onShelf
	once sync.Once
}

// Close implements io.Closer.
func (l *lent) Close() error {
	err := l.ReadCloser.Close()
	l.once.Do(func() { l.s.give(l.on) })
	return err
}
