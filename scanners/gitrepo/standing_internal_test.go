package gitrepo

import (
	"slices"
	"testing"

	"revenant/scanners/gitrepo/objects"
)

// TestStoodKept: what is kept of trees comes back.
func TestStoodKept(t *testing.T) {
	id := func(b byte) oid { return objects.MakeID(slices.Repeat([]byte{b}, 20)) }
	s := newStood([16]byte{1})
	one := s.take([]place{{blob: id(1), path: "a"}, {blob: id(2), path: "b/c", link: true}})
	two := s.take([]place{{blob: id(1), path: "a"}})
	if again := s.take([]place{{blob: id(1), path: "a"}}); again != two || one == two {
		t.Fatalf("sets %d, %d, %d", one, two, again)
	}
	s.commits = map[oid]stoodAt{id(10): {one, true}, id(11): {two, true}, id(12): {two, false}, id(13): {two, true}}
	m := &memory{commits: []tip{{id: id(10)}, {id: id(11)}, {id: id(12)}}}
	s.remember(m)
	got := recallStood([16]byte{1}, m)
	if len(got.commits) != 2 || len(got.spots) != 2 {
		t.Fatalf("%d commits and %d spots are kept", len(got.commits), len(got.spots))
	}
	if i := got.spot(place{blob: id(1), path: "a"}); !slices.Equal(got.sets[got.commits[id(11)].set], []uint32{i}) {
		t.Error("a place has another number now")
	}
	if i := got.spot(place{blob: id(1), path: "elsewhere"}); i != 2 {
		t.Errorf("another path is spot %d", i)
	}
}
