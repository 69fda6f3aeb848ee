package rest

import (
	"context"
	"net/http"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
)

// scanRoutes are for laptops and pipelines, which scan by themselves.
func (s *server) scanRoutes() {
	type resultsRequest struct{ Body wire.ScanResults }
	type told struct{ Body wire.ScanTold }
	add(s, route{
		id: "tell-scan", method: http.MethodPost, path: "/scans", scope: registry.ScopeScan, summary: "Tell what a scan elsewhere found, or a part of it",
		long: "Ids, redacted paths and places, made with the edge pack and its holders' key: no value, no text around it. The last part has `end`. The same part may be sent again. What is told makes no coverage complete.",
	}, func(ctx context.Context, a registry.Actor, in *resultsRequest) (*told, error) {
		if err := s.o.Refuse(ctx, textsOf(in.Body)...); err != nil {
			return nil, err
		}
		t, err := s.o.Registry.TellScan(ctx, a, in.Body)
		return &told{t}, err
	})
}

// textsOf is everything of results that is stored as a text.
func textsOf(q wire.ScanResults) []string {
	out := []string{q.Source}
	for _, f := range q.Findings {
		out = append(out, f.Path, f.Owner, f.Locator, f.URL, f.Rule, f.Author)
	}
	for _, k := range q.Skips {
		out = append(out, k.Path, k.Locator, k.Detail)
	}
	if q.End != nil {
		out = append(out, q.End.Through)
	}
	return out
}
