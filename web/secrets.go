package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/search/query"
)

func (s *server) secretRoutes() []route {
	return []route{
		{path: "/secrets", scope: registry.ScopeRead, do: s.secrets},
		{path: "/secrets/{name}", scope: registry.ScopeRead, do: s.secret},
		{method: http.MethodPost, path: "/secrets/{name}/acks", scope: registry.ScopeRotate, do: s.acknowledge},
	}
}

// secretRow is a secret of a list, with its open findings.
type secretRow struct {
	registry.SecretSummary
	Open  int
	Query string // selects them
}

// secretList is a page of secrets.
type secretList struct {
	Prefix, Class, Owner, State, Only string

	Classes []fingerprints.Class
	States  []fingerprints.State
	Refused bool // what was asked for holds a registered value
	Rows    []secretRow
	Next    string
	First   string // address of the first page, where this is another
}

// filtered reports whether something narrows the list.
func (l secretList) Filtered() bool { return l.Prefix+l.Class+l.Owner+l.State+l.Only != "" }

// address is that of the list behind a name; "": of its first page.
func (l secretList) address(after string) string {
	v := url.Values{}
	for key, text := range map[string]string{"prefix": l.Prefix, "class": l.Class, "owner": l.Owner, "state": l.State, "only": l.Only, "after": after} {
		if text != "" {
			v.Set(key, text)
		}
	}
	if len(v) == 0 {
		return "/secrets"
	}
	return "/secrets?" + v.Encode()
}

