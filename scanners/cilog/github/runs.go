package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// GitHub's own periods, with some room.
const (
	rerunnable = 31 * 24 * time.Hour // a run may be run again for 30 days
	walkEvery  = 24 * time.Hour
	late       = time.Hour // a run may appear behind one that began after it
	perPage    = 100
	// What a query with created or branch gives at most, and the least that a query
	// must have given to be suspected of an end that is none.
	queryCap = 1_000
)

// apiRun is a run as the API gives it, with its last attempt.
type apiRun struct {
	ID      int64     `json:"id"`
	Attempt int       `json:"run_attempt"`
	Status  string    `json:"status"`
	Created time.Time `json:"created_at"`
	Started time.Time `json:"run_started_at"` // of the attempt
	Name    string    `json:"name"`           // of the workflow
	Branch  string    `json:"head_branch"`
}

// mark is what a listing leaves for the next.
type mark struct {
	ETag   string    `json:"etag,omitempty"` // of the first page
	Newest time.Time `json:"newest"`         // when the newest run was created
	Walked time.Time `json:"walked"`         // when runs that are run again were last looked for
}

// listing is one call of Runs.
type listing struct {
	p     *Project
	q     cilog.Query
	yield func([]cilog.Run) bool
	seen  map[int64]int // attempts, by run
	from  time.Time     // runs that were created before are of no interest
	until time.Time     // a query's, to go on where the one before was cut off; zero: now
	found mark
}

// errStopped: yield wants no more.
var errStopped = errors.New("no more is wanted")

// Runs implements cilog.Project. A listing of a part takes no mark and leaves
// none.
func (p *Project) Runs(ctx context.Context, q cilog.Query, yield func([]cilog.Run) bool) (string, error) {
	l := &listing{p: p, q: q, yield: yield, seen: map[int64]int{}}
	if !q.Since.IsZero() {
		l.from = q.Since.Add(-rerunnable) // what is run again keeps its first date
	}
	same, err := l.read(ctx)
	switch {
	case errors.Is(err, errStopped), err == nil && same:
		return q.Mark, nil
	case err != nil:
		return "", teach(err, cilog.ErrNoProject)
	case l.part():
		return "", nil
	}
	text, err := json.Marshal(l.found)
	if err != nil {
		return "", fmt.Errorf("writing the mark of a listing: %w", err)
	}
	return string(text), nil
}

func (l *listing) part() bool { return !l.q.Since.IsZero() || l.q.Branch != "" }

// read reads what is new, or finds that all is the same.
func (l *listing) read(ctx context.Context) (same bool, err error) {
	var old mark
	if l.part() || json.Unmarshal([]byte(l.q.Mark), &old) != nil || old.Newest.IsZero() || old.Walked.IsZero() {
		return false, l.all(ctx, l.walk()) // also where a mark is damaged
	}
	w := l.walk()
	var page runPage
	a, err := l.p.api.JSON(ctx, w.refs[0], old.ETag, &page)
	if err != nil {
		return false, err
	}
	switch due := l.p.clock(a).Sub(old.Walked) >= walkEvery; {
	case due:
		l.from = old.Walked.Add(-rerunnable)
	case a.NotModified:
		return true, nil
	default:
		l.from, l.found = old.Newest.Add(-late), old
	}
	if !a.NotModified {
		if err := w.forward(page, a); err != nil {
			return false, err
		}
	}
	return false, l.all(ctx, w)
}

// all reads one query after the other, each from where the one before was cut
// off: GitHub cuts at a number of runs and does not say so.
func (l *listing) all(ctx context.Context, w *walk) error {
	for {
		if err := w.run(ctx); err != nil {
			return err
		}
		if w.n < queryCap || !w.oldest.After(l.from) {
			return nil
		}
		if !l.until.IsZero() && !w.oldest.Before(l.until) {
			return fmt.Errorf("%s: %w: more runs began in one second than it lists", l.p.host, cilog.ErrUnreachable)
		}
		l.until = w.oldest
		w = l.walk()
	}
}

// walk is a way through the query's pages.
func (l *listing) walk() *walk { return &walk{l: l, refs: []string{l.ref()}} }

// runPage is a page of runs.
type runPage struct {
	Total int      `json:"total_count"`
	Runs  []apiRun `json:"workflow_runs"`
}

// ref is the query's first page.
func (l *listing) ref() string {
	v := url.Values{"per_page": {strconv.Itoa(perPage)}, "exclude_pull_requests": {"true"}}
	if l.q.Branch != "" {
		v.Set("branch", l.q.Branch)
	}
	stamp := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
	switch {
	case l.q.Since.IsZero() && !l.until.IsZero():
		v.Set("created", "<="+stamp(l.until))
	case !l.q.Since.IsZero() && l.until.IsZero():
		v.Set("created", ">="+stamp(l.from))
	case !l.q.Since.IsZero():
		v.Set("created", stamp(l.from)+".."+stamp(l.until))
	}
	return l.p.path + "/actions/runs?" + v.Encode()
}

