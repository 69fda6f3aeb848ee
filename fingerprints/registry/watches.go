package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// WatchSpec is what is wanted of a watch; package watch knows what its words
// mean and checks them.
type WatchSpec struct {
	Name       string
	Kind       string
	Location   string
	Options    []byte // JSON
	Credential string // a reference
	Schedule   string
}

// WatchChange changes what is set.
type WatchChange struct {
	Paused     *bool
	Schedule   *string
	Credential *string
}

// Outcomes of a watch's newest scan.
const (
	WatchComplete   = "complete"   // everything was read
	WatchIncomplete = "incomplete" // it came to its end, and something was not read
	WatchFailed     = "failed"     // it did not come to its end
	WatchFollowing  = "following"  // it is a stream that is read on and on
)

// ScheduleFollow is the schedule of a watch that is no scan repeated but a stream that
// is followed.
const ScheduleFollow = "follow"

// Who asks for a scan before its time.
const (
	WantedPush     = "push"
	WantedAsked    = "asked"
	WantedBackfill = "backfill" // a stream that goes on with newer values
)

// requeueAfter is how long a job may wait to be begun before it is looked
// whether it is there at all.
const requeueAfter = time.Minute

// aheadAfter is how far clocks of machines may differ.
const aheadAfter = 10 * time.Minute

// duePage is how many watches Due gives at once.
const duePage = 500

// AddWatch stores a watch; its first scan is due at first (zero: on demand).
func (r *Registry) AddWatch(ctx context.Context, a Actor, w WatchSpec, first time.Time) (store.Watch, error) {
	if err := checkName("NAME", w.Name); err != nil {
		return store.Watch{}, fmt.Errorf("adding a watch: %w", err)
	}
	var out store.Watch
	err := r.update(ctx, a, ScopeAdmin, "adding a watch", func(c *change) error {
		_, err := c.tx.Watch(ctx, w.Name)
		switch {
		case err == nil:
			return &InputError{Input: "NAME", Kind: ErrWatchExists}
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		out = w.stored("", c.at)
		out.NextRun = first
		c.note("watch.add", w.Name, map[string]string{"kind": w.Kind})
		return c.tx.PutWatch(ctx, out)
	})
	return out, err
}

// KeepWatch makes a watch what a configuration says; nothing happens when it is
// that. What is known of it, and whether somebody paused it, stays.
func (r *Registry) KeepWatch(ctx context.Context, a Actor, w WatchSpec, first time.Time) error {
	if err := checkName("NAME", w.Name); err != nil {
		return fmt.Errorf("keeping a watch: %w", err)
	}
	return r.update(ctx, a, ScopeAdmin, "keeping a watch", func(c *change) error {
		known, err := c.tx.Watch(ctx, w.Name)
		next := w.stored("", c.at)
		next.NextRun = first
		action := "watch.add"
		switch {
		case err == nil:
			if sameWatch(w.stored(known.Parent, known.AddedAt), known) {
				return nil
			}
			action = "watch.change"
			next.AddedAt, next.Paused = known.AddedAt, known.Paused
			if known.Kind == next.Kind && slices.Equal(known.Options, next.Options) { // when it is scanned has changed, not what
				next.WatchState = known.WatchState
				next.NextRun = first
			}
		case !errors.Is(err, store.ErrNotFound):
			return err
		}
		c.note(action, w.Name, map[string]string{"kind": w.Kind})
		return c.tx.PutWatch(ctx, next)
	})
}

// sameWatch compares what is set.
func sameWatch(a, b store.Watch) bool {
	return a.Kind == b.Kind && a.Location == b.Location && slices.Equal(a.Options, b.Options) && a.Credential == b.Credential && a.Schedule == b.Schedule
}

func (w WatchSpec) stored(parent string, at time.Time) store.Watch {
	return store.Watch{
		Name: w.Name, Kind: w.Kind, Location: w.Location, Options: w.Options, Credential: w.Credential, Schedule: w.Schedule,
		Parent: parent, AddedAt: at,
	}
}

// watchByName never repeats the name in its error.
func watchByName(ctx context.Context, tx store.Tx, name string) (store.Watch, error) {
	w, err := tx.Watch(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrUnknownWatch
	}
	return w, err
}

// ChangeWatch pauses, resumes or reschedules; next is when its next scan is due
// where the schedule changes or it is resumed.
func (r *Registry) ChangeWatch(ctx context.Context, a Actor, name string, w WatchChange, next func(store.Watch) time.Time) (store.Watch, error) {
	var out store.Watch
	err := r.update(ctx, a, ScopeAdmin, "changing a watch", func(c *change) error {
		var err error
		if out, err = watchByName(ctx, c.tx, name); err != nil {
			return err
		}
		said := map[string]string{}
		if w.Paused != nil && *w.Paused != out.Paused {
			out.Paused = *w.Paused
			said["paused"] = fmt.Sprint(out.Paused)
		}
		if w.Schedule != nil && *w.Schedule != out.Schedule {
			out.Schedule = *w.Schedule
			said["schedule"] = out.Schedule
		}
		if w.Credential != nil && *w.Credential != out.Credential {
			out.Credential = *w.Credential
			said["credential"] = "changed"
		}
		if len(said) == 0 {
			return nil
		}
		out.NextRun = next(out)
		c.note("watch.change", name, said)
		return c.tx.PutWatch(ctx, out)
	})
	return out, err
}

// RemoveWatch removes a watch and, of a group, its members. What was found stays
// with the sources.
func (r *Registry) RemoveWatch(ctx context.Context, a Actor, name string) (members int, err error) {
	err = r.update(ctx, a, ScopeAdmin, "removing a watch", func(c *change) error {
		w, err := watchByName(ctx, c.tx, name)
		if err != nil {
			return err
		}
		of, err := c.tx.Watches(ctx, store.WatchFilter{Parent: name})
		if err != nil {
			return err
		}
		members = len(of)
		for _, w := range append(of, w) {
			if err := errors.Join(c.tx.RemoveWatch(ctx, w.Name), freeStream(ctx, c.tx, w.Name)); err != nil {
				return err
			}
		}
		c.note("watch.remove", name, nil)
		return nil
	})
	return members, err
}

// Watches lists watches in order of name.
func (r *Registry) Watches(ctx context.Context, a Actor, f store.WatchFilter) ([]store.Watch, error) {
	var out []store.Watch
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.tx.Watches(ctx, f)
		return err
	})
	return out, err
}

