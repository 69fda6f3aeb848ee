package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/objects"
)

// survey is one pass over the objects, and what it and earlier ones found.
type survey struct {
	s      *Source
	seed   maphash.Seed
	known  *known
	before memoryV2 // of the last scan; without Tips it says nothing of history
	again  bool     // what is known is looked through for registered values

	mu      sync.Mutex
	held    map[oid]int64       // blobs that may hold something, with their sizes
	written map[oid]message     // commits and tags that may
	commits map[oid][]oid       // that are new, with their parents
	names   map[string]bool     // of files, that may be secrets
	trees   map[oid]bool        // that have such names
	looked  map[uint64]struct{} // names that were screened
	broken  map[string]bool     // packs with damaged objects
	absent  absent              // what stands for content elsewhere
	read    scanners.Counts
	stood   *stood // what the trees of refs hold; nil before they are looked at
	anew    bool   // all of history was attributed again
	saved   int64  // bytes that were read when the memory was last kept
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
	}
	var err error
	if v.known, err = newKnown(); err != nil || s.o.Memory == nil {
		return v, err
	}
	m, err := recall(s.o.Memory)
	if err != nil || m.Knows.Generic != s.o.Knows.Generic {
		return v, nil //nolint:nilerr // everything is read again
	}
	v.again = m.Knows.Fields != s.o.Knows.Fields
	v.before = m
	v.known.salt, v.known.seen = m.Salt, unpacked(m.Seen)
	for _, sum := range m.Packs {
		v.known.packs[string(sum)] = true
	}
	for _, r := range m.Held {
		v.held[objects.MakeID(r.ID)] = r.Size
	}
	for _, r := range m.Written {
		v.written[objects.MakeID(r.ID)] = message{r.Kind, r.Presence}
	}
	for _, id := range m.Trees {
		v.trees[objects.MakeID(id)] = true
	}
	v.absent.recall(m)
	return v, nil
}

// remember keeps what was read; h is nil where history was not looked at.
func (v *survey) remember(h *history) error {
	if v.s.o.Memory == nil || h != nil && v.nothingNew() {
		return nil
	}
	v.mu.Lock()
	m := memoryV2{Knows: v.s.o.Knows, Salt: v.known.salt, Seen: packed(v.known.all())}
	if v.again && h == nil { // what was looked through so far is not known
		m.Knows.Fields = v.before.Knows.Fields
	}
	for id, size := range v.held {
		m.Held = append(m.Held, remembered{ID: id.Bytes(), Size: size})
	}
	for id, w := range v.written {
		m.Written = append(m.Written, remembered{ID: id.Bytes(), Kind: w.kind, Presence: w.presence})
	}
	for id := range v.trees {
		m.Trees = append(m.Trees, id.Bytes())
	}
	v.absent.remember(&m)
	v.mu.Unlock()
	if h != nil {
		m.Packs, m.Tips = v.packs(), v.tips()
		m.Places = h.remembered()
		if v.stood != nil && v.lasts() {
			m.Stood = v.stood.remember(v.s.refs)
		}
	}
	return m.keep(v.s.o.Memory)
}

// packs are the checksums of packs that were read wholly.
func (v *survey) packs() (sums [][]byte) {
	for _, p := range v.s.store.Packs() {
		if len(p.Sum) > 0 && !v.broken[p.Name] {
			sums = append(sums, p.Sum)
		}
	}
	return sums
}

// tips are the ids of the commits that are reached from.
func (v *survey) tips() [][]byte {
	out := [][]byte{}
	for _, id := range tips(v.s.refs) {
		out = append(out, id.Bytes())
	}
	return out
}

// nothingNew reports whether the memory says already what this scan would keep.
func (v *survey) nothingNew() bool {
	return v.before.Tips != nil && !v.again && !v.anew && len(v.known.fresh)+len(v.known.gone) == 0 &&
		(v.stood == nil || v.stood.fresh == 0) &&
		slices.EqualFunc(v.before.Packs, v.packs(), bytes.Equal) && slices.EqualFunc(v.before.Tips, v.tips(), bytes.Equal)
}

// all reads every object that is not known.
func (v *survey) all(ctx context.Context) error {
	w := objects.Walk{Workers: max(1, v.s.o.Workers), Visit: v.visit, Damaged: v.damaged}
	if !v.again {
		w.Known = func(p objects.PackInfo) bool { return len(p.Sum) > 0 && v.known.packs[string(p.Sum)] }
		w.Want = func(id oid) bool { return !v.known.has(id) }
	}
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
			v.tree(ctx, id, data)
		}
	}
	return nil
}

func (v *survey) damaged(d objects.Damage) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.broken[d.Pack] = true
	v.s.lost(d.ID, "the object cannot be read: "+string(d.Reason))
}

