package gitrepo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/objects"
)

// staged lists what the index has and no commit that it will follow.
func (c *Changes) staged(ctx context.Context) error {
	const unborn = "--cached"
	diff := func(from ...string) ([]change, error) {
		c.list = nil
		args := append([]string{"diff", unborn, "--raw", "-z", "--no-abbrev", "--find-renames", "--no-relative", "--no-ext-diff", "--ignore-submodules=all"}, from...)
		err := c.r.lines(ctx, nil, 0, c.parser().token, args...)
		return c.list, err
	}
	list, err := diff()
	if err != nil {
		return err
	}
	heads := append(c.r.merging(), parseOIDs(c.o.Merging)...)
	for _, head := range heads {
		other, err := diff(head.String())
		if err != nil {
			return err
		}
		list = inBoth(list, other)
	}
	c.list = list
	if len(heads) == 0 {
		return nil
	}
	return c.merged(ctx, heads)
}

// merged lists the commits that a merge brings here and that no remote has: what
// others have already seen is not held back, and what was committed around the
// hooks is.
func (c *Changes) merged(ctx context.Context, heads []oid) error {
	args := changesLog("--stdin", "--not", "HEAD", "--remotes")
	return c.r.lines(ctx, revisions(heads, nil), 0, c.parser().token, args...)
}

// merging are the commits that the next one will have as further parents.
func (r *repo) merging() []oid {
	text, err := os.ReadFile(filepath.Join(r.gitDir, "MERGE_HEAD"))
	if err != nil {
		return nil
	}
	var out []oid
	for line := range bytes.Lines(text) {
		if id, ok := parseOID(bytes.TrimSpace(line)); ok {
			out = append(out, id)
		}
	}
	return out
}

func parseOIDs(texts []string) []oid {
	var out []oid
	for _, t := range texts {
		if id, ok := parseOID([]byte(t)); ok {
			out = append(out, id)
		}
	}
	return out
}

// inBoth are the changes of files that differ from both, with what either had.
func inBoth(one, other []change) []change {
	old := map[string][]oid{}
	for _, ch := range other {
		old[ch.path] = append([]oid{}, ch.old...)
	}
	var out []change
	for _, ch := range one {
		if more, has := old[ch.path]; has {
			ch.old = append(ch.old, more...)
			out = append(out, ch)
		}
	}
	return out
}

// scissors begin what git leaves out of a message, with a comment sign before it.
const scissors = " ------------------------ >8 ------------------------\n"

// message gives out a message under way.
func (c *Changes) message(text []byte) {
	if i := bytes.Index(text, []byte(scissors)); i >= 0 {
		text = text[:bytes.LastIndexByte(text[:i], '\n')+1]
	}
	c.text(string(text), scanners.Item{Path: "@commit-message", Presence: fingerprints.PresenceTip})
}

// updates lists what a push brings.
func (c *Changes) updates(ctx context.Context) error {
	var in, out []oid
	seen := map[oid]bool{}
	for _, u := range c.o.Updates {
		if id, ok := parseOID([]byte(u.Old)); ok && c.store.Has(id) {
			out = append(out, id)
		}
		id, ok := parseOID([]byte(u.New))
		if !ok { // removed
			continue
		}
		c.text(u.Ref, scanners.Item{Path: "@ref", Presence: fingerprints.PresenceTip})
		if !seen[id] {
			seen[id] = true
			in = append(in, c.pointed(ctx, id)...)
		}
	}
	args := changesLog("--stdin", "--not")
	switch {
	case c.o.Extent == Received:
		args = append(args, "--all")
	case c.o.Remote != "":
		args = append(args, "--remotes="+c.o.Remote)
	}
	if len(in) > 0 {
		if err := c.r.lines(ctx, revisions(in, out), 0, c.parser().token, args...); err != nil {
			return err
		}
	}
	if c.o.Extent == Received && c.r.quarantine != "" {
		return c.rest(ctx)
	}
	return nil
}

// pointed is the commit that a ref's id leads to. The tags on the way are noted,
// and what is no commit in the end.
func (c *Changes) pointed(ctx context.Context, id oid) []oid {
	for range maxPeel {
		kind, data, err := c.store.Get(ctx, id)
		switch {
		case errors.Is(err, objects.ErrTooLarge):
			c.list = append(c.list, change{blob: id, path: "@blob/" + id.String()})
			return nil
		case err != nil:
			c.lost(id, "what a ref leads to cannot be read")
			return nil
		case kind == objects.Commit:
			return []oid{id}
		case kind == objects.Blob:
			c.list = append(c.list, change{blob: id, path: "@blob/" + id.String()})
			return nil
		case kind == objects.Tree:
			c.tree(ctx, id)
			return nil
		}
		c.tags = append(c.tags, id)
		target, _ := header(data, "object")
		next, ok := parseOID(target)
		if !ok {
			c.lost(id, "the tag leads to nothing")
			return nil
		}
		id = next
	}
	c.lost(id, "tags of tags without an end")
	return nil
}

// tree lists the files of a tree that no commit has.
func (c *Changes) tree(ctx context.Context, id oid) {
	err := c.r.lines(ctx, nil, 0, func(entry []byte) error {
		head, path, _ := bytes.Cut(entry, []byte{'\t'})
		if f := bytes.Fields(head); len(f) == 3 && string(f[1]) == "blob" {
			if blob, ok := parseOID(f[2]); ok {
				c.list = append(c.list, change{blob: blob, path: string(path)})
			}
		}
		return nil
	}, "ls-tree", "-r", "-z", "--full-tree", id.String())
	if err != nil {
		c.lost(id, "the tree cannot be read")
	}
}

// rest lists what lies in quarantine and no update leads to: it would stay in
// the repository, for whoever knows its name.
func (c *Changes) rest(ctx context.Context) error {
	before, err := objects.OpenLayout(ctx, objects.Layout{GitDir: c.r.gitDir, CommonDir: c.r.common}, objects.Options{})
	if err != nil {
		return err
	}
	defer func() { _ = before.Close() }()
	met := map[oid]bool{}
	for _, ch := range c.list {
		met[ch.blob] = true
	}
	for _, list := range [][]oid{c.commits, c.tags} {
		for _, id := range list {
			met[id] = true
		}
	}
	alone := *c.r
	alone.alone = true
	return alone.lines(ctx, nil, '\n', func(line []byte) error {
		name, kind, _ := strings.Cut(string(line), " ")
		id, ok := parseOID([]byte(name))
		if !ok || met[id] || before.Has(id) {
			return nil
		}
		switch kind {
		case "blob":
			c.list = append(c.list, change{blob: id, path: "@blob/" + id.String()})
		case "commit":
			c.commits = append(c.commits, id)
		case "tag":
			c.tags = append(c.tags, id)
		}
		return nil
	}, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype)")
}

// tag gives out what a tag says.
func (c *Changes) tag(ctx context.Context, id oid) {
	data, err := c.store.get(ctx, id, objects.Tag)
	if err != nil {
		c.lost(id, "the tag cannot be read")
		return
	}
	c.text(string(data), scanners.Item{Path: "@tag-message", Locator: "tag:" + id.String(), Presence: fingerprints.PresenceTip})
}
