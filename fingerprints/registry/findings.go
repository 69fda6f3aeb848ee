package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Finding is a finding as people see it; status and due date are computed for
// the registry's now.
type Finding = wire.FindingView

// FindingMatch ties a finding to a version; the worst comes first.
type FindingMatch = wire.FindingMatch

// FindingDetail is a finding with its places and its history.
type FindingDetail = wire.FindingDetail

// HistoryView is one change of a finding.
type HistoryView = wire.HistoryView

// SightingView is one place of a finding.
type SightingView = wire.SightingView

// Findings lists findings in order of id.
func (r *Registry) Findings(ctx context.Context, a Actor, f store.FindingFilter) ([]Finding, error) {
	out := []Finding{}
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		found, err := v.tx.Findings(ctx, v.now, f)
		if err != nil {
			return err
		}
		show := newShowing(a)
		for _, x := range found {
			shown, err := show.finding(ctx, v.tx, x)
			if err != nil {
				return err
			}
			out = append(out, shown)
		}
		return nil
	})
	return out, err
}

// FindingsWithPlaces lists findings as Findings does, each with its first places,
// all of them for 0, and without its history.
func (r *Registry) FindingsWithPlaces(ctx context.Context, a Actor, f store.FindingFilter, places int) ([]FindingDetail, error) {
	var out []FindingDetail
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		found, err := v.tx.Findings(ctx, v.now, f)
		if err != nil {
			return err
		}
		out, err = newShowing(a).briefly(ctx, v.tx, found, places)
		return err
	})
	return out, err
}

// Verdicts counts findings by verdict.
func (r *Registry) Verdicts(ctx context.Context, a Actor, f store.FindingFilter) (map[fingerprints.Verdict]int, error) {
	out, err := shared(ctx, r, a, fmt.Sprintf("verdicts %+v", f), func(v *view) (map[fingerprints.Verdict]int, error) {
		return v.tx.CountVerdicts(ctx, v.now, f)
	})
	return maps.Clone(out), err
}

// Finding shows one finding. id may be the unique beginning of one, with or
// without "rv1:".
func (r *Registry) Finding(ctx context.Context, a Actor, id string) (FindingDetail, error) {
	var out FindingDetail
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		f, err := findingByID(ctx, v.tx, v.now, id)
		if err != nil {
			return err
		}
		out, err = newShowing(a).detail(ctx, v.tx, f)
		return err
	})
	return out, err
}

// exportPage is how many findings are read at once.
const exportPage = 500

// Export calls fn for each finding with its places, in order of id.
func (r *Registry) Export(ctx context.Context, a Actor, f store.FindingFilter, fn func(FindingDetail) error) error {
	limit := f.Limit
	return r.view(ctx, a, ScopeRead, func(v *view) error {
		show := newShowing(a)
		for n := 0; ; {
			f.Limit = exportPage
			if limit > 0 {
				f.Limit = min(exportPage, limit-n)
			}
			page, err := v.tx.Findings(ctx, v.now, f)
			if err != nil {
				return err
			}
			for _, x := range page {
				d, err := show.detail(ctx, v.tx, x)
				if err != nil {
					return err
				}
				if err := fn(d); err != nil {
					return err
				}
			}
			if n += len(page); len(page) < f.Limit || limit > 0 && n >= limit {
				return nil
			}
			f.After = page[len(page)-1].ID
		}
	})
}

// findingByID finds a finding by its id, an alias or the unique beginning of
// one. The errors never repeat what was typed.
func findingByID(ctx context.Context, tx store.Tx, now time.Time, id string) (store.FindingView, error) {
	const prefix = "rv1:"
	digits := strings.ToLower(strings.TrimPrefix(id, prefix))
	if len(digits) < 4 || len(digits) > 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		return store.FindingView{}, fmt.Errorf("finding id: %w: give at least four of its hex digits", ErrUnknownFinding)
	}
	found, err := tx.Findings(ctx, now, store.FindingFilter{IDPrefix: prefix + digits, Limit: 2})
	switch {
	case err != nil:
		return store.FindingView{}, err
	case len(found) == 0:
		return store.FindingView{}, ErrUnknownFinding
	case len(found) > 1:
		return store.FindingView{}, ErrAmbiguous
	}
	return found[0], nil
}

// showing remembers decisions while findings are shown.
type showing struct {
	decisions map[int64]store.Decision
	marks     marks
}

func newShowing(a Actor) showing {
	return showing{decisions: map[int64]store.Decision{}, marks: marksFor(a)}
}

