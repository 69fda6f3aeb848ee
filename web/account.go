package web

import (
	"net/http"

	"revenant/fingerprints/registry"
)

func (s *server) accountRoutes() []route {
	return []route{
		{path: "/account", do: s.account},
		{method: http.MethodPost, path: "/account/sessions/end", do: s.endSession},
	}
}

// accountPage is what somebody may know of themselves.
type accountPage struct {
	registry.Me
	Rows   []registry.SessionView
	Others int // sessions that are not the one that asks
	Next   string
	First  string
}

func (s *server) account(r *http.Request, a registry.Actor) (page, error) {
	ctx, p := r.Context(), page{name: "account", title: "Your account", nav: "account"}
	me, err := s.o.Registry.Me(ctx, a)
	if err != nil {
		return p, err
	}
	all, err := s.o.Registry.MySessions(ctx, a, s.o.Terms)
	d := accountPage{Me: me}
	for _, x := range all {
		if !x.Current {
			d.Others++
		}
	}
	d.Rows, d.First, d.Next = pageOf(all, r.URL.Query(), "/account")
	p.data = d
	return p, err
}

// endSession ends one session of the reader, or all but the one that asks.
func (s *server) endSession(r *http.Request, a registry.Actor) (page, error) {
	id, word := r.PostForm.Get("id"), "out-there"
	var err error
	switch {
	case r.PostForm.Get("others") != "":
		word = "out-others"
		_, err = s.o.Registry.EndOtherSessions(r.Context(), a)
	case id == "": // no id would end all of them
		err = errForm
	default:
		_, err = s.o.Registry.EndSessions(r.Context(), a, id)
	}
	if err != nil {
		return page{}, err
	}
	return done("/account", word)
}
