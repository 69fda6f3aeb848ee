package distribution

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"revenant/scanners/web"
)

// What callers branch on.
var (
	// ErrNotFound: it is not there, or may not be seen.
	ErrNotFound = errors.New("not found")
	// ErrDenied: no login, or one without the right.
	ErrDenied = errors.New("denied")
	// ErrLimited: more was asked than the registry answers.
	ErrLimited = errors.New("limited")
	// ErrUnreachable: there was no answer of use.
	ErrUnreachable = errors.New("unreachable")
	// ErrTooLong: a document is longer than any of its kind.
	ErrTooLong = errors.New("too long")
	// ErrDigest: a document is not what its digest says.
	ErrDigest = errors.New("another digest")
)

var errSlow = errors.New("too slow")

// Error is why there is no answer of use. It wraps one of the errors above.
type Error struct {
	// Status is the answer's, 0: there was none.
	Status int
	// Host is the registry's, also where it redirected.
	Host string
	// Away: a host said so to which the registry had sent us.
	Away bool

	kind   error
	reason string // of constant texts: never of an answer
}

// Error says who failed, how, and what may help.
func (e *Error) Error() string {
	who := e.Host
	if e.Away {
		who = "the storage that " + e.Host + " names"
	}
	if e.Status != 0 {
		return fmt.Sprintf("%s: %s (HTTP %d)", who, e.reason, e.Status)
	}
	return who + ": " + e.reason
}

// Unwrap returns what callers branch on.
func (e *Error) Unwrap() error { return e.kind }

func (c *Client) fault(kind error, reason string) *Error {
	return &Error{Host: c.at.RegistryStr(), kind: kind, reason: reason}
}

// refused is the error of an answer's status.
func (c *Client) refused(status int, d *door, away bool) *Error {
	reason, kind := judge(status, away, d != nil && d.anonymous)
	e := c.fault(kind, reason)
	e.Status, e.Away = status, away
	return e
}

// judge says what a status means that is no success.
func judge(status int, away, anonymous bool) (reason string, kind error) {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		switch {
		case away:
			return "it does not accept the link that it was asked with", ErrUnreachable
		case anonymous:
			return "no login for it is known: 'docker login', DOCKER_CONFIG or a credential helper gives one", ErrDenied
		}
		return "the login for it is wrong, expired, or has no right to read this", ErrDenied
	case http.StatusNotFound:
		return "it is not there, or the login may not see it", ErrNotFound
	case http.StatusTooManyRequests:
		return "it limits requests: try again later, or with a login that has a limit of its own", ErrLimited
	case http.StatusProxyAuthRequired:
		return "the proxy wants credentials: put them into HTTPS_PROXY", ErrUnreachable
	}
	switch {
	case status >= 500:
		return "it failed each time that it was asked", ErrUnreachable
	case status >= 300 && status < 400:
		return "it redirects without saying where", ErrUnreachable
	}
	return "an answer that no registry gives: is this one?", ErrUnreachable
}

// told is the error of a request that got no answer, or of a login that did not
// succeed, in our own words: those of others repeat addresses.
func (c *Client) told(ctx context.Context, err error, d *door) error {
	var own *Error
	var status *transport.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &own):
		return own
	case errors.As(err, &status) && status.StatusCode != 0:
		away := status.Request != nil && !c.isHome(status.Request.URL)
		e := c.refused(status.StatusCode, d, false)
		if away && errors.Is(e, ErrNotFound) {
			e = c.fault(ErrUnreachable, "its token server gives no token")
			e.Status = status.StatusCode
		}
		return e
	}
	_, reason := trouble(err)
	if reason == lost {
		reason = "it gives no answer of sense, or its way to log in is not known"
	}
	return c.fault(ErrUnreachable, reason)
}

const lost = "the connection was lost"

// trouble says in own words why a request got no answer, and whether the next may.
func trouble(err error) (again bool, reason string) {
	var (
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		name        *net.DNSError
		op          *net.OpError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, web.ErrGuarded):
		return false, "a redirect into this machine or its network's own services is not followed"
	case errors.Is(err, errSlow):
		return true, "it took too long"
	case errors.As(err, &authority):
		return false, "its certificate is of an authority that this machine does not know: --ca-file names one more"
	case errors.As(err, &certificate):
		return false, "its certificate does not hold: it is of another name, or out of date"
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return false, "it does not speak TLS on this port: --insecure lets http be used"
	case errors.As(err, &name) && name.IsNotFound:
		return false, "its name is not known"
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return true, "the proxy does not answer"
	case errors.As(err, &op) && op.Op == "dial":
		return true, "no connection"
	}
	return true, lost
}
