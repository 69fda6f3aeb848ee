package objects

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Limits bound what one object may cost.
type Limits struct {
	// Whole is how large an object may be that is held in memory. Larger ones
	// are streamed, and one that is a delta is left to the fallback. A walk
	// holds a few of them at a time.
	Whole int64
	// Cache is how many bytes of bases are kept between two calls of Get.
	Cache int64
	// Retries is how many entries a walk reads again, in all, to find another
	// copy of what is damaged.
	Retries int64
	// Fallbacks is how many objects a walk asks the fallback for.
	Fallbacks int64
}

// DefaultLimits are the bounds of every scan.
func DefaultLimits() Limits {
	return Limits{Whole: 64 << 20, Cache: 32 << 20, Retries: 1_000_000, Fallbacks: 10_000}
}

// Verify says how objects are checked.
type Verify uint8

const (
	// VerifyPacked takes the checksums of the packed bytes where a sound index
	// has them, which costs next to nothing, and the id itself for everything
	// else: loose objects, old indexes, what the fallback read. It finds what
	// broke after it was written. Git made sure of the ids when it wrote.
	VerifyPacked Verify = iota
	// VerifyIDs hashes every object. It also finds a pack and an index that
	// were made to lie.
	VerifyIDs
)

// Options change how a store is read. The zero value is how a scan does.
type Options struct {
	Limits   Limits // zero: DefaultLimits
	Access   Access
	Verify   Verify
	Fallback Fallback // nil: none
}

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
	used    atomic.Int64 // objects that the fallback read

	mu       sync.Mutex
	problems []Problem
	all      []*pack // every pack that was opened, for Close
}

// shelf is the packs that are known at a time.
type shelf struct {
	packs []*pack
	multi []shelfMulti
}

// shelfMulti is a multi-pack index and its packs by number; nil for one that is
// not there.
type shelfMulti struct {
	*multi
	file  *file
	packs []*pack
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
	s := &Store{opts: opts, layout: layout, set: set, cache: newCache(opts.Limits.Cache)}
	if err != nil {
		s.problem(filepath.Join(layout.CommonDir, "config"), ReasonIO, false)
	}
	var problems []Problem
	s.dirs, problems = objectDirs(filepath.Join(layout.CommonDir, "objects"))
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

// Fallbacks is how many objects the fallback read since the store was opened.
func (s *Store) Fallbacks() int64 { return s.used.Load() }

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

// Reload looks for packs that came since the store was opened. Packs that are
// known stay, also when their files went.
func (s *Store) Reload(ctx context.Context) error {
	defer unguard(guard())
	old := s.shelf.Load()
	known := map[string]*pack{}
	for _, p := range old.packs {
		known[p.base] = p
	}
	next := &shelf{packs: slices.Clone(old.packs), multi: old.multi}
	for _, dir := range s.dirs {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.reloadDir(filepath.Join(dir, "pack"), known, next)
	}
	s.shelf.Store(next)
	return nil
}

func (s *Store) reloadDir(dir string, known map[string]*pack, next *shelf) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.problem(dir, ReasonIO, true)
	}
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name()] = true
	}
	m := s.openMulti(filepath.Join(dir, "multi-pack-index"), names, next)
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ".pack")
		if !ok {
			if base, ok = strings.CutSuffix(e.Name(), ".idx"); ok && !names[base+".pack"] {
				s.problem(filepath.Join(dir, e.Name()), ReasonGone, true)
			}
			continue
		}
		full := filepath.Join(dir, base)
		if known[full] != nil {
			continue
		}
		if p := s.openPack(full, m); p != nil {
			p.promisor = names[base+".promisor"]
			known[full] = p
			next.packs = append(next.packs, p)
		}
	}
	if m != nil {
		sm := &next.multi[len(next.multi)-1]
		for _, base := range m.packs {
			sm.packs = append(sm.packs, known[filepath.Join(dir, base)])
		}
	}
}

