package storetest

import (
	"errors"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testSources(t *testing.T, f *fixture) {
	a := store.Source{ID: "dir:/a", Kind: fingerprints.KindDir, AddedAt: epoch()}
	b := store.Source{ID: "git:host/b", Kind: fingerprints.KindGit, AddedAt: hour(1)}
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutSource(f.ctx, b), tx.PutSource(f.ctx, a)) })
	list := func() (out []store.Source) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Sources(f.ctx)
			return err
		})
		return out
	}
	f.diff("Sources", []store.Source{a, b}, list())
	b.Forgotten = true
	f.update(func(tx store.Tx) error { return tx.PutSource(f.ctx, b) })
	f.diff("without forgotten ones", []store.Source{a}, list())
	f.view(func(tx store.Tx) error {
		got, err := tx.Source(f.ctx, b.ID)
		f.diff("Source", b, got)
		_, missing := tx.Source(f.ctx, "dir:/c")
		f.wantErr("Source", missing, store.ErrNotFound)
		return err
	})
}

// rekeyed is the id of finding n after a move.
func rekeyed(f fingerprints.Finding) fingerprints.FindingID {
	return f.ID[:4] + "aa" + f.ID[6:]
}

func (f *fixture) move(from, to string) {
	f.t.Helper()
	f.update(func(tx store.Tx) error {
		return tx.MoveSource(f.ctx, from, to, func(got fingerprints.Finding) fingerprints.FindingID {
			if got.PathID == (fingerprints.PathID{}) || got.SourceID != to {
				f.t.Errorf("rekey was asked about %+v", got)
			}
			if got.Value.IsZero() {
				return got.ID
			}
			return rekeyed(got)
		})
	})
}

func testMove(t *testing.T, f *fixture) {
	f.source(dir)
	const n = 1203
	var batch []store.Observed
	for i := range n {
		batch = append(batch, observed(i))
	}
	weak := observed(n)
	weak.Value = fingerprints.ValueID{}
	f.record(hour(1), append(batch, weak)...)
	f.update(func(tx store.Tx) error {
		_, err := tx.StartScan(f.ctx, store.Scan{SourceID: dir, StartedAt: hour(1)})
		return err
	})
	f.move(dir, "dir:/new")
	for _, i := range []int{0, n - 1} {
		v := f.finding(hour(2), findingID(i))
		want := rekeyed(fingerprints.Finding{ID: findingID(i)})
		f.diff("moved", []any{want, "dir:/new", []fingerprints.FindingID{findingID(i)}, 1}, []any{v.ID, v.SourceID, v.Aliases, v.Places})
	}
	if v := f.finding(hour(2), weak.FindingID); v.ID != weak.FindingID || v.SourceID != "dir:/new" || v.Aliases != nil {
		t.Errorf("a finding that keeps its id: %+v", v)
	}
	f.view(func(tx store.Tx) error {
		_, err := tx.Source(f.ctx, dir)
		f.wantErr("the old source", err, store.ErrNotFound)
		scans, err := tx.Scans(f.ctx, "dir:/new", 0)
		if len(scans) != 1 {
			t.Errorf("%d scans moved, want 1", len(scans))
		}
		return err
	})
	f.update(func(tx store.Tx) error {
		err := tx.MoveSource(f.ctx, "dir:/unknown", "dir:/x", rekeyed)
		f.wantErr("MoveSource", err, store.ErrNotFound)
		return nil
	})
}

func testMoveOnto(t *testing.T, f *fixture) {
	f.source(dir, "dir:/new")
	there := observed(1)
	there.FindingID, there.SourceID, there.Sighting.Start = rekeyed(fingerprints.Finding{ID: findingID(1)}), "dir:/new", 77
	f.record(hour(1), observed(1), observed(2))
	f.record(hour(2), there)
	f.move(dir, "dir:/new")
	v := f.finding(hour(3), findingID(1))
	f.diff("joined", []any{there.FindingID, 2, hour(1), []fingerprints.FindingID{findingID(1)}}, []any{v.ID, v.Places, v.FirstSeen, v.Aliases})
	if list := f.findings(hour(3), store.FindingFilter{SourceID: "dir:/new"}); len(list) != 2 {
		t.Errorf("%d findings, want 2", len(list))
	}
	f.view(func(tx store.Tx) error {
		list, err := tx.Sources(f.ctx)
		if len(list) != 1 {
			t.Errorf("%d sources, want 1", len(list))
		}
		return err
	})
}

