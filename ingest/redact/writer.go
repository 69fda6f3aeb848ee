package redact

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is returned by Write behind Close.
var ErrClosed = errors.New("the stream is closed")

// waiting is how much waits to be taken: whoever writes more waits, too.
const waiting = 1 << 20

// Writer is a Stream that looks at what is written while more is written, and
// that knows the time. Write waits only when looking or the writer behind it is
// slower than what comes. Safe for concurrent use.
type Writer struct {
	stream *Stream
	now    func() time.Time

	writing sync.Mutex // what is written stays in one piece

	mu      sync.Mutex
	room    *sync.Cond
	pending []byte
	closed  bool
	err     error

	some chan struct{} // something is pending, or all was written
	done chan struct{}
}

// NewWriter starts a writer; Close ends it. The end of ctx ends nothing: what was
// held would be lost. now is the clock.
func NewWriter(ctx context.Context, s *Stream, now func() time.Time) *Writer {
	w := &Writer{stream: s, now: now, some: make(chan struct{}, 1), done: make(chan struct{})}
	w.room = sync.NewCond(&w.mu)
	go func() {
		defer close(w.done)
		w.run(context.WithoutCancel(ctx))
	}()
	return w
}

// Write takes p. An error is of what was written before.
func (w *Writer) Write(p []byte) (int, error) {
	w.writing.Lock()
	defer w.writing.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 0; n < len(p); {
		for len(w.pending) >= waiting && w.err == nil && !w.closed {
			w.room.Wait()
		}
		switch {
		case w.err != nil:
			return n, w.err
		case w.closed:
			return n, ErrClosed
		}
		k := min(len(p)-n, waiting-len(w.pending))
		w.pending = append(w.pending, p[n:n+k]...)
		n += k
		w.wake()
	}
	return len(p), nil
}

// Close lets out what is held and waits until it is.
func (w *Writer) Close() error {
	w.mu.Lock()
	w.closed = true
	w.room.Broadcast()
	w.mu.Unlock()
	w.wake()
	<-w.done
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *Writer) wake() {
	select {
	case w.some <- struct{}{}:
	default: // it knows
	}
}

// run drives the stream until all was written or it fails.
func (w *Writer) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var taken []byte
	for {
		if due := w.stream.Due(); due.IsZero() {
			timer.Stop()
		} else {
			timer.Reset(max(due.Sub(w.now()), 0))
		}
		select {
		case <-w.some:
		case <-timer.C:
		}
		var last bool
		taken, last = w.take(taken[:0])
		err := w.step(ctx, taken, last)
		clear(taken)
		if err != nil || last {
			w.fail(err)
			return
		}
	}
}

// take swaps buffers with Write. last: nothing comes behind it.
func (w *Writer) take(empty []byte) (taken []byte, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken, w.pending = w.pending, empty
	w.room.Broadcast()
	return taken, w.closed
}

// errPanicked stands for what the engine panicked with: that may hold content.
var errPanicked = errors.New("looking at the stream failed: please report this")

func (w *Writer) step(ctx context.Context, p []byte, last bool) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked
		}
	}()
	now := w.now()
	if err := w.stream.Take(ctx, now, p); err != nil {
		return err
	}
	if last {
		return w.stream.End(ctx)
	}
	if due := w.stream.Due(); !due.IsZero() && !now.Before(due) {
		return w.stream.Tick(ctx, now)
	}
	return nil
}

// fail ends the writer: from now on Write does not wait.
func (w *Writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed, w.err = true, err
	w.pending = nil
	w.room.Broadcast()
}
