package storetest

import (
	"fmt"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testRecordNew(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	o := registered(1)
	o.Owner = "team-a"
	s := &o.Sighting
	s.Locator, s.Rule, s.Within, s.URL, s.At = "blob/1", "generic-api-key", true, "https://example.com/x", hour(-5)
	s.Author, s.Commit = "Ada Example", "0123456789abcdef0123456789abcdef01234567"
	got := f.record(hour(1), o)
	f.diff("Recorded", []store.Recorded{{FindingID: findingID(1), New: true, NewPlace: true}}, got)

	want := store.FindingView{
		Finding: fingerprints.Finding{
			ID: findingID(1), Value: valueID(1), SourceID: dir, Path: "conf/app.env", PathID: pathID(1),
			Presence: fingerprints.PresenceTip, Status: fingerprints.StatusOpen, Owner: "team-a",
			FirstSeen: hour(1), LastSeen: hour(1), Rules: []string{"generic-api-key"},
		},
		Verdict: fingerprints.VerdictLeaked, Severity: fingerprints.SeverityCritical, Places: 1,
		Forms: []fingerprints.Form{fingerprints.FormRaw},
		Matches: []store.Match{{
			Row: rowID(1), Field: "password", Version: version("a", 1, fingerprints.StateActive),
			Class: fingerprints.ClassApplication, Owner: "owner-of-a", Verdict: fingerprints.VerdictLeaked,
		}},
	}
	f.diff("Finding", want, f.finding(hour(2), findingID(1)))
	f.diff("Findings", []store.FindingView{want}, f.findings(hour(2), store.FindingFilter{}))

	sighting := o.Sighting
	sighting.Finding, sighting.FirstSeen, sighting.LastSeen = findingID(1), hour(1), hour(1)
	f.diff("Sightings", []fingerprints.Sighting{sighting}, f.sightings(findingID(1)))
	f.diff("History", []string{"seen"}, f.history(findingID(1)))
	f.view(func(tx store.Tx) error {
		_, err := tx.Finding(f.ctx, epoch(), findingID(2))
		f.wantErr("Finding", err, store.ErrNotFound)
		_, err = tx.Sightings(f.ctx, findingID(2), 0)
		f.wantErr("Sightings", err, store.ErrNotFound)
		return nil
	})
}

func testRecordIdempotent(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	batch := []store.Observed{registered(1), observed(2)}
	f.record(hour(1), batch...)
	got := f.record(hour(1), batch...)
	f.diff("the same batch again", []store.Recorded{{FindingID: findingID(1)}, {FindingID: findingID(2)}}, got)
	before := f.findings(hour(1), store.FindingFilter{})
	f.record(hour(2), batch...)
	after := f.findings(hour(1), store.FindingFilter{})
	for i := range before {
		before[i].LastSeen = hour(2)
	}
	f.diff("a later scan moves LastSeen alone", before, after)

	// A replay of something older moves nothing back but FirstSeen.
	f.record(hour(0), batch[0])
	v := f.finding(hour(2), findingID(1))
	f.diff("first, last", []any{hour(0), hour(2)}, []any{v.FirstSeen, v.LastSeen})

	// What a poorer scan does not know is not forgotten.
	rich := registered(1)
	rich.Sighting.Rule, rich.Sighting.Author, rich.Sighting.Commit = "rule-x", "Ada Example", "01234567"
	f.record(hour(3), rich)
	f.record(hour(4), observed(1))
	s := f.sightings(findingID(1))
	if len(s) != 1 || s[0].Rule != "rule-x" || s[0].Row != rowID(1) || s[0].LastSeen != hour(4) || s[0].Author != "Ada Example" || s[0].Commit != "01234567" {
		t.Errorf("sightings %+v", s)
	}
	f.diff("rules", []string{"rule-x"}, f.finding(hour(4), findingID(1)).Rules)
}

func testRecordDuplicates(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive), version("a", 2, fingerprints.StateRetired))
	both := registered(1)
	both.Rows = []fingerprints.RowID{rowID(1), rowID(2)}
	generic := observed(1)
	generic.Sighting.Rule = "rule-y"
	elsewhere := observed(1)
	elsewhere.Sighting.Start, elsewhere.Sighting.Rule = 11, "rule-x"
	otherPath := observed(3)
	otherPath.Value = valueID(1) // the same value at another path
	got := f.record(hour(1), both, generic, both, elsewhere, otherPath)
	f.diff("Recorded", []store.Recorded{
		{FindingID: findingID(1), New: true, NewPlace: true},
		{FindingID: findingID(1), New: true, NewPlace: true},
		{FindingID: findingID(1), New: true, NewPlace: true},
		{FindingID: findingID(1), New: true, NewPlace: true},
		{FindingID: findingID(3), New: true, NewPlace: true},
	}, got)
	v := f.finding(hour(1), findingID(1))
	f.diff("rules", []string{"rule-x", "rule-y"}, v.Rules)
	if v.Places != 2 || len(v.Matches) != 2 {
		t.Errorf("%d places, %d matches; want 2, 2", v.Places, len(v.Matches))
	}
	s := f.sightings(findingID(1))
	if s[0].Rule != "rule-y" || s[0].Row != rowID(1) {
		t.Errorf("the hits at one place were not joined: %+v", s[0])
	}
	if v := f.finding(hour(1), findingID(3)); len(v.Matches) != 2 {
		t.Errorf("the other finding of the value has %d matches, want 2", len(v.Matches))
	}
	got = f.record(hour(2), elsewhere, observed(9))
	f.diff("known and new", []store.Recorded{{FindingID: findingID(1)}, {FindingID: findingID(9), New: true, NewPlace: true}}, got)
}

