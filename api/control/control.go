// Package control is the API that a server is steered by: what is watched, how
// it goes, what is to be scanned now. The probes and metrics of operators are
// beside it.
//
// Everything under /api needs the token, as a bearer. Errors are
// application/problem+json (RFC 9457) and never repeat what was sent.
package control

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
)

// Options are what the API stands on.
type Options struct {
	Registry *registry.Registry
	Actor    registry.Actor
	Queue    jobs.Queue
	Token    fingerprints.Value
	// Spec reads what a request wants watched: its error is for the sender, and
	// repeats nothing.
	Spec func(name string, scan []string, schedule, credential string) (registry.WatchSpec, error)
	// Wake has what is due looked up at once.
	Wake func()
	// Ready says why the server is not; nil error: it is.
	Ready func(context.Context) error
	// Push takes what other systems send; nil: nobody does.
	Push    http.Handler
	Metrics http.Handler
	Now     func() time.Time
	Log     *slog.Logger
}

// maxBody bounds a request.
const maxBody = 1 << 20

type server struct {
	o     Options
	token [sha256.Size]byte
}

// New is the server's handler.
func New(o Options) http.Handler {
	s := &server{o: o, token: sha256.Sum256(o.Token.Reveal())}
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusNotFound, "There is nothing here.")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		problem(w, http.StatusMethodNotAllowed, "This is asked for in another way.")
	})
	r.Use(s.guarded)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", s.ready)
	if o.Metrics != nil {
		r.Method(http.MethodGet, "/metrics", o.Metrics)
	}
	if o.Push != nil {
		r.Handle("/hooks/*", o.Push)
		r.Handle("/logs/*", o.Push)
	}
	r.Route("/api/v1", func(r chi.Router) {
		r.Use(s.authenticated)
		r.Get("/status", s.status)
		r.Get("/workers", s.workers)
		r.Get("/coverage", s.coverage)
		r.Get("/watches", s.watches)
		r.Post("/watches", s.addWatch)
		r.Get("/watch", s.watch)
		r.Delete("/watch", s.removeWatch)
		r.Post("/watch/scan", s.scan)
		r.Post("/watch/pause", s.pause(true))
		r.Post("/watch/resume", s.pause(false))
	})
	return r
}

// guarded ends a request that panics, and says nothing of why to its sender.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { s.ended(w, r, recover()) }()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ended answers for a request that panicked.
func (s *server) ended(w http.ResponseWriter, r *http.Request, p any) {
	if p == nil {
		return
	}
	if err, is := p.(error); is && errors.Is(err, http.ErrAbortHandler) {
		panic(p)
	}
	// What panicked may hold content: its route alone is told.
	s.o.Log.ErrorContext(r.Context(), "internal error in a request", slog.String("route", routeOf(r)))
	problem(w, http.StatusInternalServerError, "Internal error.")
}

// routeOf is the pattern that a request matched: its path may hold anything.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		return c.RoutePattern()
	}
	return ""
}

func (s *server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="revenant"`)
			problem(w, http.StatusUnauthorized, "Send the server's token: Authorization: Bearer TOKEN.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

func answer(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		problem(w, http.StatusInternalServerError, "Internal error.")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n'))
}

// problem answers by RFC 9457.
func problem(w http.ResponseWriter, code int, detail string) {
	b, _ := json.Marshal(map[string]any{"title": http.StatusText(code), "status": code, "detail": detail})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n'))
}

// failed answers for an error of the registry.
func (s *server) failed(w http.ResponseWriter, r *http.Request, err error) {
	var bad *registry.InputError
	switch {
	case errors.As(err, &bad):
		problem(w, http.StatusUnprocessableEntity, bad.Error())
	case errors.Is(err, registry.ErrUnknownWatch):
		problem(w, http.StatusNotFound, "No such watch.")
	case errors.Is(err, registry.ErrUnknownSecret), errors.Is(err, registry.ErrUnknownVersion):
		problem(w, http.StatusNotFound, "No such version.")
	case errors.Is(err, registry.ErrForbidden):
		problem(w, http.StatusForbidden, "The token does not allow this.")
	case store.Away(err):
		w.Header().Set("Retry-After", "5")
		problem(w, http.StatusServiceUnavailable, "The store cannot be reached or written to now.")
	case r.Context().Err() != nil:
		problem(w, http.StatusServiceUnavailable, "The request was given up.")
	default:
		s.o.Log.ErrorContext(r.Context(), "a request failed", slog.String("path", routeOf(r)), slog.Any("error", err))
		problem(w, http.StatusInternalServerError, "Internal error.")
	}
}

// body reads a request's JSON, strictly.
func body(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil || d.More() {
		problem(w, http.StatusBadRequest, "The body is one JSON object with the documented keys.")
		return false
	}
	return true
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.o.Ready(r.Context()); err != nil {
		s.o.Log.WarnContext(r.Context(), "not ready", slog.Any("error", err))
		plain(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}
