package objects

import "slices"

// extras reads the heads of nodes that were found below others, which may find
// more of them.
func (t *tour) extras() {
	f := t.forest
	r := t.s.readers.Get().(*reader)
	defer t.s.readers.Put(r)
	for i := 0; i < len(f.extra); i++ {
		x := f.extra[i]
		if x.grove < 0 {
			f.parent = append(f.parent, looseRoot)
			continue
		}
		f.parent = append(f.parent, t.stand(r, x.grove, x.off, false))
		g := f.groves[x.grove]
		g.bounds = append(g.bounds, x.off)
	}
	for _, g := range f.groves {
		slices.Sort(g.bounds)
	}
}

// prune makes a node without a use stand on nothing and be no root: it is not
// wanted, and nothing wanted stands on it. Its size becomes 0; others' 1.
func (f *forest) prune() {
	f.size = make([]uint32, len(f.parent))
	for _, g := range f.groves {
		for i := range g.keys {
			if !g.wanted.has(g.pos(i)) {
				continue
			}
			for n := uint32(g.start + i); n < nodesMost && f.size[n] == 0; n = f.parent[n] {
				f.size[n] = 1
			}
		}
	}
}

// arrange links parents to children and returns the roots in the order in
// which they are walked: very heavy ones first, so that no worker is left alone
// with one, then as they lie in the packs. The heaviest child is the last: what
// is kept for later children is at most the logarithm of the tree.
func (f *forest) arrange(workers int, wants func(Kind) bool) []uint32 {
	n := len(f.parent)
	f.child, f.next = make([]uint32, n), make([]uint32, n)
	f.weigh()
	for i := range f.child {
		f.child[i], f.next[i] = none, none
	}
	var roots, heavy []uint32
	for i := n - 1; i >= 0; i-- {
		if f.size[i] == 0 {
			continue
		}
		switch p := f.parent[i]; {
		case p < nodesMost:
			f.next[i], f.child[p] = f.child[p], uint32(i)
		case p&^0xf == rootMark && !wants(Kind(p&0xf)):
		case int(f.size[i]) > 64 && int(f.size[i]) > n/(8*workers):
			heavy = append(heavy, uint32(i))
		default:
			roots = append(roots, uint32(i))
		}
	}
	for i := range f.child {
		f.heaviestLast(uint32(i))
	}
	slices.Reverse(roots)
	slices.SortFunc(heavy, func(a, b uint32) int { return int(f.size[b]) - int(f.size[a]) })
	f.size = nil
	return append(heavy, roots...)
}

// weigh sums up trees from their leaves on. What is never reached that way is
// on a cycle, and becomes a root that cannot be read. It uses child and next
// for its own ends.
func (f *forest) weigh() {
	left, queue := f.child, f.next[:0]
	for i, p := range f.parent {
		if f.size[i] > 0 && p < nodesMost {
			left[p]++
		}
	}
	for i := range f.parent {
		if f.size[i] > 0 && left[i] == 0 {
			queue = append(queue, uint32(i))
		}
	}
	for at := 0; at < len(queue); at++ {
		p := f.parent[queue[at]]
		if p >= nodesMost {
			continue
		}
		f.size[p] += f.size[queue[at]]
		if left[p]--; left[p] == 0 {
			queue = append(queue, p)
		}
	}
	for i := range f.parent {
		if f.size[i] > 0 && left[i] > 0 {
			f.parent[i] = onCycle
		}
	}
}

// heaviestLast moves the child with the largest tree to the end of the list.
func (f *forest) heaviestLast(p uint32) {
	first := f.child[p]
	if first == none || f.next[first] == none {
		return
	}
	best, beforeBest := first, uint32(none)
	last := first
	for c := first; f.next[c] != none; {
		before := c
		c = f.next[c]
		if f.size[c] >= f.size[best] {
			best, beforeBest = c, before
		}
		last = c
	}
	if best == last {
		return
	}
	if beforeBest == none {
		f.child[p] = f.next[best]
	} else {
		f.next[beforeBest] = f.next[best]
	}
	f.next[last], f.next[best] = best, none
}
