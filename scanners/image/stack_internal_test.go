package image

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShadows(t *testing.T) {
	file := func(name string) entry { return entry{name: name} }
	dir := func(name string) entry { return entry{name: name, kind: kindDir} }
	gone := func(name string) entry { return entry{name: name, kind: kindWhiteout} }
	opaque := func(name string) entry { return entry{name: name, kind: kindOpaque} }
	link := func(name, to string) entry { return entry{name: name, kind: kindSymlink, target: to} }
	hard := func(name, to string) entry { return entry{name: name, kind: kindHardlink, target: to} }
	for _, c := range []struct {
		name   string
		layers [][]entry
		want   string // for each file: its layer, name and who hides it
	}{
		{"one layer", [][]entry{{dir("a"), file("a/b")}}, "0:a/b"},
		{"removed", [][]entry{{file("a/b"), file("a/c")}, {gone("a/b")}}, "0:a/b<1 0:a/c"},
		{"a folder removed", [][]entry{{file("a/b"), file("a/d/c"), file("ab")}, {}, {gone("a")}}, "0:a/b<2 0:a/d/c<2 0:ab"},
		{"removed and made again", [][]entry{{file("a")}, {gone("a")}, {file("a")}}, "0:a<1 2:a"},
		{"removed and made again in one layer", [][]entry{{file("a")}, {file("a"), gone("a")}}, "0:a<1 1:a"},
		{"overwritten", [][]entry{{file("a")}, {file("a")}, {file("a")}}, "0:a<1 1:a<2 2:a"},
		{"twice in a layer", [][]entry{{file("a"), file("a")}}, "0:a<0 0:a"},
		{"opaque", [][]entry{{file("a/b"), file("a/c/d"), file("x")}, {opaque("a"), file("a/e")}}, "0:a/b<1 0:a/c/d<1 0:x 1:a/e"},
		{"opaque behind what the layer adds", [][]entry{{file("a/b")}, {file("a/e"), opaque("a")}}, "0:a/b<1 1:a/e"},
		{"the root is opaque", [][]entry{{file("a/b")}, {opaque("")}}, "0:a/b<1"},
		{"a file over a folder", [][]entry{{file("a/b")}, {file("a")}}, "0:a/b<1 1:a"},
		{"a folder over a file", [][]entry{{file("a")}, {dir("a"), file("a/b")}}, "0:a<1 1:a/b"},
		{"a folder over a folder", [][]entry{{file("a/b")}, {dir("a"), file("a/c")}}, "0:a/b 1:a/c"},
		{"a link over a folder", [][]entry{{file("a/b")}, {link("a", "x")}}, "0:a/b<1"},
		{"through a link", [][]entry{{dir("usr/lib"), file("usr/lib/x"), link("lib", "usr/lib")}, {file("lib/x")}}, "0:usr/lib/x<1 1:lib/x"},
		{"removed through a link", [][]entry{{file("usr/lib/x"), link("lib", "/usr/lib")}, {gone("lib/x")}}, "0:usr/lib/x<1"},
		{"links up", [][]entry{{file("x"), link("a/up", "../..")}, {gone("a/up/x")}}, "0:x<1"},
		{"links in a circle", [][]entry{{link("a", "b"), link("b", "a")}, {file("a/x")}}, "1:a/x<1"},
		{"a link to nothing", [][]entry{{link("a", "none")}, {file("a/x")}}, "1:a/x"},
		{"a hard link outlives the file", [][]entry{{file("a"), hard("b", "a")}, {gone("a")}}, "0:a"},
		{"and is removed", [][]entry{{file("a"), hard("b", "a")}, {gone("a")}, {gone("b")}}, "0:a<2"},
		{"a hard link to a layer below", [][]entry{{file("a")}, {hard("b", "a"), gone("c")}, {gone("a")}}, "0:a"},
		{"a hard link to nothing", [][]entry{{hard("b", "a")}, {file("b")}}, "1:b"},
		{"a device over a file", [][]entry{{file("a")}, {entry{name: "a", kind: kindOther}}}, "0:a<1"},
		{"whiteout of nothing", [][]entry{{gone("a"), opaque("b"), file("c")}}, "0:c"},
		{"out of the root", [][]entry{{file("etc/x"), link("a", "../../../etc")}, {file("a/x")}}, "0:etc/x<1 1:a/x"},
	} {
		if got := hidden(c.layers); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// shadows says for each entry of each layer, the lowest first, which layer hides it.
func shadows(layers [][]entry) [][]int {
	t := newStack()
	for _, l := range layers {
		t.push(l)
	}
	return t.shadows()
}

func (t *stack) shadows() [][]int {
	by := make([][]int, len(t.levels))
	for i, l := range t.levels {
		for k := range l.contents {
			by[i] = append(by[i], t.hides(i, k))
		}
	}
	return by
}

func hidden(layers [][]entry) string {
	var out []string
	for i, by := range shadows(layers) {
		for k, e := range layers[i] {
			if e.kind != kindFile {
				continue
			}
			s := fmt.Sprintf("%d:%s", i, e.name)
			if by[k] != visible {
				s += fmt.Sprintf("<%d", by[k])
			}
			out = append(out, s)
		}
	}
	return strings.Join(out, " ")
}

// TestShadowsNaively compares with a flat list of names, on random layers.
func TestShadowsNaively(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		layers := make([][]entry, 1+rng.IntN(5))
		for i := range layers {
			for range rng.IntN(9) {
				name := []string{"a", "b", "c"}[rng.IntN(3)]
				for range rng.IntN(3) {
					name = path.Join(name, []string{"a", "b"}[rng.IntN(2)])
				}
				layers[i] = append(layers[i], entry{name: name, kind: []kind{kindFile, kindFile, kindFile, kindDir, kindOther, kindWhiteout, kindOpaque}[rng.IntN(7)]})
			}
		}
		got := shadows(layers)
		for i, by := range naively(layers) {
			for k, want := range by {
				if layers[i][k].kind == kindFile && got[i][k] != want {
					t.Fatalf("seed %d: entry %d of layer %d is hidden by %d, want %d\n%+v", seed, k, i, got[i][k], want, layers)
				}
			}
		}
	}
}

// TestStackTakesBack: what was put on and taken off again leaves nothing behind.
func TestStackTakesBack(t *testing.T) {
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 2))
		var at [][]entry
		s := newStack()
		for range 12 {
			if len(at) > 0 && rng.IntN(3) == 0 {
				s.pop()
				at = at[:len(at)-1]
				continue
			}
			l := randomLayer(rng)
			s.push(l)
			at = append(at, l)
		}
		if diff := cmp.Diff(shadows(at), s.shadows()); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// randomLayer has links, too.
