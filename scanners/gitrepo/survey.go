package gitrepo

import (
	"bytes"
	"context"
	"hash/maphash"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"revenant/fingerprints"
	"revenant/scanners"
)

// survey is what one pass over all objects found.
type survey struct {
	s    *Source
	seed maphash.Seed

	mu      sync.Mutex
	held    map[oid]int64       // blobs that may hold something, with their sizes
	written map[oid]string      // commits and tags that may, with their kinds
	parents map[oid][]oid       // of commits
	roots   map[oid]oid         // their trees
	names   map[string]bool     // of files, that may be secrets
	known   map[uint64]struct{} // names that were screened
	read    scanners.Counts
}

func newSurvey(s *Source) *survey {
	return &survey{
		s: s, seed: maphash.MakeSeed(), held: map[oid]int64{}, written: map[oid]string{},
		parents: map[oid][]oid{}, roots: map[oid]oid{}, names: map[string]bool{}, known: map[uint64]struct{}{},
	}
}

// all reads every object.
func (v *survey) all(ctx context.Context) error {
	err := v.s.store.each(ctx, max(1, v.s.o.Workers), v.visit, func(id oid, why string) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.s.lost(id, why)
	})
	v.s.read = v.read
	return err
}

// visit looks at one object; calls overlap.
func (v *survey) visit(ctx context.Context, o object) error {
	found := false
	switch o.kind {
	case "blob":
		found = o.data == nil || v.s.o.Screen(ctx, o.data)
	case "tree":
		v.tree(ctx, o)
	case "commit", "tag":
		found = o.data == nil || v.s.o.Screen(ctx, o.data)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.read.Items++
	v.read.Bytes += o.size
	switch {
	case o.kind == "blob" && found:
		v.held[o.id] = o.size
	case o.kind == "commit":
		v.commit(o)
	}
	if found && o.kind != "blob" {
		v.written[o.id] = o.kind
	}
	return ctx.Err()
}

// commit keeps the shape of history.
func (v *survey) commit(o object) {
	head, _, _ := bytes.Cut(o.data, []byte("\n\n"))
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if id, has := bytes.CutPrefix(line, []byte("parent ")); has {
			if p, ok := parseOID(id); ok {
				v.parents[o.id] = append(v.parents[o.id], p)
			}
		}
		if id, has := bytes.CutPrefix(line, []byte("tree ")); has {
			v.roots[o.id], _ = parseOID(id)
		}
	}
	if _, has := v.parents[o.id]; !has {
		v.parents[o.id] = nil
	}
}

// tree screens the names in a tree that are new.
func (v *survey) tree(ctx context.Context, o object) {
	var fresh []string
	for rest := o.data; len(rest) > 0; {
		e, after, ok := nextEntry(rest, len(o.id))
		if !ok {
			v.mu.Lock()
			v.s.lost(o.id, "the tree is damaged")
			v.mu.Unlock()
			break
		}
		rest = after
		if len(e.name) >= shortestName {
			fresh = append(fresh, string(e.name))
		}
	}
	v.mu.Lock()
	fresh = slices.DeleteFunc(fresh, func(name string) bool {
		sum := maphash.String(v.seed, name)
		_, has := v.known[sum]
		v.known[sum] = struct{}{}
		return has
	})
	v.mu.Unlock()
	if len(fresh) == 0 || !v.s.o.Screen(ctx, []byte(strings.Join(fresh, "\n"))) {
		return
	}
	for _, name := range fresh {
		if v.s.o.Screen(ctx, []byte(name)) {
			v.mu.Lock()
			v.names[name] = true
			v.mu.Unlock()
		}
	}
}

// shortestName is how long a name is that could be a secret.
const shortestName = 8

