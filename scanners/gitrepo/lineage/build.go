package lineage

import (
	"context"
	"encoding/hex"
	"fmt"
	"sync"

	"revenant/scanners/gitrepo/objects"
)

// Query says what is looked for in trees.
type Query struct {
	// Workers is how many goroutines read; at least 1.
	Workers int
	// IDs are objects whose places are asked for.
	IDs []objects.ID
	// Names are names of files and folders: the places of such, and of
	// everything in such folders, are asked for too.
	Names map[string]bool
	// Links asks for the places of commits of other repositories.
	Links bool
	// Read reports whether an object was read; calls do not overlap. With it
	// Places tells what is below a tree and was not. nil: that is not asked.
	Read func(objects.ID) bool
}

// trees reports whether trees have to be read at all.
func (q *Query) trees() bool { return len(q.IDs)+len(q.Names) > 0 || q.Links || q.Read != nil }

// kind is what an item of a tree is.
type kind uint32

const (
	leaf    kind = iota // of an object that is asked for
	link                // the same, a commit of another repository
	folder              // its target is a tree, or an outline
	whole               // the same, and all below it is asked for
	named               // a name that is asked for
	unread              // something in the tree was not read
	gone                // the tree itself cannot be read
	damaged             // no more of the tree can be read
	kinds
)

// item is an entry of a tree that matters.
type item struct {
	key    uint32 // the number of its name and its kind
	target uint32
}

func newItem(name uint32, k kind, target uint32) item {
	return item{name*uint32(kinds) + uint32(k), target}
}

func (i item) name() uint32 { return i.key / uint32(kinds) }
func (i item) kind() kind   { return kind(i.key % uint32(kinds)) }

// span is a part of a list of items.
type span struct{ start, end uint32 }

// builder takes down what the objects say, as they come.
type builder struct {
	q       Query
	size    int
	workers []scratch

	find *finder

	mu      sync.Mutex
	seen    *marks                  // what was asked for whether it was read
	missing map[objects.ID]struct{} // and was not
	ids     []objects.ID            // that leaves lead to
	numbers map[objects.ID]uint32   // of ids
	commits *table
	heads   []head // by commit
	parents []uint32
	trees   *table
	spans   []span // by tree; {1, 0}: not read
	items   []item
	names   map[string]uint32
	named   []string
}

// head is a commit as it is kept.
type head struct {
	date    int64
	tree    uint32
	parents span
	read    bool
}

// scratch is what a worker makes of one tree.
type scratch struct {
	list []found
	ids  [][]byte // to be asked for whether they were read
	head commitHead
}

type found struct {
	kind kind
	e    Entry
}

func newBuilder(q Query, size int) *builder {
	q.Workers = max(1, q.Workers)
	b := &builder{
		q: q, size: size, workers: make([]scratch, q.Workers), find: newFinder(q.IDs),
		seen: newMarks(), missing: map[objects.ID]struct{}{}, numbers: map[objects.ID]uint32{},
		commits: newTable(size), trees: newTable(size), names: map[string]uint32{"": 0}, named: []string{""},
	}
	b.treeNumber(make([]byte, size)) // 0: none
	return b
}

// read reads all commits and trees of a store.
func (b *builder) read(ctx context.Context, s *objects.Store) error {
	w := objects.Walk{Workers: b.q.Workers, Kinds: []objects.Kind{objects.Commit}, Visit: b.visit}
	if b.q.trees() {
		w.Kinds = append(w.Kinds, objects.Tree)
	}
	if _, err := s.Walk(ctx, w); err != nil {
		return fmt.Errorf("reading commits and trees: %w", err)
	}
	return nil
}

func (b *builder) visit(_ context.Context, worker int, o *objects.Object) (any, error) {
	s := &b.workers[worker]
	switch {
	case o.Stream != nil: // too large to be one
	case o.Kind == objects.Commit:
		parseCommit(o.Data, &s.head)
		b.commit(o.ID, &s.head)
	default:
		bad := b.sift(s, o.Data)
		b.tree(s, o.ID, bad)
	}
	return nil, nil
}

