package web

import (
	"cmp"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// decided is what became of findings that something was to be said of.
type decided struct {
	Changed  int
	Refused  []refusal
	Back     string
	Selected int
}

// refusal is a finding that was not changed, and why.
type refusal struct{ ID, Why string }

// maxSelected is how many findings one form changes.
const maxSelected = 1000

// judge says something of the findings that a form selects: of one, named by the
// address, or of several.
func (s *server) judge(r *http.Request, a registry.Actor) (page, error) {
	ids, back := r.PostForm["id"], local(r.PostFormValue("back"))
	if one := chi.URLParam(r, "id"); one != "" {
		ids, back = []string{one}, at("findings", one)
	}
	switch {
	case len(ids) == 0:
		return done(back, "none")
	case len(ids) > maxSelected:
		return page{}, badForm("selection", "select at most "+number(maxSelected)+" findings")
	}
	say, word, err := s.saying(r, a)
	if err != nil {
		return page{}, err
	}
	out := decided{Back: back, Selected: len(ids)}
	for _, id := range ids {
		err := say(id)
		if err == nil {
			out.Changed++
			continue
		}
		if len(ids) == 1 || store.Away(err) || r.Context().Err() != nil {
			return page{}, err
		}
		t, _ := s.fail(r, "/findings/triage", err).data.(trouble)
		out.Refused = append(out.Refused, refusal{id, t.Text})
	}
	if len(out.Refused) > 0 {
		return page{name: "decided", title: "Some were not changed", nav: "findings", data: out, status: http.StatusConflict}, nil
	}
	return done(back, word)
}

// saying is what a form says of a finding, and the word that tells of it.
func (s *server) saying(r *http.Request, a registry.Actor) (say func(id string) error, word string, err error) {
	ctx, reason, owner, note := r.Context(), r.PostFormValue("reason"), r.PostFormValue("owner"), r.PostFormValue("note")
	if err := s.o.Refuse(ctx, reason, owner, note); err != nil {
		return nil, "", err
	}
	switch r.PostFormValue("action") {
	case "accept":
		until, err := throughDay("until", r.PostFormValue("until"))
		if err != nil || until.IsZero() {
			return nil, "", &registry.InputError{Input: "until", Want: "give a day, as in 2026-01-31", Kind: registry.ErrInput}
		}
		return func(id string) error { _, err := s.o.Registry.Accept(ctx, a, id, until, reason); return err }, "accepted", nil
	case "dismiss":
		return func(id string) error { _, err := s.o.Registry.Dismiss(ctx, a, id, reason); return err }, "dismissed", nil
	case "assign":
		return func(id string) error { _, err := s.o.Registry.Assign(ctx, a, id, owner); return err }, "assigned", nil
	case "due":
		due, err := throughDay("due", r.PostFormValue("due"))
		if err != nil {
			return nil, "", err
		}
		word = "due"
		if due.IsZero() {
			word = "due-by-verdict"
		}
		return func(id string) error { _, err := s.o.Registry.SetDue(ctx, a, id, due); return err }, word, nil
	case "reopen":
		return func(id string) error { _, err := s.o.Registry.Reopen(ctx, a, id); return err }, "reopened", nil
	case "note":
		return func(id string) error { _, err := s.o.Registry.Note(ctx, a, id, note); return err }, "noted", nil
	}
	return nil, "", errForm
}

// rescan asks for a scan of what a watch watches.
func (s *server) rescan(r *http.Request, a registry.Actor) (page, error) {
	back := local(r.PostFormValue("back"))
	d, err := s.o.Registry.Finding(r.Context(), a, chi.URLParam(r, "id"))
	if err != nil {
		return page{}, err
	}
	_, err = s.o.Registry.WantSource(r.Context(), a, d.Source, registry.WantedAsked)
	if err != nil && !errors.Is(err, registry.ErrUnknownSource) {
		return page{}, err
	}
	s.o.Wake()
	return done(cmp.Or(back, "/"), "asked")
}
