package gitrepo

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// known is what was read before, as the walk asks for it.
type known struct {
	salt  [16]byte
	packs map[string]bool
	most  *marks   // of objects, nil: none
	early []uint64 // marks beside them, sorted
	fresh []uint64 // since
	gone  []uint64 // that may come back and are to be read again then
	saved base     // as the state that was saved last names it
}

func newKnown() (*known, error) {
	k := &known{packs: map[string]bool{}}
	if _, err := rand.Read(k.salt[:]); err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	return k, nil
}

// recall takes up what a memory has; false where its marks are not there.
func (k *known) recall(from Memory, m *memory) bool {
	if k.most = openMarks(from, m.base); k.most == nil && m.base.generation != 0 {
		return false
	}
	k.salt, k.early, k.saved = m.salt, m.fresh, m.base
	for _, sum := range m.packs {
		k.packs[string(sum)] = true
	}
	return true
}

// mark is a keyed hash of an id: nobody can make an object that is taken for
// another one.
func (k *known) mark(id oid) uint64 {
	var b [48]byte
	copy(b[:], k.salt[:])
	n := copy(b[16:], id.Bytes())
	sum := sha256.Sum256(b[:16+n])
	return binary.LittleEndian.Uint64(sum[:])
}

func (k *known) has(id oid) bool { return k.hasMark(k.mark(id)) }

func (k *known) hasMark(mark uint64) bool {
	_, found := slices.BinarySearch(k.early, mark)
	return found || k.most.has(mark)
}

// forget takes back that an object was read: it is not in the store any more,
// and what was found in it is kept no longer. Another clone of the same remote
// may have it, or a fetch may bring it back.
func (k *known) forget(id oid) { k.gone = append(k.gone, k.mark(id)) }

// reader tells what was read, before and since.
func (k *known) reader() func(oid) bool {
	var since []uint64
	return func(id oid) bool {
		if since == nil {
			since = slices.Clone(k.fresh)
			slices.Sort(since)
		}
		mark := k.mark(id)
		_, found := slices.BinarySearch(since, mark)
		return found || k.hasMark(mark)
	}
}

const (
	// Beside so many marks and a part of the others, new ones are kept in the
	// state; then all are written anew.
	freshLeast = 1 << 12
	freshPart  = 16
	freshMost  = 1 << 16
)

// keep puts marks into a state. When too many have come, the other slot is
// written first, and the one before is to be removed when the state is saved.
func (k *known) keep(to Memory, m *memory) (moved bool, err error) {
	m.salt, m.base = k.salt, k.saved
	m.fresh = slices.Concat(k.early, k.fresh)
	slices.Sort(m.fresh)
	m.fresh = slices.Compact(m.fresh)
	if int64(len(m.fresh)) <= min(freshLeast+k.saved.count/freshPart, freshMost) && len(k.gone) == 0 && !k.most.damaged() {
		return false, nil
	}
	all := slices.Concat(k.most.all(), m.fresh)
	slices.Sort(all)
	all = slices.Compact(all)
	slices.Sort(k.gone)
	all = slices.DeleteFunc(all, func(mark uint64) bool {
		_, gone := slices.BinarySearch(k.gone, mark)
		return gone
	})
	m.base = base{slot: k.saved.other(), count: int64(len(all))}
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return false, fmt.Errorf("remembering: %w", err)
	}
	m.base.generation = binary.LittleEndian.Uint64(random[:]) | 1
	m.fresh = nil
	if err := to.Save(m.base.part(), m.base.encode(all)); err != nil {
		return false, fmt.Errorf("remembering: %w", err)
	}
	return true, nil
}
