package kafka

import (
	"bytes"
	"testing"
)

// TestMemory: what is kept is not written over while it has a user, and is used again
// when it has none.
func TestMemory(t *testing.T) {
	var s spares
	m := s.use()
	fill := func(c byte, n int) []byte {
		b := append(m.Take(n), bytes.Repeat([]byte{c}, n)...)
		m.Keep(b)
		return b
	}
	kept := [][]byte{fill('a', 1000), fill('b', 3<<20), fill('c', 500_000), fill('d', 700_000)}
	dropped := m.Take(10)
	if again := m.Take(10); &again[:1][0] != &dropped[:1][0] {
		t.Error("what was not kept is not given out again")
	}
	for i, b := range kept {
		if bytes.Count(b, []byte{'a' + byte(i)}) != len(b) {
			t.Errorf("buffer %d was written over", i)
		}
	}
	m.share()
	m.release()
	if s.bytes != 0 {
		t.Errorf("%d bytes are spare while they are used", s.bytes)
	}
	m.release()
	if s.bytes < 5<<20 {
		t.Errorf("%d bytes are spare", s.bytes)
	}
	if next := s.use().Take(1000); &next[:1][0] != &kept[0][0] && cap(next) < leastSpare {
		t.Error("nothing is used again")
	}
	(*memory)(nil).release()
	large := s.use()
	large.Keep(large.Take(2 * mostSpare))
	before := s.bytes
	if large.release(); s.bytes != before {
		t.Error("what is too large is kept")
	}
}
