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

// Bounds of names, as on Linux: how many symbolic links one may lead through, and how
// long it may be. No runtime applies what is beyond.
const (
	maxLinks = 40
	maxPath  = 4096
)

// Folders that no entry names, but are parts of names: a short archive may imply very
// many.
const (
	mostImplied = 64 << 10 // and so many for each entry:
	impliedEach = 16
)

// stack is layers on top of each other, and what a container sees of them. Layers
// are put on and taken off again, so that images that share their lower layers
// share the work.
//
// The rules are those of the OCI image specification, "Image Layer Filesystem
// Changeset": a whiteout removes a name and all below it in the layers below, an
// opaque mark what a directory held there, an entry replaces what stood under its
// name, unless both are directories. Names lead through the symbolic links of the
// layers below, as runtimes apply them.
type stack struct {
	root   *node
	levels []level
	done   []change // in their order, to take them back
	room   int      // folders that may still be implied
}

// level is a layer that was put on.
type level struct {
	contents []*content // by the entry
	from     int        // its first change
	room     int        // before it was put on
}

// content is what an entry brought.
type content struct {
	names  int // that lead to it
	hidden int // the layer that took the last name
}

// node is a name in what a container sees.
type node struct {
	kind     kind
	target   string
	content  *content
	children map[string]*node
}

// change is what was before a step: the child of a directory, all its children, or
// a content.
type change struct {
	dir      *node
	base     string
	child    *node
	children map[string]*node
	content  *content
	was      content
}

func newStack() *stack {
	return &stack{root: &node{kind: kindDir, content: &content{names: 1}}, room: mostImplied}
}

// push puts a layer on.
func (t *stack) push(entries []entry) {
	t.levels = append(t.levels, level{make([]*content, len(entries)), len(t.done), t.room})
	t.room += impliedEach * len(entries)
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
	own := t.levels[len(t.levels)-1].contents
	for k, e := range entries {
		switch e.kind {
		case kindOpaque:
		case kindWhiteout: // the name that it takes away
			own[k] = &content{hidden: len(t.levels) - 1}
		case kindFile, kindDir, kindSymlink, kindHardlink, kindOther:
			own[k] = t.add(e)
		}
	}
}

// pop takes the top layer off.
func (t *stack) pop() {
	top := t.levels[len(t.levels)-1]
	t.levels, t.room = t.levels[:len(t.levels)-1], top.room
	for i := len(t.done) - 1; i >= top.from; i-- {
		switch c := t.done[i]; {
		case c.content != nil:
			*c.content = c.was
		case c.children != nil:
			c.dir.children = c.children
		case c.child == nil:
			delete(c.dir.children, c.base)
		default:
			c.dir.children[c.base] = c.child
		}
	}
	clear(t.done[top.from:])
	t.done = t.done[:top.from]
}

// hides is the layer that hides what an entry brought; visible: none does.
func (t *stack) hides(layer, entry int) int {
	switch c := t.levels[layer].contents[entry]; {
	case c == nil:
		return layer
	case c.names > 0:
		return visible
	default:
		return c.hidden
	}
}

// at finds the directory that holds a name, through links; nil: there is none.
func (t *stack) at(name string, make bool) (dir *node, base string) {
	dir = t.root
	parent, base := path.Split(name)
	if len(name) > maxPath {
		return nil, base
	}
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
			if links--; links < 0 || len(next.target) > maxPath {
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
		case t.room == 0:
			return nil, base
		default: // the layer has a name below it, so it is a directory now
			t.room--
			if next != nil {
				t.drop(next)
			}
			next = t.named(kindDir)
			t.put(dir, part, next)
		}
		walked = append(walked, dir)
		dir = next
	}
	return dir, base
}

// named is a node of a content of its own.
func (t *stack) named(k kind) *node { return &node{kind: k, content: &content{names: 1}} }

func (t *stack) put(dir *node, name string, child *node) {
	if dir.children == nil {
		dir.children = map[string]*node{}
	}
	t.done = append(t.done, change{dir: dir, base: name, child: dir.children[name]})
	dir.children[name] = child
}

// names counts the names of a content.
func (t *stack) names(c *content, more int) {
	t.done = append(t.done, change{content: c, was: *c})
	if c.names += more; c.names == 0 {
		c.hidden = len(t.levels) - 1
	}
}

// find is what stands under a name.
func (t *stack) find(name string) *node {
	dir, base := t.at(name, false)
	if dir == nil {
		return nil
	}
	return dir.children[base]
}

// remove takes a name away, with all below it.
func (t *stack) remove(name string) {
	dir, base := t.at(name, false)
	if dir == nil || dir.children[base] == nil {
		return
	}
	t.drop(dir.children[base])
	t.done = append(t.done, change{dir: dir, base: base, child: dir.children[base]})
	delete(dir.children, base)
}

// empty takes away what a directory holds.
func (t *stack) empty(name string) {
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
	if dir.children != nil {
		t.done = append(t.done, change{dir: dir, children: dir.children})
		dir.children = nil
	}
}

// drop notes that what a node stands for lost a name.
func (t *stack) drop(n *node) {
	for todo := []*node{n}; len(todo) > 0; {
		n, todo = todo[len(todo)-1], todo[:len(todo)-1]
		t.names(n.content, -1)
		for _, child := range n.children {
			todo = append(todo, child)
		}
	}
}

// add puts an entry where it belongs, and returns what it stands for.
func (t *stack) add(e entry) *content {
	if e.name == "" || e.name == "." {
		return t.root.content
	}
	dir, base := t.at(e.name, true)
	if dir == nil { // links in a circle: no runtime applies it
		return &content{hidden: len(t.levels) - 1}
	}
	old := dir.children[base]
	if e.kind == kindDir && old != nil && old.kind == kindDir {
		return old.content
	}
	n := t.named(e.kind)
	n.target = e.target
	if e.kind == kindHardlink {
		if target := t.find(e.target); target == nil || target.kind != kindFile {
			n.kind = kindOther
		} else {
			n.kind, n.content = kindFile, target.content
			t.names(n.content, 1)
		}
	}
	if old != nil {
		t.drop(old)
	}
	t.put(dir, base, n)
	return n.content
}
