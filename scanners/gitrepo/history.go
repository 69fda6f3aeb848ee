package gitrepo

import (
	"bytes"
	"context"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// place is a blob at a path, as trees name it.
type place struct {
	blob oid
	path string
	link bool // no blob but a commit of another repository
}

// standing is what history says of a place.
type standing struct {
	commit   oid  // that it came in with; empty: none that was found
	twice    bool // more than one commit that is reached brought it
	presence fingerprints.Presence
	past     fingerprints.Presence // what history alone says
	refs     []string              // whose trees hold it now, the first ones
	more     int                   // further ones
}

// maxRefs is how many refs of a place are named.
const maxRefs = 20

// history finds the places of some blobs.
type history struct {
	wanted map[oid]int64 // with their sizes
	// names are parts of paths that are to be found, too: they may be secrets.
	names  map[string]bool
	places map[place]*standing
	order  []place
	named  map[string]*standing // paths with such a name
	paths  []string             // of named, in order
	// pointers are blobs that stand for content in LFS; absent is where tips
	// have them, and where they have commits of other repositories.
	pointers map[oid]bool
	absent   map[place]bool
}

func newHistory(wanted map[oid]int64, names map[string]bool) *history {
	return &history{wanted: wanted, names: names, places: map[place]*standing{}, named: map[string]*standing{}, absent: map[place]bool{}}
}

// log walks the history of some commits that others do not reach, the youngest
// first, and notes which commit brought a wanted blob to a path. The oldest that
// did wins. It returns the commits that it met.
func (h *history) log(ctx context.Context, r *repo, commits, without []oid, presence fingerprints.Presence, args ...string) (map[oid]bool, error) {
	met := map[oid]bool{}
	if len(commits) == 0 {
		return met, nil
	}
	p := changeParser{
		met:  func(commit oid) { met[commit] = true },
		each: func(c change) { h.note(place{blob: c.blob, path: c.path}, c.commit, presence) },
	}
	args = append(rawLog("--stdin", "--topo-order"), args...)
	return met, r.lines(ctx, revisions(commits, without), 0, p.token, args...)
}

// rawLog are git log's arguments for commits, each with its raw changes: of a
// merge those files that differ from all parents.
func rawLog(more ...string) []string {
	return append([]string{
		"log", "-z", "--raw", "-c", "--no-abbrev", "--no-renames", "--no-relative", "--no-ext-diff", "--no-textconv", "--no-mailmap", "--format=%x01%H",
	}, more...)
}

// settle keeps what history alone says apart from what refs hold now.
func (h *history) settle() {
	for _, s := range h.places {
		s.past = s.presence
	}
}

// remembered are the places whose commits are known, for the next scan.
func (h *history) remembered(salt [16]byte) []remembered {
	var out []remembered
	for _, p := range h.order {
		if s := h.places[p]; !s.commit.IsZero() && s.past != "" {
			out = append(out, remembered{id: p.blob, commit: s.commit, presence: s.past, mark: placeMark(salt, p)})
		}
	}
	return out
}

// note takes a place down.
func (h *history) note(p place, commit oid, presence fingerprints.Presence) {
	if _, has := h.wanted[p.blob]; has {
		s := h.at(p)
		s.came(commit, presence)
	}
	if len(h.names) > 0 && h.suspicious(p.path) {
		s, has := h.named[p.path]
		if !has {
			s = &standing{presence: presence}
			h.named[p.path] = s
			h.paths = append(h.paths, p.path)
		}
		s.came(commit, presence)
	}
}

// came notes one more commit that brought it in; of those that are as easy to
// meet the last that is noted wins.
func (s *standing) came(commit oid, presence fingerprints.Presence) {
	s.twice = s.twice || !s.commit.IsZero() && s.presence == presence && presence == fingerprints.PresenceHistory
	stronger := strongest(s.presence, presence)
	if presence == fingerprints.PresenceUnreachable && s.presence == presence && commit.Compare(s.commit) < 0 {
		return // they are in the order of their ids
	}
	if !commit.IsZero() && (s.commit.IsZero() || stronger == presence) {
		s.commit = commit
	}
	s.presence = stronger
}

func (h *history) at(p place) *standing {
	s, has := h.places[p]
	if !has {
		s = &standing{presence: fingerprints.PresenceUnreachable}
		h.places[p] = s
		h.order = append(h.order, p)
	}
	return s
}

// suspicious reports whether a part of the path is one of the names.
func (h *history) suspicious(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if h.names[part] {
			return true
		}
	}
	return false
}

