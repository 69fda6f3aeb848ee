package main

import (
	"context"
	"errors"
	"fmt"
	"os"
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
	reposFrom         string
	group             groupFlags
	recursive         []string
	noCache           bool
	wholeObjects      bool // objects are not looked at in parts: for comparing
	parts             *scanners.Screener
}

// several reports whether more than one repository may be meant.
func (fl *gitFlags) several(args []string) bool {
	return len(args) > 1 || fl.reposFrom != "" || len(fl.recursive) > 0 || len(fl.group.of) > 0
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
		return nil, usagef("--staged (or --pre-commit), --log-opts and --since-commit exclude each other: say one of them")
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
		Use: "git [PATH|URL]...", GroupID: "scan", Aliases: []string{"repo"},
		Short: "Scan git repositories: every object, every ref, all history",
		Long: `Reads every object of the repository at PATH (default: the current folder), or
of a clone of URL, which is kept beside the registry so that the next scan
fetches what is new (with --no-cache, --no-store, --pack or without a registry
it is removed after the scan): blobs once each, whatever the number of commits
that hold them, merges included; messages, authors, names of refs and files;
stashes, reflogs and what nothing reaches any more.

A finding names the commit that brought it in, where it still is - tip, history
or unreachable - and the refs that hold it.

Several repositories, --repos-from, --group and --recursive make one report with
one exit code. One that cannot be read is listed, makes the exit code 3 unless
there are findings, and keeps no other from being scanned. Clones of one remote
are one source.

With --staged, --pre-commit, --log-opts or --since-commit only what is new in
changed files is read. Such a scan covers nothing and clears nothing.`,
		Example: `  revenant git
  revenant git --staged
  revenant git --log-opts main..topic --fail-on leaked
  revenant git ../shop -f json -r report.json
  revenant git https://git.example.org/acme/shop.git
  revenant git --recursive ~/src
  revenant git --repos-from repositories.txt`,
		RunE: func(c *cobra.Command, args []string) error { return a.scanGit(c.Context(), &fl, args) },
	}
	fl.register(c)
	f := c.Flags()
	f.BoolVar(&fl.staged, "staged", false, "only what is staged for the next commit")
	f.BoolVar(&fl.preCommit, "pre-commit", false, "only what was changed and is not committed; with --staged: is staged")
	f.StringVar(&fl.logOpts, "log-opts", "", "only the commits that git log selects with these arguments")
	f.StringVar(&fl.since, "since-commit", "", "only the commits of HEAD since this one")
	f.StringVar(&fl.reposFrom, "repos-from", "", "scan the repositories in this file too, one PATH or URL a line, # for comments (- for standard input)")
	f.StringArrayVar(&fl.recursive, "recursive", nil, "scan every repository below this folder too: bare, linked and nested ones, submodules (repeat)")
	fl.group.register(f)
	f.BoolVar(&fl.noCache, "no-cache", false, "keep no clone of a URL: clone into a temporary folder")
	f.BoolVar(&fl.wholeObjects, "whole-objects", false, "look at every object whole")
	_ = f.MarkHidden("whole-objects")
	return c
}

// scanGit scans one repository, or several into one report.
func (a *app) scanGit(ctx context.Context, fl *gitFlags, args []string) error {
	part, err := fl.changes()
	switch {
	case err != nil:
		return err
	case !fl.several(args):
		target := "."
		if len(args) > 0 {
			target = args[0]
		}
		return a.scanOneRepository(ctx, fl, part, target)
	case part != nil:
		return usagef("--staged, --pre-commit, --log-opts and --since-commit are for one repository: name one PATH, without --repos-from, --group and --recursive")
	case fl.source != "":
		return usagef("--source names one repository; several have their own ids: leave it out, or scan one")
	}
	return a.scanRepositories(ctx, fl, args)
}

// scanOneRepository is a scan whose repository has to be there.
func (a *app) scanOneRepository(ctx context.Context, fl *gitFlags, part *gitrepo.ChangesOptions, target string) error {
	id := fl.source
	var from *clone
	if isRemote(target) {
		if id == "" {
			id = gitrepo.SourceID(target, target)
		}
		var err error
		if from, err = a.cloned(ctx, fl, a.login.into(target), id); err != nil {
			return err
		}
		defer func() { _ = from.close() }()
		target = from.path
	}
	info, err := gitrepo.Look(ctx, target)
	if err != nil {
		if errors.Is(err, gitrepo.ErrNoRepository) {
			return noRepository(target, err)
		}
		return fmt.Errorf("PATH: %w", err)
	}
	if id == "" {
		id = info.SourceID
	}
	place := scanPlace{root: info.Root, sourceID: id, kind: fingerprints.KindGit}
	if part != nil {
		part.Path, part.SourceID, part.Index = target, id, a.env("GIT_INDEX_FILE")
		if place.partial = true; part.Extent != gitrepo.Commits {
			place.sourceID = "" // it may never be committed
		}
		return a.runScan(ctx, &fl.scanFlags, place, func(*eye, []byte) (scanners.Source, error) {
			src, err := gitrepo.NewChanges(ctx, *part)
			if errors.Is(err, gitrepo.ErrBadRange) {
				flag := "--since-commit"
				if fl.logOpts != "" {
					flag = "--log-opts"
				}
				return nil, usagef("%s: %w", flag, err)
			}
			if err != nil {
				return nil, err
			}
			return src, nil
		})
	}
	return a.runScan(ctx, &fl.scanFlags, place, func(e *eye, _ []byte) (scanners.Source, error) {
		src, err := a.openRepository(ctx, fl, e, place, gitTarget{name: target, info: info}, nil)
		if err != nil || from == nil {
			return src, err
		}
		return watched{src, from}, nil
	})
}

// noRepository says what is at a path in place of a repository.
func noRepository(target string, err error) error {
	what := "PATH"
	if target == "." {
		what = "the current folder"
	}
	switch info, missing := os.Stat(target); {
	case missing != nil && strings.Contains(target, "://") && badTarget(target) != "":
		return usagef("%s: %s", what, badTarget(target))
	case missing != nil:
		return folderError(what, missing)
	case info.IsDir():
		if _, err := os.ReadDir(target); err != nil {
			return folderError(what, err)
		}
	default:
		return usagef("%s: %w, but a file: give a folder with a repository, or a URL; 'revenant dir PATH' reads any file", what, err)
	}
	return usagef("%s: %w: give a folder with a repository, or a URL; 'revenant dir PATH' reads any folder", what, err)
}

// openRepository opens a repository as a source, with what is remembered of it.
// read are the folders of other repositories' objects that the command reads.
func (a *app) openRepository(ctx context.Context, fl *gitFlags, e *eye, p scanPlace, g gitTarget, read map[string]bool) (scanners.Source, error) {
	o := gitrepo.Options{
		Path: g.name, Looked: g.info, SourceID: p.sourceID, Workers: runtime.GOMAXPROCS(0), Placing: a.placing,
		Reads:  func(common string) bool { return read[common] },
		Screen: fl.screen(e.engine, fl.archives(a.now)).Of, Named: e.engine.Named,
	}
	if e.meter != nil {
		o.Progress = e.meter.objects
	}
	a.remembers(&o, e, &fl.scanFlags, p)
	src, err := gitrepo.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return src, nil
}
