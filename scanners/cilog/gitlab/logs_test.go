package gitlab_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/gitlab"
	"revenant/scanners/cilog/rest"
)

// transport answers without a network.
func transport(text func(*http.Request) string) rest.Options {
	return rest.Options{Transport: trip(func(r *http.Request) (*http.Response, error) {
		body := text(r)
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
	})}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// row is a log in a table.
type row struct {
	Path, Part, Key string
	Size            int64
	Going           bool
	Missing         string
}

func rows(logs []cilog.Log) (out []row) {
	for _, l := range logs {
		r := row{Path: l.Path, Part: l.Part, Key: l.Key, Size: l.Size, Going: l.Going}
		switch {
		case errors.Is(l.Missing, cilog.ErrDeleted):
			r.Missing = "deleted"
		case errors.Is(l.Missing, cilog.ErrExpired):
			r.Missing = "expired"
		case l.Missing != nil:
			r.Missing = l.Missing.Error()
		}
		out = append(out, r)
	}
	return out
}

func read(t *testing.T, p *gitlab.Project, r cilog.Run, l cilog.Log) (string, error) {
	t.Helper()
	rc, err := p.Open(context.Background(), r, l)
	if err != nil {
		return "", err
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	return string(b), err
}

// jobs is a pipeline with one job of each kind.
func jobs(p *pipeline) {
	at := func(n int) time.Time { return day.Add(-time.Hour + time.Duration(n)*time.Second) }
	p.Jobs = []*job{
		{ID: 11, Name: "build 1/2", Status: "success", Started: at(2), Trace: "built\n", Kept: "zip", Expire: at(-9000)},
		{ID: 12, Name: "test: [a/b, ünï %2F]", Status: "failed", Started: at(1), Retried: true, Trace: "first try\n"},
		{ID: 13, Name: "test: [a/b, ünï %2F]", Status: "success", Started: at(5), Trace: "second try\n", Expire: at(-9000)},
		{ID: 14, Name: "erased", Status: "success", Started: at(4), Erased: at(50), Trace: "gone"},
		{ID: 15, Name: "by hand", Status: "manual"},
		{ID: 16, Name: "deploy", Status: "running", Started: at(9), Trace: "so far"},
		{ID: 17, Name: "debug", Status: "success", Started: at(10), Hidden: true, Expire: day.Add(time.Hour)},
	}
}

func TestLogs(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	run := cilog.Run{ID: "5", Attempt: 1}
	logs, err := p.Logs(context.Background(), run)
	if err != nil {
		t.Fatal(err)
	}
	const matrix = "test: [a/b, ünï %2F]"
	want := []row{
		{Path: matrix, Part: "job 12", Key: "job/12", Size: 10},
		{Path: "build 1/2", Part: "job 11", Key: "job/11", Size: 6},
		{Path: "build 1/2/@artifacts", Part: "job 11 artifacts", Key: "artifacts/11", Size: 3},
		{Path: "erased", Part: "job 14", Key: "job/14", Size: -1, Missing: "deleted"},
		{Path: matrix, Part: "job 13", Key: "job/13", Size: 11},
		{Path: matrix + "/@artifacts", Part: "job 13 artifacts", Key: "artifacts/13", Size: -1, Missing: "expired"},
		{Path: "deploy", Part: "job 16", Key: "job/16", Size: -1, Going: true},
		{Path: "debug", Part: "job 17", Key: "job/17", Size: -1},
	}
	if diff := cmp.Diff(want, rows(logs)); diff != "" {
		t.Errorf("logs (-want +got):\n%s", diff)
	}
	if l := logs[0]; l.URL != f.url+"/git/group/sub/app/-/jobs/12" || l.LineURL != "#L" || !l.Began.Equal(day.Add(-time.Hour+time.Second)) {
		t.Errorf("the first log is %+v", l)
	}
	for key, want := range map[string]string{
		"job/11": "built\n", "job/12": "first try\n", "job/13": "second try\n", "job/16": "so far", "artifacts/11": "PK stored 11",
	} {
		if got, err := read(t, p, run, cilog.Log{Key: key}); got != want || err != nil {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
	plain, err := f.project(func(o *gitlab.Options) { o.Artifacts = false }).Logs(context.Background(), run)
	if err != nil || len(plain) != 6 {
		t.Errorf("without artifacts: %d logs, %v", len(plain), err)
	}
	for _, h := range f.headers {
		for name, values := range h {
			if strings.Contains(strings.Join(values, ""), token()) || slices.Contains([]string{"Private-Token", "Authorization", "Job-Token", "Referer", "Cookie"}, name) {
				t.Errorf("the storage was sent %s", name)
			}
		}
	}
	if len(f.headers) == 0 {
		t.Error("the storage was not asked")
	}
}

// A job that is tried again while the jobs are listed moves the others.
func TestLogsWhileJobsCome(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, func(p *pipeline) {
		for i := range 250 {
			p.Jobs = append(p.Jobs, &job{ID: int64(i + 1), Name: "unit " + fmt.Sprint(i), Status: "success", Started: day.Add(time.Duration(i) * time.Second)})
		}
	})
	asked := 0
	p := f.project(nil)
	f.before = func(http.ResponseWriter, *http.Request) bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		if asked++; asked == 2 {
			f.pipelines[0].Jobs = append(f.pipelines[0].Jobs, &job{ID: 900, Name: "unit 3", Status: "running", Started: day.Add(time.Hour)})
		}
		return false
	}
	logs, err := p.Logs(context.Background(), cilog.Run{ID: "5"})
	if err != nil || asked != 3 {
		t.Fatalf("%d requests, %v", asked, err)
	}
	var keys []string
	for _, l := range logs {
		keys = append(keys, l.Key)
	}
	if n := len(unique(t, keys)); n != 250 || keys[0] != "job/1" || keys[249] != "job/250" {
		t.Errorf("%d logs, from %s to %s", n, keys[0], keys[n-1])
	}
}

func TestKept(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	run := cilog.Run{ID: "5", Began: day.Add(-time.Hour)}
	keys := func(keys ...string) (out []cilog.Log) {
		for _, k := range keys {
			out = append(out, cilog.Log{Key: k})
		}
		return out
	}
	for _, c := range []struct {
		name string
		logs []cilog.Log
		want error
	}{
		{"there", keys("job/11", "job/12"), nil},
		{"erased", keys("job/14"), cilog.ErrDeleted},
		{"artifacts there", keys("artifacts/11"), nil},
		{"artifacts expired", keys("artifacts/13"), cilog.ErrExpired},
		{"artifacts expired and erased", keys("artifacts/14", "job/14"), cilog.ErrDeleted},
		{"no such job", keys("job/99"), cilog.ErrDeleted},
		{"none", nil, nil},
	} {
		if err := p.Kept(context.Background(), run, c.logs); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	var part *cilog.PartError
	if err := p.Kept(context.Background(), run, keys("job/14", "job/11", "artifacts/13")); !errors.As(err, &part) || !errors.Is(err, cilog.ErrDeleted) ||
		!slices.Equal(part.Keys, []string{"job/14", "artifacts/13"}) {
		t.Errorf("some erased: %v", err)
	}
	gone := cilog.Run{ID: "6", Began: day.Add(-48 * time.Hour)}
	if err := p.Kept(context.Background(), gone, keys("job/1")); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a pipeline that was deleted: %v", err)
	}
	f.projects[0].Keep = 24 * 3600
	p = f.project(nil)
	if err := p.Kept(context.Background(), gone, keys("job/1")); !errors.Is(err, cilog.ErrExpired) {
		t.Errorf("a pipeline that was too old: %v", err)
	}
	gone.Began = day.Add(-time.Hour)
	if err := p.Kept(context.Background(), gone, keys("job/1")); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a young pipeline that was deleted: %v", err)
	}
}

// The server's clock counts, not ours: it is a day behind.
func TestArtifactsByTheServersClock(t *testing.T) {
	f := newForge(t)
	f.skew = -24 * time.Hour
	f.add(5, 10, func(p *pipeline) {
		p.Jobs = []*job{{ID: 1, Name: "a", Status: "success", Started: day.Add(-30 * time.Hour), Expire: day.Add(-time.Hour)}}
	})
	logs, err := f.project(nil).Logs(context.Background(), cilog.Run{ID: "5"})
	if err != nil || len(logs) != 1 {
		t.Errorf("%d logs, %v", len(logs), err)
	}
	f.skew = time.Hour
	logs, err = f.project(nil).Logs(context.Background(), cilog.Run{ID: "5"})
	if err != nil || len(logs) != 2 || !errors.Is(logs[1].Missing, cilog.ErrExpired) {
		t.Errorf("%v, %v", rows(logs), err)
	}
}

// TestCost holds the figures of docs/sources.md.
func TestCost(t *testing.T) {
	f := newForge(t)
	for i := range int64(1000) {
		f.add(i+1, int(i), func(p *pipeline) {
			for j := range int64(3) {
				p.Jobs = append(p.Jobs, &job{ID: 3*i + j + 1, Name: "job", Status: "success", Started: p.Created, Trace: "x"})
			}
		})
	}
	s := f.server(nil)
	p, err := s.Project(context.Background(), "group/sub/app")
	if err != nil {
		t.Fatal(err)
	}
	pipelines := 0
	mark, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool {
		for _, r := range page {
			logs, err := p.Logs(context.Background(), r)
			if err != nil || len(logs) != 3 {
				t.Fatal(logs, err)
			}
			for _, l := range logs {
				if _, err := read(t, p, r, l); err != nil {
					t.Fatal(err)
				}
			}
			pipelines++
		}
		return true
	})
	if n := s.Counts().Requests; err != nil || pipelines != 1000 || n != 15+1000+3000 {
		t.Errorf("1,000 pipelines cost %d requests: %v", n, err)
	}
	begin := s.Counts().Requests
	_, _ = runs(t, p, cilog.Query{Mark: mark})
	if n := s.Counts().Requests - begin; n != 2 {
		t.Errorf("a rescan costs %d requests", n)
	}
}