// testMovedAndBack scans the old place again: its findings are its own, and
// what moved keeps what it has.
func testMovedAndBack(t *testing.T, f *fixture) {
	f.source(dir)
	f.record(hour(1), observed(1))
	f.move(dir, "dir:/new")
	f.source(dir)
	got := f.record(hour(2), observed(1))
	f.diff("Recorded", []store.Recorded{{FindingID: findingID(1), New: true, NewPlace: true}}, got)
	if v := f.finding(hour(2), findingID(1)); v.SourceID != dir || v.FirstSeen != hour(2) {
		t.Errorf("the old id leads to %+v", v)
	}
	moved := f.finding(hour(2), rekeyed(fingerprints.Finding{ID: findingID(1)}))
	if moved.SourceID != "dir:/new" || moved.LastSeen != hour(1) || moved.Aliases != nil {
		t.Errorf("what moved is now %+v", moved)
	}
}

func testForget(t *testing.T, f *fixture) {
	f.source(dir, "dir:/other")
	f.put("a", version("a", 1, fingerprints.StateActive))
	other := registered(2)
	other.SourceID, other.Value, other.Rows = "dir:/other", valueID(1), []fingerprints.RowID{rowID(1)}
	alone := observed(5) // registered, and seen at this source alone
	alone.Rows = []fingerprints.RowID{rowID(1)}
	f.record(hour(1), registered(1), observed(3), observed(4), alone, other)
	var scan int64
	f.update(func(tx store.Tx) (err error) {
		if err = tx.MergeFinding(f.ctx, hour(2), findingID(4), findingID(3)); err != nil {
			return err
		}
		if scan, err = tx.StartScan(f.ctx, store.Scan{SourceID: dir}); err != nil {
			return err
		}
		return tx.AddSkips(f.ctx, scan, []fingerprints.Skip{{Path: "x", Reason: fingerprints.SkipLoop}})
	})
	f.update(func(tx store.Tx) error { return tx.ForgetSource(f.ctx, dir) })
	f.update(func(tx store.Tx) error {
		f.wantErr("ForgetSource twice", tx.ForgetSource(f.ctx, dir), store.ErrNotFound)
		for _, n := range []int{1, 3, 4} {
			_, err := tx.Finding(f.ctx, hour(3), findingID(n))
			f.wantErr("a forgotten finding", err, store.ErrNotFound)
		}
		skips, err := tx.Skips(f.ctx, scan, 0)
		if len(skips) != 0 {
			t.Errorf("%d skips are left", len(skips))
		}
		return err
	})
	f.view(func(tx store.Tx) error {
		return tx.EachProvenance(f.ctx, func(ref, text string) error {
			if text != other.Path && text != other.Sighting.Context {
				t.Errorf("%s is left: %q", ref, text)
			}
			return nil
		})
	})
	if v := f.finding(hour(3), findingID(2)); v.Verdict != fingerprints.VerdictLeaked {
		t.Errorf("the other source's finding is %s, want leaked", v.Verdict)
	}
	f.source(dir)
	got := f.record(hour(4), observed(3))
	f.diff("seen after forgetting", []store.Recorded{{FindingID: findingID(3), New: true, NewPlace: true}}, got)
	f.record(hour(4), observed(5))
	if v := f.finding(hour(4), findingID(5)); v.Verdict != fingerprints.VerdictUnregistered {
		t.Errorf("what a forgotten value was tied to is remembered: %s", v.Verdict)
	}
}

