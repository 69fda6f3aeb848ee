package fingerprints_test

import (
	"testing"

	"revenant/fingerprints"
)

// A decision never silences what still opens something.
func TestDecidable(t *testing.T) {
	type row struct{ ruleAccepted, ruleFalse, valueAccepted, valueFalse bool }
	want := map[fingerprints.Verdict]row{
		fingerprints.VerdictUnregistered: {true, true, true, true},
		fingerprints.VerdictStale:        {valueAccepted: true},
		fingerprints.VerdictLagging:      {valueAccepted: true},
	}
	for _, v := range append(fingerprints.Verdicts(), "of-a-later-version") {
		d := func(scope fingerprints.DecisionScope, s fingerprints.Status) bool {
			return fingerprints.Decidable(scope, s, v)
		}
		got := row{
			d(fingerprints.DecidedByRule, fingerprints.StatusAccepted), d(fingerprints.DecidedByRule, fingerprints.StatusFalsePositive),
			d(fingerprints.DecidedByValue, fingerprints.StatusAccepted), d(fingerprints.DecidedByValue, fingerprints.StatusFalsePositive),
		}
		if got != want[v] {
			t.Errorf("%s: %+v, want %+v", v, got, want[v])
		}
		if d(fingerprints.DecidedByValue, fingerprints.StatusOpen) {
			t.Errorf("%s: a decision says open", v)
		}
	}
}
