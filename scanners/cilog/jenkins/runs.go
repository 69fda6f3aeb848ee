package jenkins

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// Bounds of listing builds.
const (
	perPage = 100
	// margin is how many numbers before the mark are told again: a build may be
	// seen after one that has the next number.
	margin = 20
	// maxStale is how many pages in a row may bring nothing new.
	maxStale = 10
	// settled is how long after its end the log of a build is taken to be written,
	// where the server does not say.
	settled = 10 * time.Minute
)

// build is one as the API describes it. Building ends before the log does, in
// progress with it; old servers do not tell the latter.
type build struct {
	Number     int64
	Building   bool
	InProgress *bool
	Timestamp  int64 // in milliseconds since 1970
	Duration   int64 // in milliseconds
	URL        string
	Runs       *[]build // of a matrix
	Actions    []struct {
		Revision *struct {
			Branch []struct{ Name string }
		} `json:"lastBuiltRevision"`
	}
}

const buildTree = "number,building,inProgress,timestamp,duration,url"

// matrixHint marks a run whose logs must be asked for.
const matrixHint = "matrix"

// run is a build as package cilog has it. now is the server's clock.
func (b *build) run(now time.Time) cilog.Run {
	r := cilog.Run{ID: strconv.FormatInt(b.Number, 10), Attempt: 1, Going: b.going(now), Began: b.began(), Changed: b.stamp(), URL: rest.Link(b.URL)}
	if b.Runs != nil {
		r.Hint = matrixHint
	}
	return r
}

func (b *build) going(now time.Time) bool {
	switch {
	case b.Building:
		return true
	case b.InProgress != nil:
		return *b.InProgress
	}
	return now.Sub(b.began().Add(time.Duration(b.Duration)*time.Millisecond)) < settled
}

func (b *build) began() time.Time {
	if b.Timestamp <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(b.Timestamp).UTC()
}

// stamp tells builds with the same number apart: a job may be made anew.
func (b *build) stamp() string { return strconv.FormatInt(b.Timestamp, 10) }

// Runs implements cilog.Project. The mark is the newest build of the first page,
// NUMBER@MILLISECONDS.
func (p *Project) Runs(ctx context.Context, q cilog.Query, yield func([]cilog.Run) bool) (string, error) {
	w := &walk{p: p, q: q, yield: yield, lowest: math.MaxInt64}
	w.number, w.stamp = parseMark(q.Mark)
	mark, err := w.all(ctx)
	switch {
	case errors.Is(err, rest.ErrNotFound):
		return "", p.s.unknown()
	case err != nil:
		return "", p.s.teach(err)
	case w.stopped:
		return q.Mark, nil
	}
	return mark, nil
}

// parseMark reads a mark; one that is not of this package is none.
func parseMark(text string) (number, stamp int64) {
	a, b, _ := strings.Cut(text, "@")
	number, err := strconv.ParseInt(a, 10, 64)
	stamp, err2 := strconv.ParseInt(b, 10, 64)
	if err != nil || err2 != nil || number < 1 {
		return 0, 0
	}
	return number, stamp
}

// walk goes through the builds, the newest first.
type walk struct {
	p             *Project
	q             cilog.Query
	yield         func([]cilog.Run) bool
	number, stamp int64 // of the mark; 0: none
	checked       bool  // that it is the mark of this job
	lowest        int64 // number that was met
	branch        bool  // the job is a branch's
	now           time.Time
	stopped       bool // by yield
}

// all asks for page after page. New builds move all others to later places,
// removed ones to earlier places: pages overlap by a build, and where the one
// that must be met is not met, the walk goes back.
func (w *walk) all(ctx context.Context) (mark string, err error) {
	from := 0
	for stale := 0; stale < maxStale; stale++ {
		page, err := w.page(ctx, from)
		if err != nil {
			return "", err
		}
		if mark == "" && from == 0 && len(page) > 0 {
			mark = strconv.FormatInt(page[0].Number, 10) + "@" + page[0].stamp()
		}
		if from > 0 && (len(page) == 0 || page[0].Number < w.lowest) {
			from = max(0, from-perPage)
			continue
		}
		met := w.lowest
		if w.take(page) || len(page) < perPage {
			return mark, nil
		}
		if w.lowest < met {
			stale = -1
		}
		from += len(page) - 1
	}
	return "", w.p.s.odd("the list of builds changes faster than it can be read")
}

