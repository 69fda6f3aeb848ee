package rest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"revenant/scanners/cilog"
	"revenant/scanners/web"
)

// ErrNotFound is a 404: what it means, the caller knows.
var ErrNotFound = errors.New("not found")

// Error is why there is no answer of use. It wraps ErrNotFound or an error of
// package cilog, and io.ErrUnexpectedEOF where a body ended before its end.
type Error struct {
	// Status is the answer's, 0: there was none.
	Status int
	// Host is the server's, also where it redirected.
	Host string
	// Away: a host said so to which the server had redirected.
	Away bool
	// Kind is what was asked for, in Options.Kind's words; may be empty.
	Kind string

	kind   error  // the sentinel
	reason string // constant text: never of an answer
	broken bool   // in the middle of a body
}

// Error says who failed, how, and what may help.
func (e *Error) Error() string {
	who := e.Host
	if e.Away {
		who = "the storage that " + e.Host + " names"
	}
	if e.Kind != "" {
		who += ", " + e.Kind
	}
	if e.Status != 0 && !e.broken {
		return fmt.Sprintf("%s: %v: %s (HTTP %d)", who, e.kind, e.reason, e.Status)
	}
	return fmt.Sprintf("%s: %v: %s", who, e.kind, e.reason)
}

// Unwrap returns what callers branch on.
func (e *Error) Unwrap() []error {
	if e.broken {
		return []error{e.kind, io.ErrUnexpectedEOF}
	}
	return []error{e.kind}
}

// When a failure may be mended by asking again.
type again int

const (
	never again = iota
	soon        // a bounded number of times
	limit       // as long as patience lasts
)

// fault is an error and what to do about it.
type fault struct {
	err   error
	again again
}

func (c *Client) fault(q question, when again, kind error, reason string) *fault {
	e := &Error{Host: c.base.Host, kind: kind, reason: reason}
	if c.o.Kind != nil {
		e.Kind = c.o.Kind(q.url.EscapedPath())
	}
	return &fault{err: e, again: when}
}

// refused is the fault of an answer's status.
func (c *Client) refused(q question, r *reply) *fault {
	when, reason, kind := judge(r.resp.StatusCode, !r.home)
	if when != limit && r.resp.StatusCode == http.StatusForbidden && c.limited(r) {
		when, reason, kind = judge(http.StatusTooManyRequests, !r.home)
	}
	f := c.fault(q, when, kind, reason)
	var e *Error
	if errors.As(f.err, &e) {
		e.Status, e.Away = r.resp.StatusCode, !r.home
	}
	return f
}

// judge says what a status means that is no success.
func judge(status int, away bool) (when again, reason string, kind error) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		if away { // a link that was good for minutes: a fresh one may do
			return soon, "it does not accept the link that it was asked with", cilog.ErrUnreachable
		}
		if status == http.StatusUnauthorized {
			return never, "a token is needed, or the one given is expired or wrong", cilog.ErrDenied
		}
		return never, "the token has no right to read this", cilog.ErrDenied
	case http.StatusUnavailableForLegalReasons:
		return never, "it is blocked for legal reasons", cilog.ErrDenied
	case http.StatusNotFound:
		return never, "it is not there, or the token may not see it", ErrNotFound
	case http.StatusGone:
		return never, "it was there, and was removed", cilog.ErrExpired
	case http.StatusTooManyRequests:
		return limit, "try again later, or with a token that has a limit of its own", cilog.ErrLimited
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return soon, "it failed each time that it was asked", cilog.ErrUnreachable
	case http.StatusProxyAuthRequired:
		return never, "the proxy wants credentials: put them into HTTPS_PROXY", cilog.ErrUnreachable
	}
	if status >= 300 && status < 400 {
		return never, "it redirects where it should answer: give the address under which it answers", cilog.ErrUnreachable
	}
	return never, "an answer that its API does not have: is this the API's address?", cilog.ErrUnreachable
}

// unsent is the fault of a request that got no answer.
func (c *Client) unsent(ctx context.Context, q question, err error, home bool) *fault {
	if ctx.Err() != nil {
		return &fault{err: ctx.Err()}
	}
	when, reason := trouble(err)
	f := c.fault(q, when, cilog.ErrUnreachable, reason)
	var e *Error
	if errors.As(f.err, &e) {
		e.Away = !home
	}
	return f
}

// trouble says in own words why a request got no answer: an error of package
// net names the host, and that of a redirect is not for messages.
func trouble(err error) (again, string) {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		name        *net.DNSError
		op          *net.OpError
	)
	switch {
	case errors.Is(err, web.ErrGuarded):
		return never, "a redirect into this machine or its network's own services is not followed"
	case errors.Is(err, errSlow):
		return soon, "it took too long"
	case errors.As(err, &authority):
		return never, "its certificate is of an authority that this machine does not know: SSL_CERT_FILE names more of them"
	case errors.As(err, &certificate):
		return never, "its certificate does not hold: it is of another name, or out of date"
	case errors.Is(err, http.ErrSchemeMismatch):
		return never, "it does not speak TLS on this port: https:// and http:// may be mixed up"
	case errors.As(err, &name) && name.IsNotFound:
		return never, "its name is not known"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return soon, "the proxy does not answer"
	case errors.As(err, &op) && op.Op == "dial":
		return soon, "no connection"
	}
	return soon, "the connection was lost"
}
