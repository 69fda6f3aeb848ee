package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// gitTarget is one repository of several.
type gitTarget struct {
	name string // as it was given, without user-info
	url  string // of one elsewhere, with user-info; empty: on disk
	info gitrepo.Info
}

// gitTargets are the repositories of a command, each once.
type gitTargets struct {
	list   []gitTarget
	common map[string]bool     // where objects of those on disk lie
	bad    []fingerprints.Skip // what was named and is none
}

// scanRepositories scans what arguments, lists and folders name. What cannot be
// read is listed.
func (a *app) scanRepositories(ctx context.Context, fl *gitFlags, args []string) error {
	t, err := a.gather(ctx, fl, args)
	if err != nil {
		return err
	}
	if len(t.list)+len(t.bad) == 0 {
		return usagef("%s", nothingNamed(fl))
	}
	var jobs []scanJob
	for _, k := range t.bad {
		jobs = append(jobs, scanJob{name: k.Path, open: func(*eye, []byte) (scanners.Source, error) {
			return nil, &scanners.SkipError{Reason: k.Reason, Detail: k.Detail, Size: -1}
		}})
	}
	return a.runScans(ctx, &fl.scanFlags, append(jobs, a.gitJobs(fl, t)...))
}

// nothingNamed says who named no repository.
func nothingNamed(fl *gitFlags) string {
	switch {
	case len(fl.group.of) > 0:
		return "--group: it has no repository that is wanted and that the token may see"
	case fl.reposFrom == "":
		return "--recursive: there is no git repository in the folder or below it; 'revenant dir PATH' reads any folder"
	case len(fl.recursive) == 0:
		return "--repos-from: the file names no repository: write one PATH or URL a line"
	}
	return "--repos-from names no repository, and there is none below --recursive: 'revenant dir PATH' reads any folder"
}

// unfit says why a folder cannot be searched for repositories.
func unfit(dir string) string {
	switch info, err := os.Stat(dir); {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such folder for --recursive"
	case err == nil && !info.IsDir():
		return "--recursive names a file: give a folder, or the repository without the flag"
	}
	return "the folder of --recursive may not be read by this user"
}

// gather looks at every repository before any is read.
func (a *app) gather(ctx context.Context, fl *gitFlags, args []string) (*gitTargets, error) {
	named := args
	if fl.reposFrom != "" {
		list, err := a.readTargets(fl.reposFrom)
		if err != nil {
			return nil, err
		}
		named = append(named[:len(named):len(named)], list...)
	}
	t := &gitTargets{common: map[string]bool{}}
	for _, of := range fl.group.of {
		list, err := a.groupOf(ctx, &fl.group, of)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			t.unread(of, err.Error())
		}
		for _, r := range list.Repositories {
			named = append(named[:len(named):len(named)], a.login.into(r.HTTPS))
		}
	}
	for _, name := range named {
		if isRemote(name) {
			t.remote(name)
		} else if err := t.local(ctx, name); err != nil {
			return nil, err
		}
	}
	for _, dir := range fl.recursive {
		found, skipped, err := gitrepo.Find(ctx, dir)
		switch {
		case errors.Is(err, gitrepo.ErrNoRepository):
			t.unread(dir, unfit(dir))
		case err != nil:
			return nil, err
		}
		t.bad = append(t.bad, skipped...)
		for _, f := range found {
			if t.common[f.Common] {
				continue
			}
			if err := t.local(ctx, f.Path); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func (t *gitTargets) remote(name string) {
	for _, have := range t.list {
		if have.url == name {
			return
		}
	}
	t.list = append(t.list, gitTarget{name: withoutUser(name), url: name, info: gitrepo.Info{SourceID: gitrepo.SourceID(name, name)}})
}

// local adds a repository on disk. Its error is the context's.
func (t *gitTargets) local(ctx context.Context, name string) error {
	info, err := gitrepo.Look(ctx, name)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, gitrepo.ErrNoRepository):
		t.unread(name, gitrepo.ErrNoRepository.Error())
	case err != nil:
		t.unread(name, gitrepo.ErrGit.Error())
	case !t.common[info.Common]:
		t.common[info.Common] = true
		t.list = append(t.list, gitTarget{name: name, info: info})
	}
	return nil
}

func (t *gitTargets) unread(name, detail string) {
	t.bad = append(t.bad, fingerprints.Skip{Path: name, Reason: fingerprints.SkipUnreadable, Detail: detail, Size: -1})
}

// gitJobs makes one scan of each source; clones of one remote are one source.
func (a *app) gitJobs(fl *gitFlags, t *gitTargets) []scanJob {
	var order []string
	groups := map[string][]gitTarget{}
	for _, g := range t.list {
		id := g.info.SourceID
		if groups[id] == nil {
			order = append(order, id)
		}
		groups[id] = append(groups[id], g)
	}
	jobs := make([]scanJob, 0, len(order))
	for _, id := range order {
		group := groups[id]
		place := scanPlace{root: group[0].info.Root, sourceID: id, kind: fingerprints.KindGit}
		jobs = append(jobs, scanJob{place: place, name: group[0].name, open: func(e *eye, _ []byte) (scanners.Source, error) {
			clones := make([]gitrepo.Clone, len(group))
			for i, g := range group {
				clones[i] = gitrepo.Clone{Name: g.name, Open: func(ctx context.Context) (scanners.Source, error) {
					return a.openTarget(ctx, fl, e, place, g, t.common)
				}}
			}
			return gitrepo.NewClones(id, clones...), nil
		}})
	}
	return jobs
}

// openTarget opens one repository of several; a remote one is cloned first.
func (a *app) openTarget(ctx context.Context, fl *gitFlags, e *eye, p scanPlace, g gitTarget, read map[string]bool) (scanners.Source, error) {
	if g.url == "" {
		return a.openRepository(ctx, fl, e, p, g, read)
	}
	made, err := a.cloned(ctx, fl, g.url, p.sourceID)
	if err != nil {
		detail := scan.Shown(ctx, e.engine.Matchers, e.labels, err.Error())
		return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: detail, Size: -1}
	}
	src, err := a.openRepository(ctx, fl, e, p, gitTarget{name: made.path}, read)
	if err != nil {
		return nil, errors.Join(err, made.close())
	}
	return borrowed{watched{src, made}}, nil
}
