package jenkins_test

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
	"revenant/scanners/cilog/jenkins"
)

// runs lists the ids of runs, and the mark; a run that comes twice fails.
func runs(t *testing.T, p *jenkins.Project, q cilog.Query) (ids []string, mark string) {
	t.Helper()
	seen := map[string]bool{}
	mark, err := p.Runs(context.Background(), q, func(page []cilog.Run) bool {
		for _, r := range page {
			if seen[r.ID] {
				t.Errorf("build %s came again", r.ID)
			}
			seen[r.ID] = true
			ids = append(ids, r.ID)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, mark
}

// builds are n builds up to a number, the newest first, one a minute.
func builds(to, n int64) (out []*build) {
	for i := range n {
		out = append(out, &build{Number: to - i, At: day.Add(time.Duration(to-i-100_000) * time.Minute), Log: "done\n"})
	}
	return out
}

func TestProjects(t *testing.T) {
	c := newController(t)
	leaf := func(name string) *item { return &item{Name: name, Class: "hudson.model.FreeStyleProject"} }
	branch := func(name string) *item { return &item{Name: name, Class: "WorkflowJob", Branch: true} }
	folder := func(name string, items ...*item) *item { return &item{Name: name, Folder: true, Items: items} }
	c.top.Items = []*item{
		leaf("plain"), leaf("with blank & ünï+co"),
		folder("Team", leaf("app"), folder("empty"), folder("deep", folder("deeper", leaf("job")))),
		folder("mb", branch("main"), branch("feature%2Fx"), branch("PR-1"), branch("100%25")),
		folder("org", folder("repo", branch("main"))),
	}
	host := strings.TrimPrefix(c.url, "http://")
	for name, want := range map[string][]string{
		"": {
			"plain", "with blank & ünï+co", "Team/app", "Team/deep/deeper/job",
			"mb/main", "mb/feature%2Fx", "mb/PR-1", "mb/100%25", "org/repo/main",
		},
		"/Team/":              {"Team/app", "Team/deep/deeper/job"},
		"team":                {"Team/app", "Team/deep/deeper/job"},
		"mb/feature%2Fx":      {"mb/feature%2Fx"},
		"org":                 {"org/repo/main"},
		"Team/empty":          nil,
		"with blank & ünï+co": {"with blank & ünï+co"},
	} {
		got, err := c.server(nil).Projects(context.Background(), name)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		var ids, wanted []string
		for _, p := range got {
			ids = append(ids, p.ID())
			if _, err := p.Runs(context.Background(), cilog.Query{}, func([]cilog.Run) bool { return true }); err != nil {
				t.Errorf("%s cannot be asked: %v", p.ID(), err)
			}
		}
		for _, w := range want {
			wanted = append(wanted, "ci:jenkins:"+host+"/"+w)
		}
		if diff := cmp.Diff(wanted, ids); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	for _, name := range []string{"none", "mb/feature/x", "plain/x"} {
		_, err := c.server(nil).Projects(context.Background(), name)
		check(t, err, cilog.ErrNoProject, "%2F")
	}
}

func TestFoldersWithoutAnEnd(t *testing.T) {
	c := newController(t)
	loop := &item{Name: "again", Folder: true}
	loop.Items = []*item{loop}
	c.top.Items = []*item{loop}
	_, err := c.server(nil).Projects(context.Background(), "")
	check(t, err, cilog.ErrUnreachable, "without an end")
	if n := len(c.since(0)); n > 21 {
		t.Errorf("%d requests", n)
	}
}

func TestNew(t *testing.T) {
	for _, o := range []jenkins.Options{
		{},
		{Server: "jenkins.example"},
		{Server: "https://jenkins.example", User: "ann"},
		{Server: "https://jenkins.example", Token: token()},
		{Server: "https://ann:" + token() + "@jenkins.example"},
	} {
		if _, err := jenkins.New(o); err == nil || strings.Contains(err.Error(), token()) {
			t.Errorf("%s: %v", o.Server, err)
		}
	}
}

// Ten thousand builds: each once, and a rescan is one request.
func TestRunsAndRescan(t *testing.T) {
	c := newController(t)
	it, p := c.job("app", builds(10_000, 10_000)...)
	it.Builds = slices.Delete(it.Builds, 500, 700) // somebody tidied up
	begin := len(c.since(0))
	got, mark := runs(t, p, cilog.Query{})
	if len(got) != 9_800 || got[0] != "10000" || got[9_799] != "1" {
		t.Errorf("%d runs, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	if n := len(c.since(begin)); n > 100 {
		t.Errorf("%d requests", n)
	}
	begin = len(c.since(0))
	got, same := runs(t, p, cilog.Query{Mark: mark})
	if n := len(c.since(begin)); n != 1 || len(got) > 20 || same != mark {
		t.Errorf("a rescan: %d requests, %d runs, mark %s after %s", n, len(got), same, mark)
	}
	it.Builds = append(builds(10_150, 150), it.Builds...)
	got, next := runs(t, p, cilog.Query{Mark: mark})
	if !slices.Contains(got, "10001") || !slices.Contains(got, "10150") || len(got) > 170 || next == mark {
		t.Errorf("%d runs, mark %s", len(got), next)
	}
	// The marked build and those around it were discarded.
	it.Builds = it.Builds[:140]
	if got, _ = runs(t, p, cilog.Query{Mark: mark}); len(got) != 140 {
		t.Errorf("%d runs of 140", len(got))
	}
	if got, _ = runs(t, p, cilog.Query{Mark: "of another kind"}); len(got) != 140 {
		t.Errorf("a mark that is none: %d runs", len(got))
	}
	it.Builds = nil
	if got, mark = runs(t, p, cilog.Query{Mark: mark}); len(got) != 0 || mark != "" {
		t.Errorf("no builds: %v, %q", got, mark)
	}
}

// A job of the same name that was made anew begins at 1 again.
func TestJobMadeAnew(t *testing.T) {
	for name, n := range map[string]int64{"fewer": 30, "as many": 100, "more": 400} {
		c := newController(t)
		it, p := c.job("app", builds(100, 100)...)
		_, mark := runs(t, p, cilog.Query{})
		old := cilog.Run{ID: "7", Changed: fmt.Sprint(it.Builds[93].At.UnixMilli())}
		if err := p.Kept(context.Background(), old, nil); err != nil {
			t.Errorf("%s: a build that is there: %v", name, err)
		}
		it.Builds = builds(n, n)
		for _, b := range it.Builds {
			b.At = b.At.Add(1000 * time.Hour)
		}
		got, next := runs(t, p, cilog.Query{Mark: mark})
		if int64(len(got)) != n || next == mark {
			t.Errorf("%s: %d runs of %d", name, len(got), n)
		}
		if err := p.Kept(context.Background(), old, nil); !errors.Is(err, cilog.ErrDeleted) {
			t.Errorf("%s: a build of the old job: %v", name, err)
		}
		if _, err := p.Look(context.Background(), old); !errors.Is(err, cilog.ErrDeleted) {
			t.Errorf("%s: a build of the old job: %v", name, err)
		}
	}
}

// Builds come and go between two pages.
func TestRunsWhileTheyChange(t *testing.T) {
	for name, change := range map[string]func(*item){
		"new ones":      func(it *item) { it.Builds = append(builds(550, 50), it.Builds...) },
		"many new ones": func(it *item) { it.Builds = append(builds(650, 150), it.Builds...) },
		"young ones go": func(it *item) { it.Builds = slices.Delete(it.Builds, 5, 40) },
		"the last of the page goes": func(it *item) {
			it.Builds = slices.Delete(it.Builds, 60, 100)
		},
		"old ones go": func(it *item) { it.Builds = it.Builds[:120] },
		"nearly all":  func(it *item) { it.Builds = it.Builds[80:90] },
		"all":         func(it *item) { it.Builds = nil },
	} {
		c := newController(t)
		it, p := c.job("app", builds(500, 500)...)
		pages := 0
		c.before = func(http.ResponseWriter, *http.Request) bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			if pages++; pages == 2 {
				change(it)
			}
			return false
		}
		got, mark := runs(t, p, cilog.Query{})
		c.before = nil
		again, _ := runs(t, p, cilog.Query{Mark: mark})
		for _, b := range it.Builds {
			if id := fmt.Sprint(b.Number); !slices.Contains(got, id) && !slices.Contains(again, id) {
				t.Errorf("%s: build %s was met neither then nor next time", name, id)
			}
		}
	}
}

func TestRunIsAsJenkinsSays(t *testing.T) {
	c := newController(t)
	it, p := c.job("app", &build{Number: 3, Building: true, InProgress: true, At: day}, &build{Number: 2, InProgress: true, At: day}, &build{Number: 1, At: day})
	var got []cilog.Run
	mark, err := p.Runs(context.Background(), cilog.Query{}, func(page []cilog.Run) bool { got = append(got, page...); return true })
	stamp := fmt.Sprint(day.UnixMilli())
	want := []cilog.Run{
		{ID: "3", Attempt: 1, Going: true, Began: day, Changed: stamp, URL: c.url + "/job/app/3/"},
		{ID: "2", Attempt: 1, Going: true, Began: day, Changed: stamp, URL: c.url + "/job/app/2/"},
		{ID: "1", Attempt: 1, Began: day, Changed: stamp, URL: c.url + "/job/app/1/"},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil || mark != "3@"+stamp {
		t.Errorf("mark %s, %v, runs (-want +got):\n%s", mark, err, diff)
	}
	it.Builds[0].Building, it.Builds[0].InProgress = false, false
	r, err := p.Look(context.Background(), got[0])
	if err != nil || r.Going {
		t.Errorf("a build that ended: %+v, %v", r, err)
	}
	c.old = true
	for took, going := range map[time.Duration]bool{-11 * time.Minute: false, -9 * time.Minute: true, time.Hour: true} {
		it.Builds[0].Took = took
		if r, err = p.Look(context.Background(), got[0]); err != nil || r.Going != going {
			t.Errorf("an old server, ended %v ago: %+v, %v", -took, r, err)
		}
	}
	calls := 0
	if mark, err = p.Runs(context.Background(), cilog.Query{Mark: "x"}, func([]cilog.Run) bool { calls++; return false }); err != nil || mark != "x" || calls != 1 {
		t.Errorf("stopped: mark %q, %v", mark, err)
	}
}

func TestRunsOfAPart(t *testing.T) {
	c := newController(t)
	all := builds(300, 300)
	all[10].Branch, all[20].Branch, all[30].Branch = "refs/remotes/origin/topic/a", "detached", "topic/a"
	for i, b := range all {
		if i > 40 {
			b.Branch = "origin/main"
		}
	}
	_, p := c.job("app", all...)
	got, _ := runs(t, p, cilog.Query{Branch: "topic/a"})
	if len(got) != 40 || slices.Contains(got, "280") { // those that do not say, and two
		t.Errorf("%d runs of a branch: %v", len(got), got)
	}
	got, _ = runs(t, p, cilog.Query{Branch: "main"})
	if len(got) != 297 {
		t.Errorf("%d runs of another branch", len(got))
	}
	begin := len(c.since(0))
	got, _ = runs(t, p, cilog.Query{Since: all[50].At})
	if n := len(c.since(begin)); len(got) != 51 || n > 2 {
		t.Errorf("%d runs since, by %d requests", len(got), n)
	}

	c.top.Items = []*item{{Name: "mb", Folder: true, Items: []*item{{Name: "topic%2Fa", Branch: true, Builds: builds(3, 3)}, {Name: "main", Branch: true, Builds: builds(4, 4)}}}}
	branches, err := c.server(nil).Projects(context.Background(), "mb")
	if err != nil || len(branches) != 2 {
		t.Fatal(branches, err)
	}
	for i, want := range []int{3, 0} {
		if got, _ := runs(t, branches[i], cilog.Query{Branch: "topic/a"}); len(got) != want {
			t.Errorf("%s: %v", branches[i].ID(), got)
		}
	}
}

// What is not there any more was discarded by age or deleted.
func TestGone(t *testing.T) {
	c := newController(t)
	it, p := c.job("app", builds(100, 50)...)
	it.Builds = slices.Delete(it.Builds, 20, 21) // number 80
	old := func(n int) cilog.Run { return cilog.Run{ID: fmt.Sprint(n)} }
	for n, want := range map[int]error{50: cilog.ErrExpired, 1: cilog.ErrExpired, 80: cilog.ErrDeleted, 101: cilog.ErrDeleted} {
		if err := p.Kept(context.Background(), old(n), nil); !errors.Is(err, want) {
			t.Errorf("kept %d: %v, want %v", n, err, want)
		}
		if _, err := p.Open(context.Background(), old(n), cilog.Log{Key: "console@1"}); !errors.Is(err, want) {
			t.Errorf("open %d: %v, want %v", n, err, want)
		}
	}
	it.Builds = nil
	if err := p.Kept(context.Background(), old(60), nil); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("no builds: %v", err)
	}
	c.top.Items = nil
	if err := p.Kept(context.Background(), old(60), nil); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("no job: %v", err)
	}
	if _, err := p.Runs(context.Background(), cilog.Query{}, func([]cilog.Run) bool { return true }); !errors.Is(err, cilog.ErrNoProject) {
		t.Errorf("no job: %v", err)
	}
}
