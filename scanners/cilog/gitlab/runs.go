package gitlab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/rest"
)

// margin is how far before the mark is asked again: servers of one GitLab may
// have different clocks, and a change is seen some time after it was dated.
const margin = 10 * time.Minute

// stamp is how the API writes times, to the millisecond.
const stamp = "2006-01-02T15:04:05.000Z"

// pipeline is one as the API describes it.
type pipeline struct {
	ID      int64
	Project int64 `json:"project_id"`
	Status  string
	Source  string
	Created time.Time `json:"created_at"`
	Updated time.Time `json:"updated_at"`
	URL     string    `json:"web_url"`
	Name    string    // that the workflow gives it
	Ref     string    // branch, tag or merge request
}

// childSource is the source of child pipelines.
const childSource = "parent_pipeline"

// run is a pipeline as package cilog has it. One that waits for a person may
// wait for ever, and is not under way: when it goes on its change is seen.
func (l pipeline) run() cilog.Run {
	r := cilog.Run{ID: strconv.FormatInt(l.ID, 10), Attempt: 1, Began: l.Created, Changed: l.Updated.UTC().Format(time.RFC3339Nano), URL: rest.Link(l.URL), Workflow: l.Name, Branch: l.Ref}
	switch l.Status {
	case "created", "waiting_for_resource", "waiting_for_callback", "preparing", "pending", "running", "canceling":
		r.Going = true
	}
	return r
}

// Runs implements cilog.Project. The mark holds the newest change of each of the
// two lists: what changes while they are read comes behind it.
func (p *Project) Runs(ctx context.Context, q cilog.Query, yield func([]cilog.Run) bool) (string, error) {
	old, err := p.s.lacksChildren(ctx)
	if err != nil {
		return "", p.s.teach(err)
	}
	marks := parseMark(q.Mark)
	w := &walk{p: p, q: q, yield: yield, seen: map[int64]bool{}, bridges: old}
	for i, source := range []string{"", childSource} {
		if old && source != "" {
			break // the bridges led to them
		}
		w.source, w.after = source, marks[i]
		newest, err := w.all(ctx)
		switch {
		case errors.Is(err, rest.ErrNotFound):
			return "", p.s.unknown()
		case err != nil:
			return "", p.s.teach(err)
		case w.stopped:
			return q.Mark, nil
		}
		if newest.After(marks[i]) {
			marks[i] = newest
		}
	}
	return formatMark(marks), nil
}

// parseMark reads a mark; one that is not of this package is none.
func parseMark(text string) (marks [2]time.Time) {
	a, b, _ := strings.Cut(text, " ")
	for i, s := range []string{a, b} {
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
			marks[i] = t
		}
	}
	return marks
}

func formatMark(marks [2]time.Time) string {
	var out [2]string
	for i, t := range marks {
		if out[i] = "-"; !t.IsZero() {
			out[i] = t.UTC().Format(time.RFC3339Nano)
		}
	}
	if out == [2]string{"-", "-"} {
		return ""
	}
	return out[0] + " " + out[1]
}

// walk goes through a list of pipelines, the newest change first.
type walk struct {
	p       *Project
	q       cilog.Query
	yield   func([]cilog.Run) bool
	seen    map[int64]bool // those that were yielded
	bridges bool           // child pipelines are in no list
	source  string
	after   time.Time
	stopped bool
}

// all walks to the end. What changes meanwhile moves to the front, behind the
// walk's back: where there was more than one page it is asked for once more.
func (w *walk) all(ctx context.Context) (newest time.Time, err error) {
	var before time.Time
	first := true
	for number, stale := 1, 0; stale < maxStale; stale++ {
		met := len(w.seen)
		page, more, err := w.page(ctx, w.after, before, number)
		if err != nil || w.stopped {
			return newest, err
		}
		if first && len(page) > 0 {
			newest = page[0].Updated
		}
		switch {
		case !more && first:
			return newest, nil
		case !more:
			_, _, err = w.page(ctx, newest, time.Time{}, 1)
			return newest, err
		case len(w.seen) > met:
			stale = -1
		}
		// The next page is what changed at or before the last one's millisecond; only
		// where that fills pages by itself are they counted.
		next := page[len(page)-1].Updated.Truncate(time.Millisecond).Add(time.Millisecond)
		if first || next.Before(before) {
			before, number = next, 1
		} else {
			number++
		}
		first = false
	}
	return newest, w.p.s.endless()
}

