package salvage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
	"revenant/scanners/gitrepo/catfile"
	"revenant/scanners/gitrepo/objects"
)

// Read reads all of the repository. Files that were taken, and that are left, hold
// objects that were not read from there: the n-th that was taken is n, from 0. What
// stands in files and in no object is not given out, and what the repository only
// names is not listed: it is not in it.
func (r *Repository) Read(ctx context.Context) (items []scanners.Item, skipped []fingerprints.Skip, left []int, err error) {
	if err := r.lay(ctx); err != nil {
		return nil, nil, nil, err
	}
	r.src, err = gitrepo.New(ctx, gitrepo.Options{Path: r.dir, SourceID: "git:", Screen: r.o.Screen, Named: r.o.Named, Workers: r.o.Workers})
	if err != nil {
		return nil, nil, nil, err
	}
	for {
		b, err := r.src.Next(ctx)
		for _, it := range b.Items {
			if !beside(it.Path) {
				items = append(items, it)
			}
		}
		for _, k := range b.Skipped {
			if r.tells(k) {
				skipped = append(skipped, k)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return items, r.badRefs(skipped), r.left(), nil
		case err != nil:
			return nil, nil, nil, err
		}
	}
}

// lay makes a repository of what was taken.
func (r *Repository) lay(ctx context.Context) error {
	size := r.size()
	if err := r.refs.write(r.dir, size); err != nil {
		return err
	}
	_, missing := exec.LookPath("git")
	for _, file := range slices.Sorted(maps.Keys(r.at)) {
		switch {
		case path.Dir(file) == "pack" && missing != nil:
			return errNoGit
		case path.Dir(file) != "pack":
			if len(file) != size+1 { // an id of the other format
				r.lose(file)
			}
		default:
			if err := r.index(ctx, file); err != nil {
				return err
			}
		}
	}
	return nil
}

// size is how many digits ids have: what most names and refs say.
func (r *Repository) size() int {
	short, long := r.refs.sizes()
	for file := range r.at {
		digits := len(file) - 1
		if path.Dir(file) == "pack" {
			digits = r.digits[file]
		}
		switch digits {
		case shortIDs:
			short++
		case longIDs:
			long++
		}
	}
	if long > short {
		return longIDs
	}
	return shortIDs
}

// beside reports whether an item stands beside the objects: who took the files has
// those that are worth it.
func beside(path string) bool {
	return path == "@config" || path == "@reflog" || path == "@ref"
}

// tells reports whether a skip is of something that is here and was not looked at.
// Of a damaged object in a file of its own the file is looked at.
func (r *Repository) tells(k fingerprints.Skip) bool {
	if slices.Contains([]fingerprints.SkipReason{fingerprints.SkipMissing, fingerprints.SkipLFS, fingerprints.SkipRepository}, k.Reason) {
		return false
	}
	if k.Path == "@ref" || k.Path == "@store" { // see badRefs, and indexed
		return false
	}
	if !strings.HasPrefix(k.Locator, "object:") {
		return true
	}
	packed := false
	for _, file := range r.src.Holders(k.Locator) {
		packed = packed || path.Dir(file) == "pack"
	}
	if !packed {
		_, id, _ := strings.Cut(k.Locator, ":")
		if len(id) > 2 {
			r.lose(id[:2] + "/" + id[2:])
		}
	}
	return packed
}

// badRefs lists refs that could not be read.
func (r *Repository) badRefs(skipped []fingerprints.Skip) []fingerprints.Skip {
	if r.refs.bad == 0 {
		return skipped
	}
	detail := fmt.Sprintf("refs that cannot be read: %d; what they lead to was read, but is not known to be at a tip", r.refs.bad)
	return append(skipped, fingerprints.Skip{Path: "@ref", Reason: fingerprints.SkipMissing, Detail: detail, Size: -1})
}

// lose says that the objects of a file were not all read.
func (r *Repository) lose(file string) {
	for _, n := range r.at[file] {
		r.takes[n].unread = true
	}
}

// left are the files of objects that were not all read.
func (r *Repository) left() (takes []int) {
	for n, t := range r.takes {
		if t.file != "" && t.unread {
			takes = append(takes, n)
		}
	}
	return takes
}

// Holding are the files that hold what the locator of an item names: an object, or,
// where it is a path alone, any tree. A pack has some.
func (r *Repository) Holding(ctx context.Context, locator string) (takes []int) {
	if !strings.Contains(locator, ":") {
		return r.withTrees(ctx)
	}
	for _, file := range r.src.Holders(locator) {
		takes = append(takes, r.read(file)...)
	}
	slices.Sort(takes)
	return takes
}

// withTrees are the files that hold trees.
func (r *Repository) withTrees(ctx context.Context) []int {
	if r.trees == nil {
		r.trees = []int{}
		for file := range r.at {
			if path.Dir(file) == "pack" || r.src.IsTree(ctx, file) {
				r.trees = append(r.trees, r.read(file)...)
			}
		}
		slices.Sort(r.trees)
	}
	return r.trees
}

// read are the files that were taken as one of the store, if it was read wholly.
func (r *Repository) read(file string) []int {
	return slices.DeleteFunc(slices.Clone(r.at[file]), func(n int) bool { return r.takes[n].unread })
}

// largestAlloc is how much memory git may ask for at once while it makes an index.
const largestAlloc = "512m"

// patience is how long git may take to make an index: a minute, and a second for each
// MiB. Who fills a pack with what unpacks to a thousand times of it waits no longer.
func (r *Repository) patience(file string) time.Duration {
	if r.o.Patience > 0 {
		return r.o.Patience
	}
	var size int64
	if info, err := os.Stat(file); err == nil {
		size = info.Size()
	}
	return time.Minute + time.Duration(size>>20)*time.Second
}

// index makes a pack's index. A pack that is damaged, or none at all, is put away.
func (r *Repository) index(ctx context.Context, file string) error {
	full := filepath.Join(r.dir, "objects", filepath.FromSlash(file))
	within, cancel := context.WithTimeout(ctx, r.patience(full))
	defer cancel()
	c := exec.CommandContext(within, "git", "-c", "safe.directory=*", "-c", "safe.bareRepository=all", "-c", "core.hooksPath="+os.DevNull, "-c", "core.fsmonitor=false",
		"-c", "protocol.allow=never", "-c", "pack.writeReverseIndex=false", "-c", "core.bigFileThreshold=64m",
		"--git-dir="+r.dir, "index-pack", "-o", strings.TrimSuffix(full, ".pack")+".idx", full)
	c.Dir, c.WaitDelay = r.dir, 5*time.Second
	c.Env = append(catfile.Environment(os.Environ(), objects.Layout{GitDir: r.dir, CommonDir: r.dir}), "GIT_ALLOC_LIMIT="+largestAlloc)
	err := c.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case r.o.Room != nil && r.o.Room() < roomLeft:
		return errRoom
	case within.Err() == nil && c.ProcessState != nil && !c.ProcessState.Exited(): // killed, by nobody here
		return errStopped
	}
	r.lose(file)
	_ = os.Remove(full) // if it stays, the store lists a pack without an index
	return nil
}
