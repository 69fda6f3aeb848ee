package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints/registry"
)

func (s *server) peopleRoutes() []route {
	const one = "/people/{id}"
	return []route{
		{path: "/people", scope: registry.ScopeAdmin, do: s.people},
		{method: http.MethodPost, path: "/people", scope: registry.ScopeAdmin, do: s.addPerson},
		{path: one, scope: registry.ScopeAdmin, do: s.person},
		{method: http.MethodPost, path: one + "/change", scope: registry.ScopeAdmin, do: s.changePerson},
		{method: http.MethodPost, path: one + "/link", scope: registry.ScopeAdmin, do: s.linkPerson},
	}
}

// linkLasts is how long a link that signs somebody in counts.
const linkLasts = time.Hour

// roleChoice is a role that somebody may be given.
type roleChoice struct {
	Role   registry.Role
	Scopes []registry.Scope
	On     bool
	Mine   bool // the reader has all of its scopes, and may give it
}

// rolesFor are all roles, those of a list chosen.
func rolesFor(a registry.Actor, on []registry.Role) []roleChoice {
	var out []roleChoice
	for _, role := range registry.Roles() {
		scopes := registry.ScopesOf(role)
		mine := !slices.ContainsFunc(scopes, func(x registry.Scope) bool { return !a.May(x) })
		out = append(out, roleChoice{role, scopes, slices.Contains(on, role), mine})
	}
	return out
}

// peopleList is everybody who signs in.
type peopleList struct {
	Rows  []registry.PersonView
	Roles []roleChoice
	Next  string
	First string
}

func (s *server) people(r *http.Request, a registry.Actor) (page, error) {
	all, err := s.o.Registry.People(r.Context(), a)
	d := peopleList{Roles: rolesFor(a, nil)}
	d.Rows, d.First, d.Next = pageOf(all, r.URL.Query(), "/people")
	return page{name: "people", title: "People", nav: "people", data: d}, err
}

// personPage is somebody who signs in.
type personPage struct {
	registry.PersonView
	Choices []roleChoice
	// Link signs them in, once: it is on this answer alone.
	Link string
}

func (s *server) person(r *http.Request, a registry.Actor) (page, error) {
	p, err := s.o.Registry.Person(r.Context(), a, param(r, "id"))
	return page{name: "person", title: p.Name, nav: "people", data: personPage{PersonView: p, Choices: rolesFor(a, p.Roles)}}, err
}

// namesIn are the names of a text, divided by commas.
func namesIn(text string) []string {
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

func rolesIn(words []string) []registry.Role {
	out := []registry.Role{}
	for _, word := range words {
		out = append(out, registry.Role(word))
	}
	return out
}

// addPerson makes somebody whom no identity provider knows.
func (s *server) addPerson(r *http.Request, a registry.Actor) (page, error) {
	f := r.PostForm
	if err := s.o.Refuse(r.Context(), f.Get("name"), f.Get("display"), f.Get("teams")); err != nil {
		return page{}, err
	}
	p, err := s.o.Registry.AddPerson(r.Context(), a, registry.PersonRequest{
		Name: strings.TrimSpace(f.Get("name")), Display: f.Get("display"), Roles: rolesIn(f["role"]), Teams: namesIn(f.Get("teams")),
	})
	if err != nil {
		return page{}, err
	}
	return done(at("people", p.ID), "saved")
}

// changePerson sets roles and teams, disables or enables somebody, or signs them out.
func (s *server) changePerson(r *http.Request, a registry.Actor) (page, error) {
	ctx, f, id := r.Context(), r.PostForm, param(r, "id")
	word, yes, no := "saved", true, false
	var c registry.PersonChange
	switch f.Get("do") {
	case "disable":
		c.Disabled, word = &yes, "disabled"
	case "enable":
		c.Disabled, word = &no, "enabled"
	case "sign-out":
		if _, err := s.o.Registry.SignOutPerson(ctx, a, id); err != nil {
			return page{}, err
		}
		return done(at("people", id), "out")
	default:
		if err := s.o.Refuse(ctx, f.Get("display"), f.Get("teams")); err != nil {
			return page{}, err
		}
		display, roles, teams := f.Get("display"), rolesIn(f["role"]), namesIn(f.Get("teams"))
		c = registry.PersonChange{Display: &display, Roles: &roles, Teams: &teams}
	}
	if _, err := s.o.Registry.ChangePerson(ctx, a, id, c); err != nil {
		return page{}, err
	}
	return done(at("people", id), word)
}

// linkPerson makes a link that signs somebody in, and shows it, this once.
func (s *server) linkPerson(r *http.Request, a registry.Actor) (page, error) {
	p, code, err := s.o.Registry.LinkPerson(r.Context(), a, param(r, "id"), linkLasts)
	if err != nil {
		return page{}, err
	}
	d := personPage{PersonView: p, Choices: rolesFor(a, p.Roles), Link: s.o.BaseURL + "/auth/setup?code=" + plainly(code)}
	return page{name: "person", title: p.Name, nav: "people", data: d, fleeting: true}, nil
}
