package distribution

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"revenant/scanners/web"
)

// Bounds of asking again.
const (
	maxRetries   = 3 // of failures in passing; limits are bounded by patience
	firstBackoff = 500 * time.Millisecond
	lastBackoff  = time.Minute
	pace         = 64 << 10 // bytes that Idle must bring
)

// steady sends requests as often as it takes to get an answer: those of logins,
// too.
type steady struct{ c *Client }

// RoundTrip implements http.RoundTripper. Its errors are ours, or the context's.
func (s steady) RoundTrip(req *http.Request) (*http.Response, error) {
	c, ctx := s.c, req.Context()
	away := !c.isHome(req.URL)
	if err := c.mayAsk(req, away); err != nil {
		return nil, err
	}
	var spent time.Duration
	for try := 0; ; try++ {
		if err := c.hold(ctx, away, &spent); err != nil {
			return nil, err
		}
		resp, err := c.once(req, away)
		again, bounded, late := c.heed(resp, err, away)
		late = max(late, backoff(try))
		if !again || ctx.Err() != nil || bounded && try >= maxRetries || spent+late > c.o.Patience || !rewind(req) {
			return resp, err
		}
		if resp != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, pace)
			_ = resp.Body.Close()
		}
		if err := c.nap(ctx, bounded, late, &spent); err != nil {
			return nil, err
		}
	}
}

// rewind makes a request's body ready for another time.
func rewind(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	body, err := req.GetBody()
	req.Body = body
	return err == nil
}

// mayAsk judges where a request leads.
func (c *Client) mayAsk(req *http.Request, away bool) error {
	switch {
	case req.URL.Scheme != "https" && req.URL.Scheme != "http":
		return c.fault(ErrUnreachable, "it redirects to what is not of the web")
	case req.URL.Scheme == "http" && !c.plain && !away:
		return c.fault(ErrUnreachable, "it is asked by https only: --insecure lets http be used")
	case req.URL.Scheme == "http" && !c.plain:
		return c.fault(ErrUnreachable, "it redirects from https to http, which is not followed")
	case away && !c.guard.Allows(req.URL.Hostname()):
		_, reason := trouble(web.ErrGuarded)
		return c.fault(ErrUnreachable, reason)
	}
	return nil
}

// once sends one request.
func (c *Client) once(req *http.Request, away bool) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	t := c.home
	if away {
		ctx, t = web.Foreign(ctx, req.URL), c.away
	}
	alarm := time.AfterFunc(c.o.Idle, func() { cancel(errSlow) })
	resp, err := t.RoundTrip(req.WithContext(ctx))
	alarm.Stop()
	if err != nil {
		slow := errors.Is(context.Cause(ctx), errSlow)
		cancel(nil)
		if req.Context().Err() != nil {
			return nil, req.Context().Err()
		}
		if slow {
			err = errSlow
		}
		again, reason := trouble(err)
		e := c.fault(ErrUnreachable, reason)
		e.Away = away
		return nil, &unsent{e, again}
	}
	resp.Body = &paced{c: c, ctx: ctx, cancel: cancel, r: resp.Body, left: c.o.Idle}
	return resp, nil
}

// unsent is the error of a request that got no answer.
type unsent struct {
	err   *Error
	again bool
}

func (u *unsent) Error() string { return u.err.Error() }

// Unwrap makes it what it holds.
func (u *unsent) Unwrap() error { return u.err }

// heed judges what came: whether to ask again, a bounded number of times or as
// long as patience lasts, and how long the server says to wait.
func (c *Client) heed(resp *http.Response, err error, away bool) (again, bounded bool, late time.Duration) {
	if err != nil {
		var u *unsent
		return errors.As(err, &u) && u.again, true, 0
	}
	late, told := web.RetryAfter(resp.Header, c.o.Now())
	switch resp.StatusCode {
	case http.StatusTooManyRequests:
		if told && !away {
			c.mu.Lock()
			if at := c.o.Now().Add(late); at.After(c.until) {
				c.until = at
			}
			c.mu.Unlock()
		}
		return true, false, late
	case http.StatusServiceUnavailable:
		return true, !told, late
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true, true, late
	}
	return false, true, 0
}

// hold waits for the end of a limit that another request met.
func (c *Client) hold(ctx context.Context, away bool, spent *time.Duration) error {
	if err := ctx.Err(); err != nil || away {
		return err
	}
	c.mu.Lock()
	d := c.until.Sub(c.o.Now())
	c.mu.Unlock()
	if d <= 0 {
		return nil
	}
	if *spent+d > c.o.Patience {
		return c.refused(http.StatusTooManyRequests, nil, false)
	}
	return c.nap(ctx, false, d, spent)
}

func (c *Client) nap(ctx context.Context, failed bool, d time.Duration, spent *time.Duration) error {
	if c.o.Wait != nil {
		why := c.at.RegistryStr() + " limits requests"
		if failed {
			why = c.at.RegistryStr() + " failed"
		}
		c.o.Wait(why, d)
	}
	*spent += d
	if err := c.o.Sleep(ctx, d); err != nil {
		return err
	}
	return ctx.Err()
}

// breathe waits before what broke off is asked for again.
func (c *Client) breathe(ctx context.Context, try int) error {
	if c.o.Patience < 0 {
		return ctx.Err()
	}
	return c.o.Sleep(ctx, backoff(try))
}

// backoff doubles, by half more or less, so that many clients that failed
// together do not come back together.
func backoff(try int) time.Duration {
	d := min(firstBackoff<<min(try, 10), lastBackoff)
	return d/2 + rand.N(d)
}

// paced is a body that holds the server to a pace: only the time in which it is
// waited for counts.
type paced struct {
	c      *Client
	ctx    context.Context // the request's, which cancel ends
	cancel context.CancelCauseFunc
	r      io.ReadCloser
	step   int64         // bytes read since left was filled up
	left   time.Duration // for the rest of the step
}

// Read implements io.Reader.
func (b *paced) Read(p []byte) (int, error) {
	began := time.Now()
	alarm := time.AfterFunc(b.left, func() { b.cancel(errSlow) })
	n, err := b.r.Read(p)
	alarm.Stop()
	b.left -= time.Since(began)
	if b.step += int64(n); b.step >= pace {
		b.step, b.left = 0, b.c.o.Idle
	}
	switch {
	case err == nil && b.left <= 0, err != nil && errors.Is(context.Cause(b.ctx), errSlow):
		return n, errSlow
	}
	return n, err
}

// Close ends the request.
func (b *paced) Close() error {
	b.cancel(nil)
	return b.r.Close()
}
