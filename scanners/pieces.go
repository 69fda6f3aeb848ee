package scanners

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"revenant/fingerprints"
)

// piece is a chunk on its way.
type piece struct {
	chunk        Chunk
	from, to     int64 // what it owns
	line, column int
	block        *block
	readErr      error // the content could not be read further
	unread       []fingerprints.Skip
	hits         []Hit
	turn         bool // one of Engine.turns is held for it
	failure      any  // what a matcher panicked with
	done         chan struct{}
}

// cut makes p the coming chunk of the buffer.
func (s *scan) cut(p *piece, more bool, readErr error) {
	data := s.buf
	if more {
		data = data[:s.want()]
	}
	s.block.users++
	p.chunk = Chunk{Data: data[:len(data):len(data)], Base: s.base, Path: s.path, Final: !more, AnyPath: s.anyPath}
	p.from, p.to = s.from, s.from+int64(s.step)
	p.line, p.column, p.block = s.line, s.column, s.block
	p.readErr, p.done = readErr, make(chan struct{})
}

// look runs matchers and viewer over a piece, unless it is known that it is clean.
func (p *piece) look(ctx context.Context, s *scan) {
	key, known := s.e.Clean.knows(p.chunk)
	if known && (s.anyPath || !s.e.mayBeNamed(s.path)) {
		return
	}
	var hits, views []Hit
	var unread []fingerprints.Skip
	wait := s.e.beside(len(p.chunk.Data), func() { views, unread = s.e.viewed(ctx, p.chunk, s.overlap) })
	func() {
		defer wait() // also when a matcher panics
		for _, m := range s.e.Matchers {
			hits = appendHits(ctx, m, hits, p.chunk)
		}
	}()
	if s.anyPath && len(views)+len(unread) == 0 && !slices.ContainsFunc(hits, ofContent) && ctx.Err() == nil {
		s.e.Clean.keep(key)
	}
	if s.e.looksThrough() {
		hits = together(unworn(hits, views))
	}
	p.hits = own(hits, p.from, p.to, p.chunk.Final)
	p.unread = append(s.skips(p.hits, p.chunk), unread...)
}

// ofContent reports whether a hit is more than a path's.
func ofContent(h Hit) bool { return !h.PathOnly }

// besides is from how many bytes on a chunk is worth two cores.
const besides = 1 << 20

// beside runs f while its caller goes on, if n bytes are worth it and fewer
// than there are cores do so, else when wait is called. wait returns when f did,
// and panics if f did.
func (e *Engine) beside(n int, f func()) (wait func()) {
	if n < besides || !e.looksThrough() {
		return f
	}
	select {
	case e.spare <- struct{}{}:
	default:
		return f
	}
	done := make(chan any, 1)
	go func() {
		defer func() {
			<-e.spare
			done <- recover()
		}()
		f()
	}()
	return func() {
		if failure := <-done; failure != nil {
			panic(failure)
		}
	}
}

// give hands a piece over that was looked at.
func (p *piece) give(ctx context.Context, emit func(Window) error) error {
	if p.failure != nil {
		panic(p.failure) // where the caller can tell of it
	}
	w := Window{Chunk: p.chunk, Hits: p.hits, Line: p.line, Column: p.column, Skips: p.unread}
	if err := emit(w); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // a matcher may have stopped short
		return err
	}
	if p.readErr != nil {
		return fmt.Errorf("reading content: %w", p.readErr)
	}
	return nil
}

// pieces cuts a content that is longer than a chunk, whose beginning was read.
// Pieces are looked at side by side while more is read, and handed over in
// their order.
func (s *scan) pieces(ctx context.Context, emit func(Window) error) error {
	s.step = min(s.step, DefaultPieceSize)
	work, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	var queue []*piece
	defer func() { // nobody reads the blocks when they are given back
		stop()
		wg.Wait()
		for _, p := range queue {
			s.finish(p)
		}
	}()
	more := true
	for more || len(queue) > 0 {
		for more && s.turn(queue) {
			p := &piece{turn: len(queue) > 0}
			queue = append(queue, p)
			var readErr error
			more, readErr = s.fill(ctx)
			if err := ctx.Err(); err != nil {
				return err
			}
			s.cut(p, more, readErr)
			wg.Go(func() { p.run(work, s) })
			if more {
				s.advance()
			}
		}
		p := queue[0]
		<-p.done
		if err := p.give(ctx, emit); err != nil {
			return err
		}
		queue = queue[1:]
		s.finish(p)
	}
	return nil
}

// turn reports whether another piece may be under way: always one of a Scan,
// beyond that as many as there are turns.
func (s *scan) turn(queue []*piece) bool {
	if len(queue) == 0 {
		return true
	}
	select {
	case s.e.turns <- struct{}{}:
		return true
	default:
		return false
	}
}

// run looks at a piece when its time has come, and keeps what a matcher panics
// with.
func (p *piece) run(ctx context.Context, s *scan) {
	defer close(p.done)
	s.e.desks <- struct{}{}
	defer func() { <-s.e.desks }()
	defer func() { p.failure = recover() }()
	p.look(ctx, s)
}

// finish gives back what a piece holds.
func (s *scan) finish(p *piece) {
	if p.turn {
		<-s.e.turns
	}
	if p.block != nil { // it was cut
		p.block.users--
		s.leave(p.block)
	}
}
