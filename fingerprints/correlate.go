package fingerprints

import "time"

// Circumstance is everything that a verdict depends on.
type Circumstance struct {
	// Registered is false for a value that no version has; the state is then
	// ignored.
	Registered  bool
	State       State
	Compromised bool
	WindowEnds  time.Time // of a superseded version; zero: no deadline
	Presence    Presence  // of the finding
	// AllowedUntil is the latest end among the allowed homes that cover the
	// finding; Allowed says whether there is any. A zero end never passes.
	Allowed      bool
	AllowedUntil time.Time
}

// Correlate says what a finding means at a time. It is total: every
// combination has a verdict.
func Correlate(c Circumstance, now time.Time) Verdict {
	switch {
	case c.Presence == PresenceGone || c.Presence == PresenceExpired:
		return VerdictCleared
	case !c.Registered:
		return VerdictUnregistered
	case c.Compromised:
		return VerdictCompromised
	}
	allowed := c.Allowed && (c.AllowedUntil.IsZero() || now.Before(c.AllowedUntil))
	switch c.State {
	case StatePending:
		return VerdictPremature
	case StateActive:
		if allowed {
			return VerdictAllowed
		}
		return VerdictLeaked
	case StateSuperseded:
		switch {
		case allowed:
			return VerdictAllowed
		case !c.WindowEnds.IsZero() && !now.Before(c.WindowEnds):
			return VerdictOverdue
		}
		return VerdictLagging
	case StateRetired, StateAbandoned:
		return VerdictStale
	}
	return VerdictLeaked // an unknown state must not read as harmless
}

// TooCommonSources is how many sources may hold a weak value. One that is
// present in more is too common: its hits say nothing of a leak, so they alert
// no more. It stays a policy violation of its secret, and verdicts do not
// change.
const TooCommonSources = 50

// Standing is what, beside the verdict, decides whether a finding alerts.
type Standing struct {
	Status    Status
	TooCommon bool // a weak value in more than TooCommonSources sources
}

// Alerts reports whether anybody should be told. The zero Standing alerts.
func (s Standing) Alerts() bool {
	return (s.Status == StatusOpen || s.Status == "") && !s.TooCommon
}

// Worse returns the worse of two verdicts.
func Worse(a, b Verdict) Verdict {
	for _, v := range Verdicts() {
		if v == a || v == b {
			return v
		}
	}
	return a
}

// SeverityOf ranks a verdict for a class of secret at a presence. Copies that
// need digging (history, shadowed, unreachable) rank one step lower, except
// when a value that still opens something is concerned.
func SeverityOf(v Verdict, c Class, p Presence) Severity {
	var s int // index into Severities
	switch v {
	case VerdictCompromised:
		return SeverityCritical
	case VerdictLeaked, VerdictPremature:
		s = 1
		if c == ClassBootstrap || c == ClassCryptographic || p.Live() {
			s = 0
		}
		return Severities()[s]
	case VerdictOverdue:
		s = 1
	case VerdictLagging, VerdictStale, VerdictUnregistered:
		s = 2
	case VerdictAllowed, VerdictCleared:
		return SeverityInfo
	}
	if !p.Live() {
		s++
	}
	return Severities()[min(s, 3)]
}
