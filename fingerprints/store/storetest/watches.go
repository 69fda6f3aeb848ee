package storetest

import (
	"errors"
	"testing"
	"time"

	"revenant/fingerprints/store"
)

// watch n has every field set.
func watch(name string) store.Watch {
	return store.Watch{
		Name: name, Kind: "git", Location: "https://host/" + name, Options: []byte(`{"depth":1}`), Credential: "env:TOKEN", Schedule: "1h",
		Parent: "group", Paused: true, AddedAt: epoch(),
		WatchState: store.WatchState{
			SourceID: "git:host/" + name, NextRun: hour(5), WantedAt: hour(1), Wanted: "push", QueuedAt: hour(2), StartedAt: hour(3),
			FinishedAt: hour(4), Outcome: "failed", Problem: "it does not answer", Failures: 3, FieldRevision: 7,
		},
	}
}

func testWatches(t *testing.T, f *fixture) {
	a, b := watch("a"), store.Watch{Name: "b", Kind: "dir", Location: "/srv/b"}
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutWatch(f.ctx, b), tx.PutWatch(f.ctx, a)) })
	list := func(q store.WatchFilter) (out []store.Watch) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Watches(f.ctx, q)
			return err
		})
		return out
	}
	f.diff("Watches", []store.Watch{a, b}, list(store.WatchFilter{}))
	f.diff("of a group", []store.Watch{a}, list(store.WatchFilter{Parent: "group"}))
	f.diff("of a source", []store.Watch{a}, list(store.WatchFilter{Source: a.SourceID}))
	f.diff("of an outcome", []store.Watch{a}, list(store.WatchFilter{Outcome: a.Outcome}))
	f.diff("of a schedule", []store.Watch{a}, list(store.WatchFilter{Schedule: a.Schedule}))
	f.diff("first page", []store.Watch{a}, list(store.WatchFilter{Limit: 1}))
	f.diff("second page", []store.Watch{b}, list(store.WatchFilter{After: "a", Limit: 1}))
	a.Paused, a.Outcome, a.Options = false, "complete", nil
	f.update(func(tx store.Tx) error { return tx.PutWatch(f.ctx, a) })
	f.view(func(tx store.Tx) error {
		got, err := tx.Watch(f.ctx, "a")
		f.diff("replaced", a, got)
		_, missing := tx.Watch(f.ctx, "c")
		f.wantErr("Watch", missing, store.ErrNotFound)
		counts, cerr := tx.CountWatches(f.ctx)
		f.diff("CountWatches", map[string]int{"complete": 1, "": 1}, counts)
		return errors.Join(err, cerr)
	})
	f.update(func(tx store.Tx) error { return tx.RemoveWatch(f.ctx, "a") })
	f.diff("after RemoveWatch", []store.Watch{b}, list(store.WatchFilter{}))
	f.wantErr("RemoveWatch", f.store.Update(f.ctx, func(tx store.Tx) error { return tx.RemoveWatch(f.ctx, "a") }), store.ErrNotFound)
}

func testDueWatches(t *testing.T, f *fixture) {
	put := func(name string, st store.WatchState, paused bool) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			return tx.PutWatch(f.ctx, store.Watch{Name: name, Kind: "git", Paused: paused, WatchState: st})
		})
	}
	put("later", store.WatchState{NextRun: hour(9)}, false)
	put("on demand", store.WatchState{}, false)
	put("timely", store.WatchState{NextRun: hour(4), Outcome: "complete", FieldRevision: 5}, false)
	put("earlier", store.WatchState{NextRun: hour(3)}, false)
	put("asked for", store.WatchState{NextRun: hour(9), WantedAt: hour(4), Wanted: "push"}, false)
	put("behind", store.WatchState{NextRun: hour(9), Outcome: "incomplete", FieldRevision: 4}, false)
	put("up to date", store.WatchState{NextRun: hour(9), Outcome: "complete", FieldRevision: 5}, false)
	put("never scanned", store.WatchState{NextRun: hour(9), FieldRevision: 0}, false)
	put("failing", store.WatchState{NextRun: hour(9), Outcome: "failed", FieldRevision: 4}, false) // waits for its time
	put("paused", store.WatchState{NextRun: hour(1), WantedAt: hour(1)}, true)
	put("queued", store.WatchState{NextRun: hour(1), QueuedAt: hour(4)}, false)
	put("queued long ago", store.WatchState{NextRun: hour(2), QueuedAt: hour(1)}, false)
	due := func(d store.Due) (names []string) {
		f.view(func(tx store.Tx) error {
			list, err := tx.DueWatches(f.ctx, d)
			for _, w := range list {
				names = append(names, w.Name)
			}
			return err
		})
		return names
	}
	d := store.Due{At: hour(4), FieldRevision: 5, Requeue: hour(3)}
	f.diff("DueWatches", []string{"asked for", "behind", "queued long ago", "earlier", "timely"}, due(d))
	d.Limit = 2
	f.diff("the first", []string{"asked for", "behind"}, due(d))
	f.view(func(tx store.Tx) error {
		n, err := tx.CountBehind(f.ctx, 5)
		f.diff("CountBehind", 1, n)
		return err
	})
	f.diff("an hour before", []string{"asked for", "earlier"}, due(store.Due{At: hour(3), FieldRevision: 4, Requeue: hour(1)}))
}

func testWorkers(t *testing.T, f *fixture) {
	b := store.Worker{ID: "b", Host: "host", Version: "v1", StartedAt: epoch(), SeenAt: hour(1), Slots: 2}
	a := store.Worker{ID: "a"}
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutWorker(f.ctx, b), tx.PutWorker(f.ctx, a)) })
	b.SeenAt = hour(2).Add(time.Microsecond)
	b.Scans = []store.WorkerScan{{Watch: "group/\u00e9", Why: "push", StartedAt: hour(1), Items: 7, Bytes: 1 << 40, Stream: &store.StreamState{
		Hits: 1, Skips: 2, Batches: 3, Reconnects: 4, Lag: 5, Partitions: 6, Failing: 7, FailingSince: hour(2), Problem: "it does not answer", Topics: []store.TopicLag{{Topic: "a", Lag: 5}},
	}}}
	f.update(func(tx store.Tx) error { return tx.PutWorker(f.ctx, b) })
	list := func() (out []store.Worker) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Workers(f.ctx)
			return err
		})
		return out
	}
	f.diff("Workers", []store.Worker{a, b}, list())
	b.Scans = nil
	f.update(func(tx store.Tx) error { return tx.PutWorker(f.ctx, b) })
	f.diff("nothing is scanned any more", []store.Worker{a, b}, list())
	f.update(func(tx store.Tx) error { return tx.RemoveWorker(f.ctx, "a") })
	f.diff("after RemoveWorker", []store.Worker{b}, list())
	f.wantErr("RemoveWorker", f.store.Update(f.ctx, func(tx store.Tx) error { return tx.RemoveWorker(f.ctx, "a") }), store.ErrNotFound)
}
