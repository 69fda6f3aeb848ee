package objects

import (
	"context"
)

// frame is an object whose children are not all made yet.
type frame struct {
	child uint32 // the next one
	kind  Kind
	data  []byte
	owned bool // data is a buffer of the reader
	sure  bool // data was checked
	gone  bool // data could not be had: children must be found elsewhere
	id    ID   // zero: not known
	state any
	depth int
}

// spot is where a node is.
type spot struct {
	place
	g     *grove // nil: loose
	id    ID     // zero: not known
	shown bool
}

func (k *walker) spot(n uint32) (sp spot) {
	var err error
	defer caught(&err)
	f := k.t.forest
	g, i := f.locate(int(n))
	if g != nil {
		pos := g.pos(i)
		sp.place = place{pack: g.p, pos: pos, off: g.offset(i)}
		sp.g, sp.id, sp.shown = g, MakeID(g.p.index.id(pos)), g.wanted.has(pos)
		return sp
	}
	x := f.extra[i]
	sp.id = x.id
	if x.grove < 0 {
		sp.place = place{loose: x.loose, pos: -1}
		return sp
	}
	sp.g = f.groves[x.grove]
	sp.place = place{pack: sp.g.p, pos: -1, off: x.off}
	return sp
}

// family shows a root and all that stands on it, depth first. Before the last
// child of an object is shown, the object itself is given up.
func (k *walker) family(ctx context.Context, root uint32) error {
	k.stack = k.stack[:0]
	defer k.unwind()
	fr, err := k.root(ctx, root)
	if err != nil {
		return err
	}
	k.push(root, fr)
	for count := 0; len(k.stack) > 0; count++ {
		if count%64 == 63 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		top := &k.stack[len(k.stack)-1]
		n := top.child
		top.child = k.t.forest.next[n]
		fr, err := k.made(ctx, n, top)
		if err != nil {
			return err
		}
		if top.child == none {
			k.release(top)
			k.stack = k.stack[:len(k.stack)-1]
		}
		k.push(n, fr)
	}
	return nil
}

func (k *walker) push(n uint32, fr frame) {
	fr.child = k.t.forest.child[n]
	if fr.child == none {
		k.release(&fr)
		return
	}
	k.stack = append(k.stack, fr)
}

func (k *walker) release(fr *frame) {
	if fr.owned {
		k.r.bufs.put(fr.data)
	}
	fr.data, fr.owned, fr.state = nil, false, nil
}

func (k *walker) unwind() {
	for i := range k.stack {
		k.release(&k.stack[i])
	}
	k.stack = k.stack[:0]
}

// root reads and shows what stands on nothing, or cannot be made.
func (k *walker) root(ctx context.Context, n uint32) (frame, error) {
	sp := k.spot(n)
	switch mark := k.t.forest.parent[n]; mark {
	case badHead:
		return k.recover(ctx, sp, k.headReason(sp))
	case noBase:
		return k.recover(ctx, sp, broken(ReasonNoBase))
	case onCycle:
		return k.recover(ctx, sp, broken(ReasonCycle))
	case looseRoot:
		kind, data, err := k.r.looseData(sp.loose, sp.id)
		if err != nil {
			return k.recover(ctx, sp, err)
		}
		return frame{kind: kind, data: data, owned: true, sure: true, id: sp.id}, nil
	}
	e, err := k.r.entryHead(sp.place)
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	if e.size > k.t.s.opts.Limits.Whole {
		return k.rootStream(ctx, sp, e)
	}
	if err := k.enterLane(ctx, e.size); err != nil {
		return frame{}, err
	}
	data, sure, err := k.entry(sp, e)
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	fr := frame{kind: e.kind, data: data, owned: true, sure: sure, id: sp.id}
	return k.shown(ctx, sp, fr, nil)
}

// headReason is why no object begins at a spot.
func (k *walker) headReason(sp spot) error {
	if _, err := k.r.entryHead(sp.place); err != nil {
		return err
	}
	return broken(ReasonOffset) // another id has it
}

