package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"revenant/fingerprints/store/postgrestest"
)

// place is where registries are made: a folder of files, or a server.
type place struct {
	name   string
	fresh  func() (string, error) // where the next registry lies
	size   func(ctx context.Context, at string) (int64, error)
	server bool
	close  func()
}

func newPlace(ctx context.Context, name, work string) (place, error) {
	switch name {
	case "sqlite":
		n := 0
		return place{name: "SQLite", size: fileSize, close: func() {}, fresh: func() (string, error) {
			n++
			dir := filepath.Join(work, fmt.Sprint("home", n))
			return filepath.Join(dir, "registry.db"), os.MkdirAll(dir, 0o700)
		}}, nil
	case "postgres":
		return newServer(ctx)
	}
	return place{}, fmt.Errorf("%q is neither sqlite nor postgres", name)
}

// fileSize is the size of a store's files.
func fileSize(_ context.Context, at string) (int64, error) {
	list, err := filepath.Glob(at + "*")
	var sum int64
	for _, name := range list {
		info, e := os.Stat(name)
		if err = errors.Join(err, e); e == nil {
			sum += info.Size()
		}
	}
	return sum, err
}

// newServer starts a server as the tests do, but one that keeps what it commits:
// waiting for the disk is part of the measure.
func newServer(ctx context.Context) (p place, err error) {
	tb := &bench{ctx: ctx}
	defer func() {
		if failed := recover(); failed != nil {
			tb.end()
			err = fmt.Errorf("starting PostgreSQL: %v", failed)
		}
	}()
	s := postgrestest.Start(tb, postgrestest.Options{Durable: true}) //nolint:contextcheck // tb has it
	return place{
		name: "PostgreSQL", server: true, size: databaseSize, close: tb.end,
		fresh: func() (string, error) { return s.Database(tb), nil }, //nolint:contextcheck // tb has it
	}, nil
}

func databaseSize(ctx context.Context, at string) (n int64, err error) {
	db, err := sql.Open("pgx", at)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, `SELECT pg_database_size(current_database())`).Scan(&n)
	return n, err
}

// bench stands for a test where there is none. What it does not have, nobody
// calls.
type bench struct {
	testing.TB
	ctx     context.Context //nolint:containedctx // as a test's
	cleanup []func()
}

func (*bench) Helper()                           {}
func (b *bench) Context() context.Context        { return b.ctx }
func (b *bench) Cleanup(fn func())               { b.cleanup = append(b.cleanup, fn) }
func (*bench) Error(args ...any)                 { fmt.Fprintln(os.Stderr, args...) }
func (*bench) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (*bench) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (b *bench) end() {
	for i := len(b.cleanup) - 1; i >= 0; i-- {
		b.cleanup[i]()
	}
	b.cleanup = nil
}
