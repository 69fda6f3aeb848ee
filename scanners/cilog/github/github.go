// Package github reads the logs of GitHub Actions, of github.com, of GitHub
// Enterprise Cloud with data residency and of GitHub Enterprise Server.
//
// It promises: each attempt of a run is a run of its own; of a finished one all
// that GitHub has is listed, from the archive of its logs, and from the logs of
// single jobs where the archive lacks them or cannot be had; of one under way
// the jobs that are over. It refuses: to guess at what a job of a running run
// wrote, since GitHub gives no log before a job's end.
//
// # What a scan costs
//
// A first scan asks once for 100 runs, and for each attempt twice: the archive,
// the jobs (and once more for each further 100 jobs). A run whose logs expired
// costs one. The mark of a scan holds the ETag of the newest 100 runs: when
// nothing is new, the next scan asks once and is told so, which GitHub does not
// count. Otherwise it reads pages until it meets what was listed before.
//
// A run that is run again keeps its place in the listing, and may be for 30
// days. So once a day, by the server's clock, the listing is read as far back as
// 31 days before the last time that this was done.
package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Options say which repository is read, and how its server is asked.
type Options struct {
	// Rest holds clock, transport, patience, agent and progress. What is GitHub's
	// own (Base, Authorize, Header, Limit, Limited, Kind) is set over it.
	Rest rest.Options
	// Server is where people go; empty: https://github.com.
	Server string
	// API is where its API answers; empty: where it does by Server's name.
	API string
	// Token is sent to API alone; empty: only what is public is seen, 60 requests
	// an hour.
	Token string
	// Owner is an organisation or a user; Repo, in Open, one of its repositories.
	// Upper and lower case do not matter.
	Owner, Repo string
	// MaxArchive is how long an archive of logs may be, 512 MiB; a longer one's jobs
	// are read one by one. MaxLog is how long a log may be, 2 GiB; MaxRun how long
	// all in an archive, 16 GiB: what is beyond is listed.
	MaxArchive, MaxLog, MaxRun int64
}

// Bounds of what a server may say.
const (
	defaultArchive = 512 << 20
	defaultLog     = 2 << 30
	defaultRun     = 16 << 30
	maxAttempts    = 10_000
	maxPages       = 1_000 // of a list; GitHub's own end is below
)

// Project is one repository's runs; it implements cilog.Project.
type Project struct {
	o       Options
	api     *rest.Client
	server  string // scheme and host for people
	host    string
	id      string
	path    string // repos/OWNER/REPO, escaped
	page    string // OWNER/REPO, escaped
	archive *shelf
}

var _ cilog.Project = (*Project)(nil)

// Open asks the server for the repository and returns it as it spells it.
func Open(ctx context.Context, o Options) (*Project, error) {
	host, server, api, err := o.connect()
	if err != nil {
		return nil, err
	}
	if o.MaxArchive <= 0 {
		o.MaxArchive = defaultArchive
	}
	if o.MaxLog <= 0 {
		o.MaxLog = defaultLog
	}
	if o.MaxRun <= 0 {
		o.MaxRun = defaultRun
	}
	if o.Rest.Now == nil {
		o.Rest.Now = time.Now
	}
	if !nameable(o.Owner) || !nameable(o.Repo) {
		return nil, errors.New("a repository of GitHub is written OWNER/REPO, of letters, digits, dots, dashes and underscores")
	}
	var repo struct {
		Full string `json:"full_name"`
	}
	if _, err := api.JSON(ctx, "repos/"+o.Owner+"/"+o.Repo, "", &repo); err != nil {
		return nil, teach(err, cilog.ErrNoProject)
	}
	owner, name, _ := strings.Cut(repo.Full, "/")
	if !nameable(owner) || !nameable(name) {
		return nil, fmt.Errorf("%s: %w: it does not say what the repository is called: is this GitHub's API?", host, cilog.ErrUnreachable)
	}
	p := &Project{o: o, api: api, server: server, host: host, id: "ci:github:" + host + "/" + repo.Full, path: "repos/" + repo.Full, page: repo.Full}
	p.archive = &shelf{load: p.download}
	return p, nil
}

// ID implements cilog.Project.
func (p *Project) ID() string { return p.id }

// Counts says what was asked of the server.
func (p *Project) Counts() rest.Counts { return p.api.Counts() }

// Close implements cilog.Project. Logs that are open stay so.
func (p *Project) Close() error {
	p.archive.close()
	p.api.Close()
	return nil
}

// connect makes a client of the server's API.
func (o Options) connect() (host, server string, api *rest.Client, err error) {
	host, server, base, err := o.addresses()
	if err != nil {
		return "", "", nil, err
	}
	r := o.Rest
	r.Base, r.Limit, r.Limited, r.Kind = base, limits, limited, kind
	r.Header = http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	r.Authorize = nil
	if token := o.Token; token != "" {
		r.Authorize = func(req *http.Request) { req.Header.Set("Authorization", "Bearer "+token) }
	}
	api, err = rest.New(r)
	return host, server, api, err
}

