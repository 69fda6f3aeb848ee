package control

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// headed reports whether something is answered to HEAD as to GET, without a body: what
// goes on for ever or is everything is not, nor is what a page does for whoever opens it,
// as using a link up.
func headed(path string) bool {
	switch path {
	case "/healthz", "/readyz", "/metrics", "/openapi.json":
		return true
	case "/api/v1/events", "/api/v1/findings/export":
		return false
	}
	return strings.HasPrefix(path, "/api/")
}

// head answers HEAD where headed says so.
func head(next http.Handler) http.Handler {
	asGet := middleware.GetHead(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if headed(r.URL.Path) {
			asGet.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowed are the methods by which something can be asked for.
func allowed(r chi.Routes, q *http.Request) (out []string) {
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if !r.Match(chi.NewRouteContext(), m, q.URL.EscapedPath()) {
			continue
		}
		out = append(out, m)
		if m == http.MethodGet && headed(q.URL.Path) {
			out = append(out, http.MethodHead)
		}
	}
	return out
}
