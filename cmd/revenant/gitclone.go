package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
	"revenant/scanners/gitrepo/catfile"
)

// isRemote reports whether a target is no path here but a repository elsewhere.
func isRemote(target string) bool {
	_, err := os.Stat(target)
	return err != nil && gitrepo.IsURL(target)
}

// clone is a mirror of a remote repository: in a temporary folder, or kept for
// the next scan.
type clone struct {
	path string
	temp string     // goes with it; empty: it is kept
	kept *keptClone // nil: it is not
	bad  bool       // something in it could not be read
}

// cloned makes a mirror with the user's credentials, or brings the one up to
// date that was kept of the source. The caller closes it.
func (a *app) cloned(ctx context.Context, fl *gitFlags, remote, sourceID string) (*clone, error) {
	if k := a.keptClone(fl, sourceID); k != nil {
		return k.open(ctx, remote)
	}
	dir, err := os.MkdirTemp("", "revenant-git-*")
	if err != nil {
		return nil, fmt.Errorf("making room for a clone: %w", err)
	}
	c := &clone{path: filepath.Join(dir, "clone.git"), temp: dir}
	if err := mirror(ctx, remote, c.path); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// close gives a clone back.
func (c *clone) close() error {
	if c.kept != nil {
		return c.kept.close(c.bad)
	}
	return os.RemoveAll(c.temp)
}

// mirror clones a remote repository.
func mirror(ctx context.Context, remote, path string) error {
	return transfer(ctx, remote, "cloning", "clone", "--quiet", "--mirror", "--template=", "--", plainURL(remote), path)
}

// transfer runs a git that speaks to a remote. What git is called with, and what
// it writes down, has no user name and password: it learns those from its
// environment.
func transfer(ctx context.Context, remote, doing string, args ...string) error {
	c := gitFor(ctx, args...)
	if plain := plainURL(remote); plain != remote {
		n, err := strconv.Atoi(os.Getenv("GIT_CONFIG_COUNT"))
		if err != nil || n < 0 {
			n = 0
		}
		c.Env = append(c.Env, fmt.Sprintf("GIT_CONFIG_COUNT=%d", n+1),
			fmt.Sprintf("GIT_CONFIG_KEY_%d=url.%s.insteadOf", n, remote), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", n, plain))
	}
	var said strings.Builder
	c.Stderr = &said
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", doing, plainURL(remote), gitrepo.ErrGit, withoutUser(lastLine(said.String())))
	}
	return nil
}

// gitFor is git about to run with the user's own settings, and without hooks.
// Interrupted, it has a moment to put its files in order.
func gitFor(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "git", append([]string{"-c", "protocol.ext.allow=never", "-c", "core.hooksPath=" + os.DevNull}, args...)...)
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	c.Env = catfile.OwnEnvironment(os.Environ())
	return c
}

// plainURL is where a remote is, without what may be secret in its URL.
func plainURL(remote string) string {
	if !strings.Contains(remote, "://") {
		return remote
	}
	u, err := url.Parse(remote)
	switch {
	case err != nil:
		return withoutUser(remote)
	case u.User == nil && u.RawQuery == "" && u.Fragment == "":
		return remote
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
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

// watched is a source that is read from a clone, and tells it when something in
// it cannot be read.
type watched struct {
	scanners.Source
	clone *clone
}

// Next implements scanners.Source.
func (w watched) Next(ctx context.Context) (scanners.Batch, error) {
	b, err := w.Source.Next(ctx)
	for _, k := range b.Skipped {
		w.clone.bad = w.clone.bad || k.Reason == fingerprints.SkipUnreadable
	}
	return b, err
}

// borrowed is such a source with which the clone is given back.
type borrowed struct{ watched }

// Close implements scanners.Source.
func (b borrowed) Close() error { return errors.Join(b.Source.Close(), b.clone.close()) }
