package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/keys"
	"revenant/fingerprints/store"
)

// SourceSummary is a line of a list.
type SourceSummary = wire.SourceSummary

// ScanView is one scan of a source.
type ScanView = wire.ScanView

// SourceView is all that is known of a source.
type SourceView = wire.SourceView

// Sources lists sources in order of id.
func (r *Registry) Sources(ctx context.Context, a Actor) ([]SourceSummary, error) {
	return r.SourcesAfter(ctx, a, "", 0)
}

// SourcesAfter lists the sources behind an id, up to a limit; 0: all. What they have is
// counted for these alone.
func (r *Registry) SourcesAfter(ctx context.Context, a Actor, after string, limit int) ([]SourceSummary, error) {
	list, err := shared(ctx, r, a, fmt.Sprintf("sources %d %s", limit, after), func(v *view) ([]SourceSummary, error) {
		out := []SourceSummary{}
		all, err := v.tx.Sources(ctx)
		if err != nil {
			return nil, err
		}
		page := slices.DeleteFunc(slices.Clone(all), func(s store.Source) bool { return s.ID <= after })
		if limit > 0 {
			page = page[:min(limit, len(page))]
		}
		var ids []string // nil: all
		if len(page) < len(all) {
			ids = make([]string, len(page))
			for i, src := range page {
				ids[i] = src.ID
			}
		}
		newest, err := v.tx.NewestScans(ctx)
		if err != nil {
			return nil, err
		}
		verdicts, err := v.tx.VerdictsBySource(ctx, v.now, ids)
		for _, src := range page {
			one := SourceSummary{ID: src.ID, Kind: src.Kind, AddedAt: src.AddedAt, Findings: verdicts[src.ID]}
			if scan, has := newest[src.ID]; has {
				last := scanView(scan)
				one.LastScan = &last
			}
			out = append(out, one)
		}
		return out, err
	})
	return slices.Clone(list), err
}

// SourceIDs lists the ids of the sources of a kind.
func (r *Registry) SourceIDs(ctx context.Context, a Actor, kind fingerprints.SourceKind) ([]string, error) {
	var out []string
	err := r.view(ctx, a, ScopeScan, func(v *view) error {
		all, err := v.tx.Sources(ctx)
		for _, src := range all {
			if src.Kind == kind {
				out = append(out, src.ID)
			}
		}
		return err
	})
	return out, err
}

// source describes a source with its newest scans.
func (v *view) source(ctx context.Context, src store.Source, limit int) (SourceSummary, []store.Scan, error) {
	out := SourceSummary{ID: src.ID, Kind: src.Kind, AddedAt: src.AddedAt}
	scans, err := v.tx.Scans(ctx, src.ID, limit)
	if err != nil {
		return out, nil, err
	}
	if len(scans) > 0 {
		last := scanView(scans[0])
		out.LastScan = &last
	}
	out.Findings, err = v.tx.CountVerdicts(ctx, v.now, store.FindingFilter{SourceID: src.ID})
	return out, scans, err
}

func scanView(s store.Scan) ScanView {
	return ScanView{
		ID: s.ID, Extent: s.Extent, StartedAt: s.StartedAt, FinishedAt: optionalTime(s.FinishedAt), Complete: s.Complete,
		Through: s.Through, Items: s.Items, Bytes: s.Bytes, Skips: s.Skips,
		PackRevision: s.PackRevision, FieldRevision: s.FieldRevision, Generic: s.Generic,
	}
}

// shownScans is how many scans of a source are shown.
const shownScans = 20

// Source shows one source.
func (r *Registry) Source(ctx context.Context, a Actor, id string) (SourceView, error) {
	var out SourceView
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		src, err := sourceByID(ctx, v.tx, id)
		if err != nil {
			return err
		}
		one, scans, err := v.source(ctx, src, shownScans)
		if err != nil {
			return err
		}
		out = SourceView{SourceSummary: one, Scans: []ScanView{}}
		for _, s := range scans {
			out.Scans = append(out.Scans, scanView(s))
		}
		if len(scans) == 0 {
			return nil
		}
		skips, err := v.tx.Skips(ctx, scans[0].ID, shownSkips)
		for _, k := range skips {
			out.Skipped = append(out.Skipped, SkippedPlace{Path: k.Path, Reason: k.Reason, Detail: k.Detail})
		}
		return errors.Join(err, marksFor(a).hidePlaces(ctx, v.tx, out.Skipped))
	})
	return out, err
}

// SkipFilter selects what a scan skipped.
type SkipFilter struct {
	Scan   int64                   // by its id; 0: the newest of the source
	Reason fingerprints.SkipReason // "": any
	From   int                     // how many are left out at the beginning
	Limit  int
}

// SkipReport is what a scan of a source did not read.
type SkipReport struct {
	Scan   ScanView
	Counts []SkipCount // all of them, the most first
	Places []SkippedPlace
	More   bool // behind Places
}

// Skips reports what a scan of a source did not read, and why. A source that was not
// scanned has a report of nothing; ErrInput for a scan that is none of it.
func (r *Registry) Skips(ctx context.Context, a Actor, source string, f SkipFilter) (SkipReport, error) {
	var out SkipReport
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		out = SkipReport{}
		if _, err := sourceByID(ctx, v.tx, source); err != nil {
			return err
		}
		scan, err := v.scanOf(ctx, source, f.Scan)
		if err != nil || scan.ID == 0 {
			return err
		}
		out.Scan = scanView(scan)
		skips, err := v.skips(ctx, scan)
		if err != nil {
			return err
		}
		out.report(skips, f)
		return marksFor(a).hidePlaces(ctx, v.tx, out.Places)
	})
	return out, err
}

