// Package remote is a server's registry, as the commands of a terminal ask it: the
// same use cases as fingerprints/registry has, with the same answers and the same
// errors to branch on, over api/client.
//
// It promises: who may do what is the server's to say, by the token that the client
// shows; the actors that are given are not looked at. It refuses: what needs a value
// (see Registrar), and what is about the machine itself.
package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"revenant/api/client"
	"revenant/fingerprints/registry"
)

// pageSize is how many rows a list asks for at once.
const pageSize = 1000

// Registry is a server's registry. It is safe for concurrent use.
type Registry struct {
	c *client.Client
	// Registrar makes fingerprints of values; nil: none can be registered.
	Registrar *Registrar
}

// New returns the registry of a server.
func New(c *client.Client) *Registry { return &Registry{c: c} }

// stateError is a server's word that a version's state does not allow something.
type stateError struct{ text string }

func (e *stateError) Error() string { return e.text }
func (e *stateError) Unwrap() error { return registry.ErrTransition }

// known makes of a server's problem the error that the registry has for it, and
// says what a refusal means; other errors stay as they are.
func known(err error) error {
	var e *client.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Status == http.StatusUnauthorized:
		return fmt.Errorf("the server does not take the token: %w", err)
	case e.Status == http.StatusForbidden:
		return fmt.Errorf("the server refuses: %w", err)
	case e.Code == "state":
		return &stateError{e.Detail}
	}
	kind := error(nil)
	for _, s := range registry.Sentinels() {
		if s.Error() == e.Detail {
			kind = s
		}
	}
	if len(e.Errors) > 0 && (kind != nil || e.Status == http.StatusUnprocessableEntity) {
		at := e.Errors[0]
		bad := &registry.InputError{Input: strings.TrimPrefix(at.Pointer, "/"), Want: at.Detail, Kind: registry.ErrInput}
		if kind != nil {
			bad.Kind = kind
		}
		return bad
	}
	if kind != nil {
		return kind
	}
	return err
}

// each asks for page after page until one has no next.
func each[T any](ctx context.Context, limit int, ask func(after string, limit int) ([]T, string, error)) ([]T, error) {
	var out []T
	after := ""
	for {
		n := pageSize
		if limit > 0 {
			n = min(n, limit-len(out))
		}
		rows, next, err := ask(after, n)
		if err != nil {
			return nil, known(err)
		}
		out = append(out, rows...)
		if next == "" || limit > 0 && len(out) >= limit {
			return out, nil
		}
		if next == after {
			return nil, client.ErrNoServer // it would go on for ever
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		after = next
	}
}

// one passes an answer on, with the registry's error.
func one[T any](v T, err error) (T, error) { return v, known(err) }
