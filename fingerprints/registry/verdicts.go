package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"revenant/fingerprints"
)

// verdictCount is the verdicts before a change of what the change can touch.
// Findings are counted in groups, and not looked at: one value may have a million.
type verdictCount struct {
	before   map[string]fingerprints.Verdict
	versions []fingerprints.VersionID
	values   []fingerprints.ValueID
}

// countVerdicts has the change count what it does to verdicts, from here on.
func (c *change) countVerdicts() {
	c.verdicts = &verdictCount{before: map[string]fingerprints.Verdict{}}
}

// willChange is called before something is done to a version, or to a value that
// is registered with it. What was noted before stays: it is older.
func (c *change) willChange(ctx context.Context, versions []fingerprints.VersionID, values []fingerprints.ValueID) error {
	if c.verdicts == nil {
		return nil
	}
	groups, err := c.tx.VerdictGroups(ctx, c.at, versions, values)
	if err != nil {
		return fmt.Errorf("counting verdicts: %w", err)
	}
	for _, g := range groups {
		if _, known := c.verdicts.before[g.Group]; !known {
			c.verdicts.before[g.Group] = g.Verdict
		}
	}
	c.verdicts.versions = append(c.verdicts.versions, versions...)
	c.verdicts.values = append(c.verdicts.values, values...)
	return nil
}

// verdictChanges counts the verdicts that are other than before.
func (c *change) verdictChanges(ctx context.Context) ([]VerdictChange, error) {
	groups, err := c.tx.VerdictGroups(ctx, c.at, c.verdicts.versions, c.verdicts.values)
	if err != nil {
		return nil, fmt.Errorf("counting verdicts: %w", err)
	}
	counts := map[VerdictChange]int{}
	for _, g := range groups {
		if from, known := c.verdicts.before[g.Group]; known && from != g.Verdict {
			counts[VerdictChange{From: from, To: g.Verdict}] += g.Count
		}
	}
	return listChanges(counts), nil
}

// listChanges brings counts of changes into an order.
func listChanges(counts map[VerdictChange]int) []VerdictChange {
	out := []VerdictChange{}
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b VerdictChange) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	}) {
		n := counts[k]
		k.Count = n
		out = append(out, k)
	}
	return out
}
