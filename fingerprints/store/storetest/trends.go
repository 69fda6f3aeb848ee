package storetest

import (
	"errors"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testDays(t *testing.T, f *fixture) {
	day := func(n int) time.Time { return epoch().Truncate(24*time.Hour).AddDate(0, 0, n) }
	one := store.Day{Day: day(1), Verdicts: map[fingerprints.Verdict]int{fingerprints.VerdictLeaked: 3, fingerprints.VerdictCleared: 4}}
	none := store.Day{Day: day(2), Verdicts: map[fingerprints.Verdict]int{}}
	f.update(func(tx store.Tx) error {
		first := one
		first.Verdicts = map[fingerprints.Verdict]int{fingerprints.VerdictStale: 9}
		first.Day = first.Day.Add(7 * time.Hour)
		return errors.Join(tx.PutDay(f.ctx, none), tx.PutDay(f.ctx, first), tx.PutDay(f.ctx, one))
	})
	f.view(func(tx store.Tx) error {
		all, err := tx.Days(f.ctx, day(0))
		f.diff("Days", []store.Day{one, none}, all)
		later, err2 := tx.Days(f.ctx, day(2).Add(time.Hour))
		f.diff("Days from the second on", []store.Day{none}, later)
		return errors.Join(err, err2)
	})
}

func testViews(t *testing.T, f *fixture) {
	mine := []store.SavedView{{ID: 3, Owner: "me", Name: "late", Query: "is:late", CreatedAt: hour(1)}, {ID: 2, Owner: "me", Name: "old", Query: "age>90d", CreatedAt: hour(1)}}
	f.update(func(tx store.Tx) error {
		before := mine[0]
		before.Query = "due<0h"
		theirs := mine[1]
		theirs.Owner = "them"
		return errors.Join(tx.PutView(f.ctx, before), tx.PutView(f.ctx, mine[1]), tx.PutView(f.ctx, mine[0]), tx.PutView(f.ctx, theirs))
	})
	list := func(owner string) (out []store.SavedView) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Views(f.ctx, owner)
			return err
		})
		return out
	}
	f.diff("Views", mine, list("me"))
	f.wantErr("RemoveView of another's", f.store.Update(f.ctx, func(tx store.Tx) error { return tx.RemoveView(f.ctx, "them", 2) }), store.ErrNotFound)
	f.update(func(tx store.Tx) error { return tx.RemoveView(f.ctx, "me", 3) })
	f.diff("Views after one was removed", mine[1:], list("me"))
}

func testCleared(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive), version("a", 2, fingerprints.StateRetired))
	f.record(hour(1), registered(1), observed(3)) // the latter of no version
	f.record(hour(2), registered(2))
	f.unseen("", hour(4), hour(5), nil)
	f.record(hour(6), registered(4)) // still there
	f.view(func(tx store.Tx) error {
		all, err := tx.Cleared(f.ctx, hour(3), 10)
		f.diff("Cleared", []store.Span{{FirstSeen: hour(2), GoneAt: hour(5)}, {FirstSeen: hour(1), GoneAt: hour(5)}}, all)
		one, err2 := tx.Cleared(f.ctx, hour(3), 1)
		none, err3 := tx.Cleared(f.ctx, hour(6), 10)
		f.diff("Cleared, at most one, and since later", []int{1, 0}, []int{len(one), len(none)})
		return errors.Join(err, err2, err3)
	})
}

func testAges(t *testing.T, f *fixture) {
	active := func(secret string, n, at int) fingerprints.Version {
		v := version(secret, n, fingerprints.StateActive)
		v.ActivatedAt = hour(at)
		return v
	}
	f.put("a", active("a", 1, 1), active("a", 2, 5), active("a", 3, 9))
	f.put("b", active("b", 4, 5), version("b", 5, fingerprints.StateRetired))
	f.view(func(tx store.Tx) error {
		list, err := tx.ActiveAges(f.ctx, []time.Time{hour(8), hour(5)})
		all := []int{0, 0, 0}
		for _, a := range list {
			for i, n := range a.Since {
				all[i] += n
			}
		}
		f.diff("ActiveAges", []int{1, 2, 1}, all)
		return err
	})
}
