package hook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Place is where a repository's hooks are.
type Place struct {
	Top    string // of the work tree, or the git directory where there is none
	Common string // git directory that all work trees share
	Bare   bool
	Dir    string // folder of hooks that git runs here
	// Setting is where core.hooksPath is set for this repository: local,
	// worktree, global, system; empty where it is not.
	Setting string
	Origin  string // file of that setting

	git     Git
	machine bool // Dir is a folder of ours for the whole machine
}

// Own is the folder of the repository itself; core.hooksPath may hide it.
func (p Place) Own() string { return filepath.Join(p.Common, "hooks") }

// Locate asks git for the hooks of the repository that path is in. Errors do
// not repeat a path that is not there: it may be anything that was typed.
func Locate(ctx context.Context, git Git, path string) (Place, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return Place{}, fmt.Errorf("%w: PATH may not be read", ErrNoRepository)
	case err != nil:
		return Place{}, fmt.Errorf("%w: PATH is not there", ErrNoRepository)
	case !info.IsDir():
		return Place{}, fmt.Errorf("%w: PATH is no folder", ErrNoRepository)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Place{}, err
	}
	p := Place{git: git}
	said, err := git.ask(ctx, path, "rev-parse", "--is-bare-repository", "--is-inside-work-tree", "--absolute-git-dir", "--git-common-dir")
	if err != nil {
		return Place{}, noRepository(err)
	}
	words := strings.SplitN(strings.TrimSuffix(said, "\n"), "\n", 4)
	if len(words) != 4 {
		return Place{}, fmt.Errorf("%w that git tells the place of: %s", ErrNoRepository, path)
	}
	p.Bare = words[0] == "true"
	p.Common = under(path, words[3])
	switch {
	case words[1] == "true":
		if p.Top, err = git.line(ctx, path, "rev-parse", "--show-toplevel"); err != nil {
			return Place{}, noRepository(err)
		}
		p.Top = filepath.FromSlash(p.Top)
	case !p.Bare && filepath.Base(words[2]) == ".git": // in the git directory of a work tree
		p.Top = filepath.Dir(filepath.FromSlash(words[2]))
	default:
		p.Top = filepath.FromSlash(words[2])
	}
	return p, p.resolve(ctx)
}

// resolve finds the folder that git runs hooks from.
func (p *Place) resolve(ctx context.Context) error {
	set, err := p.git.configuredPath(ctx, p.Top, "", "core.hooksPath")
	if err != nil {
		return noRepository(err)
	}
	dir, err := p.git.line(ctx, p.Top, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return noRepository(err)
	}
	p.Dir = under(p.Top, dir)
	p.Setting, p.Origin = set.scope, set.origin
	if set.scope != "" {
		p.machine = machineFolder(p.Dir)
	}
	return nil
}

// noRepository passes on what git says, which names the way out.
func noRepository(err error) error {
	if errors.Is(err, ErrNoGit) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w that git works with at PATH (%w)", ErrNoRepository, err)
}

// under is a path as git prints it, absolute.
func under(dir, path string) string {
	path = filepath.FromSlash(path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return filepath.Clean(path)
}

// machineFolder reports whether a folder holds our hooks for the machine.
func machineFolder(dir string) bool {
	for _, name := range forwarded() {
		if f, err := look(filepath.Join(dir, name)); err == nil && (f.state == ours || f.state == changed) && f.kind == ofMachine {
			return true
		}
	}
	return false
}

// usable refuses a folder of hooks that is none; one that is not there is.
func (p Place) usable() error {
	dir := p.target()
	info, err := os.Stat(dir)
	switch {
	case err != nil || info.IsDir():
		return nil
	case dir == p.Dir && p.Setting != "":
		return fmt.Errorf("%w: core.hooksPath is %s, which is no folder, so git runs no hooks at all; it is set in %s: change it there", ErrPlace, dir, p.Origin)
	}
	return fmt.Errorf("%w: %s is no folder, so git runs no hooks at all; move it away", ErrPlace, dir)
}

// inWorkTree reports whether the folder of hooks is content of the repository,
// and how it is called there.
func (p Place) inWorkTree() (string, bool) {
	if p.Bare {
		return "", false
	}
	dir, common := actual(p.Dir), actual(p.Common)
	if within(common, dir) {
		return "", false
	}
	rel, err := filepath.Rel(actual(p.Top), dir)
	if err != nil || !within(actual(p.Top), dir) {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

// actual follows links as far as there is something.
func actual(path string) string {
	if r, err := filepath.EvalSymlinks(path); err == nil {
		return r
	}
	return path
}

func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
