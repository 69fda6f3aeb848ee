package web

import (
	"net/http"
	"strconv"

	"revenant/fingerprints/registry"
	"revenant/ingest/search/query"
)

// saveView keeps a search for its reader.
func (s *server) saveView(r *http.Request, a registry.Actor) (page, error) {
	name, text := r.PostFormValue("name"), r.PostFormValue("q")
	if err := s.o.Refuse(r.Context(), name, text); err != nil {
		return page{}, err
	}
	if _, err := query.Parse(text); err != nil {
		return page{}, &registry.InputError{Input: "q", Want: "the query cannot be read", Kind: registry.ErrInput}
	}
	if err := s.o.Registry.SaveView(r.Context(), a, name, text); err != nil {
		return page{}, err
	}
	return done(findingsOf(text), "saved")
}

// removeView forgets one.
func (s *server) removeView(r *http.Request, a registry.Actor) (page, error) {
	id, err := strconv.ParseInt(r.PostFormValue("id"), 10, 64)
	if err != nil {
		return page{}, errForm
	}
	if err := s.o.Registry.RemoveView(r.Context(), a, id); err != nil {
		return page{}, err
	}
	return done(local(r.PostFormValue("back")), "removed")
}
