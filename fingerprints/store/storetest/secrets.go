package storetest

import (
	"errors"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

func testSecrets(t *testing.T, f *fixture) {
	all := []fingerprints.Secret{
		{Name: "Zoo/key", Class: fingerprints.ClassBootstrap},
		{Name: "billing/db", Class: fingerprints.ClassApplication, Owner: "team-a", Consumers: []string{"api", "worker"}, CreatedAt: epoch()},
		{Name: "billing/jwt", Class: fingerprints.ClassCryptographic, Owner: "team-b", MultiActive: true, CreatedAt: epoch()},
		{Name: "billing_x", Class: fingerprints.ClassApplication, Owner: "team-a", Consumers: []string{"cron"}},
	}
	f.update(func(tx store.Tx) error {
		for i := range all {
			if err := tx.PutSecret(f.ctx, all[len(all)-1-i]); err != nil {
				return err
			}
		}
		return nil
	})
	f.put("billing/db", version("billing/db", 1, fingerprints.StateRetired))
	f.putLives()
	f.update(func(tx store.Tx) error { // replace
		all[1].Consumers = []string{"api", "batch"}
		return tx.PutSecret(f.ctx, all[1])
	})
	for _, c := range []struct {
		name   string
		filter store.SecretFilter
		want   []fingerprints.Secret
	}{
		{"all", store.SecretFilter{}, all},
		{"prefix", store.SecretFilter{Prefix: "billing/"}, all[1:3]},
		{"prefix has no wildcards", store.SecretFilter{Prefix: "billing_"}, all[3:]},
		{"class", store.SecretFilter{Class: fingerprints.ClassApplication}, []fingerprints.Secret{all[1], all[3]}},
		{"owner", store.SecretFilter{Owner: "team-b"}, all[2:3]},
		{"state", store.SecretFilter{State: fingerprints.StateRetired}, all[1:2]},
		{"weak and in use", store.SecretFilter{Weak: true}, all[2:4]},
		{"window over", store.SecretFilter{Overdue: hour(3)}, all[2:3]},
		{"window not over", store.SecretFilter{Overdue: hour(3).Add(-time.Microsecond)}, nil},
		{"issued to a consumer", store.SecretFilter{Issued: true}, all[3:]},
		{"page", store.SecretFilter{After: "Zoo/key", Limit: 2}, all[1:3]},
		{"all at once", store.SecretFilter{Prefix: "b", Class: fingerprints.ClassApplication, Owner: "team-a", After: "billing/db", Limit: 9}, all[3:]},
		{"none", store.SecretFilter{Prefix: "c"}, nil},
	} {
		f.view(func(tx store.Tx) error {
			got, err := tx.Secrets(f.ctx, c.filter)
			f.diff(c.name, c.want, got)
			return err
		})
	}
	f.view(func(tx store.Tx) error {
		got, err := tx.Secret(f.ctx, "billing/db")
		f.diff("Secret", all[1], got)
		_, missing := tx.Secret(f.ctx, "billing")
		f.wantErr("Secret", missing, store.ErrNotFound)
		return err
	})
}

// putLives stores versions of the secrets of testSecrets: weak ones that are in use
// and one that is not, some whose windows end, and one that a consumer has.
func (f *fixture) putLives() {
	ended, later, gone := version("billing/jwt", 2, fingerprints.StateSuperseded), version("billing_x", 3, fingerprints.StateSuperseded), version("Zoo/key", 4, fingerprints.StateAbandoned)
	ended.WindowEnds, later.WindowEnds, gone.WindowEnds = hour(3), hour(5), hour(1)
	later.IssuedTo = "cron"
	rows := []fingerprints.FieldRow{field(2), field(3), field(4)}
	rows[0].Strength, rows[1].Strength, rows[2].Strength = fingerprints.StrengthWeak, fingerprints.StrengthUnsearchable, fingerprints.StrengthWeak
	f.update(func(tx store.Tx) error {
		var err error
		for i, v := range []fingerprints.Version{ended, later, gone} {
			err = errors.Join(err, tx.PutVersion(f.ctx, v), tx.PutField(f.ctx, rows[i]))
		}
		return err
	})
}

func testVersions(t *testing.T, f *fixture) {
	v1 := fingerprints.Version{
		ID: versionID(1), Secret: "a", Number: 1, State: fingerprints.StateSuperseded, IssuedTo: "api",
		WindowEnds: hour(9), CompromisedAt: hour(1), CreatedAt: hour(2), ActivatedAt: hour(3),
		SupersededAt: hour(4), RetiredAt: hour(5), AbandonedAt: hour(6),
	}
	v2 := fingerprints.Version{ID: versionID(2), Secret: "a", Number: 2, State: fingerprints.StateActive}
	f.put("a")
	f.put("b")
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutVersion(f.ctx, v2), tx.PutVersion(f.ctx, v1)) })
	f.view(func(tx store.Tx) error {
		list, err := tx.Versions(f.ctx, "a")
		f.diff("Versions", []fingerprints.Version{v1, v2}, list)
		byRef, err2 := tx.Version(f.ctx, v1.Ref())
		f.diff("Version", v1, byRef)
		byID, err3 := tx.VersionByID(f.ctx, v2.ID)
		f.diff("VersionByID", v2, byID)
		_, missing := tx.Version(f.ctx, fingerprints.VersionRef{Name: "a", Number: 3})
		f.wantErr("Version", missing, store.ErrNotFound)
		_, missing = tx.VersionByID(f.ctx, versionID(3))
		f.wantErr("VersionByID", missing, store.ErrNotFound)
		return errors.Join(err, err2, err3)
	})
	v1.State, v1.RetiredAt = fingerprints.StateRetired, hour(7)
	v3 := fingerprints.Version{ID: versionID(3), Secret: "b", Number: 1, State: fingerprints.StateActive}
	f.update(func(tx store.Tx) error { return errors.Join(tx.PutVersion(f.ctx, v1), tx.PutVersion(f.ctx, v3)) })
	f.view(func(tx store.Tx) error {
		got, err := tx.VersionByID(f.ctx, v1.ID)
		f.diff("replaced", v1, got)
		counts, err2 := tx.CountVersions(f.ctx)
		f.diff("CountVersions", map[fingerprints.State]int{fingerprints.StateRetired: 1, fingerprints.StateActive: 2}, counts)
		return errors.Join(err, err2)
	})
	f.update(func(tx store.Tx) error {
		other := v2
		other.ID = versionID(9)
		f.wantErr("a taken number", tx.PutVersion(f.ctx, other), store.ErrExists)
		other.Secret = "missing"
		f.wantErr("a missing secret", tx.PutVersion(f.ctx, other), store.ErrNotFound)
		return nil // such an error does not spoil the transaction
	})
}