// commit takes down a commit.
func (b *builder) commit(id objects.ID, h *commitHead) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.commitNumber(id.Bytes())
	c := head{date: h.date, read: true}
	var sum [64]byte
	if k, ok := unhex(sum[:], h.tree); ok && k == b.size {
		c.tree = b.treeNumber(sum[:k])
	}
	c.parents.start = uint32(len(b.parents))
	for _, p := range h.parents {
		if k, ok := unhex(sum[:], p); ok && k == b.size {
			b.parents = append(b.parents, b.commitNumber(sum[:k]))
		}
	}
	c.parents.end = uint32(len(b.parents))
	b.heads[n] = c
}

func unhex(dst, text []byte) (int, bool) {
	if len(text) > 2*len(dst) {
		return 0, false
	}
	n, err := hex.Decode(dst, text)
	return n, err == nil
}

func (b *builder) commitNumber(id []byte) uint32 {
	n, fresh := b.commits.number(id)
	if fresh {
		b.heads = append(b.heads, head{})
	}
	return n
}

func (b *builder) treeNumber(id []byte) uint32 {
	n, fresh := b.trees.number(id)
	if fresh {
		b.spans = append(b.spans, span{1, 0})
	}
	return n
}

// sift finds what matters in a tree, and reports whether the tree is damaged.
func (b *builder) sift(s *scratch, data []byte) (bad bool) {
	s.list, s.ids = s.list[:0], s.ids[:0]
	for len(data) > 0 {
		e, rest, ok := Next(data, b.size)
		if !ok {
			return true
		}
		data = rest
		is := len(b.q.Names) > 0 && b.q.Names[string(e.Name)]
		if is {
			s.list = append(s.list, found{named, e})
		}
		switch {
		case e.Tree() && is:
			s.list = append(s.list, found{whole, e})
		case e.Tree():
			s.list = append(s.list, found{folder, e})
		case e.Link():
			if b.q.Links || is {
				s.list = append(s.list, found{link, e})
			}
		case is, b.find.has(e.ID):
			s.list = append(s.list, found{leaf, e})
		case b.q.Read != nil:
			s.ids = append(s.ids, e.ID)
		}
	}
	return false
}

// tree takes down what matters in a tree.
func (b *builder) tree(s *scratch, id objects.ID, bad bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.treeNumber(id.Bytes())
	start := uint32(len(b.items))
	for _, f := range s.list {
		b.items = append(b.items, b.item(f))
	}
	if bad {
		b.items = append(b.items, newItem(0, damaged, n))
	}
	if b.lacks(s.ids) {
		b.items = append(b.items, newItem(0, unread, 0))
	}
	b.spans[n] = span{start, uint32(len(b.items))}
}

func (b *builder) item(f found) item {
	name, has := b.names[string(f.e.Name)]
	if !has {
		name = uint32(len(b.named))
		b.named = append(b.named, string(f.e.Name))
		b.names[b.named[name]] = name
	}
	switch f.kind {
	case folder, whole:
		return newItem(name, f.kind, b.treeNumber(f.e.ID))
	case leaf, link:
		return newItem(name, f.kind, b.idNumber(objects.MakeID(f.e.ID)))
	default:
		return newItem(name, f.kind, 0)
	}
}

func (b *builder) idNumber(id objects.ID) uint32 {
	n, has := b.numbers[id]
	if !has {
		n = uint32(len(b.ids))
		b.numbers[id] = n
		b.ids = append(b.ids, id)
	}
	return n
}

// lacks reports whether one of some objects was not read.
func (b *builder) lacks(ids [][]byte) (lacks bool) {
	for _, id := range ids {
		switch {
		case b.seen.add(id):
			if o := objects.MakeID(id); !b.q.Read(o) {
				b.missing[o] = struct{}{}
				lacks = true
			}
		case len(b.missing) > 0 && !lacks:
			_, lacks = b.missing[objects.MakeID(id)]
		}
	}
	return lacks
}
