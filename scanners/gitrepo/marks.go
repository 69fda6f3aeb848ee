package gitrepo

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
	"slices"
	"sync"
)

// base names a part with the marks of most objects: sorted numbers in blocks,
// each with a checksum, of which a look-up reads one or two. The part is
// replaced when many marks have come, in the other of two slots: a state and the
// marks that it names always fit, whenever a process is killed.
type base struct {
	name       string // of the set; not kept
	slot       int
	generation uint64 // a random number; 0: there is no such part
	count      int64
}

const (
	slots      = 2
	blockSize  = 4096
	blockMarks = (blockSize - 8) / 8
)

// other is the slot that is free.
func (b base) other() int { return (b.slot + 1) % slots }

// part is the name of a slot.
func (b base) part() string { return fmt.Sprintf("%s%d", b.name, b.slot) }

// blockSum is a block's checksum: a block of another generation or place does
// not pass for it.
func (b base) blockSum(i int64, marks []byte) uint64 {
	var salt [16]byte
	binary.LittleEndian.PutUint64(salt[:], b.generation)
	binary.LittleEndian.PutUint64(salt[8:], uint64(i))
	table := crc32.MakeTable(crc32.Castagnoli)
	return uint64(crc32.Update(crc32.Checksum(salt[:], table), table, marks))<<32 | uint64(len(marks))
}

// encode writes marks, which are sorted, as the part of that name.
func (b base) encode(marks []uint64) []byte {
	out := make([]byte, 0, (len(marks)/blockMarks+1)*blockSize)
	for i := int64(0); len(marks) > 0; i++ {
		n := min(len(marks), blockMarks)
		at := len(out)
		for _, m := range marks[:n] {
			out = binary.LittleEndian.AppendUint64(out, m)
		}
		out = binary.LittleEndian.AppendUint64(out, b.blockSum(i, out[at:]))
		marks = marks[n:]
	}
	return out
}

// marks are those in a part. Safe for concurrent use.
type marks struct {
	base base
	part Part

	mu     sync.Mutex
	blocks map[int64][]byte // that were read; nil: damaged
	broken bool             // a block is
}

// openMarks opens the part that a state names; nil where it is not there.
func openMarks(m Memory, b base) *marks {
	if b.generation == 0 {
		return nil
	}
	p, err := m.Open(b.part())
	if err != nil {
		return nil
	}
	blocks := (b.count + blockMarks - 1) / blockMarks
	if b.count < 0 || b.count > 1<<40 || p.Size() != 8*(b.count+blocks) {
		_ = p.Close()
		return nil
	}
	return &marks{base: b, part: p, blocks: map[int64][]byte{}}
}

func (s *marks) close() error {
	if s == nil {
		return nil
	}
	return s.part.Close()
}

// block are the marks of one block; nil when it is damaged.
func (s *marks) block(i int64) []byte {
	if b, has := s.blocks[i]; has {
		return b
	}
	n := min(s.base.count-i*blockMarks, blockMarks)
	b := make([]byte, 8*n+8)
	_, err := s.part.ReadAt(b, i*blockSize)
	b, sum := b[:8*n], b[8*n:]
	if err != nil && !errors.Is(err, io.EOF) || binary.LittleEndian.Uint64(sum) != s.base.blockSum(i, b) {
		b, s.broken = nil, true
	}
	s.blocks[i] = b
	return b
}

// has reports whether a mark is there. Of a damaged block none is.
func (s *marks) has(mark uint64) bool {
	if s == nil || s.base.count == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Marks are hashes, so they lie as far in as they are large.
	lo, hi := int64(0), (s.base.count-1)/blockMarks
	guess, _ := bits.Mul64(mark, uint64(hi+1))
	for i := int64(guess); lo <= hi; i = max(lo, min(i, hi)) {
		b := s.block(i)
		if b == nil {
			return false
		}
		switch {
		case mark < binary.LittleEndian.Uint64(b):
			hi = i - 1
			i--
		case mark > binary.LittleEndian.Uint64(b[len(b)-8:]):
			lo = i + 1
			i++
		default:
			return inBlock(b, mark)
		}
	}
	return false
}

func inBlock(b []byte, mark uint64) bool {
	lo, hi := 0, len(b)/8
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if binary.LittleEndian.Uint64(b[8*mid:]) < mark {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return 8*lo < len(b) && binary.LittleEndian.Uint64(b[8*lo:]) == mark
}

// all are the marks of all blocks that are whole.
func (s *marks) all() []uint64 {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]uint64, 0, s.base.count)
	for i := int64(0); i*blockMarks < s.base.count; i++ {
		for b := s.block(i); len(b) > 0; b = b[8:] {
			out = append(out, binary.LittleEndian.Uint64(b))
		}
	}
	return slices.Clip(out)
}

// damaged reports whether a block that was read is.
func (s *marks) damaged() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}
