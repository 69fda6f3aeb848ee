package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"revenant/fingerprints/store"
)

// Store is an open store. It is safe for concurrent use; inside one process
// Updates queue up, between processes they wait for each other.
type Store struct {
	name   string // how errors call it: a file's path, or a URL without its password
	access Access
	engine engine
	read   *sql.DB
	write  *sql.DB // one connection; nil when opened read-only
	// The schema's version when it was opened, and now.
	was, is int64
}

var _ store.Store = (*Store)(nil)

// Name is the absolute path of the store's file, or the URL of its database
// without the password.
func (s *Store) Name() string { return s.name }

// Schema is the version of the schema that Open found, 0 where it made it, and
// the one that it has now.
func (s *Store) Schema() (was, is int64) { return s.was, s.is }

// View runs fn on one consistent state. Methods that write fail with
// store.ErrReadOnly.
func (s *Store) View(ctx context.Context, fn func(store.Tx) error) error {
	return s.run(ctx, s.read, s.viewing(), fn)
}

func (s *Store) viewing() *sql.TxOptions {
	return &sql.TxOptions{ReadOnly: true, Isolation: s.engine.words().view}
}

// Update runs fn, and again, a few times, where the database asks for it; see
// package store. Do not call it, or View with data to write, from inside fn: the
// inner one would wait for the outer.
func (s *Store) Update(ctx context.Context, fn func(store.Tx) error) error {
	if s.write == nil {
		return fmt.Errorf("%s: %w: it was opened for reading", s.name, store.ErrReadOnly)
	}
	return s.run(ctx, s.write, nil, fn)
}

// tries is how often a transaction is begun before its error stands.
const tries = 6

func (s *Store) run(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(store.Tx) error) error {
	for n := 1; ; n++ {
		err := s.once(ctx, db, opts, fn)
		if err == nil || n == tries || !s.engine.again(err) {
			return s.ended(ctx, err)
		}
		pause := time.Duration(1<<n) * time.Millisecond
		select {
		case <-ctx.Done():
			return s.ended(ctx, err)
		case <-time.After(pause + rand.N(pause)): // others that met this one wait differently
		}
	}
}

func (s *Store) once(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(store.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	sqltx, err := db.BeginTx(ctx, opts)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	t := &tx{s: s, sql: sqltx, stmts: map[string]*sql.Stmt{}}
	done := false
	defer func() {
		if !done { // also when fn panics
			_ = sqltx.Rollback()
		}
	}()
	if db == s.write {
		if err := s.engine.begin(ctx, sqltx); err != nil {
			return fmt.Errorf("beginning a transaction: %w", err)
		}
	}
	if err := fn(t); err != nil {
		return err
	}
	if t.failed != nil {
		// The database may have rolled back by itself: what fn did afterwards must
		// not count although it did not look at the error.
		return t.failed
	}
	done = true
	if err := sqltx.Commit(); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	if t.purge {
		s.engine.purge(ctx, s)
	}
	return nil
}

// ended explains an error that ended a transaction.
func (s *Store) ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		err = errors.Join(ctx.Err(), err)
	}
	return s.explain(err)
}

// Check reads the whole store and reports damage as store.ErrDamaged: what
// cannot be read, indexes, and rows that point nowhere.
func (s *Store) Check(ctx context.Context) error { return s.engine.check(ctx, s) }

// Close waits for running transactions and closes the store.
func (s *Store) Close() error {
	err := s.read.Close()
	if s.write != nil {
		err = errors.Join(err, s.write.Close())
	}
	return s.explain(err)
}
