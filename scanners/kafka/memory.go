package kafka

import (
	"math/bits"
	"sync"
	"sync/atomic"
)

// memory is what one fetch was read into and unpacked to; it implements records.Room.
// The chunks made of it share it; when the last of them was looked at it is used again,
// since a topic that is read at full speed would otherwise have the collector run all
// the time. It is written over, not wiped: what it held was as long in memory anyway.
// Take and Keep are called by the one goroutine that fetches.
type memory struct {
	users atomic.Int32
	bufs  [][]byte // the last one is written to behind its end
	spare *spares
}

// spares are buffers that nobody uses, by the logarithm of their size.
type spares struct {
	mu    sync.Mutex
	lists [32][][]byte
	bytes int
}

const (
	leastSpare = 1 << 20  // smaller buffers are not made
	mostSpare  = 16 << 20 // bytes in all that nobody uses
)

// use begins the memory of a fetch, which whoever begins it releases.
func (s *spares) use() *memory {
	m := &memory{spare: s}
	m.users.Store(1)
	return m
}

// Take returns an empty buffer with room for n bytes at the least. What it is filled
// with is gone with the next call, unless Keep is told.
func (m *memory) Take(n int) []byte {
	if last := len(m.bufs) - 1; last >= 0 {
		if b := m.bufs[last]; cap(b)-len(b) >= n {
			return b[len(b):len(b):cap(b)]
		}
	}
	m.bufs = append(m.bufs, m.spare.take(n))
	return m.bufs[len(m.bufs)-1]
}

// Keep says what of the buffer that was taken last is used.
func (m *memory) Keep(b []byte) {
	last := len(m.bufs) - 1
	m.bufs[last] = m.bufs[last][:len(m.bufs[last])+len(b)]
}

// share adds a user.
func (m *memory) share() { m.users.Add(1) }

// release ends a use.
func (m *memory) release() {
	if m == nil || m.users.Add(-1) > 0 {
		return
	}
	for _, b := range m.bufs {
		m.spare.give(b)
	}
	m.bufs = nil
}

func (s *spares) take(n int) []byte {
	class := bits.Len(uint(max(n, leastSpare) - 1))
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.lists[class]) - 1; last >= 0 {
		b := s.lists[class][last]
		s.lists[class] = s.lists[class][:last]
		s.bytes -= cap(b)
		return b[:0]
	}
	return make([]byte, 0, 1<<class)
}

func (s *spares) give(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes+cap(b) <= mostSpare {
		class := bits.Len(uint(cap(b) - 1))
		s.lists[class] = append(s.lists[class], b[:0])
		s.bytes += cap(b)
	}
}
