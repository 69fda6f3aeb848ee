package sqlstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// An allowed home is a secret's. At a place that another secret's home covers,
// this secret's value is as leaked as anywhere.
func TestHomesOfOthersDoNotCount(t *testing.T) {
	ctx := t.Context()
	s, err := sqlstore.Open(ctx, filepath.Join(t.TempDir(), "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	finding := fingerprints.FindingID("rv1:00000000000000000000000000000001")

	for i, owner := range []string{"other", "mine"} {
		verdict := fingerprints.VerdictLeaked
		if owner == "mine" {
			verdict = fingerprints.VerdictAllowed
		}
		err = s.Update(ctx, func(tx store.Tx) error {
			row := fingerprints.RowID{1}
			version := fingerprints.Version{ID: fingerprints.VersionID{1}, Secret: "mine", Number: 1, State: fingerprints.StateActive, CreatedAt: at}
			for _, name := range []string{"mine", "other"} {
				if err := tx.PutSecret(ctx, fingerprints.Secret{Name: name, Class: fingerprints.ClassApplication, CreatedAt: at}); err != nil {
					return err
				}
			}
			if err := tx.PutVersion(ctx, version); err != nil {
				return err
			}
			if err := tx.PutField(ctx, fingerprints.FieldRow{
				ID: row, Version: version.ID, Field: "value", Format: 1, Epoch: 1, FilterGen: 1, Revision: 1,
				Strength: fingerprints.StrengthEdge, Sealed: []byte{1},
			}); err != nil {
				return err
			}
			if err := tx.PutSource(ctx, store.Source{ID: "dir:/srv", Kind: fingerprints.KindDir, AddedAt: at}); err != nil {
				return err
			}
			home, err := tx.AddAllow(ctx, store.Allow{Secret: owner, SourceGlob: "**", PathGlob: "**"})
			if err != nil {
				return err
			}
			_, err = tx.Record(ctx, at.Add(time.Duration(i)*time.Hour), []store.Observed{{
				FindingID: finding, Value: fingerprints.ValueID{1}, Rows: []fingerprints.RowID{row}, SourceID: "dir:/srv",
				Path: "a", PathID: fingerprints.PathID{1}, AllowIDs: []int64{home},
				Sighting: fingerprints.Sighting{End: 8, Row: row, Form: fingerprints.FormRaw, Presence: fingerprints.PresenceTip},
			}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = s.View(ctx, func(tx store.Tx) error {
			f, err := tx.Finding(ctx, at.Add(24*time.Hour), finding)
			if err == nil && f.Verdict != verdict {
				t.Errorf("at a home of %s: %s, want %s", owner, f.Verdict, verdict)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
