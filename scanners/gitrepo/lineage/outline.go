package lineage

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"revenant/scanners/gitrepo/objects"
)

// Outline is the number of what a tree has that is asked for. Trees that have
// the same, at the same paths, have the same outline; 0 has nothing.
type Outline uint32

// outlines are kept each once.
type outlines struct {
	seed  maphash.Seed
	spans []span
	items []item
	by    map[uint64]uint32 // the last outline with a hash
	same  []uint32          // the one before it with the same hash
	key   []byte
}

func newOutlines() *outlines {
	return &outlines{seed: maphash.MakeSeed(), spans: []span{{}}, same: []uint32{0}, by: map[uint64]uint32{}}
}

func (o *outlines) list(n uint32) []item {
	s := o.spans[n]
	return o.items[s.start:s.end]
}

// number is the number of a list of items, which it sorts.
func (o *outlines) number(list []item) uint32 {
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, item.compare)
	o.key = o.key[:0]
	for _, i := range list {
		o.key = binary.LittleEndian.AppendUint64(o.key, uint64(i.key)<<32|uint64(i.target))
	}
	sum := maphash.Bytes(o.seed, o.key)
	for n := o.by[sum]; n != 0; n = o.same[n] {
		if slices.Equal(o.list(n), list) {
			return n
		}
	}
	n := uint32(len(o.spans))
	start := uint32(len(o.items))
	o.items = append(o.items, list...)
	o.spans = append(o.spans, span{start, uint32(len(o.items))})
	o.same = append(o.same, o.by[sum])
	o.by[sum] = n
	return n
}

func (i item) compare(j item) int {
	a, b := uint64(i.key)<<32|uint64(i.target), uint64(j.key)<<32|uint64(j.target)
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// maxDepth is how deep folders are followed; git itself stops a little later.
const maxDepth = 2000

// Marks of trees whose outline is not known.
const (
	unmade  = ^uint32(0)
	pending = unmade - 1 // a tree in itself cannot be, but may be claimed
)

// step is a tree whose outline is being made, and how far that has come.
type step struct{ tree, at uint32 }

// outline is what a tree has, from what the trees below it have.
func (h *History) outline(ctx context.Context, tree uint32) uint32 {
	if h.made[tree] != unmade {
		return h.settled(tree)
	}
	stack := append(h.stack[:0], step{tree: tree})
	h.made[tree] = pending
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		s := h.b.spans[top.tree]
		deeper := false
		for ; s.start+top.at < s.end && !deeper; top.at++ {
			i := h.b.items[s.start+top.at]
			if i.kind() == folder && h.made[i.target] == unmade {
				h.made[i.target] = pending
				deeper = true
				stack = append(stack, step{tree: i.target})
				break
			}
		}
		if deeper {
			continue
		}
		h.made[top.tree] = h.make(ctx, top.tree)
		stack = stack[:len(stack)-1]
	}
	h.stack = stack
	return h.made[tree]
}

// settled is the outline of a tree that was met before.
func (h *History) settled(tree uint32) uint32 {
	if h.made[tree] == pending {
		return 0
	}
	return h.made[tree]
}

// make makes the outline of a tree whose folders have theirs.
func (h *History) make(ctx context.Context, tree uint32) uint32 {
	s := h.b.spans[tree]
	if s.start > s.end {
		return h.out.number([]item{newItem(0, gone, tree)})
	}
	h.list = h.list[:0]
	for _, i := range h.b.items[s.start:s.end] {
		switch i.kind() {
		case folder:
			i.target = h.settled(i.target)
		case whole:
			i = newItem(i.name(), folder, h.whole(ctx, i.target, 0))
		default:
		}
		if i.kind() != folder || i.target != 0 {
			h.list = append(h.list, i)
		}
	}
	return h.out.number(h.list)
}

// whole is the outline of a tree of which everything is asked for. There are
// few of those, so they are read now.
func (h *History) whole(ctx context.Context, tree uint32, depth int) uint32 {
	if o, has := h.wholes[tree]; has || depth > maxDepth {
		return o
	}
	h.wholes[tree] = 0
	kind, data, err := h.store.Get(ctx, h.b.trees.id(tree))
	if err != nil || kind != objects.Tree {
		h.wholes[tree] = h.out.number([]item{newItem(0, gone, tree)})
		return h.wholes[tree]
	}
	var list []item
	for len(data) > 0 {
		e, rest, ok := Next(data, h.b.size)
		if !ok {
			list = append(list, newItem(0, damaged, tree))
			break
		}
		data = rest
		if h.b.q.Names[string(e.Name)] {
			list = append(list, h.b.item(found{named, e}))
		}
		switch {
		case e.Tree():
			i := h.b.item(found{folder, e})
			h.grow()
			if i.target = h.whole(ctx, i.target, depth+1); i.target != 0 {
				list = append(list, i)
			}
		case e.Link():
			list = append(list, h.b.item(found{link, e}))
		default:
			list = append(list, h.b.item(found{leaf, e}))
		}
	}
	h.wholes[tree] = h.out.number(list)
	return h.wholes[tree]
}

// grow makes room for trees that were met late.
func (h *History) grow() {
	for len(h.made) < len(h.b.spans) {
		h.made = append(h.made, unmade)
	}
}
