package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"revenant/fingerprints/store"
)

// Store is an open store. It is safe for concurrent use; inside one process
// Updates queue up, between processes they wait for each other.
type Store struct {
	path   string
	access Access
	read   *sql.DB
	write  *sql.DB // one connection; nil when opened read-only
}

var _ store.Store = (*Store)(nil)

// Path is the absolute path of the store's file.
func (s *Store) Path() string { return s.path }

// View runs fn on one consistent state. Methods that write fail with
// store.ErrReadOnly.
func (s *Store) View(ctx context.Context, fn func(store.Tx) error) error {
	return s.run(ctx, s.read, &sql.TxOptions{ReadOnly: true}, fn)
}

// Update runs fn once; see package store. Do not call it, or View with data to
// write, from inside fn: the inner one would wait for the outer.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.write == nil {
		return fmt.Errorf("%s: %w: it was opened for reading", s.path, store.ErrReadOnly)
	}
	return s.run(ctx, s.write, nil, fn)
}

func (s *Store) run(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(store.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	sqltx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return s.ended(ctx, fmt.Errorf("beginning a transaction: %w", err))
	}
	t := &tx{s: s, sql: sqltx, stmts: map[string]*sql.Stmt{}}
	done := false
	defer func() {
		if !done { // also when fn panics
			_ = sqltx.Rollback()
		}
	}()
	if err := fn(t); err != nil {
		return s.ended(ctx, err)
	}
	if t.failed != nil {
		// SQLite may have rolled back by itself: what fn did afterwards must
		// not count although it did not look at the error.
		return s.ended(ctx, t.failed)
	}
	done = true
	if err := sqltx.Commit(); err != nil {
		return s.ended(ctx, fmt.Errorf("committing: %w", err))
	}
	if t.purge {
		s.purge(ctx)
	}
	return nil
}

// ended explains an error that ended a transaction.
func (s *Store) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err)
	}
	return s.explain(err)
}

// purge empties the log, which still holds what was just rewritten or
// removed. A reader that looks at an older state holds it back; the next purge
// or the last Close empties it then.
func (s *Store) purge(ctx context.Context) {
	var busy, pages, moved int
	_ = s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved)
}

// Check reads the whole file and reports damage as store.ErrDamaged: pages,
// indexes, and rows that point nowhere.
func (s *Store) Check(ctx context.Context) error {
	var first string
	if err := s.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&first); err != nil {
		return s.ended(ctx, fmt.Errorf("checking: %w", err))
	}
	var orphans int
	if err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil {
		return s.ended(ctx, fmt.Errorf("checking: %w", err))
	}
	if first != "ok" || orphans > 0 {
		c, _ := causeOf(11) // SQLITE_CORRUPT
		return fmt.Errorf("%s: %w: %s", s.path, store.ErrDamaged, c.wayOut)
	}
	return nil
}

// Close waits for running transactions and closes the file.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != nil {
		err = errors.Join(err, s.write.Close())
	}
	return s.explain(err)
}
