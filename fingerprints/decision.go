package fingerprints

// A decision gives a status to findings that nobody looked at one by one: to a
// value wherever it is, or to what a rule finds at the places that globs cover.
// It holds for what is known and for what is found later, as long as its time
// has not run out, and a finding's own status goes before it.

// DecisionScope is what a decision is about.
type DecisionScope int

// The scopes.
const (
	// DecidedByRule is about what a generic rule finds at some places.
	DecidedByRule DecisionScope = iota
	// DecidedByValue is about one value at every place.
	DecidedByValue
)

// Decidable reports whether a decision that gives a status may hold for a
// finding with this verdict. One about a rule, and one that says that a value is
// no secret, is about unregistered values alone: a registered value is what it
// is. One that accepts a value also holds for copies of a registered one that
// open nothing any more, or are about to be replaced; never while the value
// has to be rotated now, whoever accepted it before.
func Decidable(scope DecisionScope, s Status, v Verdict) bool {
	switch v {
	case VerdictUnregistered:
		return s == StatusAccepted || s == StatusFalsePositive
	case VerdictStale, VerdictLagging:
		return scope == DecidedByValue && s == StatusAccepted
	case VerdictCompromised, VerdictLeaked, VerdictPremature, VerdictOverdue, VerdictAllowed, VerdictCleared:
	}
	return false
}
