package registry

import (
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

const day = 24 * time.Hour

// DueWithin is how long a finding may stay open, by verdict and class; zero: no
// date. Keys and bootstrap credentials open more than one door, so they are due
// sooner.
//
//	verdict                  application, third-party   cryptographic, bootstrap
//	compromised              1 day                      1 day
//	leaked                   3 days                     1 day
//	premature, overdue       7 days                     3 days
//	stale, lagging           30 days                    14 days
//	unregistered             30 days                    -
//	allowed, cleared         none                       none
func DueWithin(v fingerprints.Verdict, c fingerprints.Class) time.Duration {
	short := c == fingerprints.ClassCryptographic || c == fingerprints.ClassBootstrap
	pick := func(long, strict time.Duration) time.Duration {
		if short {
			return strict
		}
		return long
	}
	switch v {
	case fingerprints.VerdictCompromised:
		return day
	case fingerprints.VerdictLeaked:
		return pick(3*day, day)
	case fingerprints.VerdictPremature, fingerprints.VerdictOverdue:
		return pick(7*day, 3*day)
	case fingerprints.VerdictStale, fingerprints.VerdictLagging:
		return pick(30*day, 14*day)
	case fingerprints.VerdictUnregistered:
		return 30 * day
	case fingerprints.VerdictAllowed, fingerprints.VerdictCleared:
		return 0
	}
	return day
}

// DueDate is when a finding should be cleared by where nobody said when: DueWithin, counted from when
// it was first seen or from when its verdict came to be, whichever is later. A
// lagging copy is due at the latest when its window ends.
func DueDate(f store.FindingView) time.Time {
	var m store.Match
	if len(f.Matches) > 0 {
		m = f.Matches[0]
	}
	within := DueWithin(f.Verdict, m.Class)
	if within == 0 {
		return time.Time{}
	}
	from := f.FirstSeen
	if since := verdictSince(f.Verdict, m.Version); since.After(from) {
		from = since
	}
	due := from.Add(within)
	if ends := m.Version.WindowEnds; f.Verdict == fingerprints.VerdictLagging && !ends.IsZero() && ends.Before(due) {
		return ends
	}
	return due
}

// verdictSince is when a version's state gave its copies their verdict.
func verdictSince(verdict fingerprints.Verdict, v fingerprints.Version) time.Time {
	switch verdict {
	case fingerprints.VerdictCompromised:
		return v.CompromisedAt
	case fingerprints.VerdictLeaked:
		return v.ActivatedAt
	case fingerprints.VerdictPremature:
		return v.CreatedAt
	case fingerprints.VerdictLagging:
		return v.SupersededAt
	case fingerprints.VerdictOverdue:
		return v.WindowEnds
	case fingerprints.VerdictStale:
		if v.RetiredAt.IsZero() {
			return v.AbandonedAt
		}
		return v.RetiredAt
	case fingerprints.VerdictUnregistered, fingerprints.VerdictAllowed, fingerprints.VerdictCleared:
	}
	return time.Time{}
}
