package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// ScanStart opens a scan of a source.
type ScanStart struct {
	SourceID string
	Kind     fingerprints.SourceKind
	// Extent is "" for the whole source, else a canonical description of the
	// part that the scan sets out to read.
	Extent string
	// FieldRevision and PackRevision are the pack's; Generic says that generic
	// rules run too.
	FieldRevision uint64
	PackRevision  uint64
	Generic       bool
	// Resume continues the newest scan of the same extent when it was not
	// finished and searched for at least as much.
	Resume bool
}

// Observation is one sighting of a scan, redacted, with the raw path for the
// match with allowed homes; the raw path is not stored.
type Observation struct {
	store.Observed
	RawPath string
}

// Progress is how far a scan came.
type Progress struct {
	Cursor  []byte
	Items   int64
	Bytes   int64
	Through string
}

// Outcome ends a scan.
type Outcome struct {
	Progress
	// Complete: everything of the extent was read to its end. A scan that
	// recorded a skip that is a failure is never complete, whatever this says.
	Complete bool
	// Stands reports of a locator that the scan did not look there, though it is
	// complete: what was seen there stays. nil: it looked everywhere.
	Stands func(locator string) bool
	// Searched is what all of the source was searched for, now and before, where that
	// is less than what this scan looked for; nil: the scan read all of it.
	Searched *Searched
}

// Searched is what a source was searched for.
type Searched struct {
	Fields  uint64 // revision of the newest registered field
	Generic bool
}

// ScanDone is what Finish did.
type ScanDone struct {
	Complete bool                     `json:"complete"`
	Gone     []fingerprints.FindingID `json:"gone,omitempty"` // seen before, no more
	Skips    int64                    `json:"skips"`
}

// ScanRun is one scan in progress. It is safe for concurrent use.
//
// Beginning and end of a scan stand in the audit log; the sightings between
// them do not, one by one.
type ScanRun struct {
	reg    *Registry
	actor  Actor
	id     int64
	source string
	extent string
	cursor []byte

	mu       sync.Mutex
	owners   map[fingerprints.RowID]rowSecret
	unplaced map[string][]store.FindingView // see standIns; nil: not asked for yet
}

// rowSecret is what sightings need to know of the secret of a row.
type rowSecret struct{ name, owner string }

// ID is the scan's number in the store.
func (s *ScanRun) ID() int64 { return s.id }

// Cursor is where a resumed scan continues; nil: from the start.
func (s *ScanRun) Cursor() []byte { return s.cursor }

// recentScans bounds how many scans of a source are looked at.
const recentScans = 1000

// keptScans is how many scans of a source are kept whatever they say: one that is
// scanned every ten minutes has fifty thousand in a year.
const keptScans = 100

