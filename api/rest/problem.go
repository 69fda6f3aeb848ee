package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// problem is an answer that is no success.
type problem struct {
	wire.Problem
	after int // seconds, where it says when to ask again; 0: soon
}

// Error is the detail.
func (p *problem) Error() string { return p.Detail }

// GetStatus is the answer's status.
func (p *problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *problem) ContentType(string) string { return wire.ProblemType }

// GetHeaders says when to ask again.
func (p *problem) GetHeaders() http.Header {
	if p.Status != http.StatusServiceUnavailable && p.Status != http.StatusTooManyRequests {
		return http.Header{}
	}
	return http.Header{"Retry-After": {strconv.Itoa(cmp.Or(p.after, 5))}}
}

func newProblem(status int, code, detail string) *problem {
	return &problem{Problem: wire.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail}}
}

// notValid is the detail of problems whose errors say what is not valid.
const notValid = "Something that was sent is not valid."

// needs refuses who lacks a scope.
func needs(scope registry.Scope) *problem {
	return newProblem(http.StatusForbidden, "forbidden", "This needs the scope `"+string(scope)+"`: `GET "+Prefix+"/me` says which you have, and who has `admin` gives others.")
}

// write answers with a problem outside of an operation's own answer.
func write(ctx huma.Context, p *problem) {
	ctx.SetHeader("Content-Type", wire.ProblemType)
	for name, values := range p.GetHeaders() {
		ctx.SetHeader(name, values[0])
	}
	ctx.SetStatus(p.Status)
	b, _ := json.Marshal(p)
	_, _ = ctx.BodyWriter().Write(append(b, '\n'))
}

// kinds are the errors of the registry, and what they are to a sender.
func kinds() []struct {
	status  int
	code    string
	targets []error
} {
	return []struct {
		status  int
		code    string
		targets []error
	}{
		{http.StatusPreconditionFailed, "changed", []error{registry.ErrChanged}},
		{http.StatusUnauthorized, "unauthorized", []error{errNoToken, registry.ErrBadToken}},
		{http.StatusForbidden, "forbidden", []error{registry.ErrForbidden, registry.ErrTeams}},
		{http.StatusNotFound, "not-found", []error{
			registry.ErrUnknownSecret, registry.ErrUnknownVersion, registry.ErrUnknownFinding, registry.ErrUnknownSource, registry.ErrUnknownDelivery,
			registry.ErrUnknownWatch, registry.ErrUnknownAllow, registry.ErrUnknownDecision, registry.ErrUnknownToken,
			registry.ErrUnknownPerson, registry.ErrNoSession,
		}},
		{http.StatusConflict, "conflict", []error{
			registry.ErrNotDecidable, registry.ErrNoValueID, registry.ErrDecided, registry.ErrAmbiguous, registry.ErrExists, registry.ErrActiveExists,
			registry.ErrNoSuccessor, registry.ErrRollback, registry.ErrReused, registry.ErrContainsOld, registry.ErrUnderWay, registry.ErrNotAllowable, registry.ErrTokenExists, registry.ErrRegistered,
			registry.ErrPersonExists, registry.ErrDisabled, registry.ErrLookUpsOff, registry.ErrWatchExists, registry.ErrSourceExists,
		}},
		{http.StatusUnprocessableEntity, "invalid", []error{registry.ErrValueInName, registry.ErrBadProof, registry.ErrForged, registry.ErrSealed, registry.ErrKeyUsed, registry.ErrEmptyValue, registry.ErrAdoptWeak, registry.ErrOtherValue, fingerprints.ErrBadName}},
	}
}

// problemOf is what a sender is told of an error: words of the registry's own,
// never the error's chain, which may name what is not the sender's.
func (s *server) problemOf(ctx context.Context, operation string, err error) *problem {
	var ready *problem
	var moved *registry.TransitionError
	var bad *registry.InputError
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &moved):
		return newProblem(http.StatusConflict, "state", moved.Error())
	case store.Away(err):
		return newProblem(http.StatusServiceUnavailable, "store-away", "The store cannot be reached or written to now: try again.")
	}
	for _, k := range kinds() {
		for _, target := range k.targets {
			if errors.Is(err, target) {
				p := newProblem(k.status, k.code, target.Error())
				if errors.As(err, &bad) {
					p.Errors = []wire.ProblemAt{{Pointer: s.inputAt(operation, bad.Input), Detail: bad.Way().Error()}}
				}
				return p
			}
		}
	}
	if errors.As(err, &bad) {
		p := newProblem(http.StatusUnprocessableEntity, "invalid", notValid)
		p.Errors = []wire.ProblemAt{{Pointer: s.inputAt(operation, bad.Input), Detail: bad.Way().Error()}}
		return p
	}
	if errors.Is(err, registry.ErrInput) {
		return newProblem(http.StatusUnprocessableEntity, "invalid", notValid)
	}
	if ctx.Err() != nil {
		return newProblem(http.StatusServiceUnavailable, "given-up", "The request was given up.")
	}
	s.o.Log.ErrorContext(ctx, "a request failed", slog.String("operation", operation), slog.Any("error", err))
	return newProblem(http.StatusInternalServerError, "internal", "Internal error.")
}

// quiet makes huma's errors problems of ours: they repeat what was sent.
func (s *server) quiet(_ huma.Context, _ string, v any) (any, error) {
	e, is := v.(*huma.ErrorModel)
	if !is {
		return v, nil
	}
	code, detail := "invalid", notValid
	switch e.Status {
	case http.StatusBadRequest:
		code, detail = "malformed", "The request cannot be read: its body is JSON, a whole document and nothing behind it."
	case http.StatusRequestEntityTooLarge:
		code, detail = "too-large", "The body is larger than 1 MiB."
	case http.StatusUnsupportedMediaType:
		code, detail = "media-type", "The body is application/json."
	case http.StatusNotAcceptable:
		code, detail = "media-type", "The answer is application/json."
	case http.StatusInternalServerError:
		code, detail = "internal", "Internal error."
	}
	p := newProblem(e.Status, code, detail)
	for _, d := range e.Errors {
		if d != nil && e.Status < http.StatusInternalServerError {
			p.Errors = append(p.Errors, wire.ProblemAt{Pointer: s.pointer(d.Location), Detail: told(d.Message)})
		}
	}
	return p, nil
}

// pointer says where something is not valid, as far as the names there are the
// API's own: others were sent.
func (s *server) pointer(location string) string {
	var out strings.Builder
	for i, part := range strings.FieldsFunc(location, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		if i == 0 && (part == "body" || part == "query" || part == "path" || part == "header") {
			continue
		}
		if !s.words[part] && strings.Trim(part, "0123456789") != "" {
			break
		}
		out.WriteString("/" + part)
	}
	return out.String()
}

// told is what of huma's words says nothing of what was sent.
func told(message string) string {
	for _, known := range []string{"expected ", "required ", "unexpected property", "unknown query parameter", "invalid integer", "invalid boolean"} {
		if strings.HasPrefix(message, known) {
			message, _, _ = strings.Cut(message, ": ")
			return message
		}
	}
	return "not valid"
}
