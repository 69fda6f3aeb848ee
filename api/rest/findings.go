package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/export"
)

// FindingFilter selects findings; what is left out selects everything.
type FindingFilter struct {
	Secret   string   `query:"secret" maxLength:"200" doc:"Of a version of this secret."`
	Version  int      `query:"version" minimum:"1" doc:"With secret: of this version."`
	Source   string   `query:"source" maxLength:"2048"`
	Path     string   `query:"path" maxLength:"2048" doc:"Glob over redacted paths; * stops at a slash, ** does not."`
	Rule     string   `query:"rule" maxLength:"256"`
	Owner    string   `query:"owner" maxLength:"200"`
	Verdict  []string `query:"verdict" enum:"compromised,leaked,stale,overdue,lagging,premature,unregistered,allowed,cleared"`
	Status   []string `query:"status" enum:"open,accepted,false-positive"`
	Presence []string `query:"presence" enum:"tip,history,unreachable,visible,shadowed,metadata,retained,expired,gone"`
}

// Resolve refuses a version of no secret: it would select nothing.
func (f *FindingFilter) Resolve(huma.Context) []error {
	if f.Version > 0 && f.Secret == "" {
		return []error{&huma.ErrorDetail{Location: "query.secret", Message: "required with version"}}
	}
	return nil
}

func (f FindingFilter) of() store.FindingFilter {
	return store.FindingFilter{
		Secret: f.Secret, Version: f.Version, SourceID: f.Source, PathGlob: f.Path, Rule: f.Rule, Owner: f.Owner,
		Verdicts: wordsOf[fingerprints.Verdict](f.Verdict), Statuses: wordsOf[fingerprints.Status](f.Status), Presences: wordsOf[fingerprints.Presence](f.Presence),
	}
}

func wordsOf[T ~string](list []string) []T {
	var out []T
	for _, w := range list {
		out = append(out, T(w))
	}
	return out
}

// FindingID names a finding.
type FindingID struct {
	ID string `path:"id" minLength:"4" maxLength:"64" doc:"The id, an alias, or a beginning of one that no other has."`
}

func (s *server) findingRoutes() {
	type findingPage struct {
		Body struct {
			Findings []wire.FindingView `json:"findings" nullable:"false"`
			Next     string             `json:"next,omitempty" doc:"Of after, for the next page; absent on the last."`
		}
	}
	type listIn struct {
		Page
		FindingFilter
	}
	add(s, route{id: "list-findings", method: http.MethodGet, path: "/findings", scope: registry.ScopeRead, summary: "Findings in order of id"},
		func(ctx context.Context, a registry.Actor, in *listIn) (*findingPage, error) {
			f := in.of()
			f.After, f.Limit = fingerprints.FindingID(in.After), in.Limit+1
			if in.After != "" && !f.After.Valid() {
				return nil, badAfter()
			}
			all, err := s.o.Registry.Findings(ctx, a, f)
			out := &findingPage{}
			out.Body.Findings, out.Body.Next = paged(all, in.Limit, func(x wire.FindingView) string { return string(x.ID) })
			return out, err
		})
	type findingCounts struct {
		Body struct {
			Verdicts map[fingerprints.Verdict]int `json:"verdicts"`
		}
	}
	add(s, route{id: "count-findings", method: http.MethodGet, path: "/findings/counts", scope: registry.ScopeRead, summary: "How many findings have each verdict"},
		func(ctx context.Context, a registry.Actor, in *FindingFilter) (*findingCounts, error) {
			n, err := s.o.Registry.Verdicts(ctx, a, in.of())
			out := &findingCounts{}
			out.Body.Verdicts = n
			return out, err
		})
	add(s, route{id: "get-finding", method: http.MethodGet, path: "/findings/{id}", scope: registry.ScopeRead, summary: "A finding with its places and its history"},
		func(ctx context.Context, a registry.Actor, in *FindingID) (*tagged[wire.FindingDetail], error) {
			return withTag(s.o.Registry.Finding(ctx, a, in.ID))
		})
	type exportIn struct {
		FindingFilter
		Format string `query:"format" enum:"ndjson,csv" default:"ndjson"`
	}
	add(s, route{
		id: "export-findings", method: http.MethodGet, path: "/findings/export", scope: registry.ScopeRead, summary: "All findings that a filter selects",
		long:    "A line for each with its places and its history as JSON; as CSV a row for each place, as `revenant findings export` writes them. The last line of NDJSON is {\"end\":N}, the last of CSV begins with #end; an answer without it was cut off.",
		answers: map[string]*huma.Response{"200": inTypes("Findings", "application/x-ndjson", "text/csv")},
	}, func(ctx context.Context, a registry.Actor, in *exportIn) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(out huma.Context) { s.export(ctx, a, in.of(), in.Format, out) }}, nil
	})
}

// exportPage is how many findings are read in one look at the store.
const exportPage = 500

// export writes findings page by page: a slow reader holds no look at the store.
func (s *server) export(ctx context.Context, a registry.Actor, f store.FindingFilter, format string, out huma.Context) {
	w := export.NDJSON(out.BodyWriter())
	kind := "application/x-ndjson"
	if format == "csv" {
		w, kind = export.CSV(out.BodyWriter()), "text/csv; charset=utf-8"
	}
	out.SetHeader("Content-Type", kind)
	n := 0
	for f.Limit = exportPage; ; {
		var page []wire.FindingDetail
		err := s.o.Registry.Export(ctx, a, f, func(d registry.FindingDetail) error {
			page = append(page, d)
			return nil
		})
		if err != nil {
			_ = s.problemOf(ctx, "export-findings", err) // it is logged; the missing end tells
			return
		}
		for _, d := range page {
			if w.Write(d) != nil {
				return
			}
		}
		if n += len(page); len(page) < exportPage {
			_ = w.End(n)
			return
		}
		f.After = page[len(page)-1].ID
	}
}
