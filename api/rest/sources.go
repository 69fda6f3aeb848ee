package rest

import (
	"context"
	"net/http"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// SourceID names a source.
type SourceID struct {
	ID string `path:"id" minLength:"1" maxLength:"2048" doc:"The source's id; a slash is sent as %2F."`
}

func (s *server) sourceRoutes() {
	type sourcePage struct {
		Body struct {
			Sources []wire.SourceSummary `json:"sources" nullable:"false"`
			Next    string               `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	add(s, route{id: "list-sources", method: http.MethodGet, path: "/sources", scope: registry.ScopeRead, summary: "Sources in order of id, with their last scan"},
		func(ctx context.Context, a registry.Actor, in *Page) (*sourcePage, error) {
			list, err := s.o.Registry.SourcesAfter(ctx, a, in.After, in.Limit+1)
			out := &sourcePage{}
			out.Body.Sources, out.Body.Next = paged(list, in.Limit, func(x wire.SourceSummary) string { return x.ID })
			return out, err
		})
	add(s, route{id: "get-source", method: http.MethodGet, path: "/sources/{id}", scope: registry.ScopeRead, summary: "A source with its scans, and what the newest skipped"},
		func(ctx context.Context, a registry.Actor, in *SourceID) (*tagged[wire.SourceView], error) {
			return withTag(s.o.Registry.Source(ctx, a, in.ID))
		})
	type moveRequest struct {
		SourceID
		Body struct {
			To string `json:"to" minLength:"1" maxLength:"2048" doc:"Its new id."`
		}
	}
	type moved struct{ Body wire.SourceSummary }
	add(s, route{id: "move-source", method: http.MethodPost, path: "/sources/{id}/move", scope: registry.ScopeAdmin, summary: "Give a source another id; its findings go along"},
		func(ctx context.Context, a registry.Actor, in *moveRequest) (*moved, error) {
			if err := s.o.Refuse(ctx, in.Body.To); err != nil {
				return nil, err
			}
			v, err := s.o.Registry.MoveSource(ctx, a, in.ID, in.Body.To)
			return &moved{v}, err
		})
	add(s, route{id: "forget-source", method: http.MethodDelete, path: "/sources/{id}", scope: registry.ScopeAdmin, status: http.StatusNoContent, summary: "Forget a source and its findings"},
		func(ctx context.Context, a registry.Actor, in *SourceID) (*struct{}, error) {
			return &struct{}{}, s.o.Registry.ForgetSource(ctx, a, in.ID)
		})
}
