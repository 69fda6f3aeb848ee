package session

import (
	"encoding/json"
	"net/http"

	"revenant/api/wire"
)

// Guarded refuses what a page of another origin has a browser send: the browser adds
// the cookie whoever made it ask. A request that shows a token passes: no page can
// have one added.
func (s *Server) Guarded(next http.Handler) http.Handler {
	guarded := s.crosses.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			next.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
}

func denied(w http.ResponseWriter, _ *http.Request) {
	b, _ := json.Marshal(wire.Problem{
		Title: http.StatusText(http.StatusForbidden), Status: http.StatusForbidden, Code: "cross-origin", Detail: "A page of another origin sent this.",
	})
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(http.StatusForbidden)
	_, _ = w.Write(append(b, '\n'))
}
