package gitlab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Keys of logs begin with what they are.
const (
	traceKey    = "job/"
	artifactKey = "artifacts/"
)

// job is one as the API describes it.
type job struct {
	ID       int64
	Name     string
	Status   string
	Started  time.Time `json:"started_at"`
	Erased   time.Time `json:"erased_at"`
	URL      string    `json:"web_url"`
	Expire   time.Time `json:"artifacts_expire_at"`
	Archive  *file     `json:"artifacts_file"`
	Archives []file    `json:"artifacts"`
}

type file struct {
	Type string `json:"file_type"`
	Size int64
}

func (j *job) going() bool {
	return j.Status == "running" || j.Status == "canceling" || j.Status == "pending"
}

// size is the log's, once GitLab has put it away.
func (j *job) size() int64 {
	for _, f := range j.Archives {
		if f.Type == "trace" && f.Size > 0 {
			return f.Size
		}
	}
	return -1
}

// jobs lists a pipeline's jobs, those that were tried again too, in the order in
// which they began. The list is GitLab's newest first: a job that comes while it
// is read moves others to the next page, where they come once more. now is the
// server's clock, or ours where it does not tell.
func (p *Project) jobs(ctx context.Context, r cilog.Run) (jobs []job, now time.Time, err error) {
	ref := fmt.Sprintf("%s/pipelines/%s/jobs?include_retried=true&per_page=%d", p.root, url.PathEscape(r.ID), perPage)
	seen := map[int64]bool{}
	err = pages(ctx, p.s, ref, func(page []job, a rest.Answer) int {
		before := len(seen)
		if now = a.Date; now.IsZero() {
			now = p.s.now()
		}
		for _, j := range page {
			if j.ID > 0 && !seen[j.ID] {
				seen[j.ID] = true
				jobs = append(jobs, j)
			}
		}
		return len(seen) - before
	})
	slices.SortFunc(jobs, func(a, b job) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID)) })
	return jobs, now, err
}

// Logs implements cilog.Project. Jobs that never began have no log.
func (p *Project) Logs(ctx context.Context, r cilog.Run) ([]cilog.Log, error) {
	jobs, now, err := p.jobs(ctx, r)
	if err != nil {
		return nil, p.gone(err, r)
	}
	var out []cilog.Log
	for i := range jobs {
		j := &jobs[i]
		if j.Started.IsZero() && j.Erased.IsZero() {
			continue
		}
		id := strconv.FormatInt(j.ID, 10)
		l := cilog.Log{
			Key: traceKey + id, Path: j.Name, Part: "job " + id, URL: rest.Link(j.URL), LineURL: "#L",
			Began: j.Started, Size: j.size(), Going: j.going(),
		}
		if !j.Erased.IsZero() {
			l.Missing = fmt.Errorf("%w: somebody erased the job", cilog.ErrDeleted)
		}
		out = append(out, l)
		if p.s.artifacts {
			out = append(out, j.kept(l, id, now)...)
		}
	}
	return out, nil
}

// kept is the archive of what the job kept, where it has one or had. Archives
// of the newest pipelines may outlive their date.
func (j *job) kept(l cilog.Log, id string, now time.Time) []cilog.Log {
	l.Key, l.Path, l.Part, l.LineURL = artifactKey+id, j.Name+"/@artifacts", "job "+id+" artifacts", ""
	switch {
	case j.Archive != nil:
		l.Missing, l.Size, l.Going = nil, j.Archive.Size, false
	case !j.Erased.IsZero() || j.Expire.IsZero() || now.Before(j.Expire):
		return nil
	default:
		l.Missing, l.Size = fmt.Errorf("%w: artifacts are removed when their time has passed", cilog.ErrExpired), -1
	}
	return []cilog.Log{l}
}

// Open implements cilog.Project.
func (p *Project) Open(ctx context.Context, r cilog.Run, l cilog.Log) (io.ReadCloser, error) {
	what, ref := "", p.root+"/jobs/"
	switch id, isTrace := strings.CutPrefix(l.Key, traceKey); {
	case isTrace:
		what, ref = "the log", ref+url.PathEscape(id)+"/trace"
	default:
		what, ref = "the artifacts", ref+url.PathEscape(strings.TrimPrefix(l.Key, artifactKey))+"/artifacts"
	}
	rc, _, err := p.s.web.Open(ctx, ref, 0)
	if err == nil {
		return rc, nil
	}
	if errors.Is(err, rest.ErrNotFound) && what == "the artifacts" {
		return nil, fmt.Errorf("%w: %s of the job are not there any more", cilog.ErrExpired, what)
	}
	return nil, p.gone(err, r)
}

// Kept implements cilog.Project: one request a hundred jobs. GitLab answers with
// an empty log where one was erased, so the jobs are asked for.
func (p *Project) Kept(ctx context.Context, r cilog.Run, logs []cilog.Log) error {
	jobs, _, err := p.jobs(ctx, r)
	if err != nil {
		return p.gone(err, r)
	}
	there := map[string]bool{}
	for i := range jobs {
		id := strconv.FormatInt(jobs[i].ID, 10)
		there[traceKey+id] = jobs[i].Erased.IsZero()
		there[artifactKey+id] = jobs[i].Archive != nil
	}
	var gone []string
	why := fmt.Errorf("%w: artifacts are removed when their time has passed", cilog.ErrExpired)
	for _, l := range logs {
		if there[l.Key] {
			continue
		}
		gone = append(gone, l.Key)
		if !strings.HasPrefix(l.Key, artifactKey) {
			why = fmt.Errorf("%w: somebody erased the jobs", cilog.ErrDeleted)
		}
	}
	switch len(gone) {
	case 0:
		return nil
	case len(logs):
		return why
	}
	return &cilog.PartError{Keys: gone, Err: why}
}

// gone says what it means that a pipeline is not there: the project's age limit
// for pipelines, where it has one that has passed, or somebody's deed.
func (p *Project) gone(err error, r cilog.Run) error {
	switch {
	case !errors.Is(err, rest.ErrNotFound):
		return p.s.teach(err)
	case p.keep > 0 && !r.Began.IsZero() && r.Began.Add(p.keep).Before(p.s.now()):
		return fmt.Errorf("%w: the project removes pipelines of that age", cilog.ErrExpired)
	}
	return fmt.Errorf("%w: the pipeline or its project is not there any more", cilog.ErrDeleted)
}
