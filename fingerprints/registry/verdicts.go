package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// snapshot is the verdict of every finding that a change can touch: those of a
// secret, and those of values that are about to be registered.
type snapshot map[fingerprints.FindingID]fingerprints.Verdict

func (c *change) snapshot(ctx context.Context, secret string, values ...fingerprints.ValueID) (snapshot, error) {
	out := snapshot{}
	filters := []store.FindingFilter{{Secret: secret}}
	for _, v := range values {
		if !v.IsZero() {
			filters = append(filters, store.FindingFilter{Value: v})
		}
	}
	for _, f := range filters {
		found, err := c.tx.Findings(ctx, c.at, f)
		if err != nil {
			return nil, fmt.Errorf("reading findings: %w", err)
		}
		for _, v := range found {
			out[v.ID] = v.Verdict
		}
	}
	return out, nil
}

// since counts the verdicts that changed since a snapshot of the same.
func (c *change) since(ctx context.Context, before snapshot, secret string, values ...fingerprints.ValueID) ([]VerdictChange, error) {
	after, err := c.snapshot(ctx, secret, values...)
	if err != nil {
		return nil, err
	}
	counts := map[VerdictChange]int{}
	for id, to := range after {
		if from, known := before[id]; known && from != to {
			counts[VerdictChange{From: from, To: to}]++
		}
	}
	out := []VerdictChange{}
	for _, k := range slices.SortedFunc(maps.Keys(counts), func(a, b VerdictChange) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	}) {
		n := counts[k]
		k.Count = n
		out = append(out, k)
	}
	return out, nil
}
