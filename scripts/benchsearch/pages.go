package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/web"
)

// dashboard is that of a registry, which somebody is signed in to.
func dashboard(reg *registry.Registry, x *search.Index, me registry.Actor) (http.Handler, error) {
	w, err := web.New(web.Options{
		Registry: reg, Search: func() *search.Index { return x }, Who: func(*http.Request) (registry.Actor, bool) { return me, true }, BaseURL: "http://127.0.0.1:8077",
		Refuse: func(context.Context, ...string) error { return nil }, Wake: func() {}, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	r := chi.NewRouter()
	w.Mount(r)
	return r, nil
}

// page asks for a page as a browser does.
func (b *bed) page(path string) (string, error) {
	r := httptest.NewRequestWithContext(b.ctx, http.MethodGet, path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		return "", fmt.Errorf("%s: %d", path, w.Code)
	}
	return fmt.Sprintf("%.1f kB", float64(w.Body.Len())/1000), nil
}
