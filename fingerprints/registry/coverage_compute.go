package registry

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/registration"
	"revenant/fingerprints/store"
)

// coverage computes the coverage of a version.
func (v *view) coverage(ctx context.Context, ref fingerprints.VersionRef) (Coverage, error) {
	_, _, version, err := versionByRef(ctx, v.tx, ref)
	if err != nil {
		return Coverage{}, err
	}
	rows, err := v.tx.Fields(ctx, version.ID)
	if err != nil {
		return Coverage{}, err
	}
	out := Coverage{
		Secret: version.Secret, Version: version.Number, State: version.State,
		Counts: map[CoverageState]int{}, Sources: []SourceCoverage{},
	}
	var need uint64
	for _, row := range rows {
		if reason := v.unsearchable(row); reason != "" {
			f := fieldResult(row)
			f.Unsearchable = reason
			out.Unsearchable = append(out.Unsearchable, f)
			continue
		}
		need = max(need, row.Revision)
	}
	sources, err := v.tx.Sources(ctx)
	if err != nil {
		return Coverage{}, err
	}
	for _, src := range sources {
		one, err := v.sourceCoverage(ctx, src, need)
		if err != nil {
			return Coverage{}, err
		}
		out.Counts[one.State]++
		out.Sources = append(out.Sources, one)
	}
	out.Complete = len(sources) > 0 && out.Counts[CoverageComplete] == len(sources) && len(out.Unsearchable) == 0 && len(rows) > 0
	return out, nil
}

// unsearchable is why packs of today cannot find a field; empty: they can.
func (v *view) unsearchable(row fingerprints.FieldRow) string {
	if row.Unsearchable != "" {
		return row.Unsearchable
	}
	ring := v.reg.ring.Load()
	if ring != nil && !slices.Contains(ring.FilterGens(), row.FilterGen) {
		return "registered under a filter generation that is no longer in use; register the value again"
	}
	if v.damaged(row) {
		return "its row in the store is damaged; register the value again"
	}
	return ""
}

// damaged reports whether a row does not open: packs leave it out.
func (v *view) damaged(row fingerprints.FieldRow) bool {
	ring := v.reg.ring.Load()
	if ring == nil || row.Unsearchable != "" {
		return false
	}
	_, err := registration.New(ring, v.reg.rand, nil).Open(row)
	return err != nil
}

// sourceCoverage judges one source: the newest complete scan of the whole
// source that held the field decides, unless a newer one could not read
// something; without one, what there is explains why.
func (v *view) sourceCoverage(ctx context.Context, src store.Source, need uint64) (SourceCoverage, error) {
	out := SourceCoverage{Source: src.ID, Kind: src.Kind, State: CoveragePending}
	scans, err := v.tx.Scans(ctx, src.ID, recentScans)
	if err != nil {
		return out, err
	}
	whole := slices.IndexFunc(scans, func(s store.Scan) bool {
		return s.Complete && !s.FinishedAt.IsZero() && s.Extent == "" && s.FieldRevision >= need
	})
	if whole >= 0 {
		switch failed, err := v.failed(ctx, scans[:whole], need); {
		case err != nil:
			return out, err
		case failed >= 0:
			return v.partly(ctx, out, scans[failed])
		}
		s := scans[whole]
		out.State = CoverageComplete
		describe(&out, s)
		return out, v.addSkips(ctx, &out, s)
	}
	if len(scans) > 0 && !slices.ContainsFunc(scans, func(s store.Scan) bool { return s.Extent != store.ExtentStream }) {
		return v.streamCoverage(ctx, scans, need, out)
	}
	held := slices.IndexFunc(scans, func(s store.Scan) bool { return s.FieldRevision >= need })
	switch {
	case held >= 0:
		return v.partly(ctx, out, scans[held])
	case len(scans) > 0:
		out.Reason = "last scanned before the value was registered"
	default:
		out.Reason = "not scanned yet"
	}
	return out, nil
}

