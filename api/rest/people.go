package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// LinkLasts is how long a link that signs somebody in counts.
const LinkLasts = time.Hour

// LinkTo is the address of a link that signs in, with its code.
func LinkTo(baseURL, code string) string {
	return baseURL + "/auth/setup?code=" + url.QueryEscape(code)
}

func (s *server) peopleRoutes() {
	s.meRoutes()
	type peoplePage struct {
		Body struct {
			People []wire.PersonView `json:"people" nullable:"false"`
			Next   string            `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	add(s, route{id: "list-people", method: http.MethodGet, path: "/people", scope: registry.ScopeAdmin, summary: "Who signs in, in order of name, disabled people too"},
		func(ctx context.Context, a registry.Actor, in *Page) (*peoplePage, error) {
			list, err := s.o.Registry.People(ctx, a)
			name := func(p wire.PersonView) string { return p.Name }
			out := &peoplePage{}
			out.Body.People, out.Body.Next = paged(behind(list, in.After, name), in.Limit, name)
			return out, err
		})
	type one struct{ Body wire.PersonView }
	type personIn struct {
		Person string `path:"person" minLength:"1" maxLength:"200" doc:"The id or the name."`
	}
	add(s, route{id: "get-person", method: http.MethodGet, path: "/people/{person}", scope: registry.ScopeAdmin, summary: "A person"},
		func(ctx context.Context, a registry.Actor, in *personIn) (*one, error) {
			p, err := s.o.Registry.Person(ctx, a, in.Person)
			return &one{p}, err
		})
	s.changePeopleRoutes()
	type linkAnswer struct {
		Body struct {
			Person wire.PersonView `json:"person"`
			Link   string          `json:"link" doc:"Signs the person in, once, within the hour. It is not stored: this is the only time."`
		}
	}
	add(s, route{id: "link-person", method: http.MethodPost, path: "/people/{person}/link", scope: registry.ScopeAdmin, status: http.StatusCreated, summary: "Make a link that signs a person in, once"},
		func(ctx context.Context, a registry.Actor, in *personIn) (*linkAnswer, error) {
			p, code, err := s.o.Registry.LinkPerson(ctx, a, in.Person, LinkLasts)
			if err != nil {
				return nil, err
			}
			out := &linkAnswer{}
			out.Body.Person, out.Body.Link = p, LinkTo(s.o.BaseURL, string(code.Reveal()))
			return out, nil
		})
	type ended struct {
		Body struct {
			Sessions int `json:"sessions" doc:"How many ended."`
		}
	}
	add(s, route{id: "sign-out-person", method: http.MethodDelete, path: "/people/{person}/sessions", scope: registry.ScopeAdmin, summary: "End every session of a person"},
		func(ctx context.Context, a registry.Actor, in *personIn) (*ended, error) {
			n, err := s.o.Registry.SignOutPerson(ctx, a, in.Person)
			out := &ended{}
			out.Body.Sessions = n
			return out, err
		})
}

func (s *server) changePeopleRoutes() {
	type one struct{ Body wire.PersonView }
	type personRequest struct {
		Body struct {
			Name    string   `json:"name" minLength:"1" maxLength:"200"`
			Display string   `json:"display,omitempty" maxLength:"200"`
			Roles   []string `json:"roles" minItems:"1" maxItems:"20" nullable:"false" enum:"viewer,triager,operator,registrar,admin"`
			Teams   []string `json:"teams,omitempty" maxItems:"200" maxLength:"200" nullable:"false" doc:"Whose rows they see; without them they see everything."`
		}
	}
	add(s, route{id: "add-person", method: http.MethodPost, path: "/people", scope: registry.ScopeAdmin, status: http.StatusCreated, summary: "Add a person who signs in by a link"},
		func(ctx context.Context, a registry.Actor, in *personRequest) (*one, error) {
			if err := s.o.Refuse(ctx, append([]string{in.Body.Name, in.Body.Display}, in.Body.Teams...)...); err != nil {
				return nil, err
			}
			p, err := s.o.Registry.AddPerson(ctx, a, registry.PersonRequest{
				Name: in.Body.Name, Display: in.Body.Display, Roles: wordsOf[registry.Role](in.Body.Roles), Teams: in.Body.Teams,
			})
			return &one{p}, err
		})
	type changeRequest struct {
		Person string `path:"person" minLength:"1" maxLength:"200" doc:"The id or the name."`
		Body   struct {
			Display  *string   `json:"display,omitempty" maxLength:"200"`
			Roles    *[]string `json:"roles,omitempty" maxItems:"20" nullable:"false" enum:"viewer,triager,operator,registrar,admin" doc:"All that they are given here."`
			Teams    *[]string `json:"teams,omitempty" maxItems:"200" maxLength:"200" nullable:"false" doc:"All that they are given here; without any they see everything."`
			Disabled *bool     `json:"disabled,omitempty" doc:"Nobody can sign in as them, and their sessions end."`
		}
	}
	add(s, route{id: "change-person", method: http.MethodPatch, path: "/people/{person}", scope: registry.ScopeAdmin, summary: "Change a person", long: "What is left out stays. It counts at once, also for who is signed in."},
		func(ctx context.Context, a registry.Actor, in *changeRequest) (*one, error) {
			texts := append([]string{orZero(in.Body.Display)}, orZero(in.Body.Teams)...)
			if err := s.o.Refuse(ctx, texts...); err != nil {
				return nil, err
			}
			q := registry.PersonChange{Display: in.Body.Display, Teams: in.Body.Teams, Disabled: in.Body.Disabled}
			if in.Body.Roles != nil {
				roles := wordsOf[registry.Role](*in.Body.Roles)
				q.Roles = &roles
			}
			p, err := s.o.Registry.ChangePerson(ctx, a, in.Person, q)
			return &one{p}, err
		})
}

func (s *server) meRoutes() {
	type identity struct{ Body wire.Me }
	add(s, route{id: "who-am-i", method: http.MethodGet, path: "/me", summary: "Who asks, and what they may"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*identity, error) {
			me, err := s.o.Registry.Me(ctx, a)
			return &identity{me}, err
		})
	type sessionPage struct {
		Body struct {
			Sessions []wire.SessionView `json:"sessions" nullable:"false"`
		}
	}
	add(s, route{id: "list-my-sessions", method: http.MethodGet, path: "/me/sessions", summary: "Where you are signed in, the newest first"},
		func(ctx context.Context, a registry.Actor, _ *struct{}) (*sessionPage, error) {
			list, err := s.o.Registry.MySessions(ctx, a, s.o.Terms)
			out := &sessionPage{}
			out.Body.Sessions = list
			return out, err
		})
	type endIn struct {
		ID string `path:"id" minLength:"1" maxLength:"64"`
	}
	add(s, route{id: "end-my-session", method: http.MethodDelete, path: "/me/sessions/{id}", status: http.StatusNoContent, summary: "Sign out in one place"},
		func(ctx context.Context, a registry.Actor, in *endIn) (*struct{}, error) {
			_, err := s.o.Registry.EndSessions(ctx, a, in.ID)
			return &struct{}{}, err
		})
	type endAll struct {
		Others bool `query:"others" doc:"All but the session that asks."`
	}
	add(s, route{id: "end-my-sessions", method: http.MethodDelete, path: "/me/sessions", status: http.StatusNoContent, summary: "Sign out everywhere, or everywhere else"},
		func(ctx context.Context, a registry.Actor, in *endAll) (out *struct{}, err error) {
			if in.Others {
				_, err = s.o.Registry.EndOtherSessions(ctx, a)
			} else {
				_, err = s.o.Registry.EndSessions(ctx, a, "")
			}
			return &struct{}{}, err
		})
}
