package github

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

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Keys of logs: a file of the archive, or the log of a job by itself.
const (
	archiveKey = "zip:"
	jobKey     = "job:"
)

// settles is how long after a job's end its log may not be there yet.
const settles = 15 * time.Minute

// apiJob is a job as the API gives it.
type apiJob struct {
	ID         int64     `json:"id"`
	Attempt    int       `json:"run_attempt"`
	Name       string    `json:"name"`
	Status     string    `json:"status"`
	Conclusion string    `json:"conclusion"`
	Started    time.Time `json:"started_at"`
	Completed  time.Time `json:"completed_at"`
	URL        string    `json:"html_url"`
	Steps      []apiStep `json:"steps"`
}

type apiStep struct {
	Number  int       `json:"number"`
	Name    string    `json:"name"`
	Started time.Time `json:"started_at"`
}

func (j apiJob) over() bool { return j.Status == "completed" }

// mute reports whether a job never wrote a log: it was skipped, or cancelled
// before a runner took it.
func (j apiJob) mute() bool {
	return j.Conclusion == "skipped" || j.over() && len(j.Steps) == 0 && j.Conclusion == "cancelled"
}

// inherited reports whether an attempt took a job over from one before, where
// its log is read.
func (j apiJob) inherited(r cilog.Run) bool { return j.Attempt > 0 && j.Attempt < r.Attempt }

// Logs implements cilog.Project.
func (p *Project) Logs(ctx context.Context, r cilog.Run) ([]cilog.Log, error) {
	if r.Going {
		jobs, _, err := p.jobs(ctx, r)
		if err != nil {
			return nil, err
		}
		return p.underWay(r, jobs), nil
	}
	// The archive first: where it has expired, nothing else need be asked for.
	on, err := p.archive.take(ctx, r)
	switch {
	case err == nil:
		defer p.archive.give(on)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case !replaceable(err):
		return nil, teach(err, cilog.ErrDeleted)
	}
	jobs, now, err := p.jobs(ctx, r)
	if err != nil {
		return nil, err
	}
	l := &lister{p: p, run: r, now: now, archive: on != nil}
	var entries []entry
	if on != nil {
		entries = on.a.entries()
	}
	l.list(jobs, entries)
	return l.logs, nil
}

// replaceable reports whether the logs of jobs may do where the archive failed.
func replaceable(err error) bool {
	return errors.Is(err, rest.ErrNotFound) || errors.Is(err, cilog.ErrUnreachable) || errors.Is(err, errArchive)
}

// jobs are those of an attempt, and the server's time.
func (p *Project) jobs(ctx context.Context, r cilog.Run) (jobs []apiJob, now time.Time, err error) {
	ref, err := p.ref(r)
	if err != nil {
		return nil, now, err
	}
	seen := map[int64]bool{}
	next := ref + "/jobs?per_page=" + strconv.Itoa(perPage)
	for pages := 0; next != ""; pages++ {
		if pages == maxPages {
			return nil, now, endless(p.host)
		}
		var page struct {
			Jobs []apiJob `json:"jobs"`
		}
		a, err := p.api.JSON(ctx, next, "", &page)
		if err != nil {
			return nil, now, teach(err, cilog.ErrDeleted)
		}
		for _, j := range page.Jobs {
			if j.ID > 0 && !seen[j.ID] {
				seen[j.ID] = true
				jobs = append(jobs, j)
			}
		}
		next, now = a.Next, p.clock(a)
	}
	slices.SortStableFunc(jobs, func(a, b apiJob) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID))
	})
	return jobs, now, nil
}

// underWay are the logs of a run that is going on.
func (p *Project) underWay(r cilog.Run, jobs []apiJob) []cilog.Log {
	l := &lister{p: p, run: r}
	for _, j := range jobs {
		switch {
		case j.mute(), j.inherited(r):
		case j.over():
			l.logs = append(l.logs, l.job(j, jobKey+strconv.FormatInt(j.ID, 10), -1))
		default:
			log := l.job(j, jobKey+strconv.FormatInt(j.ID, 10), -1)
			log.Going, log.Missing = true, fmt.Errorf("%w: GitHub gives the log of a job when it is over", cilog.ErrUnreachable)
			l.logs = append(l.logs, log)
		}
	}
	return l.logs
}

// jobURL is a job's page: what the API says, where that is on the server.
func (p *Project) jobURL(r cilog.Run, j apiJob) string {
	u, err := url.Parse(j.URL)
	if err == nil && u.Scheme+"://"+strings.ToLower(u.Host) == p.server && u.User == nil && u.RawQuery == "" && u.Fragment == "" {
		return u.String()
	}
	return fmt.Sprintf("%s/%s/actions/runs/%s/job/%d", p.server, p.page, r.ID, j.ID)
}

// Open implements cilog.Project.
func (p *Project) Open(ctx context.Context, r cilog.Run, l cilog.Log) (io.ReadCloser, error) {
	if id, is := strings.CutPrefix(l.Key, jobKey); is {
		return p.openJob(ctx, id)
	}
	on, err := p.archive.take(ctx, r)
	if err != nil {
		return nil, teach(err, cilog.ErrDeleted)
	}
	rc, err := on.a.read(l.Key, p.o.MaxLog)
	if err != nil {
		p.archive.give(on)
		return nil, err
	}
	return &lent{ReadCloser: rc, s: p.archive, on: on}, nil
}

func (p *Project) openJob(ctx context.Context, id string) (io.ReadCloser, error) {
	if !numeral(id) {
		return nil, fmt.Errorf("%w: a job that GitHub does not number so", cilog.ErrDeleted)
	}
	body, a, err := p.api.Open(ctx, p.path+"/actions/jobs/"+id+"/logs", 0)
	if err != nil {
		return nil, teach(err, cilog.ErrDeleted)
	}
	if a.Size > p.o.MaxLog {
		_ = body.Close()
		return nil, tooLong(a.Size)
	}
	return &bounded{ReadCloser: body, left: p.o.MaxLog}, nil
}

// bounded is a log that may be endless.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.ReadCloser.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "a log longer than the bound: its beginning was read", Size: -1}
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// Kept implements cilog.Project: one request, and two more where the archive is
// not there but the run may be.
func (p *Project) Kept(ctx context.Context, r cilog.Run, logs []cilog.Log) error {
	ref, err := p.ref(r)
	if err != nil {
		return err
	}
	_, err = p.api.Stat(ctx, ref+"/logs")
	if !errors.Is(err, rest.ErrNotFound) {
		return teach(err, cilog.ErrDeleted)
	}
	if _, err := p.Look(ctx, r); err != nil {
		return err
	}
	for _, l := range logs {
		id, is := strings.CutPrefix(l.Key, jobKey)
		if !is || !numeral(id) {
			continue
		}
		_, err := p.api.Stat(ctx, p.path+"/actions/jobs/"+id+"/logs")
		return teach(err, cilog.ErrDeleted)
	}
	return fmt.Errorf("%w: the run is there, its logs were deleted", cilog.ErrDeleted)
}
