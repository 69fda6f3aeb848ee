package storetest

import (
	"errors"
	"fmt"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// testTooCommon puts values of every strength into sources, one more than may
// hold a weak one, and takes one away again.
func testTooCommon(t *testing.T, f *fixture) {
	const limit = fingerprints.TooCommonSources
	strengths := []fingerprints.Strength{fingerprints.StrengthWeak, fingerprints.StrengthCore, fingerprints.StrengthEdge}
	f.put("a", version("a", 1, fingerprints.StateActive), version("a", 2, fingerprints.StateActive), version("a", 3, fingerprints.StateActive))
	f.update(func(tx store.Tx) error {
		var all error
		for i, s := range strengths {
			row := field(i + 1)
			row.Strength = s
			all = errors.Join(all, tx.PutField(f.ctx, row))
		}
		return all
	})
	finding := func(value, source, path int) fingerprints.FindingID { return findingID(value*10000 + source*10 + path) }
	see := func(value, source int, presence fingerprints.Presence) {
		id := fmt.Sprintf("dir:/%03d", source)
		f.source(id)
		for path := range 2 { // two findings in a source count once
			o := observed(1)
			o.FindingID, o.Value, o.SourceID, o.PathID = finding(value, source, path), valueID(value), id, pathID(path)
			if value <= len(strengths) {
				o.Rows = []fingerprints.RowID{rowID(value)}
			}
			o.Sighting.Presence = presence
			f.record(hour(1), o)
		}
	}
	check := func(what string, want bool) {
		t.Helper()
		for value := 1; value <= len(strengths)+1; value++ { // the last is not registered
			v := f.finding(hour(2), finding(value, 0, 1))
			if got := v.TooCommon; got != (want && value == 1) {
				t.Errorf("%s: value %d: too common %t", what, value, got)
			}
		}
		marked := 0
		for _, v := range f.findings(hour(2), store.FindingFilter{}) {
			if v.TooCommon {
				marked++
			}
			if v.TooCommon && v.Verdict != fingerprints.VerdictLeaked && v.Verdict != fingerprints.VerdictCleared {
				t.Errorf("%s: the verdict became %s", what, v.Verdict)
			}
		}
		var rows []fingerprints.RowID
		f.view(func(tx store.Tx) (err error) {
			rows, err = tx.TooCommon(f.ctx)
			return err
		})
		if want {
			f.diff(what, []fingerprints.RowID{rowID(1)}, rows)
		} else {
			f.diff(what, []fingerprints.RowID(nil), rows)
		}
		if (marked > limit) != want {
			t.Errorf("%s: %d findings are marked", what, marked)
		}
	}
	for value := 1; value <= len(strengths)+1; value++ {
		for source := range limit {
			see(value, source, fingerprints.PresenceTip)
		}
	}
	check("at the limit", false)
	for value := 1; value <= len(strengths)+1; value++ {
		see(value, limit, fingerprints.PresenceGone)
	}
	check("gone from one more", false)
	for value := 1; value <= len(strengths)+1; value++ {
		see(value, limit, fingerprints.PresenceHistory)
	}
	check("in one more", true)
	f.update(func(tx store.Tx) error { return tx.ForgetSource(f.ctx, "dir:/007") })
	check("one source forgotten", false)
}
