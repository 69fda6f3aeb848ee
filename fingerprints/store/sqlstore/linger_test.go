package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/store"
)

// TestNothingLingers looks for old text in every file of the store while it is
// open.
func TestNothingLingers(t *testing.T) {
	const canary = "canary-91be"
	path := filepath.Join(t.TempDir(), "registry.db")
	s := create(t, path)
	ctx := t.Context()
	lies := func() bool {
		t.Helper()
		for _, suffix := range []string{"", "-wal", "-shm"} {
			b, err := os.ReadFile(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(b), canary) {
				return true
			}
		}
		return false
	}
	plant := func() {
		batch := sample(0, 300)
		for i := range batch {
			batch[i].Path = fmt.Sprint("conf/", canary, i)
			batch[i].Sighting.Context = strings.Repeat("long ", i*5) + canary
		}
		err := s.Update(ctx, func(tx store.Tx) error {
			if err := tx.PutSource(ctx, store.Source{ID: "dir:/x"}); err != nil {
				return err
			}
			_, err := tx.Record(ctx, time.Unix(1, 0), batch)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !lies() {
			t.Fatal("the canary was not stored: the test would prove nothing")
		}
	}
	plant()
	err := s.Update(ctx, func(tx store.Tx) error {
		return tx.EachProvenance(ctx, func(ref, text string) error {
			return tx.RewriteProvenance(ctx, ref, strings.ReplaceAll(text, canary, "[redacted]"))
		})
	})
	if err != nil || lies() {
		t.Errorf("after rewriting (%v): old text lies in the files: %t", err, lies())
	}
	forget := func(tx store.Tx) error { return tx.ForgetSource(ctx, "dir:/x") }
	if err := s.Update(ctx, forget); err != nil {
		t.Fatal(err)
	}
	plant()
	if err := s.Update(ctx, forget); err != nil || lies() {
		t.Errorf("after forgetting (%v): old text lies in the files: %t", err, lies())
	}
}
