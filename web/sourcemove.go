package web

import (
	"net/http"
	"strings"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) sourceMoveRoutes() []route {
	const one = "/sources/{id}"
	return []route{
		{path: one + "/move", scope: registry.ScopeAdmin, do: s.askSource("move")},
		{method: http.MethodPost, path: one + "/move", scope: registry.ScopeAdmin, do: s.moveSource},
		{path: one + "/forget", scope: registry.ScopeAdmin, do: s.askSource("forget")},
		{method: http.MethodPost, path: one + "/forget", scope: registry.ScopeAdmin, do: s.forgetSource},
	}
}

// sourceAsk is the page that tells what follows from giving a source another id, or
// from forgetting it, before somebody does.
type sourceAsk struct {
	registry.SourceSummary
	Act     string // move or forget
	To      string // as somebody wrote it
	Problem string
	Total   int // findings, of every verdict
	Watches []watchRow
}

// askSource is the handler that asks whether to do something with a source.
func (s *server) askSource(act string) handler {
	return func(r *http.Request, a registry.Actor) (page, error) {
		return s.sourceAskPage(r, a, sourceAsk{Act: act})
	}
}

func (s *server) sourceAskPage(r *http.Request, a registry.Actor, d sourceAsk) (page, error) {
	v, err := s.o.Registry.Source(r.Context(), a, param(r, "id"))
	if err != nil {
		return page{}, err
	}
	d.SourceSummary = v.SourceSummary
	for _, n := range v.Findings {
		d.Total += n
	}
	d.Watches, err = s.watchRows(r, a, store.WatchFilter{Source: v.ID})
	p := page{name: "source-ask", title: "Move " + v.ID, nav: "sources", data: d}
	if d.Act == "forget" {
		p.title = "Forget " + v.ID
	}
	if d.Problem != "" {
		p.status = http.StatusUnprocessableEntity
	}
	return p, err
}

// moveSource gives a source another id; one that does not go comes back in the form.
func (s *server) moveSource(r *http.Request, a registry.Actor) (page, error) {
	to := strings.TrimSpace(r.PostForm.Get("to"))
	if err := s.o.Refuse(r.Context(), to); err != nil {
		return page{}, err // a value is not repeated in the form
	}
	_, err := s.o.Registry.MoveSource(r.Context(), a, param(r, "id"), to)
	if text, is := s.inputOf(err); is {
		return s.sourceAskPage(r, a, sourceAsk{Act: "move", To: to, Problem: text})
	}
	if err != nil {
		return page{}, err
	}
	return done(at("sources", to), "moved")
}

// forgetSource removes a source with its scans and findings, for who says that it is
// meant.
func (s *server) forgetSource(r *http.Request, a registry.Actor) (page, error) {
	if r.PostForm.Get("sure") == "" {
		return s.sourceAskPage(r, a, sourceAsk{Act: "forget", Problem: "Say that it is meant: nothing brings it back."})
	}
	if err := s.o.Registry.ForgetSource(r.Context(), a, param(r, "id")); err != nil {
		return page{}, err
	}
	return done("/sources", "forgotten")
}
