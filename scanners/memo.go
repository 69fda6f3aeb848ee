package scanners

import (
	"hash/maphash"
	"sync/atomic"
)

// memo remembers small numbers for texts, by hashes, in a memory that grows up to a
// bound: what is new takes the place of what is old then. It begins small, because each
// number is written to another page, and one that was not touched yet costs what looking
// at some hundred bytes does.
type memo struct {
	seeds  [2]maphash.Seed
	slots  uint64 // of the largest table, a power of two
	tables *[memoTables]atomic.Pointer[memoTable]
}

// memoTable is one of those that follow each other, each larger than the one before.
type memoTable struct {
	slots []atomic.Uint64
	used  atomic.Int64
}

const (
	memoSlots  = 1 << 21 // of a large one
	memoFirst  = 1 << 12 // of the first table
	memoGrowth = 3       // bits that the next one's size has more
	memoTables = 4
	memoBucket = 8
	memoValue  = 1<<10 - 1 // the bits of a slot that hold the number; the others hold a hash
)

func newMemo(slots uint64) memo {
	return memo{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		slots: slots, tables: &[memoTables]atomic.Pointer[memoTable]{},
	}
}

// memoKey names a text. Nobody who writes one knows the seeds.
type memoKey [2]uint64

// key is that of a text which may be the first or the last of a content.
func (m *memo) key(data []byte, first, last bool) memoKey {
	k := memoKey{maphash.Bytes(m.seeds[0], data), maphash.Bytes(m.seeds[1], data)}
	if first {
		k[1] ^= 0x9e3779b97f4a7c15
	}
	if last {
		k[1] ^= 0xff51afd7ed558ccd
	}
	return k
}

// bucket is where a number stands in a table, if anywhere.
func (t *memoTable) bucket(k memoKey) []atomic.Uint64 {
	at := k[0] % uint64(len(t.slots)/memoBucket) * memoBucket
	return t.slots[at : at+memoBucket]
}

// get is the number of a text; 0 when none is known.
func (m *memo) get(k memoKey) uint16 {
	for i := range m.tables {
		t := m.tables[i].Load()
		if t == nil {
			break
		}
		if at := t.find(k); at != nil {
			return uint16(at.Load() & memoValue)
		}
	}
	return 0
}

// find is the slot that a number of the text stands in; nil when there is none.
func (t *memoTable) find(k memoKey) *atomic.Uint64 {
	b := t.bucket(k)
	for i := range b {
		if v := b[i].Load(); v != 0 && (v^k[1])&^memoValue == 0 {
			return &b[i]
		}
	}
	return nil
}

// put remembers a number up to memoValue, in place of another of the same text.
func (m *memo) put(k memoKey, number uint16) {
	v := k[1]&^memoValue | uint64(number)
	last := 0
	for i := range m.tables {
		t := m.tables[i].Load()
		if t == nil {
			break
		}
		if at := t.find(k); at != nil {
			at.Store(v)
			return
		}
		last = i
	}
	t := m.table(last)
	if t.used.Load() > int64(len(t.slots)/2) && last+1 < len(m.tables) && uint64(len(t.slots)) < m.slots {
		t = m.table(last + 1)
	}
	t.used.Add(1)
	b := t.bucket(k)
	for i := range b {
		if b[i].CompareAndSwap(0, v) {
			return
		}
	}
	b[k[0]>>61].Store(v)
}

// table is the i-th table, made if there is none.
func (m *memo) table(i int) *memoTable {
	if t := m.tables[i].Load(); t != nil {
		return t
	}
	size := min(uint64(memoFirst)<<(i*memoGrowth), m.slots)
	if i == len(m.tables)-1 {
		size = m.slots
	}
	m.tables[i].CompareAndSwap(nil, &memoTable{slots: make([]atomic.Uint64, size)})
	return m.tables[i].Load()
}