// visit looks at one object; calls overlap.
func (v *survey) visit(ctx context.Context, _ int, o *objects.Object) (any, error) {
	screen := v.s.o.Screen
	if v.again && v.s.o.ScreenFields != nil && v.known.has(o.ID) {
		screen = v.s.o.ScreenFields
	}
	found := o.Stream != nil // too large to be held: read as an item
	switch {
	case found:
	case o.Kind == objects.Tree:
		v.tree(ctx, o.ID, o.Data)
	default:
		found = screen(ctx, o.Data)
	}
	if err := ctx.Err(); err != nil { // it may not have been looked at wholly
		return nil, err
	}
	v.mu.Lock()
	v.seen(o, found)
	due := v.s.o.Memory != nil && v.read.Bytes-v.saved > v.s.o.KeepEvery
	if due {
		v.saved = v.read.Bytes
	}
	v.mu.Unlock()
	if due {
		return nil, v.remember(nil)
	}
	return nil, nil
}

// seen takes down what was found in an object.
func (v *survey) seen(o *objects.Object, found bool) {
	v.read.Items++
	v.read.Bytes += o.Size
	v.known.fresh = append(v.known.fresh, v.known.mark(o.ID))
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

// tree screens the names in a tree that are new.
func (v *survey) tree(ctx context.Context, id oid, data []byte) {
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
		if data = rest; len(e.name) >= shortestName {
			fresh = append(fresh, string(e.name))
		}
	}
	v.mu.Lock()
	fresh = slices.DeleteFunc(fresh, func(name string) bool {
		sum := maphash.String(v.seed, name)
		_, has := v.looked[sum]
		v.looked[sum] = struct{}{}
		return has
	})
	v.mu.Unlock()
	if len(fresh) == 0 || !v.s.o.Screen(ctx, []byte(strings.Join(fresh, "\n"))) {
		return
	}
	for _, name := range fresh {
		if v.s.o.Screen(ctx, []byte(name)) {
			v.mu.Lock()
			v.names[name], v.trees[id] = true, true
			v.mu.Unlock()
		}
	}
}

// attributed asks history for the places of what may hold something.
func (v *survey) attributed(ctx context.Context) (*history, error) {
	if len(v.held)+len(v.written)+len(v.names) == 0 {
		h := v.history()
		if v.absent.any() {
			v.standing(ctx, h)
		}
		return h, ctx.Err()
	}
	now := tips(v.s.refs)
	if old, forward := v.forward(ctx, now); forward {
		h := v.history()
		err := v.walked(ctx, h, now, old, func() bool { return v.restored(ctx, h) })
		if err == nil && v.allPlaced(h) {
			v.standing(ctx, h)
			return h, ctx.Err()
		}
	}
	h := v.history()
	v.anew = true
	if err := v.shapes(ctx); err != nil {
		return nil, err
	}
	if err := v.walked(ctx, h, now, nil, func() bool { return true }); err != nil {
		return nil, err
	}
	v.standing(ctx, h)
	return h, ctx.Err()
}

func (v *survey) history() *history {
	h := newHistory(v.held, v.names)
	h.pointers = v.absent.pointers
	return h
}

// walked notes what commits say of places: those that tips reach, but for what
// was reached before, and those that are new and none of them reaches. Between
// the two, older notes what was reached before: the oldest commit is noted last.
func (v *survey) walked(ctx context.Context, h *history, now, old []oid, older func() bool) error {
	in, out := v.since(ctx, now, old)
	reached, err := v.log(ctx, h, fingerprints.PresenceHistory, func() (map[oid]bool, error) {
		return h.log(ctx, v.s.r, in, out, fingerprints.PresenceHistory)
	}, func() []oid { return v.ordered(now) })
	if err != nil {
		return err
	}
	v.reached(reached)
	if !older() {
		return errMoved
	}
	var beyond []oid
	for id := range v.commits {
		if !reached[id] {
			beyond = append(beyond, id)
		}
	}
	slices.SortFunc(beyond, oid.Compare)
	// One at a time: each says what it changed.
	_, err = v.log(ctx, h, fingerprints.PresenceUnreachable, func() (map[oid]bool, error) {
		return h.log(ctx, v.s.r, beyond, nil, fingerprints.PresenceUnreachable, "--no-walk=unsorted")
	}, func() []oid { return beyond })
	h.settle()
	return err
}

// errMoved says that remembered places are not what they were.
var errMoved = errors.New("a remembered place is not there")