func testRecordLarge(t *testing.T, f *fixture) {
	f.source(dir)
	const n = 3001
	var batch []store.Observed
	for i := range n {
		o := observed(i % 1700)
		o.Sighting.Locator = fmt.Sprint("blob/", i)
		batch = append(batch, o)
	}
	f.record(hour(1), batch...)
	batch[0].Sighting.Locator = "blob/new"
	got := f.record(hour(2), batch...)
	for i, r := range got {
		want := store.Recorded{FindingID: batch[i].FindingID, NewPlace: i == 0}
		if r != want {
			t.Fatalf("observation %d: %+v, want %+v", i, r, want)
		}
	}
	f.view(func(tx store.Tx) error {
		counts, err := tx.CountVerdicts(f.ctx, hour(2), store.FindingFilter{})
		f.diff("CountVerdicts", map[fingerprints.Verdict]int{fingerprints.VerdictUnregistered: 1700}, counts)
		return err
	})
	places := 0
	for _, v := range f.findings(hour(2), store.FindingFilter{}) {
		places += v.Places
	}
	if places != n+1 {
		t.Errorf("%d places, want %d", places, n+1)
	}
}

func testRecordRuns(t *testing.T, f *fixture) {
	f.source(dir)
	first, last := observed(1), observed(1)
	last.Sighting.Start, last.Overflow = 500, 40
	for i := range 3 {
		f.record(hour(i), first, last, last)
		if got := f.finding(hour(9), findingID(1)).Places; got != 42 {
			t.Errorf("%d places after %d scans, want 42", got, i+1)
		}
	}
	last.Overflow = 41 // one more at the end of the same content
	f.record(hour(4), first, last)
	if got := f.finding(hour(9), findingID(1)).Places; got != 43 {
		t.Errorf("%d places after growth, want 43", got)
	}
	f.unseen("", hour(5), hour(6), nil)
	if got := f.finding(hour(9), findingID(1)).Places; got != 0 {
		t.Errorf("%d places when gone, want 0", got)
	}
}

func testRecordPresence(t *testing.T, f *fixture) {
	f.source(dir)
	at := func(n int, locator string, p fingerprints.Presence) store.Observed {
		o := observed(n)
		o.Sighting.Locator, o.Sighting.Presence = locator, p
		return o
	}
	presence := func(want fingerprints.Presence) {
		t.Helper()
		if got := f.finding(epoch(), findingID(1)).Presence; got != want {
			t.Errorf("presence %s, want %s", got, want)
		}
	}
	f.record(hour(1), at(1, "a", fingerprints.PresenceUnreachable), at(1, "b", fingerprints.PresenceHistory))
	presence(fingerprints.PresenceHistory)
	f.record(hour(2), at(1, "c", fingerprints.PresenceTip))
	presence(fingerprints.PresenceTip)
	f.record(hour(3), at(1, "a", fingerprints.PresenceUnreachable))
	presence(fingerprints.PresenceTip)
	f.record(hour(4), at(1, "c", fingerprints.PresenceHistory)) // the branch moved on
	presence(fingerprints.PresenceHistory)
	f.record(hour(5), at(1, "c", fingerprints.PresenceTip), at(1, "c", fingerprints.PresenceHistory))
	presence(fingerprints.PresenceTip)

	// Of every two, the stronger.
	all := fingerprints.Presences()
	var first, second []store.Observed
	for i, p := range all {
		for j, q := range all {
			n := 100 + i*len(all) + j
			first, second = append(first, at(n, "a", p)), append(second, at(n, "b", q))
		}
	}
	f.record(hour(1), first...)
	f.record(hour(2), second...)
	for i, p := range all {
		for j, q := range all {
			if got, want := f.finding(epoch(), findingID(100+i*len(all)+j)).Presence, all[min(i, j)]; got != want {
				t.Errorf("%s then %s: %s, want %s", p, q, got, want)
			}
		}
	}
}