// page asks for a page and yields what is new of it.
func (w *walk) page(ctx context.Context, after, before time.Time, number int) (page []pipeline, more bool, err error) {
	a, err := w.p.s.web.JSON(ctx, w.ref(after, before, number), "", &page)
	if err != nil {
		return nil, false, err
	}
	var fresh []cilog.Run
	for _, l := range page {
		if fresh, err = w.add(ctx, fresh, l); err != nil {
			return nil, false, err
		}
	}
	if len(fresh) > 0 && !w.yield(fresh) {
		w.stopped = true
	}
	return page, len(page) > 0 && (a.Next != "" || len(page) >= perPage), nil
}

// add appends a pipeline that was not met yet, behind it its child pipelines
// where no list has them.
func (w *walk) add(ctx context.Context, to []cilog.Run, l pipeline) ([]cilog.Run, error) {
	if l.ID <= 0 || w.seen[l.ID] {
		return to, nil
	}
	w.seen[l.ID] = true
	if w.q.Since.IsZero() || !l.Created.Before(w.q.Since) {
		to = append(to, l.run())
	}
	if !w.bridges {
		return to, nil
	}
	var children []pipeline
	err := pages(ctx, w.p.s, fmt.Sprintf("%s/pipelines/%d/bridges?per_page=%d", w.p.root, l.ID, perPage), func(page []bridge, _ rest.Answer) int {
		before := len(children)
		for _, b := range page {
			if c := b.Downstream; c != nil && w.child(c) {
				children = append(children, *c)
			}
		}
		return len(children) - before
	})
	if err != nil && !errors.Is(err, rest.ErrNotFound) { // deleted meanwhile
		return to, err
	}
	for _, c := range children {
		if to, err = w.add(ctx, to, c); err != nil {
			return to, err
		}
	}
	return to, nil
}

// child reports whether a pipeline that another started is a child of it; the
// oldest servers do not say, and it is taken for one.
func (w *walk) child(c *pipeline) bool {
	return (c.Source == childSource || c.Source == "") && (c.Project == w.p.id || c.Project == 0)
}

// bridge is a job that starts another pipeline.
type bridge struct {
	Downstream *pipeline `json:"downstream_pipeline"`
}

// ref is the list, from one time of change to another.
func (w *walk) ref(after, before time.Time, number int) string {
	v := url.Values{"order_by": {"updated_at"}, "sort": {"desc"}, "per_page": {strconv.Itoa(perPage)}}
	if !after.IsZero() {
		v.Set("updated_after", after.Add(-margin).UTC().Format(stamp))
	}
	if !before.IsZero() {
		v.Set("updated_before", before.UTC().Format(stamp))
	}
	if !w.q.Since.IsZero() {
		v.Set("created_after", w.q.Since.UTC().Format(stamp))
	}
	if w.q.Branch != "" {
		v.Set("ref", w.q.Branch)
	}
	if w.source != "" {
		v.Set("source", w.source)
	}
	if number > 1 {
		v.Set("page", strconv.Itoa(number))
	}
	return w.p.root + "/pipelines?" + v.Encode()
}

// Look implements cilog.Project.
func (p *Project) Look(ctx context.Context, r cilog.Run) (cilog.Run, error) {
	var l pipeline
	_, err := p.s.web.JSON(ctx, p.root+"/pipelines/"+url.PathEscape(r.ID), "", &l)
	if err != nil {
		return cilog.Run{}, p.gone(err, r)
	}
	if strconv.FormatInt(l.ID, 10) != r.ID {
		return cilog.Run{}, fmt.Errorf("%s: %w: it answers with another pipeline", p.s.name, cilog.ErrUnreachable)
	}
	return l.run(), nil
}
