package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// generation is a git directory as layers built it up, from where it was not there to
// where one of them removes it. What is in it counts although later layers hide it: of
// objects all that any layer has, of all else what was there last.
type generation struct {
	folder string
	files  []gitFile // in the order of layers
	part   string    // of a memory
	read   *history  // nil: it was not
	taken  []int     // files, in the order in which they were taken
	bytes  int64
}

// gitFile is a file of a git directory.
type gitFile struct {
	name string // in the directory
	gitPlace
	// from has the content: another place where the name is a link.
	from gitPlace
}

// gitPlace is an entry of a layer, by its number among those of the work.
type gitPlace struct{ layer, entry int }

func (f gitFile) object() bool { return strings.HasPrefix(f.name, objectsFolder) }

// linked reports whether the content stands under another name, where it is given out.
func (f gitFile) linked() bool { return f.from != f.gitPlace }

// head is what a git directory has where there is one.
const head = "HEAD"

// building is a generation under way: what is no object may still be replaced.
type building struct {
	objects []gitFile
	others  map[string]gitFile
	order   map[gitPlace]int
}

func newBuilding() *building {
	return &building{others: map[string]gitFile{}, order: map[gitPlace]int{}}
}

func (b *building) put(f gitFile) {
	b.order[f.gitPlace] = len(b.order)
	if f.object() {
		b.objects = append(b.objects, f)
	} else {
		b.others[f.name] = f
	}
}

// drop takes away what a layer removes. Objects stay: they can be had still.
func (b *building) drop(name string) {
	maps.DeleteFunc(b.others, func(other string, _ gitFile) bool { return covers(name, other) })
}

// done is the generation; nil: it is no git directory.
func (b *building) done(folder string) *generation {
	if _, has := b.others[head]; !has || len(b.objects) == 0 {
		return nil
	}
	g := &generation{folder: folder, files: slices.AppendSeq(b.objects, maps.Values(b.others))}
	slices.SortFunc(g.files, func(x, y gitFile) int { return b.order[x.gitPlace] - b.order[y.gitPlace] })
	return g
}

// generations are those of a directory in some layers, the lowest first.
func (w *work) generations(folder string, layers []int) (out []*generation) {
	b := newBuilding()
	end := func() {
		if g := b.done(folder); g != nil {
			g.part = w.partOfGeneration(g)
			out = append(out, g)
		}
		b = newBuilding()
	}
	for n, at := range layers {
		x := w.gitIndex(w.layers[at])
		for _, gone := range x.gone {
			if covers(gone, folder) {
				end()
			} else if name, is := strings.CutPrefix(gone, folder+"/"); is {
				b.drop(name)
			}
		}
		for _, f := range x.files[folder] {
			here := gitPlace{at, f.entry}
			if from, has := w.content(layers[:n+1], here); has {
				b.put(gitFile{name: f.name, gitPlace: here, from: from})
			}
		}
	}
	end()
	return out
}

// content is where the content of an entry stands: of a hard link, what it leads to.
func (w *work) content(layers []int, at gitPlace) (gitPlace, bool) {
	e := w.layers[at.layer].known.Entries[at.entry]
	if e.kind == kindFile {
		return at, true
	}
	for _, layer := range slices.Backward(layers) {
		if entry, has := w.gitIndex(w.layers[layer]).byName[e.target]; has {
			return gitPlace{layer, entry}, true
		}
	}
	return at, false
}

// gitPart begins the parts of a memory that are about a repository; they are kept as
// those about layers are.
const gitPart = "layer-git-"

// partOfGeneration names what is remembered of one: it is the same wherever the same
// layers make it.
func (w *work) partOfGeneration(g *generation) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q\n", g.folder) // a hash takes everything
	for _, f := range g.files {
		_, _ = fmt.Fprintf(h, "%s %d %s %d %q\n", w.layers[f.layer].blob.digest, f.entry, w.layers[f.from.layer].blob.digest, f.from.entry, f.name)
	}
	return gitPart + hex.EncodeToString(h.Sum(nil))
}
