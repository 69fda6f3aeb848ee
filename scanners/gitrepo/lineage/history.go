package lineage

import (
	"cmp"
	"container/heap"
	"context"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/scanners/gitrepo/objects"
)

// Place is an object at a path. Without an id it is a name that was asked for.
type Place struct {
	ID   objects.ID
	Path string
	Link bool // no object here but a commit of another repository
}

// History is what commits and trees say of what a Query asks for. Not safe for
// concurrent use.
type History struct {
	b      *builder
	store  *objects.Store
	made   []uint32 // outlines, by tree
	wholes map[uint32]uint32
	out    *outlines
	stack  []step
	list   []item
	steps  int // of the walk under way
	over   bool
}

// Read reads all commits and trees of a store.
func Read(ctx context.Context, s *objects.Store, q Query) (*History, error) {
	b := newBuilder(q, s.Format().Size())
	if err := b.read(ctx, s); err != nil {
		return nil, err
	}
	h := &History{b: b, store: s, wholes: map[uint32]uint32{}, out: newOutlines()}
	h.grow()
	h.cut()
	return h, nil
}

// cut sets the parents of commits as the repository wants them: by grafts, and
// none where the history is shallow.
func (h *History) cut() {
	graft := func(id objects.ID, parents []objects.ID) {
		n, has := h.b.commits.find(id.Bytes())
		if !has {
			return
		}
		s := span{start: uint32(len(h.b.parents))}
		for _, p := range parents {
			h.b.parents = append(h.b.parents, h.b.commitNumber(p.Bytes()))
		}
		s.end = uint32(len(h.b.parents))
		h.b.heads[n].parents = s
	}
	data, err := os.ReadFile(filepath.Join(h.store.Layout().CommonDir, "info", "grafts"))
	if err != nil {
		data = nil // there are none
	}
	for line := range strings.Lines(string(data)) {
		var ids []objects.ID
		for f := range strings.FieldsSeq(line) {
			id, err := objects.ParseID(f)
			if err != nil || len(id.Bytes()) != h.b.size {
				ids = nil
				break
			}
			ids = append(ids, id)
		}
		if len(ids) > 0 {
			graft(ids[0], ids[1:])
		}
	}
	shallow, err := h.store.Shallow()
	if err != nil {
		return // then it is not known to be
	}
	for _, id := range shallow {
		graft(id, nil)
	}
}

// parentsOf are the parents of a commit that could be read.
func (h *History) parentsOf(n uint32, dst []uint32) []uint32 {
	s := h.b.heads[n].parents
	for _, p := range h.b.parents[s.start:s.end] {
		if h.b.heads[p].read {
			dst = append(dst, p)
		}
	}
	return dst
}

// Reached are the commits that some reach, themselves included.
type Reached struct {
	h   *History
	has []bool
}

// Reach follows parents from some commits; what is none of them is left out.
func (h *History) Reach(tips []objects.ID) *Reached {
	r := &Reached{h: h, has: make([]bool, len(h.b.heads))}
	var stack []uint32
	visit := func(n uint32) {
		if h.b.heads[n].read && !r.has[n] {
			r.has[n] = true
			stack = append(stack, n)
		}
	}
	for _, id := range tips {
		if n, has := h.b.commits.find(id.Bytes()); has {
			visit(n)
		}
	}
	var parents []uint32
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		parents = h.parentsOf(n, parents[:0])
		for _, p := range parents {
			visit(p)
		}
	}
	return r
}

// Has reports whether a commit is reached.
func (r *Reached) Has(id objects.ID) bool {
	n, has := r.h.b.commits.find(id.Bytes())
	return has && int(n) < len(r.has) && r.has[n]
}

// All yields them, in no order.
func (r *Reached) All() iter.Seq[objects.ID] {
	return func(yield func(objects.ID) bool) {
		for n, has := range r.has {
			if has && !yield(r.h.b.commits.id(uint32(n))) {
				return
			}
		}
	}
}

// Brought calls each for every commit that brought in something that is asked
// for, with the places, sorted: the oldest last, and those that are reached
// before all others.
func (h *History) Brought(ctx context.Context, r *Reached, each func(commit objects.ID, reached bool, places []Place)) error {
	order := h.order()
	slices.Reverse(order)
	for _, reached := range []bool{true, false} {
		for _, n := range order {
			if r.has[n] != reached {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if places := h.brought(ctx, n); len(places) > 0 {
				each(h.b.commits.id(n), reached, places)
			}
		}
	}
	return nil
}

// order lists all commits that could be read, the oldest first.
func (h *History) order() []uint32 {
	n := len(h.b.heads)
	q := &queue{h: h}
	left, first, next := make([]uint32, n), make([]uint32, n+1), []uint32(nil)
	var parents []uint32
	for c := range uint32(n) { // children of each, one behind another
		parents = h.parentsOf(c, parents[:0])
		for _, p := range parents {
			first[p+1]++
		}
		left[c] = uint32(len(parents))
	}
	for i := range n {
		first[i+1] += first[i]
	}
	next = make([]uint32, first[n])
	at := slices.Clone(first)
	for c := range uint32(n) {
		parents = h.parentsOf(c, parents[:0])
		for _, p := range parents {
			next[at[p]] = c
			at[p]++
		}
		if left[c] == 0 && h.b.heads[c].read {
			q.list = append(q.list, c)
		}
	}
	heap.Init(q)
	out := make([]uint32, 0, n)
	for q.Len() > 0 {
		c := heap.Pop(q).(uint32)
		out = append(out, c)
		for _, child := range next[first[c]:first[c+1]] {
			if left[child]--; left[child] == 0 && h.b.heads[child].read {
				heap.Push(q, child)
			}
		}
	}
	return h.circles(out)
}

// circles adds commits that are their own ancestors: only grafts make such.
func (h *History) circles(order []uint32) []uint32 {
	done := make([]bool, len(h.b.heads))
	for _, n := range order {
		done[n] = true
	}
	for n := range uint32(len(h.b.heads)) {
		if !done[n] && h.b.heads[n].read {
			order = append(order, n)
		}
	}
	return order
}

// queue has the oldest commit first.
type queue struct {
	h    *History
	list []uint32
}

func (q *queue) Len() int { return len(q.list) }

func (q *queue) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	return cmp.Or(cmp.Compare(q.h.b.heads[a].date, q.h.b.heads[b].date), slices.Compare(q.h.b.commits.bytes(a), q.h.b.commits.bytes(b))) < 0
}

func (q *queue) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }

// Push implements heap.Interface.
func (q *queue) Push(x any) { q.list = append(q.list, x.(uint32)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}
