package objects

import (
	"cmp"
	"context"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
)

// Marks in forest.parent of what has no parent, above all numbers of nodes.
const (
	rootMark  = 0xffff_ff00 // and the kind
	looseRoot = 0xffff_ff10 // a loose object that deltas stand on
	badHead   = 0xffff_ff20 // no object begins there
	noBase    = 0xffff_ff30 // the base is nowhere
	onCycle   = 0xffff_ff40 // stands on itself
	nodesMost = 0xffff_ff00
	none      = 0xffff_ffff
)

// forest holds the objects of a walk as trees: an object's parent is what it
// is a delta of. Nodes are numbered pack by pack in the order of offsets; what
// is not to be shown, but stands below what is, comes last.
type forest struct {
	groves []*grove
	extra  []extraNode
	first  int // number of the first extra node

	parent      []uint32
	child, next []uint32 // first child, next sibling; the heaviest child is last
	size        []uint32 // nodes of the tree below, itself included
}

// grove is the part of a forest that is in one pack.
type grove struct {
	p      *pack
	start  int      // number of its first node
	keys   []uint64 // offset and position in the index, in order
	shift  uint     // bits of the position
	dense  bool     // all objects of the pack are nodes
	wanted bitset   // by position in the index
	trust  bool     // checksums stand for ids

	extra  map[int64]uint32
	bounds []int64 // offsets of extra nodes, in order
}

type extraNode struct {
	grove int // -1: loose
	off   int64
	id    ID
	loose looseDir
}

func (g *grove) offset(i int) int64 { return int64(g.keys[i] >> g.shift) }

func (g *grove) pos(i int) int { return int(g.keys[i] & (1<<g.shift - 1)) }

// end is where the entry at off ends at the latest.
func (g *grove) end(off int64) int64 {
	end := g.p.end
	if i, _ := slices.BinarySearch(g.keys, uint64(off+1)<<g.shift); i < len(g.keys) {
		end = min(end, g.offset(i))
	}
	if i, _ := slices.BinarySearch(g.bounds, off+1); i < len(g.bounds) {
		end = min(end, g.bounds[i])
	}
	return end
}

// newGrove lists the nodes of a pack: all its objects when many of them are
// wanted, so that bases need not be looked for one by one, else those that are.
func newGrove(pk pick, verify Verify) (g *grove, err error) {
	defer caught(&err)
	n := pk.p.index.n
	g = &grove{p: pk.p, wanted: pk.wanted, shift: uint(bits.Len(uint(n))), dense: pk.count > n/8, extra: map[int64]uint32{}}
	if pk.count == 0 {
		return g, nil
	}
	if bits.Len64(uint64(pk.p.end))+int(g.shift) > 64 {
		return nil, broken(ReasonFormat)
	}
	g.keys = make([]uint64, 0, n)
	for i := range n {
		if !g.dense && !pk.wanted.has(i) {
			continue
		}
		off, ok := pk.p.index.offset(i)
		if !ok || off < 0 || off > pk.p.end { // found wrong when its head is read
			off = pk.p.end
		}
		g.keys = append(g.keys, uint64(off)<<g.shift|uint64(i))
	}
	sortKeys(g.keys)
	g.trust = g.dense && verify == VerifyPacked && pk.p.sound()
	return g, nil
}

// sortKeys sorts by bytes from the lowest, which beats comparing from a few
// hundred on.
func sortKeys(keys []uint64) {
	if len(keys) < 512 {
		slices.Sort(keys)
		return
	}
	const width = 11
	var most uint64
	for _, k := range keys {
		most = max(most, k)
	}
	from, to := keys, make([]uint64, len(keys))
	for shift := 0; most>>shift != 0; shift += width {
		var count [1 << width]int
		for _, k := range from {
			count[k>>shift&(1<<width-1)]++
		}
		sum := 0
		for i, c := range count {
			count[i] = sum
			sum += c
		}
		for _, k := range from {
			b := k >> shift & (1<<width - 1)
			to[count[b]] = k
			count[b]++
		}
		from, to = to, from
	}
	if &from[0] != &keys[0] {
		copy(keys, from)
	}
}

