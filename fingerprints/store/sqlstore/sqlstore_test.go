package sqlstore_test

import (
	"path/filepath"
	"testing"

	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/fingerprints/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return create(t, filepath.Join(t.TempDir(), "registry.db")) })
}

// create makes a store, or opens the one that is there, until the test ends.
func create(t testing.TB, path string) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
