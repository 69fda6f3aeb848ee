package jobs

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// Open opens the queue, and makes it when it is not there. place is a file, or
// the URL of the PostgreSQL database that the store is in: the store was opened
// first, so what is wrong with the URL was told there.
func Open(ctx context.Context, place string, o Options) (Queue, error) {
	if strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://") {
		return openPostgres(ctx, place, o)
	}
	return openFile(ctx, place, o)
}

func openPostgres(ctx context.Context, place string, o Options) (Queue, error) {
	config, err := pgxpool.ParseConfig(place)
	if err != nil {
		return nil, errors.New("opening the queue: the store's URL is not valid")
	}
	config.MaxConns = max(config.MaxConns, int32(o.Slots)+4)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	shut := func() error { pool.Close(); return nil }
	unlock, err := lock(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	defer unlock()
	return open(ctx, riverpgxv5.New(pool), shut, o)
}

// lock keeps others from making the tables at the same time. It belongs to a
// connection and ends with it.
func lock(ctx context.Context, pool *pgxpool.Pool) (unlock func(), err error) {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	const key = 0x72767175 // any number that nobody else takes
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock($1)`, key); err != nil {
		c.Release()
		return nil, err
	}
	return func() {
		_, _ = c.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, key)
		c.Release()
	}, nil
}

func openFile(ctx context.Context, place string, o Options) (Queue, error) {
	abs, err := filepath.Abs(place)
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	// For this user alone, from the first moment.
	f, err := os.OpenFile(abs, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	_ = f.Close()
	q := url.Values{"_txlock": {"immediate"}, "_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)"}}
	db, err := sql.Open("sqlite", "file://"+(&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	db.SetMaxOpenConns(1)
	return open(ctx, riversqlite.New(db), db.Close, o)
}

func open[TTx any](ctx context.Context, driver riverdriver.Driver[TTx], shut func() error, o Options) (_ Queue, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("opening the queue: %w", err), shut())
		}
	}()
	m, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: quiet(nil)})
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, m); err != nil {
		return nil, err
	}
	c, err := river.NewClient(driver, settings(o))
	if err != nil {
		return nil, err
	}
	return &client[TTx]{river: c, driver: driver, close: shut}, nil
}

// migrate brings the tables up to date. Of several that do so at once some
// fail, and then find it done.
func migrate[TTx any](ctx context.Context, m *rivermigrate.Migrator[TTx]) error {
	const tries = 5
	var failed error
	for range tries {
		state, err := m.Validate(ctx, nil)
		if err == nil && state.OK {
			return nil
		}
		if _, failed = m.Migrate(ctx, rivermigrate.DirectionUp, nil); failed == nil {
			return nil
		}
	}
	return failed
}
