package gitrepo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"revenant/scanners/gitrepo/objects"
)

// ErrBadUpdates is wrapped when a list of what a push changes is none.
var ErrBadUpdates = errors.New("this is no list of refs that a push changes")

// Update is a ref that a push changes.
type Update struct {
	Ref string // as the remote calls it
	// Old is what the remote has there, New what it shall have: ids, of zeros
	// where there is nothing.
	Old, New string
}

// Bounds of a list of updates: more than any push has.
const (
	maxUpdates    = 1 << 20
	maxUpdateLine = 64 << 10
)

// ReadPush reads what git tells a pre-push hook: for each ref its local name and
// id, then its remote name and id.
func ReadPush(in io.Reader) ([]Update, error) {
	return readUpdates(in, 4, func(f []string) Update { return Update{Ref: f[2], New: f[1], Old: f[3]} })
}

// ReadReceive reads what git tells a pre-receive hook: old id, new id, ref.
func ReadReceive(in io.Reader) ([]Update, error) {
	return readUpdates(in, 3, func(f []string) Update { return Update{Ref: f[2], New: f[1], Old: f[0]} })
}

func readUpdates(in io.Reader, fields int, update func([]string) Update) ([]Update, error) {
	var out []Update
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxUpdateLine)
	for lines.Scan() {
		f := strings.Split(lines.Text(), " ")
		if len(f) != fields || len(out) == maxUpdates {
			return nil, fmt.Errorf("%w: line %d", ErrBadUpdates, len(out)+1)
		}
		u := update(f)
		for _, id := range []string{u.Old, u.New} {
			if _, err := objects.ParseID(id); err != nil {
				return nil, fmt.Errorf("%w: line %d", ErrBadUpdates, len(out)+1)
			}
		}
		out = append(out, u)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadUpdates, err)
	}
	return out, nil
}

// Hook is what git tells its hooks in the environment; all may be empty.
type Hook struct {
	GitDir     string // GIT_DIR
	Quarantine string // GIT_QUARANTINE_PATH
}

// LookHook finds the repository of a hook that runs in a folder, without asking
// git: a hook has no time. Where that does not do, git is asked.
func LookHook(ctx context.Context, dir string, h Hook) (Info, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Info{}, fmt.Errorf("%w: no working directory", ErrNoRepository)
	}
	r := locatedAt(abs, h.GitDir)
	if r == nil {
		if r, err = open(ctx, dir); err != nil {
			return Info{}, err
		}
	}
	if h.Quarantine != "" {
		r.quarantine = r.ownFolder(h.Quarantine)
	}
	return r.info(), nil
}

// locatedAt is the repository of a folder or of one above it; nil: none that is
// found without git's help.
func locatedAt(dir, gitDir string) *repo {
	if gitDir != "" {
		if !filepath.IsAbs(gitDir) {
			gitDir = filepath.Join(dir, gitDir)
		}
		l, err := objects.Locate(gitDir)
		if err != nil {
			return nil
		}
		work := dir
		if sameFolder(dir, l.GitDir) {
			work = ""
		}
		return newRepo(dir, work, l, true)
	}
	for at := dir; ; at = filepath.Dir(at) {
		_, err := os.Lstat(filepath.Join(at, ".git"))
		if l, locateErr := objects.Locate(at); locateErr == nil {
			if err == nil {
				return newRepo(dir, at, l, false)
			}
			return newRepo(dir, "", l, false) // a bare one, or a git directory
		}
		if err == nil || at == filepath.Dir(at) {
			return nil
		}
	}
}

func sameFolder(a, b string) bool {
	one, err := os.Stat(a)
	other, otherErr := os.Stat(b)
	return err == nil && otherErr == nil && os.SameFile(one, other)
}

func newRepo(path, work string, l objects.Layout, told bool) *repo {
	r := &repo{path: path, gitDir: l.GitDir, common: l.CommonDir, work: work, told: told, unasked: true}
	if _, err := os.Stat(filepath.Join(l.CommonDir, "shallow")); err == nil {
		r.shallow = true
	}
	return r
}

// ownFolder is a folder that lies below the repository's objects; empty for any
// other.
func (r *repo) ownFolder(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.path, name)
	}
	real, err := filepath.EvalSymlinks(name)
	own, ownErr := filepath.EvalSymlinks(filepath.Join(r.common, "objects"))
	if err != nil || ownErr != nil || !strings.HasPrefix(real, own+string(filepath.Separator)) {
		return ""
	}
	return real
}
