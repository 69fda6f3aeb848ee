package storetest

import (
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// Rows are the ids of the fields of a version, which has to be there.
func Rows(t testing.TB, s store.Store, of fingerprints.VersionRef) (rows []fingerprints.RowID) {
	t.Helper()
	err := s.View(t.Context(), func(tx store.Tx) error {
		v, err := tx.Version(t.Context(), of)
		if err != nil {
			return err
		}
		fields, err := tx.Fields(t.Context(), v.ID)
		for _, f := range fields {
			rows = append(rows, f.ID)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