func (o showing) decision(ctx context.Context, tx store.Tx, id int64) (store.Decision, error) {
	if len(o.decisions) == 0 {
		list, err := tx.Decisions(ctx)
		if err != nil {
			return store.Decision{}, fmt.Errorf("reading decisions: %w", err)
		}
		for _, d := range list {
			o.decisions[d.ID] = d
		}
	}
	return o.decisions[id], nil
}

// orActor is who answers for a decision.
func orActor(d store.Decision) string {
	if d.Owner != "" {
		return d.Owner
	}
	return d.Actor
}

func (o showing) finding(ctx context.Context, tx store.Tx, f store.FindingView) (Finding, error) {
	out := Finding{
		ID: f.ID, Verdict: f.Verdict, Severity: f.Severity, Status: f.Status, Source: f.SourceID, Path: f.Path,
		Presence: f.Presence, Owner: f.Owner, Reason: f.Reason, Until: optionalTime(f.Until),
		FirstSeen: f.FirstSeen, LastSeen: f.LastSeen, GoneAt: optionalTime(f.GoneAt),
		Rules: f.Rules, Forms: f.Forms, Places: f.Places, TooCommon: f.TooCommon, Aliases: f.Aliases,
	}
	if f.Decision != 0 {
		d, err := o.decision(ctx, tx, f.Decision)
		if err != nil {
			return out, err
		}
		out.Decision, out.DecidedBy, out.Reason, out.Until = d.ID, orActor(d), d.Reason, optionalTime(d.Until)
	}
	for _, m := range f.Matches {
		out.Matches = append(out.Matches, FindingMatch{
			Secret: m.Version.Secret, Version: m.Version.Number, Field: m.Field, State: m.Version.State, Class: m.Class,
			Owner: m.Owner, IssuedTo: m.Version.IssuedTo, Compromised: m.Version.Compromised(), Verdict: m.Verdict,
		})
	}
	if err := o.marks.hide(ctx, tx, &out.Path, &out.Reason); err != nil {
		return out, err
	}
	out.Due = optionalTime(DueDate(f))
	if out.Due != nil && !f.Due.IsZero() {
		out.Due, out.DueSet = optionalTime(f.Due), true
	}
	return out, nil
}

func (o showing) detail(ctx context.Context, tx store.Tx, f store.FindingView) (FindingDetail, error) {
	shown, err := o.finding(ctx, tx, f)
	if err != nil {
		return FindingDetail{}, err
	}
	list, err := tx.Sightings(ctx, f.ID, 0)
	if err != nil {
		return FindingDetail{}, err
	}
	out := FindingDetail{FindingView: shown}
	if out.Sightings, err = o.places(ctx, tx, list); err != nil {
		return out, err
	}
	history, err := tx.History(ctx, f.ID)
	for _, h := range history {
		err = errors.Join(err, o.marks.hide(ctx, tx, &h.Detail))
		out.History = append(out.History, HistoryView(h))
	}
	return out, err
}

// briefly are findings with their first places, all of them for 0, and without
// their history.
func (o showing) briefly(ctx context.Context, tx store.Tx, list []store.FindingView, places int) ([]FindingDetail, error) {
	ids := make([]fingerprints.FindingID, len(list))
	for i, f := range list {
		ids[i] = f.ID
	}
	if places <= 0 {
		places = math.MaxInt32
	}
	first, err := tx.FirstSightings(ctx, ids, places)
	if err != nil {
		return nil, err
	}
	out := make([]FindingDetail, len(list))
	for i, f := range list {
		shown, err := o.finding(ctx, tx, f)
		if err != nil {
			return nil, err
		}
		out[i] = FindingDetail{FindingView: shown}
		if out[i].Sightings, err = o.places(ctx, tx, first[f.ID]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// places are sightings as the actor may see them.
func (o showing) places(ctx context.Context, tx store.Tx, list []fingerprints.Sighting) ([]SightingView, error) {
	out := sightingViews(list)
	for i := range out {
		if err := o.marks.hide(ctx, tx, &out[i].Context, &out[i].Locator, &out[i].URL, &out[i].Author); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func sightingViews(list []fingerprints.Sighting) []SightingView {
	out := make([]SightingView, len(list))
	for i, s := range list {
		out[i] = SightingView{
			Locator: s.Locator, Line: s.Line, Column: s.Column, EndLine: s.EndLine, EndColumn: s.EndColumn,
			Start: s.Start, End: s.End, Form: s.Form, Rule: s.Rule, Within: s.Within, Presence: s.Presence,
			Context: s.Context, URL: s.URL, At: optionalTime(s.At), Commit: s.Commit, Author: s.Author, FirstSeen: s.FirstSeen, LastSeen: s.LastSeen,
		}
	}
	return out
}
