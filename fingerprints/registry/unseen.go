package registry

import (
	"context"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// markUnseen makes gone what a complete scan did not meet again. stands reports of
// locators that nobody looked there; nil: everywhere was looked.
func (c *change) markUnseen(ctx context.Context, scan store.Scan, skips []fingerprints.Skip, stands func(locator string) bool) ([]fingerprints.FindingID, error) {
	unseen, err := c.unsearched(ctx, scan)
	if err != nil {
		return nil, err
	}
	skipped := map[string]bool{}
	for _, k := range skips {
		if hides(k.Reason) {
			skipped[k.Path] = true
		}
	}
	keep := func(path, locator string) bool {
		return unseen[path] || underAny(skipped, path) || stands != nil && stands(locator)
	}
	return c.tx.MarkUnseen(ctx, scan.SourceID, scan.Extent, scan.StartedAt, c.at, keep)
}

// filtered reports whether places were left out of a scan that could be read:
// what it did not meet may stand in one of them now.
func filtered(skips []fingerprints.Skip) bool {
	return slices.ContainsFunc(skips, func(k fingerprints.Skip) bool { return k.Reason == fingerprints.SkipExcluded })
}

// hides reports whether a copy may still be at a place that was skipped so.
func hides(r fingerprints.SkipReason) bool {
	switch r {
	case fingerprints.SkipVanished, fingerprints.SkipSpecial, fingerprints.SkipLoop, fingerprints.SkipSymlink, fingerprints.SkipRepository, fingerprints.SkipExpired,
		fingerprints.SkipIgnored, fingerprints.SkipNotAsked:
		return false // no content is there any more, or what is there was read
	case fingerprints.SkipUnreadable, fingerprints.SkipTooLarge, fingerprints.SkipArchive, fingerprints.SkipLongMatch, fingerprints.SkipEncoded, fingerprints.SkipMissing,
		fingerprints.SkipExcluded, fingerprints.SkipLFS, fingerprints.SkipBadRecord, fingerprints.SkipChanging, fingerprints.SkipInterrupted:
		return true
	}
	return true
}

// underAny reports whether a path, a folder above it or an archive around it is
// in the set.
func underAny(set map[string]bool, path string) bool {
	for len(set) > 0 {
		if set[path] {
			return true
		}
		i := strings.LastIndexAny(path, "/!")
		if i < 0 {
			return false
		}
		path = path[:i]
	}
	return false
}

// unsearched are the paths of findings that the scan could not have met: of
// values registered after its pack was built, and of unregistered values when
// generic rules did not run.
func (c *change) unsearched(ctx context.Context, scan store.Scan) (map[string]bool, error) {
	out := map[string]bool{}
	if scan.Generic && scan.FieldRevision >= c.meta.FieldRevision {
		return out, nil
	}
	found, err := c.tx.Findings(ctx, c.at, store.FindingFilter{SourceID: scan.SourceID})
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		searched := len(f.Matches) == 0 && scan.Generic
		for _, m := range f.Matches {
			row, err := c.tx.FieldByID(ctx, m.Row)
			if err != nil {
				return nil, err
			}
			searched = searched || row.Revision <= scan.FieldRevision
		}
		if !searched {
			out[f.Path] = true
		}
	}
	return out, nil
}
