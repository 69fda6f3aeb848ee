package gitrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo/objects"
)

// Found is a repository that Find met.
type Found struct {
	Path   string // of its work tree, or of its git directory
	Common string // where its objects lie, without links: one for all work trees
}

// Find lists the repositories below a folder, each once: work trees, linked
// ones, bare repositories, those in other work trees, and those of submodules
// that lie in a git directory. Links are not followed. What looks like a
// repository and is none, and folders that cannot be read, are skips with raw
// paths. An error is the context's, or says that the folder cannot be read.
func Find(ctx context.Context, root string) ([]Found, []fingerprints.Skip, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: no working directory", ErrNoRepository)
	}
	f := &finder{seen: map[string]bool{}}
	if err := f.folder(ctx, abs); err != nil {
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: the folder cannot be read", ErrNoRepository)
		}
		return nil, nil, err
	}
	return f.found, f.skipped, nil
}

// errEnough ends a search that has a bound.
var errEnough = errors.New("too many folders")

// finder is one search.
type finder struct {
	most    int // folders that are looked at; 0: all
	looked  int
	seen    map[string]bool // common directories
	found   []Found
	skipped []fingerprints.Skip
}

func (f *finder) skip(path string, reason fingerprints.SkipReason, detail string) {
	f.skipped = append(f.skipped, fingerprints.Skip{Path: path, Reason: reason, Detail: detail, Size: -1})
}

// folder looks at a folder and at those in it. Its error is that of reading the
// folder itself.
func (f *finder) folder(ctx context.Context, dir string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if f.looked++; f.most > 0 && f.looked > f.most {
		return errEnough
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	names := map[string]os.DirEntry{}
	for _, e := range list {
		names[e.Name()] = e
	}
	if git := names[".git"]; git != nil {
		if err := f.workTree(ctx, dir, git); err != nil {
			return err
		}
	} else if gitDirectory(names) {
		f.add(dir)
		return f.modules(ctx, dir)
	}
	for _, e := range list {
		if e.IsDir() && e.Name() != ".git" {
			if err := f.inner(ctx, filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// inner is folder for one that may be unreadable.
func (f *finder) inner(ctx context.Context, dir string) error {
	err := f.folder(ctx, dir)
	switch {
	case err == nil, ctx.Err() != nil, errors.Is(err, errEnough):
		return err
	case errors.Is(err, fs.ErrNotExist): // removed meanwhile
		return nil
	}
	f.skip(dir, fingerprints.SkipUnreadable, "the folder cannot be read")
	return nil
}

// workTree takes up the repository of a work tree.
func (f *finder) workTree(ctx context.Context, dir string, git os.DirEntry) error {
	switch {
	case git.Type()&fs.ModeSymlink != 0:
		f.skip(filepath.Join(dir, ".git"), fingerprints.SkipSymlink, "not followed")
		return nil
	case !f.add(dir):
		f.skip(dir, fingerprints.SkipUnreadable, "its .git leads to no repository")
	}
	if git.IsDir() {
		return f.modules(ctx, filepath.Join(dir, ".git"))
	}
	return nil
}

// modules are the submodules' repositories in a git directory.
func (f *finder) modules(ctx context.Context, gitDir string) error {
	dir := filepath.Join(gitDir, "modules")
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return nil //nolint:nilerr // there are none
	}
	return f.inner(ctx, dir)
}

// add takes up a repository, if there is one and it was not met before.
func (f *finder) add(path string) bool {
	common, ok := commonDir(path)
	if ok && !f.seen[common] {
		f.seen[common] = true
		f.found = append(f.found, Found{Path: path, Common: common})
	}
	return ok
}

// commonDir is where the objects of the repository at a path lie, without links.
func commonDir(path string) (string, bool) {
	l, err := objects.Locate(path)
	if err != nil {
		return "", false
	}
	common, err := filepath.EvalSymlinks(l.CommonDir)
	return common, err == nil
}

// gitDirectory reports whether a folder is one by what is in it.
func gitDirectory(names map[string]os.DirEntry) bool {
	head, store, refs := names["HEAD"], names["objects"], names["refs"]
	return head != nil && !head.IsDir() && store != nil && store.IsDir() && refs != nil && refs.IsDir()
}

// below is a path in a folder, with slashes, and whether it is there.
func below(dir, path string) (string, bool) {
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}
