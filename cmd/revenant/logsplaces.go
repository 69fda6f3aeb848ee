package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
	"revenant/scanners/cilog/gitlab"
	"revenant/scanners/cilog/jenkins"
	"revenant/scanners/cilog/layout"
	"revenant/scanners/cilog/rest"
)

// ciSystem is a CI system whose API is known.
type ciSystem string

// The systems.
const (
	ciGitHub  ciSystem = "github"
	ciGitLab  ciSystem = "gitlab"
	ciJenkins ciSystem = "jenkins"
)

func ciSystems() []string { return []string{string(ciGitHub), string(ciGitLab), string(ciJenkins)} }

// apiFlags say what of CI systems is read.
type apiFlags struct {
	provider  string
	server    string
	since     string
	branch    string
	most      int
	newOnly   bool
	artifacts bool
	patience  time.Duration
}

func (fl *apiFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&fl.provider, "provider", "", "CI system of a URL whose host does not tell it: "+join(ciSystems()))
	f.StringVar(&fl.server, "server", "", "URL of the CI system's server, for places as github:OWNER/REPO")
	f.StringVar(&fl.since, "since", "", "only runs that began since then: a date, a moment, or how long ago, as 36h or 30d")
	f.StringVar(&fl.branch, "branch", "", "only runs of this branch")
	f.IntVar(&fl.most, "max-runs", 0, "read so many runs that were not read yet; the others wait for the next scan (0: all)")
	f.BoolVar(&fl.newOnly, "new-only", false, "only runs that were not read yet, also when values were registered since")
	f.BoolVar(&fl.artifacts, "artifacts", false, "of GitLab, read what jobs kept, too")
	f.DurationVar(&fl.patience, "wait", 15*time.Minute, "how long to wait in all for one answer, where the CI system limits requests or fails")
}

// ciPlace is what a place names at a CI system.
type ciPlace struct {
	system  ciSystem
	server  string // URL of what people see, without a slash at its end
	project string // OWNER/REPO, GROUP/PROJECT, or a job's path; empty: all that the server has
}

// home is the server of systems that people mean when they name none.
func (s ciSystem) home() string {
	switch s {
	case ciGitHub:
		return "https://github.com"
	case ciGitLab:
		return "https://gitlab.com"
	case ciJenkins:
	}
	return ""
}

// format is how the system's logs are laid out.
func (s ciSystem) format() layout.Format { return layout.Format(s) }

// guess reads the system off a host's name; empty: it tells none.
func guess(host string) ciSystem {
	for label := range strings.SplitSeq(strings.ToLower(host), ".") {
		for _, s := range ciSystems() {
			if strings.HasPrefix(label, s) {
				return ciSystem(s)
			}
		}
	}
	return ""
}

// ciPlaceOf reads a place; false where it is none of a CI system but a path.
func ciPlaceOf(text string, fl *apiFlags) (p ciPlace, is bool, err error) {
	if web := webAddress(text); web != "" {
		p, err = placeOfURL(web, fl)
		return p, true, err
	}
	scheme, rest, has := strings.Cut(text, ":")
	switch {
	case !has:
		return p, false, nil
	case scheme == "http" || scheme == "https":
		p, err = placeOfURL(text, fl)
		return p, true, err
	case !slices.Contains(ciSystems(), scheme):
		return p, false, nil
	}
	p.system = ciSystem(scheme)
	if strings.HasPrefix(rest, "https://") || strings.HasPrefix(rest, "http://") {
		at := *fl
		at.provider = scheme
		p, err = placeOfURL(rest, &at)
		return p, true, err
	}
	if fl.provider != "" && fl.provider != scheme {
		return p, true, usagef("PLACE says %s and --provider says %s: leave one of them out", scheme, fl.provider)
	}
	p.server, p.project = strings.TrimRight(fl.server, "/"), strings.Trim(rest, "/")
	if p.server == "" {
		p.server = p.system.home()
	}
	switch {
	case p.server == "":
		return p, true, usagef("PLACE: a Jenkins job needs its server: write the job's URL, or give --server")
	case p.project == "" && p.system != ciJenkins:
		return p, true, usagef("PLACE: %s: names nothing there: write %s:OWNER/PROJECT", scheme, scheme)
	}
	return p, true, nil
}

// webAddress is the URL that people mean by what git calls a remote,
// git@HOST:OWNER/PROJECT.git, or by a host without a scheme; empty: it is neither.
func webAddress(text string) string {
	if _, err := os.Lstat(text); err == nil {
		return ""
	}
	rest, ssh := strings.CutPrefix(text, "ssh://")
	user, remote, has := strings.Cut(rest, "@")
	if has && !strings.ContainsAny(user, "/:") {
		host, project, _ := strings.Cut(remote, map[bool]string{true: "/", false: ":"}[ssh])
		if name, _, _ := strings.Cut(host, ":"); name != "" && project != "" {
			return "https://" + name + "/" + project
		}
	}
	if host, project, has := strings.Cut(text, "/"); has && project != "" && strings.Contains(host, ".") && !strings.Contains(host, ":") && guess(host) != "" {
		return "https://" + text
	}
	return ""
}