// addresses are the host that names the server, where people go, and where the
// API is.
func (o Options) addresses() (host, server, api string, err error) {
	from := o.Server
	if from == "" {
		from = o.API
	}
	if from == "" {
		from = "https://github.com"
	}
	u, err := url.Parse(from)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", "", "", errors.New("GitHub's address is written https://HOST")
	}
	host = strings.ToLower(u.Host)
	if host == "api.github.com" || host == "www.github.com" || strings.HasPrefix(host, "api.") && strings.HasSuffix(host, ".ghe.com") {
		_, host, _ = strings.Cut(host, ".")
	}
	server = u.Scheme + "://" + host
	api = o.API
	switch {
	case api != "":
	case host == "github.com" || strings.HasSuffix(host, ".ghe.com"):
		api = u.Scheme + "://api." + host
	default:
		api = server + "/api/v3"
	}
	return host, server, api, nil
}

// nameable reports whether a name is one that GitHub gives: it needs no escape.
func nameable(name string) bool {
	return name != "" && name != "." && name != ".." && strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}) < 0
}

// limits reads the headers of the primary limit.
func limits(h http.Header) (left int, reset time.Time, ok bool) {
	left, err := strconv.Atoi(h.Get("X-Ratelimit-Remaining"))
	if err != nil {
		return 0, time.Time{}, false
	}
	at, err := strconv.ParseInt(h.Get("X-Ratelimit-Reset"), 10, 64)
	return left, time.Unix(at, 0), err == nil
}

// limited knows the words of the secondary limits, which come without headers.
func limited(body []byte) bool {
	var said struct{ Message string }
	text := string(body)
	if json.Unmarshal(body, &said) == nil {
		text = said.Message
	}
	text = strings.ToLower(text)
	return strings.Contains(text, "rate limit") || strings.Contains(text, "abuse detection")
}

// kind names what a path of the API gives.
func kind(path string) string {
	switch {
	case strings.HasSuffix(path, "/logs") && strings.Contains(path, "/actions/jobs/"):
		return "the log of a job"
	case strings.HasSuffix(path, "/logs"):
		return "the logs of a run"
	case strings.HasSuffix(path, "/jobs"):
		return "the jobs of a run"
	case strings.HasSuffix(path, "/actions/runs"):
		return "the list of runs"
	case strings.Contains(path, "/actions/runs/"):
		return "a run"
	case strings.HasSuffix(path, "/repos"):
		return "the list of repositories"
	}
	return "the repository"
}

// teach says what a 404 means, and what a token needs.
func teach(err, missing error) error {
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return fmt.Errorf("%w: %w", missing, err)
	case errors.Is(err, cilog.ErrDenied):
		return fmt.Errorf("%w; it takes a fine-grained token with the repository permission Actions: read, or a classic one with the scope repo", err)
	}
	return err
}

// Repositories lists an owner's repositories that the token may see, archived
// ones too, as OWNER/REPO.
func Repositories(ctx context.Context, o Options) ([]string, error) {
	_, _, api, err := o.connect()
	if err != nil {
		return nil, err
	}
	defer api.Close()
	if !nameable(o.Owner) {
		return nil, errors.New("an owner on GitHub is written in letters, digits and dashes")
	}
	l := &repositories{api: api, owner: o.Owner, seen: map[string]bool{}}
	err = l.add(ctx, "orgs/"+o.Owner+"/repos?per_page=100&type=all")
	if err == nil {
		return l.names, nil
	}
	if !errors.Is(err, rest.ErrNotFound) {
		return nil, teach(err, cilog.ErrNoProject)
	}
	if err := l.add(ctx, "users/"+o.Owner+"/repos?per_page=100&type=owner"); err != nil {
		return nil, teach(err, cilog.ErrNoProject)
	}
	if o.Token == "" {
		return l.names, nil
	}
	// A user's private ones are listed to the user only, and to no other token.
	err = l.add(ctx, "user/repos?per_page=100&affiliation=owner")
	if err != nil && !errors.Is(err, cilog.ErrDenied) && !errors.Is(err, rest.ErrNotFound) {
		return nil, err
	}
	return l.names, nil
}

// endless is the error of a list that does not end.
func endless(of string) error {
	return fmt.Errorf("%s: %w: a list of more than %d pages", of, cilog.ErrUnreachable, maxPages)
}

// repositories are those of one owner.
type repositories struct {
	api   *rest.Client
	owner string
	names []string
	seen  map[string]bool
}

func (l *repositories) add(ctx context.Context, ref string) error {
	for pages := 0; ref != ""; pages++ {
		if pages == maxPages {
			return endless("the repositories of an owner")
		}
		var page []struct {
			Full string `json:"full_name"`
		}
		a, err := l.api.JSON(ctx, ref, "", &page)
		if err != nil {
			return err
		}
		for _, r := range page {
			owner, name, _ := strings.Cut(r.Full, "/")
			if strings.EqualFold(owner, l.owner) && nameable(name) && !l.seen[r.Full] {
				l.seen[r.Full] = true
				l.names = append(l.names, r.Full)
			}
		}
		ref = a.Next
	}
	return nil
}
