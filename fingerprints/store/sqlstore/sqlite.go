package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"revenant/fingerprints/store"
)

// sqliteEngine is what belongs to SQLite; open.go and create.go are the rest.
type sqliteEngine struct{}

func (sqliteEngine) schema() schemaFiles {
	return schemaFiles{dialect: goose.DialectSQLite3, dir: "sqlite", table: "goose_db_version"}
}

func (sqliteEngine) words() words {
	return words{
		key:   func(column string) string { return column },
		oneOf: func(column, query string) string { return column + " IN (" + query + ")" },
		text:  func(hex string) string { return "CAST(X'" + hex + "' AS TEXT)" },
		table: func(name string) string { return "main." + name },
	}
}

// begin has nothing to do: transactions that write begin with the lock.
func (sqliteEngine) begin(context.Context, *sql.Tx) error { return nil }

// again: a busy file was waited for already.
func (sqliteEngine) again(error) bool { return false }

// purge empties the log, which still holds what was just rewritten or
// removed. A reader that looks at an older state holds it back; the next purge
// or the last Close empties it then.
func (sqliteEngine) purge(ctx context.Context, s *Store) {
	var busy, pages, moved int
	_ = s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
}

func (sqliteEngine) check(ctx context.Context, s *Store) error {
	var first string
	if err := s.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&first); err != nil {
		return s.ended(ctx, fmt.Errorf("checking: %w", err))
	}
	var orphans int
	if err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil {
		return s.ended(ctx, fmt.Errorf("checking: %w", err))
	}
	if first != "ok" || orphans > 0 {
		c, _ := sqliteCause(sqlite3.SQLITE_CORRUPT)
		return fmt.Errorf("%s: %w: %s", s.name, store.ErrDamaged, c.wayOut)
	}
	return nil
}

func (sqliteEngine) causeOf(err error) (cause, bool) {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return cause{}, false
	}
	if e.Code()&0xff == sqlite3.SQLITE_INTERRUPT {
		return cause{context.Canceled, "interrupted"}, true
	}
	c, _ := sqliteCause(e.Code())
	return c, true
}

func sqliteCause(code int) (cause, bool) {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return cause{store.ErrLocked, "wait until the other revenant process is done, or end it, and try again"}, true
	case sqlite3.SQLITE_IOERR:
		if code == sqlite3.SQLITE_IOERR_SHMSIZE || code == sqlite3.SQLITE_IOERR_WRITE {
			return sqliteCause(sqlite3.SQLITE_FULL)
		}
		return cause{nil, "its disk is full, fails or went away"}, true
	case sqlite3.SQLITE_FULL:
		return cause{store.ErrFull, "free some space on its disk and try again; nothing was changed"}, true
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return cause{store.ErrReadOnly, "make the file and its folder writable for this user"}, true
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_FORMAT:
		return cause{store.ErrDamaged, "stop every revenant process, keep a copy of it, and restore it from a backup"}, true
	}
	return cause{}, false
}

func (sqliteEngine) constraint(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
		return store.ErrExists
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return store.ErrNotFound
	}
	return nil
}

func (sqliteEngine) isMissingTable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "no such table")
}