// rootStream shows a large object bit by bit. What stands on it has to be found
// elsewhere.
func (k *walker) rootStream(ctx context.Context, sp spot, e entry) (frame, error) {
	lost := frame{gone: true, id: sp.id, kind: e.kind}
	if !sp.shown {
		return lost, nil
	}
	st, err := k.r.stream(sp.pack, e, sp.g.end(sp.off), sp.id)
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	reason, err := k.showStream(ctx, sp.id, st, sp.pack)
	if reason != "" {
		k.lose(sp, reason, ID{})
	}
	return lost, err
}

// entry inflates what is at a spot; sure reports that it was checked.
func (k *walker) entry(sp spot, e entry) (data []byte, sure bool, err error) {
	var crc *uint32
	if sp.g.trust && sp.pos >= 0 {
		if c, ok := sp.pack.index.crc(sp.pos); ok {
			crc = &c
		}
	}
	end := sp.g.end(sp.off)
	data, err = k.r.entryData(sp.pack, sp.off, end, e, crc)
	if err != nil && end < sp.pack.end && k.beyond(e, err) {
		if again, err := k.r.entryData(sp.pack, sp.off, sp.pack.end, e, crc); err == nil {
			return again, crc != nil, nil
		}
	}
	return data, crc != nil, err
}

// beyond reports whether an entry that ends too early may be read beyond where
// the next one begins: the index may lie of the next one. What that costs is
// bounded by the size of the packs, whatever how many entries overlap.
func (k *walker) beyond(e entry, err error) bool {
	if r := ReasonOf(err); r != ReasonStream && r != ReasonSize {
		return false
	}
	return e.size <= k.t.s.opts.Limits.Whole && k.t.spare.Add(-e.size-minSpare) > 0
}

// minSpare is what reading an entry again counts at least.
const minSpare = 1 << 10

// made makes an object from its base, and shows it.
func (k *walker) made(ctx context.Context, n uint32, base *frame) (frame, error) {
	sp := k.spot(n)
	if base.gone {
		return k.recoverBase(ctx, sp, base)
	}
	e, err := k.r.entryHead(sp.place)
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	delta, sure, err := k.entry(sp, e)
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	defer k.r.bufs.put(delta)
	if _, size, _, err := deltaSizes(delta); err == nil {
		if err := k.enterLane(ctx, size); err != nil {
			return frame{}, err
		}
	}
	var pieces []Piece
	if k.t.w.Pieces {
		if k.pieces == nil {
			k.pieces = make([]Piece, 0, 1024)
		}
		pieces = k.pieces[:0]
	}
	data, pieces, err := k.r.apply(base.data, delta, pieces)
	if k.t.w.Pieces {
		k.pieces = pieces[:0]
	}
	if err != nil {
		return k.recover(ctx, sp, err)
	}
	fr := frame{kind: base.kind, data: data, owned: true, sure: sure && base.sure, id: sp.id, depth: base.depth + 1}
	var d *Delta
	if k.t.w.Pieces {
		k.delta = Delta{Base: base.data, State: base.state, Pieces: pieces, Depth: fr.depth}
		d = &k.delta
	}
	return k.shown(ctx, sp, fr, d)
}

// shown checks an object and shows it, if it is to be shown.
func (k *walker) shown(ctx context.Context, sp spot, fr frame, d *Delta) (frame, error) {
	if !fr.sure && !sp.id.IsZero() {
		if !k.r.is(sp.id, fr.kind, fr.data) {
			k.release(&fr)
			return k.recover(ctx, sp, broken(ReasonID))
		}
		fr.sure = true
	}
	if !sp.shown || !k.t.wants(fr.kind) {
		return fr, nil
	}
	var err error
	fr.state, err = k.show(ctx, sp.id, fr.kind, fr.data, sp.pack, d)
	if err != nil {
		k.release(&fr)
		return frame{}, err
	}
	if fr.depth > 0 {
		k.report.Deltas++
	}
	return fr, nil
}