// failed is the newest of the scans of the whole source that held the field and
// met something that could not be read: an older scan that read everything says
// nothing of what stands there now. One that was only stopped met nothing.
func (v *view) failed(ctx context.Context, scans []store.Scan, need uint64) (int, error) {
	for i, s := range scans {
		if s.Complete || s.FinishedAt.IsZero() || s.Extent != "" || s.FieldRevision < need {
			continue
		}
		skips, err := v.skips(ctx, s)
		if err != nil {
			return -1, err
		}
		if slices.ContainsFunc(skips, func(k fingerprints.Skip) bool {
			return k.Reason.Failure() && k.Reason != fingerprints.SkipInterrupted
		}) {
			return i, nil
		}
	}
	return -1, nil
}

// partly describes a source that a scan did not search wholly.
func (v *view) partly(ctx context.Context, out SourceCoverage, s store.Scan) (SourceCoverage, error) {
	out.State = CoveragePartial
	describe(&out, s)
	out.Reason = partialReason(s)
	return out, v.addSkips(ctx, &out, s)
}

// streamCoverage judges a source that is only ever piped in: every pipe must
// have been read to its end by a scan that held the field.
func (v *view) streamCoverage(ctx context.Context, scans []store.Scan, need uint64, out SourceCoverage) (SourceCoverage, error) {
	out.State = CoverageComplete
	describe(&out, scans[0])
	for _, s := range scans {
		switch {
		case !s.Complete || s.FinishedAt.IsZero():
			out.State, out.Reason = CoveragePartial, "what was piped in was not read to its end"
		case s.FieldRevision < need:
			out.State, out.Reason = CoveragePartial, "some was piped in before the value was registered and cannot be read again: pipe it in once more under a new id, or forget the source"
		}
		if out.State != CoverageComplete {
			return out, v.addSkips(ctx, &out, s)
		}
	}
	for _, s := range scans {
		if err := v.addSkips(ctx, &out, s); err != nil {
			return out, err
		}
	}
	return out, nil
}

// skips are what a scan skipped. One that is over says how many there are.
func (v *view) skips(ctx context.Context, s store.Scan) ([]fingerprints.Skip, error) {
	if !s.FinishedAt.IsZero() && s.Skips == 0 {
		return nil, nil
	}
	return v.tx.Skips(ctx, s.ID, 0)
}

// describe says of a source which scan counts.
func describe(c *SourceCoverage, s store.Scan) {
	c.Since, c.Through, c.Items, c.Bytes = optionalTime(s.StartedAt), s.Through, s.Items, s.Bytes
	c.PackRevision = s.PackRevision
}

func partialReason(s store.Scan) string {
	switch {
	case s.FinishedAt.IsZero():
		return "the scan was not finished"
	case s.Extent == extentTold || s.Extent == extentToldPart:
		return "only strong values were searched for, by a scan elsewhere"
	case s.Extent != "":
		return "only a part of the source was scanned"
	}
	return "the scan did not read everything"
}

// shownSkips is how many skipped places are listed one by one.
const shownSkips = 100

// addSkips lists what the scan skipped; a complete scan with skips is only
// that.
func (v *view) addSkips(ctx context.Context, c *SourceCoverage, s store.Scan) error {
	skips, err := v.skips(ctx, s)
	if err != nil {
		return err
	}
	if len(skips) > 0 && c.State == CoverageComplete {
		c.State, c.Reason = CoverageSkipped, counted(len(skips), "place was skipped", "places were skipped")
	}
	c.All = skips
	counts := map[fingerprints.SkipReason]int{}
	for i, k := range skips {
		counts[k.Reason]++
		if i < shownSkips {
			c.SkippedPlaces = append(c.SkippedPlaces, SkippedPlace{Path: k.Path, Reason: k.Reason, Detail: k.Detail})
		}
	}
	for _, reason := range slices.SortedFunc(maps.Keys(counts), func(a, b fingerprints.SkipReason) int { return cmp.Compare(a, b) }) {
		c.Skips = append(c.Skips, SkipCount{Reason: reason, Count: counts[reason]})
	}
	return nil
}

// counted is a number with the word that it asks for.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
