package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/search/query"
)

func (s *server) sourceRoutes() []route {
	return []route{
		{path: "/sources", scope: registry.ScopeRead, do: s.sources},
		{path: "/sources/{id}", scope: registry.ScopeRead, do: s.source},
		{path: "/sources/{id}/skipped", scope: registry.ScopeRead, do: s.skipped},
	}
}

// healths are how a source can do, what needs somebody first.
func healths() []string {
	return []string{"failing", "never", "behind", "partial", "skipped", "complete"}
}

// healthWords say what each means.
func healthWords(health string) string {
	return map[string]string{
		"failing": "its newest scan failed", "never": "not scanned yet", "behind": "not searched for the newest values", "partial": "not read to its end",
		"skipped": "read, but for what was skipped", "complete": "read wholly",
	}[health]
}

// sourceRow is a source of a list.
type sourceRow struct {
	registry.SourceSummary
	Health  string
	Counts  []countLink
	Watches []watchRow
}

// PlaceKind is what a source's id begins with, as searches of findings have it.
func (x sourceRow) PlaceKind() string {
	kind, _, _ := strings.Cut(x.ID, ":")
	return kind
}

// sourceList is a page of sources.
type sourceList struct {
	Q, Kind, Health string

	Refused bool
	Kinds   []string
	Tallies []tally // by health, of all that the other conditions select
	Rows    []sourceRow
	Total   int
	Next    string
	First   string
}

// tally is how many rows are alike, with the address of those.
type tally struct {
	Word  string
	Count int
	Link  string
	On    bool
}

func (s *server) sources(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "sources", title: "Sources", nav: "sources"}
	in := r.URL.Query()
	d := sourceList{Q: in.Get("q"), Kind: in.Get("kind"), Health: in.Get("health")}
	if refused, err := s.refuses(r, &p, d.Q); refused || err != nil {
		p.data = sourceList{Refused: true}
		return p, err
	}
	rows, err := s.sourceRows(r, a)
	if err != nil {
		return p, err
	}
	for _, x := range rows {
		if kind := x.PlaceKind(); !slices.Contains(d.Kinds, kind) {
			d.Kinds = append(d.Kinds, kind)
		}
	}
	slices.Sort(d.Kinds)
	rows = slices.DeleteFunc(rows, func(x sourceRow) bool {
		return d.Kind != "" && x.PlaceKind() != d.Kind || !strings.Contains(strings.ToLower(x.ID), strings.ToLower(d.Q))
	})
	d.tallyUp(rows, in)
	if d.Health != "" {
		rows = slices.DeleteFunc(rows, func(x sourceRow) bool { return x.Health != d.Health })
	}
	d.Total = len(rows)
	d.Rows, d.First, d.Next = pageOf(rows, in, "/sources")
	for i := range d.Rows {
		d.Rows[i].Counts = sourceCounts(d.Rows[i].ID, d.Rows[i].Findings)
	}
	p.data = d
	return p, nil
}

// tallyUp counts rows by health.
func (l *sourceList) tallyUp(rows []sourceRow, in url.Values) {
	for _, h := range healths() {
		n := 0
		for _, x := range rows {
			if x.Health == h {
				n++
			}
		}
		if n == 0 && l.Health != h {
			continue
		}
		q := url.Values{}
		for _, key := range []string{"q", "kind"} {
			if in.Get(key) != "" {
				q.Set(key, in.Get(key))
			}
		}
		if l.Health != h {
			q.Set("health", h)
		}
		link := "/sources"
		if len(q) > 0 {
			link += "?" + q.Encode()
		}
		l.Tallies = append(l.Tallies, tally{h, n, link, l.Health == h})
	}
}

// sourceRows are all sources, each with its watches.
func (s *server) sourceRows(r *http.Request, a registry.Actor) ([]sourceRow, error) {
	ctx := r.Context()
	list, err := s.o.Registry.Sources(ctx, a)
	if err != nil {
		return nil, err
	}
	meta, err := s.o.Registry.Meta(ctx, a)
	if err != nil {
		return nil, err
	}
	watches, err := s.watchRows(r, a, store.WatchFilter{})
	if err != nil {
		return nil, err
	}
	of := map[string][]watchRow{}
	for _, w := range watches {
		of[w.Source] = append(of[w.Source], w)
	}
	out := make([]sourceRow, len(list))
	for i, x := range list {
		out[i] = sourceRow{SourceSummary: x, Watches: of[x.ID], Health: healthOf(x.LastScan, of[x.ID], meta.FieldRevision)}
	}
	return out, nil
}

