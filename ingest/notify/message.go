package notify

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/report"
)

// maxEvents is how many events a message names; the others are counted.
const maxEvents = 20

// Message is what a Sender sends.
type Message struct {
	wire.Notification
	Attempt int // from 1; the first was not sent before
	// Group is set for receivers that keep issues.
	Group *GroupState
	// Records are all events, for receivers that get each; then Events is empty.
	Records []wire.FindingEvent
}

// GroupState is a group as it is when the message is sent.
type GroupState struct {
	Group
	Key  string
	Open int // findings that ask for somebody
	// First are the most severe of them.
	First []wire.NotificationEvent
}

// compose reads what a delivery tells, as it is now.
func (n *Notifier) compose(ctx context.Context, a addressee, d store.Delivery) (Message, error) {
	m := Message{Attempt: d.Attempts, Notification: wire.Notification{
		Schema: wire.NotificationV1, ID: d.ID, Kind: wire.NotificationKind(d.Kind), At: d.CreatedAt, Events: []wire.NotificationEvent{}, URL: n.o.Config.URL,
	}}
	if a.each() {
		return m, n.records(ctx, &m, d)
	}
	var notices []store.Notice
	err := n.o.Store.View(ctx, func(tx store.Tx) (err error) {
		if notices, err = tx.Notices(ctx, d.ID, maxEvents); err != nil {
			return err
		}
		counts, err := tx.CountNotices(ctx, d.ID)
		for _, c := range counts {
			m.Total += c.Count
			m.Counts = append(m.Counts, wire.NotificationCount{Event: wire.Event(c.Event), Verdict: c.Verdict, Severity: c.Severity, Count: c.Count})
		}
		return err
	})
	if err != nil {
		return m, err
	}
	if d.Kind == string(wire.NotifySummary) {
		var s summary
		if err := decode(d.Summary, &s); err != nil {
			return m, err
		}
		m.Total, m.Counts = s.Total, s.Counts
	}
	if err := n.addEvents(ctx, &m, notices); err != nil {
		return m, err
	}
	if d.Group != "" {
		err = n.addGroup(ctx, &m, a, d.Group)
	}
	return m, err
}

func (n *Notifier) addEvents(ctx context.Context, m *Message, notices []store.Notice) error {
	var ids []fingerprints.FindingID
	for _, w := range notices {
		if w.Finding != "" {
			ids = append(ids, w.Finding)
		}
	}
	shown, err := n.shown(ctx, ids)
	if err != nil {
		return err
	}
	for _, w := range notices {
		e := wire.NotificationEvent{
			Event: wire.Event(w.Event), At: w.At, Was: w.Was, Verdict: w.Verdict, Severity: w.Severity,
			Source: report.Printable(w.Source), Detail: report.Printable(w.Detail),
		}
		if f, has := shown[w.Finding]; has {
			e.Finding, e.URL = &f, n.link(f.ID)
		}
		m.Events = append(m.Events, e)
	}
	return nil
}

// shown reads findings with their first places.
func (n *Notifier) shown(ctx context.Context, ids []fingerprints.FindingID) (map[fingerprints.FindingID]wire.Finding, error) {
	list, err := n.o.Registry.FindingsByID(ctx, n.actor, ids, 1)
	if err != nil {
		return nil, err
	}
	out := map[fingerprints.FindingID]wire.Finding{}
	for _, f := range list {
		out[f.ID] = onWire(f)
	}
	return out, nil
}

func (n *Notifier) link(id fingerprints.FindingID) string {
	if n.o.Config.URL == "" {
		return ""
	}
	return strings.TrimSuffix(n.o.Config.URL, "/") + "/findings/" + url.PathEscape(string(id))
}