func testFields(t *testing.T, f *fixture) {
	f.put("a", version("a", 1, fingerprints.StateActive))
	short := fingerprints.FieldRow{
		ID: rowID(7777), Version: versionID(1), Field: "pin", Format: 2, Epoch: 3, FilterGen: 4, Revision: 1 << 60,
		Strength: fingerprints.StrengthUnsearchable, Unsearchable: "too short",
	}
	f.update(func(tx store.Tx) error {
		orphan := short
		orphan.ID, orphan.Version = rowID(8888), versionID(9999)
		f.wantErr("a missing version", tx.PutField(f.ctx, orphan), store.ErrNotFound)
		return tx.PutField(f.ctx, short)
	})
	again := field(1)
	again.Sealed, again.Epoch, again.Revision = []byte{9, 9}, 2, 12
	f.update(func(tx store.Tx) error { return tx.PutField(f.ctx, again) })
	f.view(func(tx store.Tx) error {
		list, err := tx.Fields(f.ctx, versionID(1))
		f.diff("Fields", []fingerprints.FieldRow{again, short}, list)
		one, err2 := tx.FieldByID(f.ctx, rowID(7777))
		f.diff("FieldByID", short, one)
		_, missing := tx.FieldByID(f.ctx, rowID(6666))
		f.wantErr("FieldByID", missing, store.ErrNotFound)
		counts, err3 := tx.CountFields(f.ctx)
		f.diff("CountFields", []store.FieldCount{
			{Format: 1, Epoch: 2, FilterGen: 1, Strength: fingerprints.StrengthEdge, Count: 1},
			{Format: 2, Epoch: 3, FilterGen: 4, Strength: fingerprints.StrengthUnsearchable, Unsearchable: "too short", Count: 1},
		}, counts)
		return errors.Join(err, err2, err3)
	})
	testEachField(t, f)
}

