package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

func (s *server) placeRoutes() []route {
	return []route{
		{path: "/places", scope: registry.ScopeRead, do: s.places},
		{method: http.MethodPost, path: "/places", scope: registry.ScopeRotate, do: s.allow},
		{path: "/places/{id}", scope: registry.ScopeRead, do: s.place},
		{method: http.MethodPost, path: "/places/{id}/forbid", scope: registry.ScopeRotate, do: s.forbid},
	}
}

// placeList is a page of the places where secrets may be.
type placeList struct {
	Homes   []registry.HomeView
	Total   int
	Changes []registry.VerdictChange
	Next    string
	First   string
}

func (s *server) places(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "places", title: "Allowed places", nav: "places"}
	all, err := s.o.Registry.AllHomes(r.Context(), a, "")
	if err != nil {
		return p, err
	}
	d := placeList{Total: len(all), Changes: changesOf(r)}
	d.Homes, d.First, d.Next = pageOf(all, r.URL.Query(), "/places")
	p.data = d
	return p, nil
}

// placePage is an allowed place with the findings that it covers.
type placePage struct {
	registry.HomeView
	tied
}

func (s *server) place(r *http.Request, a registry.Actor) (page, error) {
	id, err := strconv.ParseInt(param(r, "id"), 10, 64)
	if err != nil {
		return page{}, registry.ErrUnknownAllow
	}
	all, err := s.o.Registry.AllHomes(r.Context(), a, "")
	if err != nil {
		return page{}, err
	}
	i := slices.IndexFunc(all, func(h registry.HomeView) bool { return h.ID == id })
	if i < 0 {
		return page{}, registry.ErrUnknownAllow
	}
	d := placePage{HomeView: all[i]}
	d.tied, err = s.tiedTo(r, a, store.FindingFilter{Home: id}, at("places", id))
	return page{name: "place", title: "Allowed place of " + d.Secret, nav: "places", data: d}, err
}

// pageOf cuts a page out of a list that is there as a whole, by how many stand before
// it.
func pageOf[T any](all []T, q url.Values, path string) (list []T, first, next string) {
	from := min(fromOf(q), len(all))
	kept := url.Values{}
	for key, list := range q {
		if key != "said" && key != "changed" {
			kept[key] = list
		}
	}
	if from > 0 {
		first = fromAddress(path, kept, 0)
	}
	to := min(from+pageSize, len(all))
	if to < len(all) {
		next = fromAddress(path, kept, to)
	}
	return all[from:to], first, next
}

// fromOf is how many rows stand before the page that an address asks for.
func fromOf(q url.Values) int {
	n, err := strconv.Atoi(q.Get("from"))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// fromAddress is the address of the page behind so many rows.
func fromAddress(path string, q url.Values, from int) string {
	q = maps.Clone(q)
	q.Del("from")
	if from > 0 {
		q.Set("from", strconv.Itoa(from))
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// allow makes a place one where a secret's values may be.
func (s *server) allow(r *http.Request, a registry.Actor) (page, error) {
	f := r.PostForm
	until, err := throughDay("until", f.Get("until"))
	if err != nil {
		return page{}, err
	}
	q := registry.AllowRequest{Name: f.Get("secret"), Source: f.Get("source"), Path: f.Get("path"), Until: until, Reason: f.Get("reason")}
	if err := s.o.Refuse(r.Context(), q.Source, q.Path, q.Reason); err != nil {
		return page{}, err
	}
	out, err := s.o.Registry.Allow(r.Context(), a, q)
	if err != nil {
		return page{}, err
	}
	word := "allowed"
	if out.Unchanged {
		word = "unchanged"
	}
	return doneChanged(at("secrets", q.Name), word, out.Verdicts)
}

// forbid takes an allowed place back.
func (s *server) forbid(r *http.Request, a registry.Actor) (page, error) {
	id, err := strconv.ParseInt(param(r, "id"), 10, 64)
	if err != nil {
		return page{}, registry.ErrUnknownAllow
	}
	name := r.PostForm.Get("secret")
	out, err := s.o.Registry.Unallow(r.Context(), a, name, id)
	if err != nil {
		return page{}, err
	}
	return doneChanged(at("secrets", name), "forbidden", out.Verdicts)
}
