package web

import (
	"net/http"

	"revenant/fingerprints/registry"
)

// queuePages are where River shows its jobs.
const queuePages = "/jobs"

// jobRoutes are River's own pages, for operators: they show jobs of all watches, and
// change nothing. The button of a job that cancels it gets 405, since it would be in
// no audit log.
func (s *server) jobRoutes() []route {
	if s.o.Jobs == nil {
		return nil
	}
	do := func(r *http.Request, a registry.Actor) (page, error) {
		if len(a.Teams) > 0 {
			return page{}, registry.ErrTeams
		}
		return page{nav: "watches", raw: func(w http.ResponseWriter) error {
			w.Header().Set("Content-Security-Policy", jobsPolicy)
			s.o.Jobs.ServeHTTP(w, r)
			return nil
		}}, nil
	}
	var out []route
	for _, path := range []string{queuePages, queuePages + "/*"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			out = append(out, route{method: method, path: path, scope: registry.ScopeAdmin, do: do})
		}
	}
	return out
}

// jobsPolicy is policy for pages that style what they make.
const jobsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
