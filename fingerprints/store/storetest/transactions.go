package storetest

import (
	"errors"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testMeta(t *testing.T, f *fixture) {
	f.view(func(tx store.Tx) error {
		_, err := tx.Meta(f.ctx)
		f.wantErr("Meta of an empty store", err, store.ErrNotFound)
		return nil
	})
	m := store.Meta{
		Installation: fingerprints.InstallationID(id('i', 1)), Ring: fingerprints.RingID(id('k', 2)),
		CreatedAt: epoch(), Revision: 7, PackRevision: 6, FieldRevision: 5,
	}
	for range 2 { // insert, replace
		m.Revision++
		f.update(func(tx store.Tx) error { return tx.SetMeta(f.ctx, m) })
		f.view(func(tx store.Tx) error {
			got, err := tx.Meta(f.ctx)
			f.diff("Meta", m, got)
			return err
		})
	}
	local := time.FixedZone("elsewhere", 3*3600)
	m.CreatedAt = epoch().In(local).Add(987 * time.Nanosecond)
	f.update(func(tx store.Tx) error { return tx.SetMeta(f.ctx, m) })
	f.view(func(tx store.Tx) error {
		got, err := tx.Meta(f.ctx)
		f.diff("time in UTC to the microsecond", epoch(), got.CreatedAt)
		return err
	})
}

func testAtomic(t *testing.T, f *fixture) {
	f.put("a")
	boom := errors.New("boom")
	err := f.store.Update(f.ctx, func(tx store.Tx) error {
		if err := tx.PutSecret(f.ctx, fingerprints.Secret{Name: "b"}); err != nil {
			return err
		}
		if _, err := tx.Secret(f.ctx, "b"); err != nil {
			t.Errorf("a transaction does not see its own write: %v", err)
		}
		return boom
	})
	f.wantErr("Update", err, boom)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic in Update was swallowed")
			}
		}()
		_ = f.store.Update(f.ctx, func(tx store.Tx) error {
			_ = tx.PutSecret(f.ctx, fingerprints.Secret{Name: "c"})
			panic("boom")
		})
	}()
	f.view(func(tx store.Tx) error {
		list, err := tx.Secrets(f.ctx, store.SecretFilter{})
		if len(list) != 1 || list[0].Name != "a" {
			t.Errorf("secrets %v, want a alone", list)
		}
		return err
	})
	f.put("d") // the store goes on
}

func testViewReadOnly(t *testing.T, f *fixture) {
	err := f.store.View(f.ctx, func(tx store.Tx) error {
		return tx.PutSecret(f.ctx, fingerprints.Secret{Name: "a"})
	})
	f.wantErr("writing in View", err, store.ErrReadOnly)
}

func testViewConsistent(t *testing.T, f *fixture) {
	f.put("a")
	f.view(func(tx store.Tx) error {
		before, err := tx.Secrets(f.ctx, store.SecretFilter{})
		if err != nil {
			return err
		}
		done := make(chan error)
		go func() {
			done <- f.store.Update(f.ctx, func(tx store.Tx) error {
				return tx.PutSecret(f.ctx, fingerprints.Secret{Name: "b"})
			})
		}()
		if err := <-done; err != nil {
			t.Errorf("an Update beside a View: %v", err)
		}
		after, err := tx.Secrets(f.ctx, store.SecretFilter{})
		f.diff("secrets of one View", before, after)
		return err
	})
	f.view(func(tx store.Tx) error {
		list, err := tx.Secrets(f.ctx, store.SecretFilter{})
		if len(list) != 2 {
			t.Errorf("the next View sees %d secrets, want 2", len(list))
		}
		return err
	})
}