func placeOfURL(text string, fl *apiFlags) (p ciPlace, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return p, usagef("PLACE: this is no URL like https://HOST/OWNER/PROJECT")
	}
	if u.User != nil {
		return p, usagef("PLACE: the URL holds a user name or a password: take it out; tokens come from the environment, see 'revenant environment'")
	}
	p.system = ciSystem(fl.provider)
	if p.system == "" {
		p.system = guess(u.Hostname())
	}
	if p.system == "" {
		return p, usagef("PLACE: the host's name does not tell which CI system it is: give --provider %s", strings.Join(ciSystems(), "|"))
	}
	p.server = u.Scheme + "://" + u.Host
	p.project = strings.Trim(u.EscapedPath(), "/")
	if server := strings.TrimRight(fl.server, "/"); server != "" {
		below, is := strings.CutPrefix(p.server+"/"+p.project, server+"/")
		if !is {
			return p, usagef("PLACE is not at the server that --server names")
		}
		p.server, p.project = server, below
	}
	if p.system == ciJenkins {
		return placeOfJob(p)
	}
	p.project = p.project[:len(p.project)-len(pageOf(p.system, p.project))]
	if p.project, err = url.PathUnescape(p.project); err != nil {
		return p, usagef("PLACE: this is no URL like https://HOST/OWNER/PROJECT")
	}
	p.project = strings.TrimSuffix(p.project, ".git")
	if p.project == "" {
		return p, usagef("PLACE: the URL names the server alone: write https://HOST/OWNER/PROJECT, or https://HOST/OWNER for all of its projects")
	}
	return p, nil
}

// placeOfJob reads the path of a job's page: what comes before the first /job/ is
// the server's, and names are as Jenkins escapes them, escaped once more.
func placeOfJob(p ciPlace) (ciPlace, error) {
	prefix, jobs, has := strings.Cut("/"+p.project+"/", "/job/")
	if !has {
		p.server, p.project = strings.TrimRight(p.server+"/"+strings.Trim(p.project, "/"), "/"), ""
		return p, nil
	}
	p.server += strings.TrimRight(prefix, "/")
	var names []string
	for name := range strings.SplitSeq(strings.Trim(jobs, "/"), "/job/") {
		name, _, _ = strings.Cut(name, "/") // a page of the job
		name, err := url.PathUnescape(name)
		if err != nil {
			return p, usagef("PLACE: this is no URL of a job: https://HOST/job/NAME")
		}
		names = append(names, name)
	}
	p.project = strings.Join(names, "/")
	return p, nil
}

// pageOf is what of a path is a page of a project, as people copy it.
func pageOf(s ciSystem, project string) string {
	marks := map[ciSystem][]string{ciGitHub: {"/actions", "/tree/", "/pulls", "/commit"}, ciGitLab: {"/-/"}}
	for _, mark := range marks[s] {
		if i := strings.Index(project+"/", mark); i >= 0 && strings.Count(project[:i], "/") > 0 {
			return project[i:]
		}
	}
	return ""
}

// mostDays is how long ago --since may be: a hundred years.
const mostDays = 36_600

// sinceOf reads --since: a date, a moment, or how long ago.
func sinceOf(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	if days, is := strings.CutSuffix(text, "d"); is {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= mostDays {
			return now.AddDate(0, 0, -n), nil
		}
	} else if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, usagef("--since is a date as 2026-05-06, a moment as 2026-05-06T07:08:09Z, or how long ago as 36h or 30d")
}