func (w *walk) page(ctx context.Context, from int) ([]build, error) {
	tree := buildTree + ",runs[number]{0,1}"
	if w.q.Branch != "" {
		tree += ",actions[lastBuiltRevision[branch[name]]]"
	}
	tree = fmt.Sprintf("allBuilds[%s]{%d,%d}", tree, from, from+perPage)
	if w.q.Branch != "" {
		tree += ",property[_class]"
	}
	var got struct {
		Builds   []build `json:"allBuilds"`
		Property []struct {
			Class string `json:"_class"`
		}
	}
	a, err := w.p.s.web.JSON(ctx, w.p.root+query(tree), "", &got)
	if err != nil {
		return nil, err
	}
	w.now = w.p.s.clock(a)
	for _, p := range got.Property {
		w.branch = w.branch || strings.HasSuffix(p.Class, ".BranchJobProperty")
	}
	return got.Builds, nil
}

// take yields what is wanted of a page and reports whether the walk is at its end.
func (w *walk) take(page []build) (ended bool) {
	var fresh []cilog.Run
	met, young := 0, 0
	for i := range page {
		b := &page[i]
		if b.Number < 1 || b.Number >= w.lowest {
			continue
		}
		w.lowest = b.Number
		met++
		w.check(b)
		if ended = b.Number <= w.number-margin; ended {
			break
		}
		if !w.q.Since.IsZero() && b.began().Before(w.q.Since) {
			continue
		}
		young++
		if w.q.Branch == "" || w.of(b) {
			fresh = append(fresh, b.run(w.now))
		}
	}
	if len(fresh) > 0 && !w.yield(fresh) {
		w.stopped = true
	}
	return ended || w.stopped || met > 0 && young == 0
}

// check looks whether the mark is one of this job, at the first build that is
// not behind it: else the job was made anew, and all its builds are new.
func (w *walk) check(b *build) {
	if w.checked || b.Number > w.number {
		return
	}
	w.checked = true
	if b.Number == w.number && b.Timestamp != w.stamp || b.Timestamp > w.stamp {
		w.number = math.MinInt64 + margin
	}
}

// of reports whether a build is of the branch that was asked for. A branch's job
// has its name; elsewhere a build that does not say what it checked out may be.
func (w *walk) of(b *build) bool {
	if w.branch {
		last := w.p.full[strings.LastIndexByte(w.p.full, '/')+1:]
		plain, err := url.PathUnescape(last)
		return last == w.q.Branch || err == nil && plain == w.q.Branch
	}
	known := false
	for _, a := range b.Actions {
		if a.Revision == nil {
			continue
		}
		for _, r := range a.Revision.Branch {
			known = true
			if r.Name == w.q.Branch || strings.HasSuffix(r.Name, "/"+w.q.Branch) {
				return true
			}
		}
	}
	return !known
}

// Look implements cilog.Project.
func (p *Project) Look(ctx context.Context, r cilog.Run) (cilog.Run, error) {
	b, now, err := p.build(ctx, r, buildTree+",runs[number]{0,1}")
	if err != nil {
		return cilog.Run{}, err
	}
	return b.run(now), nil
}

// build asks for a run's build, and for the server's clock.
func (p *Project) build(ctx context.Context, r cilog.Run, tree string) (b build, now time.Time, err error) {
	a, err := p.s.web.JSON(ctx, p.root+url.PathEscape(r.ID)+"/"+query(tree), "", &b)
	switch {
	case err != nil:
		return build{}, now, p.gone(ctx, err, r)
	case strconv.FormatInt(b.Number, 10) != r.ID:
		return build{}, now, p.s.odd("it answers with another build")
	case r.Changed != "" && b.stamp() != r.Changed:
		return build{}, now, fmt.Errorf("%w: the job was made anew, and the build with this number is another", cilog.ErrDeleted)
	}
	return b, p.s.clock(a), nil
}

// gone says what it means that a build is not there.
func (p *Project) gone(ctx context.Context, err error, r cilog.Run) error {
	if !errors.Is(err, rest.ErrNotFound) {
		return p.s.teach(err)
	}
	var job struct{ FirstBuild *build }
	_, err = p.s.web.JSON(ctx, p.root+query("firstBuild[number]"), "", &job)
	if err != nil && !errors.Is(err, rest.ErrNotFound) {
		return p.s.teach(err)
	}
	number, parseErr := strconv.ParseInt(r.ID, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("%w: the job is not there any more", cilog.ErrDeleted)
	case parseErr == nil && job.FirstBuild != nil && job.FirstBuild.Number > number:
		return fmt.Errorf("%w: the job keeps younger builds only", cilog.ErrExpired)
	}
	return fmt.Errorf("%w: the build is not there any more", cilog.ErrDeleted)
}
