package storetest

import (
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testGoneReturned(t *testing.T, f *fixture) {
	f.source(dir, "dir:/other")
	other := observed(4)
	other.SourceID = "dir:/other"
	moved := observed(3)
	f.record(hour(1), observed(1), observed(2), moved, other)
	f.record(hour(3), observed(2))
	moved.Sighting.Start = 11
	f.record(hour(3), moved)
	f.diff("gone", []fingerprints.FindingID{findingID(1)}, f.unseen("", hour(2), hour(4), nil))
	f.diff("gone again", []fingerprints.FindingID(nil), f.unseen("", hour(2), hour(5), nil))

	v := f.finding(hour(5), findingID(1))
	f.diff("gone", []any{fingerprints.PresenceGone, fingerprints.VerdictCleared, hour(4), 0},
		[]any{v.Presence, v.Verdict, v.GoneAt, v.Places})
	for _, n := range []int{2, 3, 4} {
		if v := f.finding(hour(5), findingID(n)); v.Presence != fingerprints.PresenceTip || !v.GoneAt.IsZero() || v.Places != 1 {
			t.Errorf("finding %d: %s, gone at %v, %d places", n, v.Presence, v.GoneAt, v.Places)
		}
	}
	if s := f.sightings(findingID(3)); len(s) != 2 || s[0].Start != 11 || s[1].Presence != fingerprints.PresenceGone {
		t.Errorf("the moved sighting: %+v", s)
	}

	got := f.record(hour(6), observed(1), observed(1))
	f.diff("returned", []store.Recorded{{FindingID: findingID(1), Returned: true}, {FindingID: findingID(1), Returned: true}}, got)
	v = f.finding(hour(6), findingID(1))
	if v.Presence != fingerprints.PresenceTip || !v.GoneAt.IsZero() || v.FirstSeen != hour(1) || v.Verdict != fingerprints.VerdictUnregistered {
		t.Errorf("returned: %+v", v)
	}
	f.diff("history", []string{"seen", "gone", "returned"}, f.history(findingID(1)))
	f.update(func(tx store.Tx) error {
		_, err := tx.MarkUnseen(f.ctx, "dir:/unknown", "", hour(1), hour(1), nil)
		f.wantErr("an unknown source", err, store.ErrNotFound)
		return nil
	})
}

func testGoneExtent(t *testing.T, f *fixture) {
	f.source(dir)
	whole, part := observed(1), observed(2)
	part.Extent = "conf/"
	f.record(hour(1), whole, part)
	f.diff("another part", []fingerprints.FindingID(nil), f.unseen("src/", hour(2), hour(2), nil))
	f.diff("the part", []fingerprints.FindingID{findingID(2)}, f.unseen("conf/", hour(2), hour(2), nil))
	f.record(hour(3), part)
	f.diff("the whole", []fingerprints.FindingID{findingID(1), findingID(2)}, f.unseen("", hour(4), hour(4), nil))
}

func testGoneKeep(t *testing.T, f *fixture) {
	f.source(dir)
	skipped := observed(2)
	skipped.Path = "locked/file"
	elsewhere := observed(1)
	elsewhere.Sighting.Locator = "elsewhere"
	f.record(hour(1), observed(1), skipped, elsewhere)
	keep := func(path, locator string) bool { return path == "locked/file" || locator == "elsewhere" }
	f.diff("one of two places", []fingerprints.FindingID(nil), f.unseen("", hour(2), hour(2), keep))
	if v := f.finding(hour(2), findingID(1)); v.Presence != fingerprints.PresenceTip || v.Places != 1 {
		t.Errorf("with a place elsewhere: %s, %d places", v.Presence, v.Places)
	}
	keep = func(path, _ string) bool { return path == "locked/file" }
	f.diff("gone", []fingerprints.FindingID{findingID(1)}, f.unseen("", hour(2), hour(2), keep))
	if v := f.finding(hour(2), findingID(2)); v.Presence != fingerprints.PresenceTip || v.Places != 1 {
		t.Errorf("a skipped place became %s", v.Presence)
	}
}

func testMerge(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 2, fingerprints.StateActive))
	generic, reg := observed(1), registered(2)
	generic.Sighting.Rule, generic.Sighting.Start, generic.Owner = "rule-a", 5, "team-a"
	shared := registered(2)
	shared.Sighting.Start = 99
	sharedToo := observed(1)
	sharedToo.Sighting.Start, sharedToo.Sighting.Rule = 99, "rule-b"
	f.record(hour(1), generic, sharedToo)
	f.record(hour(2), reg, shared)
	f.update(func(tx store.Tx) error {
		old := fingerprints.Finding{ID: findingID(1), Status: fingerprints.StatusAccepted, Owner: "team-a", Due: hour(9)}
		if err := tx.SetTriage(f.ctx, old, store.HistoryEntry{At: hour(1), Actor: "me", What: "accepted"}); err != nil {
			return err
		}
		f.wantErr("merging what is not there", tx.MergeFinding(f.ctx, hour(3), findingID(7), findingID(2)), store.ErrNotFound)
		f.wantErr("merging into nothing", tx.MergeFinding(f.ctx, hour(3), findingID(1), findingID(7)), store.ErrNotFound)
		return tx.MergeFinding(f.ctx, hour(3), findingID(1), findingID(2))
	})
	v := f.finding(hour(4), findingID(1)) // by the alias
	f.diff("merged", []any{
		findingID(2), fingerprints.StatusOpen, "team-a", hour(9), hour(1), hour(2), 3, fingerprints.VerdictLeaked,
		[]string{"rule-a", "rule-b"},
		[]fingerprints.FindingID{findingID(1)},
	}, []any{v.ID, v.Status, v.Owner, v.Due, v.FirstSeen, v.LastSeen, v.Places, v.Verdict, v.Rules, v.Aliases})
	f.diff("history", []string{"seen", "accepted", "merged"}, f.history(findingID(1)))
	if s := f.sightings(findingID(2)); len(s) != 3 || s[2].Rule != "rule-b" || s[2].Row != rowID(2) || s[2].FirstSeen != hour(1) || s[2].LastSeen != hour(2) {
		t.Errorf("sightings %+v", s)
	}

	got := f.record(hour(5), generic)
	f.diff("recording by the alias", []store.Recorded{{FindingID: findingID(2)}}, got)
	f.record(hour(5), observed(3))
	f.update(func(tx store.Tx) error {
		if err := tx.MergeFinding(f.ctx, hour(5), findingID(1), findingID(2)); err != nil { // again
			return err
		}
		return tx.MergeFinding(f.ctx, hour(6), findingID(1), findingID(3)) // a chain, by the alias
	})
	v = f.finding(hour(7), findingID(1))
	f.diff("chain", []any{findingID(3), []fingerprints.FindingID{findingID(1), findingID(2)}}, []any{v.ID, v.Aliases})
	if list := f.findings(hour(7), store.FindingFilter{}); len(list) != 1 {
		t.Errorf("%d findings are left, want 1", len(list))
	}
	got = f.record(hour(8), generic, reg, observed(3))
	for i, r := range got {
		if r.FindingID != findingID(3) || r.New {
			t.Errorf("observation %d went to %+v", i, r)
		}
	}
}

