package web

import (
	"net/http"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

func (s *server) overviewRoutes() []route {
	return []route{{path: "/", scope: registry.ScopeRead, do: s.overview}}
}

// tile is a number that asks for something to be done.
type tile struct {
	Verdict fingerprints.Verdict
	Count   int
	Do      string // what is to be done
	Query   string // what selects them
}

// overview is everything that needs action, at a glance.
type overview struct {
	Tiles      []tile
	Open       int // all that need action
	Unknown    int // open findings of values that are not registered
	Act        []search.Hit
	ActQuery   string
	Severities []count
	Owners     []count
	MoreOwners bool
	Estate     registry.Estate
	Failing    int // watches
	Behind     int
	Watches    int
	Trends     trends
	Index      search.Behind
	Cut        bool
}

// count is how many findings have a value, with what selects them.
type count struct {
	Value string
	Count int
	Query string
}

// pressing are the verdicts that ask for action, in the order of concern, and what
// is to be done.
func pressing() []tile {
	return []tile{
		{Verdict: fingerprints.VerdictCompromised, Do: "rotate now"},
		{Verdict: fingerprints.VerdictLeaked, Do: "rotate now"},
		{Verdict: fingerprints.VerdictPremature, Do: "prepare another"},
		{Verdict: fingerprints.VerdictStale, Do: "clear it up"},
		{Verdict: fingerprints.VerdictOverdue, Do: "deactivate, clear up"},
		{Verdict: fingerprints.VerdictLagging, Do: "move the consumer"},
	}
}

// needsAction selects the open findings that ask for action.
func needsAction() string {
	var list []string
	for _, t := range pressing() {
		list = append(list, string(t.Verdict))
	}
	return "verdict:" + strings.Join(list, ",") + " is:open"
}

// How many findings, and owners of some, the overview lists.
const (
	shownActions = 12
	shownOwners  = 8
)

func (s *server) overview(r *http.Request, a registry.Actor) (page, error) {
	ctx := r.Context()
	p := page{name: "overview", title: "Overview", nav: "overview"}
	o := overview{ActQuery: needsAction()}
	var err error
	if o.Estate, err = s.o.Registry.Estate(ctx, a); err != nil {
		return p, err
	}
	watches, err := s.o.Registry.CountWatches(ctx, a)
	if err != nil {
		return p, err
	}
	for outcome, n := range watches {
		o.Watches += n
		if outcome == registry.WatchFailed {
			o.Failing = n
		}
	}
	if o.Behind, err = s.o.Registry.CountBehind(ctx, a); err != nil {
		return p, err
	}
	if o.Estate.Sources == 0 {
		return s.first(r, a, o)
	}
	if err = s.countOpen(r, a, &o); err != nil {
		return p, err
	}
	o.Trends, err = s.trends(r, a)
	p.data = o
	return p, err
}

// countOpen fills in what is open, from the index of findings: the numbers are those
// of the lists that they lead to.
func (s *server) countOpen(r *http.Request, a registry.Actor, o *overview) error {
	ctx := r.Context()
	open, err := query.Parse("is:open")
	if err != nil {
		return err
	}
	facets, err := s.o.Search().Facets(ctx, a, open, []query.Field{query.FieldVerdict}, 0)
	if err != nil {
		return err
	}
	counts := map[string]int{}
	for _, c := range facets[query.FieldVerdict] {
		counts[c.Value] = c.Count
	}
	for _, t := range pressing() {
		t.Count, t.Query = counts[string(t.Verdict)], "verdict:"+string(t.Verdict)+" is:open"
		o.Tiles, o.Open = append(o.Tiles, t), o.Open+t.Count
	}
	o.Unknown = counts[string(fingerprints.VerdictUnregistered)]
	act, err := query.Parse(o.ActQuery)
	if err != nil {
		return err
	}
	found, err := s.o.Search().Search(ctx, a, act, search.Page{Limit: shownActions, Order: search.Oldest, Facets: []query.Field{query.FieldSeverity, query.FieldOwner}, Top: shownOwners + 1})
	if err != nil {
		return err
	}
	o.Act, o.Index, o.Cut = found.Findings, found.Behind, found.Cut
	o.Severities = countsOf(act, query.FieldSeverity, found.Facets[query.FieldSeverity])
	order := query.FieldSeverity.Words() // the worst first
	slices.SortFunc(o.Severities, func(x, y count) int { return slices.Index(order, x.Value) - slices.Index(order, y.Value) })
	o.Owners = countsOf(act, query.FieldOwner, found.Facets[query.FieldOwner])
	if o.MoreOwners = len(o.Owners) > shownOwners; o.MoreOwners {
		o.Owners = o.Owners[:shownOwners]
	}
	return nil
}

// countsOf are the values of a facet, each with the query that selects it.
func countsOf(q query.Query, f query.Field, list []search.Count) []count {
	var out []count
	for _, c := range list {
		out = append(out, count{c.Value, c.Count, toggled(q, f, c.Value).String()})
	}
	return out
}

// first is the page of an installation without sources: how to come to a finding.
func (s *server) first(r *http.Request, a registry.Actor, o overview) (page, error) {
	st, err := s.o.Registry.Status(r.Context(), a)
	return page{name: "first", title: "First steps", nav: "overview", data: firstSteps{st.Secrets, o.Watches}}, err
}

// firstSteps is what of them was done.
type firstSteps struct{ Secrets, Watches int }