// scanOf is a scan of a source, the newest for 0; the zero scan where there was none.
func (v *view) scanOf(ctx context.Context, source string, id int64) (store.Scan, error) {
	if id == 0 {
		scans, err := v.tx.Scans(ctx, source, 1)
		if err != nil || len(scans) == 0 {
			return store.Scan{}, err
		}
		return scans[0], nil
	}
	scan, err := v.tx.ScanByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && scan.SourceID != source {
		return store.Scan{}, badInput("scan", "it is no scan of this source, or it is not kept any more")
	}
	return scan, err
}

// report fills in what a filter selects of a scan's skips.
func (p *SkipReport) report(skips []fingerprints.Skip, f SkipFilter) {
	counts := map[fingerprints.SkipReason]int{}
	at := 0
	for _, k := range skips {
		counts[k.Reason]++
		if f.Reason != "" && k.Reason != f.Reason {
			continue
		}
		switch at++; {
		case at <= f.From:
		case len(p.Places) < f.Limit:
			p.Places = append(p.Places, SkippedPlace{Path: k.Path, Reason: k.Reason, Detail: k.Detail})
		default:
			p.More = true
		}
	}
	for reason, n := range counts {
		p.Counts = append(p.Counts, SkipCount{Reason: reason, Count: n})
	}
	slices.SortFunc(p.Counts, func(x, y SkipCount) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Reason, y.Reason))
	})
}

// sourceByID finds a source. The error never repeats the id.
func sourceByID(ctx context.Context, tx store.Tx, id string) (store.Source, error) {
	s, err := tx.Source(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && s.Forgotten {
		return store.Source{}, ErrUnknownSource
	}
	return s, err
}

// MoveSource gives a source a new id; its findings get new ids and keep their
// history. ErrInput when the new id is taken.
func (r *Registry) MoveSource(ctx context.Context, a Actor, from, to string) (SourceSummary, error) {
	const what = "moving a source"
	if err := CheckSourceID(to); err != nil {
		return SourceSummary{}, fmt.Errorf("%s: %w", what, &InputError{Input: "TO", Want: err.Error(), Kind: ErrInput})
	}
	var out SourceSummary
	err := r.update(ctx, a, ScopeAdmin, what, func(c *change) error {
		v := &view{tx: c.tx, reg: r, now: c.at, meta: c.meta}
		src, err := sourceByID(ctx, c.tx, from)
		if err != nil {
			return err
		}
		if from != to {
			_, err := c.tx.Source(ctx, to)
			switch {
			case err == nil:
				return &InputError{Input: "TO", Kind: ErrSourceExists}
			case !errors.Is(err, store.ErrNotFound):
				return err
			}
			if err := c.tx.MoveSource(ctx, from, to, c.rekeyFinding(to)); err != nil {
				return err
			}
			if err := c.coverSource(ctx, to); err != nil {
				return err
			}
			c.note("source.move", to, map[string]string{"from": from})
			src.ID = to
		}
		out, _, err = v.source(ctx, src, 1)
		return err
	})
	if err != nil {
		return SourceSummary{}, err
	}
	return out, nil
}

// rekeyFinding computes the id of a finding in its new source. Neither a
// value's id nor a located finding tells what its id was made of, so what made
// the old id is found out by making it again.
func (c *change) rekeyFinding(to string) func(fingerprints.Finding) fingerprints.FindingID {
	core, edge := c.ring.Identity(fingerprints.AudienceCore), c.ring.Identity(fingerprints.AudienceEdge)
	return func(f fingerprints.Finding) fingerprints.FindingID {
		for _, key := range []keys.IdentityKey{edge, core} {
			if !f.Value.IsZero() {
				if key.FindingID(f.Value, f.SourceID, f.PathID) == f.ID {
					return key.FindingID(f.Value, to, f.PathID)
				}
				continue
			}
			if rule, ordinal, ok := located(key, f); ok {
				return key.LocatedFindingID(to, f.PathID, rule, ordinal)
			}
		}
		if f.Value.IsZero() {
			return f.ID // the next scan of the new source finds it afresh
		}
		return edge.FindingID(f.Value, to, f.PathID)
	}
}

// maxOrdinal bounds how many weak hits of a rule at a path are tried.
const maxOrdinal = 4096

func located(key keys.IdentityKey, f fingerprints.Finding) (string, uint32, bool) {
	for _, rule := range f.Rules {
		for n := range uint32(maxOrdinal) {
			if key.LocatedFindingID(f.SourceID, f.PathID, rule, n) == f.ID {
				return rule, n, true
			}
		}
	}
	return "", 0, false
}

// CheckSourceID accepts KIND:PLACE in one line. Its error says so, and not the
// id.
func CheckSourceID(id string) error {
	kind, rest, ok := strings.Cut(id, ":")
	if !ok || kind == "" || rest == "" || len(id) > 4096 || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return errors.New("write KIND:PLACE, as in dir:/srv/app or git:host/path")
	}
	return nil
}

// ForgetSource removes a source with its scans and findings.
func (r *Registry) ForgetSource(ctx context.Context, a Actor, id string) error {
	return r.update(ctx, a, ScopeAdmin, "forgetting a source", func(c *change) error {
		if _, err := sourceByID(ctx, c.tx, id); err != nil {
			return err
		}
		c.note("source.forget", id, nil)
		return c.tx.ForgetSource(ctx, id)
	})
}
