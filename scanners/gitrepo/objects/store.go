package objects

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Store reads the objects of a repository and of those it borrows from. It
// is safe for concurrent use until Close. It sees the packs that were there when
// it was opened, and those that Reload finds.
type Store struct {
	opts    Options
	layout  Layout
	set     settings
	dirs    []string
	loose   []looseDir
	shelf   atomic.Pointer[shelf]
	cache   *cache
	readers sync.Pool

	mu       sync.Mutex
	used     map[Reason]int64 // objects that the fallback read
	problems []Problem
	all      []*pack // every pack that was opened, for Close
}

// Open opens the store of the repository at path (see Locate).
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	layout, err := Locate(path)
	if err != nil {
		return nil, err
	}
	return OpenLayout(ctx, layout, opts)
}

// OpenLayout is Open for a repository that was located. Damaged parts do not
// fail it: they are Problems.
func OpenLayout(ctx context.Context, layout Layout, opts Options) (*Store, error) {
	if opts.Limits == (Limits{}) {
		opts.Limits = DefaultLimits()
	}
	set, err := readSettings(layout.CommonDir)
	if errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	s := &Store{opts: opts, layout: layout, set: set, cache: newCache(opts.Limits.Cache), used: map[Reason]int64{}}
	if err != nil {
		s.problem(filepath.Join(layout.CommonDir, "config"), ReasonIO, false)
	}
	var problems []Problem
	s.dirs, problems = objectDirs(layout.objectDirs()...)
	s.problems = append(s.problems, problems...)
	for _, dir := range s.dirs {
		s.loose = append(s.loose, looseDir{dir: dir, format: set.format, access: opts.Access})
	}
	s.readers.New = func() any { return s.newReader() }
	s.shelf.Store(&shelf{})
	if err := s.Reload(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Layout is where the repository's parts are.
func (s *Store) Layout() Layout { return s.layout }

// Format is how the repository names its objects.
func (s *Store) Format() Format { return s.set.format }

// Partial reports whether some objects are promised by a remote: then missing
// ones are no damage.
func (s *Store) Partial() bool {
	return s.set.partial || slices.ContainsFunc(s.shelf.Load().packs, func(p *pack) bool { return p.promisor })
}

// Fallbacks is how many objects the fallback read since the store was opened,
// by why it was needed.
func (s *Store) Fallbacks() map[Reason]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.used)
}

// Problems lists the files that could not be used.
func (s *Store) Problems() []Problem {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.problems)
}

func (s *Store) problem(path string, r Reason, lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := Problem{Path: path, Reason: r, Lost: lost}
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

// Close gives the files back. Nothing may read from the store any more.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		p.close()
	}
	if sh := s.shelf.Load(); sh != nil {
		for _, m := range sh.multi {
			m.file.close()
		}
	}
	s.all = nil
	s.shelf.Store(&shelf{})
	return nil
}

// Shallow lists the commits whose parents are not here by design.
func (s *Store) Shallow() ([]ID, error) {
	f, err := openFile(filepath.Join(s.layout.CommonDir, "shallow"), AccessRead)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.close()
	data, err := f.whole()
	if err != nil {
		return nil, err
	}
	var ids []ID
	for line := range strings.Lines(string(data)) {
		if id, err := ParseID(strings.TrimSpace(line)); err == nil {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
