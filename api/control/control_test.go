package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"revenant/api/control"
	"revenant/api/wire"
)

// TestHandler asks what is there, what is not, and what panics.
func TestHandler(t *testing.T) {
	const canary = "canary-in-a-panic"
	var logs bytes.Buffer
	var away error
	h := control.New(control.Options{
		Ready: func(context.Context) error { return away }, Log: slog.New(slog.NewTextHandler(&logs, nil)),
		API: func(r chi.Router) {
			r.Get("/api/v1/x/{id}", func(http.ResponseWriter, *http.Request) { panic(canary) })
			r.Get("/api/v1/y", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("ETag", `"1"`) })
			r.Get("/api/v1/events", func(http.ResponseWriter, *http.Request) { panic("it would listen") })
			r.Get("/auth/link", func(http.ResponseWriter, *http.Request) { panic("it would use the link up") })
		},
	})
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
		return w
	}
	for _, c := range []struct {
		method, path string
		code         int
		problem      string
	}{
		{"GET", "/healthz", 200, ""},
		{"GET", "/readyz", 200, ""},
		{"GET", "/nothing", 404, "not-found"},
		{"GET", "/metrics", 404, "not-found"},
		{"POST", "/healthz", 405, "method"},
		{"HEAD", "/healthz", 200, ""},
		{"HEAD", "/api/v1/y", 200, ""},
		{"HEAD", "/api/v1/nothing", 404, "not-found"},
		{"HEAD", "/api/v1/events", 405, "method"},
		{"HEAD", "/auth/link", 405, "method"},
		{"GET", "/api/v1/x/" + canary, 500, "internal"},
	} {
		w := ask(c.method, c.path)
		var p wire.Problem
		_ = json.Unmarshal(w.Body.Bytes(), &p)
		if w.Code != c.code || p.Code != c.problem || c.problem != "" && w.Header().Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), "canary") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s %s: %v %s", c.method, c.path, w.Header(), w.Body)
		}
	}
	if allow := ask("POST", "/api/v1/x/a%2Fb").Header().Values("Allow"); !slices.Equal(allow, []string{"GET, HEAD"}) {
		t.Errorf("Allow: %v", allow)
	}
	if strings.Contains(logs.String(), "canary") || !strings.Contains(logs.String(), "/api/v1/x/{id}") {
		t.Errorf("logged: %s", logs.String())
	}
	away = errors.New("no database")
	if w := ask("GET", "/readyz"); w.Code != 503 {
		t.Errorf("not ready: %d", w.Code)
	}
}
