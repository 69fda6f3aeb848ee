package rest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/web"
)

// errSlow: an answer took too long.
var errSlow = errors.New("too slow")

// How far redirects are followed.
type follow int

const (
	stay   follow = iota // not at all
	atHome               // on Base's host: what was renamed
	abroad               // to storages too
)

// question is one thing to ask for.
type question struct {
	url    *url.URL
	header map[string]string // for Base's host only
	ranged string            // for every host
	follow follow
}

// reply is the answer to one request, its body not yet read.
type reply struct {
	resp  *http.Response
	asked *url.URL
	home  bool
	body  *body
	late  time.Duration // how long a limit says to wait
}

// close ends it; a short body is read first, so that its connection serves the
// next request.
func (r *reply) close() {
	if n := r.resp.ContentLength; n > 0 && n <= 4<<10 {
		_, _ = io.CopyN(io.Discard, r.body, n)
	}
	_ = r.body.Close()
}

// send asks until take is content with an answer, or until it is no use. take
// owns the reply when it returns no fault.
func (c *Client) send(ctx context.Context, q question, take func(*reply) *fault) error {
	var spent time.Duration
	failed := 0
	for try := 0; ; try++ {
		if f := c.hold(ctx, q, &spent); f != nil {
			return f.err
		}
		if try > 0 {
			c.count(func(n *Counts) { n.Retries++ })
		}
		r, f := c.chase(ctx, q)
		var late time.Duration
		if f == nil {
			if f = take(r); f == nil {
				return nil
			}
			late = r.late
			r.close()
		}
		if f.again == soon {
			failed++
		}
		if f.again == never || failed > maxRetries {
			return f.err
		}
		if err := c.pause(ctx, f, max(late, backoff(try)), &spent); err != nil {
			return err
		}
	}
}

// backoff doubles, by half more or less, so that many clients that failed
// together do not come back together.
func backoff(try int) time.Duration {
	d := min(firstBackoff<<min(try, 10), lastBackoff)
	return d/2 + rand.N(d)
}

// pause waits before the next attempt, or gives up: the fault is the reason.
func (c *Client) pause(ctx context.Context, f *fault, d time.Duration, spent *time.Duration) error {
	if *spent+d > c.o.Patience {
		return f.err
	}
	why := c.base.Host + " failed"
	if f.again == limit {
		why = c.base.Host + " limits requests"
	}
	return c.nap(ctx, why, d, spent)
}

func (c *Client) nap(ctx context.Context, why string, d time.Duration, spent *time.Duration) error {
	if c.o.Wait != nil {
		c.o.Wait(why, d)
	}
	*spent += d
	c.count(func(n *Counts) { n.Waited += d })
	if err := c.o.Sleep(ctx, d); err != nil {
		return err
	}
	return ctx.Err()
}

// hold waits for the end of a limit that another request met: asking before
// then costs more of it, and some servers shut out who does.
func (c *Client) hold(ctx context.Context, q question, spent *time.Duration) *fault {
	if err := ctx.Err(); err != nil {
		return &fault{err: err}
	}
	c.mu.Lock()
	d := c.until.Sub(c.o.Now())
	c.mu.Unlock()
	if d <= 0 {
		return nil
	}
	when, reason, kind := judge(http.StatusTooManyRequests, false)
	f := c.fault(q, when, kind, reason)
	if *spent+d > c.o.Patience {
		return f
	}
	if err := c.nap(ctx, c.base.Host+" limits requests", d, spent); err != nil {
		return &fault{err: err}
	}
	return nil
}

// chase asks, and follows redirects as far as the question allows.
func (c *Client) chase(ctx context.Context, q question) (*reply, *fault) {
	at, home := q.url, true
	for hops := 0; ; hops++ {
		r, f := c.once(ctx, q, at, home)
		if f != nil || q.follow == stay || !redirects(r.resp.StatusCode) {
			return r, f
		}
		to, f := c.hop(q, r)
		r.close()
		switch {
		case f != nil:
			return nil, f
		case hops == maxRedirects:
			return nil, c.fault(q, never, cilog.ErrUnreachable, "it redirects again and again")
		}
		home = home && web.SameOrigin(to, c.base)
		at = to
	}
}

