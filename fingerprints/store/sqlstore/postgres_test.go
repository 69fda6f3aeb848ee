package sqlstore_test

import (
	"testing"

	"revenant/fingerprints/store"
	"revenant/fingerprints/store/postgrestest"
	"revenant/fingerprints/store/storetest"
)

// TestPostgres is the conformance suite and what else is true of PostgreSQL, on
// one server.
func TestPostgres(t *testing.T) {
	server := postgrestest.Start(t, postgrestest.Options{})
	t.Run("conformance", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return create(t, server.Database(t)) })
	})
}