// testEachField streams more fields than any buffer holds and uses the
// transaction meanwhile.
func testEachField(t *testing.T, f *fixture) {
	const n = 2500
	f.update(func(tx store.Tx) error {
		for i := 2; i <= n; i++ {
			if err := errors.Join(tx.PutVersion(f.ctx, version("a", i, fingerprints.StateRetired)), tx.PutField(f.ctx, field(i))); err != nil {
				return err
			}
		}
		return nil
	})
	count := 0
	var last fingerprints.RowID
	f.update(func(tx store.Tx) error {
		return tx.EachField(f.ctx, func(row fingerprints.FieldRow, v fingerprints.Version) error {
			count++
			if string(row.ID[:]) <= string(last[:]) {
				t.Fatalf("field %v after %v", row.ID, last)
			}
			last = row.ID
			if row.Version != v.ID || v.Secret != "a" {
				t.Fatalf("field %v came with version %v", row.ID, v.ID)
			}
			row.Revision++
			return tx.PutField(f.ctx, row) // re-sealing while streaming
		})
	})
	if count != n+1 {
		t.Errorf("EachField gave %d fields, want %d", count, n+1)
	}
	stop := errors.New("stop")
	err := f.store.View(f.ctx, func(tx store.Tx) error {
		return tx.EachField(f.ctx, func(fingerprints.FieldRow, fingerprints.Version) error { return stop })
	})
	f.wantErr("EachField", err, stop)
}

func testAcks(t *testing.T, f *fixture) {
	f.put("a", version("a", 1, fingerprints.StateActive))
	first := store.Ack{Version: versionID(1), Consumer: "api", At: hour(1), Actor: "ci"}
	second := store.Ack{Version: versionID(1), Consumer: "worker", At: hour(2), Actor: "ci"}
	later := first
	later.At, later.Actor = hour(3), "human"
	f.update(func(tx store.Tx) error {
		missing := first
		missing.Version = versionID(2)
		f.wantErr("a missing version", tx.PutAck(f.ctx, missing), store.ErrNotFound)
		return errors.Join(tx.PutAck(f.ctx, second), tx.PutAck(f.ctx, first), tx.PutAck(f.ctx, later))
	})
	f.view(func(tx store.Tx) error {
		got, err := tx.Acks(f.ctx, versionID(1))
		f.diff("Acks", []store.Ack{later, second}, got)
		return err
	})
}

func testAllows(t *testing.T, f *fixture) {
	f.put("a")
	f.put("b")
	one := store.Allow{Secret: "a", SourceGlob: "dir:*", PathGlob: "vault/**", Until: hour(5), Reason: "the vault", CreatedAt: epoch(), Actor: "x"}
	two := store.Allow{Secret: "b", SourceGlob: "**", PathGlob: "**", CreatedAt: epoch()}
	add := func(a *store.Allow) {
		f.update(func(tx store.Tx) (err error) {
			a.ID, err = tx.AddAllow(f.ctx, *a)
			return err
		})
	}
	add(&one)
	add(&two)
	list := func(secret string) (out []store.Allow) {
		f.view(func(tx store.Tx) (err error) {
			out, err = tx.Allows(f.ctx, secret)
			return err
		})
		return out
	}
	f.diff("all", []store.Allow{one, two}, list(""))
	f.diff("of b", []store.Allow{two}, list("b"))
	removed := two.ID
	f.update(func(tx store.Tx) error {
		_, err := tx.AddAllow(f.ctx, store.Allow{Secret: "missing"})
		f.wantErr("a missing secret", err, store.ErrNotFound)
		return tx.RemoveAllow(f.ctx, removed)
	})
	f.update(func(tx store.Tx) error {
		f.wantErr("RemoveAllow twice", tx.RemoveAllow(f.ctx, removed), store.ErrNotFound)
		return nil
	})
	add(&two)
	if two.ID == removed {
		t.Error("the id of a removed home was given out again")
	}
}
