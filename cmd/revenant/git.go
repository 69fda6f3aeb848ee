package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// gitFlags say which part of a repository is read.
type gitFlags struct {
	scanFlags
	staged, preCommit bool
	logOpts, since    string
	wholeObjects      bool // objects are not looked at in parts: for comparing
}

// changes is the part that was asked for; nil for all.
func (fl *gitFlags) changes() (*gitrepo.ChangesOptions, error) {
	n := 0
	for _, set := range []bool{fl.staged || fl.preCommit, fl.logOpts != "", fl.since != ""} {
		if set {
			n++
		}
	}
	switch {
	case n > 1:
		return nil, usagef("--staged, --log-opts and --since-commit exclude each other")
	case fl.staged:
		return &gitrepo.ChangesOptions{Extent: gitrepo.Staged}, nil
	case fl.preCommit:
		return &gitrepo.ChangesOptions{Extent: gitrepo.Unstaged}, nil
	case fl.logOpts != "":
		return &gitrepo.ChangesOptions{Extent: gitrepo.Commits, Log: strings.Fields(fl.logOpts)}, nil
	case fl.since != "":
		return &gitrepo.ChangesOptions{Extent: gitrepo.Commits, Log: []string{fl.since + "..HEAD"}}, nil
	}
	return nil, nil
}

func (a *app) gitCommand() *cobra.Command {
	var fl gitFlags
	c := &cobra.Command{
		Use: "git [PATH|URL]", GroupID: "scan", Aliases: []string{"repo"},
		Short: "Scan a git repository: every object, every ref, all of its history",
		Long: `Reads every object of the repository at PATH (default: the current folder), or of a
clone of URL that is made for the scan and removed after it: blobs once each,
whatever the number of commits that hold them, merges included; messages, authors,
names of refs and files; stashes, reflogs and what nothing reaches any more.

A finding names the commit that brought it in and where it still is: tip, history
or unreachable.

With --staged, --pre-commit, --log-opts or --since-commit only what is new in
changed files is read. Such a scan covers nothing and clears nothing.`,
		Example: `  revenant git
  revenant git --staged
  revenant git --log-opts main..topic --fail-on leaked
  revenant git ../shop -f json -r report.json
  revenant git https://git.example.org/acme/shop.git`,
		Args: argCount(0, 1, "at most one PATH or URL"),
		RunE: func(c *cobra.Command, args []string) error {
			target := "."
			if len(args) > 0 {
				target = args[0]
			}
			return a.scanGit(c.Context(), &fl, target)
		},
	}
	fl.register(c)
	f := c.Flags()
	f.BoolVar(&fl.staged, "staged", false, "only what is staged for the next commit")
	f.BoolVar(&fl.preCommit, "pre-commit", false, "only what was changed and is not committed; with --staged: is staged")
	f.StringVar(&fl.logOpts, "log-opts", "", "only the commits that git log selects with these arguments")
	f.StringVar(&fl.since, "since-commit", "", "only the commits of HEAD since this one")
	f.BoolVar(&fl.wholeObjects, "whole-objects", false, "look at every object whole")
	_ = f.MarkHidden("whole-objects")
	return c
}

// scanGit scans one repository.
func (a *app) scanGit(ctx context.Context, fl *gitFlags, target string) error {
	part, err := fl.changes()
	if err != nil {
		return err
	}
	id := fl.source
	if _, err := os.Stat(target); err != nil && gitrepo.IsURL(target) {
		if id == "" {
			id = gitrepo.SourceID(target, target)
		}
		dir, err := cloned(ctx, target)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		target = filepath.Join(dir, "clone.git")
	}
	info, err := gitrepo.Look(ctx, target)
	if err != nil {
		if errors.Is(err, gitrepo.ErrNoRepository) {
			return usagef("%w: give a folder with a repository, or a URL; revenant dir reads any folder", err)
		}
		return err
	}
	if id == "" {
		id = info.SourceID
	}
	place := scanPlace{root: info.Root, sourceID: id, kind: fingerprints.KindGit}
	if part != nil {
		part.Path, part.SourceID = target, id
		if place.partial = true; part.Extent != gitrepo.Commits {
			place.sourceID = "" // it may never be committed
		}
		return a.runScan(ctx, &fl.scanFlags, place, func(*eye, []byte) (scanners.Source, error) {
			return gitrepo.NewChanges(ctx, *part)
		})
	}
	return a.runScan(ctx, &fl.scanFlags, place, func(e *eye, _ []byte) (scanners.Source, error) {
		o := gitrepo.Options{
			Path: target, SourceID: id, Workers: runtime.GOMAXPROCS(0),
			Screen: fl.screen(e.engine, fl.archives(a.now)).Of,
		}
		if err := a.remembers(&o, e, &fl.scanFlags, place); err != nil {
			return nil, err
		}
		return gitrepo.New(ctx, o)
	})
}

// cloned makes a mirror of a remote repository, clone.git in a folder of its own,
// with the user's credentials.
func cloned(ctx context.Context, remote string) (string, error) {
	dir, err := os.MkdirTemp("", "revenant-git-*")
	if err != nil {
		return "", fmt.Errorf("making room for a clone: %w", err)
	}
	c := exec.CommandContext(ctx, "git", "-c", "protocol.ext.allow=never", "clone", "--quiet", "--mirror", "--", remote, filepath.Join(dir, "clone.git"))
	var said strings.Builder
	c.Stderr = &said
	c.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	if err := c.Run(); err != nil {
		_ = os.RemoveAll(dir)
		return "", fmt.Errorf("cloning %s: %w: %s", withoutUser(remote), gitrepo.ErrGit, withoutUser(lastLine(said.String())))
	}
	return dir, nil
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
