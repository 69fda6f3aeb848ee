package web

import (
	"net/http"
	"net/url"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) traceRoutes() []route {
	return []route{
		{path: "/trace", scope: registry.ScopeRead, do: s.traceable},
		{path: aVersion + "/trace", scope: registry.ScopeRead, do: s.trace},
	}
}

// traceRow is a value that was issued to one consumer.
type traceRow struct {
	Secret string
	registry.VersionView
	Ref    string
	Counts []countLink
}

// traceList is a page of traceable values.
type traceList struct {
	Refused bool // what was asked for holds a registered value
	Rows    []traceRow
	Next    string
	First   string
}

// traceable lists the values of which a copy names who had it.
func (s *server) traceable(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "traceable", title: "Leak trace", nav: "trace"}
	in := r.URL.Query()
	var d traceList
	if refused, err := s.refuses(r, &p, in.Get("after")); refused || err != nil {
		d.Refused = true
		p.data = d
		return p, err
	}
	views, after, err := s.shown(r, a, registry.ListFilter{Issued: true, After: in.Get("after"), Limit: secretsAtOnce})
	if err != nil {
		return p, err
	}
	for _, secret := range views {
		for _, v := range slices.Backward(secret.Versions) {
			if v.IssuedTo != "" {
				ref := fingerprints.VersionRef{Name: secret.Name, Number: v.Version}.String()
				d.Rows = append(d.Rows, traceRow{secret.Name, v, ref, countLinks(ref, v.Findings)})
			}
		}
	}
	if after != "" {
		d.Next = "/trace?after=" + url.QueryEscape(after)
	}
	if in.Get("after") != "" {
		d.First = "/trace"
	}
	p.data = d
	return p, nil
}

// tracePage is every place where a value turned up.
type tracePage struct {
	Secret string
	registry.VersionView
	Ref    string
	Found  []registry.FindingDetail // in the order in which they were first seen
	More   bool
	Query  string
	Places int // sources in which it turned up
}

// How much of a trace is shown.
const (
	shownTrace = 200
	placesEach = 3 // of a finding
)

func (s *server) trace(r *http.Request, a registry.Actor) (page, error) {
	ctx, ref := r.Context(), refOf(r)
	secret, err := s.o.Registry.Show(ctx, a, ref.Name)
	if err != nil {
		return page{}, err
	}
	i := slices.IndexFunc(secret.Versions, func(v registry.VersionView) bool { return v.Version == ref.Number })
	if i < 0 {
		return page{}, registry.ErrUnknownVersion
	}
	d := tracePage{Secret: ref.Name, VersionView: secret.Versions[i], Ref: ref.String(), Query: secretQuery(ref.String(), "")}
	d.Found, err = s.o.Registry.FindingsWithPlaces(ctx, a, store.FindingFilter{Secret: ref.Name, Version: ref.Number, Limit: shownTrace + 1}, placesEach)
	if err != nil {
		return page{}, err
	}
	if d.More = len(d.Found) > shownTrace; d.More {
		d.Found = d.Found[:shownTrace]
	}
	slices.SortStableFunc(d.Found, func(x, y registry.FindingDetail) int { return x.FirstSeen.Compare(y.FirstSeen) })
	sources := map[string]bool{}
	for _, f := range d.Found {
		sources[f.Source] = true
	}
	d.Places = len(sources)
	return page{name: "trace", title: "Trace of " + d.Ref, nav: "trace", data: d}, nil
}
