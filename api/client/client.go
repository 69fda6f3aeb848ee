// Package client asks a Revenant server for what its API has, in Go.
//
// It promises: the token goes to the server that was named and nowhere else,
// redirects are not followed, and no error holds it. Answers are bounded where
// the server's are. It knows nothing of the registry: what it sends and reads is
// api/wire.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// Errors of a client.
var (
	// ErrAddress is returned by New for what is no address of a server.
	ErrAddress = errors.New("not the address of a server: write https://HOST or https://HOST:PORT")
	// ErrNoServer says that what answers is not a Revenant server, or only a part
	// of an answer came.
	ErrNoServer = errors.New("what answers there is not a Revenant server, or a proxy before it changed the answer")
	// ErrRedirect says that the server sent the request elsewhere; the token does
	// not go there.
	ErrRedirect = errors.New("the server redirects: name the address that it redirects to")
	// ErrCutOff says that an export has no end: some of it is missing.
	ErrCutOff = errors.New("the answer was cut off before its end")
)

// Client is a server, and the token that is shown to it. It is safe for
// concurrent use.
type Client struct {
	base  string
	token fingerprints.Value
	http  *http.Client
}

// mostAnswer bounds an answer that is read as a whole, in bytes; a page of 1,000
// findings is some 2 MB.
const mostAnswer = 256 << 20

// New returns a client of the server at a URL. The transport may be nil: the
// system's proxies and authorities are used then.
func New(server string, token fingerprints.Value, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(strings.TrimSpace(server))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, ErrAddress
	}
	return &Client{
		base: strings.TrimSuffix(u.String(), "/") + "/api/v1", token: token,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// Error is an answer that is no success.
type Error struct {
	wire.Problem
	RetryAfter time.Duration // 0: the server does not say when
}

// Error is what the server says, with what it says of single fields.
func (e *Error) Error() string {
	parts := []string{e.Detail}
	for _, at := range e.Errors {
		parts = append(parts, at.Pointer+": "+at.Detail)
	}
	return strings.Join(parts, "; ")
}

// IsStatus reports whether an error is an answer with this status.
func IsStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// send asks, and returns an answer that is a success, or one that the caller
// knows; its body is the caller's to close.
func (c *Client) send(ctx context.Context, method, path string, query url.Values, body any, header http.Header, known ...int) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("asking the server: %w", err)
		}
		payload = bytes.NewReader(b)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return nil, ErrAddress
	}
	for name, values := range header {
		r.Header[name] = values
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Authorization", "Bearer "+string(c.token.Reveal()))
	a, err := c.http.Do(r)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) { // it repeats the address, with names in it
			err = at.Err
		}
		return nil, fmt.Errorf("asking the server: %w", err)
	}
	if a.StatusCode/100 == 2 {
		return a, nil
	}
	for _, status := range known {
		if a.StatusCode == status {
			return a, nil
		}
	}
	defer a.Body.Close()
	return nil, problem(a)
}

// problem reads an answer that is no success.
func problem(a *http.Response) error {
	if a.StatusCode/100 == 3 {
		return ErrRedirect
	}
	e := &Error{}
	if err := json.NewDecoder(io.LimitReader(a.Body, 1<<20)).Decode(&e.Problem); err != nil || e.Status != a.StatusCode {
		return fmt.Errorf("%w: status %d", ErrNoServer, a.StatusCode)
	}
	if s, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && s > 0 {
		e.RetryAfter = time.Duration(min(s, 3600)) * time.Second
	}
	return e
}

// ask asks and reads an answer of JSON.
func ask[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (out T, err error) {
	a, err := c.send(ctx, method, path, query, body, nil)
	if err != nil {
		return out, err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(io.LimitReader(a.Body, mostAnswer)).Decode(&out); err != nil {
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		return out, ErrNoServer
	}
	return out, nil
}

// segment is a name as a part of a path.
func segment(name string) string { return url.PathEscape(name) }

// Identity is who a token is.
type Identity struct {
	Name   string       `json:"name"`
	Scopes []wire.Scope `json:"scopes"`
}

// Me says who the token is, and what it may.
func (c *Client) Me(ctx context.Context) (Identity, error) {
	return ask[Identity](ctx, c, http.MethodGet, "/me", nil, nil)
}

// Pack is an edge pack, or the word that the one that is there is the newest.
type Pack struct {
	Newest bool   // there is no other than that of the ETag that was asked with
	ETag   string // for the next time
	Body   io.ReadCloser
}

// EdgePack asks for the edge pack, unless it is the one of an ETag. The caller
// closes its Body, which is nil for one that is the newest.
func (c *Client) EdgePack(ctx context.Context, etag string) (Pack, error) {
	header := http.Header{}
	if etag != "" {
		header.Set("If-None-Match", etag)
	}
	a, err := c.send(ctx, http.MethodGet, "/packs/edge", nil, nil, header, http.StatusNotModified)
	if err != nil {
		return Pack{}, err
	}
	if a.StatusCode == http.StatusNotModified {
		_ = a.Body.Close()
		return Pack{Newest: true, ETag: etag}, nil
	}
	return Pack{ETag: a.Header.Get("ETag"), Body: a.Body}, nil
}