func ignoreNotFound(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// BeginScan registers the source when it is unknown and starts a scan of it. A
// resumed scan claims no more than what all of its parts searched for.
func (r *Registry) BeginScan(ctx context.Context, a Actor, q ScanStart) (*ScanRun, error) {
	if q.SourceID == "" {
		return nil, fmt.Errorf("beginning a scan: source: %w: it has no id", ErrInput)
	}
	out := &ScanRun{reg: r, actor: a, source: q.SourceID, extent: q.Extent, owners: map[fingerprints.RowID]rowSecret{}}
	err := r.update(ctx, a, ScopeScan, "beginning a scan", func(c *change) error {
		out.cursor = nil
		known, err := c.tx.Source(ctx, q.SourceID)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && known.Forgotten:
			if err := c.tx.PutSource(ctx, store.Source{ID: q.SourceID, Kind: q.Kind, AddedAt: c.at}); err != nil {
				return err
			}
			if err := c.coverSource(ctx, q.SourceID); err != nil {
				return err
			}
		case err != nil:
			return err
		}
		if q.Resume {
			old, found, err := c.resume(ctx, q)
			if found || err != nil {
				out.id, out.cursor = old.ID, old.Cursor
				return err
			}
		}
		out.id, err = c.tx.StartScan(ctx, store.Scan{
			SourceID: q.SourceID, Extent: q.Extent, StartedAt: c.at, Generic: q.Generic, PackRevision: q.PackRevision,
			FieldRevision: min(q.FieldRevision, c.meta.FieldRevision),
		})
		c.note("scan.begin", q.SourceID, map[string]string{"scan": strconv.FormatInt(out.id, 10)})
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// resume takes the newest scan of the extent up when it was not finished.
func (c *change) resume(ctx context.Context, q ScanStart) (store.Scan, bool, error) {
	scans, err := c.tx.Scans(ctx, q.SourceID, recentScans)
	if err != nil {
		return store.Scan{}, false, err
	}
	i := slices.IndexFunc(scans, func(s store.Scan) bool { return s.Extent == q.Extent })
	if i < 0 {
		return store.Scan{}, false, nil
	}
	old := scans[i]
	if !old.FinishedAt.IsZero() || len(old.Cursor) == 0 || old.FieldRevision < q.FieldRevision || q.Generic && !old.Generic {
		return store.Scan{}, false, nil
	}
	old.FieldRevision = min(old.FieldRevision, q.FieldRevision)
	old.PackRevision = min(old.PackRevision, q.PackRevision)
	old.Generic = old.Generic && q.Generic
	c.note("scan.resume", q.SourceID, map[string]string{"scan": strconv.FormatInt(old.ID, 10)})
	return old, true, c.tx.SaveScan(ctx, old)
}

// Record stores sightings and returns what was known before, one for each in
// order. It is idempotent. A new finding of a registered value without an owner
// gets the secret's.
func (s *ScanRun) Record(ctx context.Context, obs []Observation) ([]store.Recorded, error) {
	if len(obs) == 0 {
		return nil, nil
	}
	var out []store.Recorded
	err := s.update(ctx, "recording what a scan found", func(c *change, _ store.Scan) error {
		homes, err := c.tx.Allows(ctx, "")
		if err != nil {
			return err
		}
		decisions, err := c.tx.Decisions(ctx)
		if err != nil {
			return err
		}
		all := make([]store.Observed, len(obs))
		for i, o := range obs {
			if all[i], err = s.complete(ctx, c.tx, o, homes); err != nil {
				return err
			}
			for _, d := range decisions {
				if About(d, all[i].Value, all[i].SourceID, o.RawPath) {
					all[i].DecisionIDs = append(all[i].DecisionIDs, d.ID)
				}
			}
		}
		if out, err = c.tx.Record(ctx, c.at, all); err != nil {
			return err
		}
		if err := c.mergeGeneric(ctx, s.source, all, out); err != nil {
			return err
		}
		return s.placeStandIns(ctx, c, all, out)
	})
	return out, err
}

// complete fills in what the registry knows: owner, homes, extent.
func (s *ScanRun) complete(ctx context.Context, tx store.Tx, o Observation, homes []store.Allow) (store.Observed, error) {
	x := o.Observed
	x.Extent = s.extent
	if x.SourceID == "" {
		x.SourceID = s.source
	}
	var names []string
	for _, row := range x.Rows {
		secret, err := s.secret(ctx, tx, row)
		if err != nil {
			return x, err
		}
		names = append(names, secret.name)
		if x.Owner == "" {
			x.Owner = secret.owner
		}
	}
	for _, h := range homes {
		if !h.Whole && slices.Contains(names, h.Secret) && !slices.Contains(x.AllowIDs, h.ID) && Covers(h, x.SourceID, o.RawPath) {
			x.AllowIDs = append(slices.Clone(x.AllowIDs), h.ID)
		}
	}
	return x, nil
}

// secret is what is known of a row's secret; zero for a row that is gone.
func (s *ScanRun) secret(ctx context.Context, tx store.Tx, row fingerprints.RowID) (rowSecret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.owners[row]; ok {
		return known, nil
	}
	label, err := labelOf(ctx, tx, row)
	if err := ignoreNotFound(err); err != nil {
		return rowSecret{}, err
	}
	out := rowSecret{name: label.Version.Secret, owner: label.Owner}
	s.owners[row] = out
	return out, nil
}

// Skips stores what was not read; idempotent.
func (s *ScanRun) Skips(ctx context.Context, skips []fingerprints.Skip) error {
	if len(skips) == 0 {
		return nil
	}
	return s.update(ctx, "recording what a scan skipped", func(c *change, _ store.Scan) error {
		return c.tx.AddSkips(ctx, s.id, skips)
	})
}

// SaveCursor stores progress; call it after the sightings it covers are
// recorded.
func (s *ScanRun) SaveCursor(ctx context.Context, p Progress) error {
	return s.update(ctx, "saving how far a scan came", func(c *change, scan store.Scan) error {
		return c.tx.SaveScan(ctx, progressed(scan, p))
	})
}

func progressed(scan store.Scan, p Progress) store.Scan {
	scan.Cursor, scan.Through, scan.Items, scan.Bytes = p.Cursor, p.Through, p.Items, p.Bytes
	return scan
}

// update is the registry's gate for a scan that is running.
func (s *ScanRun) update(ctx context.Context, what string, fn func(*change, store.Scan) error) error {
	return s.reg.update(ctx, s.actor, ScopeScan, what, func(c *change) error {
		scan, err := c.tx.ScanByID(ctx, s.id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return ErrUnknownSource // it was forgotten meanwhile
		case err != nil:
			return err
		case !scan.FinishedAt.IsZero():
			return ErrScanOver
		}
		return fn(c, scan)
	})
}

// Finish ends the scan. After a complete one that left nothing out, what it did
// not meet again is gone, except where nobody looked: at skipped places, and
// where it did not search for what was found there before.
func (s *ScanRun) Finish(ctx context.Context, o Outcome) (ScanDone, error) {
	var out ScanDone
	err := s.update(ctx, "finishing a scan", func(c *change, scan store.Scan) error {
		skips, err := c.tx.Skips(ctx, s.id, 0)
		if err != nil {
			return err
		}
		done := progressed(scan, o.Progress)
		done.FinishedAt, done.Skips = c.at, int64(len(skips))
		done.Complete = o.Complete && !slices.ContainsFunc(skips, func(k fingerprints.Skip) bool { return k.Reason.Failure() })
		if w := o.Searched; w != nil {
			done.FieldRevision, done.Generic = min(done.FieldRevision, w.Fields), done.Generic && w.Generic
		}
		if err := c.tx.SaveScan(ctx, done); err != nil {
			return err
		}
		out = ScanDone{Complete: done.Complete, Skips: done.Skips}
		details := map[string]string{"scan": strconv.FormatInt(s.id, 10), "complete": strconv.FormatBool(done.Complete)}
		if done.Complete && done.Extent != store.ExtentStream && !filtered(skips) {
			if out.Gone, err = c.markUnseen(ctx, done, skips, o.Stands); err != nil {
				return err
			}
			details["gone"] = strconv.Itoa(len(out.Gone))
		}
		c.note("scan.finish", done.SourceID, details)
		_, err = c.tx.ForgetScans(ctx, done.SourceID, keptScans)
		return err
	})
	if err != nil {
		return ScanDone{}, err
	}
	return out, nil
}
