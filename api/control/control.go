// Package control is what operators ask a server for: probes, metrics, and how
// it does in numbers. What other systems push, and the API, are mounted beside
// it.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"revenant/api/wire"
)

// Options are what a server's handler is made of.
type Options struct {
	// Ready says why the server is not; nil error: it is.
	Ready func(context.Context) error
	// API adds the API's routes; nil: there is none.
	API func(chi.Router)
	// Lost answers browsers whose address leads nowhere; nil: with a problem, as others.
	Lost http.Handler
	// Push takes what other systems send; nil: nobody does.
	Push    http.Handler
	Metrics http.Handler
	Log     *slog.Logger
}

type server struct{ o Options }

// New is the server's handler.
func New(o Options) http.Handler {
	s := &server{o: o}
	r := chi.NewRouter()
	r.NotFound(func(w http.ResponseWriter, r *http.Request) {
		if o.Lost != nil && strings.Contains(r.Header.Get("Accept"), "text/html") && !strings.HasPrefix(r.URL.Path, "/api/") {
			o.Lost.ServeHTTP(w, r)
			return
		}
		problem(w, http.StatusNotFound, "not-found", "There is nothing here: /openapi.json has what there is. A slash in a name is sent as %2F, and no path ends with one.")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Allow", strings.Join(allowed(r, q), ", "))
		problem(w, http.StatusMethodNotAllowed, "method", "This is asked for by another method: Allow has those that there are.")
	})
	r.Use(s.guarded, head)
	r.Get("/healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	r.Get("/readyz", s.ready)
	if o.Metrics != nil {
		r.Method(http.MethodGet, "/metrics", o.Metrics)
	}
	if o.Push != nil {
		r.Handle("/hooks/*", o.Push)
		r.Handle("/logs/*", o.Push)
	}
	if o.API != nil {
		o.API(r)
	}
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
	problem(w, http.StatusInternalServerError, "internal", "Internal error.")
}

// routeOf is the pattern that a request matched: its path may hold anything.
func routeOf(r *http.Request) string {
	if c := chi.RouteContext(r.Context()); c != nil {
		return c.RoutePattern()
	}
	return ""
}

func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(text))
}

// problem answers by RFC 9457.
func problem(w http.ResponseWriter, status int, code, detail string) {
	b, _ := json.Marshal(wire.Problem{Title: http.StatusText(status), Status: status, Code: code, Detail: detail})
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := s.o.Ready(r.Context()); err != nil {
		s.o.Log.WarnContext(r.Context(), "not ready", slog.Any("error", err))
		plain(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	plain(w, http.StatusOK, "ready\n")
}
