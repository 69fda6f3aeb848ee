package image

import (
	"path"
	"strings"
)

// kind says what an entry of a layer is.
type kind uint8

// The kinds of entry.
const (
	kindFile kind = iota
	kindDir
	kindSymlink
	kindHardlink
	kindOther // device, FIFO
	kindWhiteout
	kindOpaque
)

// entry is a name in a layer. Names are cleaned, without a slash at either end;
// that of a whiteout is the name which it removes, that of an opaque mark the
// directory which it empties.
type entry struct {
	name   string
	kind   kind
	target string // of links
}

// visible stands for no layer: nothing hides the content.
const visible = -1

// maxLinks is how many symbolic links one name may lead through, as on Linux.
const maxLinks = 40

// shadows says for each entry of each layer, the lowest first, which layer hides
// its content in what a container sees: visible, or the number of a layer. Only
// files have content; a hard link is another name of one.
//
// The rules are those of the OCI image specification, "Image Layer Filesystem
// Changeset": a whiteout removes a name and all below it in the layers below, an
// opaque mark what a directory held there, an entry replaces what stood under its
// name, unless both are directories. Names lead through the symbolic links of the
// layers below, as runtimes apply them.
func shadows(layers [][]entry) [][]int {
	t := &tree{root: &node{kind: kindDir}, by: make([][]int, len(layers)), names: map[spot]int{}}
	for i, entries := range layers {
		t.by[i] = make([]int, len(entries))
		for k := range t.by[i] {
			t.by[i][k] = visible
		}
		t.layer = i
		// What a layer removes it removes from those below, wherever it says so.
		for _, e := range entries {
			switch e.kind {
			case kindWhiteout:
				t.remove(e.name)
			case kindOpaque:
				t.empty(e.name)
			case kindFile, kindDir, kindSymlink, kindHardlink, kindOther:
			}
		}
		for k, e := range entries {
			switch e.kind {
			case kindOpaque:
			case kindWhiteout: // the name that it takes away
				t.by[i][k] = i
			case kindFile, kindDir, kindSymlink, kindHardlink, kindOther:
				t.add(e, spot{i, k})
			}
		}
	}
	return t.by
}

// spot is an entry's place.
type spot struct{ layer, entry int }

// node is a name in what a container sees.
type node struct {
	kind     kind
	target   string
	content  spot // of a file
	children map[string]*node
}

// tree is the file system that layers make.
type tree struct {
	root  *node
	layer int
	by    [][]int
	names map[spot]int // how many names a content has
}

// at finds the directory that holds a name, through links; nil: there is none.
func (t *tree) at(name string, make bool) (dir *node, base string) {
	dir = t.root
	parent, base := path.Split(name)
	links := maxLinks
	walked := []*node{}
	rest := strings.Split(strings.Trim(parent, "/"), "/")
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(walked) > 0 {
				dir, walked = walked[len(walked)-1], walked[:len(walked)-1]
			}
			continue
		}
		next := dir.children[part]
		switch {
		case next != nil && next.kind == kindSymlink:
			if links--; links < 0 {
				return nil, base
			}
			if strings.HasPrefix(next.target, "/") {
				dir, walked = t.root, walked[:0]
			}
			rest = append(strings.Split(next.target, "/"), rest...)
			continue
		case next != nil && next.kind == kindDir:
		case !make:
			return nil, base
		default: // the layer has a name below it, so it is a directory now
			if next != nil {
				t.drop(next)
			}
			next = &node{kind: kindDir}
			dir.put(part, next)
		}
		walked = append(walked, dir)
		dir = next
	}
	return dir, base
}

func (n *node) put(name string, child *node) {
	if n.children == nil {
		n.children = map[string]*node{}
	}
	n.children[name] = child
}

// find is what stands under a name.
func (t *tree) find(name string) *node {
	dir, base := t.at(name, false)
	if dir == nil {
		return nil
	}
	return dir.children[base]
}

// remove takes a name away, with all below it.
func (t *tree) remove(name string) {
	dir, base := t.at(name, false)
	if dir == nil || dir.children[base] == nil {
		return
	}
	t.drop(dir.children[base])
	delete(dir.children, base)
}

// empty takes away what a directory holds.
func (t *tree) empty(name string) {
	dir := t.root
	if name != "" {
		dir = t.find(name)
	}
	if dir == nil || dir.kind != kindDir {
		return
	}
	for _, child := range dir.children {
		t.drop(child)
	}
	dir.children = nil
}

// drop notes that what a node stands for lost a name.
func (t *tree) drop(n *node) {
	for stack := []*node{n}; len(stack) > 0; {
		n, stack = stack[len(stack)-1], stack[:len(stack)-1]
		if n.kind == kindFile || n.kind == kindSymlink {
			if t.names[n.content]--; t.names[n.content] == 0 {
				t.by[n.content.layer][n.content.entry] = t.layer
			}
		}
		for _, child := range n.children {
			stack = append(stack, child)
		}
	}
}

// add puts an entry where it belongs.
func (t *tree) add(e entry, s spot) {
	if e.name == "" || e.name == "." {
		return // the root
	}
	dir, base := t.at(e.name, true)
	if dir == nil { // links in a circle: no runtime applies it
		t.by[s.layer][s.entry] = s.layer
		return
	}
	old := dir.children[base]
	if e.kind == kindDir && old != nil && old.kind == kindDir {
		return
	}
	n := &node{kind: e.kind, target: e.target}
	switch e.kind {
	case kindFile, kindSymlink:
		n.content = s
		t.names[s] = 1
	case kindHardlink:
		target := t.find(e.target)
		if target == nil || target.kind != kindFile {
			n.kind = kindOther
			break
		}
		n.kind, n.content = kindFile, target.content
		t.names[n.content]++
	case kindDir, kindOther, kindWhiteout, kindOpaque:
	}
	if old != nil {
		t.drop(old)
	}
	dir.put(base, n)
}
