package gitrepo

import (
	"bytes"
	"context"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// findRefs lists the refs and follows tags to what they are of. Those that lead
// nowhere are skips: what they led to may be gone, and what they still reach is
// read as an object, but where it is to be met is not known.
func (s *Source) findRefs(ctx context.Context, before *memory) error {
	loose := s.r.loose() // before the packed ones: refs move there
	refs, whole, err := s.r.refs(ctx, loose, s.store.Format().Size())
	if err != nil {
		return err
	}
	if !whole {
		s.skip("@ref", "", fingerprints.SkipUnreadable, "git cannot list the refs; those that could be read here were")
	}
	for _, name := range loose.broken() {
		s.skip("@ref", name, fingerprints.SkipUnreadable, "a ref that cannot be read")
	}
	remembered, alike := s.leads(before), map[oid]ref{}
	for i := range refs {
		f := &refs[i]
		if remembered.of(f) {
			continue
		}
		if same, has := alike[f.target]; has {
			f.commit, f.is, f.in, f.tagIn = same.commit, same.is, same.in, same.tagIn
			continue
		}
		if f.commit, f.is, err = s.peeled(ctx, f.target); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			reason := fingerprints.SkipUnreadable
			if s.r.partial || s.r.shallow {
				reason = fingerprints.SkipMissing
			}
			s.lostRef = true
			s.skip("@ref", f.name, reason, "a ref to an object that cannot be read")
		}
		f.in, f.tagIn = s.store.Packed(f.commit), s.store.Packed(f.target)
		if len(alike) < maxAlike && err == nil {
			alike[f.target] = *f
		}
	}
	s.refs = refs
	return nil
}

// maxAlike is how many objects are remembered that several refs may lead to.
const maxAlike = 1 << 12

// leads says what refs lead to, as far as it is remembered and still here.
type leads struct {
	store   *store
	before  *memory
	commits map[uint64]int // by the first bytes of their ids
	tags    map[uint64]int
	same    bool // every pack that was there is there
}

func (s *Source) leads(before *memory) *leads {
	l := &leads{store: s.store, before: before, commits: make(map[uint64]int, len(before.commits)), tags: make(map[uint64]int, len(before.tags))}
	for i := range before.commits {
		l.commits[first(&before.commits[i].id)] = i
	}
	for i := range before.tags {
		l.tags[first(&before.tags[i].tag)] = i
	}
	packs := s.store.Packs()
	l.same = !slices.ContainsFunc(before.packs, func(sum []byte) bool {
		return !slices.ContainsFunc(packs, func(p objects.PackInfo) bool { return bytes.Equal(p.Sum, sum) })
	})
	return l
}

// here reports whether the store has an object, of which it may be known that it
// was in a pack.
func (l *leads) here(id oid, in bool) bool { return l.same && in || l.store.Has(id) }

// of fills in what a ref leads to; false where that is not known.
func (l *leads) of(f *ref) bool {
	id := f.target
	if i, is := l.tags[first(&id)]; is && l.before.tags[i].tag == id {
		t := &l.before.tags[i]
		if !l.here(id, t.in) {
			return false
		}
		id, f.tagIn = t.commit, t.in && l.same
	}
	i, is := l.commits[first(&id)]
	if !is || l.before.commits[i].id != id {
		return false
	}
	t := &l.before.commits[i]
	if !t.is || !l.here(id, t.in) {
		return false
	}
	f.commit, f.is, f.in = id, true, t.in && l.same
	return true
}

// first are the first bytes of an id.
func first(id *oid) uint64 {
	if b := id.Bytes(); len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// maxPeel bounds tags of tags.
const maxPeel = 32

// peeled is what a tag is of, or the object itself; is tells whether that is a
// commit.
func (s *Source) peeled(ctx context.Context, id oid) (to oid, is bool, err error) {
	for range maxPeel {
		kind, _, err := s.store.Header(ctx, id)
		if err != nil || kind != objects.Tag {
			return id, kind == objects.Commit && err == nil, err
		}
		data, err := s.store.get(ctx, id, objects.Tag)
		if err != nil {
			return id, false, err
		}
		text, _ := header(data, "object")
		next, ok := parseOID(text)
		if !ok {
			return id, false, nil
		}
		id = next
	}
	return id, false, nil
}

// maxRef is how large a file of a ref is at most.
const maxRef = 8 << 10

// looseRefs are the files of refs: each with its name and its first line. whole
// is false where something was met that only git knows how to take.
type looseRefs struct {
	list  []looseRef
	whole bool
}

type looseRef struct {
	name string
	line []byte
}

// loose reads the files of refs.
func (r *repo) loose() looseRefs {
	out := looseRefs{whole: true}
	root := filepath.Join(r.common, "refs")
	_ = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			out.whole = false
			return nil //nolint:nilerr // the others are walked all the same
		}
		if d.IsDir() || strings.HasSuffix(file, ".lock") {
			return nil
		}
		rel, err := filepath.Rel(r.common, file)
		if err != nil {
			return nil //nolint:nilerr // cannot be: it is below
		}
		var data []byte
		if info, err := d.Info(); err == nil && info.Size() <= maxRef {
			data, _ = os.ReadFile(file) // nothing where it cannot be read
		}
		line, _, _ := bytes.Cut(data, []byte("\n"))
		out.list = append(out.list, looseRef{filepath.ToSlash(rel), bytes.TrimSpace(line)})
		return nil
	})
	return out
}

// broken are refs whose files say nothing that a ref can.
func (l looseRefs) broken() (names []string) {
	for _, f := range l.list {
		if _, err := objects.ParseID(string(f.line)); err != nil && !bytes.HasPrefix(f.line, []byte("ref:")) {
			names = append(names, f.name)
		}
	}
	return names
}

// readRefs reads refs without git, as far as they can be read: packed ones, and
// over them those in files.
func (r *repo) readRefs(loose looseRefs, add func(name string, id []byte)) {
	own := map[string]bool{}
	for _, f := range loose.list {
		if _, err := objects.ParseID(string(f.line)); err == nil {
			own[f.name] = true
			add(f.name, f.line)
		}
	}
	packed, err := os.ReadFile(filepath.Join(r.common, "packed-refs"))
	if err != nil {
		return
	}
	for line := range bytes.Lines(packed) {
		id, name, found := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte{' '})
		if found && bytes.HasPrefix(name, []byte("refs/")) && !own[string(name)] {
			add(string(name), id)
		}
	}
}
