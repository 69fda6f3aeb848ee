package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func (s *server) rotationRoutes() []route {
	return []route{{path: "/rotations", scope: registry.ScopeRead, do: s.rotations}}
}

// rotation is a version inside its overlap: the old value is accepted beside the new.
type rotation struct {
	Secret  string
	Version registry.VersionView
	Ref     string
	Next    string // NAME@N of what follows; "": nothing is active
	Owner   string
	Missing []string // consumers that have not acknowledged what follows
	Known   bool     // there are consumers who could
	Copies  []countLink
	Late    bool   // its window is over
	Phase   string // where it stands: propagate, verify or deactivate
}

// rotationList is a page of rotations.
type rotationList struct {
	Only    string
	Refused bool // what was asked for holds a registered value
	Rows    []rotation
	Next    string
	First   string
}

// secretsAtOnce is how many secrets a page of rotations looks at.
const secretsAtOnce = 25

func (s *server) rotations(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "rotations", title: "Rotations", nav: "rotations"}
	in := r.URL.Query()
	d := rotationList{Only: in.Get("only")}
	if refused, err := s.refuses(r, &p, in.Get("after")); refused || err != nil {
		p.data = rotationList{Refused: true}
		return p, err
	}
	views, after, err := s.shown(r, a, registry.ListFilter{State: fingerprints.StateSuperseded, Overdue: d.Only == "overdue", After: in.Get("after"), Limit: secretsAtOnce})
	if err != nil {
		return p, err
	}
	for _, v := range views {
		d.Rows = append(d.Rows, rotationsOf(v, s.o.Now())...)
	}
	if d.Only == "overdue" {
		d.Rows = slices.DeleteFunc(d.Rows, func(x rotation) bool { return !x.Late })
	}
	slices.SortStableFunc(d.Rows, func(x, y rotation) int { return windowEnd(x.Version).Compare(windowEnd(y.Version)) })
	base := "/rotations?"
	if d.Only == "overdue" {
		base += "only=overdue&"
	}
	if after != "" {
		d.Next = base + "after=" + url.QueryEscape(after)
	}
	if in.Get("after") != "" {
		d.First = strings.TrimRight(base, "?&")
	}
	p.data = d
	return p, nil
}

// shown are the secrets that a filter selects, with all that is known of each, and the
// name behind which the next page is.
func (s *server) shown(r *http.Request, a registry.Actor, f registry.ListFilter) ([]registry.SecretView, string, error) {
	limit := f.Limit
	f.Limit++
	list, err := s.o.Registry.List(r.Context(), a, f)
	if err != nil {
		return nil, "", err
	}
	after := ""
	if len(list) > limit {
		list = list[:limit]
		after = list[limit-1].Name
	}
	var out []registry.SecretView
	for _, x := range list {
		v, err := s.o.Registry.Show(r.Context(), a, x.Name)
		if err != nil {
			return nil, "", err
		}
		out = append(out, v)
	}
	return out, after, nil
}

// windowEnd is when a window ends; one without an end is last.
func windowEnd(v registry.VersionView) time.Time {
	if v.WindowEnds == nil {
		return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return *v.WindowEnds
}

// rotationsOf are the superseded versions of a secret.
func rotationsOf(s registry.SecretView, now time.Time) []rotation {
	var out []rotation
	for _, v := range s.Versions {
		if v.State != fingerprints.StateSuperseded {
			continue
		}
		x := rotation{Secret: s.Name, Version: v, Ref: fingerprints.VersionRef{Name: s.Name, Number: v.Version}.String(), Owner: s.Owner}
		x.Known = len(s.Consumers) > 0 || v.IssuedTo != ""
		x.Late = v.WindowEnds != nil && !now.Before(*v.WindowEnds)
		if next := successorOf(s, v); next != nil {
			x.Next = fingerprints.VersionRef{Name: s.Name, Number: next.Version}.String()
			x.Missing = missingFor(v, *next)
		}
		left := map[fingerprints.Verdict]int{}
		for verdict, n := range v.Findings {
			if verdict != fingerprints.VerdictCleared {
				left[verdict] = n
			}
		}
		x.Copies = countLinks(x.Ref, left)
		switch {
		case x.Next == "" || len(x.Missing) > 0:
			x.Phase = "propagate"
		case len(x.Copies) > 0:
			x.Phase = "verify"
		default:
			x.Phase = "deactivate"
		}
		out = append(out, x)
	}
	return out
}

// successorOf is the newest active version for those that a version serves; nil: there
// is none.
func successorOf(s registry.SecretView, v registry.VersionView) *registry.VersionView {
	var next *registry.VersionView
	for i, x := range s.Versions {
		serves := x.IssuedTo == "" || x.IssuedTo == v.IssuedTo || v.IssuedTo == ""
		if x.Version != v.Version && x.State == fingerprints.StateActive && serves {
			next = &s.Versions[i]
		}
	}
	return next
}

// missingFor are the consumers of a version that have not acknowledged the next one.
func missingFor(v, next registry.VersionView) []string {
	if v.IssuedTo == "" {
		return next.Missing
	}
	return slices.DeleteFunc(slices.Clone(next.Missing), func(name string) bool { return name != v.IssuedTo })
}
