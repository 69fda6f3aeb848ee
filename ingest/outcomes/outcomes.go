// Package outcomes keeps what contents gave, for the next scan with the same
// knowledge (scan.Outcomes): a sealed file for each source.
//
// The file is a sealed.Box of the purpose "outcomes", bound to the knowledge. An
// entry is a key of
// 32 bytes, the outcome's length as a varint, and the outcome; entries are sorted
// by key.
//
// It promises: a file that is damaged, cut short, of another ring or of another
// knowledge is as good as none; whoever has the file and not the ring learns how
// long it is. It refuses: to know what an outcome says, and to read or write
// files.
package outcomes

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"maps"
	"slices"
	"sync"

	"revenant/fingerprints/keys"
	"revenant/ingest/scan"
	"revenant/ingest/sealed"
)

// Head begins a file.
const Head = "revenant.outcomes/2\n"

// MaxSize is how long a file may be: what comes beyond it is not kept.
const MaxSize = 64 << 20

// Set is what a source gave. Safe for concurrent use.
type Set struct {
	box sealed.Box

	mu   sync.Mutex
	was  map[scan.OutcomeKey][]byte
	now  map[scan.OutcomeKey][]byte // of was, what was asked for; and what is new
	made bool                       // something is new
	size int                        // of now
}

var _ scan.Outcomes = (*Set)(nil)

// New is an empty set. knows is a hash of all that decides what a content gives.
func New(key keys.IdentityKey, knows [sha256.Size]byte) (*Set, error) {
	if key.IsZero() {
		return nil, sealed.ErrNoKey
	}
	box := sealed.Box{Key: key, Purpose: "outcomes", Head: Head, Bound: knows[:]}
	return &Set{box: box, was: map[scan.OutcomeKey][]byte{}, now: map[scan.OutcomeKey][]byte{}}, nil
}

// Open takes up what a file holds, if it is one of this ring and knowledge. It
// reports whether it is.
func (s *Set) Open(file []byte) bool {
	if len(file) > MaxSize {
		return false
	}
	plain, ok := s.box.Open(file)
	if !ok {
		return false
	}
	was, ok := entries(plain)
	if ok {
		s.mu.Lock()
		s.was = was
		s.mu.Unlock()
	}
	return ok
}

// entries reads what was sealed.
func entries(b []byte) (map[scan.OutcomeKey][]byte, bool) {
	out := map[scan.OutcomeKey][]byte{}
	for len(b) > 0 {
		var key scan.OutcomeKey
		if len(b) < len(key) {
			return nil, false
		}
		b = b[copy(key[:], b):]
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) {
			return nil, false
		}
		out[key] = b[used : used+int(n) : used+int(n)]
		b = b[used+int(n):]
	}
	return out, true
}

// Recall implements scan.Outcomes.
func (s *Set) Recall(key scan.OutcomeKey) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, has := s.now[key]
	if has {
		return b, true
	}
	if b, has = s.was[key]; has {
		s.add(key, b)
	}
	return b, has
}

// Keep implements scan.Outcomes.
func (s *Set) Keep(key scan.OutcomeKey, outcome []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, has := s.now[key]; has {
		if bytes.Equal(old, outcome) {
			return
		}
		s.size -= entrySize(old)
		delete(s.now, key)
	}
	s.made = s.add(key, outcome) || s.made
}

func entrySize(outcome []byte) int {
	return len(scan.OutcomeKey{}) + binary.MaxVarintLen32 + len(outcome)
}

// add takes an entry, if there is room.
func (s *Set) add(key scan.OutcomeKey, outcome []byte) bool {
	if s.size+entrySize(outcome) > MaxSize-1024 {
		return false
	}
	s.now[key], s.size = outcome, s.size+entrySize(outcome)
	return true
}

// Changed reports whether a file of what was asked for or is new would be
// another than the one that was opened.
func (s *Set) Changed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.made || len(s.now) != len(s.was)
}

// Whole keeps also what was not asked for: the scan did not come to its end.
func (s *Set) Whole() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range slices.SortedFunc(maps.Keys(s.was), compareKeys) {
		if _, has := s.now[key]; !has {
			s.add(key, s.was[key])
		}
	}
}

func compareKeys(a, b scan.OutcomeKey) int { return bytes.Compare(a[:], b[:]) }

// Holds reports whether what is known of a content is that something is in it. It
// does not count as asking for it.
func (s *Set) Holds(key scan.OutcomeKey) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, has := s.now[key]
	if !has {
		b, has = s.was[key]
	}
	return has && scan.Gave(b)
}

// Seal is the file of what was asked for and what is new. The error is random's.
func (s *Set) Seal(random io.Reader) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seal(random, s.now)
}

// SealSoFar is the file of all that is known while a scan is under way: what it
// has not asked for yet, too.
func (s *Set) SealSoFar(random io.Reader) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, size := maps.Clone(s.now), s.size
	for key, b := range s.was {
		if _, has := all[key]; !has && size+entrySize(b) <= MaxSize-1024 {
			all[key], size = b, size+entrySize(b)
		}
	}
	return s.seal(random, all)
}

func (s *Set) seal(random io.Reader, entries map[scan.OutcomeKey][]byte) ([]byte, error) {
	var plain []byte
	for _, key := range slices.SortedFunc(maps.Keys(entries), compareKeys) {
		plain = append(plain, key[:]...)
		plain = binary.AppendUvarint(plain, uint64(len(entries[key])))
		plain = append(plain, entries[key]...)
	}
	return s.box.Seal(random, plain)
}
