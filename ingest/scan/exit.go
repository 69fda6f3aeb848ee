package scan

import (
	"errors"
	"fmt"

	"revenant/fingerprints"
)

// The exit codes of a scan.
const (
	ExitClean      = 0
	ExitFindings   = 1
	ExitUsage      = 2
	ExitIncomplete = 3
)

// Outcome is what a scan's exit code depends on.
type Outcome struct {
	Verdicts     map[fingerprints.Verdict]int  // open findings
	Severities   map[fingerprints.Severity]int // open, neither allowed nor cleared
	Skips        int64                         // of all reasons
	Failures     int64                         // skips that are failures
	SourceFailed bool
	Interrupted  bool
	// NoRing: a ring or pack was asked for and was not there.
	NoRing bool
}

// ExitRules are the user's flags.
type ExitRules struct {
	FailOn        FailOn
	FailOnSkipped bool
	Findings      int // the code for findings: 1, or what --exit-code says
}

// DefaultExitRules fail on any open finding that is neither allowed nor cleared.
func DefaultExitRules() ExitRules { return ExitRules{Findings: ExitFindings} }

// FailOn is the threshold of findings that make a scan fail. The zero value is
// any finding that is neither allowed nor cleared.
type FailOn struct {
	severity fingerprints.Severity
	verdict  fingerprints.Verdict
	none     bool
}

// ErrBadThreshold is wrapped by ParseFailOn.
var ErrBadThreshold = errors.New("not a severity or verdict")

// ParseFailOn reads "any", "none", a severity or a verdict; findings at least
// that bad fail.
func ParseFailOn(s string) (FailOn, error) {
	switch s {
	case "", "any":
		return FailOn{}, nil
	case "none":
		return FailOn{none: true}, nil
	}
	for _, v := range fingerprints.Severities() {
		if string(v) == s {
			return FailOn{severity: v}, nil
		}
	}
	for _, v := range fingerprints.Verdicts() {
		if string(v) == s {
			return FailOn{verdict: v}, nil
		}
	}
	return FailOn{}, fmt.Errorf("threshold: %w: use any, none, critical, high, medium, low, info or a verdict such as stale", ErrBadThreshold)
}

// Fails reports whether the outcome has a finding at or above the threshold.
func (f FailOn) Fails(o Outcome) bool {
	switch {
	case f.none:
		return false
	case f.severity != "":
		for _, s := range fingerprints.Severities() {
			if o.Severities[s] > 0 {
				return true
			}
			if s == f.severity {
				return false
			}
		}
		return false
	}
	for _, v := range fingerprints.Verdicts() {
		harmless := v == fingerprints.VerdictAllowed || v == fingerprints.VerdictCleared
		if f.verdict == "" && harmless {
			return false
		}
		if o.Verdicts[v] > 0 {
			return true
		}
		if v == f.verdict {
			return false
		}
	}
	return false
}

// ExitCode is the exit code of a scan: findings first, then what was not read.
// A skip that is a bound and no failure counts only with FailOnSkipped.
func ExitCode(o Outcome, r ExitRules) int {
	switch {
	case r.FailOn.Fails(o):
		return r.Findings
	case o.SourceFailed || o.Interrupted || o.NoRing || o.Failures > 0:
		return ExitIncomplete
	case r.FailOnSkipped && o.Skips > 0:
		return ExitIncomplete
	}
	return ExitClean
}
