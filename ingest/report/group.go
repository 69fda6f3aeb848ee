package report

import (
	"cmp"
	"slices"

	"revenant/fingerprints"
)

// Group is one value with one verdict, at all its places: what a person has to
// deal with once. A registered value is known by its version, another one by
// the rule that found it.
type Group struct {
	Name      string // name@3, or the rule
	Verdict   fingerprints.Verdict
	Severity  fingerprints.Severity // the worst
	Status    fingerprints.Status
	TooCommon bool
	Places    []Place // the strongest first
	Sightings int64
}

// Dismissed says why nothing has to be done about the value; empty: at some place
// something has.
func (g Group) Dismissed() string {
	why := ""
	for _, p := range g.Places {
		if why = p.Dismissed(); why == "" {
			return ""
		}
	}
	return why
}

type groupKey struct {
	name    string
	verdict fingerprints.Verdict
	status  fingerprints.Status
	common  bool
	same    uint64 // of values that are not registered
}

// Groups puts places of one value together, the worst value first, and what was
// dismissed last.
func Groups(places []Place) []Group {
	var order []*Group
	byKey := map[groupKey]*Group{}
	for _, p := range places {
		k := groupKey{name: What(p.Finding), verdict: p.Verdict, status: p.Status, common: p.TooCommon}
		if !p.Registered() {
			k.same = p.Same
		}
		g := byKey[k]
		if g == nil {
			g = &Group{Name: k.name, Verdict: p.Verdict, Severity: p.Severity, Status: p.Status, TooCommon: p.TooCommon}
			byKey[k] = g
			order = append(order, g)
		}
		if severityRank(p.Severity) < severityRank(g.Severity) {
			g.Severity = p.Severity
		}
		g.Places = append(g.Places, p)
		g.Sightings += p.Sightings
	}
	out := make([]Group, len(order))
	for i, g := range order {
		slices.SortStableFunc(g.Places, func(a, b Place) int {
			return cmp.Or(
				cmp.Compare(presenceRank(a.Presence), presenceRank(b.Presence)),
				cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
			)
		})
		out[i] = *g
	}
	slices.SortStableFunc(out, func(a, b Group) int {
		return cmp.Or(
			cmp.Compare(a.settled(), b.settled()),
			cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
			cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)),
			cmp.Compare(a.Name, b.Name),
		)
	})
	return out
}

// settled sorts what was dismissed behind the rest.
func (g Group) settled() int {
	if g.Dismissed() == "" {
		return 0
	}
	return 1
}

// Tally is how many groups have a severity.
type Tally struct {
	Severity fingerprints.Severity
	Count    int
}

// Count counts groups by severity, the worst first; what was dismissed is not
// counted.
func Count(groups []Group) []Tally {
	counts := map[fingerprints.Severity]int{}
	for _, g := range groups {
		if g.Dismissed() == "" {
			counts[g.Severity]++
		}
	}
	var out []Tally
	for _, s := range fingerprints.Severities() {
		if counts[s] > 0 {
			out = append(out, Tally{s, counts[s]})
		}
	}
	return out
}
