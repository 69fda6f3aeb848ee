package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// raw opens a file with the driver alone.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// filled makes a closed store with something in it.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registry.db")
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx store.Tx) error { return putSecrets(t.Context(), tx, 0, 2000) })
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

func putSecrets(ctx context.Context, tx store.Tx, from, n int) error {
	for i := from; i < from+n; i++ {
		s := fingerprints.Secret{Name: fmt.Sprintf("secret/%06d", i), Class: fingerprints.ClassApplication, Consumers: []string{"api"}}
		if err := tx.PutSecret(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// refuses opens path and wants an error that wraps a sentinel, names the file
// and says what to do.
func refuses(t *testing.T, path string, o sqlstore.Options, want error, wayOut string) {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), path, o)
	if err == nil {
		err = s.Close()
		t.Fatalf("opened (%v), want %v", err, want)
	}
	explained(t, err, path, want, wayOut)
}

func explained(t *testing.T, err error, path string, want error, wayOut string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), wayOut) {
		t.Errorf("error %v does not name %s and %q", err, path, wayOut)
	}
}

func TestOpenMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "registry.db")
	refuses(t, path, sqlstore.Options{}, fs.ErrNotExist, "revenant init")
	refuses(t, path, sqlstore.Options{Access: sqlstore.ReadOnly}, fs.ErrNotExist, "revenant init")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening made a file")
	}
	create(t, path)
	for file, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir, path + "-wal": 0o600} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want && runtime.GOOS != "windows" {
			t.Errorf("%s has mode %v, want %v", filepath.Base(file), info.Mode(), want)
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".revenant-*"))
	if len(left) != 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestOpenForeign(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := filepath.Join(dir, "other.db")
	run(t, raw(t, other), "CREATE TABLE t (x)")
	for _, path := range []string{
		write("empty", nil), write("text", []byte("hello")), write("long", bytes.Repeat([]byte("hello, world\n"), 999)),
		write("header", []byte("SQLite format 3\x00")), other,
	} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []sqlstore.Access{sqlstore.MustExist, sqlstore.CreateIfMissing, sqlstore.ReadOnly} {
			refuses(t, path, sqlstore.Options{Access: a}, store.ErrNotAStore, "restore it from a backup")
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was changed (%v)", filepath.Base(path), err)
		}
	}
	refuses(t, dir, sqlstore.Options{Access: sqlstore.CreateIfMissing}, store.ErrNotAStore, "another path")
}

func TestOpenNewer(t *testing.T) {
	path := filled(t)
	run(t, raw(t, path), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	refuses(t, path, sqlstore.Options{}, store.ErrNewer, "use a newer revenant")
	refuses(t, path, sqlstore.Options{Access: sqlstore.CreateIfMissing}, store.ErrNewer, "use a newer revenant")
}

func TestOpenWithoutSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := raw(t, path)
	run(t, db, "PRAGMA application_id = 0x52564e54")
	run(t, db, "CREATE TABLE t (x)")
	refuses(t, path, sqlstore.Options{}, store.ErrDamaged, "restore it from a backup")
}

// TestDamaged overwrites pages at many places: every answer is right or an
// error that says damaged, and Check always sees it.
func TestDamaged(t *testing.T) {
	path := filled(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hurt := func(damage func([]byte) []byte) error {
		if err := os.WriteFile(path, damage(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{})
		if err != nil {
			return err
		}
		return errors.Join(s.Check(t.Context()), s.Close())
	}
	if err := hurt(func(b []byte) []byte { return b }); err != nil {
		t.Errorf("undamaged: %v", err)
	}
	explained(t, hurt(func(b []byte) []byte { return b[:len(b)/2] }), path, store.ErrDamaged, "restore it from a backup")
	explained(t, hurt(func(b []byte) []byte { return b[:150] }), path, store.ErrDamaged, "restore it from a backup")
	secrets := bytes.Index(whole, []byte("secret/000700"))
	explained(t, hurt(func(b []byte) []byte {
		clear(b[secrets&^4095:][:4096])
		return b
	}), path, store.ErrDamaged, "restore it from a backup")
}

func TestReadOnly(t *testing.T) {
	path := filled(t)
	s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Access: sqlstore.ReadOnly})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(store.Tx) error { return nil })
	explained(t, err, path, store.ErrReadOnly, "opened for reading")
	err = s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Secrets(t.Context(), store.SecretFilter{})
		if len(list) != 2000 {
			t.Errorf("%d secrets, want 2000", len(list))
		}
		return err
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(err)
	}
}