// texts gives out messages and authors that may hold something.
func (v *survey) texts(ctx context.Context, reach reach) {
	ids := slices.Sorted(maps.Keys(v.written))
	for _, id := range ids {
		data, err := v.s.store.get(ctx, id, v.written[id])
		if err != nil {
			v.s.lost(id, "cannot be read again")
			continue
		}
		it := scanners.Item{Path: "@commit-message", Locator: "commit:" + id.String(), Presence: reach.of(id)}
		if v.written[id] == "tag" {
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

// reach tells what of history can be fetched, and what only a local name or
// nothing reaches.
type reach struct{ tips map[oid]bool }

func (r reach) of(commit oid) fingerprints.Presence {
	if r.tips[commit] {
		return fingerprints.PresenceHistory
	}
	return fingerprints.PresenceUnreachable
}

// reached walks from the tips to all that they reach.
func (v *survey) reached() reach {
	r := reach{tips: map[oid]bool{}}
	var todo []oid
	for _, f := range v.s.refs {
		if !f.tip {
			continue
		}
		todo = append(todo, f.commit)
		if f.target != f.commit { // an annotated tag has a text of its own
			r.tips[f.target] = true
		}
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if parents, has := v.parents[id]; has && !r.tips[id] {
			r.tips[id] = true
			todo = append(todo, parents...)
		}
	}
	return r
}

// unreached are the commits that no tip reaches: of stashes, reflogs, rebases, or
// of nothing.
func (v *survey) unreached(r reach) []oid {
	var out []oid
	for id := range v.parents {
		if !r.tips[id] {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// blobs attributes the blobs that may hold something, and gives them out.
func (v *survey) blobs(ctx context.Context, r reach) error {
	h := newHistory(v.held, v.names)
	var tips []oid
	for _, f := range v.s.refs {
		if f.tip {
			tips = append(tips, f.commit)
		}
	}
	if err := h.log(ctx, v.s.r, tips, fingerprints.PresenceHistory); err != nil {
		return err
	}
	// One commit at a time: what none of the tips has says what it changed.
	if err := h.log(ctx, v.s.r, v.unreached(r), fingerprints.PresenceUnreachable, "--no-walk=unsorted"); err != nil {
		return err
	}
	t := &trees{store: v.s.store, h: h, known: map[oid][]place{}, skip: v.s.lost}
	for _, f := range v.s.refs {
		root, has := v.roots[f.commit]
		if !has {
			root = f.commit // a ref to a tree
		}
		if _, isCommit := v.parents[f.commit]; isCommit || f.tip {
			t.stand(ctx, f, root)
		}
	}
	v.give(ctx, h)
	return ctx.Err()
}

// give gives out blobs at their paths, and paths that are themselves suspect.
func (v *survey) give(ctx context.Context, h *history) {
	named := map[oid]bool{}
	for _, p := range h.order {
		st := h.places[p]
		named[p.blob] = true
		it := scanners.Item{Path: p.path, Presence: st.presence}
		if len(st.refs) > 0 && strings.HasPrefix(st.refs[0], "refs/notes/") && st.presence != fingerprints.PresenceTip {
			it.Path, it.Presence = "@note", fingerprints.PresenceTip
		}
		v.blob(v.s.attributed(ctx, it, st.commit, p.path), p.blob)
	}
	for _, id := range slices.Sorted(maps.Keys(v.held)) {
		if !named[id] {
			v.blob(scanners.Item{Path: "@blob/" + id.String(), Presence: fingerprints.PresenceUnreachable}, id)
		}
	}
	for _, path := range h.paths {
		st := h.named[path]
		it := v.s.attributed(ctx, scanners.Item{Path: path, Presence: st.presence, Locator: "name"}, st.commit, path)
		it.SourceID = v.s.id
		it.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("")), nil }
		v.s.items = append(v.s.items, it)
	}
}

// blob gives out one blob.
func (v *survey) blob(it scanners.Item, id oid) {
	it.SourceID, it.Locator, it.Size = v.s.id, "blob:"+id.String(), v.held[id]
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		if it.Size > maxHeld {
			return v.s.store.stream(ctx, id)
		}
		data, err := v.s.store.get(ctx, id, "blob")
		if err != nil {
			return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the object cannot be read", Size: it.Size}
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	v.s.items = append(v.s.items, it)
}
