package main

import (
	"database/sql"
	"path/filepath"

	_ "modernc.org/sqlite" // to provoke what only another process could do
)

// open opens the box's store as a stranger would.
func (b *box) open() *sql.DB {
	b.t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(b.registry(), "registry.db"))
	if err != nil {
		b.t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

// sql changes the store behind the program's back.
func (b *box) sql(statement string) {
	b.t.Helper()
	db := b.open()
	defer db.Close()
	if _, err := db.ExecContext(b.t.Context(), statement); err != nil {
		b.t.Fatal(err)
	}
}

// hold takes the store's write lock until release is called.
func (b *box) hold() (release func()) {
	b.t.Helper()
	db := b.open()
	if _, err := db.ExecContext(b.t.Context(), "BEGIN IMMEDIATE"); err != nil {
		b.t.Fatal(err)
	}
	return func() {
		_, _ = db.Exec("ROLLBACK") // the test's context may have ended
		_ = db.Close()
	}
}
