package gitlab_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/gitlab"
)

// runs lists the ids of runs, and the mark.
func runs(t *testing.T, p *gitlab.Project, q cilog.Query) (ids []string, mark string) {
	t.Helper()
	mark, err := p.Runs(context.Background(), q, func(page []cilog.Run) bool {
		for _, r := range page {
			ids = append(ids, r.ID)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, mark
}

// unique fails when a run came twice, and sorts.
func unique(t *testing.T, ids []string) []string {
	t.Helper()
	out := slices.Clone(ids)
	slices.Sort(out)
	if n := len(slices.Compact(slices.Clone(out))); n != len(out) {
		t.Errorf("%d runs came, %d of them different", len(out), n)
	}
	return out
}

func TestProjects(t *testing.T) {
	f := newForge(t)
	f.projects = nil
	for i := range 230 {
		p := project{ID: int64(i + 1), Path: fmt.Sprintf("Group/sub/p%03d", i), Builds: "enabled"}
		if i == 5 {
			p.Builds = "disabled"
		}
		f.projects = append(f.projects, p)
	}
	f.projects = append(f.projects, project{ID: 900, Path: "grouped/other", Builds: "enabled"})
	s := f.server(nil)
	got, err := s.Projects(context.Background(), "group")
	if err != nil {
		t.Fatal(err)
	}
	host := strings.TrimPrefix(f.url, "http://")
	if len(got) != 229 || got[0].ID() != "ci:gitlab:"+host+"/git/Group/sub/p000" {
		t.Errorf("%d projects, the first %s", len(got), got[0].ID())
	}
	for _, name := range []string{"GROUP/sub/p007", "/group/sub/p007/", "8"} {
		if got, err = s.Projects(context.Background(), name); err != nil || len(got) != 1 || !strings.HasSuffix(got[0].ID(), "/Group/sub/p007") {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	_, err = s.Projects(context.Background(), "group/none")
	if !errors.Is(err, cilog.ErrNoProject) || !strings.Contains(err.Error(), "member") {
		t.Errorf("an unknown name: %v", err)
	}
}

func TestServerNames(t *testing.T) {
	for in, want := range map[string]string{
		"":                               "gitlab.com",
		"https://GitLab.Example:443":     "gitlab.example",
		"http://gitlab.example:8080/":    "gitlab.example:8080",
		"http://gitlab.example:80/a/b//": "gitlab.example/a/b",
	} {
		got := ""
		s, err := gitlab.New(gitlab.Options{Server: in, Token: token(), Rest: transport(func(r *http.Request) string {
			got = r.URL.String()
			return `{"id": 3, "path_with_namespace": "a/b"}`
		})})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Project(context.Background(), "a/b c")
		if err != nil {
			t.Fatal(err)
		}
		if p.ID() != "ci:gitlab:"+want+"/a/b" || !strings.HasSuffix(got, "/api/v4/projects/a%2Fb%20c") {
			t.Errorf("%q: %s, asked for %s", in, p.ID(), got)
		}
	}
	for _, in := range []string{"gitlab.example", "ftp://gitlab.example", "https://user:" + token() + "@gitlab.example", "https://gitlab.example?x=1"} {
		if _, err := gitlab.New(gitlab.Options{Server: in}); err == nil || strings.Contains(err.Error(), token()) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestTokenKinds(t *testing.T) {
	for k, want := range map[gitlab.TokenKind][2]string{
		gitlab.AccessToken: {"PRIVATE-TOKEN", token()},
		gitlab.OAuthToken:  {"Authorization", "Bearer " + token()},
		gitlab.JobToken:    {"JOB-TOKEN", token()},
	} {
		s, err := gitlab.New(gitlab.Options{Token: token(), Kind: k, Rest: transport(func(r *http.Request) string {
			for _, name := range []string{"PRIVATE-TOKEN", "Authorization", "JOB-TOKEN"} {
				if has := r.Header.Get(name); has != "" && (name != want[0] || has != want[1]) || has == "" && name == want[0] {
					t.Errorf("kind %d: %s is %q", k, name, has)
				}
			}
			return `{"id": 3, "path_with_namespace": "a/b"}`
		})})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Project(context.Background(), "a/b"); err != nil {
			t.Error(err)
		}
	}
}

// Ten thousand pipelines, many of one millisecond, child pipelines: each comes
// once, and a rescan asks for what changed.
func TestRunsAndRescan(t *testing.T) {
	f := newForge(t)
	var want []string
	for i := range 10_000 {
		ago := i
		if i >= 2000 && i < 2350 {
			ago = 2000 // more than three pages changed at once
		}
		f.add(int64(i+1), ago, func(p *pipeline) {
			if i%10 == 3 {
				p.Source = "parent_pipeline"
			}
		})
		want = append(want, fmt.Sprint(i+1))
	}
	p := f.project(nil)
	begin := len(f.since(0))
	got, mark := runs(t, p, cilog.Query{})
	slices.Sort(want)
	if diff := cmp.Diff(want, unique(t, got)); diff != "" {
		t.Errorf("pipelines (-want +got):\n%s", diff)
	}
	if n := len(f.since(begin)); n > 112 {
		t.Errorf("the first listing took %d requests", n)
	}

	begin = len(f.since(0))
	got, same := runs(t, p, cilog.Query{Mark: mark})
	if asked := f.since(begin); len(asked) != 2 || len(got) > 12 || same != mark {
		t.Errorf("a rescan: %d runs, mark %q after %q, asked for %q", len(got), same, mark, asked)
	}

	// An old pipeline changes, a new one comes, a child is new.
	f.pipelines[9000].Updated = day.Add(time.Minute)
	f.add(20_001, -2, nil)
	f.add(20_002, -3, func(p *pipeline) { p.Source = "parent_pipeline" })
	got, next := runs(t, p, cilog.Query{Mark: mark})
	for _, id := range []string{"9001", "20001", "20002"} {
		if !slices.Contains(got, id) {
			t.Errorf("%s did not come: %v", id, got)
		}
	}
	if next == mark || len(got) > 15 {
		t.Errorf("mark %q, %d runs", next, len(got))
	}
	if got, _ := runs(t, p, cilog.Query{Mark: "of another kind"}); len(got) != 10_002 {
		t.Errorf("a mark that is none: %d runs", len(got))
	}
}

func TestRunIsAsGitLabSays(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, func(p *pipeline) { p.Status = "running" })
	p := f.project(nil)
	var got []cilog.Run
	if _, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool { got = append(got, page...); return true }); err != nil {
		t.Fatal(err)
	}
	want := []cilog.Run{{
		ID: "5", Attempt: 1, Going: true, Began: day.Add(-11 * time.Minute), Changed: "2026-03-01T11:50:00Z",
		URL: f.url + "/git/group/sub/app/-/pipelines/5", Branch: "main",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the run (-want +got):\n%s", diff)
	}
	for status, going := range map[string]bool{
		"created": true, "waiting_for_resource": true, "preparing": true, "pending": true, "canceling": true,
		"success": false, "failed": false, "canceled": false, "skipped": false, "manual": false, "scheduled": false,
	} {
		f.pipelines[0].Status = status
		r, err := p.Look(context.Background(), got[0])
		if err != nil || r.Going != going || r.ID != "5" {
			t.Errorf("%s: %+v, %v", status, r, err)
		}
	}
	f.pipelines = nil
	if _, err := p.Look(context.Background(), got[0]); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a deleted pipeline: %v", err)
	}
}

func TestRunsOfAPart(t *testing.T) {
	f := newForge(t)
	f.add(1, 300, nil)
	f.add(2, 20, func(p *pipeline) { p.Ref = "topic/a b" })
	f.add(3, 10, nil)
	f.add(4, 5, func(p *pipeline) { p.Created = day.Add(-5 * time.Hour) }) // old, and tried again
	p := f.project(nil)
	for _, c := range []struct {
		q    cilog.Query
		want []string
	}{
		{cilog.Query{Branch: "topic/a b"}, []string{"2"}},
		{cilog.Query{Since: day.Add(-time.Hour)}, []string{"2", "3"}},
		{cilog.Query{Since: day.Add(-time.Hour), Branch: "main"}, []string{"3"}},
		{cilog.Query{Branch: "none"}, nil},
	} {
		got, _ := runs(t, p, c.q)
		if diff := cmp.Diff(c.want, unique(t, got)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.q, diff)
		}
	}
}

// What happens between two pages: pipelines come, change, are deleted.
func TestRunsWhileTheyChange(t *testing.T) {
	f := newForge(t)
	for i := range 450 {
		f.add(int64(i+1), i, nil)
	}
	p := f.project(nil)
	lists := 0
	f.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/pipelines") {
			return false
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		lists++
		switch lists {
		case 2: // one of the first page goes, one of the fourth moves to the front
			f.pipelines = slices.Delete(f.pipelines, 10, 30)
			f.pipelines[380].Updated = day.Add(time.Minute)
		case 3:
			for i := range 30 {
				f.pipelines = append(f.pipelines, &pipeline{ID: int64(1000 + i), Project: 7, Status: "running", Created: day, Updated: day.Add(time.Duration(i) * time.Second)})
			}
		}
		return false
	}
	got, mark := runs(t, p, cilog.Query{})
	if n := len(unique(t, got)); n != 480 {
		t.Errorf("%d runs, want 480", n)
	}
	// What came after the first page was asked for lies behind the mark.
	f.before = nil
	again, _ := runs(t, p, cilog.Query{Mark: mark})
	if !slices.Contains(again, "401") || !slices.Contains(again, "1029") {
		t.Errorf("the next listing has %v", again)
	}
}

func TestRunsStopped(t *testing.T) {
	f := newForge(t)
	for i := range 250 {
		f.add(int64(i+1), i, nil)
	}
	p := f.project(nil)
	calls := 0
	mark, err := p.Runs(context.Background(), cilog.Query{Mark: ""}, func([]cilog.Run) bool { calls++; return calls < 2 })
	if err != nil || mark != "" || calls != 2 {
		t.Errorf("mark %q after %d pages: %v", mark, calls, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = p.Runs(ctx, cilog.Query{}, func([]cilog.Run) bool { cancel(); return true })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Servers before 17.0 list no child pipelines: bridges lead to them.
func TestChildPipelinesOfOldServers(t *testing.T) {
	f := newForge(t)
	f.version = "16.11.2"
	f.projects = append(f.projects, project{ID: 8, Path: "other", Builds: "enabled"})
	child := func(p *pipeline) { p.Source = "parent_pipeline" }
	f.add(1, 30, func(p *pipeline) { p.Starts = []int64{2, 4} })
	f.add(2, 29, func(p *pipeline) { child(p); p.Starts = []int64{3, 2} }) // and itself: a server that errs
	f.add(3, 28, child)
	f.add(4, 27, func(p *pipeline) { p.Project, p.Source = 8, "pipeline" })
	f.add(5, 26, nil)
	p := f.project(nil)
	got, mark := runs(t, p, cilog.Query{})
	if diff := cmp.Diff([]string{"1", "2", "3", "5"}, unique(t, got)); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(f.since(0), func(s string) bool { return strings.Contains(s, "source=") }) {
		t.Error("an old server was asked for a list that it does not have")
	}
	if mark != "2026-03-01T11:34:00Z -" {
		t.Errorf("mark %q", mark)
	}
	f.version = "18.0.0" // updated: the list of children is asked for from its beginning
	got, _ = runs(t, f.project(nil), cilog.Query{Mark: mark})
	if diff := cmp.Diff([]string{"1", "2", "3", "5"}, unique(t, got)); diff != "" {
		t.Errorf("runs after the update (-want +got):\n%s", diff)
	}
}