func (s *server) secrets(r *http.Request, a registry.Actor) (page, error) {
	p := page{name: "secrets", title: "Secrets", nav: "secrets"}
	in := r.URL.Query()
	l := secretList{
		Prefix: in.Get("prefix"), Class: in.Get("class"), Owner: in.Get("owner"), State: in.Get("state"), Only: in.Get("only"),
		Classes: fingerprints.Classes(), States: fingerprints.States(),
	}
	if refused, err := s.refuses(r, &p, l.Prefix, l.Owner, in.Get("after")); refused || err != nil {
		p.data = secretList{Refused: true, Classes: l.Classes, States: l.States}
		return p, err
	}
	list, err := s.o.Registry.List(r.Context(), a, registry.ListFilter{
		Prefix: l.Prefix, Class: fingerprints.Class(l.Class), Owner: l.Owner, State: fingerprints.State(l.State),
		Weak: l.Only == "weak", Overdue: l.Only == "overdue", Issued: l.Only == "issued", After: in.Get("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return p, err
	}
	if len(list) > pageSize {
		list = list[:pageSize]
		l.Next = l.address(list[pageSize-1].Name)
	}
	if in.Get("after") != "" {
		l.First = l.address("")
	}
	l.Rows, err = s.withOpen(r, a, list)
	p.data = l
	return p, err
}

// refuses reports whether something of an address holds a registered value; the page
// then repeats nothing of it.
func (s *server) refuses(r *http.Request, p *page, texts ...string) (bool, error) {
	err := s.o.Refuse(r.Context(), texts...)
	if isValue(err) {
		p.status, p.hushed = http.StatusUnprocessableEntity, true
		return true, nil
	}
	return false, err
}

// stillOpen selects findings that somebody has to do something about, but for their
// verdict.
const stillOpen = "is:open is:present"

// withOpen counts the open findings of secrets, as the lists do that the numbers lead
// to.
func (s *server) withOpen(r *http.Request, a registry.Actor, list []registry.SecretSummary) ([]secretRow, error) {
	out := make([]secretRow, len(list))
	in := query.In{Field: query.FieldSecret}
	for i, x := range list {
		out[i] = secretRow{SecretSummary: x, Query: secretQuery(x.Name, stillOpen)}
		in.Values = append(in.Values, query.Literal(x.Name))
	}
	if len(list) == 0 {
		return out, nil
	}
	open, err := query.Parse(stillOpen)
	if err != nil {
		return nil, err
	}
	facets, err := s.o.Search().Facets(r.Context(), a, joined(append(parts(open), in)), []query.Field{query.FieldSecret}, 0)
	counts := map[string]int{}
	for _, c := range facets[query.FieldSecret] {
		counts[c.Value] = c.Count
	}
	for i := range out {
		out[i].Open = counts[out[i].Name]
	}
	return out, err
}

// secretQuery selects the findings of a secret, or of NAME@N, that meet further
// conditions.
func secretQuery(name, rest string) string {
	text := query.Of(query.In{Field: query.FieldSecret, Values: []query.Pattern{query.Literal(name)}}).String()
	if rest != "" {
		text += " " + rest
	}
	return text
}

// countLink is a number with the address of what it counts.
type countLink struct {
	Verdict fingerprints.Verdict
	Count   int
	Query   string
}

// countLinks are the findings of NAME@N by verdict, the worst first.
func countLinks(ref string, counts map[fingerprints.Verdict]int) []countLink {
	var out []countLink
	for _, v := range fingerprints.Verdicts() {
		if n := counts[v]; n > 0 {
			out = append(out, countLink{v, n, secretQuery(ref, "verdict:"+string(v))})
		}
	}
	return out
}

// versionRow is a version of a secret's page.
type versionRow struct {
	registry.VersionView
	Ref    string
	Counts []countLink
	Life   lifeline
	Acts   []act
	// Safe says whether it can be deactivated; nil: it is not superseded, or there are
	// too many.
	Safe *evidence
}

// consumerRow is a consumer with the version that it acknowledged last.
type consumerRow struct {
	Name    string
	Version int // 0: none
	State   fingerprints.State
	Ack     registry.AckView
}

// secretPage is all that is known of a secret.
type secretPage struct {
	registry.SecretView
	Versions  []versionRow // the newest first
	Older     int          // that are not shown
	Consumers []consumerRow
	Active    []int
	Homes     []registry.HomeView
	History   []registry.AuditEntry // the newest first
	Changes   []registry.VerdictChange
	Query     string // selects its findings
	From, To  string // ends of the time line
	MoreMarks bool   // there are more sightings than marks
}

// How much of a secret a page shows.
const (
	shownVersions = 30
	shownHistory  = 15
	shownMarks    = 500
	judged        = 3 // superseded versions that are judged on the page itself
)

func (s *server) secret(r *http.Request, a registry.Actor) (page, error) {
	ctx, name := r.Context(), param(r, "name")
	v, err := s.o.Registry.Show(ctx, a, name)
	if err != nil {
		return page{}, err
	}
	p := page{name: "secret", title: v.Name, nav: "secrets"}
	d := secretPage{SecretView: v, Query: secretQuery(v.Name, ""), Changes: changesOf(r), Consumers: consumersOf(v)}
	if d.Homes, err = s.o.Registry.AllHomes(ctx, a, v.Name); err != nil {
		return p, err
	}
	if d.History, err = s.o.Registry.History(ctx, a, v.Name); err != nil {
		return p, err
	}
	slices.Reverse(d.History)
	d.History = d.History[:min(len(d.History), shownHistory)]
	if err := s.lives(r, a, &d); err != nil {
		return p, err
	}
	n := 0
	for i := range d.Versions {
		x := &d.Versions[i]
		if x.State == fingerprints.StateActive {
			d.Active = append(d.Active, x.Version)
		}
		if x.State != fingerprints.StateSuperseded || n == judged {
			continue
		}
		n++
		e, err := s.evidenceOf(r, a, v, x.VersionView)
		if err != nil {
			return p, err
		}
		x.Safe = &e
	}
	p.data = d
	return p, nil
}

// lives fills the versions in, each with its line of time.
func (s *server) lives(r *http.Request, a registry.Actor, d *secretPage) error {
	seen, more, err := s.firstSeen(r, a, d.Name)
	if err != nil {
		return err
	}
	list := slices.Clone(d.SecretView.Versions)
	slices.Reverse(list)
	if len(list) > shownVersions {
		d.Older, list = len(list)-shownVersions, list[:shownVersions]
	}
	line := newTimeline(list, s.o.Now())
	d.From, d.To, d.MoreMarks = line.from.UTC().Format(dayOnly), line.to.UTC().Format(dayOnly), more
	for _, v := range list {
		ref := fingerprints.VersionRef{Name: d.Name, Number: v.Version}.String()
		d.Versions = append(d.Versions, versionRow{VersionView: v, Ref: ref, Counts: countLinks(ref, v.Findings), Life: line.life(v, seen[v.Version]), Acts: actsOf(v)})
	}
	return nil
}

// consumersOf are a secret's consumers, each with the version that it acknowledged last.
func consumersOf(v registry.SecretView) []consumerRow {
	var out []consumerRow
	for _, name := range v.Consumers {
		row := consumerRow{Name: name}
		for _, x := range v.Versions {
			for _, k := range x.Acks {
				if k.Consumer == name && (row.Version == 0 || k.At.After(row.Ack.At)) {
					row.Version, row.State, row.Ack = x.Version, x.State, k
				}
			}
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(x, y consumerRow) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

// acknowledge records that a consumer uses a version.
func (s *server) acknowledge(r *http.Request, a registry.Actor) (page, error) {
	name, consumer := param(r, "name"), r.PostForm.Get("consumer")
	if err := s.o.Refuse(r.Context(), consumer); err != nil {
		return page{}, err
	}
	n, err := strconv.Atoi(r.PostForm.Get("version"))
	if err != nil {
		return page{}, badForm("version", "choose one of the secret's")
	}
	k, err := s.o.Registry.Ack(r.Context(), a, fingerprints.VersionRef{Name: name, Number: n}, consumer)
	if err != nil {
		return page{}, err
	}
	if k.Unchanged {
		return done(at("secrets", name), "unchanged")
	}
	return done(at("secrets", name), "acknowledged")
}
