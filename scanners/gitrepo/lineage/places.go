package lineage

import (
	"cmp"
	"context"
	"slices"

	"revenant/scanners/gitrepo/objects"
)

// maxSteps bounds what is looked at for one commit or one outline: a few small
// trees can claim more paths than there is room for.
const maxSteps = 1 << 21

// Over reports whether something had more places than were looked at.
func (h *History) Over() bool { return h.over }

// Root is the outline of the tree of a commit, or of a tree.
func (h *History) Root(ctx context.Context, id objects.ID) (o Outline, commit, is bool) {
	if n, has := h.b.commits.find(id.Bytes()); has && h.b.heads[n].read {
		return Outline(h.outline(ctx, h.b.heads[n].tree)), true, true
	}
	n, has := h.b.trees.find(id.Bytes())
	if !has || n == 0 || h.b.spans[n].start > h.b.spans[n].end {
		return 0, false, false
	}
	return Outline(h.outline(ctx, n)), false, true
}

// Content is what an outline stands for.
type Content struct {
	Places []Place // sorted
	// Sure says that everything in the trees was read, as Query.Read has it.
	Sure bool
	// Gone are trees that could not be read, Damaged those that could in part.
	Gone, Damaged []objects.ID
}

// Content takes an outline apart.
func (h *History) Content(o Outline) Content {
	c := Content{Sure: true}
	h.steps = 0
	h.spell(uint32(o), "", 0, &c)
	sortPlaces(c.Places)
	return c
}

func (h *History) spell(o uint32, below string, depth int, c *Content) {
	for _, i := range h.out.list(o) {
		if h.beyond(depth) {
			c.Sure = false
			return
		}
		switch i.kind() {
		case folder:
			h.spell(i.target, below+h.b.named[i.name()]+"/", depth+1, c)
		case gone:
			c.Sure = false
			c.Gone = append(c.Gone, h.b.trees.id(i.target))
		case damaged:
			c.Sure = false
			c.Damaged = append(c.Damaged, h.b.trees.id(i.target))
		case unread:
			c.Sure = false
		default:
			c.Places = append(c.Places, h.place(i, below))
		}
	}
}

// beyond counts a step and reports whether it is one too many.
func (h *History) beyond(depth int) bool {
	h.steps++
	beyond := depth > maxDepth || h.steps > maxSteps
	h.over = h.over || beyond
	return beyond
}

func (h *History) place(i item, below string) Place {
	p := Place{Path: below + h.b.named[i.name()], Link: i.kind() == link}
	if i.kind() != named {
		p.ID = h.b.ids[i.target]
	}
	return p
}

func sortPlaces(list []Place) {
	slices.SortFunc(list, func(a, b Place) int { return cmp.Or(cmp.Compare(a.Path, b.Path), a.ID.Compare(b.ID)) })
}

// brought are the places that a commit brought objects to.
func (h *History) brought(ctx context.Context, n uint32) []Place {
	o := h.outline(ctx, h.b.heads[n].tree)
	if o == 0 {
		return nil
	}
	var others []uint32
	for _, p := range h.parentsOf(n, nil) {
		others = append(others, h.outline(ctx, h.b.heads[p].tree))
	}
	var c Content
	h.steps = 0
	h.differ(o, others, "", 0, &c)
	sortPlaces(c.Places)
	return c.Places
}

// differ adds what an outline has and none of the others has at the path.
func (h *History) differ(o uint32, others []uint32, below string, depth int, c *Content) {
	if slices.Contains(others, o) {
		return
	}
	lists := make([][]item, len(others)) // what is left of them; sorted, as all are
	for k, other := range others {
		lists[k] = h.out.list(other)
	}
	for _, i := range h.out.list(o) {
		if h.beyond(depth) {
			return
		}
		switch i.kind() {
		case leaf, link:
			if !has(lists, i) {
				c.Places = append(c.Places, h.place(i, below))
			}
		case folder:
			h.differ(i.target, folders(lists, i), below+h.b.named[i.name()]+"/", depth+1, c)
		default: // no object
		}
	}
}

// has reports whether one of some lists has an item. What is before it is
// dropped.
func has(lists [][]item, i item) (has bool) {
	for k, list := range lists {
		for len(list) > 0 && list[0].compare(i) < 0 {
			list = list[1:]
		}
		lists[k] = list
		has = has || len(list) > 0 && list[0] == i
	}
	return has
}

// folders are those that lists have by the name of one.
func folders(lists [][]item, i item) (out []uint32) {
	for k, list := range lists {
		for len(list) > 0 && list[0].key < i.key {
			list = list[1:]
		}
		lists[k] = list
		for _, other := range list {
			if other.key != i.key {
				break
			}
			out = append(out, other.target)
		}
	}
	return out
}
