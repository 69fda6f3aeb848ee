package objects

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

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

// Packed reports whether a pack has an object, without reading it.
func (s *Store) Packed(id ID) bool {
	defer unguard(guard())
	for pl := range s.places(id) {
		return pl.pack != nil
	}
	return false
}
