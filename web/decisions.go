package web

import (
	"net/http"
	"slices"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) decisionRoutes() []route {
	const one = "/decisions/{id}"
	return []route{
		{path: "/decisions", scope: registry.ScopeRead, do: s.decisions},
		{path: one, scope: registry.ScopeRead, do: s.decision},
		{method: http.MethodPost, path: one + "/revoke", scope: registry.ScopeTriage, do: s.revokeDecision},
	}
}

// decisionList is a page of what was decided of values, and of what rules find.
type decisionList struct {
	Rows  []registry.DecisionView
	Next  string
	First string
}

func (s *server) decisions(r *http.Request, a registry.Actor) (page, error) {
	all, err := s.o.Registry.Decisions(r.Context(), a)
	var d decisionList
	d.Rows, d.First, d.Next = pageOf(all, r.URL.Query(), "/decisions")
	return page{name: "decisions", title: "Decisions", nav: "decisions", data: d}, err
}

// tied are findings that something is said of: a page of them, in order of id.
type tied struct {
	Tied  []registry.Finding
	Next  string
	First string
}

// tiedTo reads the page of findings that a request asks for.
func (s *server) tiedTo(r *http.Request, a registry.Actor, f store.FindingFilter, path string) (tied, error) {
	after := r.URL.Query().Get("after")
	f.After, f.Limit = fingerprints.FindingID(after), pageSize+1
	list, err := s.o.Registry.Findings(r.Context(), a, f)
	t := tied{Tied: list}
	if len(list) > pageSize {
		t.Tied = list[:pageSize]
		t.Next = path + "?after=" + string(list[pageSize-1].ID)
	}
	if after != "" {
		t.First = path
	}
	return t, err
}

// decisionPage is a decision with the findings that have their status by it.
type decisionPage struct {
	registry.DecisionView
	tied
}

func (s *server) decision(r *http.Request, a registry.Actor) (page, error) {
	id, err := strconv.ParseInt(param(r, "id"), 10, 64)
	if err != nil {
		return page{}, registry.ErrUnknownDecision
	}
	all, err := s.o.Registry.Decisions(r.Context(), a)
	if err != nil {
		return page{}, err
	}
	i := slices.IndexFunc(all, func(d registry.DecisionView) bool { return d.ID == id })
	if i < 0 {
		return page{}, registry.ErrUnknownDecision
	}
	d := decisionPage{DecisionView: all[i]}
	d.tied, err = s.tiedTo(r, a, store.FindingFilter{Decision: id}, at("decisions", id))
	return page{name: "decision", title: "Decision " + strconv.FormatInt(id, 10), nav: "decisions", data: d}, err
}

// revokeDecision takes a decision back: what had its status by it is open again.
func (s *server) revokeDecision(r *http.Request, a registry.Actor) (page, error) {
	id, err := strconv.ParseInt(param(r, "id"), 10, 64)
	if err != nil {
		return page{}, registry.ErrUnknownDecision
	}
	if _, err := s.o.Registry.Revoke(r.Context(), a, id); err != nil {
		return page{}, err
	}
	return done("/decisions", "taken-back")
}
