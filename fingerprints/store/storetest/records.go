package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// canary stands for a secret that got into stored text before it was known.
const canary = "canary-7c1d"

// testProvenance plants the canary in every text that may hold it, rewrites
// each, and looks through the whole contract for what is left.
func testProvenance(t *testing.T, f *fixture) {
	f.source(dir)
	o, twin := observed(1), observed(1)
	plant := func(s string) string { return "before " + canary + " after " + s }
	// Will be the same place, and is planted last so that its context is
	// rewritten after it has become one with the first.
	o.Path, o.Sighting.Locator, o.Sighting.Context, o.Sighting.URL = plant("path"), plant("x"), plant("context"), plant("url")
	o.Sighting.Author, o.Sighting.Commit = plant("author"), "01234567"
	twin.Path, twin.Sighting.Context = o.Path, o.Sighting.Context
	twin.Sighting.Locator = strings.Replace(o.Sighting.Locator, canary, canary+canary, 1)
	f.record(hour(1), o, twin)
	var scan int64
	f.update(func(tx store.Tx) (err error) {
		if scan, err = tx.StartScan(f.ctx, store.Scan{SourceID: dir, Through: plant("through")}); err != nil {
			return err
		}
		err = tx.AddSkips(f.ctx, scan, []fingerprints.Skip{
			{Path: plant("skip"), Locator: plant("locator"), Reason: fingerprints.SkipArchive, Detail: plant("detail")},
			{Path: "before [redacted] after skip", Locator: plant("locator"), Reason: fingerprints.SkipArchive},
		})
		if err != nil {
			return err
		}
		return tx.SetTriage(f.ctx, fingerprints.Finding{ID: findingID(1), Status: fingerprints.StatusAccepted, Reason: plant("reason")},
			store.HistoryEntry{At: hour(1), What: "accepted", Detail: plant("history")})
	})
	if n := f.redact(); n < 10 {
		t.Errorf("%d texts were rewritten, want 10 or more", n)
	}
	f.view(func(tx store.Tx) error {
		v, err := tx.Finding(f.ctx, hour(1), findingID(1))
		list, err2 := tx.Sightings(f.ctx, findingID(1), 0)
		history, err3 := tx.History(f.ctx, findingID(1))
		skips, err4 := tx.Skips(f.ctx, scan, 0)
		scans, err5 := tx.Scans(f.ctx, dir, 0)
		if all := fmt.Sprint(v, list, history, skips, scans); strings.Contains(all, canary) {
			t.Errorf("the canary is left in %s", all)
		}
		if v.PathID != pathID(1) || len(list) != 1 || list[0].Context != "before [redacted] after context" || len(skips) != 1 {
			t.Errorf("rewritten: %v, %d sightings, %d skips", v.PathID, len(list), len(skips))
		}
		return errors.Join(err, err2, err3, err4, err5)
	})
	f.record(hour(2), o) // a scan with an older pack
	if v := f.finding(hour(2), findingID(1)); strings.Contains(v.Path, canary) {
		t.Error("a later scan wrote the path back")
	}
	f.update(func(tx store.Tx) error {
		for _, ref := range []string{"", "findings", "findings/path/x", "findings/id/1", "secrets/name/1"} {
			if err := tx.RewriteProvenance(f.ctx, ref, "x"); err == nil {
				t.Errorf("the reference %q was accepted", ref)
			}
		}
		return nil
	})
}

// redact collects every text with the canary and rewrites them afterwards.
func (f *fixture) redact() int {
	f.t.Helper()
	redacted := strings.NewReplacer(canary+canary, "[redacted]", canary, "[redacted]")
	texts := map[string]string{}
	var refs []string
	f.update(func(tx store.Tx) error {
		err := tx.EachProvenance(f.ctx, func(ref, text string) error {
			if strings.Contains(text, canary) {
				refs = append(refs, ref)
				texts[ref] = redacted.Replace(text)
			}
			return nil
		})
		for _, ref := range refs {
			if err == nil {
				err = tx.RewriteProvenance(f.ctx, ref, texts[ref])
			}
		}
		return err
	})
	return len(refs)
}