func randomLayer(rng *rand.Rand) (out []entry) {
	name := func() string {
		s := []string{"a", "b", "c"}[rng.IntN(3)]
		for range rng.IntN(3) {
			s = path.Join(s, []string{"a", "b"}[rng.IntN(2)])
		}
		return s
	}
	for range rng.IntN(9) {
		e := entry{name: name(), kind: []kind{kindFile, kindFile, kindDir, kindSymlink, kindHardlink, kindOther, kindWhiteout, kindOpaque}[rng.IntN(8)]}
		if e.kind == kindSymlink || e.kind == kindHardlink {
			e.target = name()
		}
		out = append(out, e)
	}
	return out
}

// naively keeps a list of names.
func naively(layers [][]entry) [][]int {
	out := make([][]int, len(layers))
	type file struct {
		layer, entry int
		content      bool
	}
	has := map[string]file{} // files; folders are not kept, names above imply them
	for i, list := range layers {
		out[i] = make([]int, len(list))
		remove := func(which func(string) bool) {
			for name, f := range has {
				if which(name) {
					if f.content {
						out[f.layer][f.entry] = i
					}
					delete(has, name)
				}
			}
		}
		for k, e := range list {
			out[i][k] = visible
			switch e.kind {
			case kindWhiteout:
				remove(func(n string) bool { return n == e.name || strings.HasPrefix(n, e.name+"/") })
			case kindOpaque:
				remove(func(n string) bool { return strings.HasPrefix(n, e.name+"/") })
			case kindFile, kindDir, kindSymlink, kindHardlink, kindOther:
			}
		}
		for k, e := range list {
			if e.kind == kindWhiteout || e.kind == kindOpaque {
				continue
			}
			remove(func(n string) bool { return strings.HasPrefix(e.name, n+"/") || n == e.name })
			if e.kind != kindDir {
				remove(func(n string) bool { return strings.HasPrefix(n, e.name+"/") })
				has[e.name] = file{i, k, e.kind == kindFile}
			}
		}
	}
	return out
}

// TestStackIsBounded: names that no runtime makes take no memory, and neither do very
// many folders that are only parts of names.
func TestStackIsBounded(t *testing.T) {
	deep := strings.Repeat("d/", 200_000)
	s := newStack()
	s.push([]entry{{name: deep + "f"}, {name: "l", kind: kindSymlink, target: deep}, {name: "l/f"}, {name: deep + "g", kind: kindWhiteout}, {name: "f"}})
	if got := s.shadows(); !slices.Equal(got[0], []int{0, visible, 0, 0, visible}) {
		t.Errorf("hidden by %v", got)
	}
	const each = 2000
	var many []entry
	for i := range mostImplied/each + 50 {
		many = append(many, entry{name: fmt.Sprint(i, "/", deep[:2*each]) + "f"})
	}
	for range 2 { // what was taken off leaves room
		s.push(many)
		if got := s.shadows(); got[1][0] != visible || got[1][len(many)-1] == visible {
			t.Errorf("%d of %d are hidden", len(got[1])-strings.Count(fmt.Sprint(got[1]), "-1"), len(many))
		}
		s.pop()
	}
}
