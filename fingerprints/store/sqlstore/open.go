package sqlstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"revenant/fingerprints/store"
)

// applicationID marks the files of this package in SQLite's header: "RVNT".
const applicationID = 0x52564e54

// Access says what Open may do.
type Access int

// The kinds of access.
const (
	// MustExist opens a store that was created before. The default.
	MustExist Access = iota
	// CreateIfMissing makes the store, and the folder around it, when there is
	// no file yet.
	CreateIfMissing
	// ReadOnly opens for View alone, also from a medium that cannot be
	// written. It does not bring an older schema up to date: such a store is
	// refused.
	ReadOnly
)

// Options of Open; the zero value is good.
type Options struct {
	Access Access
	// LockTimeout is how long an Update waits for another process; 0: 5 s for a
	// file, 30 s for a server, which many share.
	LockTimeout time.Duration

	pragmas []string // more of them, for tests
}

// Open opens the store at a place: a file's path, or the URL of a PostgreSQL
// database (see IsURL). The returned store is safe for concurrent use and must
// be closed.
//
// Errors wrap fs.ErrNotExist (there is no store yet), store.ErrNotAStore,
// ErrNewer, ErrDamaged, ErrReadOnly, ErrLocked, ErrFull or ErrUnreachable. None
// holds the password of a URL.
func Open(ctx context.Context, place string, opts Options) (*Store, error) {
	if IsURL(place) {
		return openPostgres(ctx, place, opts)
	}
	abs, err := filepath.Abs(place)
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	if opts.LockTimeout <= 0 {
		opts.LockTimeout = 5 * time.Second
	}
	f := file{path: abs, opts: opts}
	err = f.check()
	if errors.Is(err, fs.ErrNotExist) && opts.Access == CreateIfMissing {
		if err = f.create(ctx); err == nil {
			err = f.check()
		}
	}
	if err != nil {
		return nil, err
	}
	s, err := f.connect()
	if err != nil {
		return nil, err
	}
	if err := s.upgrade(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// file is a store's file before it is opened.
type file struct {
	path string
	opts Options
}

// check looks at the header and the permissions, so that SQLite never writes
// to a file that is not ours.
func (f file) check() error {
	in, err := os.Open(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w: there is no store yet; create one with revenant init", f.path, err)
	case err != nil:
		return fmt.Errorf("%s: %w nor read: make it readable and writable for this user: %w", f.path, store.ErrReadOnly, err)
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return fmt.Errorf("%s: looking at the store: %w", f.path, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s: %w: it is not a regular file; name another path", f.path, store.ErrNotAStore)
	}
	if err := f.checkHeader(in); err != nil {
		return err
	}
	if f.opts.Access == ReadOnly {
		return nil
	}
	return f.checkWritable(info)
}

func (f file) checkHeader(in io.Reader) error {
	var head [100]byte
	n, err := io.ReadFull(in, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%s: %w: it cannot be read: %w", f.path, store.ErrDamaged, err)
	}
	if n == 0 {
		return fmt.Errorf("%s: %w: it is empty; restore it from a backup, or remove it and run revenant init", f.path, store.ErrNotAStore)
	}
	if n < len(head) || string(head[:16]) != "SQLite format 3\x00" ||
		binary.BigEndian.Uint32(head[68:]) != applicationID {
		return fmt.Errorf("%s: %w: it belongs to something else, or its start was overwritten; name another path, or restore it from a backup", f.path, store.ErrNotAStore)
	}
	return nil
}

// checkWritable also takes away what others may do with the file.
func (f file) checkWritable(info fs.FileInfo) error {
	out, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return f.readOnly(err)
	}
	defer func() { _ = out.Close() }()
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		if err := out.Chmod(0o600); err != nil {
			return f.readOnly(err)
		}
	}
	return nil
}

func (f file) readOnly(err error) error {
	return fmt.Errorf("%s: %w: make the file and its folder writable for this user, or use another REVENANT_HOME: %w", f.path, store.ErrReadOnly, err)
}

// dsn is the data source name for a file; every connection gets the pragmas.
func (f file) dsn(path string, write bool) string {
	q := url.Values{}
	if write {
		q.Set("_txlock", "immediate")
	}
	pragma := func(p string) { q.Add("_pragma", p) }
	pragma("busy_timeout(" + strconv.FormatInt(f.opts.LockTimeout.Milliseconds(), 10) + ")")
	switch {
	case f.opts.Access != ReadOnly:
		pragma("journal_mode(WAL)")
		pragma("synchronous(FULL)")
	case f.unlogged():
		q.Set("mode", "ro")
		q.Set("immutable", "1")
	default:
		q.Set("mode", "ro")
	}
	pragma("foreign_keys(1)")
	pragma("secure_delete(1)")
	pragma("temp_store(MEMORY)")
	pragma("cache_size(-65536)") // KiB
	if !write {
		pragma("query_only(1)")
	}
	for _, p := range f.opts.pragmas {
		pragma(p)
	}
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p // a drive letter
	}
	return "file://" + (&url.URL{Path: p}).EscapedPath() + "?" + q.Encode()
}

// unlogged reports whether the file alone is the whole store and nobody can
// be writing: the folder cannot be written and no log lies beside the file.
func (f file) unlogged() bool {
	if info, err := os.Stat(f.path + "-wal"); err == nil && info.Size() > 0 {
		return false
	}
	probe, err := os.CreateTemp(filepath.Dir(f.path), ".revenant-*.tmp")
	if err != nil {
		return true
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	return false
}

func (f file) store() *Store {
	return &Store{name: f.path, access: f.opts.Access, engine: sqliteEngine{}}
}

// connect opens the pools: one connection that writes, several that read.
func (f file) connect() (*Store, error) {
	s := f.store()
	read, err := keepingDB(f.dsn(f.path, false))
	if err != nil {
		return nil, s.explain(err)
	}
	read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	read.SetMaxIdleConns(max(4, runtime.GOMAXPROCS(0)))
	s.read = read
	if f.opts.Access == ReadOnly {
		return s, nil
	}
	write, err := keepingDB(f.dsn(f.path, true))
	if err != nil {
		return nil, errors.Join(s.explain(err), s.read.Close())
	}
	write.SetMaxOpenConns(1)
	write.SetMaxIdleConns(1)
	s.write = write
	return s, nil
}