// Watch is one.
func (r *Registry) Watch(ctx context.Context, a Actor, name string) (store.Watch, error) {
	var out store.Watch
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = watchByName(ctx, v.tx, name)
		return err
	})
	return out, err
}

// CountWatches counts by outcome.
func (r *Registry) CountWatches(ctx context.Context, a Actor) (map[string]int, error) {
	var out map[string]int
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.tx.CountWatches(ctx)
		return err
	})
	return out, err
}

// CountBehind counts the watches that were scanned, and not for the newest
// values: how much of a backfill is left.
func (r *Registry) CountBehind(ctx context.Context, a Actor) (int, error) {
	var n int
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		n, err = v.tx.CountBehind(ctx, v.meta.FieldRevision)
		return err
	})
	return n, err
}

// tending is the gate for what keeps the system going and is no decision of
// anybody: it stands in no audit log.
func (r *Registry) tending(ctx context.Context, a Actor, what string, fn func(tx store.Tx, at time.Time) error) error {
	return r.unlogged(ctx, a, ScopeScan, what, fn)
}

// unlogged is the gate for changes that decide nothing of the registry and stand in no
// audit log.
func (r *Registry) unlogged(ctx context.Context, a Actor, need Scope, what string, fn func(tx store.Tx, at time.Time) error) error {
	if !a.May(need) {
		return fmt.Errorf("%s: %w %q", what, ErrForbidden, need)
	}
	if a.bound() {
		return fmt.Errorf("%s: %w", what, ErrTeams)
	}
	err := r.store.Update(ctx, func(tx store.Tx) error {
		if _, err := r.readMeta(ctx, tx); err != nil {
			return err
		}
		return fn(tx, r.time())
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// WantScan asks for a scan of a watch now. It returns ErrUnknownWatch.
func (r *Registry) WantScan(ctx context.Context, a Actor, name, why string) error {
	return r.tending(ctx, a, "asking for a scan", func(tx store.Tx, at time.Time) error {
		w, err := watchByName(ctx, tx, name)
		if err != nil {
			return err
		}
		return want(ctx, tx, w, why, at)
	})
}

func want(ctx context.Context, tx store.Tx, w store.Watch, why string, at time.Time) error {
	w.WantedAt, w.Wanted = at, why
	// One that is under way began before this was asked, and another follows.
	return tx.PutWatch(ctx, w)
}

// WantSource asks for a scan of every watch of a source, and returns their names.
func (r *Registry) WantSource(ctx context.Context, a Actor, sourceID, why string) ([]string, error) {
	var names []string
	err := r.tending(ctx, a, "asking for a scan", func(tx store.Tx, at time.Time) error {
		names = nil
		list, err := tx.Watches(ctx, store.WatchFilter{Source: sourceID})
		for _, w := range list {
			err = errors.Join(err, want(ctx, tx, w, why, at))
			names = append(names, w.Name)
		}
		return err
	})
	return names, err
}

// TakeDue marks the watches that are due as queued and returns them, those
// first that somebody asked for. It is called until it gives none.
func (r *Registry) TakeDue(ctx context.Context, a Actor) ([]store.Watch, error) {
	var out []store.Watch
	find := func(tx store.Tx, at time.Time) error {
		meta, err := r.readMeta(ctx, tx)
		if err != nil {
			return err
		}
		out, err = tx.DueWatches(ctx, store.Due{At: at, FieldRevision: meta.FieldRevision, Requeue: at.Add(-requeueAfter), Ahead: at.Add(aheadAfter), Limit: duePage})
		return err
	}
	// Mostly nothing is due, and then nothing is written.
	if err := r.view(ctx, a, ScopeScan, func(v *view) error { return find(v.tx, v.now) }); err != nil || len(out) == 0 {
		return nil, err
	}
	err := r.tending(ctx, a, "queueing scans", func(tx store.Tx, at time.Time) error {
		if err := find(tx, at); err != nil {
			return err
		}
		for _, w := range out {
			w.QueuedAt = at
			if err := tx.PutWatch(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// BeginWatch says that a scan of a watch begins.
func (r *Registry) BeginWatch(ctx context.Context, a Actor, name string) (store.Watch, error) {
	var out store.Watch
	err := r.tending(ctx, a, "beginning a watch's scan", func(tx store.Tx, at time.Time) error {
		var err error
		if out, err = watchByName(ctx, tx, name); err != nil {
			return err
		}
		out.StartedAt, out.QueuedAt = at, at
		return tx.PutWatch(ctx, out)
	})
	return out, err
}

// WatchEnd is what came of a watch's scan.
type WatchEnd struct {
	SourceID      string // "" not known
	Outcome       string
	Problem       string // redacted
	FieldRevision uint64 // that was searched for; 0 when it did not come to its end
	NextRun       time.Time
}

// EndWatch says that the scan that began at a time has ended. It reports what
// the watch was before, for who tells of changes.
func (r *Registry) EndWatch(ctx context.Context, a Actor, name string, e WatchEnd) (before store.Watch, err error) {
	err = r.tending(ctx, a, "ending a watch's scan", func(tx store.Tx, at time.Time) error {
		w, err := watchByName(ctx, tx, name)
		if err != nil {
			return err
		}
		before = w
		if !w.WantedAt.After(w.StartedAt) {
			w.WantedAt, w.Wanted = time.Time{}, ""
		}
		if at.Before(w.StartedAt) { // the clock was set back meanwhile
			at = w.StartedAt
		}
		w.QueuedAt, w.FinishedAt, w.NextRun = time.Time{}, at, e.NextRun
		w.Outcome, w.Problem = e.Outcome, e.Problem
		if e.SourceID != "" {
			w.SourceID = e.SourceID
		}
		if e.Outcome == WatchFailed {
			w.Failures++
		} else {
			w.Failures = 0
		}
		w.FieldRevision = max(w.FieldRevision, e.FieldRevision)
		return tx.PutWatch(ctx, w)
	})
	return before, err
}

// ReleaseWatch takes a scan back that did not come to an end because its worker
// stops: it is due again at once.
func (r *Registry) ReleaseWatch(ctx context.Context, a Actor, name string) error {
	return r.tending(ctx, a, "giving a watch back", func(tx store.Tx, at time.Time) error {
		w, err := watchByName(ctx, tx, name)
		if err != nil {
			return err
		}
		w.QueuedAt = time.Time{}
		if w.WantedAt.IsZero() && (w.NextRun.IsZero() || w.NextRun.After(at)) {
			w.NextRun = at
		}
		return tx.PutWatch(ctx, w)
	})
}

// Reschedule brings forward what is due later than it can be, as after a clock
// that was ahead was set right. latest says when a watch is due at the latest,
// and when else; it reports how many there were.
func (r *Registry) Reschedule(ctx context.Context, a Actor, latest func(store.Watch) (latest, instead time.Time)) (int, error) {
	late := func(w store.Watch) (time.Time, bool) {
		at, instead := latest(w)
		return instead, !w.Paused && !w.NextRun.IsZero() && w.NextRun.After(at)
	}
	var names []string
	for after, more := "", true; more; {
		err := r.view(ctx, a, ScopeScan, func(v *view) error {
			list, err := v.tx.Watches(ctx, store.WatchFilter{After: after, Limit: duePage})
			if more = len(list) > 0; more {
				after = list[len(list)-1].Name
			}
			for _, w := range list {
				if _, is := late(w); is {
					names = append(names, w.Name)
				}
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	if len(names) == 0 {
		return 0, nil
	}
	n := 0
	err := r.tending(ctx, a, "bringing scans forward", func(tx store.Tx, _ time.Time) error {
		n = 0
		for _, name := range names {
			w, err := tx.Watch(ctx, name)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			instead, is := late(w)
			if !is {
				continue
			}
			n++
			w.NextRun = instead
			if err := tx.PutWatch(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// Members is what SetMembers did.
type Members struct{ Added, Removed, Changed, Total int }

// SetMembers makes the members of a group those that are given, by name. Those
// that are not given are removed only when the list is whole: what could not be
// listed is not gone.
func (r *Registry) SetMembers(ctx context.Context, a Actor, group string, list []WatchSpec, listed Listing) (Members, error) {
	var done Members
	err := r.tending(ctx, a, "listing a group", func(tx store.Tx, at time.Time) error {
		done = Members{}
		if _, err := watchByName(ctx, tx, group); err != nil {
			return err
		}
		known, err := tx.Watches(ctx, store.WatchFilter{Parent: group})
		if err != nil {
			return err
		}
		byName := map[string]store.Watch{}
		for _, w := range known {
			byName[w.Name] = w
		}
		for _, spec := range list {
			w, has := byName[spec.Name]
			delete(byName, spec.Name)
			next := spec.stored(group, at)
			if has {
				next.AddedAt, next.Paused, next.WatchState = w.AddedAt, w.Paused, w.WatchState
				if sameWatch(next, w) {
					continue
				}
				done.Changed++
			} else {
				next.NextRun = at
				done.Added++
			}
			if err := tx.PutWatch(ctx, next); err != nil {
				return err
			}
		}
		done.Total = len(list)
		if listed != ListedWhole {
			done.Total += len(byName)
			return nil
		}
		for name := range byName {
			if err := tx.RemoveWatch(ctx, name); err != nil {
				return err
			}
			done.Removed++
		}
		return nil
	})
	return done, err
}

// Listing says how much of a group was listed.
type Listing int

// The two.
const (
	ListedPart Listing = iota
	ListedWhole
)

// SeeWorker says that a worker lives.
func (r *Registry) SeeWorker(ctx context.Context, a Actor, w store.Worker) error {
	return r.tending(ctx, a, "telling that a worker lives", func(tx store.Tx, at time.Time) error {
		w.SeenAt = at
		return tx.PutWorker(ctx, w)
	})
}

// Workers lists them in order of id.
func (r *Registry) Workers(ctx context.Context, a Actor) ([]store.Worker, error) {
	var out []store.Worker
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		var err error
		out, err = v.tx.Workers(ctx)
		return err
	})
	return out, err
}

// DropWorker forgets a worker that stopped or died.
func (r *Registry) DropWorker(ctx context.Context, a Actor, id string) error {
	return r.tending(ctx, a, "forgetting a worker", func(tx store.Tx, _ time.Time) error {
		return ignoreNotFound(tx.RemoveWorker(ctx, id))
	})
}

// MemberName is the name of a group's member: what it is called there, in the
// letters that names have.
func MemberName(group, member string) string {
	name := strings.Map(func(r rune) rune {
		if r < 0x80 && fingerprints.CheckName("a"+string(r)) == nil {
			return r
		}
		return '-'
	}, member)
	return group + "/" + name
}

// WatchView is a watch as people and programs see it.
func WatchView(w store.Watch) wire.Watch {
	return wire.Watch{
		Name: w.Name, Kind: w.Kind, Location: w.Location, Options: w.Options, Schedule: w.Schedule, Credential: w.Credential, Group: w.Parent,
		Paused: w.Paused, Source: w.SourceID, Outcome: w.Outcome, Problem: w.Problem, Failures: w.Failures, AddedAt: w.AddedAt, WantedAt: w.WantedAt, QueuedAt: w.QueuedAt,
		StartedAt: w.StartedAt, FinishedAt: w.FinishedAt, NextRun: w.NextRun, FieldRevision: w.FieldRevision,
	}
}

// WatchOf is the watch that a view is of, but for who wants it scanned.
func WatchOf(v wire.Watch) store.Watch {
	return store.Watch{
		Name: v.Name, Kind: v.Kind, Location: v.Location, Options: v.Options, Schedule: v.Schedule, Credential: v.Credential, Parent: v.Group,
		Paused: v.Paused, AddedAt: v.AddedAt,
		WatchState: store.WatchState{
			SourceID: v.Source, Outcome: v.Outcome, Problem: v.Problem, Failures: v.Failures, WantedAt: v.WantedAt, QueuedAt: v.QueuedAt,
			StartedAt: v.StartedAt, FinishedAt: v.FinishedAt, NextRun: v.NextRun, FieldRevision: v.FieldRevision,
		},
	}
}
