package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/web"
)

// JSON asks for a value of at most 16 MiB and reads it into what into points
// to. With the etag of an earlier answer the server may say that it still
// holds: then NotModified is set and into is as it was. Redirects are followed
// on Base's host only.
func (c *Client) JSON(ctx context.Context, ref, etag string, into any) (Answer, error) {
	u, err := c.target(ref)
	if err != nil {
		return Answer{}, err
	}
	q := question{url: u, follow: atHome}
	if etag != "" {
		q.header = map[string]string{"If-None-Match": etag}
	}
	var a Answer
	err = c.send(ctx, q, func(r *reply) *fault {
		switch {
		case r.resp.StatusCode == http.StatusNotModified && etag != "":
			c.count(func(n *Counts) { n.NotModified++ })
		case r.resp.StatusCode != http.StatusOK:
			return c.refused(q, r)
		default:
			if f := c.decode(q, r, into); f != nil {
				return f
			}
		}
		a = c.answer(r)
		if a.ETag == "" && a.NotModified {
			a.ETag = etag
		}
		r.close()
		return nil
	})
	return a, err
}

// decode reads the whole body before it looks at it, so that into is only
// touched by what came whole.
func (c *Client) decode(q question, r *reply, into any) *fault {
	text, err := io.ReadAll(io.LimitReader(r.body, maxJSON+1))
	var e *Error
	switch {
	case errors.As(err, &e):
		return &fault{err: err, again: soon}
	case err != nil:
		return &fault{err: err}
	case len(text) > maxJSON:
		return c.fault(q, never, cilog.ErrUnreachable, "an answer longer than 16 MiB")
	}
	if err := json.Unmarshal(text, into); err != nil {
		return c.fault(q, never, cilog.ErrUnreachable, "its answer is not the JSON of its API: a page for people, or of a proxy, has this address")
	}
	return nil
}

// Open asks for a body from an offset on and returns it unread; redirects are
// followed, to other hosts without credentials. The caller bounds how much it
// reads, and closes. Where the server has nothing behind the offset the body is
// empty and the status 416. A body that breaks off ends in io.ErrUnexpectedEOF.
func (c *Client) Open(ctx context.Context, ref string, from int64) (io.ReadCloser, Answer, error) {
	u, err := c.target(ref)
	if err != nil {
		return nil, Answer{}, err
	}
	q := question{url: u, follow: abroad}
	if from > 0 {
		q.ranged = fmt.Sprintf("bytes=%d-", from)
	}
	var (
		a    Answer
		open io.ReadCloser
	)
	err = c.send(ctx, q, func(r *reply) *fault {
		a, open = c.answer(r), r.body
		switch {
		case r.resp.StatusCode == http.StatusOK:
		case r.resp.StatusCode == http.StatusPartialContent && from > 0 && web.Begins(r.resp.Header) == from:
			a.From = from
		case r.resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && from > 0:
			a.From, a.Size, open = from, 0, http.NoBody
			r.close()
		default:
			return c.refused(q, r)
		}
		return nil
	})
	if err != nil {
		return nil, Answer{}, err
	}
	return open, a, nil
}

// Stat asks without following redirects or reading a body. Success and
// redirects are an Answer, all else is an error as of JSON.
func (c *Client) Stat(ctx context.Context, ref string) (Answer, error) {
	u, err := c.target(ref)
	if err != nil {
		return Answer{}, err
	}
	q := question{url: u, follow: stay}
	var a Answer
	err = c.send(ctx, q, func(r *reply) *fault {
		if r.resp.StatusCode >= http.StatusBadRequest {
			return c.refused(q, r)
		}
		a = c.answer(r)
		r.close()
		return nil
	})
	return a, err
}

// body reads the body of an answer: it counts, holds the server to a pace, and
// says in own words why it ended early.
type body struct {
	c      *Client
	q      question
	ctx    context.Context // the caller's
	inner  context.Context // the request's, which cancel ends
	cancel context.CancelCauseFunc
	r      io.ReadCloser
	want   int64 // -1: not known
	away   bool

	n    int64         // bytes read
	step int64         // of them since left was filled up
	left time.Duration // for the rest of the step
	err  error
}

// Read counts only the time in which the server is waited for: who reads may
// take all the time it needs.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	began := b.c.o.Now()
	alarm := time.AfterFunc(b.left, func() { b.cancel(errSlow) })
	n, err := b.r.Read(p)
	alarm.Stop()
	b.left -= b.c.o.Now().Sub(began)
	b.n += int64(n)
	b.step += int64(n)
	b.c.count(func(c *Counts) { c.Bytes += int64(n) })
	if b.step >= pace {
		b.step, b.left = 0, b.c.o.Idle
	}
	b.err = b.ended(err)
	return n, b.err
}

func (b *body) ended(err error) error {
	switch {
	case err == nil && b.left > 0:
		return nil
	case err == nil:
		err = errSlow
	case errors.Is(err, io.EOF) && b.want >= 0 && b.n < b.want:
		err = io.ErrUnexpectedEOF
	case errors.Is(err, io.EOF):
		return io.EOF
	case b.ctx.Err() != nil:
		return b.ctx.Err()
	case errors.Is(context.Cause(b.inner), errSlow):
		err = errSlow
	}
	reason := "its answer broke off"
	if errors.Is(err, errSlow) {
		reason = "its answer came too slowly, and was given up"
	}
	f := b.c.fault(b.q, soon, cilog.ErrUnreachable, reason)
	var e *Error
	if errors.As(f.err, &e) {
		e.broken, e.Away = true, b.away
	}
	return f.err
}

// Close ends the request.
func (b *body) Close() error {
	if b.err == nil {
		b.err = errors.New("read after close")
	}
	b.cancel(nil)
	return b.r.Close()
}
