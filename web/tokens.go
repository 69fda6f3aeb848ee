package web

import (
	"net/http"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

func (s *server) tokenRoutes() []route {
	return []route{
		{path: "/tokens", scope: registry.ScopeAdmin, do: s.tokens},
		{method: http.MethodPost, path: "/tokens", scope: registry.ScopeAdmin, do: s.addToken},
		{method: http.MethodPost, path: "/tokens/{id}/revoke", scope: registry.ScopeAdmin, do: s.revokeToken},
	}
}

// tokenList is every token, those that count first.
type tokenList struct {
	Rows   []registry.TokenView
	Scopes []registry.Scope // that the reader can give on
	Total  int
	Next   string
	First  string
	// Made was made just now, and Shown is what is to be shown to the server: it is on
	// this answer alone.
	Made  registry.TokenView
	Shown string
}

func (s *server) tokens(r *http.Request, a registry.Actor) (page, error) {
	d, err := s.tokensOf(r, a)
	return page{name: "tokens", title: "Tokens", nav: "tokens", data: d}, err
}

func (s *server) tokensOf(r *http.Request, a registry.Actor) (tokenList, error) {
	all, err := s.o.Registry.Tokens(r.Context(), a)
	over := func(k registry.TokenView) bool { return k.Expired || k.RevokedAt != nil }
	slices.SortStableFunc(all, func(x, y registry.TokenView) int {
		switch {
		case over(x) == over(y):
			return 0
		case over(x):
			return 1
		}
		return -1
	})
	d := tokenList{Total: len(all)}
	for _, scope := range registry.Scopes() {
		if a.May(scope) {
			d.Scopes = append(d.Scopes, scope)
		}
	}
	d.Rows, d.First, d.Next = pageOf(all, r.URL.Query(), "/tokens")
	return d, err
}

// addToken makes a token and shows it, this once.
func (s *server) addToken(r *http.Request, a registry.Actor) (page, error) {
	f := r.PostForm
	if err := s.o.Refuse(r.Context(), f.Get("name"), f.Get("teams")); err != nil {
		return page{}, err
	}
	expires, err := dayOf("expires", f.Get("expires"))
	if err != nil {
		return page{}, err
	}
	q := registry.TokenRequest{Name: f.Get("name"), Teams: namesIn(f.Get("teams")), ExpiresAt: expires}
	for _, word := range f["scope"] {
		q.Scopes = append(q.Scopes, registry.Scope(word))
	}
	made, shown, err := s.o.Registry.AddToken(r.Context(), a, q)
	if err != nil {
		return page{}, err
	}
	d, err := s.tokensOf(r, a)
	d.Made, d.Shown = made, plainly(shown)
	return page{name: "tokens", title: "Token made", nav: "tokens", data: d, fleeting: true}, err
}

// scopeWords say what a scope allows.
func scopeWords(scope registry.Scope) string {
	return map[registry.Scope]string{
		registry.ScopeScan: "reports scans, and asks for them", registry.ScopeRegister: "registers and issues secrets", registry.ScopeRotate: "moves versions through their life",
		registry.ScopeRead: "looks at everything that is stored", registry.ScopeTriage: "accepts, dismisses and assigns findings", registry.ScopePack: "builds and exports packs",
		registry.ScopeLookup: "asks whether weak values are registered",
		registry.ScopeAdmin:  "sources, watches, people, tokens, checkpoints",
	}[scope]
}

// plainly is what was made for somebody to be shown to them: a token or a link, never
// a value of a secret.
func plainly(v fingerprints.Value) string { return string(v.Reveal()) }

func (s *server) revokeToken(r *http.Request, a registry.Actor) (page, error) {
	if _, err := s.o.Registry.RevokeToken(r.Context(), a, param(r, "id")); err != nil {
		return page{}, err
	}
	return done("/tokens", "revoked")
}
