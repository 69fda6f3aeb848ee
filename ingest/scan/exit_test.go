package scan_test

import (
	"errors"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/ingest/scan"
)

func TestExitCode(t *testing.T) {
	verdict := func(v fingerprints.Verdict) scan.Outcome {
		o := scan.Outcome{Verdicts: map[fingerprints.Verdict]int{v: 1}}
		if v != fingerprints.VerdictAllowed && v != fingerprints.VerdictCleared {
			o.Severities = map[fingerprints.Severity]int{fingerprints.SeverityOf(v, "", fingerprints.PresenceTip): 1}
		}
		return o
	}
	with := func(o scan.Outcome, change func(*scan.Outcome)) scan.Outcome {
		change(&o)
		return o
	}
	failed := func(o *scan.Outcome) { o.Skips, o.Failures = 2, 1 }
	tests := []struct {
		name          string
		o             scan.Outcome
		failOn        string
		failOnSkipped bool
		code          int
		want          int
	}{
		{name: "clean"},
		{name: "unregistered", o: verdict(fingerprints.VerdictUnregistered), want: 1},
		{name: "stale", o: verdict(fingerprints.VerdictStale), want: 1},
		{name: "lagging", o: verdict(fingerprints.VerdictLagging), want: 1},
		{name: "premature", o: verdict(fingerprints.VerdictPremature), want: 1},
		{name: "allowed", o: verdict(fingerprints.VerdictAllowed)},
		{name: "cleared", o: verdict(fingerprints.VerdictCleared)},
		{name: "other code", o: verdict(fingerprints.VerdictStale), code: 42, want: 42},
		{name: "code 0", o: verdict(fingerprints.VerdictStale), code: -1, want: 0},
		{name: "finding beats failure", o: with(verdict(fingerprints.VerdictStale), failed), want: 1},
		{name: "other code does not hide a failure", o: with(scan.Outcome{}, failed), code: 42, want: 3},
		{name: "failure", o: with(scan.Outcome{}, failed), want: 3},
		{name: "failure and allowed", o: with(verdict(fingerprints.VerdictAllowed), failed), want: 3},
		{name: "source failed", o: scan.Outcome{SourceFailed: true}, want: 3},
		{name: "interrupted", o: scan.Outcome{Interrupted: true}, want: 3},
		{name: "no ring where one was asked for", o: scan.Outcome{NoRing: true}, want: 3},
		{name: "bounds are no failure", o: scan.Outcome{Skips: 4}},
		{name: "bounds where asked", o: scan.Outcome{Skips: 4}, failOnSkipped: true, want: 3},
		{name: "none", o: verdict(fingerprints.VerdictCompromised), failOn: "none"},
		{name: "none and failure", o: with(verdict(fingerprints.VerdictStale), failed), failOn: "none", want: 3},
		{name: "below severity", o: verdict(fingerprints.VerdictStale), failOn: "high"},
		{name: "at severity", o: verdict(fingerprints.VerdictStale), failOn: "medium", want: 1},
		{name: "above severity", o: verdict(fingerprints.VerdictCompromised), failOn: "high", want: 1},
		{name: "allowed is below info", o: verdict(fingerprints.VerdictAllowed), failOn: "info"},
		{name: "below verdict", o: verdict(fingerprints.VerdictUnregistered), failOn: "stale"},
		{name: "at verdict", o: verdict(fingerprints.VerdictStale), failOn: "stale", want: 1},
		{name: "above verdict", o: verdict(fingerprints.VerdictLeaked), failOn: "stale", want: 1},
		{name: "allowed where asked", o: verdict(fingerprints.VerdictAllowed), failOn: "allowed", want: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := scan.DefaultExitRules()
			rules.FailOn, rules.FailOnSkipped = mustFailOn(t, tt.failOn), tt.failOnSkipped
			switch {
			case tt.code > 0:
				rules.Findings = tt.code
			case tt.code < 0:
				rules.Findings = 0
			}
			if got := scan.ExitCode(tt.o, rules); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	if _, err := scan.ParseFailOn("hunter2"); !errors.Is(err, scan.ErrBadThreshold) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
