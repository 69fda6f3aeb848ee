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

// What is learned of a text later takes the place of what was known.
func TestMemoLater(t *testing.T) {
	m := newMemo(1 << 10)
	k := memoKey{5, 1 << 10}
	m.put(k, 1)
	m.put(k, 2)
	if n := m.get(k); n != 2 {
		t.Errorf("the text's number is %d, want 2", n)
	}
}

// A memo keeps what it has when it grows, and no more than its bound.
func TestMemoGrows(t *testing.T) {
	const slots = memoFirst << memoGrowth * 2
	m := newMemo(slots)
	key := func(i uint64) memoKey { return memoKey{i * 0x9e3779b97f4a7c15, i * 0xff51afd7ed558ccd &^ memoValue} }
	kept := func(n uint64) (kept int) {
		for i := range n {
			if m.get(key(i+1)) == uint16(i%memoValue+1) {
				kept++
			}
		}
		return kept
	}
	const texts = memoFirst * 4
	for i := range uint64(texts) {
		m.put(key(i+1), uint16(i%memoValue+1))
	}
	if n := kept(texts); n < texts*9/10 {
		t.Errorf("%d of %d are kept", n, texts)
	}
	for i := range uint64(8 * slots) {
		m.put(key(i+1), uint16(i%memoValue+1))
	}
	room := 0
	for i := range m.tables {
		if table := m.tables[i].Load(); table != nil {
			room += len(table.slots)
		}
	}
	if n := kept(8 * slots); n == 0 || n > room || room > 2*slots {
		t.Errorf("%d are kept in %d slots of %d", n, room, slots)
	}
}
