package storetest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// combination is one row of correlation's table.
type combination struct {
	fingerprints.Circumstance
	class fingerprints.Class
}

func (c combination) String() string {
	return fmt.Sprintf("registered=%t state=%q compromised=%t window=%s presence=%s allowed=%t until=%s class=%s",
		c.Registered, c.State, c.Compromised, short(c.WindowEnds), c.Presence, c.Allowed, short(c.AllowedUntil), c.class)
}

func short(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format(time.RFC3339Nano)
}

// combinations is every combination, with times before, at and after now.
func combinations(now time.Time) (out []combination) {
	times := []time.Time{{}, now.Add(-time.Microsecond), now, now.Add(time.Microsecond)}
	for _, p := range append(fingerprints.Presences(), "of-a-later-version") {
		out = append(out, combination{Circumstance: fingerprints.Circumstance{Presence: p}})
		for i, s := range append(fingerprints.States(), "of-a-later-version") {
			for _, compromised := range []bool{false, true} {
				for _, window := range times {
					class := fingerprints.Classes()[(i+len(out))%len(fingerprints.Classes())]
					c := fingerprints.Circumstance{Registered: true, State: s, Compromised: compromised, WindowEnds: window, Presence: p}
					out = append(out, combination{c, class})
					for _, until := range times {
						c.Allowed, c.AllowedUntil = true, until
						out = append(out, combination{c, class})
					}
				}
			}
		}
	}
	return out
}

// testVerdicts compares the store's verdict and severity with the pure
// functions, combination by combination, and each verdict as a filter.
func testVerdicts(t *testing.T, f *fixture) {
	now := hour(100)
	f.source(dir)
	all := combinations(now)
	f.update(func(tx store.Tx) error {
		bed := testbed{secrets: map[fingerprints.Class]bool{}, homes: map[home]int64{}}
		var batch []store.Observed
		for i, c := range all {
			o := observed(i)
			if c.Registered {
				o.Rows = []fingerprints.RowID{rowID(i)}
				if err := bed.put(f, tx, i, c, &o); err != nil {
					return err
				}
			}
			o.Sighting.Presence = c.Presence
			batch = append(batch, o)
		}
		_, err := tx.Record(f.ctx, hour(1), batch)
		return err
	})
	want := map[fingerprints.Verdict]int{}
	ids := map[fingerprints.Verdict][]fingerprints.FindingID{}
	views := map[fingerprints.FindingID]store.FindingView{}
	for _, v := range f.findings(now, store.FindingFilter{}) {
		views[v.ID] = v
	}
	for i, c := range all {
		got, verdict := views[findingID(i)], fingerprints.Correlate(c.Circumstance, now)
		severity := fingerprints.SeverityOf(verdict, c.class, c.Presence)
		if got.Verdict != verdict || got.Severity != severity {
			t.Errorf("%v: %s (%s), want %s (%s)", c, got.Verdict, got.Severity, verdict, severity)
		}
		if c.Registered && (len(got.Matches) != 1 || got.Matches[0].Verdict != verdict) {
			t.Errorf("%v: matches %v, want one that is %s", c, got.Matches, verdict)
		}
		want[verdict]++
		ids[verdict] = append(ids[verdict], findingID(i))
	}
	if len(want) != len(fingerprints.Verdicts()) {
		t.Errorf("the combinations reach %d verdicts of %d", len(want), len(fingerprints.Verdicts()))
	}
	f.view(func(tx store.Tx) error {
		counts, err := tx.CountVerdicts(f.ctx, now, store.FindingFilter{})
		f.diff("CountVerdicts", want, counts)
		return err
	})
	for _, v := range fingerprints.Verdicts() {
		var got []fingerprints.FindingID
		for _, view := range f.findings(now, store.FindingFilter{Verdicts: []fingerprints.Verdict{v}}) {
			got = append(got, view.ID)
		}
		f.diff("filter "+string(v), ids[v], got)
	}
}

// testbed is what combinations share: a secret of each class, with homes by
// their end.
type testbed struct {
	secrets map[fingerprints.Class]bool
	homes   map[home]int64
}

type home struct {
	class fingerprints.Class
	until time.Time
}

// put stores the version of a combination and, for an allowed home that has an
// end, also one that ended before.
func (b *testbed) put(f *fixture, tx store.Tx, i int, c combination, o *store.Observed) error {
	name := "secret/" + string(c.class)
	if !b.secrets[c.class] {
		b.secrets[c.class] = true
		if err := tx.PutSecret(f.ctx, fingerprints.Secret{Name: name, Class: c.class}); err != nil {
			return err
		}
	}
	v := fingerprints.Version{ID: versionID(i), Secret: name, Number: i + 1, State: c.State, WindowEnds: c.WindowEnds}
	if c.Compromised {
		v.CompromisedAt = epoch()
	}
	if err := errors.Join(tx.PutVersion(f.ctx, v), tx.PutField(f.ctx, field(i))); err != nil {
		return err
	}
	if !c.Allowed {
		return nil
	}
	ends := []time.Time{c.AllowedUntil}
	if !c.AllowedUntil.IsZero() {
		ends = append(ends, c.AllowedUntil.Add(-time.Hour))
	}
	for _, until := range ends {
		h := home{c.class, until}
		if b.homes[h] == 0 {
			id, err := tx.AddAllow(f.ctx, store.Allow{Secret: name, Until: until})
			if err != nil {
				return err
			}
			b.homes[h] = id
		}
		o.AllowIDs = append(o.AllowIDs, b.homes[h])
	}
	return nil
}