// healthOf says how a source does, by its newest scan and its watches.
func healthOf(last *registry.ScanView, watches []watchRow, fields uint64) string {
	switch {
	case slices.ContainsFunc(watches, func(w watchRow) bool { return w.Outcome == registry.WatchFailed }):
		return "failing"
	case last == nil:
		return "never"
	case last.FieldRevision < fields:
		return "behind"
	case !last.Complete || last.FinishedAt == nil || last.Extent != "" && last.Extent != store.ExtentStream:
		return "partial"
	case last.Skips > 0:
		return "skipped"
	}
	return "complete"
}

// sourceCounts are the findings of a source by verdict, but for what is cleared.
func sourceCounts(id string, counts map[fingerprints.Verdict]int) []countLink {
	in := query.Of(query.In{Field: query.FieldSource, Values: []query.Pattern{query.Literal(id)}}).String()
	var out []countLink
	for _, v := range fingerprints.Verdicts() {
		if n := counts[v]; n > 0 && v != fingerprints.VerdictCleared {
			out = append(out, countLink{v, n, in + " verdict:" + string(v)})
		}
	}
	return out
}

// sourcePage is all that is known of a source.
type sourcePage struct {
	sourceRow
	Scans  []registry.ScanView
	Skips  registry.SkipReport
	Hidden int // skipped places that are not shown
}

// shownSkips is how many skipped places a source's page lists.
const shownSkips = 20

func (s *server) source(r *http.Request, a registry.Actor) (page, error) {
	ctx, id := r.Context(), param(r, "id")
	v, err := s.o.Registry.Source(ctx, a, id)
	if err != nil {
		return page{}, err
	}
	d := sourcePage{Scans: v.Scans}
	d.SourceSummary, d.Counts = v.SourceSummary, sourceCounts(v.ID, v.Findings)
	if d.Watches, err = s.watchRows(r, a, store.WatchFilter{Source: v.ID}); err != nil {
		return page{}, err
	}
	meta, err := s.o.Registry.Meta(ctx, a)
	if err != nil {
		return page{}, err
	}
	d.Health = healthOf(v.LastScan, d.Watches, meta.FieldRevision)
	if d.Skips, err = s.o.Registry.Skips(ctx, a, v.ID, registry.SkipFilter{Limit: shownSkips}); err != nil {
		return page{}, err
	}
	d.Hidden = int(d.Skips.Scan.Skips) - len(d.Skips.Places)
	return page{name: "source", title: v.ID, nav: "sources", data: d}, nil
}

// skipList is a page of what a source's newest scan did not read.
type skipList struct {
	Source string
	Reason string
	Of     string // the scan, as an address has it; "": the newest
	registry.SkipReport
	Next  string
	First string
}

func (s *server) skipped(r *http.Request, a registry.Actor) (page, error) {
	id, in := param(r, "id"), r.URL.Query()
	from := fromOf(in)
	reason := fingerprints.SkipReason(in.Get("reason"))
	if !slices.Contains(fingerprints.SkipReasons(), reason) {
		reason = ""
	}
	scan, _ := strconv.ParseInt(in.Get("scan"), 10, 64)
	report, err := s.o.Registry.Skips(r.Context(), a, id, registry.SkipFilter{Scan: scan, Reason: reason, From: from, Limit: pageSize})
	if err != nil {
		return page{}, err
	}
	d := skipList{Source: id, Reason: string(reason), SkipReport: report}
	path := at("sources", id, "skipped")
	kept := url.Values{}
	if scan != 0 {
		d.Of = strconv.FormatInt(scan, 10)
		kept.Set("scan", d.Of)
	}
	if reason != "" {
		kept.Set("reason", string(reason))
	}
	if from > 0 {
		d.First = fromAddress(path, kept, 0)
	}
	if report.More {
		d.Next = fromAddress(path, kept, from+pageSize)
	}
	return page{name: "skipped", title: "Not read of " + id, nav: "sources", data: d}, nil
}

// watchRow is a watch as lists have it, with how its scan goes that is under way.
type watchRow struct {
	wire.Watch
	Running *store.WorkerScan // nil: none is
}

// watchRows are watches, each with what a worker does for it now.
func (s *server) watchRows(r *http.Request, a registry.Actor, f store.WatchFilter) ([]watchRow, error) {
	list, err := s.o.Registry.Watches(r.Context(), a, f)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	workers, err := s.o.Registry.Workers(r.Context(), a)
	if err != nil {
		return nil, err
	}
	running := map[string]*store.WorkerScan{}
	for _, w := range workers {
		for i := range w.Scans {
			running[w.Scans[i].Watch] = &w.Scans[i]
		}
	}
	out := make([]watchRow, len(list))
	for i, w := range list {
		out[i] = watchRow{registry.WatchView(w), running[w.Name]}
	}
	return out, nil
}
