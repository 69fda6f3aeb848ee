package registry

import (
	"context"
	"strconv"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// SavePositions stores how far parts of the source were read, by name; call it after
// the sightings before them are recorded. merge puts together what is stored of a
// part, nil where nothing is, and what is new: another process may have read on.
func (s *ScanRun) SavePositions(ctx context.Context, p Progress, rows map[string][]byte, merge func(old, next []byte) []byte) error {
	return s.update(ctx, "saving how far a scan came", func(c *change, scan store.Scan) error {
		if err := c.tx.SaveScan(ctx, progressed(scan, p)); err != nil {
			return err
		}
		known, err := c.tx.Positions(ctx, s.source)
		if err != nil {
			return err
		}
		merged := map[string][]byte{}
		for name, row := range rows {
			merged[name] = row
			if old, has := known[name]; has {
				merged[name] = merge(old, row)
			}
		}
		return c.tx.PutPositions(ctx, s.source, merged)
	})
}

// Positions returns how far parts of a source were read, by name; none of a source
// that is not known.
func (r *Registry) Positions(ctx context.Context, a Actor, sourceID string) (map[string][]byte, error) {
	var out map[string][]byte
	err := r.view(ctx, a, ScopeScan, func(v *view) (err error) {
		out, err = v.tx.Positions(ctx, sourceID)
		return err
	})
	return out, err
}

// Expire makes expired what the source's streams do not keep any longer: what was seen
// before the offset that from returns for its stream. It returns the findings of which
// nothing is kept.
func (s *ScanRun) Expire(ctx context.Context, from func(stream string) int64) ([]fingerprints.FindingID, error) {
	var out []fingerprints.FindingID
	err := s.update(ctx, "expiring what a source does not keep", func(c *change, _ store.Scan) (err error) {
		out, err = c.tx.ExpireStreams(ctx, s.source, c.at, from)
		if len(out) > 0 {
			c.note("scan.expire", s.source, map[string]string{"scan": strconv.FormatInt(s.id, 10), "findings": strconv.Itoa(len(out))})
		}
		return err
	})
	return out, err
}