// trees reads the trees of refs for wanted blobs, each tree once.
type trees struct {
	store *store
	h     *history
	known map[oid]held // by tree
	depth int
	skip  func(id oid, why string)
	// read reports whether a blob was looked at, so that it will not come to be
	// wanted later.
	read func(id oid) bool
	// missed is set when brought did not find all that it asked for.
	missed bool
	// past has all trees; nil: they are read here.
	past *lineage.History
	told map[oid]bool // trees that were skipped
}

// held is what is below a tree. It is sure when every object below it was read:
// then it stays so.
type held struct {
	places []place
	sure   bool
}

// maxTreeDepth bounds how deep folders are followed.
const maxTreeDepth = 2000

// of is what the tree of a ref holds; is tells whether it leads to a tree.
func (t *trees) of(ctx context.Context, f ref) (list []place, sure, is bool) {
	root := f.commit // a ref to a tree
	kind, data, err := t.store.Get(ctx, f.commit)
	commit := kind == objects.Commit
	if err == nil && commit {
		root, _ = shape(data)
	}
	if !commit && (!f.tip || kind != objects.Tree) {
		return nil, false, false
	}
	b := t.below(ctx, root)
	return b.places, b.sure && commit && err == nil, true
}

// spelled is what an outline stands for.
func (t *trees) spelled(o lineage.Outline) (list []place, sure bool) {
	c := t.past.Content(o)
	for _, p := range c.Places {
		list = append(list, place{blob: p.ID, path: p.Path, link: p.Link})
	}
	tell := func(ids []oid, why string) {
		for _, id := range ids {
			if !t.told[id] {
				t.told[id] = true
				t.skip(id, why)
			}
		}
	}
	tell(c.Gone, "a tree cannot be read")
	tell(c.Damaged, "a tree is damaged")
	return list, c.Sure
}

// below are the wanted blobs in a tree, with their paths below it, and the
// paths of suspicious names, with a blob that is empty.
func (t *trees) below(ctx context.Context, id oid) held {
	if b, has := t.known[id]; has || ctx.Err() != nil {
		return b
	}
	t.known[id] = held{} // a tree in itself cannot be, but may be claimed
	data, err := t.store.get(ctx, id, objects.Tree)
	if err != nil {
		t.skip(id, "a tree cannot be read")
		return held{}
	}
	out := held{sure: true}
	rest := data
	for len(rest) > 0 {
		var e entry
		var ok bool
		if e, rest, ok = nextEntry(rest, len(id.Bytes())); !ok {
			t.skip(id, "a tree is damaged")
			out.sure = false
			break
		}
		t.entry(ctx, e, &out)
	}
	t.known[id] = out
	return out
}

// entry adds what an entry of a tree leads to.
func (t *trees) entry(ctx context.Context, e entry, out *held) {
	name := string(e.name)
	if t.h.names[name] {
		out.places = append(out.places, place{path: name})
	}
	_, wanted := t.h.wanted[e.id]
	switch {
	case e.tree() && t.depth < maxTreeDepth:
		t.depth++
		b := t.below(ctx, e.id)
		t.depth--
		for _, p := range b.places {
			p.path = name + "/" + p.path
			out.places = append(out.places, p)
		}
		out.sure = out.sure && b.sure
	case e.tree():
		out.sure = false
	case wanted, t.h.pointers[e.id], e.link():
		out.places = append(out.places, place{e.id, name, e.link()})
	default:
		out.sure = out.sure && t.read(e.id)
	}
}

// entry is a line of a tree.
type entry struct {
	mode string
	name []byte
	id   oid
}

func (e entry) tree() bool { return e.mode == "40000" || e.mode == "040000" }

// link reports whether it is a commit of another repository.
func (e entry) link() bool { return e.mode == "160000" }

// nextEntry reads the first entry of a tree.
func nextEntry(b []byte, size int) (e entry, rest []byte, ok bool) {
	mode, after, found := bytes.Cut(b, []byte{' '})
	if !found || len(mode) > 7 {
		return e, nil, false
	}
	name, after, found := bytes.Cut(after, []byte{0})
	if !found || len(after) < size {
		return e, nil, false
	}
	return entry{mode: string(mode), name: name, id: objects.MakeID(after[:size])}, after[size:], true
}

// header is the value of the first header line of a commit or tag with the key;
// body is what stands behind the empty line.
func header(object []byte, key string) (value []byte, body []byte) {
	head, body, _ := bytes.Cut(object, []byte("\n\n"))
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if v, has := bytes.CutPrefix(line, []byte(key+" ")); has && value == nil {
			value = v
		}
	}
	return value, body
}