func testAudit(t *testing.T, f *fixture) {
	f.view(func(tx store.Tx) error {
		last, err := tx.LastAudit(f.ctx)
		f.diff("LastAudit of an empty chain", store.AuditRecord{}, last)
		return err
	})
	const n = 2100
	record := func(i int) store.AuditRecord {
		return store.AuditRecord{
			Sequence: uint64(i), At: epoch().Add(time.Duration(i) * time.Nanosecond), Actor: "me",
			Content: []byte(`{"n":1}`), MAC: []byte{1, byte(i)},
		}
	}
	f.update(func(tx store.Tx) error {
		for i := 1; i <= n; i++ {
			if err := tx.AppendAudit(f.ctx, record(i)); err != nil {
				return err
			}
		}
		f.wantErr("a taken sequence", tx.AppendAudit(f.ctx, record(2)), store.ErrExists)
		return errors.Join(tx.PutCheckpoint(f.ctx, 9, []byte("b")), tx.PutCheckpoint(f.ctx, 4, []byte("a")), tx.PutCheckpoint(f.ctx, 9, []byte("c")))
	})
	f.view(func(tx store.Tx) error {
		last, err := tx.LastAudit(f.ctx)
		f.diff("LastAudit", record(n), last)
		next := 7
		err2 := tx.EachAudit(f.ctx, 7, func(r store.AuditRecord) error {
			if next < 9 || next == n {
				f.diff("EachAudit", record(next), r)
			}
			if r.Sequence != uint64(next) {
				return fmt.Errorf("record %d after %d", r.Sequence, next-1)
			}
			next++
			return nil
		})
		if next != n+1 {
			t.Errorf("EachAudit ended at %d, want %d", next-1, n)
		}
		points, err3 := tx.Checkpoints(f.ctx)
		f.diff("Checkpoints", [][]byte{[]byte("a"), []byte("c")}, points)
		return errors.Join(err, err2, err3)
	})
}

// testLong stores texts beyond what an index of some databases takes, which
// differ in their last character alone, and nothing shortens.
func testLong(t *testing.T, f *fixture) {
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	for b.Len() < 20_000 {
		fmt.Fprintf(&b, "%x", rng.Uint64())
	}
	long := b.String()
	f.source("dir:/"+long+"1", "dir:/"+long+"2")
	var batch []store.Observed
	for i := range 4 {
		o := observed(1)
		o.SourceID, o.Path = "dir:/"+long+"2", long
		o.Sighting.Locator = long + fmt.Sprint(i%2)
		batch = append(batch, o)
	}
	f.record(hour(1), batch...)
	f.record(hour(2), batch...)
	if got := f.sightings(findingID(1)); len(got) != 2 || got[0].Locator != long+"0" || got[1].Locator != long+"1" {
		t.Errorf("%d sightings, want 2 with their locators", len(got))
	}
	var scan int64
	f.update(func(tx store.Tx) (err error) {
		scan, err = tx.StartScan(f.ctx, store.Scan{SourceID: "dir:/" + long + "1", StartedAt: hour(1)})
		return err
	})
	skips := []fingerprints.Skip{
		{Path: long + "1", Locator: long + "1", Reason: fingerprints.SkipTooLarge},
		{Path: long + "1", Locator: long + "2", Reason: fingerprints.SkipTooLarge},
		{Path: long + "2", Locator: long + "1", Reason: fingerprints.SkipTooLarge},
	}
	for range 2 {
		f.update(func(tx store.Tx) error { return tx.AddSkips(f.ctx, scan, skips) })
	}
	f.view(func(tx store.Tx) error {
		got, err := tx.Skips(f.ctx, scan, 0)
		f.diff("Skips", skips, got)
		return err
	})
}
