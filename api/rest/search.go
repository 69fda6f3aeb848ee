package rest

import (
	"context"
	"errors"
	"net/http"

	"revenant/fingerprints/registry"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

func (s *server) searchRoutes() {
	type searchRequest struct {
		Q      string   `query:"q" maxLength:"4096" doc:"As in verdict:stale owner:payments age>30d \"some words\"; everything without it."`
		Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"50" doc:"How many at most."`
		After  string   `query:"after" maxLength:"4096" doc:"The next of the page before."`
		Order  string   `query:"order" enum:"worst,oldest" default:"worst" doc:"What comes first: by severity and verdict, or by when it was first seen."`
		Facets []string `query:"facets" maxItems:"20" doc:"Fields whose values are counted among what was found."`
		Top    int      `query:"top" minimum:"1" maximum:"100" default:"10" doc:"Values of each facet."`
	}
	type searchAnswer struct{ Body search.Result }
	add(s, route{
		id: "search-findings", method: http.MethodGet, path: "/search", scope: registry.ScopeRead, summary: "Findings by words and conditions, the worst or the oldest first",
		long: "Total and most differ where the index is behind. Nothing is shown that does not match now.",
	}, func(ctx context.Context, a registry.Actor, in *searchRequest) (*searchAnswer, error) {
		q, err := query.Parse(in.Q)
		if err != nil {
			return nil, searchProblem(err)
		}
		facets, err := facetsOf(in.Facets)
		if err != nil {
			return nil, err
		}
		order, _ := search.OrderOf(in.Order) // the document allows no other
		r, err := s.o.Search().Search(ctx, a, q, search.Page{Limit: in.Limit, After: in.After, Order: order, Facets: facets, Top: in.Top})
		return &searchAnswer{r}, searchProblem(err)
	})
	type suggestRequest struct {
		Q     string `query:"q" maxLength:"4096" doc:"A query that is being typed; its last word is completed."`
		Limit int    `query:"limit" minimum:"1" maximum:"100" default:"10"`
	}
	type suggestAnswer struct {
		Body struct {
			Suggestions []string `json:"suggestions" nullable:"false"`
		}
	}
	add(s, route{id: "suggest-query", method: http.MethodGet, path: "/search/suggestions", scope: registry.ScopeRead, summary: "What may follow in a query: fields, and values that there are"},
		func(ctx context.Context, a registry.Actor, in *suggestRequest) (*suggestAnswer, error) {
			list, err := s.o.Search().Suggest(ctx, a, in.Q, in.Limit)
			out := &suggestAnswer{}
			out.Body.Suggestions, _ = paged(list, len(list), nil)
			return out, searchProblem(err)
		})
}

// facetsOf are the fields that can be counted by these names.
func facetsOf(names []string) ([]query.Field, error) {
	known := map[string]bool{}
	for _, f := range query.Facets() {
		known[string(f)] = true
	}
	var out []query.Field
	for _, n := range names {
		if !known[n] {
			return nil, invalidAt("/facets", errors.New("use "+joined(query.Facets())))
		}
		out = append(out, query.Field(n))
	}
	return out, nil
}

func joined[T ~string](list []T) (out string) {
	for i, w := range list {
		if i > 0 {
			out += ", "
		}
		out += string(w)
	}
	return out
}

// searchProblem is for the sender where the query is what is wrong.
func searchProblem(err error) error {
	var bad *query.Error
	switch {
	case errors.As(err, &bad):
		return invalidAt("/q", bad)
	case errors.Is(err, search.ErrCursor):
		return invalidAt("/after", search.ErrCursor)
	case errors.Is(err, search.ErrBroad):
		return invalidAt("/q", search.ErrBroad)
	}
	return err
}
