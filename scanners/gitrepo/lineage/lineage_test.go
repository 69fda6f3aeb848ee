package lineage_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// found is a place as text.
func found(p lineage.Place) string { return p.ID.String() + " " + p.Path }

// ages are the effective dates of commits: no commit's is before its parents'.
func ages(log map[string]*logged) map[string]string {
	out := map[string]string{}
	var of func(c string) string
	of = func(c string) string {
		if a, has := out[c]; has {
			return a
		}
		a := fmt.Sprintf("%012d %s", log[c].date, c)
		for _, p := range log[c].parents {
			if log[p] != nil {
				a = max(a, of(p))
			}
		}
		out[c] = a
		return a
	}
	for c := range log {
		of(c)
	}
	return out
}

// wantedOf are the objects that are asked for in wild histories.
func wantedOf(t *testing.T, dir string) (ids []objects.ID, texts map[string]bool) {
	texts = map[string]bool{}
	for _, f := range lines(git(t, dir, "", "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")) {
		if f[1] == "blob" && strings.HasPrefix(git(t, dir, "", "cat-file", "blob", f[0]), "wanted") {
			ids = append(ids, parse(t, f[0]))
			texts[f[0]] = true
		}
	}
	return ids, texts
}

// TestAsGitLog compares random histories with git's log: what commits brought,
// which of them is the oldest, what is reached.
func TestAsGitLog(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(24) {
		format := []objects.Format{objects.SHA1, objects.SHA256}[seed%2]
		rng := rand.New(rand.NewPCG(seed, 7))
		dir := wild(t, rng, format)
		ids, wanted := wantedOf(t, dir)
		names := map[string]bool{}
		if seed%3 == 0 {
			names["odd"] = true
		}
		asked := func(path, id string) bool {
			return wanted[id] || names["odd"] && slices.Contains(strings.Split(path, "/"), "odd")
		}
		h := read(t, dir, lineage.Query{IDs: ids, Names: names, Links: seed%2 == 0})

		var tips, all []string
		for _, f := range lines(git(t, dir, "", "for-each-ref", "--format=%(objectname)")) {
			tips = append(tips, f[0])
		}
		log := logOf(t, dir, tips, "--topo-order")
		for _, f := range lines(git(t, dir, "", "cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)")) {
			if f[1] == "commit" && log[f[0]] == nil {
				all = append(all, f[0])
			}
		}
		beyond := logOf(t, dir, all, "--no-walk=unsorted")
		told := compareLog(t, h, tips, log, beyond, asked)
		both := map[string]*logged{}
		for _, m := range []map[string]*logged{log, beyond} {
			for c, l := range m {
				both[c] = l
			}
		}
		age := ages(both)
		for i, m := range []map[string]*logged{log, beyond} {
			where := []string{"reached", "beyond"}[i]
			want := oldest(m, age, asked)
			if diff := gocmp.Diff(want, told[i]); diff != "" {
				t.Errorf("seed %d, %s: the oldest (-git +got):\n%s", seed, where, diff)
			}
			for _, c := range want {
				kinds[fmt.Sprint(where, " ", min(len(m[c].parents), 3))]++
			}
		}
		compareTrees(t, dir, h, tips, asked)
	}
	for _, where := range []string{"reached", "beyond"} {
		for parents := range 4 { // roots, commits, merges, octopuses
			if kinds[fmt.Sprint(where, " ", parents)] == 0 {
				t.Errorf("%s: no commit with %d parents was the oldest anywhere: %v", where, parents, kinds)
			}
		}
	}
	t.Log(kinds)
}

