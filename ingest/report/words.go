package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"revenant/api/wire"
	"revenant/fingerprints"
)

// What names what was found: the version, or the rule.
func What(f wire.Finding) string {
	switch {
	case len(f.Matches) > 0:
		return f.Matches[0].Ref()
	case f.Rule != "":
		return f.Rule
	}
	return "registered value"
}

// Title says what was found, for a heading.
func Title(f wire.Finding) string {
	if len(f.Matches) > 0 {
		m := f.Matches[0]
		return fmt.Sprintf("%s secret %s (%s)", capital(string(f.Verdict)), m.Ref(), m.State)
	}
	return capital(string(f.Verdict)) + " secret: " + What(f)
}

// About describes a finding: whose value it is, or what the rule says of itself.
func About(f wire.Finding) string {
	if len(f.Matches) == 0 {
		return f.Description
	}
	first := f.Matches[0]
	about := string(first.State)
	if first.Field != "" && first.Field != fingerprints.DefaultField {
		about = first.Field + ", " + about
	}
	var also []string
	for _, m := range f.Matches[1:] {
		also = append(also, fmt.Sprintf("%s (%s)", m.Ref(), m.State))
	}
	if len(also) > 0 {
		about += "; also the value of " + strings.Join(also, ", ")
	}
	return about
}

// Advice says what to do about a verdict, in a sentence.
func Advice(v fingerprints.Verdict) string {
	switch v {
	case fingerprints.VerdictCompromised:
		return "Known to be compromised: see that it is deactivated everywhere, then remove this copy."
	case fingerprints.VerdictLeaked:
		return "In use, and it stands where it should not: rotate it, then remove this copy."
	case fingerprints.VerdictPremature:
		return "Leaked before it was used: prepare another value."
	case fingerprints.VerdictStale:
		return "Retired, and still here: remove this copy."
	case fingerprints.VerdictOverdue:
		return "Its window is over: move what still uses it to the new value, then retire it."
	case fingerprints.VerdictLagging:
		return "Superseded: move what still uses it to the new value before its window ends."
	case fingerprints.VerdictUnregistered:
		return "If it is a secret, rotate it and register the new value; if it is none, dismiss the finding."
	case fingerprints.VerdictAllowed:
		return "It may stand here."
	case fingerprints.VerdictCleared:
		return "Nothing is left to do."
	}
	return ""
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// SkipText says in words why something was not read.
func SkipText(r fingerprints.SkipReason) string {
	switch r {
	case fingerprints.SkipUnreadable:
		return "cannot be read"
	case fingerprints.SkipVanished:
		return "gone before it was read"
	case fingerprints.SkipSpecial:
		return "no regular file"
	case fingerprints.SkipLoop:
		return "links that lead to themselves"
	case fingerprints.SkipSymlink:
		return "links that are not followed"
	case fingerprints.SkipTooLarge:
		return "larger than the bound"
	case fingerprints.SkipArchive:
		return "archives that are encrypted, unsupported or beyond a bound"
	case fingerprints.SkipLongMatch:
		return "matches of a rule that are too long"
	case fingerprints.SkipEncoded:
		return "encoded content that was not searched wholly"
	case fingerprints.SkipExcluded:
		return "left out as you asked"
	case fingerprints.SkipIgnored:
		return "left out by the place's own rules"
	case fingerprints.SkipMissing:
		return "objects that a clone or a saved image left out"
	case fingerprints.SkipLFS:
		return "content that is kept in LFS"
	case fingerprints.SkipExpired:
		return "not kept any longer"
	case fingerprints.SkipNotAsked:
		return "weak values that the server was not asked about"
	case fingerprints.SkipRepository:
		return "repositories of their own"
	case fingerprints.SkipBadRecord:
		return "records that cannot be read"
	case fingerprints.SkipChanging:
		return "changed while it was read"
	case fingerprints.SkipInterrupted:
		return "not read: the scan was stopped"
	}
	return string(r)
}

// SkipGroup are the skips of one reason: how many, and the first ones.
type SkipGroup struct {
	wire.SkipCount
	First []wire.Skip
}

// SkipGroups are a scan's skips by reason: failures first, then the most frequent.
func SkipGroups(s wire.Summary) []SkipGroup {
	groups := make([]SkipGroup, 0, len(s.SkipCounts))
	for _, c := range s.SkipCounts {
		g := SkipGroup{SkipCount: c}
		for _, k := range s.Skips {
			if k.Reason == c.Reason {
				g.First = append(g.First, k)
			}
		}
		groups = append(groups, g)
	}
	mild := func(g SkipGroup) int {
		if g.Reason.Failure() {
			return 0
		}
		return 1
	}
	slices.SortFunc(groups, func(a, b SkipGroup) int {
		return cmp.Or(cmp.Compare(mild(a), mild(b)), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return groups
}

// Interrupted is what every report says of a scan that was stopped.
const Interrupted = "The scan was interrupted: this is what was found until then."

// Incomplete says in a sentence why a scan did not read everything; empty: it did.
func Incomplete(s wire.Summary) string {
	n := s.Skipped()
	switch {
	case s.Interrupted:
		return Interrupted
	case n > 0:
		return fmt.Sprintf("Not complete: %d skipped.", n)
	case !s.Complete:
		return "Not complete: a source ended early."
	}
	return ""
}

// Failed reports whether a scan did not do what it set out to: it was stopped, or
// something could not be read. Bounds that were met are no failure.
func Failed(s wire.Summary) bool {
	return s.Interrupted || !s.Complete && s.Skipped() == 0 ||
		slices.ContainsFunc(s.SkipCounts, func(c wire.SkipCount) bool { return c.Reason.Failure() })
}

// SkipPlace is where a skip is, for people.
func SkipPlace(k wire.Skip) string {
	var parts []string
	for _, p := range []string{k.Path, k.Locator} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	at := strings.Join(parts, " ")
	if at == "" {
		at = k.SourceID
	}
	switch {
	case k.Detail == "":
		return at
	case at == "":
		return k.Detail
	}
	return at + ": " + k.Detail
}
