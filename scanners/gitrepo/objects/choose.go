package objects

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
)

// pick is what a walk shows of one pack.
type pick struct {
	p      *pack
	lost   bool // the pack cannot be opened: what only it has is damaged
	wanted bitset
	count  int
}

type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 == 1 }

// choose decides which copy of each packed object is shown. All tables are in
// the order of ids, so one pass over them side by side finds the copies.
func (t *tour) choose(ctx context.Context) (err error) {
	defer caught(&err)
	known, lost := t.sift()
	for try := 0; slices.ContainsFunc(lost, pick.gone) && try < reloadsMost; try++ {
		// Packed anew since it was seen: what it had is in another one.
		if err := t.s.Reload(ctx); err != nil {
			return err
		}
		if len(t.s.shelf.Load().packs) == len(t.packs) {
			break
		}
		known, lost = t.sift()
	}
	for _, pk := range lost {
		t.s.problem(pk.p.base+".pack", ReasonOf(pk.p.err), true)
	}
	for _, p := range known {
		t.report.Unwanted += int64(p.index.n)
	}
	t.picks = append(t.picks, lost...) // others' copies come first
	return t.merge(ctx, known)
}

// gone reports whether the pack was there and is not any more.
func (pk pick) gone() bool { return errors.Is(pk.p.err, os.ErrNotExist) }

// sift opens the packs that are not known, and returns those that are and those
// that cannot be opened.
func (t *tour) sift() (known []*pack, lost []pick) {
	t.packs = t.s.shelf.Load().packs
	t.picks = nil
	t.spare.Store(1 << 20)
	for _, p := range t.packs {
		if t.w.Known != nil && t.w.Known(p.info()) {
			known = append(known, p)
			continue
		}
		pk := pick{p: p, wanted: newBitset(p.index.n)}
		if err := p.open(); err != nil {
			pk.lost = true
			lost = append(lost, pk)
			continue
		}
		if !p.matches && p.index.packSum != nil {
			t.s.problem(p.base+".pack", ReasonChecksum, false)
		}
		t.spare.Add(4 * p.file.size)
		t.picks = append(t.picks, pk)
	}
	return known, lost
}

// cursor is how far the pass came in one table.
type cursor struct {
	pick int
	pos  int
	head uint64 // first bytes of the id
	id   []byte
}

func (c *cursor) less(o *cursor) bool {
	if c.head != o.head {
		return c.head < o.head
	}
	if d := bytes.Compare(c.id, o.id); d != 0 {
		return d < 0
	}
	return c.pick < o.pick
}

func (t *tour) merge(ctx context.Context, known []*pack) error {
	var heap []*cursor
	for i := range t.picks {
		if c := (&cursor{pick: i, pos: -1}); c.next(t.picks[i].p.index) {
			heap = append(heap, c)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sink(heap, i)
	}
	var last [32]byte
	any := false
	for n := 0; len(heap) > 0; n++ {
		if n%4096 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c := heap[0]
		if size := len(c.id); !any || !bytes.Equal(last[:size], c.id) {
			copy(last[:], c.id)
			any = true
			t.consider(c, known)
		}
		if !c.next(t.picks[c.pick].p.index) {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		sink(heap, 0)
	}
	return nil
}

func (t *tour) consider(c *cursor, known []*pack) {
	pk := &t.picks[c.pick]
	for _, p := range known {
		if _, has := p.index.find(c.id); has {
			return
		}
	}
	if t.w.Want != nil && !t.w.Want(MakeID(c.id)) {
		t.report.Unwanted++
		return
	}
	pk.wanted.set(c.pos)
	pk.count++
}

func (c *cursor) next(x *index) bool {
	c.pos++
	if c.pos >= x.n {
		return false
	}
	c.id = x.id(c.pos)
	c.head = binary.BigEndian.Uint64(c.id)
	return true
}

// sink moves a cursor down to its place in the heap.
func sink(heap []*cursor, i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(heap); c++ {
			if heap[c].less(heap[least]) {
				least = c
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}
