package scanners

import (
	"hash/maphash"
	"sync/atomic"
)

// memo remembers small numbers for texts, by hashes, in a table of fixed size:
// what is new takes the place of what is old.
type memo struct {
	seeds [2]maphash.Seed
	slots uint64 // a power of two
	table *atomic.Pointer[[]atomic.Uint64]
}

const (
	memoSlots  = 1 << 21 // of a large one
	memoBucket = 8
	memoValue  = 1<<10 - 1 // the bits of a slot that hold the number; the others hold a hash
)

func newMemo(slots uint64) memo {
	return memo{
		seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		slots: slots, table: &atomic.Pointer[[]atomic.Uint64]{},
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

// bucket is where a number stands in the table, if anywhere.
func (m *memo) bucket(table *[]atomic.Uint64, k memoKey) []atomic.Uint64 {
	at := k[0] % (m.slots / memoBucket) * memoBucket
	return (*table)[at : at+memoBucket]
}

// get is the number of a text; 0 when none is known.
func (m *memo) get(k memoKey) uint16 {
	table := m.table.Load()
	if table == nil {
		return 0
	}
	b := m.bucket(table, k)
	for i := range b {
		if v := b[i].Load(); v != 0 && (v^k[1])&^memoValue == 0 {
			return uint16(v & memoValue)
		}
	}
	return 0
}

// put remembers a number up to memoValue.
func (m *memo) put(k memoKey, number uint16) {
	table := m.table.Load()
	if table == nil {
		made := make([]atomic.Uint64, m.slots)
		m.table.CompareAndSwap(nil, &made)
		table = m.table.Load()
	}
	b := m.bucket(table, k)
	v := k[1]&^memoValue | uint64(number)
	for i := range b {
		if b[i].CompareAndSwap(0, v) {
			return
		}
	}
	b[k[0]>>61].Store(v)
}
