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

//go:embed migrations/*.sql
var migrations embed.FS

func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// create builds the store in a file of its own and links it to its name when
// it is whole: nobody ever meets half a store, and of two processes that
// create at the same time the second takes what the first made.
func (f file) create(ctx context.Context) (err error) {
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
	if err := f.fill(ctx, tmp.Name()); err != nil {
		return (&Store{path: f.path}).explain(err)
	}
	if err := syncPath(tmp.Name()); err != nil {
		return fmt.Errorf("%s: creating the store: %w", f.path, err)
	}
	switch err := os.Link(tmp.Name(), f.path); {
	case err == nil, errors.Is(err, fs.ErrExist):
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
	p, err := provider(db)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("making the schema: %w", err)
	}
	_, err = db.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return err
}

// upgrade brings an older schema up to date and refuses a newer one. One
// process at a time migrates.
func (s *Store) upgrade(ctx context.Context) error {
	current, target, err := s.schema(ctx)
	if err != nil {
		return err
	}
	if current == target {
		return nil
	}
	if s.access == ReadOnly {
		return fmt.Errorf("%s: %w: its schema is older and must be brought up to date first; open it once for writing, as revenant status does", s.path, store.ErrReadOnly)
	}
	unlock, err := lockPrivate(s.path + ".upgrade")
	if err != nil {
		return fmt.Errorf("%s: %w: locking it for the upgrade: %w", s.path, store.ErrReadOnly, err)
	}
	defer unlock()
	p, err := provider(s.write)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return s.explain(fmt.Errorf("upgrading the schema: %w", err))
	}
	return nil
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

// schema returns the schema's version in the file and the one of this binary.
func (s *Store) schema(ctx context.Context) (current, target int64, err error) {
	p, err := provider(s.read)
	if err != nil {
		return 0, 0, err
	}
	for _, m := range p.ListSources() {
		target = max(target, m.Version)
	}
	row := s.read.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version WHERE is_applied")
	if err := row.Scan(&current); err != nil {
		if isMissingTable(err) {
			return 0, 0, fmt.Errorf("%s: %w: it has no schema; restore it from a backup", s.path, store.ErrDamaged)
		}
		return 0, 0, s.explain(err)
	}
	if current > target {
		return 0, 0, fmt.Errorf("%s: %w: its schema is %d, this revenant knows up to %d; use a newer revenant", s.path, store.ErrNewer, current, target)
	}
	return current, target, nil
}
