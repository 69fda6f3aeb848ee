package registry

import (
	"context"
	"fmt"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// How a scan of a repository names a blob: as the place of a content, and as the
// path of one that no tree is known to name.
const (
	blobLocator = "blob:"
	blobPath    = "@blob/"
)

// standIns are the findings of a source at blobs whose paths were not known, by
// the blobs' locators. They are asked for once in a scan.
func (s *ScanRun) standIns(ctx context.Context, c *change) (map[string][]store.FindingView, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unplaced != nil {
		return s.unplaced, nil
	}
	found, err := c.tx.Findings(ctx, c.at, store.FindingFilter{SourceID: s.source, PathPrefix: blobPath})
	if err != nil {
		return nil, err
	}
	s.unplaced = map[string][]store.FindingView{}
	for _, f := range found {
		blob, _, _ := strings.Cut(strings.TrimPrefix(f.Path, blobPath), "!")
		s.unplaced[blobLocator+blob] = append(s.unplaced[blobLocator+blob], f)
	}
	return s.unplaced, nil
}

// placeStandIns makes a finding at a blob whose path was not known an alias of
// the one at the path where the blob is found now: an interrupted scan did not
// come to ask history for it. What people said of it goes with it.
func (s *ScanRun) placeStandIns(ctx context.Context, c *change, obs []store.Observed, recorded []store.Recorded) error {
	for i, o := range obs {
		if !strings.HasPrefix(o.Sighting.Locator, blobLocator) || strings.HasPrefix(o.Path, blobPath) {
			continue
		}
		unplaced, err := s.standIns(ctx, c)
		if err != nil {
			return err
		}
		for _, f := range unplaced[o.Sighting.Locator] {
			same, err := c.standsIn(ctx, f, o)
			if err != nil {
				return err
			}
			if !same {
				continue
			}
			if err := c.takeOver(ctx, f, recorded[i].FindingID); err != nil {
				return err
			}
			recorded[i].New = false
		}
	}
	return nil
}

// standsIn reports whether a finding at a blob is that of an observation, and was
// not merged before.
func (c *change) standsIn(ctx context.Context, f store.FindingView, o store.Observed) (bool, error) {
	_, member, _ := strings.Cut(f.Path, "!")
	if f.Value != o.Value || member != "" && !strings.HasSuffix(o.Path, "!"+member) {
		return false, nil
	}
	now, err := c.tx.Finding(ctx, c.at, f.ID)
	if err != nil || now.ID != f.ID {
		return false, ignoreNotFound(err)
	}
	if !o.Value.IsZero() {
		return true, nil
	}
	places, err := c.tx.Sightings(ctx, f.ID, 0) // values without an id are known by their place
	for _, p := range places {
		if p.Locator == o.Sighting.Locator && p.Start == o.Sighting.Start && p.End == o.Sighting.End {
			return true, err
		}
	}
	return false, err
}

func (c *change) takeOver(ctx context.Context, f store.FindingView, into fingerprints.FindingID) error {
	if err := c.tx.MergeFinding(ctx, c.at, f.ID, into); err != nil {
		return fmt.Errorf("merging a finding whose path is known now: %w", err)
	}
	c.note("finding.merge", string(into), map[string]string{"alias": string(f.ID)})
	if f.Decision != 0 || f.Status == fingerprints.StatusOpen {
		return nil
	}
	now, err := c.tx.Finding(ctx, c.at, into)
	if err != nil || now.Decision == 0 && now.Status != fingerprints.StatusOpen {
		return err
	}
	now.Status, now.Reason, now.Until = f.Status, f.Reason, f.Until
	return c.tx.SetTriage(ctx, now.Finding, store.HistoryEntry{
		At: c.at, Actor: c.actor.Name, What: string(f.Status), Detail: "as before its path was known; reason: " + f.Reason,
	})
}