// plant finds what every wanted object stands on.
func (t *tour) plant(ctx context.Context) error {
	f := &forest{}
	t.forest, t.groveOf, t.looseNode = f, map[*pack]int{}, map[ID]uint32{}
	chosen := map[*pack]pick{}
	for _, pk := range t.picks {
		if pk.lost {
			t.lost = append(t.lost, pk)
			continue
		}
		chosen[pk.p] = pk
	}
	for _, p := range t.packs {
		pk, ok := chosen[p]
		if !ok { // bases may be in it
			pk = pick{p: p}
		}
		t.addGrove(pk)
	}
	f.parent = make([]uint32, f.first)
	if err := t.heads(ctx); err != nil {
		return err
	}
	t.extras()
	f.prune()
	t.roots = f.arrange(t.w.Workers, t.wants)
	return nil
}

func (t *tour) addGrove(pk pick) {
	f := t.forest
	g, err := newGrove(pk, t.s.opts.Verify)
	if err != nil || f.first+len(g.keys) > nodesMost {
		t.s.problem(pk.p.base+".pack", ReasonFormat, true)
		t.lost = append(t.lost, pk)
		return
	}
	g.start = f.first
	f.first += len(g.keys)
	t.groveOf[pk.p] = len(f.groves)
	f.groves = append(f.groves, g)
}

// locate is the grove and the place in it of a node; nil for an extra one.
func (f *forest) locate(n int) (*grove, int) {
	if n >= f.first {
		return nil, n - f.first
	}
	i, ok := slices.BinarySearchFunc(f.groves, n, func(g *grove, n int) int { return cmp.Compare(g.start, n) })
	if !ok {
		i--
	}
	for len(f.groves[i].keys) == 0 {
		i++
	}
	return f.groves[i], n - f.groves[i].start
}

// headBatch is how many heads a worker reads at once.
const headBatch = 4096

// heads reads the heads of all nodes, in parallel.
func (t *tour) heads(ctx context.Context) error {
	for gi, g := range t.forest.groves {
		if len(g.keys) == 0 {
			continue
		}
		var at atomic.Int64
		var wg sync.WaitGroup
		for range min(t.w.Workers, (len(g.keys)+headBatch-1)/headBatch) {
			wg.Go(func() {
				defer unguard(guard())
				r := t.s.readers.Get().(*reader)
				defer t.s.readers.Put(r)
				for ctx.Err() == nil {
					from := int(at.Add(headBatch)) - headBatch
					if from >= len(g.keys) {
						return
					}
					for i := from; i < min(from+headBatch, len(g.keys)); i++ {
						twin := i > 0 && g.offset(i) == g.offset(i-1)
						t.forest.parent[g.start+i] = t.stand(r, gi, g.offset(i), twin)
					}
				}
			})
		}
		wg.Wait()
		g.p.file.touch(idleBytes)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// stand says what the object at an offset stands on: the number of a node, or
// a mark. Two ids at one offset cannot both be right.
func (t *tour) stand(r *reader, gi int, off int64, twin bool) uint32 {
	g := t.forest.groves[gi]
	if twin {
		return badHead
	}
	e, err := r.entryHead(place{pack: g.p, off: off})
	if err != nil {
		return badHead
	}
	switch e.kind {
	case ofsDelta:
		return t.node(gi, e.base)
	case refDelta:
		return t.named(gi, e.ref)
	default:
		return rootMark | uint32(e.kind)
	}
}

// named is the node of a base that is named by its id: in the same pack, in
// another one, or loose.
func (t *tour) named(gi int, id ID) uint32 {
	pl, ok := t.s.basePlace(t.forest.groves[gi].p, id)
	if !ok {
		return noBase
	}
	if pl.pack != nil {
		if gi, ok = t.groveOf[pl.pack]; !ok {
			return noBase
		}
		return t.node(gi, pl.off)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n, ok := t.looseNode[id]
	if !ok {
		n = t.addLocked(extraNode{grove: -1, id: id, loose: pl.loose})
		t.looseNode[id] = n
	}
	return n
}

// node is the number of the object at an offset, which may be new.
func (t *tour) node(gi int, off int64) uint32 {
	g := t.forest.groves[gi]
	if i, _ := slices.BinarySearch(g.keys, uint64(off)<<g.shift); i < len(g.keys) && g.offset(i) == off {
		return uint32(g.start + i)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := g.extra[off]; ok {
		return n
	}
	n := t.addLocked(extraNode{grove: gi, off: off})
	if n < nodesMost {
		g.extra[off] = n
	}
	return n
}

func (t *tour) addLocked(x extraNode) uint32 {
	n := t.forest.first + len(t.forest.extra)
	if n >= nodesMost {
		return badHead
	}
	t.forest.extra = append(t.forest.extra, x)
	return uint32(n)
}
