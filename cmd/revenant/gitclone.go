package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// isRemote reports whether a target is no path here but a repository elsewhere.
func isRemote(target string) bool {
	_, err := os.Stat(target)
	return err != nil && gitrepo.IsURL(target)
}

// clone is a mirror of a remote repository in a folder of its own.
type clone struct{ dir, path string }

// cloned makes a mirror with the user's credentials. The caller removes the
// folder.
func cloned(ctx context.Context, remote string) (clone, error) {
	dir, err := os.MkdirTemp("", "revenant-git-*")
	if err != nil {
		return clone{}, fmt.Errorf("making room for a clone: %w", err)
	}
	made := clone{dir: dir, path: filepath.Join(dir, "clone.git")}
	c := exec.CommandContext(ctx, "git", "-c", "protocol.ext.allow=never", "clone", "--quiet", "--mirror", "--", remote, made.path)
	var said strings.Builder
	c.Stderr = &said
	c.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	if err := c.Run(); err != nil {
		_ = os.RemoveAll(dir)
		return clone{}, fmt.Errorf("cloning %s: %w: %s", withoutUser(remote), gitrepo.ErrGit, withoutUser(lastLine(said.String())))
	}
	return made, nil
}

// userInfo is what stands before the host in a URL, or before the path in git's
// short form.
var userInfo = regexp.MustCompile(`(://|^|[\s'"])[^/@\s'"]*@`)

// withoutUser takes user names and passwords out of URLs in a text.
func withoutUser(text string) string { return userInfo.ReplaceAllString(text, "$1") }

// lastLine is the last line of a text that says something.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// temporary is a source that is read from a clone, which goes with it.
type temporary struct {
	scanners.Source
	clone clone
}

// Close implements scanners.Source.
func (t temporary) Close() error {
	return errors.Join(t.Source.Close(), os.RemoveAll(t.clone.dir))
}
