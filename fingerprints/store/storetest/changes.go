package storetest

import (
	"slices"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// changes lists the findings that changed since, by their number in the test,
// and moves since behind them.
func (f *fixture) changes(since *uint64) []fingerprints.FindingID {
	f.t.Helper()
	var out []fingerprints.FindingID
	f.view(func(tx store.Tx) error {
		list, err := tx.Changes(f.ctx, *since, 1000)
		if err != nil {
			return err
		}
		for _, c := range list {
			if c.Number <= *since {
				f.t.Errorf("number %d comes after %d", c.Number, *since)
			}
			*since = c.Number
			out = append(out, c.Finding)
		}
		last, err := tx.LastChange(f.ctx)
		if last < *since {
			f.t.Errorf("the last change is %d, and there is %d", last, *since)
		}
		*since = last
		return err
	})
	slices.Sort(out)
	return out
}

func findingIDs(numbers ...int) []fingerprints.FindingID {
	var out []fingerprints.FindingID
	for _, n := range numbers {
		out = append(out, findingID(n))
	}
	slices.Sort(out)
	return out
}

func testChanges(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 2, fingerprints.StateActive))
	var since uint64
	want := func(what string, numbers ...int) {
		t.Helper()
		f.diff(what, findingIDs(numbers...), f.changes(&since))
	}
	want("of nothing")
	f.record(hour(1), observed(1), observed(3), observed(4))
	want("new", 1, 3, 4)
	f.record(hour(2), observed(1), observed(3), observed(4))
	want("seen as before")

	place, weaker, ruled := observed(1), observed(3), observed(4)
	place.Sighting.Start = 99
	weaker.Sighting.Presence, ruled.Sighting.Rule = fingerprints.PresenceHistory, "rule-x"
	f.record(hour(3), place)
	want("a new place", 1)
	f.record(hour(3), weaker, ruled)
	want("a weaker presence, a rule", 3, 4)
	f.record(hour(4), observed(3))
	want("a stronger presence", 3)
	f.unseen("", hour(4), hour(5), nil)
	want("gone", 1, 4)
	f.record(hour(6), observed(1))
	want("returned", 1)

	same := observed(5)
	same.Value = valueID(1)
	f.record(hour(6), same)
	want("the same value elsewhere", 5)
	f.update(func(tx store.Tx) error {
		_, err := tx.LinkValue(f.ctx, valueID(1), rowID(2))
		return err
	})
	want("every finding of a value that was tied to a field", 1, 5)
	f.update(func(tx store.Tx) error {
		_, err := tx.LinkValue(f.ctx, valueID(1), rowID(2))
		return err
	})
	want("tied already")
	tied := observed(3)
	tied.Rows = []fingerprints.RowID{rowID(2)}
	f.record(hour(7), tied)
	want("tied by a scan", 3)
	f.update(func(tx store.Tx) error {
		return tx.SetTriage(f.ctx, fingerprints.Finding{ID: findingID(4), Status: fingerprints.StatusAccepted}, store.HistoryEntry{What: "accepted"})
	})
	want("triaged", 4)
	f.update(func(tx store.Tx) error { return tx.MergeFinding(f.ctx, hour(8), findingID(4), findingID(1)) })
	want("merged", 1)
}