// ciJobs are the scans of the projects that a place names. What cannot be asked
// for is the command's error, or, of several places, listed.
func (a *app) ciJobs(ctx context.Context, fl *logsFlags, at string, p ciPlace, several bool) ([]scanJob, error) {
	since, err := sinceOf(fl.since, a.now())
	if err != nil {
		return nil, err
	}
	projects, err := a.openCI(ctx, &fl.apiFlags, p)
	if err != nil {
		if !several || ctx.Err() != nil {
			return nil, err
		}
		return []scanJob{{name: at, place: scanPlace{kind: fingerprints.KindCI}, open: func(*eye, []byte) (scanners.Source, error) {
			return nil, &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: err.Error(), Size: -1}
		}}}, nil
	}
	if len(projects) == 0 {
		return nil, usagef("PLACE: there is no project in it that this token may see")
	}
	if fl.source != "" && len(projects) > 1 {
		return nil, usagef("--source names one project; several have their own ids: leave it out, or name one")
	}
	var jobs []scanJob
	for _, project := range projects {
		id := project.ID()
		if fl.source != "" {
			id = fl.source
		}
		j := scanJob{place: scanPlace{sourceID: id, kind: fingerprints.KindCI, partial: !since.IsZero() || fl.branch != "" || fl.newOnly}}
		if several || len(projects) > 1 {
			j.name = project.ID()
		}
		j.open = func(e *eye, _ []byte) (scanners.Source, error) {
			o := cilog.Options{
				Project: project, SourceID: id, Since: since, Branch: fl.branch, Most: fl.most, NewOnly: fl.newOnly, Now: a.now,
				LineTime: p.system.format().Time,
			}
			if p.system != ciGitHub { // whose steps are logs of their own
				o.Section = p.system.format().Section
			}
			if m := a.runsMemory(e, &fl.scanFlags, j.place); m != nil {
				o.Memory, o.Holds = m, e.kept.holds
			}
			return cilog.New(o), nil
		}
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// openCI asks a CI system for the projects that a place names.
func (a *app) openCI(ctx context.Context, fl *apiFlags, p ciPlace) ([]cilog.Project, error) {
	r := rest.Options{Agent: "revenant", Now: a.now, Patience: fl.patience, Wait: func(why string, d time.Duration) {
		if d > time.Second {
			a.note(why + ": waiting for " + d.Round(time.Second).String())
		}
	}}
	token := a.ciToken(p)
	switch p.system {
	case ciGitHub:
		return a.openGitHub(ctx, p, github.Options{Rest: r, Server: p.server, Token: token})
	case ciGitLab:
		s, err := gitlab.New(gitlab.Options{Server: p.server, Token: token, Artifacts: fl.artifacts, Rest: r})
		if err != nil {
			return nil, usagef("PLACE: %w", err)
		}
		return asProjects(s.Projects(ctx, p.project))
	case ciJenkins:
		s, err := jenkins.New(jenkins.Options{Server: p.server, User: a.env("REVENANT_JENKINS_USER"), Token: token, Rest: r})
		if err != nil {
			return nil, usagef("PLACE: %w", err)
		}
		return asProjects(s.Projects(ctx, p.project))
	}
	return nil, usagef("--provider is %s", strings.Join(ciSystems(), ", "))
}

func (a *app) openGitHub(ctx context.Context, p ciPlace, o github.Options) (out []cilog.Project, err error) {
	teach := func(err error) error {
		if o.Token == "" && (errors.Is(err, cilog.ErrDenied) || errors.Is(err, cilog.ErrNoProject) || errors.Is(err, cilog.ErrLimited)) {
			return fmt.Errorf("%w; no token was given: put one into %s", err, githubVariable)
		}
		if errors.Is(err, cilog.ErrDenied) {
			return fmt.Errorf("%w (%s)", err, githubVariable)
		}
		return err
	}
	owner, repo, one := strings.Cut(p.project, "/")
	if o.Owner = owner; one {
		o.Repo = repo
		project, err := github.Open(ctx, o)
		if err != nil {
			return nil, teach(err)
		}
		return []cilog.Project{project}, nil
	}
	names, err := github.Repositories(ctx, o)
	if err != nil {
		return nil, teach(err)
	}
	for _, name := range names {
		o.Owner, o.Repo, _ = strings.Cut(name, "/")
		project, err := github.Open(ctx, o)
		if err != nil {
			return nil, teach(err)
		}
		out = append(out, project)
	}
	return out, nil
}

func asProjects[P cilog.Project](list []P, err error) ([]cilog.Project, error) {
	if err != nil {
		return nil, err
	}
	out := make([]cilog.Project, len(list))
	for i, p := range list {
		out[i] = p
	}
	return out, nil
}

// githubVariable is where users are told to put GitHub's token.
const githubVariable = "REVENANT_GITHUB_TOKEN"

// ciToken finds the token for a server. What is not ours by name counts for the
// system's own server, and for the one that the build at hand says it runs on: it
// is sent nowhere else.
func (a *app) ciToken(p ciPlace) string {
	var own, server string
	var others []string
	switch p.system {
	case ciGitHub:
		own, server, others = a.env("REVENANT_GITHUB_TOKEN"), a.env("GITHUB_SERVER_URL"), []string{a.env("GITHUB_TOKEN"), a.env("GH_TOKEN")}
	case ciGitLab:
		own, server, others = a.env("REVENANT_GITLAB_TOKEN"), a.env("CI_SERVER_URL"), []string{a.env("GITLAB_TOKEN")}
	case ciJenkins:
		own = a.env("REVENANT_JENKINS_TOKEN")
	}
	if own == "" && (p.server == p.system.home() || server != "" && strings.EqualFold(p.server, strings.TrimRight(server, "/"))) {
		own = cmp.Or(others...)
	}
	return own
}

// aboutRuns are flags that say which runs are read.
func aboutRuns() []string {
	return []string{"since", "branch", "max-runs", "new-only", "artifacts", "server", "provider", "wait"}
}

// checkRuns refuses flags about runs where none are read.
func checkRuns(c *cobra.Command, places []ciPlace) error {
	for _, name := range aboutRuns() {
		if len(places) == 0 && c.Flags().Changed(name) {
			return usagef("--%s is about the runs of CI systems, and no PLACE is one: write a project's URL, or github:OWNER/REPO", name)
		}
	}
	for _, p := range places {
		if p.system != ciGitLab && c.Flags().Changed("artifacts") {
			return usagef("--artifacts is for GitLab: 'revenant dir' reads what you downloaded")
		}
		if c.Flags().Changed("format") {
			return usagef("--format is for logs in files and pipes: what a CI system keeps is read as it is")
		}
	}
	return nil
}