func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// hop judges where a redirect leads.
func (c *Client) hop(q question, r *reply) (*url.URL, *fault) {
	no := func(reason string) (*url.URL, *fault) {
		return nil, c.fault(q, never, cilog.ErrUnreachable, reason)
	}
	location := r.resp.Header.Get("Location")
	to, err := parse(location)
	if location == "" || err != nil {
		return no("it redirects without saying where")
	}
	to = r.asked.ResolveReference(to)
	away := !web.SameOrigin(to, c.base)
	switch {
	case to.Scheme != "https" && to.Scheme != "http" || to.Hostname() == "":
		return no("it redirects to what is not of the web")
	case r.asked.Scheme == "https" && to.Scheme != "https":
		return no("it redirects from https to http, which is not followed")
	case away && q.follow == atHome:
		return no("it redirects to another host: give the address under which it answers")
	case away && !c.guard.Allows(to.Hostname()):
		_, reason := trouble(web.ErrGuarded)
		return no(reason)
	}
	return to, nil
}

// once sends one request.
func (c *Client) once(ctx context.Context, q question, at *url.URL, home bool) (*reply, *fault) {
	inner, cancel := context.WithCancelCause(ctx)
	if !home {
		inner = web.Foreign(inner, at)
	}
	req, err := http.NewRequestWithContext(inner, http.MethodGet, at.String(), http.NoBody)
	if err != nil {
		cancel(nil)
		return nil, c.fault(q, never, cilog.ErrUnreachable, "a reference is no URL")
	}
	c.dress(req, q, home)
	c.count(func(n *Counts) {
		if home {
			n.Requests++
		} else {
			n.Away++
		}
	})
	alarm := time.AfterFunc(c.o.Idle, func() { cancel(errSlow) })
	resp, err := c.asker.Do(req) //nolint:bodyclose // body.Close does, which every reply ends with
	alarm.Stop()
	if err != nil {
		if errors.Is(context.Cause(inner), errSlow) {
			err = errSlow
		}
		cancel(nil)
		return nil, c.unsent(ctx, q, err, home)
	}
	r := &reply{resp: resp, asked: at, home: home}
	r.body = &body{c: c, q: q, ctx: ctx, inner: inner, cancel: cancel, r: resp.Body, want: resp.ContentLength, left: c.o.Idle, away: !home}
	c.heed(r)
	return r, nil
}

// dress puts headers on a request: a host to which the server redirected gets
// nothing but the agent's name and the range.
func (c *Client) dress(req *http.Request, q question, home bool) {
	req.Header.Set("User-Agent", c.o.Agent)
	if home {
		for name, values := range c.o.Header {
			req.Header[http.CanonicalHeaderKey(name)] = values
		}
		for name, value := range q.header {
			req.Header.Set(name, value)
		}
		if c.o.Authorize != nil {
			c.o.Authorize(req)
		}
	}
	if q.ranged != "" {
		req.Header.Set("Range", q.ranged)
	}
}

// heed notes what a reply says of limits. What Base's host says of them holds
// for all requests; a Retry-After only where the answer is a refusal.
func (c *Client) heed(r *reply) {
	now, status := c.o.Now(), r.resp.StatusCode
	late, told := web.RetryAfter(r.resp.Header, now)
	r.late = late
	if !r.home {
		return
	}
	told = told && (status == http.StatusTooManyRequests || status == http.StatusForbidden)
	if c.o.Limit != nil {
		if left, reset, ok := c.o.Limit(r.resp.Header); ok && left <= 0 {
			// A second more: the reset is told in whole ones.
			r.late, told = max(late, web.Between(web.Clock(r.resp.Header, now), reset)+time.Second), true
		}
	}
	if !told {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := now.Add(r.late); at.After(c.until) {
		c.until = at
	}
}

// limited reports whether a 403 is of a limit.
func (c *Client) limited(r *reply) bool {
	if !r.home {
		return false
	}
	if _, told := web.RetryAfter(r.resp.Header, c.o.Now()); told {
		return true
	}
	if c.o.Limit != nil {
		if left, _, ok := c.o.Limit(r.resp.Header); ok && left <= 0 {
			return true
		}
	}
	if c.o.Limited == nil {
		return false
	}
	head, err := io.ReadAll(io.LimitReader(r.body, 4<<10))
	if err != nil || !c.o.Limited(head) {
		return false
	}
	r.late = max(r.late, time.Minute) // what servers ask for that do not say
	return true
}
