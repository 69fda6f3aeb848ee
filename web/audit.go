package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints/registry"
)

func (s *server) auditRoutes() []route {
	return []route{
		{path: "/audit", scope: registry.ScopeRead, do: s.audit},
		{path: "/audit/export", scope: registry.ScopeRead, do: s.exportAudit},
		{method: http.MethodPost, path: "/audit/verify", scope: registry.ScopeRead, do: s.verifyAudit},
		{method: http.MethodPost, path: "/audit/checkpoint", scope: registry.ScopeAdmin, do: s.checkpoint},
	}
}

// auditFilter selects entries of the audit log, as a form says it: a word that ends
// with * is what a name begins with.
type auditFilter struct {
	Actor, Action, Subject string
	From, To               string // days, To included

	from, until time.Time
}

func auditFilterOf(q url.Values) (auditFilter, error) {
	f := auditFilter{Actor: q.Get("actor"), Action: q.Get("action"), Subject: q.Get("subject"), From: q.Get("from"), To: q.Get("to")}
	var err error
	if f.from, err = dayOf("from", f.From); err != nil {
		return f, err
	}
	if f.until, err = dayOf("to", f.To); err == nil && !f.until.IsZero() {
		f.until = f.until.Add(day)
	}
	return f, err
}

// Filtered reports whether something narrows the log.
func (f auditFilter) Filtered() bool { return len(f.values()) > 0 }

// values are the filter as an address has it.
func (f auditFilter) values() url.Values {
	out := url.Values{}
	for key, text := range map[string]string{"actor": f.Actor, "action": f.Action, "subject": f.Subject, "from": f.From, "to": f.To} {
		if text != "" {
			out.Set(key, text)
		}
	}
	return out
}

// address is the log's with the filter, and more.
func (f auditFilter) address(path string, more ...string) string {
	q := f.values()
	for i := 0; i < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// selects reports whether an entry is one of those that are looked for. A secret's name
// selects its versions too.
func (f auditFilter) selects(e registry.AuditEntry) bool {
	secret, _, _ := strings.Cut(e.Subject, "@")
	return named(f.Actor, e.Actor) && named(f.Action, e.Action) && (named(f.Subject, e.Subject) || named(f.Subject, secret)) &&
		!e.At.Before(f.from) && (f.until.IsZero() || e.At.Before(f.until))
}

// named reports whether a name is the wanted one; "": any.
func named(wanted, name string) bool {
	if begin, is := strings.CutSuffix(wanted, "*"); is {
		return strings.HasPrefix(name, begin)
	}
	return wanted == "" || name == wanted
}

// auditPage is a page of the audit log, the newest first.
type auditPage struct {
	Filter  auditFilter
	Refused bool
	Problem string
	Rows    []registry.AuditEntry
	Newest  uint64 // number of the log's last entry
	Next    string
	First   string
	// Cut: so many entries were looked through that the rest is left for the next page.
	Cut  bool
	CSV  string
	JSON string
	// Report is what verifying found; nil: nobody asked.
	Report *registry.AuditReport
	Broken string // why the chain does not verify
}

// How the log is looked through, from its end.
const (
	auditChunk = 500
	auditMost  = 20_000 // for one page
)

func (s *server) audit(r *http.Request, a registry.Actor) (page, error) {
	d, p, err := s.auditPageOf(r, a, r.URL.Query())
	p.data = d
	return p, err
}

func (s *server) auditPageOf(r *http.Request, a registry.Actor, in url.Values) (auditPage, page, error) {
	p := page{name: "audit", title: "Audit log", nav: "audit"}
	f, err := auditFilterOf(in)
	d := auditPage{Filter: f}
	if refused, err := s.refuses(r, &p, f.Actor, f.Action, f.Subject, f.From, f.To); refused || err != nil {
		return auditPage{Refused: refused}, p, err
	}
	var bad *registry.InputError
	if errors.As(err, &bad) {
		d.Problem, p.status = sentence(bad.Input+": "+bad.Way().Error()), http.StatusUnprocessableEntity
		return d, p, nil
	}
	end, err := s.o.Registry.FeedEnd(r.Context(), a)
	if err != nil {
		return d, p, err
	}
	d.Newest = end.Audit
	d.CSV, d.JSON = f.address("/audit/export", "format", "csv"), f.address("/audit/export", "format", "ndjson")
	last := end.Audit
	if before, err := strconv.ParseUint(in.Get("before"), 10, 64); err == nil && before > 0 && before <= end.Audit {
		last, d.First = before-1, f.address("/audit")
	}
	next, err := s.newestAudit(r.Context(), a, f, last, &d)
	if next > 0 {
		d.Next = f.address("/audit", "before", strconv.FormatUint(next, 10))
	}
	return d, p, err
}

// newestAudit fills in the entries up to one that a filter selects, the newest first,
// and returns before which to go on; 0: there are no more.
func (s *server) newestAudit(ctx context.Context, a registry.Actor, f auditFilter, last uint64, d *auditPage) (uint64, error) {
	for looked := 0; last > 0; {
		first := uint64(1)
		if last > auditChunk {
			first = last - auditChunk + 1
		}
		chunk, err := s.auditBetween(ctx, a, first, last)
		if err != nil {
			return 0, err
		}
		for _, e := range slices.Backward(chunk) {
			if e.At.Before(f.from) {
				return 0, nil // so is everything before it
			}
			if !f.selects(e) {
				continue
			}
			if len(d.Rows) == pageSize {
				return e.Sequence + 1, nil
			}
			d.Rows = append(d.Rows, e)
		}
		last = first - 1
		if looked += auditChunk; looked >= auditMost && last > 0 {
			d.Cut = true
			return first, nil
		}
	}
	return 0, nil
}

// errEnough ends a look through the audit log.
var errEnough = errors.New("enough")

// auditBetween are the entries of two numbers and between.
func (s *server) auditBetween(ctx context.Context, a registry.Actor, first, last uint64) ([]registry.AuditEntry, error) {
	var out []registry.AuditEntry
	err := s.o.Registry.AuditLog(ctx, a, first, func(e registry.AuditEntry) error {
		if e.Sequence > last {
			return errEnough
		}
		out = append(out, e)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// verifyAudit checks the whole chain, against a checkpoint that was kept elsewhere
// where somebody has one.
func (s *server) verifyAudit(r *http.Request, a registry.Actor) (page, error) {
	var against []byte
	if text := strings.TrimSpace(r.PostForm.Get("checkpoint")); text != "" {
		against = []byte(strings.ReplaceAll(text, "\r\n", "\n") + "\n")
	}
	report, err := s.o.Registry.VerifyAudit(r.Context(), a, against)
	broken := errors.Is(err, registry.ErrAuditBroken)
	if err != nil && !broken {
		return page{}, err
	}
	d, p, listErr := s.auditPageOf(r, a, nil)
	d.Report = &report
	if broken {
		d.Broken = sentence(strings.TrimPrefix(err.Error(), "verifying the audit chain: "))
	}
	p.data = d
	return p, listErr
}

// checkpoint signs the newest entry, to be kept elsewhere.
func (s *server) checkpoint(r *http.Request, a registry.Actor) (page, error) {
	signed, err := s.o.Registry.Checkpoint(r.Context(), a)
	if err != nil {
		return page{}, err
	}
	return page{nav: "audit", raw: func(w http.ResponseWriter) error {
		download(w, "text/plain; charset=utf-8", "audit-checkpoint.txt")
		_, err := w.Write(signed)
		return err
	}}, nil
}