func testScans(t *testing.T, f *fixture) {
	f.source(dir)
	s := store.Scan{SourceID: dir, Extent: "conf/", StartedAt: hour(1), FieldRevision: 3, PackRevision: 4, Generic: true}
	start := func(s *store.Scan) {
		f.update(func(tx store.Tx) (err error) {
			s.ID, err = tx.StartScan(f.ctx, *s)
			return err
		})
	}
	start(&s)
	second := store.Scan{SourceID: dir, StartedAt: hour(2)}
	start(&second)
	s.FinishedAt, s.Complete, s.Through, s.Cursor = hour(3), true, "2,311 files", []byte{0, 1, 255}
	s.Items, s.Bytes, s.Skips = 2311, 1<<40, 2
	f.update(func(tx store.Tx) error { return tx.SaveScan(f.ctx, s) })
	f.view(func(tx store.Tx) error {
		list, err := tx.Scans(f.ctx, dir, 0)
		f.diff("Scans, the newest first", []store.Scan{second, s}, list)
		one, err2 := tx.Scans(f.ctx, dir, 1)
		f.diff("Scans with a limit", []store.Scan{second}, one)
		got, err3 := tx.ScanByID(f.ctx, s.ID)
		f.diff("ScanByID", s, got)
		_, missing := tx.ScanByID(f.ctx, 99)
		f.wantErr("ScanByID", missing, store.ErrNotFound)
		return errors.Join(err, err2, err3)
	})
	f.update(func(tx store.Tx) error {
		f.wantErr("SaveScan", tx.SaveScan(f.ctx, store.Scan{ID: 99}), store.ErrNotFound)
		_, err := tx.StartScan(f.ctx, store.Scan{SourceID: "dir:/unknown"})
		f.wantErr("StartScan", err, store.ErrNotFound)
		return nil
	})
}

func testCompleteScans(t *testing.T, f *fixture) {
	f.source(dir, "dir:/other", "dir:/forgotten")
	f.update(func(tx store.Tx) error {
		return tx.PutSource(f.ctx, store.Source{ID: "dir:/forgotten", Forgotten: true})
	})
	scans := []store.Scan{
		{SourceID: "dir:/other", Complete: true, FieldRevision: 1},
		{SourceID: dir, Complete: true, FieldRevision: 1},
		{SourceID: dir, Complete: true, FieldRevision: 2},                         // 2: newest of the whole
		{SourceID: dir, Complete: true, FieldRevision: 1, Generic: true},          // 3
		{SourceID: dir, Complete: true, FieldRevision: 5, Extent: "conf/"},        // 4
		{SourceID: dir, Complete: false, FieldRevision: 6},                        // not complete
		{SourceID: "dir:/forgotten", Complete: true, FieldRevision: 9},            // not asked for
		{SourceID: "dir:/other", Complete: true, FieldRevision: 0, Generic: true}, // 7
	}
	f.update(func(tx store.Tx) (err error) {
		for i := range scans {
			if scans[i].ID, err = tx.StartScan(f.ctx, scans[i]); err != nil {
				return err
			}
		}
		return nil
	})
	f.view(func(tx store.Tx) error {
		got, err := tx.CompleteScans(f.ctx)
		f.diff("CompleteScans", []store.Scan{scans[0], scans[7], scans[2], scans[3], scans[4]}, got)
		return err
	})
}

func testSkips(t *testing.T, f *fixture) {
	f.source(dir)
	var scan int64
	skips := []fingerprints.Skip{
		{Path: "a", Reason: fingerprints.SkipUnreadable, Detail: "permission denied", Size: -1},
		{Path: "a", Locator: "member", Reason: fingerprints.SkipArchive, Size: 1 << 33},
		{Path: "b", Reason: fingerprints.SkipLoop},
	}
	f.update(func(tx store.Tx) (err error) {
		if scan, err = tx.StartScan(f.ctx, store.Scan{SourceID: dir}); err != nil {
			return err
		}
		f.wantErr("AddSkips", tx.AddSkips(f.ctx, 99, skips), store.ErrNotFound)
		for range 2 { // a batch that is repeated after a crash
			if err := tx.AddSkips(f.ctx, scan, append(skips, skips[0])); err != nil {
				return err
			}
		}
		return tx.AddSkips(f.ctx, scan, nil)
	})
	f.view(func(tx store.Tx) error {
		got, err := tx.Skips(f.ctx, scan, 0)
		f.diff("Skips", skips, got)
		got, err2 := tx.Skips(f.ctx, scan, 2)
		f.diff("Skips with a limit", skips[:2], got)
		return errors.Join(err, err2)
	})
}
