package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"revenant/fingerprints/store"
)

// cause is what a kind of SQLite error means and what a person can do.
type cause struct {
	sentinel error
	wayOut   string
}

func causeOf(code int) (cause, bool) {
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return cause{store.ErrLocked, "wait until the other revenant process is done, or end it, and try again"}, true
	case sqlite3.SQLITE_IOERR:
		if code == sqlite3.SQLITE_IOERR_SHMSIZE || code == sqlite3.SQLITE_IOERR_WRITE {
			return causeOf(sqlite3.SQLITE_FULL)
		}
	case sqlite3.SQLITE_FULL:
		return cause{store.ErrFull, "free some space on its disk and try again; nothing was changed"}, true
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return cause{store.ErrReadOnly, "make the file and its folder writable for this user"}, true
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_FORMAT:
		return cause{store.ErrDamaged, "stop every revenant process, keep a copy of it, and restore it from a backup"}, true
	}
	return cause{}, false
}

// explain gives an error of the database its sentinel, the file's name and the
// way out. Other errors pass as they are.
func (s *Store) explain(err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	for _, known := range []error{store.ErrLocked, store.ErrFull, store.ErrReadOnly, store.ErrDamaged} {
		if errors.Is(err, known) {
			return err
		}
	}
	if e.Code()&0xff == sqlite3.SQLITE_INTERRUPT {
		return fmt.Errorf("%s: interrupted: %w", s.path, errors.Join(context.Canceled, err))
	}
	if e.Code()&0xff == sqlite3.SQLITE_IOERR {
		err = fmt.Errorf("its disk is full, fails or went away: %w", err)
	}
	if c, ok := causeOf(e.Code()); ok {
		return fmt.Errorf("%s: %w: %s (%w)", s.path, c.sentinel, c.wayOut, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}

// constraint turns a broken constraint into the contract's sentinel; it tells
// nothing of the row. The statement alone has failed, not the transaction.
func constraint(err error) error {
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

func isMissingTable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&0xff == sqlite3.SQLITE_ERROR && strings.Contains(e.Error(), "no such table")
}
