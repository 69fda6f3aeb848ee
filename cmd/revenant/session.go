package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/keystore"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
)

// errNoRegistry: neither keys nor store are there.
var errNoRegistry = errors.New("there is no registry here yet: run `revenant init`, or point REVENANT_HOME at one")

// errNoHome: nothing says where the registry is.
var errNoHome = errors.New("no home folder is known: set REVENANT_HOME to where keys and registry should live")

// session is an open local registry with its keys.
type session struct {
	dir   string
	keys  keystore.Home
	ring  *keys.Ring
	store store.Store
	db    *sqlstore.Store // the same
	reg   *registry.Registry
	actor registry.Actor
	lasts bool // it is the process's, and no command closes it
}

// storeFile is the registry's database inside REVENANT_HOME.
func storeFile(dir string) string { return filepath.Join(dir, "registry.db") }

// openSession opens keys and store, and refuses a pair that does not belong
// together.
func (a *app) openSession(ctx context.Context) (*session, error) {
	if a.shared != nil {
		return a.shared.session, nil
	}
	if a.remote.server != "" {
		return nil, errServerHere()
	}
	dir, err := a.homeDir()
	if err != nil {
		return nil, err
	}
	place, err := a.storePlace(dir)
	if err != nil {
		return nil, err
	}
	home := a.keyHome(dir)
	ring, err := home.Load()
	haveStore := haveStore(place)
	switch {
	case errors.Is(err, keystore.ErrNoRing) && !haveStore:
		return nil, a.hereOnly(errNoRegistry)
	case errors.Is(err, keystore.ErrNoRing):
		return nil, fmt.Errorf("%s holds a registry: %w", storeWords(dir, place), err)
	case err != nil:
		return nil, err
	case !haveStore:
		return nil, fmt.Errorf("%s holds a key ring but no registry: bring it back with `revenant store restore FILE`, or run `revenant init` for an empty one under the same keys", dir)
	}
	st, err := sqlstore.Open(ctx, place, sqlstore.Options{})
	if err != nil {
		return nil, err
	}
	s, err := a.newSession(dir, ring, st)
	if err == nil {
		err = s.reg.Check(ctx)
	}
	if err != nil {
		_ = st.Close()
		return nil, err
	}
	return s, nil
}

func (a *app) newSession(dir string, ring *keys.Ring, st *sqlstore.Store) (*session, error) {
	reg, err := registry.New(registry.Options{Store: st, Ring: ring, Now: a.now, Rand: a.rand})
	if err != nil {
		return nil, err
	}
	return &session{dir: dir, keys: a.keyHome(dir), ring: ring, store: st, db: st, reg: reg, actor: registry.Local(a.actorName())}, nil
}

func (s *session) close() error {
	if s.lasts {
		return nil
	}
	return s.store.Close()
}

// withRegistry runs a command that needs the registry, and remembers the
// newest audit record outside the store, so that a log that was cut off later
// is noticed.
func (a *app) withRegistry(ctx context.Context, fn func(context.Context, *session) error) (err error) {
	s, err := a.openSession(ctx)
	if err != nil {
		return err
	}
	clean := a.cleanSearch(ctx, s)
	defer func() {
		err = errors.Join(err, clean(context.WithoutCancel(ctx)), s.rememberHead(context.WithoutCancel(ctx)), s.close())
	}()
	return fn(ctx, s)
}

func exists(file string) bool {
	_, err := os.Lstat(file)
	return !errors.Is(err, fs.ErrNotExist)
}
