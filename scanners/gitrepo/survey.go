package gitrepo

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// survey is one pass over the objects, and what it and earlier ones found.
type survey struct {
	s      *Source
	seed   maphash.Seed
	known  *known
	before *memory // of the last scan: an empty one when it is not known
	again  bool    // what is known is looked through for what has changed
	// older looks for that alone.
	older func(ctx context.Context, data []byte) bool

	mu       sync.Mutex
	held     map[oid]int64       // blobs that may hold something, with their sizes
	written  map[oid]message     // commits and tags that may
	commits  map[oid][]oid       // that are new, with their parents
	names    map[string]bool     // of files, that may be secrets
	trees    map[oid]bool        // that have such names
	looked   map[uint64]struct{} // names that were screened
	telling  sync.Map            // of hashes of names: whether Named is true of them
	broken   map[string]bool     // packs with damaged objects
	absent   absent              // what stands for content elsewhere
	read     scanners.Counts
	stood    *stood           // what the trees of refs hold; nil before they are looked at
	anew     bool             // all of history was attributed again
	ancestry *lineage.History // what all trees have; nil before that is asked
	surely   bool             // what tips reached is known wholly
	tips     []oid            // see now
	saved    int64            // bytes that were read when the memory was last kept
	placed   *history         // the places of what was found; nil before they are known
	rough    bool             // not all of them are
	besides  int              // items that lie beside the objects
	listed   int              // skips that were listed while objects were read
	total    int64            // objects of the packs that are read, for progress
}

// message is a commit or tag whose text may hold something.
type message struct {
	kind     objects.Kind
	presence fingerprints.Presence
}

func newSurvey(s *Source) (*survey, error) {
	v := &survey{
		s: s, seed: maphash.MakeSeed(), held: map[oid]int64{}, written: map[oid]message{}, commits: map[oid][]oid{},
		names: map[string]bool{}, trees: map[oid]bool{}, looked: map[uint64]struct{}{}, broken: map[string]bool{}, absent: absent{pointers: map[oid]bool{}},
		before: &memory{}, older: s.o.Screen,
	}
	var err error
	if v.known, err = newKnown(); err != nil || s.o.Memory == nil {
		return v, err
	}
	m, err := recall(s.o.Memory, s.store.Format().Size())
	if err != nil || m.knows.Generic != s.o.Knows.Generic || !v.known.recall(s.o.Memory, m) {
		return v, nil //nolint:nilerr // everything is read again
	}
	change := s.o.Knows.since(m.knows)
	if v.again = change.any(); v.again && s.o.ScreenFor != nil {
		v.older = s.o.ScreenFor(change)
	}
	v.before, v.surely = m, m.surely
	for _, r := range m.held {
		v.held[r.id] = r.size
	}
	for _, r := range m.written {
		v.written[r.id] = message{r.kind, r.presence}
	}
	for _, id := range m.trees {
		v.trees[id] = true
	}
	v.absent.recall(m)
	return v, nil
}

// now are the commits that tips are at, sorted.
func (v *survey) now() []oid {
	if v.tips == nil {
		v.tips = tips(v.s.refs)
	}
	return v.tips
}

// all reads every object that is not known.
func (v *survey) all(ctx context.Context) error {
	w := objects.Walk{Workers: max(1, v.s.o.Workers), Visit: v.visit, Damaged: v.damaged}
	if !v.again {
		w.Known = func(p objects.PackInfo) bool { return len(p.Sum) > 0 && v.known.packs[string(p.Sum)] }
		w.Want = func(id oid) bool { return !v.known.has(id) }
	}
	v.counted(&w)
	_, err := v.s.store.Walk(ctx, w)
	v.s.read = v.read
	for _, p := range v.s.store.Problems() {
		if p.Lost {
			v.s.skip("@store", "", fingerprints.SkipUnreadable, "a file of the object store cannot be used: "+string(p.Reason))
		}
	}
	if err != nil {
		return fmt.Errorf("reading objects: %w", err)
	}
	for id := range v.trees { // their names are not kept
		if data, err := v.s.store.get(ctx, id, objects.Tree); err == nil {
			v.tree(ctx, id, data, false)
		}
	}
	return v.measure(ctx)
}

func (v *survey) damaged(d objects.Damage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.broken[d.Pack] = true
	v.s.lost(d.ID, "the object cannot be read: "+string(d.Reason))
}

