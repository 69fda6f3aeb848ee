package storetest

import (
	"slices"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// decide stores a decision with the given scope, status and end.
func (f *fixture) decide(scope fingerprints.DecisionScope, s fingerprints.Status, until time.Time) store.Decision {
	f.t.Helper()
	d := store.Decision{
		Rule: "*", SourceGlob: "**", PathGlob: "src/**", Status: s, Until: until, Reason: "a test", Owner: "team-a", CreatedAt: hour(1), Actor: "me",
	}
	if scope == fingerprints.DecidedByValue {
		d.Value, d.Rule = valueID(1), ""
	}
	f.update(func(tx store.Tx) (err error) {
		d.ID, err = tx.AddDecision(f.ctx, d)
		return err
	})
	return d
}

func testDecisions(t *testing.T, f *fixture) {
	f.source(dir)
	first := f.decide(fingerprints.DecidedByValue, fingerprints.StatusAccepted, hour(9))
	second := f.decide(fingerprints.DecidedByRule, fingerprints.StatusFalsePositive, time.Time{})
	list := func(want ...store.Decision) {
		t.Helper()
		f.view(func(tx store.Tx) error {
			got, err := tx.Decisions(f.ctx)
			f.diff("Decisions", want, got)
			return err
		})
	}
	list(first, second)
	check := func(now int, status fingerprints.Status, by int64, about ...int64) {
		t.Helper()
		v := f.finding(hour(now), findingID(1))
		if v.Status != status || v.Decision != by {
			t.Errorf("hour %d: %s by %d, want %s by %d", now, v.Status, v.Decision, status, by)
		}
		f.diff("Decided", about, v.Decided)
		for _, s := range fingerprints.Statuses() {
			if got := len(f.findings(hour(now), store.FindingFilter{Statuses: []fingerprints.Status{s}})) == 1; got != (s == status) {
				t.Errorf("hour %d: the filter %s has it: %t", now, s, got)
			}
		}
		if by != 0 {
			f.view(func(tx store.Tx) error {
				n, err := tx.CountVerdicts(f.ctx, hour(now), store.FindingFilter{Decision: by})
				f.diff("by the decision", map[fingerprints.Verdict]int{v.Verdict: 1}, n)
				return err
			})
		}
	}
	o := observed(1)
	o.DecisionIDs = []int64{second.ID, first.ID, 987654}
	f.record(hour(1), o)
	check(2, fingerprints.StatusAccepted, first.ID, first.ID, second.ID)
	check(9, fingerprints.StatusFalsePositive, second.ID, first.ID, second.ID) // the first has run out

	own := fingerprints.Finding{ID: findingID(1), Status: fingerprints.StatusFalsePositive, Reason: "its own"}
	f.update(func(tx store.Tx) error {
		return tx.SetTriage(f.ctx, own, store.HistoryEntry{At: hour(2), What: "dismissed"})
	})
	check(3, fingerprints.StatusFalsePositive, 0, first.ID, second.ID)
	own.Status, own.Until = fingerprints.StatusAccepted, hour(4)
	f.update(func(tx store.Tx) error {
		return tx.SetTriage(f.ctx, own, store.HistoryEntry{At: hour(3), What: "accepted"})
	})
	check(3, fingerprints.StatusAccepted, 0, first.ID, second.ID)
	check(4, fingerprints.StatusAccepted, first.ID, first.ID, second.ID) // its own has run out

	f.record(hour(4), observed(1)) // it is elsewhere now, as the scan sees it
	check(5, fingerprints.StatusOpen, 0)
	f.update(func(tx store.Tx) error { return tx.AddDecided(f.ctx, second.ID, findingIDs(1, 5)) })
	check(5, fingerprints.StatusFalsePositive, second.ID, second.ID)
	f.update(func(tx store.Tx) error { return tx.RemoveDecision(f.ctx, second.ID) })
	check(5, fingerprints.StatusOpen, 0)
	list(first)
	f.update(func(tx store.Tx) error {
		f.wantErr("RemoveDecision", tx.RemoveDecision(f.ctx, second.ID), store.ErrNotFound)
		return tx.AddDecided(f.ctx, second.ID, findingIDs(1)) // it is gone, and ignored
	})
	if third := f.decide(fingerprints.DecidedByRule, fingerprints.StatusAccepted, hour(9)); third.ID == second.ID {
		t.Error("the number of a decision was given out again")
	}
}

// testDecidable compares what decisions hold for with the pure function, for
// every verdict, and one about a rule with the rules of a finding.
func testDecidable(t *testing.T, f *fixture) {
	now := hour(100)
	f.source(dir)
	var some []combination
	reached := map[fingerprints.Verdict]int{}
	for _, c := range combinations(now) {
		v := fingerprints.Correlate(c.Circumstance, now)
		if reached[v]++; reached[v] <= 20 {
			some = append(some, c)
		}
	}
	var batch []store.Observed
	f.update(func(tx store.Tx) error {
		bed := testbed{secrets: map[fingerprints.Class]bool{}, homes: map[home]int64{}}
		for i, c := range some {
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
		return nil
	})
	for _, scope := range []fingerprints.DecisionScope{fingerprints.DecidedByRule, fingerprints.DecidedByValue} {
		for _, s := range []fingerprints.Status{fingerprints.StatusAccepted, fingerprints.StatusFalsePositive} {
			d := f.decide(scope, s, time.Time{})
			for i := range batch {
				batch[i].DecisionIDs = []int64{d.ID}
			}
			f.record(hour(1), batch...)
			for _, v := range f.findings(now, store.FindingFilter{}) {
				want, by := fingerprints.StatusOpen, int64(0)
				if fingerprints.Decidable(scope, s, v.Verdict) {
					want, by = s, d.ID
				}
				if v.Status != want || v.Decision != by {
					t.Errorf("scope %d, %s, %s: %s by %d, want %s by %d", scope, s, v.Verdict, v.Status, v.Decision, want, by)
				}
			}
		}
	}
	if len(reached) != len(fingerprints.Verdicts()) {
		t.Errorf("%d verdicts of %d were met", len(reached), len(fingerprints.Verdicts()))
	}
}

// testDecidedRules ties a decision about one rule to findings of that rule, of
// others, and of both.
func testDecidedRules(t *testing.T, f *fixture) {
	f.source(dir)
	d := store.Decision{Rule: "a.rule_", SourceGlob: "**", PathGlob: "**", Status: fingerprints.StatusFalsePositive, Reason: "a test"}
	f.update(func(tx store.Tx) (err error) {
		d.ID, err = tx.AddDecision(f.ctx, d)
		return err
	})
	want := []fingerprints.FindingID{}
	for i, rules := range [][]string{{"a.rule_"}, {"aXruleX"}, {"a.rule_", "b"}, {"a.rule"}, {"a.rule_x"}, {"xa.rule_"}} {
		for _, rule := range rules {
			o := observed(i)
			o.Sighting.Rule, o.DecisionIDs = rule, []int64{d.ID}
			f.record(hour(1), o)
		}
		if slices.Equal(rules, []string{d.Rule}) {
			want = append(want, findingID(i))
		}
	}
	got := []fingerprints.FindingID{}
	for _, v := range f.findings(hour(2), store.FindingFilter{Decision: d.ID}) {
		got = append(got, v.ID)
	}
	f.diff("by the decision", want, got)
}
