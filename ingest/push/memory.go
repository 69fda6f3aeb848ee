package push

import (
	"context"
	"sync"
	"time"
)

// Memory remembers deliveries in this process: the newest, for a time. It
// implements Deliveries and is safe for concurrent use. What it forgot, or
// another server took in, is taken in again, which costs a look at a source.
type Memory struct {
	keep time.Duration
	now  func() time.Time

	mu    sync.Mutex
	known map[string]time.Time // by key, when it was remembered
	ring  []string             // the keys in the order in which they came
	next  int                  // of ring, where the oldest is once it is full
}

// NewMemory remembers at most n deliveries, each for a time.
func NewMemory(n int, keep time.Duration, now func() time.Time) *Memory {
	return &Memory{keep: keep, now: now, known: map[string]time.Time{}, ring: make([]string, 0, max(n, 1))}
}

// Seen implements Deliveries.
func (m *Memory) Seen(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, has := m.known[key]
	return has && m.now().Sub(at) < m.keep, nil
}

// Remember implements Deliveries.
func (m *Memory) Remember(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, has := m.known[key]
	m.known[key] = m.now()
	switch {
	case has: // it keeps its place
	case len(m.ring) < cap(m.ring):
		m.ring = append(m.ring, key)
	default:
		delete(m.known, m.ring[m.next])
		m.ring[m.next] = key
		m.next = (m.next + 1) % len(m.ring)
	}
	return nil
}
