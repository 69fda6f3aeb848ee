package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/pressly/goose/v3"
	"github.com/rogpeppe/go-internal/lockedfile"

	"revenant/fingerprints/store"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

func provider(db *sql.DB, e engine) (*goose.Provider, error) {
	files := e.schema()
	dir, err := fs.Sub(migrations, "migrations/"+files.dir)
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return goose.NewProvider(files.dialect, db, dir, goose.WithTableName(files.table),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// create builds the store, with its schema and nothing in it.
func (f file) create(ctx context.Context) error {
	return f.place(func(tmp string) error {
		if err := f.fill(ctx, tmp); err != nil {
			return f.store().explain(err)
		}
		return nil
	}, nil)
}

// place lets fill make a file of its own and links it to its name when it is
// whole: nobody ever meets half a store. Of two processes that create at the same
// time the second takes what the first made, or gets the error taken.
func (f file) place(fill func(tmp string) error, taken error) (err error) {
	dir := filepath.Dir(f.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return f.readOnly(err)
	}
	tmp, err := os.CreateTemp(dir, ".revenant-*.tmp") // mode 0600
	if err != nil {
		return f.readOnly(err)
	}
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if e := os.Remove(tmp.Name() + suffix); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	if err := tmp.Close(); err != nil {
		return fmt.Errorf("%s: creating the store: %w", f.path, err)
	}
	if err := fill(tmp.Name()); err != nil {
		return err
	}
	if err := syncPath(tmp.Name()); err != nil {
		return fmt.Errorf("%s: creating the store: %w", f.path, err)
	}
	switch err := os.Link(tmp.Name(), f.path); {
	case errors.Is(err, fs.ErrExist):
		return taken
	case err == nil:
	default: // no hard links here
		if err := os.Rename(tmp.Name(), f.path); err != nil {
			return f.readOnly(err)
		}
	}
	_ = syncPath(dir) // not every system can
	return nil
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (f file) fill(ctx context.Context, path string) (err error) {
	db, err := sql.Open("sqlite", f.dsn(path, true))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(applicationID)); err != nil {
		return fmt.Errorf("marking the store: %w", err)
	}
	p, err := provider(db, sqliteEngine{})
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// lockUpgrade lets one process at a time migrate a file.
func (sqliteEngine) lockUpgrade(_ context.Context, s *Store) (unlock func(), err error) {
	unlock, err = lockPrivate(s.name + ".upgrade")
	if err != nil {
		return nil, fmt.Errorf("%s: %w: locking it for the upgrade: %w", s.name, store.ErrReadOnly, err)
	}
	return unlock, nil
}

// lockPrivate takes a lock whose file is its owner's alone.
func lockPrivate(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return lockedfile.MutexAt(path).Lock()
}
