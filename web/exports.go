package web

import (
	"errors"
	"net/http"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/export"
	"revenant/ingest/search"
	"revenant/ingest/search/query"
)

// exportPage is how many findings are looked up at once.
const exportPage = 500

// exported is the view of a query as a file. It is written page by page: a slow reader
// holds no look at the store, and what is cut off lacks its last line.
func (s *server) exported(r *http.Request, a registry.Actor) (page, error) {
	text := r.URL.Query().Get("q")
	if err := s.o.Refuse(r.Context(), text); err != nil {
		return page{}, err
	}
	q, err := query.Parse(text)
	if err != nil {
		return page{}, &registry.InputError{Input: "q", Want: "the query cannot be read", Kind: registry.ErrInput}
	}
	return page{nav: "findings", raw: func(w http.ResponseWriter) error {
		h := w.Header()
		out := export.NDJSON(w)
		h.Set("Content-Type", "application/x-ndjson")
		h.Set("Content-Disposition", `attachment; filename="findings.ndjson"`)
		if r.URL.Query().Get("format") == "csv" {
			out = export.CSV(w)
			h.Set("Content-Type", "text/csv; charset=utf-8")
			h.Set("Content-Disposition", `attachment; filename="findings.csv"`)
		}
		return s.exportTo(r, a, q, out)
	}}, nil
}

// errCut says that the store was not read to its end.
var errCut = errors.New("the store was not read to its end in time")

func (s *server) exportTo(r *http.Request, a registry.Actor, q query.Query, out export.Writer) error {
	n, after := 0, ""
	for {
		found, err := s.o.Search().Search(r.Context(), a, q, search.Page{Limit: exportPage, After: after})
		if err != nil {
			return err
		}
		if found.Cut {
			return errCut
		}
		ids := make([]fingerprints.FindingID, len(found.Findings))
		for i, f := range found.Findings {
			ids[i] = f.ID
		}
		details, err := s.o.Registry.FindingsByID(r.Context(), a, ids, 0)
		if err != nil {
			return err
		}
		for _, d := range details {
			if err := out.Write(d); err != nil {
				return err
			}
		}
		n += len(details)
		if after = found.Next; after == "" {
			return out.End(n)
		}
	}
}