// addGroup looks at all findings of the group, whatever happened to which.
func (n *Notifier) addGroup(ctx context.Context, m *Message, a addressee, text string) error {
	var g Group
	if err := decode(text, &g); err != nil {
		return err
	}
	state := GroupState{Group: g, Key: g.Key()}
	if g.Health {
		if len(m.Events) > 0 {
			last := slices.MaxFunc(m.Events, func(a, b wire.NotificationEvent) int { return a.At.Compare(b.At) })
			if last.Event == wire.EventSourceFailing {
				state.Open, state.First = 1, []wire.NotificationEvent{last}
			}
		}
		m.Group = &state
		return nil
	}
	open, err := n.open(ctx, a, g)
	if err != nil {
		return err
	}
	state.Open = len(open)
	ids := make([]fingerprints.FindingID, min(len(open), maxEvents))
	for i := range ids {
		ids[i] = open[i].ID
	}
	shown, err := n.shown(ctx, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if f, has := shown[id]; has {
			state.First = append(state.First, wire.NotificationEvent{Verdict: f.Verdict, Severity: f.Severity, Finding: &f, URL: n.link(id)})
		}
	}
	m.Group = &state
	return nil
}

// open lists the findings of a group that the addressee's rules select, the most
// severe first.
func (n *Notifier) open(ctx context.Context, a addressee, g Group) ([]registry.Finding, error) {
	filter := store.FindingFilter{SourceID: g.Source, Secret: g.Secret, Version: g.Version, Rule: g.Rule, Limit: pageSize}
	if g.Secret == "" {
		filter.Verdicts = []fingerprints.Verdict{fingerprints.VerdictUnregistered}
	}
	var out []registry.Finding
	for {
		list, err := n.o.Registry.Findings(ctx, n.actor, filter)
		if err != nil {
			return nil, err
		}
		for _, f := range list {
			if g.holds(f) && a.concerns(f) {
				out = append(out, f)
			}
		}
		if len(list) < pageSize {
			break
		}
		filter.After = list[len(list)-1].ID
	}
	ranks := fingerprints.Severities()
	slices.SortStableFunc(out, func(a, b registry.Finding) int {
		return cmp.Compare(slices.Index(ranks, a.Severity), slices.Index(ranks, b.Severity))
	})
	return out, nil
}

// onWire is a finding as it leaves: redacted in the store, and printable here.
// What stands around a hit stays behind.
func onWire(f registry.FindingDetail) wire.Finding {
	safe := report.Printable
	kind, _, _ := strings.Cut(f.Source, ":")
	out := wire.Finding{
		Schema: wire.FindingV1, ID: f.ID, SourceID: safe(f.Source), Kind: kindOf(kind), Path: safe(f.Path), Owner: safe(f.Owner),
		Verdict: f.Verdict, Severity: f.Severity, Status: f.Status, Presence: f.Presence, TooCommon: f.TooCommon,
		More: int64(max(f.Places-1, 0)),
	}
	for _, r := range f.Rules {
		out.Rules = append(out.Rules, safe(r))
	}
	if len(out.Rules) > 0 {
		out.Rule = out.Rules[0]
	}
	for _, m := range f.Matches {
		out.Matches = append(out.Matches, wire.Match{
			Secret: safe(m.Secret), Version: m.Version, Field: safe(m.Field), State: m.State, Class: m.Class, Owner: safe(m.Owner), Verdict: m.Verdict,
		})
	}
	if out.Owner == "" && len(out.Matches) > 0 {
		out.Owner = out.Matches[0].Owner
	}
	if len(f.Sightings) > 0 {
		s := f.Sightings[0]
		out.Locator, out.URL, out.Form, out.Within = safe(s.Locator), webOnly(safe(s.URL)), s.Form, s.Within
		out.Span = wire.Region{Start: s.Start, End: s.End, Line: s.Line, Column: s.Column, EndLine: s.EndLine, EndColumn: s.EndColumn}
	}
	return out
}

// webOnly leaves out an address that is none a person may be led to.
func webOnly(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

func kindOf(word string) fingerprints.SourceKind {
	switch k := fingerprints.SourceKind(word); k {
	case fingerprints.KindDir, fingerprints.KindStdin, fingerprints.KindGit, fingerprints.KindImage, fingerprints.KindCI, fingerprints.KindKafka:
		return k
	case fingerprints.KindOther:
	}
	return fingerprints.KindOther
}
