package storetest

import (
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// testForgetScans: what is old goes, but for what coverage rests on.
func testForgetScans(t *testing.T, f *fixture) {
	f.source(dir, "dir:/other")
	ids := map[string]int64{}
	names := map[int64]string{}
	for i, s := range []struct {
		name string
		scan store.Scan
	}{
		{"complete, long ago", store.Scan{Complete: true, FieldRevision: 3}},
		{"searched for most", store.Scan{Complete: true, FieldRevision: 9}},
		{"searched for most, later", store.Scan{Complete: true, FieldRevision: 9}},
		{"generic and complete", store.Scan{Complete: true, Generic: true, FieldRevision: 2}},
		{"of a part", store.Scan{Complete: true, Extent: "branch main"}},
		{"piped in", store.Scan{Extent: store.ExtentStream}},
		{"not finished", store.Scan{}},
		{"failed", store.Scan{FieldRevision: 12}},
		{"of another source", store.Scan{SourceID: "dir:/other"}},
		{"complete", store.Scan{Complete: true, FieldRevision: 4}},
		{"newest but one", store.Scan{}},
		{"newest", store.Scan{}},
	} {
		s.scan.StartedAt = hour(i)
		if s.name != "not finished" {
			s.scan.FinishedAt = hour(i + 1)
		}
		if s.scan.SourceID == "" {
			s.scan.SourceID = dir
		}
		f.update(func(tx store.Tx) error {
			id, err := tx.StartScan(f.ctx, s.scan)
			if err != nil {
				return err
			}
			ids[s.name], names[id] = id, s.name
			return tx.AddSkips(f.ctx, id, []fingerprints.Skip{{Path: s.name, Reason: fingerprints.SkipTooLarge}})
		})
	}
	forget := func(keep, want int) {
		t.Helper()
		f.update(func(tx store.Tx) error {
			n, err := tx.ForgetScans(f.ctx, dir, keep)
			if n != want {
				t.Errorf("keeping %d: %d were removed, want %d", keep, n, want)
			}
			return err
		})
	}
	forget(100, 0)
	forget(11, 0)
	forget(2, 3)
	forget(2, 0)
	var left []string
	f.view(func(tx store.Tx) error {
		list, err := tx.Scans(f.ctx, dir, 0)
		for _, s := range list {
			left = append(left, names[s.ID])
		}
		return err
	})
	f.diff("what is left", []string{
		"newest", "newest but one", "complete", "not finished", "piped in", "of a part", "generic and complete", "searched for most, later",
	}, left)
	f.view(func(tx store.Tx) error {
		skips, err := tx.Skips(f.ctx, ids["failed"], 0)
		if len(skips) > 0 {
			t.Errorf("skips of a scan that is gone: %v", skips)
		}
		return err
	})
	f.update(func(tx store.Tx) error {
		_, err := tx.ForgetScans(f.ctx, "dir:/missing", 1)
		f.wantErr("ForgetScans", err, store.ErrNotFound)
		return nil
	})
}