// walk is the way through the pages of a query, which move while it is walked.
type walk struct {
	l      *listing
	refs   []string // of the pages; those from at on are to be read
	at     int
	total  int // of runs, as the page before said
	n      int
	oldest time.Time
}

func (w *walk) run(ctx context.Context) error {
	for w.at < len(w.refs) {
		if w.at == maxPages {
			return endless(w.l.p.host)
		}
		page, a, err := w.get(ctx, w.at)
		var refused *rest.Error
		if errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity && w.at > 0 {
			return nil // a page behind the last that it gives
		}
		if err != nil {
			return err
		}
		at, before := w.at, w.total
		if err := w.forward(page, a); err != nil {
			return err
		}
		if err := w.back(ctx, at, before); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) get(ctx context.Context, at int) (page runPage, a rest.Answer, err error) {
	a, err = w.l.p.api.JSON(ctx, w.refs[at], "", &page)
	return page, a, err
}

// forward takes a page and finds the next.
func (w *walk) forward(page runPage, a rest.Answer) error {
	l := w.l
	w.total = page.Total
	if l.found.Walked.IsZero() {
		l.found.Walked = l.p.clock(a)
	}
	if w.at == 0 && l.until.IsZero() {
		l.found.ETag = a.ETag
	}
	if err := w.take(page); err != nil {
		return err
	}
	w.n += len(page.Runs)
	w.at++
	if a.Next != "" && len(page.Runs) > 0 && (l.from.IsZero() || !w.oldest.Before(l.from)) {
		w.refs = append(w.refs, a.Next)
	}
	return nil
}

// back reads pages again that came before a page. New runs push others to later
// pages, where they are met twice; when runs are deleted, others move to a page
// that was read, and the total tells how many at most.
func (w *walk) back(ctx context.Context, at, before int) error {
	for i, total := at-1, w.total; i >= 0 && before-total > (at-1-i)*perPage; i-- {
		page, _, err := w.get(ctx, i)
		if err != nil {
			return err
		}
		if err := w.take(page); err != nil {
			return err
		}
		total = min(total, page.Total)
	}
	return nil
}

// take yields the runs of a page.
func (w *walk) take(page runPage) error {
	l := w.l
	var runs []cilog.Run
	for _, r := range page.Runs {
		if r.ID <= 0 || r.Attempt > maxAttempts {
			return fmt.Errorf("%s: %w: a run that GitHub does not have", l.p.host, cilog.ErrUnreachable)
		}
		if w.oldest.IsZero() || r.Created.Before(w.oldest) {
			w.oldest = r.Created
		}
		if r.Created.After(l.found.Newest) {
			l.found.Newest = r.Created
		}
		runs = append(runs, l.attempts(r)...)
	}
	if len(runs) > 0 && !l.yield(runs) {
		return errStopped
	}
	return nil
}

// attempts are those of a run that were not met before, the newest first.
func (l *listing) attempts(r apiRun) []cilog.Run {
	last, before := max(r.Attempt, 1), l.seen[r.ID]
	l.seen[r.ID] = max(last, before)
	var out []cilog.Run
	for n := last; n > before; n-- {
		run := l.p.run(r, n)
		if l.q.Since.IsZero() || !run.Began.Before(l.q.Since) {
			out = append(out, run)
		}
	}
	return out
}

// run is one attempt of a run. When those between the first and the last began
// is not said: not after the last.
func (p *Project) run(r apiRun, attempt int) cilog.Run {
	last := max(r.Attempt, 1)
	out := cilog.Run{
		ID: strconv.FormatInt(r.ID, 10), Attempt: attempt, Going: attempt == last && r.Status != "completed", Began: r.Started,
		URL: fmt.Sprintf("%s/%s/actions/runs/%d", p.server, p.page, r.ID), Workflow: r.Name, Branch: r.Branch,
	}
	if attempt == 1 && last > 1 || r.Started.IsZero() {
		out.Began = r.Created
	}
	if attempt > 1 {
		out.URL += "/attempts/" + strconv.Itoa(attempt)
	}
	return out
}

// clock is the server's, by an answer.
func (p *Project) clock(a rest.Answer) time.Time {
	if a.Date.IsZero() {
		return p.o.Rest.Now()
	}
	return a.Date
}

// ref is the path of an attempt of a run. The memory from which runs come may be
// damaged: what is no number is none of GitHub's.
func (p *Project) ref(r cilog.Run) (string, error) {
	id, err := strconv.ParseUint(r.ID, 10, 63)
	if err != nil || r.Attempt < 1 {
		return "", fmt.Errorf("%w: a run that GitHub does not number so", cilog.ErrDeleted)
	}
	return fmt.Sprintf("%s/actions/runs/%d/attempts/%d", p.path, id, r.Attempt), nil
}

// Look implements cilog.Project.
func (p *Project) Look(ctx context.Context, r cilog.Run) (cilog.Run, error) {
	ref, err := p.ref(r)
	if err != nil {
		return r, err
	}
	var now apiRun
	if _, err := p.api.JSON(ctx, ref+"?exclude_pull_requests=true", "", &now); err != nil {
		return r, teach(err, cilog.ErrDeleted)
	}
	r.Going = now.Status != "completed"
	return r, nil
}
