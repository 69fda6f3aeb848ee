package image

import (
	"strings"
	"testing"
)

// wantsFew takes what the fuzz test makes up for files of a git directory.
type wantsFew struct{ GitRepositories }

func (wantsFew) Wants(name string) bool {
	return name == head || strings.HasPrefix(name, "refs/") || strings.HasPrefix(name, objectsFolder)
}

// FuzzGenerations: whatever layers say, a generation is of files that they have, in
// their order, with a HEAD and an object, and its name is its own.
func FuzzGenerations(f *testing.F) {
	f.Add("fg/HEAD\nfg/objects/a\nfg/refs/x", "wg", "fg/HEAD\nhg/objects/b>g/objects/a")
	f.Add("fg/HEAD\nfg/objects/a\nfg/refs/x", "wg/refs/x\nfg/objects/c", "og\nfg/HEAD\nfg/objects/d")
	f.Add("fHEAD\nfobjects/a", "w\no", "hobjects/x>objects/a\nfobjects/objects/a")
	f.Fuzz(func(t *testing.T, one, two, three string) {
		w := &work{src: &Source{o: Options{Repositories: wantsFew{}}}}
		folders := map[string]bool{}
		for _, text := range []string{one, two, three} {
			s := &surveyed{}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if line == "" {
					continue
				}
				name, target, _ := strings.Cut(line[1:], ">")
				e := entry{name: cleaned(name), kind: map[byte]kind{'w': kindWhiteout, 'o': kindOpaque, 'h': kindHardlink, 'd': kindDir}[line[0]], target: cleaned(target)}
				s.Held = append(s.Held, heldFile{Entry: len(s.Entries)})
				s.Entries = append(s.Entries, e)
			}
			w.layers = append(w.layers, &standing{known: s})
			for folder := range w.gitFolders(w.layers[len(w.layers)-1]) {
				folders[folder] = true
			}
		}
		parts := map[string]bool{}
		for folder := range folders {
			for _, g := range w.generations(folder, []int{0, 1, 2}) {
				checkGeneration(t, w, g)
				if parts[g.part] {
					t.Errorf("%q twice", g.part)
				}
				parts[g.part] = true
			}
		}
	})
}

func checkGeneration(t *testing.T, w *work, g *generation) {
	t.Helper()
	heads, objects, before := 0, 0, gitPlace{-1, -1}
	for _, f := range g.files {
		e := w.layers[f.layer].known.Entries[f.entry]
		if want := strings.TrimPrefix(g.folder+"/"+f.name, "/"); e.name != want || e.kind != kindFile && e.kind != kindHardlink {
			t.Errorf("%q in %q is %+v", f.name, g.folder, e)
		}
		if from := w.layers[f.from.layer].known.Entries[f.from.entry]; from.kind != kindFile {
			t.Errorf("%q is read from %+v", f.name, from)
		}
		if f.layer < before.layer || f.layer == before.layer && f.entry <= before.entry {
			t.Errorf("%v behind %v", f.gitPlace, before)
		}
		before = f.gitPlace
		if f.name == head {
			heads++
		}
		if f.object() {
			objects++
		}
	}
	if heads != 1 || objects == 0 {
		t.Errorf("%d heads, %d objects", heads, objects)
	}
}
