package web

import (
	"fmt"
	"net/http"
	"strconv"

	"revenant/fingerprints/registry"
)

// moved answers with a word that is another one when the registry or a finding has
// changed, or a minute has passed: pages ask for it while they are looked at.
func (s *server) moved(w http.ResponseWriter, r *http.Request) {
	a, known := s.o.Who(r)
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	word, err := s.position(r, a)
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(word)))
	_, _ = w.Write([]byte(word))
}

func (s *server) position(r *http.Request, a registry.Actor) (string, error) {
	end, err := s.o.Registry.FeedEnd(r.Context(), a)
	return fmt.Sprintf("%d-%d-%d", end.Change, end.Audit, s.o.Now().Unix()/60), err
}