func testTriage(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1))
	change := fingerprints.Finding{
		ID: findingID(1), Status: fingerprints.StatusAccepted, Owner: "team-b", Reason: "a test value", Until: hour(5), Due: hour(6),
	}
	entry := store.HistoryEntry{At: hour(2), Actor: "me", What: "accepted", Detail: "a test value"}
	f.update(func(tx store.Tx) error { return tx.SetTriage(f.ctx, change, entry) })
	v := f.finding(hour(3), findingID(1))
	f.diff("triaged", change, fingerprints.Finding{ID: v.ID, Status: v.Status, Owner: v.Owner, Reason: v.Reason, Until: v.Until, Due: v.Due})
	f.view(func(tx store.Tx) error {
		list, err := tx.History(f.ctx, findingID(1))
		f.diff("history", []store.HistoryEntry{{At: hour(1), What: "seen"}, entry}, list)
		return err
	})
	statuses := func(now int, want int) {
		t.Helper()
		list := f.findings(hour(now), store.FindingFilter{Statuses: []fingerprints.Status{fingerprints.StatusAccepted}})
		if len(list) != want {
			t.Errorf("%d accepted findings at hour %d, want %d", len(list), now, want)
		}
	}
	statuses(4, 1)
	statuses(5, 0) // the date has passed
	if v := f.finding(hour(5), findingID(1)); v.Status != fingerprints.StatusOpen {
		t.Errorf("status %s after the date, want open", v.Status)
	}
	f.record(hour(6), observed(1))
	if v := f.finding(hour(3), findingID(1)); v.Status != fingerprints.StatusAccepted || v.Owner != "team-b" {
		t.Error("a scan changed the triage")
	}
	f.update(func(tx store.Tx) error {
		change.ID = findingID(9)
		f.wantErr("SetTriage", tx.SetTriage(f.ctx, change, entry), store.ErrNotFound)
		return nil
	})
}
