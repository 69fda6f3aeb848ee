package gitrepo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"revenant/fingerprints"
)

// ref is a name that points into the history.
type ref struct {
	name   string
	target oid  // of an annotated tag: the tag
	commit oid  // peeled
	is     bool // that it is a commit, and here
	in     bool // as a packed one
	tagIn  bool // so is the tag
	tip    bool
}

// isTip reports whether what a ref holds is where people work or fetch from.
// Stashes, notes, bisects, replacements and the like are not.
func isTip(name string) bool {
	if name == "HEAD" {
		return true
	}
	for _, p := range []string{"refs/heads/", "refs/tags/", "refs/remotes/", "refs/pull/", "refs/merge-requests/", "refs/changes/"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// refs lists every ref, and the heads of all worktrees that are at none. They
// are read here, and by git where anything is out of the ordinary; where git
// cannot, what can be read of them is listed, and whole is false.
func (r *repo) refs(ctx context.Context, loose looseRefs, size int) (out []ref, whole bool, err error) {
	out, whole = r.ownRefs(loose, size)
	if !whole {
		if out, whole = r.listedRefs(ctx); ctx.Err() != nil {
			return nil, false, ctx.Err()
		}
	}
	if !whole {
		out = nil
		r.readRefs(loose, func(name string, id []byte) {
			if target, ok := parseOID(id); ok {
				out = append(out, newRef(name, target))
			}
		})
	}
	if whole && r.onBranch(out) {
		return out, whole, ctx.Err()
	}
	for _, head := range r.heads(ctx) {
		// A head that is attached to a branch is that branch.
		if !slices.ContainsFunc(out, func(f ref) bool { return f.tip && f.target == head }) {
			out = append(out, newRef("HEAD", head))
		}
	}
	return out, whole, ctx.Err()
}

func newRef(name string, target oid) ref {
	return ref{name: name, target: target, commit: target, tip: isTip(name)}
}

// listedRefs are the refs that git lists.
func (r *repo) listedRefs(ctx context.Context) (out []ref, whole bool) {
	err := r.lines(ctx, nil, '\n', func(line []byte) error {
		id, name, _ := bytes.Cut(line, []byte{' '})
		if target, ok := parseOID(id); ok {
			out = append(out, newRef(string(name), target))
		}
		return nil
	}, "for-each-ref", "--format=%(objectname) %(refname)")
	return out, err == nil
}

// onBranch reports whether there is one work tree or none, and HEAD is one of
// the branches: then it need not be asked for.
func (r *repo) onBranch(refs []ref) bool {
	if r.gitDir != r.common {
		return false
	}
	if _, err := os.Lstat(filepath.Join(r.common, "worktrees")); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	data, err := os.ReadFile(filepath.Join(r.common, "HEAD"))
	branch, is := strings.CutPrefix(strings.TrimSuffix(string(data), "\n"), "ref: ")
	return err == nil && is && slices.ContainsFunc(refs, func(f ref) bool { return f.tip && f.name == branch })
}

// heads are the commits that worktrees have checked out.
func (r *repo) heads(ctx context.Context) []oid {
	var out []oid
	_ = r.lines(ctx, nil, '\n', func(line []byte) error {
		if h, has := bytes.CutPrefix(line, []byte("HEAD ")); has {
			if id, ok := parseOID(h); ok {
				out = append(out, id)
			}
		}
		return nil
	}, "worktree", "list", "--porcelain")
	if len(out) > 0 {
		return out
	}
	if r.refused {
		data, _ := os.ReadFile(filepath.Join(r.gitDir, "HEAD")) // nothing where there is none
		if id, ok := parseOID(bytes.TrimSpace(data)); ok {
			out = append(out, id)
		}
		return out
	}
	b, err := r.output(ctx, nil, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if id, ok := parseOID(bytes.TrimSpace(b)); ok && err == nil {
		out = append(out, id)
	}
	return out
}

// tips are the commits that tip refs point to, each once, sorted.
func tips(refs []ref) []oid {
	out := make([]oid, 0, len(refs))
	for i := range refs {
		if refs[i].tip {
			out = append(out, refs[i].commit)
		}
	}
	return slices.Compact(sorted(out))
}

// sorted sorts ids, many of them sooner than by comparing them whole.
func sorted(ids []oid) []oid {
	type keyed struct {
		first uint64
		at    int
	}
	keys := make([]keyed, len(ids))
	for i := range ids {
		keys[i] = keyed{first(&ids[i]), i}
	}
	slices.SortFunc(keys, func(a, b keyed) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		return ids[a.at].Compare(ids[b.at])
	})
	out := make([]oid, len(ids))
	for i, k := range keys {
		out[i] = ids[k.at]
	}
	return out
}

// strongest is the presence that makes a copy easier to meet.
func strongest(a, b fingerprints.Presence) fingerprints.Presence {
	for _, p := range fingerprints.Presences() {
		if p == a || p == b {
			return p
		}
	}
	return a
}
