package web

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints/registry"
	cells "revenant/ingest/report/csv"
)

// exportAudit answers with all entries that a filter selects, the oldest first.
func (s *server) exportAudit(r *http.Request, a registry.Actor) (page, error) {
	ctx := r.Context()
	f, err := auditFilterOf(r.URL.Query())
	if err == nil {
		err = s.o.Refuse(ctx, f.Actor, f.Action, f.Subject, f.From, f.To)
	}
	if err != nil {
		return page{}, err
	}
	kind, name, writer := "application/x-ndjson", "audit.ndjson", auditLines
	if r.URL.Query().Get("format") == "csv" {
		kind, name, writer = "text/csv; charset=utf-8", "audit.csv", auditTable
	}
	return page{nav: "audit", raw: func(w http.ResponseWriter) error {
		download(w, kind, name)
		put, end := writer(w)
		n := 0
		err := s.o.Registry.AuditLog(ctx, a, 1, func(e registry.AuditEntry) error {
			if !f.selects(e) {
				return nil
			}
			n++
			return put(e)
		})
		if err == nil {
			err = end(s.auditEnd(ctx, a, n))
		}
		if err != nil {
			panic(http.ErrAbortHandler) // a part must not pass for the whole
		}
		return nil
	}}, nil
}

// auditEnd is the last line of an export: how many entries stand before it, and
// whether the chain of the whole log verified when they had been read.
type auditEnd struct {
	Entries int             `json:"end"`
	Chain   string          `json:"chain"`          // verifies, broken, or not checked
	Head    *wire.AuditHead `json:"head,omitempty"` // the chain's end, where it verifies
}

func (s *server) auditEnd(ctx context.Context, a registry.Actor, n int) auditEnd {
	report, err := s.o.Registry.VerifyAudit(ctx, a, nil)
	switch {
	case errors.Is(err, registry.ErrAuditBroken):
		return auditEnd{Entries: n, Chain: "broken"}
	case err != nil:
		s.o.Log.WarnContext(ctx, "the chain was not checked for an export of the audit log", slog.Any("error", err))
		return auditEnd{Entries: n, Chain: "not checked"}
	}
	return auditEnd{Entries: n, Chain: "verifies", Head: &report.Head}
}

// auditLines writes entries as lines of JSON.
func auditLines(w io.Writer) (put func(registry.AuditEntry) error, end func(auditEnd) error) {
	enc := json.NewEncoder(w)
	return func(e registry.AuditEntry) error { return enc.Encode(e) }, func(e auditEnd) error { return enc.Encode(e) }
}

// auditTable writes entries as rows, of which no spreadsheet takes a cell for a formula.
func auditTable(w io.Writer) (put func(registry.AuditEntry) error, end func(auditEnd) error) {
	out := csv.NewWriter(w)
	err := out.Write([]string{"Sequence", "At", "Actor", "Action", "Subject", "Revision", "Details"})
	put = func(e registry.AuditEntry) error {
		details, jsonErr := json.Marshal(e.Details)
		row := []string{fmt.Sprint(e.Sequence), e.At.UTC().Format(time.RFC3339), e.Actor, e.Action, e.Subject, fmt.Sprint(e.Revision), string(details)}
		for i := range row {
			row[i] = cells.Defused(row[i])
		}
		return errors.Join(err, jsonErr, out.Write(row))
	}
	return put, func(e auditEnd) error {
		last := []string{"#end", strconv.Itoa(e.Entries), "chain", e.Chain, "", "", ""}
		if e.Head != nil {
			last[4], last[5] = "head "+strconv.FormatUint(e.Head.Sequence, 10), e.Head.MAC
		}
		writeErr := out.Write(last)
		out.Flush()
		return errors.Join(err, writeErr, out.Error())
	}
}