// allPlaced reports whether each blob that was not known to hold anything has a
// place: one that commits of old brought in has none yet.
func (v *survey) allPlaced(h *history) bool {
	placed := map[oid]bool{}
	for _, r := range v.before.Held {
		placed[objects.MakeID(r.ID)] = true
	}
	for p, s := range h.places {
		placed[p.blob] = placed[p.blob] || !s.commit.IsZero()
	}
	for id := range v.held {
		if !placed[id] {
			return false
		}
	}
	return true
}

// forward reports whether all that was reached from tips before still is, so
// that only what came since is to be looked at; the old tips are returned.
func (v *survey) forward(ctx context.Context, now []oid) ([]oid, bool) {
	if v.before.Tips == nil || v.again || len(v.names) > 0 {
		return nil, false
	}
	var old []oid
	for _, b := range v.before.Tips {
		old = append(old, objects.MakeID(b))
	}
	left := without(old, now)
	if len(left) == 0 {
		return old, true
	}
	// What a branch was at is mostly reached from where it is now: that is asked
	// first, since git reads each commit that it is given.
	for _, in := range [][]oid{without(now, old), now} {
		out, err := v.s.r.output(ctx, revisions(left, in), "rev-list", "--stdin", "--max-count=1")
		if err == nil && len(bytes.TrimSpace(out)) == 0 {
			return old, true
		}
	}
	return old, false
}

// without are the ids of a list that another, which is sorted, has not.
func without(list, other []oid) []oid {
	var out []oid
	for _, id := range list {
		if _, has := slices.BinarySearchFunc(other, id, oid.Compare); !has {
			out = append(out, id)
		}
	}
	return out
}

// since are tips to walk history from, and those to stop at, so that what now
// reaches and old does not is met.
func (v *survey) since(ctx context.Context, now, old []oid) (in, out []oid) {
	in = without(now, old)
	if len(in) == 0 || len(old) == 0 {
		return in, old
	}
	// Where all that the tips that are left behind do not reach is new in the
	// store, no other tip has reached it before, and git need not read them all.
	out = without(old, now)
	list, err := v.s.r.output(ctx, revisions(in, out), "rev-list", "--stdin", fmt.Sprintf("--max-count=%d", len(v.commits)+1))
	if err != nil {
		return in, old
	}
	for line := range bytes.Lines(list) {
		id, ok := parseOID(bytes.TrimSpace(line))
		if _, fresh := v.commits[id]; !ok || !fresh {
			return in, old
		}
	}
	return in, out
}

// revisions is git's input for what some commits reach and others do not.
func revisions(in, out []oid) io.Reader {
	var b strings.Builder
	for _, c := range in {
		b.WriteString(c.String() + "\n")
	}
	for _, c := range out {
		b.WriteString("^" + c.String() + "\n")
	}
	return strings.NewReader(b.String())
}

// restored puts remembered places into the history; false where one of them
// is not what it was.
func (v *survey) restored(ctx context.Context, h *history) bool {
	t := &trees{store: v.s.store, h: h, skip: v.s.lost}
	by := map[oid][]remembered{}
	for _, r := range v.before.Places {
		by[objects.MakeID(r.Commit)] = append(by[objects.MakeID(r.Commit)], r)
	}
	for _, commit := range slices.SortedFunc(maps.Keys(by), oid.Compare) {
		presence := map[oid]fingerprints.Presence{}
		wanted := map[oid]bool{}
		for _, r := range by[commit] {
			presence[objects.MakeID(r.ID)], wanted[objects.MakeID(r.ID)] = r.Presence, true
		}
		for _, p := range t.brought(ctx, commit, wanted) {
			h.note(p, commit, presence[p.blob])
			delete(wanted, p.blob)
		}
		if len(wanted) > 0 {
			return false
		}
	}
	return true
}

// shapes reads every commit's place in history.
func (v *survey) shapes(ctx context.Context) error {
	_, err := v.s.store.Walk(ctx, objects.Walk{
		Workers: max(1, v.s.o.Workers), Kinds: []objects.Kind{objects.Commit},
		Visit: func(_ context.Context, _ int, o *objects.Object) (any, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			if o.Stream == nil {
				_, v.commits[o.ID] = shape(o.Data)
			}
			return nil, nil
		},
	})
	if err != nil {
		return fmt.Errorf("reading commits: %w", err)
	}
	for id, m := range v.written {
		m.presence = fingerprints.PresenceUnreachable
		v.written[id] = m
	}
	return nil
}

// reached notes that commits are in the history of tips, and tags are tips.
func (v *survey) reached(commits map[oid]bool) {
	named := map[oid]bool{}
	for _, f := range v.s.refs {
		if f.tip {
			named[f.target] = true
		}
	}
	for id, m := range v.written {
		switch {
		case m.kind == objects.Tag && named[id], commits[id]:
			m.presence = fingerprints.PresenceHistory
		case m.kind == objects.Tag:
			m.presence = fingerprints.PresenceUnreachable
		}
		v.written[id] = m
	}
}