// TestUnwritable takes permissions away. The superuser is not bound by them.
func TestUnwritable(t *testing.T) {
	path := filled(t)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if f, err := os.OpenFile(path, os.O_RDWR, 0); err == nil {
		if err := errors.Join(f.Close(), os.Chmod(path, 0o644)); err != nil {
			t.Fatal(err)
		}
	} else {
		refuses(t, path, sqlstore.Options{}, store.ErrReadOnly, "writable")
		return
	}
	create(t, path) // what others could read is taken from them
	info, err := os.Stat(path)
	if err != nil || (info.Mode().Perm() != 0o600 && runtime.GOOS != "windows") {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFull(t *testing.T) {
	path := filled(t)
	o := sqlstore.WithPragmas(sqlstore.Options{}, "max_page_count(1)") // no page more than there are
	s, err := sqlstore.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, ignore := range []string{"returned", "ignored"} {
		err = s.Update(t.Context(), func(tx store.Tx) error {
			err := putSecrets(t.Context(), tx, 5000, 20000)
			if err == nil {
				t.Error("twenty thousand secrets had room")
			}
			if ignore == "ignored" {
				// What follows a full disk must not be stored by itself.
				_ = tx.PutSecret(t.Context(), fingerprints.Secret{Name: "afterwards"})
				return nil
			}
			return err
		})
		explained(t, err, path, store.ErrFull, "free some space")
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Secrets(t.Context(), store.SecretFilter{})
		if len(list) != 2000 {
			t.Errorf("%d secrets after a full disk, want the 2000 from before", len(list))
		}
		return err
	})
	if err := errors.Join(err, s.Check(t.Context())); err != nil {
		t.Error(err)
	}
	refuses(t, filepath.Join(t.TempDir(), "new.db"), sqlstore.WithPragmas(sqlstore.Options{Access: sqlstore.CreateIfMissing}, "max_page_count(5)"),
		store.ErrFull, "free some space")
}

// TestCreateTogether lets many openers make the same store.
func TestCreateTogether(t *testing.T) { createTogether(t, filepath.Join(t.TempDir(), "registry.db")) }

func createTogether(t *testing.T, path string) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{Access: sqlstore.CreateIfMissing})
			if err != nil {
				t.Errorf("opener %d: %v", i, err)
				return
			}
			err = s.Update(t.Context(), func(tx store.Tx) error { return putSecrets(t.Context(), tx, i*10, 10) })
			if err := errors.Join(err, s.Close()); err != nil {
				t.Errorf("opener %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	err := create(t, path).View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Secrets(t.Context(), store.SecretFilter{})
		if len(list) != 80 {
			t.Errorf("%d secrets, want 80", len(list))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCanceled(t *testing.T) { canceled(t, filepath.Join(t.TempDir(), "registry.db")) }

func canceled(t *testing.T, path string) {
	t.Helper()
	s := create(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Update(ctx, func(tx store.Tx) error {
		if err := putSecrets(ctx, tx, 0, 1); err != nil {
			return err
		}
		cancel()
		return putSecrets(ctx, tx, 1, 1)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	if err := s.Update(ctx, func(store.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want canceled", err)
	}
	err = s.View(t.Context(), func(tx store.Tx) error {
		list, err := tx.Secrets(t.Context(), store.SecretFilter{})
		if len(list) != 0 {
			t.Errorf("%d secrets of a canceled update", len(list))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPathCharacters opens files whose names mean something in a URI.
func TestPathCharacters(t *testing.T) {
	for _, name := range []string{"a b.db", "100%.db", "what?x=1.db", "a#b.db", "a&_pragma=synchronous(0).db", "ü.db"} {
		path := filepath.Join(t.TempDir(), name)
		create(t, path)
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestUpgrade opens a store of before the first schema, from several places at
// once.
func TestUpgrade(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	db := raw(t, path)
	run(t, db, "PRAGMA application_id = 0x52564e54")
	run(t, db, "PRAGMA journal_mode = WAL")
	run(t, db, `CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now')))`)
	run(t, db, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1)")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refuses(t, path, sqlstore.Options{Access: sqlstore.ReadOnly}, store.ErrReadOnly, "open it once for writing")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := sqlstore.Open(t.Context(), path, sqlstore.Options{})
			if err == nil {
				err = s.Close()
			}
			if err != nil {
				t.Errorf("upgrading: %v", err)
			}
		})
	}
	wg.Wait()
	s := create(t, path)
	if err := s.Update(t.Context(), func(tx store.Tx) error { return putSecrets(t.Context(), tx, 0, 5) }); err != nil {
		t.Error(err)
	}
}