// testWorst ties one value to versions of several secrets.
func testWorst(t *testing.T, f *fixture) {
	f.source(dir)
	f.put("a", version("a", 1, fingerprints.StateSuperseded), version("a", 2, fingerprints.StateActive))
	f.put("b", version("b", 3, fingerprints.StateRetired))
	home := f.allow("a", 1)
	o := observed(1)
	o.Rows = []fingerprints.RowID{rowID(1), rowID(2), rowID(3)}
	f.record(hour(1), o)
	verdicts := func(want ...fingerprints.Verdict) {
		t.Helper()
		v := f.finding(hour(2), findingID(1))
		var got []fingerprints.Verdict
		for _, m := range v.Matches {
			got = append(got, m.Verdict)
		}
		f.diff("matches, the worst first", want, got)
		if v.Verdict != want[0] {
			t.Errorf("verdict %s, want %s", v.Verdict, want[0])
		}
	}
	verdicts(fingerprints.VerdictLeaked, fingerprints.VerdictStale, fingerprints.VerdictLagging)
	o.AllowIDs = home // of a alone: b's copy is still stale
	f.record(hour(1), o)
	verdicts(fingerprints.VerdictStale, fingerprints.VerdictAllowed, fingerprints.VerdictAllowed)
	for _, a := range fingerprints.Verdicts() {
		for _, b := range fingerprints.Verdicts() {
			i := min(slices.Index(fingerprints.Verdicts(), a), slices.Index(fingerprints.Verdicts(), b))
			if got := fingerprints.Worse(a, b); got != fingerprints.Verdicts()[i] {
				t.Errorf("Worse(%s, %s) = %s", a, b, got)
			}
		}
	}
}

// testRetire changes one version and looks at every finding of it, without a
// new scan.
func testRetire(t *testing.T, f *fixture) {
	f.source(dir)
	v := version("a", 1, fingerprints.StateActive)
	f.put("a", v)
	for i := range 50 {
		o := registered(i)
		o.Value, o.Rows = valueID(1), []fingerprints.RowID{rowID(1)}
		f.record(hour(1), o)
	}
	for _, step := range []struct {
		change func()
		want   fingerprints.Verdict
	}{
		{func() {}, fingerprints.VerdictLeaked},
		{func() { v.State, v.WindowEnds = fingerprints.StateSuperseded, hour(3) }, fingerprints.VerdictLagging},
		{func() { v.WindowEnds = hour(2) }, fingerprints.VerdictOverdue},
		{func() { v.State = fingerprints.StateRetired }, fingerprints.VerdictStale},
		{func() { v.CompromisedAt = hour(2) }, fingerprints.VerdictCompromised},
	} {
		step.change()
		f.update(func(tx store.Tx) error { return tx.PutVersion(f.ctx, v) })
		f.view(func(tx store.Tx) error {
			got, err := tx.CountVerdicts(f.ctx, hour(2), store.FindingFilter{Secret: "a"})
			f.diff("verdicts", map[fingerprints.Verdict]int{step.want: 50}, got)
			return err
		})
	}
}

func testLinkValue(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1), observed(2))
	f.put("a", version("a", 1, fingerprints.StateRetired))
	for range 2 {
		f.update(func(tx store.Tx) error {
			n, err := tx.LinkValue(f.ctx, valueID(1), rowID(1))
			if n != 1 {
				t.Errorf("LinkValue reached %d findings, want 1", n)
			}
			return err
		})
		if v := f.finding(hour(1), findingID(1)); v.Verdict != fingerprints.VerdictStale || len(v.Matches) != 1 {
			t.Errorf("linked: %s with %d matches, want stale with 1", v.Verdict, len(v.Matches))
		}
	}
	if v := f.finding(hour(1), findingID(2)); v.Verdict != fingerprints.VerdictUnregistered {
		t.Errorf("another value became %s", v.Verdict)
	}
	f.update(func(tx store.Tx) error {
		n, err := tx.LinkValue(f.ctx, valueID(3), rowID(1))
		if n != 0 {
			t.Errorf("LinkValue of an unseen value reached %d findings", n)
		}
		return err
	})
	// An unseen value leaves no trace: a generic hit of it later is unregistered
	// until a scan with a pack says otherwise.
	f.record(hour(2), observed(3))
	if v := f.finding(hour(2), findingID(3)); v.Verdict != fingerprints.VerdictUnregistered {
		t.Errorf("a value that was linked before it was seen is %s", v.Verdict)
	}
}