func testRecordHomes(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	homes := f.allow("a", 2)
	allowed := func(want ...int64) {
		t.Helper()
		f.diff("Allowed", want, f.finding(epoch(), findingID(1)).Allowed)
	}
	o := registered(1)
	o.AllowIDs = []int64{homes[1], homes[0], 987654}
	f.record(hour(1), o)
	allowed(homes...)
	o.AllowIDs = homes[1:]
	f.record(hour(2), o)
	allowed(homes[1])
	f.record(hour(3), registered(1))
	allowed()
	add := func(home int64, findings ...fingerprints.FindingID) {
		t.Helper()
		f.update(func(tx store.Tx) error { return tx.AddAllowed(f.ctx, home, findings) })
	}
	add(homes[1], findingID(1), findingID(5))
	allowed(homes[1])
	add(homes[0], findingID(1))
	add(homes[0], findingID(1))
	add(987654, findingID(1))
	allowed(homes...)
	f.update(func(tx store.Tx) error { return tx.RemoveAllow(f.ctx, homes[0]) })
	allowed(homes[1])
}

// allow adds homes without an end.
func (f *fixture) allow(secret string, n int) (ids []int64) {
	f.t.Helper()
	f.update(func(tx store.Tx) error {
		for range n {
			id, err := tx.AddAllow(f.ctx, store.Allow{Secret: secret, SourceGlob: "**", PathGlob: "**"})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	return ids
}

func testRecordRefuses(t *testing.T, f *fixture) {
	f.source(dir)
	f.update(func(tx store.Tx) error {
		none, err := tx.Record(f.ctx, epoch(), nil)
		if len(none) != 0 || err != nil {
			t.Errorf("an empty batch: %v, %v", none, err)
		}
		lost := observed(1)
		lost.SourceID = "dir:/unknown"
		_, err = tx.Record(f.ctx, epoch(), []store.Observed{lost})
		f.wantErr("an unknown source", err, store.ErrNotFound)
		nameless := observed(1)
		nameless.FindingID = ""
		if _, err := tx.Record(f.ctx, epoch(), []store.Observed{nameless}); err == nil {
			t.Error("a sighting without a finding was stored")
		}
		return nil
	})
	if list := f.findings(epoch(), store.FindingFilter{}); len(list) != 0 {
		t.Errorf("%d findings, want none", len(list))
	}
}

func testWeakValues(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateActive))
	weak := func(n int) store.Observed {
		o := observed(n)
		o.Value = fingerprints.ValueID{}
		return o
	}
	tied := weak(3)
	tied.Rows = []fingerprints.RowID{rowID(1)}
	f.record(hour(1), weak(1), weak(2), tied)
	f.record(hour(2), weak(1), weak(2), tied)
	list := f.findings(epoch(), store.FindingFilter{})
	if len(list) != 3 {
		t.Fatalf("%d findings, want 3", len(list))
	}
	for i, want := range []fingerprints.Verdict{fingerprints.VerdictUnregistered, fingerprints.VerdictUnregistered, fingerprints.VerdictLeaked} {
		if list[i].Verdict != want || !list[i].Value.IsZero() {
			t.Errorf("finding %d: %s with value %v, want %s without", i+1, list[i].Verdict, list[i].Value, want)
		}
	}
	f.update(func(tx store.Tx) error {
		n, err := tx.LinkValue(f.ctx, fingerprints.ValueID{}, rowID(1))
		if n != 0 {
			t.Errorf("linking no value reached %d findings", n)
		}
		return err
	})
}
