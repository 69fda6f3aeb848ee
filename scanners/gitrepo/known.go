package gitrepo

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// known is what was read before, as the walk asks for it.
type known struct {
	salt  [16]byte
	packs map[string]bool
	read  markSet  // objects that were
	gone  []uint64 // marks of those that may come back and are to be read again then
	// reached are the commits that tips reached once, since all of history was
	// looked at last; of commits that are not there it says nothing.
	reached markSet
}

func newKnown() (*known, error) {
	k := &known{packs: map[string]bool{}, read: markSet{saved: base{name: "read"}}, reached: markSet{saved: base{name: "reached"}}}
	if _, err := rand.Read(k.salt[:]); err != nil {
		return nil, fmt.Errorf("remembering: %w", err)
	}
	return k, nil
}

// recall takes up what a memory has; false where its marks are not there.
func (k *known) recall(from Memory, m *memory) bool {
	if !k.read.recall(from, m.read) || !k.reached.recall(from, m.reached) {
		return false
	}
	k.salt = m.salt
	for _, sum := range m.packs {
		k.packs[string(sum)] = true
	}
	return true
}

func (k *known) close() error { return errors.Join(k.read.most.close(), k.reached.most.close()) }

// mark is a keyed hash of an id: nobody can make an object that is taken for
// another one.
func (k *known) mark(id oid) uint64 {
	var b [48]byte
	copy(b[:], k.salt[:])
	n := copy(b[16:], id.Bytes())
	sum := sha256.Sum256(b[:16+n])
	return binary.LittleEndian.Uint64(sum[:])
}

func (k *known) has(id oid) bool { return k.read.has(k.mark(id)) }

// forget takes back that an object was read: it is not in the store any more,
// and what was found in it is kept no longer. Another clone of the same remote
// may have it, or a fetch may bring it back.
func (k *known) forget(id oid) { k.gone = append(k.gone, k.mark(id)) }

// reader tells what was read, before and since.
func (k *known) reader() func(oid) bool {
	var since []uint64
	return func(id oid) bool {
		if since == nil {
			since = slices.Clone(k.read.fresh)
			slices.Sort(since)
		}
		mark := k.mark(id)
		_, found := slices.BinarySearch(since, mark)
		return found || k.read.has(mark)
	}
}

// keptMarks are a set of marks in a state: most are in a part of their own.
type keptMarks struct {
	base  base
	fresh []uint64 // sorted
}

// markSet is a set of marks that was remembered, and what came to it since.
type markSet struct {
	most  *marks   // nil: none
	early []uint64 // beside them, sorted
	fresh []uint64 // since
	saved base     // as the state that was saved last names it
}

func (s *markSet) recall(from Memory, m keptMarks) bool {
	m.base.name = s.saved.name
	if s.most = openMarks(from, m.base); s.most == nil && m.base.generation != 0 {
		return false
	}
	s.early, s.saved = m.fresh, m.base
	return true
}

func (s *markSet) has(mark uint64) bool {
	_, found := slices.BinarySearch(s.early, mark)
	return found || s.most.has(mark)
}

// clear forgets all that was there before.
func (s *markSet) clear() error {
	err := s.most.close()
	s.most, s.early, s.fresh = nil, nil, nil
	return err
}

const (
	// Beside so many marks and a part of the others, new ones are kept in the
	// state; then all are written anew.
	freshLeast = 1 << 12
	freshPart  = 16
	freshMost  = 1 << 16
)

// keep says what a state is to have of the set without what is gone. When too
// many have come, the other slot is written first: then moved is set, and the
// one before is to be removed when the state is saved.
func (s *markSet) keep(to Memory, gone []uint64) (m keptMarks, moved bool, err error) {
	m.base = s.saved
	m.fresh = slices.Concat(s.early, s.fresh)
	slices.Sort(m.fresh)
	m.fresh = slices.Compact(m.fresh)
	if s.most == nil && s.saved.generation != 0 { // cleared, or saved by this scan
		m.base.count = 0
	}
	if int64(len(m.fresh)) <= min(freshLeast+m.base.count/freshPart, freshMost) && len(gone) == 0 && !s.most.damaged() && m.base.count == s.saved.count {
		return m, false, nil
	}
	all := slices.Concat(s.most.all(), m.fresh)
	slices.Sort(all)
	all = slices.Compact(all)
	slices.Sort(gone)
	all = slices.DeleteFunc(all, func(mark uint64) bool {
		_, gone := slices.BinarySearch(gone, mark)
		return gone
	})
	m = keptMarks{base: base{name: s.saved.name, slot: s.saved.other(), count: int64(len(all))}}
	if m.base.generation, err = generation(); err != nil {
		return m, false, err
	}
	if err := to.Save(m.base.part(), m.base.encode(all)); err != nil {
		return m, false, fmt.Errorf("remembering: %w", err)
	}
	return m, true, nil
}

// generation is a random number that is not 0.
func generation() (uint64, error) {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		return 0, fmt.Errorf("remembering: %w", err)
	}
	return binary.LittleEndian.Uint64(random[:]) | 1, nil
}

// kept notes that a state was saved, and removes the part that it does not name.
func (s *markSet) kept(to Memory, m keptMarks, moved bool) error {
	s.saved = m.base
	if !moved {
		return nil
	}
	other := m.base
	other.slot = m.base.other()
	if err := to.Remove(other.part()); err != nil {
		return fmt.Errorf("remembering: %w", err)
	}
	return nil
}
