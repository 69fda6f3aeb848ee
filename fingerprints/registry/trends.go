package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Day is how many findings had each verdict at the end of a day.
type Day = store.Day

// SavedView is a search that somebody keeps.
type SavedView = store.SavedView

// KeepDay counts the findings for today, and keeps that; called now and then, it
// leaves what was counted last for each day. Days on which nobody calls are missing.
func (r *Registry) KeepDay(ctx context.Context, a Actor) error {
	const what = "counting for today"
	if !a.May(ScopeScan) {
		return fmt.Errorf("%s: %w %q", what, ErrForbidden, ScopeScan)
	}
	var today Day
	err := r.store.View(ctx, func(tx store.Tx) error { // nobody waits for it
		var err error
		today.Day = r.time().Truncate(day)
		today.Verdicts, err = tx.CountVerdicts(ctx, r.time(), store.FindingFilter{})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return r.tending(ctx, a, what, func(tx store.Tx, _ time.Time) error { return tx.PutDay(ctx, today) })
}

// Trends is the registry over time.
type Trends struct {
	Days []Day // in order; those on which nobody counted are missing
	// Cleared is how many findings of registered values went in the time, the latest
	// 10,000 at most. Median is how long half of them were there at most, and Ninety how
	// long nine of ten.
	Cleared        int
	Median, Ninety time.Duration
	Ages           []ClassAges
}

// ClassAges is how many active versions of a class are how old.
type ClassAges struct {
	Class fingerprints.Class
	// Counts are of versions that became active within AgeLimits, each within the one
	// limit and not the one before, and of older ones.
	Counts []int
}

// AgeLimits are the ages of active versions that Trends tells apart.
func AgeLimits() []time.Duration { return []time.Duration{30 * day, 90 * day, 365 * day} }

// spansRead is of how many findings it is computed how long they were there.
const spansRead = 10_000

// Trends tells of the time since a moment. It counts everything there is, so that
// nothing is told to those who see the rows of some teams alone.
func (r *Registry) Trends(ctx context.Context, a Actor, since time.Time) (Trends, error) {
	var out Trends
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		if len(a.Teams) > 0 {
			return nil
		}
		var err error
		if out.Days, err = v.tx.Days(ctx, since); err != nil {
			return err
		}
		spans, err := v.tx.Cleared(ctx, since, spansRead)
		if err != nil {
			return err
		}
		out.measure(spans)
		var moments []time.Time
		for _, limit := range AgeLimits() {
			moments = append(moments, v.now.Add(-limit))
		}
		ages, err := v.tx.ActiveAges(ctx, moments)
		for _, class := range fingerprints.Classes() {
			if i := slices.IndexFunc(ages, func(x store.Ages) bool { return x.Class == class }); i >= 0 {
				out.Ages = append(out.Ages, ClassAges{class, ages[i].Since})
			}
		}
		return err
	})
	return out, err
}

// measure computes how long findings were there.
func (t *Trends) measure(spans []store.Span) {
	took := make([]time.Duration, len(spans))
	for i, s := range spans {
		took[i] = max(s.GoneAt.Sub(s.FirstSeen), 0)
	}
	slices.Sort(took)
	if t.Cleared = len(took); t.Cleared > 0 {
		t.Median, t.Ninety = took[(len(took)-1)/2], took[(len(took)*9+9)/10-1]
	}
}

// maxViews is how many searches somebody keeps at most.
const maxViews = 100

// SaveView keeps a search for its actor, in the place of one of the same name. It needs
// no scope beyond reading: it concerns nobody else.
func (r *Registry) SaveView(ctx context.Context, a Actor, name, query string) error {
	const what = "saving a view"
	err := checkText("name", name)
	switch {
	case err != nil:
	case strings.TrimSpace(name) == "" || len(name) > fingerprints.MaxName:
		err = badInput("name", "use 1 to %d characters", fingerprints.MaxName)
	case len(query) > maxQuery:
		err = badInput("query", "use at most %d characters", maxQuery)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return r.unlogged(ctx, a, ScopeRead, what, func(tx store.Tx, at time.Time) error {
		list, err := tx.Views(ctx, keeper(a))
		if err != nil {
			return err
		}
		if len(list) >= maxViews && !slices.ContainsFunc(list, func(v SavedView) bool { return v.Name == name }) {
			return badInput("name", "remove a view first: there are %d", maxViews)
		}
		return tx.PutView(ctx, SavedView{Owner: keeper(a), Name: name, Query: query, CreatedAt: at})
	})
}

// keeper is whose a saved view is: a person's, whatever they are called, or what is
// called so.
func keeper(a Actor) string { return cmp.Or(a.Person, a.Name) }

// maxQuery bounds what a saved view searches for, in bytes.
const maxQuery = 4096

// RemoveView forgets a search of its actor; one that is not there is none.
func (r *Registry) RemoveView(ctx context.Context, a Actor, id int64) error {
	return r.unlogged(ctx, a, ScopeRead, "removing a view", func(tx store.Tx, _ time.Time) error {
		err := tx.RemoveView(ctx, keeper(a), id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
}

// SavedViews are the searches that the actor keeps, in order of name.
func (r *Registry) SavedViews(ctx context.Context, a Actor) ([]SavedView, error) {
	var out []SavedView
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.tx.Views(ctx, keeper(a))
		return err
	})
	return out, err
}
