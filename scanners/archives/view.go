package archives

import (
	"context"
	"errors"
	"io"
	"iter"
)

// A view is a content that stands nowhere as it is: rows of a database, the text
// of a document. It is searched and not opened, so it has no depth.

// source gives out the bytes of a view, in pieces that are good until the next
// one is asked for.
type source func(yield func([]byte) bool) error

// pull reads a source. It must be closed.
type pull struct {
	next func() ([]byte, bool)
	stop func()
	rest []byte
	err  error
}

func newPull(s source) *pull {
	p := &pull{}
	p.next, p.stop = iter.Pull(func(yield func([]byte) bool) { p.err = s(yield) })
	return p
}

// some reports whether there is anything to read.
func (p *pull) some() bool {
	for len(p.rest) == 0 {
		more := false
		if p.rest, more = p.next(); !more {
			p.rest = nil
			return false
		}
	}
	return true
}

func (p *pull) Read(b []byte) (int, error) {
	if !p.some() {
		if p.err != nil {
			return 0, p.err
		}
		return 0, io.EOF
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// view visits a view of the container. One without a byte is left out, and
// listed where that is not all there was. What a view shows and a content from
// the number first on did too is the same copy; 0: nothing is.
func (e *container) view(ctx context.Context, f file, first int, s source) (goOn bool, err error) {
	p := newPull(s)
	defer p.stop()
	if !p.some() {
		if p.err != nil && !errors.Is(p.err, errStopped) {
			e.w.skip(e.content.Path+"!"+e.shortName(f.name), detail(p.err))
		}
		return e.w.stop == nil, ctx.Err()
	}
	f.r, f.view, f.first = p, true, first
	return e.member(ctx, f)
}

// errStopped is the end of a source whose reader went away.
var errStopped = errors.New("stopped")

// outbox gathers small pieces into larger ones for a source's reader.
type outbox struct {
	yield func([]byte) bool
	buf   []byte
	gone  bool // the reader went away
}

// outboxSize is from how many bytes on an outbox is emptied.
const outboxSize = 32 << 10

func newOutbox(yield func([]byte) bool) *outbox {
	return &outbox{yield: yield, buf: make([]byte, 0, outboxSize+4<<10)}
}

func (o *outbox) Write(p []byte) (int, error) {
	if o.gone {
		return 0, errStopped
	}
	o.buf = append(o.buf, p...)
	if len(o.buf) >= outboxSize {
		return len(p), o.flush()
	}
	return len(p), nil
}

func (o *outbox) text(s string) { _, _ = o.Write([]byte(s)) }

func (o *outbox) flush() error {
	if !o.gone && len(o.buf) > 0 {
		o.gone = !o.yield(o.buf)
		o.buf = o.buf[:0]
	}
	if o.gone {
		return errStopped
	}
	return nil
}