// standing notes which refs' trees hold what.
func (v *survey) standing(ctx context.Context, h *history) {
	v.stood = newStood(v.known.salt)
	if v.lasts() && !v.again {
		v.stood = recallStood(v.known.salt, v.before.Stood)
	}
	t := &trees{store: v.s.store, h: h, known: map[oid]held{}, skip: v.s.lost, read: v.known.reader()}
	v.stood.stand(ctx, t, v.s.refs)
}

// lasts reports whether what trees hold may be remembered: names of files are
// found in trees themselves, and a partial clone says of what it lacks each time.
func (v *survey) lasts() bool { return len(v.names) == 0 && !v.s.r.partial }

// texts gives out messages and authors that may hold something.
func (v *survey) texts(ctx context.Context) {
	for _, id := range slices.SortedFunc(maps.Keys(v.written), oid.Compare) {
		m := v.written[id]
		data, err := v.s.store.get(ctx, id, m.kind)
		if errors.Is(err, objects.ErrMissing) {
			delete(v.written, id) // pruned since
			v.known.forget(id)
			continue
		}
		if err != nil {
			v.s.lost(id, "cannot be read again")
			continue
		}
		it := scanners.Item{Path: "@commit-message", Locator: "commit:" + id.String(), Presence: m.presence}
		if m.kind == objects.Tag {
			it.Path, it.Locator = "@tag-message", "tag:"+id.String()
			v.s.text(string(data), it)
			continue
		}
		it = v.s.attributed(ctx, it, id, "")
		people, rest := splitCommit(data)
		v.s.text(rest, it)
		it.Path = "@author"
		v.s.text(people, it)
	}
}

// splitCommit tells who made a commit from all else in it.
func splitCommit(data []byte) (people, rest string) {
	head, body, _ := bytes.Cut(data, []byte("\n\n"))
	var p, r []string
	for line := range strings.SplitSeq(string(head), "\n") {
		switch key, _, _ := strings.Cut(line, " "); key {
		case "author", "committer":
			p = append(p, line)
		case "tree", "parent":
		default:
			r = append(r, line)
		}
	}
	if len(r) > 0 {
		r = append(r, "")
	}
	return strings.Join(p, "\n"), strings.Join(append(r, string(body)), "\n")
}

// give gives out blobs at their paths, and paths that are themselves suspect.
func (v *survey) give(ctx context.Context, h *history) {
	named := map[oid]bool{}
	for _, p := range h.order {
		st := h.places[p]
		named[p.blob] = true
		if !v.s.store.Has(p.blob) {
			continue // pruned since
		}
		it := scanners.Item{Path: p.path, Presence: st.presence, Refs: st.refs, MoreRefs: st.more}
		if len(st.refs) > 0 && strings.HasPrefix(st.refs[0], "refs/notes/") && st.presence != fingerprints.PresenceTip {
			it.Path, it.Presence = "@note", fingerprints.PresenceTip
		}
		v.blob(v.s.attributed(ctx, it, st.commit, p.path), p.blob)
	}
	for _, id := range slices.SortedFunc(maps.Keys(v.held), oid.Compare) {
		switch {
		case !v.s.store.Has(id):
			delete(v.held, id)
			v.known.forget(id)
		case !named[id]:
			v.blob(scanners.Item{Path: "@blob/" + id.String(), Presence: fingerprints.PresenceUnreachable}, id)
		}
	}
	// The name of a folder is found once, at the first of the paths below it: at
	// one that is as easy to meet as any.
	slices.SortStableFunc(h.paths, func(a, b string) int {
		return slices.Index(fingerprints.Presences(), h.named[a].presence) - slices.Index(fingerprints.Presences(), h.named[b].presence)
	})
	for _, path := range h.paths {
		st := h.named[path]
		it := v.s.attributed(ctx, scanners.Item{Path: path, Presence: st.presence, Locator: "name", Refs: st.refs, MoreRefs: st.more}, st.commit, path)
		it.SourceID = v.s.id
		it.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
		v.s.items = append(v.s.items, it)
	}
}

// blob gives out one blob.
func (v *survey) blob(it scanners.Item, id oid) {
	it.SourceID, it.Locator, it.Size = v.s.id, "blob:"+id.String(), v.held[id]
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		data, err := v.s.store.get(ctx, id, objects.Blob)
		if errors.Is(err, objects.ErrTooLarge) {
			return v.s.store.stream(ctx, id)
		}
		if err != nil {
			return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the object cannot be read", Size: it.Size}
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	v.s.items = append(v.s.items, it)
}
