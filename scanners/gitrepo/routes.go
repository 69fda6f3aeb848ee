package gitrepo

import (
	"bytes"
	"context"
	"slices"

	"revenant/scanners/gitrepo/objects"
)

// after works out what the tree of a commit holds from what that of a parent
// does: only trees that differ are read.
func (s *stood) after(ctx context.Context, t *trees, id oid) (stoodAt, bool) {
	if len(t.h.names) > 0 { // they are in trees themselves
		return stoodAt{}, false
	}
	data, err := t.store.get(ctx, id, objects.Commit)
	if err != nil {
		return stoodAt{}, false
	}
	root, parents := shape(data)
	for _, p := range parents {
		at, has := s.commits[p]
		if !has || !at.lasts {
			continue
		}
		data, err := t.store.get(ctx, p, objects.Commit)
		if err != nil {
			continue
		}
		old, _ := shape(data)
		d := differing{t: t}
		if !d.trees(ctx, old, root, "", 0) || ctx.Err() != nil {
			return stoodAt{}, false
		}
		members := slices.Clone(s.sets[at.set])
		for _, p := range d.gone {
			i, has := s.marks[s.mark(p)]
			if !has {
				i, has = s.by[p]
			}
			if k := slices.Index(members, i); has && k >= 0 {
				members = slices.Delete(members, k, k+1)
			}
		}
		for _, p := range d.come {
			members = append(members, s.spot(p))
		}
		return stoodAt{s.set(members), true}, true
	}
	return stoodAt{}, false
}

// differing are the places that one tree has and another has not.
type differing struct {
	t          *trees
	gone, come []place
}

// trees compares two trees; a zero one is empty. It is false where not all can be
// told, or was read.
func (d *differing) trees(ctx context.Context, old, now oid, path string, depth int) bool {
	if old == now {
		return true
	}
	if depth > maxTreeDepth || ctx.Err() != nil {
		return false
	}
	before, ok := d.list(ctx, old)
	after, ok2 := d.list(ctx, now)
	if !ok || !ok2 {
		return false
	}
	var was, is entry
	for len(before)+len(after) > 0 {
		was, is = entry{}, entry{}
		c := 0
		switch {
		case len(before) == 0:
			c = 1
		case len(after) == 0:
			c = -1
		default:
			c = before[0].compare(after[0])
		}
		if c <= 0 {
			was, before = before[0], before[1:]
		}
		if c >= 0 {
			is, after = after[0], after[1:]
		}
		if !d.entry(ctx, was, is, path, depth) {
			return false
		}
	}
	return true
}

// entry compares what stands under a name in both trees.
func (d *differing) entry(ctx context.Context, was, is entry, path string, depth int) bool {
	if was.id == is.id && was.mode == is.mode {
		return true
	}
	var old, now oid
	name := string(was.name)
	if was.tree() {
		old = was.id
	} else if d.kept(was) {
		d.gone = append(d.gone, place{was.id, path + name, was.link()})
	}
	if len(is.name) > 0 {
		name = string(is.name)
	}
	switch {
	case is.tree():
		now = is.id
	case d.kept(is):
		d.come = append(d.come, place{is.id, path + name, is.link()})
	case len(is.name) > 0 && !d.t.read(is.id):
		return false
	}
	return d.trees(ctx, old, now, path+name+"/", depth+1)
}

// kept reports whether sets have what an entry names.
func (d *differing) kept(e entry) bool {
	if len(e.name) == 0 || e.tree() {
		return false
	}
	_, wanted := d.t.h.wanted[e.id]
	return wanted || d.t.h.pointers[e.id] || e.link()
}

// list are the entries of a tree; false where they are not in git's order.
func (d *differing) list(ctx context.Context, id oid) ([]entry, bool) {
	if id.IsZero() {
		return nil, true
	}
	data, err := d.t.store.get(ctx, id, objects.Tree)
	if err != nil {
		return nil, false
	}
	var out []entry
	for len(data) > 0 {
		e, rest, ok := nextEntry(data, len(id.Bytes()))
		if !ok || len(e.name) == 0 || len(out) > 0 && out[len(out)-1].compare(e) >= 0 {
			return nil, false
		}
		out, data = append(out, e), rest
	}
	return out, true
}

// compare orders entries as trees have them: a folder as if its name ended in a
// slash.
func (e entry) compare(o entry) int {
	n := min(len(e.name), len(o.name))
	if d := bytes.Compare(e.name[:n], o.name[:n]); d != 0 {
		return d
	}
	return int(e.at(n)) - int(o.at(n))
}

func (e entry) at(i int) byte {
	switch {
	case i < len(e.name):
		return e.name[i]
	case i == len(e.name) && e.tree():
		return '/'
	}
	return 0
}

// route notes which trees lead to what stands for content elsewhere: no commit
// is remembered that brought it.
func (s *stood) route(ctx context.Context, t *trees, refs []ref) {
	done := make([]bool, len(s.sets))
	for i := range refs {
		at, has := s.commits[refs[i].commit]
		if !has || done[at.set] {
			continue
		}
		done[at.set] = true
		for _, k := range s.sets[at.set] {
			p := &s.spots[k]
			if p.route == nil && p.named && (p.link || t.h.pointers[p.blob]) {
				p.route = t.route(ctx, refs[i].commit, p.path)
			}
		}
	}
}

// route are the trees from a commit's down to the one that a path is in.
func (t *trees) route(ctx context.Context, commit oid, path string) (route []oid) {
	data, err := t.store.get(ctx, commit, objects.Commit)
	if err != nil {
		return nil
	}
	tree, _ := shape(data)
	rest := []byte(path)
	for {
		route = append(route, tree)
		name, below, more := bytes.Cut(rest, []byte{'/'})
		if !more {
			return route
		}
		found := false
		for e := range t.entries(ctx, tree) {
			if found = e.tree() && bytes.Equal(e.name, name); found {
				tree, rest = e.id, below
				break
			}
		}
		if !found {
			return nil
		}
	}
}

// follow names a place by its route.
func (s *stood) follow(ctx context.Context, t *trees, p *spot) {
	if p.named || len(p.route) == 0 {
		return
	}
	paths := []string{""}
	for i, tree := range p.route {
		next := p.blob
		if last := i == len(p.route)-1; !last {
			next = p.route[i+1]
		}
		var further []string
		for e := range t.entries(ctx, tree) {
			if e.id != next {
				continue
			}
			for _, path := range paths {
				further = append(further, path+string(e.name))
			}
		}
		if paths = further; len(paths) == 0 || len(paths) > maxPaths {
			return
		}
		if i < len(p.route)-1 {
			for k := range paths {
				paths[k] += "/"
			}
		}
	}
	for _, path := range paths {
		if at := (place{p.blob, path, p.link}); s.mark(at) == p.mark {
			s.spot(at)
			return
		}
	}
}

// maxPaths is how many paths a route may mean.
const maxPaths = 64
