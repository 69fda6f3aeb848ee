package registry

import (
	"context"
	"fmt"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// mergeGeneric makes generic findings aliases of registered ones that were met
// for the first time at the same place: the rule had taken more or less than
// the value, which was registered since.
func (c *change) mergeGeneric(ctx context.Context, source string, obs []store.Observed, recorded []store.Recorded) error {
	fresh := map[string][]store.Observed{} // by redacted path
	into := map[fingerprints.FindingID]fingerprints.FindingID{}
	for i, o := range obs {
		if len(o.Rows) > 0 && recorded[i].New && o.SourceID == source {
			fresh[o.Path] = append(fresh[o.Path], o)
			into[o.FindingID] = recorded[i].FindingID
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	generic, err := c.tx.Findings(ctx, c.at, store.FindingFilter{
		SourceID: source, Paths: sortedKeys(fresh), Verdicts: []fingerprints.Verdict{fingerprints.VerdictUnregistered},
	})
	if err != nil {
		return err
	}
	for _, g := range generic {
		candidates := fresh[g.Path]
		if len(candidates) == 0 {
			continue
		}
		places, err := c.tx.Sightings(ctx, g.ID, 0)
		if err != nil {
			return err
		}
		o, ok := overlapping(candidates, places)
		if !ok {
			continue
		}
		if err := c.tx.MergeFinding(ctx, c.at, g.ID, into[o.FindingID]); err != nil {
			return fmt.Errorf("merging a generic finding: %w", err)
		}
		c.note("finding.merge", string(into[o.FindingID]), map[string]string{"alias": string(g.ID)})
	}
	return nil
}

// overlapping returns an observation that shares a byte with a sighting of the
// same content.
func overlapping(obs []store.Observed, places []fingerprints.Sighting) (store.Observed, bool) {
	for _, o := range obs {
		for _, p := range places {
			if s := o.Sighting; s.Locator == p.Locator && s.Start < p.End && p.Start < s.End {
				return o, true
			}
		}
	}
	return store.Observed{}, false
}