// compareLog checks that commits brought what git says, and returns which was
// told last for each place.
func compareLog(t *testing.T, h *lineage.History, tips []string, log, beyond map[string]*logged, asked func(path, id string) bool) [2]map[string]string {
	t.Helper()
	told := [2]map[string]string{{}, {}}
	ids := make([]objects.ID, 0, len(tips))
	for _, tip := range tips {
		ids = append(ids, parse(t, tip))
	}
	r := h.Reach(ids)
	met := map[string]bool{}
	err := h.Brought(t.Context(), r, func(commit objects.ID, reached bool, places []lineage.Place) {
		l, i := log[commit.String()], 0
		if !reached {
			l, i = beyond[commit.String()], 1
		}
		if l == nil || met[commit.String()] || reached && len(told[1]) > 0 {
			t.Fatalf("%s is told: reached %v, before %v", commit, reached, met[commit.String()])
		}
		met[commit.String()] = true
		for _, p := range places {
			if l.brought[p.Path] != p.ID.String() {
				t.Errorf("%s brought %s; git has %s", commit, found(p), l.brought[p.Path])
			}
			if asked(p.Path, p.ID.String()) {
				told[i][found(p)] = commit.String()
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for id := range r.All() {
		if n++; log[id.String()] == nil {
			t.Errorf("%s is reached", id)
		}
	}
	if n != len(log) {
		t.Errorf("%d commits are reached, by git's log %d", n, len(log))
	}
	for c := range beyond {
		if r.Has(parse(t, c)) {
			t.Errorf("%s is reached", c)
		}
	}
	return told
}

// oldest is the commit that brought each place, by git's log and the rule.
func oldest(log map[string]*logged, age map[string]string, asked func(path, id string) bool) map[string]string {
	out := map[string]string{}
	for c, l := range log {
		for path, id := range l.brought {
			key := id + " " + path
			if !asked(path, id) || strings.Trim(id, "0") == "" {
				continue
			}
			have, has := out[key]
			switch by := cmp.Compare(age[c], age[have]); {
			case !has, by < 0, by == 0 && reaches(log, have, c):
				out[key] = c
			}
		}
	}
	return out
}

// reaches reports whether a commit has another one among its ancestors.
func reaches(log map[string]*logged, from, to string) bool {
	seen, stack := map[string]bool{}, []string{from}
	for len(stack) > 0 {
		c := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if c == to {
			return true
		}
		if l := log[c]; l != nil && !seen[c] {
			seen[c] = true
			stack = append(stack, l.parents...)
		}
	}
	return false
}

// compareTrees checks what trees hold against git ls-tree.
func compareTrees(t *testing.T, dir string, h *lineage.History, commits []string, asked func(path, id string) bool) {
	t.Helper()
	for _, c := range commits {
		var want, got []string
		for _, f := range lines(git(t, dir, "", "ls-tree", "-r", c)) {
			if f[1] == "blob" && asked(f[3], f[2]) {
				want = append(want, f[2]+" "+f[3])
			}
		}
		o, commit, is := h.Root(t.Context(), parse(t, c))
		if !commit || !is {
			t.Fatalf("%s is no commit", c)
		}
		for _, p := range h.Content(o).Places {
			if !p.ID.IsZero() && !p.Link {
				got = append(got, found(p))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("the tree of %s (-git +got):\n%s", c, diff)
		}
	}
}

// TestPlaces: links, names and objects that were not read.
func TestPlaces(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	blob := parse(t, git(t, dir, "wanted", "hash-object", "-w", "--stdin"))
	dull := parse(t, git(t, dir, "dull", "hash-object", "-w", "--stdin"))
	link := strings.Repeat("1", 40)
	low := git(t, dir, fmt.Sprintf("100644 blob %s\tx\n", dull), "mktree")
	mid := git(t, dir, fmt.Sprintf("100644 blob %s\tf\n040000 tree %s\tlow\n160000 commit %s\tsub\n", blob, strings.TrimSpace(low), link), "mktree", "--missing")
	top := git(t, dir, fmt.Sprintf("040000 tree %s\ta\n040000 tree %s\tb\n040000 tree %s\tgone\n", strings.TrimSpace(mid), strings.TrimSpace(low), link), "mktree", "--missing")
	all := func(objects.ID) bool { return true }
	place := func(path string, id objects.ID) lineage.Place { return lineage.Place{Path: path, ID: id} }
	for name, c := range map[string]struct {
		q     lineage.Query
		root  string
		want  []lineage.Place
		sure  bool
		gones int
	}{
		"an object":         {lineage.Query{IDs: []objects.ID{blob}}, mid, []lineage.Place{place("f", blob)}, true, 0},
		"twice":             {lineage.Query{IDs: []objects.ID{blob, dull}, Read: all}, mid, []lineage.Place{place("f", blob), place("low/x", dull)}, true, 0},
		"links":             {lineage.Query{Links: true}, mid, []lineage.Place{{Path: "sub", ID: parse(t, link), Link: true}}, true, 0},
		"a file's name":     {lineage.Query{Names: map[string]bool{"x": true}}, mid, []lineage.Place{place("low/x", objects.ID{}), place("low/x", dull)}, true, 0},
		"a folder's name":   {lineage.Query{Names: map[string]bool{"low": true}}, mid, []lineage.Place{place("low", objects.ID{}), place("low/x", dull)}, true, 0},
		"what was not read": {lineage.Query{Read: func(id objects.ID) bool { return id != dull }}, mid, nil, false, 0},
		"a missing tree":    {lineage.Query{IDs: []objects.ID{dull}, Read: all}, top, []lineage.Place{place("a/low/x", dull), place("b/x", dull)}, false, 1},
		"nothing":           {lineage.Query{IDs: []objects.ID{parse(t, link)}, Read: all}, mid, nil, true, 0},
	} {
		h := read(t, dir, c.q)
		o, commit, is := h.Root(t.Context(), parse(t, c.root))
		if commit || !is {
			t.Fatalf("%s: commit %v, tree %v", name, commit, is)
		}
		got := h.Content(o)
		if diff := gocmp.Diff(c.want, got.Places, gocmp.Comparer(func(a, b objects.ID) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Sure != c.sure || len(got.Gone) != c.gones {
			t.Errorf("%s: sure %v, gone %v", name, got.Sure, got.Gone)
		}
	}
	h := read(t, dir, lineage.Query{})
	if _, _, is := h.Root(t.Context(), blob); is {
		t.Error("a blob has a tree")
	}
}

// TestManyPaths: small trees that claim more paths than anybody can list.
func TestManyPaths(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	blob := strings.TrimSpace(git(t, dir, "wanted", "hash-object", "-w", "--stdin"))
	entry := "100644 blob " + blob
	for range 12 {
		var list strings.Builder
		for i := range 10 {
			fmt.Fprintf(&list, "%s\tf%d\n", entry, i)
		}
		entry = "040000 tree " + strings.TrimSpace(git(t, dir, list.String(), "mktree"))
	}
	tree := strings.Fields(entry)[2]
	commit := parse(t, git(t, dir, "", "commit-tree", "-m", "c", tree))
	h := read(t, dir, lineage.Query{IDs: []objects.ID{parse(t, blob)}})
	places := 0
	if err := h.Brought(t.Context(), h.Reach([]objects.ID{commit}), func(_ objects.ID, _ bool, list []lineage.Place) { places += len(list) }); err != nil {
		t.Fatal(err)
	}
	o, _, _ := h.Root(t.Context(), commit)
	if n := len(h.Content(o).Places); !h.Over() || n < 1000 || places < 1000 {
		t.Errorf("%d and %d places; over: %v", n, places, h.Over())
	}
}

// TestDeepTree: folders in folders beyond every bound.
func TestDeepTree(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	blob := strings.TrimSpace(git(t, dir, "wanted", "hash-object", "-w", "--stdin"))
	var s strings.Builder
	s.WriteString("commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 1\nc\n")
	for _, depth := range []int{3, 2500} {
		fmt.Fprintf(&s, "M 100644 %s %sf\n", blob, strings.Repeat("d/", depth))
	}
	git(t, dir, s.String(), "fast-import", "--quiet")
	h := read(t, dir, lineage.Query{IDs: []objects.ID{parse(t, blob)}})
	o, _, _ := h.Root(t.Context(), parse(t, git(t, dir, "", "rev-parse", "main")))
	if list := h.Content(o).Places; len(list) != 1 || list[0].Path != "d/d/d/f" || !h.Over() {
		t.Errorf("%d places; over: %v", len(list), h.Over())
	}
}

// TestNoise: files beside the objects that say nothing, and commits that lead
// to nothing.
func TestNoise(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	for _, name := range []string{"shallow", "info/grafts"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("# noise\nnoise\n\n1 2 3\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	none := strings.Repeat("1", 40)
	commit := parse(t, git(t, dir, fmt.Sprintf("tree %s\nparent %s\nauthor A\ncommitter C\n\nm\n", none, none), "hash-object", "-t", "commit", "-w", "--stdin", "--literally"))
	h := read(t, dir, lineage.Query{IDs: []objects.ID{parse(t, none)}})
	r := h.Reach([]objects.ID{commit, parse(t, none)})
	if !r.Has(commit) || r.Has(parse(t, none)) {
		t.Error("the commit is not reached, or one that is not there is")
	}
	o, _, is := h.Root(t.Context(), commit)
	if c := h.Content(o); !is || c.Sure || len(c.Gone) != 1 {
		t.Errorf("%v, %+v", is, c)
	}
}
