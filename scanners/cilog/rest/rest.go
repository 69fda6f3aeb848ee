// Package rest is a read-only client of one server's HTTP API.
//
// It promises: only GET is sent; credentials go to the server that was named, by
// scheme, host and port, and nowhere else, whatever redirects say; a redirect
// does not lead from https to http, nor into this machine or its network's
// metadata services; a limit that the server announces is waited for by the
// server's own clock; what fails in passing is asked again, a bounded number of
// times; nothing waits for ever. Errors and notes hold no credential, query,
// body, or address of a redirect. It refuses: to change anything on a server,
// to keep cookies, and to know what the answers mean.
package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"revenant/scanners/web"
)

// Options say which server is asked, and how. Zero values have a default
// unless said otherwise.
type Options struct {
	// Base is an http or https URL: references are below its path. Required.
	Base string
	// Authorize adds credentials to a request to Base's scheme, host and port. It
	// is not called for others, nor when a chain of redirects comes back from one.
	Authorize func(*http.Request)
	// Header is sent to Base's host only: Accept, the API's version.
	Header http.Header
	// Agent is the User-Agent, which every host gets.
	Agent string
	// Transport sends requests; nil: Go's own, with the environment's proxies.
	Transport http.RoundTripper
	// Now and Sleep are the clock, which Sleep moves; it ends early with the
	// context's error.
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	// Patience is how long is waited in all for one answer, between attempts and
	// for limits to end: two minutes; below zero: nothing is waited for.
	Patience time.Duration
	// Idle is how long an answer may take to begin, and its body to bring the
	// next 64 KiB or its end: one minute.
	Idle time.Duration
	// Wait is told before a wait, why and for how long: for progress.
	Wait func(why string, d time.Duration)
	// Limit reads the server's own headers of limits: how many requests are left,
	// and when there will be more, by the server's clock. nil: it has none.
	Limit func(http.Header) (left int, reset time.Time, ok bool)
	// Limited says of the first 4 KiB of a 403's body whether a limit, and not a
	// missing right, was the reason. nil: headers alone tell.
	Limited func(body []byte) bool
	// Kind names what a path asks for, as in "the list of runs", for errors; it
	// must not give a part of the path. nil: errors name the host only.
	Kind func(path string) string
}

// Defaults of Options, and bounds that are none.
const (
	defaultPatience = 2 * time.Minute
	defaultIdle     = time.Minute
	maxJSON         = 16 << 20
	maxRedirects    = 5
	maxRetries      = 4 // of failures in passing; limits are bounded by patience
	firstBackoff    = time.Second
	lastBackoff     = time.Minute
	pace            = 64 << 10 // bytes that Idle must bring
)

// Client asks one server. Its methods may be called at once from several
// goroutines.
type Client struct {
	o     Options
	base  *url.URL // without user-info, query and fragment; its path ends in a slash
	guard *web.Guard
	asker *http.Client

	mu     sync.Mutex
	counts Counts
	until  time.Time // the server's limit: before then nothing need be asked
}

// Counts say what was asked of the server.
type Counts struct {
	// Requests were sent to Base's host; Away to hosts to which it redirected.
	Requests, Away int64
	// NotModified of the requests were answered with 304.
	NotModified int64
	// Retries of the requests repeated one that failed.
	Retries int64
	// Bytes of bodies were read, after decompression.
	Bytes int64
	// Waited is how long it slept.
	Waited time.Duration
}

// New returns a client; it sends nothing yet.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.Base)
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, base: base, guard: web.NewGuard(base)}
	if c.o.Now == nil {
		c.o.Now = time.Now
	}
	if c.o.Sleep == nil {
		c.o.Sleep = sleep
	}
	if c.o.Patience == 0 {
		c.o.Patience = defaultPatience
	}
	if c.o.Idle <= 0 {
		c.o.Idle = defaultIdle
	}
	if c.o.Transport == nil {
		c.o.Transport = c.guard.Transport()
	}
	c.asker = &http.Client{Transport: c.o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // followed by hand: each hop is judged
	}}
	return c, nil
}

// parseBase says what is wrong without repeating it: it may hold a password.
func parseBase(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, errors.New("the server's address is not a URL like https://HOST/PATH")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("the server's address must begin with https:// or http://")
	case u.User != nil:
		return nil, errors.New("the server's address holds user-info: give credentials apart from it")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("the server's address ends in a query or a fragment: leave it out")
	}
	return parse(origin(u) + strings.TrimRight(u.EscapedPath(), "/") + "/")
}

// Base is the URL below which references are, ending in a slash.
func (c *Client) Base() string { return c.base.String() }

// Counts returns what was asked until now.
func (c *Client) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts
}

func (c *Client) count(add func(*Counts)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add(&c.counts)
}

// Close lets go of connections that wait for further requests.
func (c *Client) Close() { c.asker.CloseIdleConnections() }

// Answer is what came with a body, or without one.
type Answer struct {
	Status int
	Header http.Header
	// ETag is what JSON takes to ask whether this changed.
	ETag string
	// NotModified: the ETag still holds, and there is no body.
	NotModified bool
	// Next is the reference of the next page, of the Link header; empty: there is
	// none. It leads to Base's host, whatever host the server calls itself.
	Next string
	// Date is the server's clock; zero: it does not say.
	Date time.Time
	// From is the offset at which the body begins: what was asked for, or 0 where
	// the server gives all. Size is the body's, -1: not known.
	From, Size int64
}

// target is the URL of a reference.
func (c *Client) target(ref string) (*url.URL, error) {
	if !strings.HasPrefix(ref, "https://") && !strings.HasPrefix(ref, "http://") {
		ref = c.base.String() + strings.TrimLeft(ref, "/")
	}
	u, err := parse(ref)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: a reference is no URL", c.base.Host)
	case !web.SameOrigin(u, c.base):
		return nil, fmt.Errorf("%s: a reference leads to another host, which is not asked", c.base.Host)
	case dotted(u.EscapedPath()):
		return nil, fmt.Errorf("%s: a reference has a path with dots in place of a name", c.base.Host)
	}
	return u, nil
}

// parse reads a URL and takes off what must not be sent: user-info, which would
// become a header, and the fragment.
func parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("not a URL") // the error would repeat the text
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u, nil
}

// dotted reports whether a segment of an escaped path is one that servers
// resolve: a name that somebody chose must not lead elsewhere on the host.
func dotted(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		plain := strings.NewReplacer("%2e", ".", "%2E", ".").Replace(segment)
		if plain == "." || plain == ".." {
			return true
		}
	}
	return false
}

// origin is the beginning of a URL up to its path.
func origin(u *url.URL) string {
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