func testChangesOfLinks(t *testing.T, f *fixture) {
	f.source(dir, "dir:/new")
	f.put("a", version("a", 1, fingerprints.StateActive))
	f.record(hour(1), registered(1), registered(2), observed(3))
	var since uint64
	f.changes(&since)
	want := func(what string, numbers ...int) {
		t.Helper()
		f.diff(what, findingIDs(numbers...), f.changes(&since))
	}
	home := f.allow("a", 1)
	want("a home that nothing is tied to")
	f.update(func(tx store.Tx) error { return tx.AddAllowed(f.ctx, home[0], findingIDs(1)) })
	want("allowed")
	o := registered(2)
	o.AllowIDs = home
	f.record(hour(2), o)
	want("allowed by a scan", 2)
	f.update(func(tx store.Tx) error { return tx.RemoveAllow(f.ctx, home[0]) })
	want("a home that went")
	var decision int64
	f.update(func(tx store.Tx) (err error) {
		if decision, err = tx.AddDecision(f.ctx, store.Decision{Rule: "*", Status: fingerprints.StatusAccepted}); err != nil {
			return err
		}
		return tx.AddDecided(f.ctx, decision, findingIDs(3))
	})
	want("decided", 3)
	f.update(func(tx store.Tx) error { return tx.RemoveDecision(f.ctx, decision) })
	want("a decision that went", 3)

	f.update(func(tx store.Tx) error {
		rewritten := false
		var paths []string
		err := tx.EachProvenance(f.ctx, func(ref, text string) error {
			if !rewritten && text == "conf/app.env" {
				rewritten = true
				paths = append(paths, ref)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return tx.RewriteProvenance(f.ctx, paths[0], "conf/[redacted]")
	})
	if got := f.changes(&since); len(got) != 1 {
		t.Errorf("redacted: %v changed, want one", got)
	}
	f.update(func(tx store.Tx) error {
		return tx.MoveSource(f.ctx, dir, "dir:/newest", func(x fingerprints.Finding) fingerprints.FindingID { return "" })
	})
	want("moved", 1, 2, 3)

	f.view(func(tx store.Tx) error {
		list, err := tx.Changes(f.ctx, 0, 2)
		if len(list) != 2 || list[0].Number >= list[1].Number {
			t.Errorf("a page of two: %+v", list)
		}
		return err
	})
}

func testLapsed(t *testing.T, f *fixture) {
	f.source(dir)
	superseded := version("a", 1, fingerprints.StateSuperseded)
	superseded.WindowEnds = hour(10)
	f.put("a", superseded)
	var home int64
	var decision int64
	f.update(func(tx store.Tx) (err error) {
		if home, err = tx.AddAllow(f.ctx, store.Allow{Secret: "a", SourceGlob: "**", PathGlob: "**", Until: hour(20)}); err != nil {
			return err
		}
		decision, err = tx.AddDecision(f.ctx, store.Decision{Rule: "*", Status: fingerprints.StatusAccepted, Until: hour(30)})
		return err
	})
	allowed, decided := observed(2), observed(3)
	allowed.AllowIDs, decided.DecisionIDs = []int64{home}, []int64{decision}
	f.record(hour(1), registered(1), allowed, decided, observed(4), observed(5))
	f.update(func(tx store.Tx) error {
		return tx.SetTriage(f.ctx, fingerprints.Finding{ID: findingID(4), Status: fingerprints.StatusAccepted, Until: hour(40)}, store.HistoryEntry{What: "accepted"})
	})
	lapsed := func(from, to int, after fingerprints.FindingID, limit int) (out []fingerprints.FindingID) {
		t.Helper()
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Lapsed(f.ctx, hour(from), hour(to), after, limit)
			return err
		})
		return out
	}
	for _, c := range []struct {
		from, to int
		want     []int
	}{
		{0, 9, nil},
		{9, 10, []int{1}},
		{10, 19, nil},
		{10, 20, []int{2}},
		{29, 30, []int{3}},
		{39, 41, []int{4}},
		{40, 90, nil},
		{0, 90, []int{1, 2, 3, 4}},
	} {
		f.diff("between", findingIDs(c.want...), lapsed(c.from, c.to, "", 100))
	}
	first := lapsed(0, 90, "", 3)
	f.diff("the next page", findingIDs(1, 2, 3, 4), append(first, lapsed(0, 90, first[2], 3)...))
	f.view(func(tx store.Tx) error {
		list, err := tx.Lapsed(f.ctx, hour(5), hour(4), "", 10)
		if len(list) > 0 {
			t.Errorf("backwards: %v", list)
		}
		return err
	})
}

func testMarks(t *testing.T, f *fixture) {
	set := func(from, to string) error {
		return f.store.Update(f.ctx, func(tx store.Tx) error { return tx.SetMark(f.ctx, "feed", from, to) })
	}
	mark := func(want string) {
		t.Helper()
		f.view(func(tx store.Tx) error {
			got, err := tx.Mark(f.ctx, "feed")
			f.diff("mark", want, got)
			return err
		})
	}
	mark("")
	f.wantErr("over nothing", set("1", "2"), store.ErrOvertaken)
	f.wantErr("first", set("", "1"), nil)
	f.wantErr("taken", set("", "2"), store.ErrOvertaken)
	f.wantErr("next", set("1", "2"), nil)
	mark("2")
	f.wantErr("removed", set("2", ""), nil)
	mark("")
}

func testTold(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1), observed(2), observed(3))
	put := func(list ...store.Told) {
		t.Helper()
		f.update(func(tx store.Tx) error { return tx.PutTold(f.ctx, list) })
	}
	told := func(receiver string, numbers ...int) (out map[fingerprints.FindingID]store.Told) {
		t.Helper()
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Told(f.ctx, receiver, findingIDs(numbers...))
			return err
		})
		return out
	}
	of := func(n int, word string, at time.Time) store.Told {
		return store.Told{Receiver: "chat", Finding: findingID(n), Word: word, Group: "g", At: at}
	}
	put(of(1, "leaked", hour(2)), of(2, "stale", hour(2)), of(9, "lost", hour(2)), of(2, "leaked", hour(3)))
	put(of(1, "cleared", hour(4)))
	f.diff("told", map[fingerprints.FindingID]store.Told{
		findingID(1): of(1, "cleared", hour(4)), findingID(2): of(2, "leaked", hour(3)),
	}, told("chat", 1, 2, 3, 9))
	f.diff("another receiver", map[fingerprints.FindingID]store.Told{}, told("mail", 1, 2))

	f.update(func(tx store.Tx) error { return tx.MergeFinding(f.ctx, hour(5), findingID(1), findingID(3)) })
	f.diff("merged", map[fingerprints.FindingID]store.Told{findingID(3): of(3, "cleared", hour(4))}, told("chat", 1, 3))
	f.update(func(tx store.Tx) error { return tx.MergeFinding(f.ctx, hour(5), findingID(2), findingID(3)) })
	f.diff("merged onto one that was told", map[fingerprints.FindingID]store.Told{findingID(3): of(3, "cleared", hour(4))}, told("chat", 2, 3))
}
