package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// pageSize is how many rows a page of a list has.
const pageSize = 50

func (s *server) findingRoutes() []route {
	return []route{
		{path: "/findings", scope: registry.ScopeRead, do: s.findings},
		{path: "/findings/export", scope: registry.ScopeRead, do: s.exported},
		{method: http.MethodPost, path: "/findings/triage", scope: registry.ScopeTriage, do: s.judge},
		{path: "/findings/{id}", scope: registry.ScopeRead, do: s.finding},
		{method: http.MethodPost, path: "/findings/{id}/triage", scope: registry.ScopeTriage, do: s.judge},
		{method: http.MethodPost, path: "/findings/{id}/scan", scope: registry.ScopeScan, do: s.rescan},
		{method: http.MethodPost, path: "/views", scope: registry.ScopeRead, do: s.saveView},
		{method: http.MethodPost, path: "/views/remove", scope: registry.ScopeRead, do: s.removeView},
		{path: "/search/suggestions", scope: registry.ScopeRead, do: s.suggest},
	}
}

// findingsOf is the address of the findings that a query selects.
func findingsOf(q string) string { return "/findings?" + url.Values{"q": {q}}.Encode() }

// shortID is as much of a finding's id as people read.
func shortID(id fingerprints.FindingID) string {
	text := strings.TrimPrefix(string(id), "rv1:")
	return text[:min(len(text), 8)]
}

// facet is a field with what its values select.
type facet struct {
	Field  query.Field
	Title  string
	Values []facetValue
	More   bool // there are more values than are listed
	Open   bool
}

type facetValue struct {
	count
	On bool
}

// findingList is a page of findings.
type findingList struct {
	Q       string
	Problem string // what is wrong with the query
	Refused bool   // the query holds a registered value: it is not repeated
	Result  search.Result
	Facets  []facet
	Ages    []facetValue
	Next    string // address of the next page
	First   string // address of the first page, where this is another
	Until   string // the day that an acceptance ends without another word
	Here    string // this page's address
	Order   search.Order
	Views   []registry.SavedView
	View    registry.SavedView // the one that is looked at; of no name: none
}

// address is that of the first page, in the same order.
func (l findingList) address() string {
	if l.Order == search.Worst {
		return findingsOf(l.Q)
	}
	return findingsOf(l.Q) + "&" + url.Values{"order": {string(l.Order)}}.Encode()
}

// faceted are the fields beside the list, with their titles.
func faceted() []facet {
	return []facet{
		{Field: query.FieldVerdict, Title: "Verdict", Open: true},
		{Field: query.FieldSeverity, Title: "Severity", Open: true},
		{Field: query.FieldStatus, Title: "Status", Open: true},
		{Field: query.FieldPresence, Title: "Presence"},
		{Field: query.FieldClass, Title: "Class"},
		{Field: query.FieldKind, Title: "Kind of source"},
		{Field: query.FieldSource, Title: "Source"},
		{Field: query.FieldOwner, Title: "Owner"},
		{Field: query.FieldRule, Title: "Rule"},
		{Field: query.FieldSecret, Title: "Secret"},
	}
}

// topOfFacet is how many values of a facet are listed.
const topOfFacet = 12

func (s *server) findings(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "findings", title: "Findings", nav: "findings"}
	in := r.URL.Query()
	l := findingList{Q: in.Get("q"), Until: s.o.Now().UTC().AddDate(0, 0, 30).Format(time.DateOnly)}
	l.Order, _ = search.OrderOf(in.Get("order")) // of another word: the usual one
	l.Here = l.address()
	err := s.o.Refuse(r.Context(), l.Q)
	if errors.Is(err, registry.ErrValueInName) {
		p.data, p.status, p.hushed = findingList{Refused: true}, http.StatusUnprocessableEntity, true
		return p, nil
	}
	if err != nil {
		return p, err
	}
	q, err := query.Parse(l.Q)
	if err == nil {
		err = s.find(r, a, q, in.Get("after"), &l)
	}
	var bad *query.Error
	switch {
	case errors.As(err, &bad):
		l.Problem, p.status = sentence(bad.Error()), http.StatusUnprocessableEntity
	case errors.Is(err, search.ErrBroad):
		l.Problem, p.status = sentence(search.ErrBroad.Error()), http.StatusUnprocessableEntity
	case errors.Is(err, search.ErrCursor):
		return page{to: l.address()}, nil
	case err != nil:
		return p, err
	}
	if l.Views, err = s.o.Registry.SavedViews(r.Context(), a); err != nil {
		return p, err
	}
	for _, v := range l.Views {
		if v.Query == l.Q {
			l.View, p.title = v, v.Name
		}
	}
	p.data = l
	return p, nil
}

// find fills a page of findings in.
func (s *server) find(r *http.Request, a registry.Actor, q query.Query, after string, l *findingList) error {
	ctx, x := r.Context(), s.o.Search()
	var fields []query.Field
	for _, f := range faceted() {
		fields = append(fields, f.Field)
	}
	var err error
	l.Result, err = x.Search(ctx, a, q, search.Page{Limit: pageSize, After: after, Order: l.Order, Facets: fields, Top: topOfFacet + 1})
	if err != nil {
		return err
	}
	for _, f := range faceted() {
		counts, on := l.Result.Facets[f.Field], chosen(q, f.Field)
		if len(on) > 0 { // what else could be chosen
			others, err := x.Facets(ctx, a, without(q, f.Field), []query.Field{f.Field}, topOfFacet+1)
			if err != nil {
				return err
			}
			counts, f.Open = others[f.Field], true
		}
		if f.More = len(counts) > topOfFacet; f.More {
			counts = counts[:topOfFacet]
		}
		for _, c := range countsOf(q, f.Field, counts) {
			f.Values = append(f.Values, facetValue{c, slices.Contains(on, c.Value)})
		}
		if len(f.Values) > 0 {
			l.Facets = append(l.Facets, f)
		}
	}
	l.Ages = ages(q)
	if l.Result.Next != "" {
		l.Next = l.address() + "&" + url.Values{"after": {l.Result.Next}}.Encode()
	}
	if after != "" {
		l.First = l.address()
		l.Here += "&" + url.Values{"after": {after}}.Encode()
	}
	return nil
}

// ages are the ranges of age that a query can be narrowed to.
func ages(q query.Query) []facetValue {
	rest := joined(slices.DeleteFunc(parts(q), func(n query.Node) bool {
		t, is := n.(query.Time)
		return is && t.Field == query.FieldAge
	}))
	var out []facetValue
	for _, word := range [][2]string{{"under a day", "age<1d"}, {"under a week", "age<7d"}, {"over 30 days", "age>30d"}, {"over 90 days", "age>90d"}, {"over a year", "age>1y"}} {
		on := slices.ContainsFunc(parts(q), func(n query.Node) bool { return query.Of(n).String() == word[1] })
		to := rest
		if !on {
			if narrow, err := query.Parse(word[1]); err == nil {
				to = joined(append(parts(rest), narrow.Root()))
			}
		}
		out = append(out, facetValue{count{Value: word[0], Query: to.String()}, on})
	}
	return out
}

// suggest answers with what may follow in a query.
func (s *server) suggest(r *http.Request, a registry.Actor) (page, error) {
	list, err := s.o.Search().Suggest(r.Context(), a, r.URL.Query().Get("q"), 8)
	return page{name: "findings", part: "suggestions", nav: "findings", data: list}, err
}
