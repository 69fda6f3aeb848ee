package rest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Page is what every list takes.
type Page struct {
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
	After string `query:"after" maxLength:"4096" doc:"The next of the page before."`
}

// paged cuts a list that was asked for with one more than its limit.
func paged[T any](list []T, limit int, key func(T) string) (rows []T, next string) {
	if len(list) > limit {
		list = list[:limit]
		next = key(list[limit-1])
	}
	if list == nil {
		list = []T{}
	}
	return list, next
}

// badAfter refuses a place that no page gave.
func badAfter() error {
	return invalidAt("/after", errors.New("give what the page before has as next, or begin with the first page"))
}

// behind are the rows of a list behind a key, in whose order it is.
func behind[T any](list []T, after string, key func(T) string) []T {
	from, found := slices.BinarySearchFunc(list, after, func(row T, after string) int { return strings.Compare(key(row), after) })
	if found {
		from++
	}
	return list[from:]
}

// Named names a secret.
type Named struct {
	Name string `path:"name" minLength:"1" maxLength:"200" doc:"The secret's name; a slash is sent as %2F."`
}

func (s *server) secretRoutes() {
	type secretPage struct {
		Body struct {
			Secrets []wire.SecretSummary `json:"secrets" nullable:"false"`
			Next    string               `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	type listIn struct {
		Page
		Prefix string `query:"prefix" maxLength:"200" doc:"Names that begin so."`
		Class  string `query:"class" enum:"application,third-party,cryptographic,bootstrap"`
		Owner  string `query:"owner" maxLength:"200"`
		State  string `query:"state" enum:"pending,active,superseded,retired,abandoned" doc:"With a version in this state."`
	}
	add(s, route{id: "list-secrets", method: http.MethodGet, path: "/secrets", scope: registry.ScopeRead, summary: "Secrets in order of name"},
		func(ctx context.Context, a registry.Actor, in *listIn) (*secretPage, error) {
			all, err := s.o.Registry.List(ctx, a, registry.ListFilter{
				Prefix: in.Prefix, Class: fingerprints.Class(in.Class), Owner: in.Owner, State: fingerprints.State(in.State), After: in.After, Limit: in.Limit + 1,
			})
			out := &secretPage{}
			out.Body.Secrets, out.Body.Next = paged(all, in.Limit, func(x wire.SecretSummary) string { return x.Name })
			return out, err
		})
	add(s, route{id: "get-secret", method: http.MethodGet, path: "/secrets/{name}", scope: registry.ScopeRead, summary: "All that is known of a secret"},
		func(ctx context.Context, a registry.Actor, in *Named) (*tagged[wire.SecretView], error) {
			return withTag(s.o.Registry.Show(ctx, a, in.Name))
		})
	type secretHistory struct {
		Body struct {
			Entries []wire.AuditEntry `json:"entries" nullable:"false"`
		}
	}
	add(s, route{id: "get-secret-history", method: http.MethodGet, path: "/secrets/{name}/history", scope: registry.ScopeRead, summary: "What was done to a secret, the oldest first"},
		func(ctx context.Context, a registry.Actor, in *Named) (*secretHistory, error) {
			list, err := s.o.Registry.History(ctx, a, in.Name)
			out := &secretHistory{}
			out.Body.Entries, _ = paged(list, len(list), nil)
			return out, err
		})
	type allowRequest struct {
		Named
		Body struct {
			Source string    `json:"source,omitempty" maxLength:"2048" doc:"Glob over source ids; all without it."`
			Path   string    `json:"path,omitempty" maxLength:"2048" doc:"Glob over paths; all without it."`
			Until  time.Time `json:"until,omitzero" doc:"No end without it."`
			Reason string    `json:"reason" minLength:"1" maxLength:"1000"`
		}
	}
	type allowOut struct{ Body wire.AllowResult }
	add(s, route{id: "allow-place", method: http.MethodPost, path: "/secrets/{name}/homes", scope: registry.ScopeRotate, summary: "Allow a place to hold a secret's active and superseded values"},
		func(ctx context.Context, a registry.Actor, in *allowRequest) (*allowOut, error) {
			if err := s.o.Refuse(ctx, in.Body.Source, in.Body.Path, in.Body.Reason); err != nil {
				return nil, err
			}
			r, err := s.o.Registry.Allow(ctx, a, registry.AllowRequest{Name: in.Name, Source: in.Body.Source, Path: in.Body.Path, Until: in.Body.Until, Reason: in.Body.Reason})
			return &allowOut{r}, err
		})
	type unallowIn struct {
		Named
		ID int64 `path:"id"`
	}
	add(s, route{id: "forbid-place", method: http.MethodDelete, path: "/secrets/{name}/homes/{id}", scope: registry.ScopeRotate, summary: "Take an allowed place back"},
		func(ctx context.Context, a registry.Actor, in *unallowIn) (*allowOut, error) {
			r, err := s.o.Registry.Unallow(ctx, a, in.Name, in.ID)
			return &allowOut{r}, err
		})
}
