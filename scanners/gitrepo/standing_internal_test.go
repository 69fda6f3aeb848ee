package gitrepo

import (
	"slices"
	"testing"

	"revenant/scanners/gitrepo/objects"
)

// TestStoodKept: what is kept of trees comes back, and what contradicts itself
// does not.
func TestStoodKept(t *testing.T) {
	id := func(b byte) oid { return objects.MakeID(slices.Repeat([]byte{b}, 20)) }
	s := newStood([16]byte{1})
	one := s.take([]place{{blob: id(1), path: "a"}, {blob: id(2), path: "b/c", link: true}})
	two := s.take([]place{{blob: id(1), path: "a"}})
	if again := s.take([]place{{blob: id(1), path: "a"}}); again != two || one == two {
		t.Fatalf("sets %d, %d, %d", one, two, again)
	}
	refs := []ref{{name: "x", commit: id(10)}, {name: "y", commit: id(11)}, {name: "z", commit: id(12)}, {name: "x2", commit: id(10)}}
	s.commits = map[oid]uint32{id(10): one, id(11): two, id(12): two, id(13): two}
	s.lasting = map[oid]bool{id(10): true, id(11): true, id(13): true}
	m := s.remember(refs)
	got := recallStood([16]byte{1}, m)
	if len(got.commits) != 2 || len(got.spots) != 2 {
		t.Fatalf("%d commits and %d spots are kept", len(got.commits), len(got.spots))
	}
	if i := got.spot(place{blob: id(1), path: "a"}); !slices.Equal(got.sets[got.commits[id(11)]], []uint32{i}) {
		t.Error("a place has another number now")
	}
	if i := got.spot(place{blob: id(1), path: "elsewhere"}); i != 2 {
		t.Errorf("another path is spot %d", i)
	}
	for name, damage := range map[string]func(m *stoodV2){
		"a set that is not there":   func(m *stoodV2) { m.Sets = []uint32{0, 7} },
		"a place that is not there": func(m *stoodV2) { m.Members = [][]uint32{{0, 2}, {0}} },
		"too few links":             func(m *stoodV2) { m.Links = m.Links[:1] },
		"half an id":                func(m *stoodV2) { m.Blobs = m.Blobs[:len(m.Blobs)-1] },
		"half a commit":             func(m *stoodV2) { m.Commits = m.Commits[:len(m.Commits)-1] },
		"no sets":                   func(m *stoodV2) { m.Sets = nil },
	} {
		bad := m
		damage(&bad)
		if got := recallStood([16]byte{1}, bad); len(got.commits) > 0 {
			t.Errorf("%s: %d commits", name, len(got.commits))
		}
	}
}
