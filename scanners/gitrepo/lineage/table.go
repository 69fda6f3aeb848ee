package lineage

import (
	"bytes"
	"hash/maphash"

	"revenant/scanners/gitrepo/objects"
)

// table numbers ids from 0. It keeps them one behind another, and its hash is
// keyed, so that nobody can make ids that are slow to find.
type table struct {
	seed  maphash.Seed
	size  int // of an id
	sums  []byte
	slots []uint32 // number + 1; 0: free
}

func newTable(size int) *table {
	return &table{seed: maphash.MakeSeed(), size: size, slots: make([]uint32, 1<<10)}
}

func (t *table) len() int { return len(t.sums) / t.size }

func (t *table) bytes(n uint32) []byte { return t.sums[int(n)*t.size : (int(n)+1)*t.size] }

func (t *table) id(n uint32) objects.ID { return objects.MakeID(t.bytes(n)) }

// slot is where an id is, or is to be.
func (t *table) slot(id []byte) int {
	mask := len(t.slots) - 1
	at := int(maphash.Bytes(t.seed, id)) & mask
	for t.slots[at] != 0 && !bytes.Equal(t.bytes(t.slots[at]-1), id) {
		at = (at + 1) & mask
	}
	return at
}

func (t *table) find(id []byte) (uint32, bool) {
	if len(id) != t.size {
		return 0, false
	}
	n := t.slots[t.slot(id)]
	return n - 1, n != 0
}

// number is the number of an id, which is new when fresh is set.
func (t *table) number(id []byte) (n uint32, fresh bool) {
	at := t.slot(id)
	if t.slots[at] != 0 {
		return t.slots[at] - 1, false
	}
	n = uint32(t.len())
	t.sums = append(t.sums, id...)
	t.slots[at] = n + 1
	if 2*t.len() > len(t.slots) {
		t.slots = make([]uint32, 2*len(t.slots))
		for i := range uint32(t.len()) {
			t.slots[t.slot(t.bytes(i))] = i + 1
		}
	}
	return n, true
}

// marks is a set of ids by keyed hashes: nobody can make an id that is taken for
// another one.
type marks struct {
	seed  maphash.Seed
	n     int
	slots []uint64 // 0: free
}

func newMarks() *marks { return &marks{seed: maphash.MakeSeed(), slots: make([]uint64, 1<<10)} }

// add reports whether an id was not in the set.
func (m *marks) add(id []byte) bool {
	sum := max(maphash.Bytes(m.seed, id), 1)
	if !m.put(sum) {
		return false
	}
	if m.n++; 2*m.n > len(m.slots) {
		old := m.slots
		m.slots = make([]uint64, 2*len(old))
		for _, s := range old {
			if s != 0 {
				m.put(s)
			}
		}
	}
	return true
}

func (m *marks) put(sum uint64) bool {
	mask := len(m.slots) - 1
	at := int(sum) & mask
	for m.slots[at] != 0 {
		if m.slots[at] == sum {
			return false
		}
		at = (at + 1) & mask
	}
	m.slots[at] = sum
	return true
}

// finder tells ids that are asked for from others, most of them by one look at
// a table that stays in the cache.
type finder struct {
	few [1 << 10]uint64
	ids map[objects.ID]struct{}
}

func newFinder(ids []objects.ID) *finder {
	f := &finder{ids: make(map[objects.ID]struct{}, len(ids))}
	for _, id := range ids {
		if !id.IsZero() {
			f.ids[id] = struct{}{}
			at := place16(id.Bytes())
			f.few[at/64] |= 1 << (at % 64)
		}
	}
	return f
}

func place16(id []byte) uint { return uint(id[0]) | uint(id[1])<<8 }

func (f *finder) has(id []byte) bool {
	at := place16(id)
	if f.few[at/64]>>(at%64)&1 == 0 {
		return false
	}
	_, has := f.ids[objects.MakeID(id)]
	return has
}