// openMulti reads a multi-pack index that is not known yet.
func (s *Store) openMulti(name string, names map[string]bool, next *shelf) *multi {
	if !names["multi-pack-index"] || slices.ContainsFunc(next.multi, func(m shelfMulti) bool { return m.file.name == name }) {
		return nil
	}
	f, err := openFile(name, s.opts.Access)
	if err != nil {
		s.problem(name, ReasonIO, false)
		return nil
	}
	m, err := openWhole(f, func(data []byte) (*multi, error) { return parseMulti(data, s.set.format) })
	if err != nil {
		f.close()
		s.problem(name, ReasonOf(err), false)
		return nil
	}
	next.multi = append(slices.Clip(next.multi), shelfMulti{multi: m, file: f})
	return m
}

// openWhole parses a file that stays open for what was parsed.
func openWhole[T any](f *file, parse func([]byte) (T, error)) (t T, err error) {
	defer caught(&err)
	data, err := f.whole()
	if err != nil {
		return t, &damage{reason: ReasonIO, err: err}
	}
	return parse(data)
}

// openPack opens a pack's index, or takes it from the multi-pack index.
func (s *Store) openPack(base string, m *multi) *pack {
	p := &pack{base: base, name: filepath.Base(base) + ".pack", format: s.set.format, access: s.opts.Access}
	name := base + ".idx"
	f, err := openFile(name, s.opts.Access)
	reason := ReasonGone
	if err == nil {
		p.index, err = openWhole(f, func(data []byte) (*index, error) { return parseIndex(data, s.set.format) })
		if err != nil {
			f.close()
		} else {
			p.idxFile = f
		}
	}
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			reason = ReasonOf(err)
		}
		if m != nil {
			p.index = m.indexOf(filepath.Base(base))
		}
		// A multi-pack index names each object once: this pack's copies of what
		// others have are not in it, and are not lost.
		s.problem(name, reason, p.index == nil)
		if p.index == nil {
			return nil
		}
	}
	s.mu.Lock()
	s.all = append(s.all, p)
	s.mu.Unlock()
	return p
}

// place is where a copy of an object is: in a pack, or loose.
type place struct {
	pack  *pack
	pos   int   // in the pack's index; -1: not known
	off   int64 // in the pack
	loose looseDir
}

// places yields every copy of an object: packed ones first.
func (s *Store) places(id ID) func(yield func(place) bool) {
	return func(yield func(place) bool) {
		if id.IsZero() || int(id.size) != s.set.format.Size() {
			return
		}
		sh := s.shelf.Load()
		hint := sh.hint(id)
		for i := -1; i < len(sh.packs); i++ {
			p := hint
			if i >= 0 {
				p = sh.packs[i]
			}
			if p == nil || i >= 0 && p == hint {
				continue
			}
			if pl, ok := p.place(id); ok && !yield(pl) {
				return
			}
		}
		for _, l := range s.loose {
			if l.has(id) && !yield(place{loose: l, pos: -1}) {
				return
			}
		}
	}
}

// place looks an object up in one pack.
func (p *pack) place(id ID) (pl place, found bool) {
	var err error
	defer caught(&err)
	pos, ok := p.index.find(id.Bytes())
	if !ok {
		return place{}, false
	}
	off, _ := p.index.offset(pos) // a wrong one is found when it is read
	return place{pack: p, pos: pos, off: off}, true
}

// hint is the pack that a multi-pack index names for an object. It is only a
// hint: the pack's own index has the last word.
func (sh *shelf) hint(id ID) (p *pack) {
	var err error
	defer caught(&err)
	for _, m := range sh.multi {
		if i, ok := m.find(id.Bytes()); ok {
			if k, _, ok := m.place(i); ok && m.packs[k] != nil {
				return m.packs[k]
			}
		}
	}
	return nil
}

// Has reports whether the store has an object, without reading it.
func (s *Store) Has(id ID) bool {
	defer unguard(guard())
	for range s.places(id) {
		return true
	}
	return false
}