// visit looks at one object; calls overlap.
func (v *survey) visit(ctx context.Context, _ int, o *objects.Object) (any, error) {
	old := v.again && v.known.has(o.ID)
	found := o.Stream != nil // too large to be held: read as an item
	switch {
	case found:
	case o.Kind == objects.Tree:
		v.tree(ctx, o.ID, o.Data, old)
	default:
		found = v.screen(old)(ctx, o.Data)
	}
	if err := ctx.Err(); err != nil { // it may not have been looked at wholly
		return nil, err
	}
	v.mu.Lock()
	v.seen(o, found, old)
	due := v.s.o.Memory != nil && v.read.Bytes-v.saved > v.s.o.KeepEvery
	if due {
		v.saved = v.read.Bytes
	}
	v.mu.Unlock()
	if due {
		return nil, v.remember(nil)
	}
	v.tell()
	return nil, nil
}

// seen takes down what was found in an object.
func (v *survey) seen(o *objects.Object, found, old bool) {
	v.read.Items++
	v.read.Bytes += o.Size
	if !old {
		v.known.read.fresh = append(v.known.read.fresh, v.known.mark(o.ID))
	}
	if o.Kind == objects.Commit && o.Stream == nil {
		_, v.commits[o.ID] = shape(o.Data)
	}
	if o.Kind == objects.Blob && isPointer(o.Data) {
		v.absent.pointers[o.ID] = true
	}
	switch {
	case !found:
	case o.Kind == objects.Blob:
		v.held[o.ID] = o.Size
	case o.Stream == nil:
		if _, has := v.written[o.ID]; !has {
			v.written[o.ID] = message{o.Kind, fingerprints.PresenceUnreachable}
		}
	}
}

// shortestName is how long a name is that could be a secret.
const shortestName = 8

// screen is what an object is shown to: one that was read before, to what looks
// for what has changed since.
func (v *survey) screen(old bool) func(context.Context, []byte) bool {
	if old {
		return v.older
	}
	return v.s.o.Screen
}

// sizeUnknown is that of blobs that are held for their names before they are read.
const sizeUnknown = -1

// named holds the content of an entry whose name is a hit by itself.
func (v *survey) named(e entry) {
	if v.s.o.Named == nil || e.tree() || e.link() {
		return
	}
	sum := maphash.Bytes(v.seed, e.name)
	is, known := v.telling.Load(sum)
	if !known {
		is = v.s.o.Named(string(e.name))
		v.telling.Store(sum, is)
	}
	if is == false {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, has := v.held[e.id]; !has {
		v.held[e.id] = sizeUnknown
	}
}

// measure learns the sizes of what is held for its name. What is not there is told
// where it stands.
func (v *survey) measure(ctx context.Context) error {
	for id, size := range v.held {
		if size != sizeUnknown {
			continue
		}
		data, err := v.s.store.get(ctx, id, objects.Blob)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			delete(v.held, id)
		default:
			v.held[id] = int64(len(data))
		}
	}
	return nil
}

// tree screens the names in a tree that are new.
func (v *survey) tree(ctx context.Context, id oid, data []byte, old bool) {
	screen := v.screen(old)
	var fresh []string
	for len(data) > 0 {
		e, rest, ok := nextEntry(data, len(id.Bytes()))
		if !ok {
			v.mu.Lock()
			v.s.lost(id, "the tree is damaged")
			v.mu.Unlock()
			break
		}
		if e.link() {
			v.mu.Lock()
			v.absent.links = true
			v.mu.Unlock()
		}
		v.named(e)
		if data = rest; len(e.name) >= shortestName {
			fresh = append(fresh, string(e.name))
		}
	}
	v.mu.Lock()
	fresh = slices.DeleteFunc(fresh, func(name string) bool {
		sum := maphash.String(v.seed, name)
		if old { // another screen
			sum++
		}
		_, has := v.looked[sum]
		v.looked[sum] = struct{}{}
		return has
	})
	v.mu.Unlock()
	if len(fresh) == 0 || !screen(ctx, []byte(strings.Join(fresh, "\n"))) {
		return
	}
	for _, name := range fresh {
		if screen(ctx, []byte(name)) {
			v.mu.Lock()
			v.names[name], v.trees[id] = true, true
			v.mu.Unlock()
		}
	}
}
