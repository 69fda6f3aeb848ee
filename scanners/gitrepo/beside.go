package gitrepo

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// gitDirs are the directories of all work trees, the common one first.
func (r *repo) gitDirs() []string {
	dirs := []string{r.common}
	linked, err := os.ReadDir(filepath.Join(r.common, "worktrees"))
	if err == nil {
		for _, d := range linked {
			dirs = append(dirs, filepath.Join(r.common, "worktrees", d.Name()))
		}
	}
	if !slices.Contains(dirs, r.gitDir) {
		dirs = append(dirs, r.gitDir)
	}
	return dirs
}

// reflogs are the files that remember where refs pointed. Their commits are
// objects like all others.
func (r *repo) reflogs() (files []string) {
	for _, dir := range r.gitDirs() {
		files = append(files, regular(filepath.Join(dir, "logs"))...)
	}
	return files
}

// settings are the files in which people and git keep what is no object: the
// configuration, packed refs, hooks, messages, what a merge or rebase is at. The
// index is left out: what it names are objects.
func (r *repo) settings() (files []string) {
	for _, dir := range r.gitDirs() {
		list, err := os.ReadDir(dir)
		if err != nil {
			continue // it is gone
		}
		for _, e := range list {
			if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), "index") && !strings.HasSuffix(e.Name(), ".lock") {
				files = append(files, filepath.Join(dir, e.Name()))
			}
		}
		for _, below := range []string{"hooks", "info", "rebase-merge", "rebase-apply", "sequencer", "branches", "remotes"} {
			files = append(files, regular(filepath.Join(dir, below))...)
		}
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".sample") })
}

// regular are the files below a folder.
func regular(root string) (files []string) {
	_ = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, name)
		}
		return nil
	})
	return files
}
