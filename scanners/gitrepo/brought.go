package gitrepo

import (
	"bytes"
	"context"
	"slices"

	"revenant/scanners/gitrepo/objects"
)

// brought are the places that a commit brought wanted blobs to: where its tree
// has one and no parent's tree has the same at the path.
func (t *trees) brought(ctx context.Context, id oid, wanted map[oid]bool) []place {
	data, err := t.store.get(ctx, id, objects.Commit)
	if err != nil {
		t.missed = true
		return nil
	}
	root, parents := shape(data)
	var before []oid
	for _, p := range parents {
		data, err := t.store.get(ctx, p, objects.Commit)
		if err != nil {
			t.missed = true
			continue
		}
		tree, _ := shape(data)
		before = append(before, tree)
	}
	return t.differing(ctx, root, before, wanted, 0)
}

// differing are the wanted blobs in a tree that none of the others has there.
func (t *trees) differing(ctx context.Context, tree oid, others []oid, wanted map[oid]bool, depth int) []place {
	if slices.Contains(others, tree) {
		return nil
	}
	if depth > maxTreeDepth || ctx.Err() != nil {
		t.missed = true
		return nil
	}
	var below []map[string]oid
	for _, o := range others {
		names := map[string]oid{}
		for e := range t.entries(ctx, o) {
			names[string(e.name)] = e.id
		}
		below = append(below, names)
	}
	var out []place
	for e := range t.entries(ctx, tree) {
		var same []oid
		for _, names := range below {
			if id, has := names[string(e.name)]; has {
				same = append(same, id)
			}
		}
		switch {
		case slices.Contains(same, e.id):
		case e.tree():
			for _, p := range t.differing(ctx, e.id, same, wanted, depth+1) {
				out = append(out, place{blob: p.blob, path: string(e.name) + "/" + p.path})
			}
		case wanted[e.id]:
			out = append(out, place{blob: e.id, path: string(e.name)})
		}
	}
	return out
}

// entries are the lines of a tree, as far as it can be read.
func (t *trees) entries(ctx context.Context, id oid) func(yield func(entry) bool) {
	return func(yield func(entry) bool) {
		data, err := t.store.get(ctx, id, objects.Tree)
		if err != nil {
			t.missed = true
			return
		}
		for len(data) > 0 {
			e, rest, ok := nextEntry(data, len(id.Bytes()))
			if !ok {
				t.missed = true
				return
			}
			if !yield(e) {
				return
			}
			data = rest
		}
	}
}

// shape is the tree and the parents of a commit.
func shape(commit []byte) (tree oid, parents []oid) {
	head, _, _ := bytes.Cut(commit, []byte("\n\n"))
	for line := range bytes.SplitSeq(head, []byte{'\n'}) {
		if id, has := bytes.CutPrefix(line, []byte("parent ")); has {
			if p, ok := parseOID(id); ok {
				parents = append(parents, p)
			}
		}
		if id, has := bytes.CutPrefix(line, []byte("tree ")); has {
			tree, _ = parseOID(id)
		}
	}
	return tree, parents
}
