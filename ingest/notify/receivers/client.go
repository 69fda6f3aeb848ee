package receivers

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/scanners/web"
)

// Bounds of an answer: what is read of one that nobody looks at, and of one that
// is a list of issues.
const (
	maxIgnored = 64 << 10
	maxAnswer  = 16 << 20
	perCall    = 30 * time.Second
)

// client sends requests for all receivers.
type client struct {
	http        *http.Client
	credentials credential.Resolver
	now         func() time.Time
}

func newClient(d Deps) client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment}
	if own, ok := http.DefaultTransport.(*http.Transport); ok {
		t = own.Clone()
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.Roots}
	t.ResponseHeaderTimeout = perCall
	return client{
		http: &http.Client{Transport: t, Timeout: perCall, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a message goes where it was configured to go
		}},
		credentials: d.Credentials, now: d.Now,
	}
}

// secret fetches a credential; the error says which, and nothing of it.
func (c client) secret(ctx context.Context, ref credential.Ref) ([]byte, error) {
	v, err := c.credentials.Resolve(ctx, ref)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &notify.SendError{Words: err.Error()}
	}
	return v.Reveal(), nil
}

// request makes one, with a body where there is one. The address may be a
// credential, so no error repeats it.
func request(ctx context.Context, method, address string, body []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "https" && req.URL.Scheme != "http" {
		return nil, &notify.SendError{Words: "its address is not one of https"}
	}
	req.Header.Set("User-Agent", "revenant")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// tell sends a request whose answer says nothing more than that it was taken.
func (c client) tell(req *http.Request) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return broken(req.Context(), err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxIgnored)) // so that the connection is used again
	return judge(resp, c.now())
}

// ask sends a request and reads its answer.
func (c client) ask(req *http.Request, into any) error {
	resp, err := c.http.Do(req)
	if err != nil {
		return broken(req.Context(), err)
	}
	defer resp.Body.Close()
	if err := judge(resp, c.now()); err != nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxIgnored))
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return broken(req.Context(), err)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &notify.SendError{Words: "it answered something that is not of its API"}
	}
	return nil
}

// broken says why there was no answer. The error of the library holds the
// address, which may be a credential.
func broken(ctx context.Context, err error) error {
	var unknown x509.UnknownAuthorityError
	var wrong *tls.CertificateVerificationError
	var name *net.DNSError
	var op *net.OpError
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled):
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		return &notify.SendError{Words: "it did not answer in time"}
	case errors.As(err, &unknown) || errors.As(err, &wrong):
		return &notify.SendError{Words: "its certificate is not trusted"}
	case errors.As(err, &name):
		return &notify.SendError{Words: "its name is not known here"}
	case errors.As(err, &op) && op.Op == "dial":
		return &notify.SendError{Words: "it cannot be reached"}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return &notify.SendError{Words: "the proxy does not let through to it"}
	}
	return &notify.SendError{Words: "the connection broke"}
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// statusError is an answer that is no yes.
type statusError struct {
	*notify.SendError
	code int
}

func (e *statusError) Unwrap() error { return e.SendError }

// judge says what a status means. Most refusals are tried again: a token that
// ran out, or a place that was renamed, is mended by people while the message
// waits.
func judge(resp *http.Response, now time.Time) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	e := &statusError{code: code, SendError: &notify.SendError{Words: fmt.Sprintf("it answered %d %s", code, http.StatusText(code))}}
	switch code {
	case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		e.Refused = true
	}
	if code >= 300 && code < 400 {
		e.Words += ": redirects are not followed, configure where it leads"
	}
	e.After = limits(resp.Header, code, now)
	return e
}

// limits reads how long to wait: Retry-After, or when the requests of GitHub or
// GitLab that were used up come back.
func limits(h http.Header, code int, now time.Time) time.Duration {
	if after, ok := web.RetryAfter(h, now); ok {
		return max(after, time.Second)
	}
	if code != http.StatusForbidden && code != http.StatusTooManyRequests {
		return 0
	}
	for _, prefix := range []string{"X-RateLimit-", "RateLimit-"} {
		if h.Get(prefix+"Remaining") != "0" {
			continue
		}
		if at, err := strconv.ParseInt(h.Get(prefix+"Reset"), 10, 64); err == nil && at > 0 {
			return web.Between(web.Clock(h, now), time.Unix(at, 0)) + time.Second
		}
	}
	return 0
}
