package scanners

import "testing"

// A memo forgets, but it never takes one text for another.
func TestMemo(t *testing.T) {
	m := newMemo(1 << 10)
	kept := 0
	for i := range uint64(64) {
		m.put(memoKey{5, (i + 1) << 10}, uint16(i+1))
	}
	for i := range uint64(64) {
		if n := m.get(memoKey{5, (i + 1) << 10}); n == uint16(i+1) {
			kept++
		} else if n != 0 {
			t.Errorf("%d is taken for %d", i+1, n)
		}
	}
	if kept != memoBucket {
		t.Errorf("%d of 64 are kept, want %d", kept, memoBucket)
	}
	text := []byte("the same text")
	if a, b, c := m.key(text, true, false), m.key(text, false, true), m.key(text, false, false); a == b || b == c || a == c {
		t.Error("a text at the end of a content is one in the middle")
	}
}
