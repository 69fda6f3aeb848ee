package gitlab_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/scanners/cilog/gitlab"
	"revenant/scanners/cilog/rest"
)

// day is when the tests play.
var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// token is generated, not written: a secret in a test would be one in the tree.
func token() string { return "glpat-" + strconv.FormatUint(0x5eed5eed5eed5eed, 36) }

// forge answers as GitLab's documents say: docs.gitlab.com/api/pipelines, /jobs,
// /job_artifacts, /groups, /rest.
type forge struct {
	t       *testing.T
	url     string
	storage string // where artifacts lie: another port

	mu        sync.Mutex
	version   string
	projects  []project
	pipelines []*pipeline
	skew      time.Duration // of the server's clock
	asked     []string      // paths with queries
	headers   []http.Header // of requests to the storage
	// before is called ahead of each request; true: it has answered.
	before func(w http.ResponseWriter, r *http.Request) bool
}

type project struct {
	ID     int64
	Path   string
	Builds string
	Keep   int64
}

type pipeline struct {
	ID, Project      int64
	Source           string
	Status, Ref      string
	Created, Updated time.Time
	Jobs             []*job
	Starts           []int64 // pipelines, by its bridges
}

type job struct {
	ID                      int64
	Name, Status            string
	Started, Erased, Expire time.Time
	Retried                 bool
	Trace                   string
	Kept                    string
	Hidden                  bool // CI_DEBUG_TRACE
}

func newForge(t *testing.T) *forge {
	f := &forge{t: t, version: "18.4.0-ee", projects: []project{{ID: 7, Path: "Group/sub/app", Builds: "enabled"}}}
	away := httptest.NewServer(http.HandlerFunc(f.store))
	t.Cleanup(away.Close)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url, f.storage = server.URL, away.URL
	return f
}

// server is a client of the forge, without any wait that takes time.
func (f *forge) server(change func(*gitlab.Options)) *gitlab.Server {
	f.t.Helper()
	now := day
	o := gitlab.Options{Server: f.url + "/git", Token: token(), Artifacts: true, Rest: rest.Options{
		Now: func() time.Time { return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return ctx.Err()
		},
	}}
	if change != nil {
		change(&o)
	}
	s, err := gitlab.New(o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

func (f *forge) project(change func(*gitlab.Options)) *gitlab.Project {
	f.t.Helper()
	p, err := f.server(change).Project(context.Background(), "group/sub/app")
	if err != nil {
		f.t.Fatal(err)
	}
	return p
}

// again is the project by another client, whatever the forge does now.
func (f *forge) again(change func(*gitlab.Options)) *gitlab.Project {
	f.t.Helper()
	f.mu.Lock()
	before := f.before
	f.before = nil
	f.mu.Unlock()
	p := f.project(change)
	f.mu.Lock()
	f.before = before
	f.mu.Unlock()
	return p
}

// add makes a pipeline of the first project, changed so many minutes ago.
func (f *forge) add(id int64, ago int, change func(*pipeline)) *pipeline {
	p := &pipeline{ID: id, Project: 7, Source: "push", Status: "success", Ref: "main", Updated: day.Add(-time.Duration(ago) * time.Minute)}
	p.Created = p.Updated.Add(-time.Minute)
	if change != nil {
		change(p)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pipelines = append(f.pipelines, p)
	return p
}

func (f *forge) store(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.headers = append(f.headers, r.Header.Clone())
	f.mu.Unlock()
	fmt.Fprintf(w, "PK stored %s", r.URL.Query().Get("job"))
}

// since are the paths asked for after a number of them.
func (f *forge) since(n int) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked[n:])
}

func (f *forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, strings.TrimPrefix(r.URL.RequestURI(), "/git/api/v4/"))
	before := f.before
	w.Header().Set("Date", day.Add(f.skew).Format(http.TimeFormat))
	f.mu.Unlock()
	if before != nil && before(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method != http.MethodGet {
		f.t.Errorf("%s was sent", r.Method)
	}
	if r.Header.Get("PRIVATE-TOKEN") == "" && r.Header.Get("Authorization") == "" && r.Header.Get("JOB-TOKEN") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/git/api/v4/")
	part := strings.Split(path, "/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case path == "version":
		reply(w, map[string]any{"version": f.version, "revision": "abc"})
	case part[0] == "projects" && len(part) >= 2:
		f.ofProject(w, r, part[1:])
	case part[0] == "groups" && len(part) == 3:
		f.ofGroup(w, r, part[1])
	default:
		http.NotFound(w, r)
	}
}

func (f *forge) ofGroup(w http.ResponseWriter, r *http.Request, name string) {
	name, _ = url.PathUnescape(name)
	var out []project
	for _, p := range f.projects {
		if strings.HasPrefix(strings.ToLower(p.Path), strings.ToLower(name)+"/") {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		http.NotFound(w, r)
		return
	}
	paged(f, w, r, out, f.describe)
}

func (f *forge) describe(p project) map[string]any {
	return map[string]any{"id": p.ID, "path_with_namespace": p.Path, "builds_access_level": p.Builds, "ci_delete_pipelines_in_seconds": p.Keep, "archived": p.ID%2 == 0}
}

func (f *forge) ofProject(w http.ResponseWriter, r *http.Request, part []string) {
	name, _ := url.PathUnescape(part[0])
	i := slices.IndexFunc(f.projects, func(p project) bool { return strings.EqualFold(p.Path, name) || strconv.FormatInt(p.ID, 10) == name })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	switch {
	case len(part) == 1:
		reply(w, f.describe(f.projects[i]))
	case part[1] == "pipelines" && len(part) == 2:
		f.list(w, r, f.projects[i].ID)
	case part[1] == "pipelines":
		f.ofPipeline(w, r, part[2:])
	case part[1] == "jobs" && len(part) == 4:
		f.ofJob(w, r, part[2], part[3])
	default:
		http.NotFound(w, r)
	}
}

// list follows the documented filters, both ends of a time included.
func (f *forge) list(w http.ResponseWriter, r *http.Request, id int64) {
	q := r.URL.Query()
	if q.Get("order_by") != "updated_at" || q.Get("sort") != "desc" {
		f.t.Errorf("the list is asked for in another order: %s", r.URL.RawQuery)
	}
	after, before, created := when(q.Get("updated_after")), when(q.Get("updated_before")), when(q.Get("created_after"))
	all := slices.Clone(f.pipelines)
	slices.SortStableFunc(all, func(a, b *pipeline) int { return b.Updated.Compare(a.Updated) })
	var out []*pipeline
	for _, p := range all {
		children := q.Get("source") == "parent_pipeline" && f.version >= "17"
		switch {
		case p.Project != id, children != (p.Source == "parent_pipeline"), q.Get("source") != "" && p.Source != q.Get("source"):
		case q.Get("ref") != "" && p.Ref != q.Get("ref"):
		case p.Updated.Before(after), !before.IsZero() && p.Updated.After(before), p.Created.Before(created):
		default:
			out = append(out, p)
		}
	}
	paged(f, w, r, out, f.pipeline)
}

func when(text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

func (f *forge) pipeline(p *pipeline) map[string]any {
	return map[string]any{
		"id": p.ID, "iid": p.ID, "project_id": p.Project, "status": p.Status, "source": p.Source, "ref": p.Ref,
		"created_at": p.Created.Format("2006-01-02T15:04:05.000Z"), "updated_at": p.Updated.Format("2006-01-02T15:04:05.000Z"),
		"web_url": fmt.Sprintf("%s/git/group/sub/app/-/pipelines/%d", f.url, p.ID),
	}
}

// paged is a page of a list, with the links to others.
func paged[T any](f *forge, w http.ResponseWriter, r *http.Request, all []T, describe func(T) map[string]any) {
	q := r.URL.Query()
	per, _ := strconv.Atoi(cmp.Or(q.Get("per_page"), "20"))
	page, _ := strconv.Atoi(cmp.Or(q.Get("page"), "1"))
	per = min(per, 100)
	from, to := min((page-1)*per, len(all)), min(page*per, len(all))
	if from > 50_000 {
		w.WriteHeader(http.StatusMethodNotAllowed) // the bound of offsets
		return
	}
	if to < len(all) {
		q.Set("page", strconv.Itoa(page+1))
		u := "https://internal.example" + r.URL.EscapedPath() + "?" + q.Encode() // a name of its own behind a proxy
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next", <%s>; rel="first"`, u, u))
	}
	out := []any{}
	for _, v := range all[from:to] {
		out = append(out, describe(v))
	}
	reply(w, out)
}

func (f *forge) ofPipeline(w http.ResponseWriter, r *http.Request, part []string) {
	i := slices.IndexFunc(f.pipelines, func(p *pipeline) bool { return strconv.FormatInt(p.ID, 10) == part[0] })
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	p := f.pipelines[i]
	var out []map[string]any
	switch {
	case len(part) == 1:
		reply(w, f.pipeline(p))
		return
	case part[1] == "bridges":
		for _, id := range p.Starts {
			j := slices.IndexFunc(f.pipelines, func(p *pipeline) bool { return p.ID == id })
			out = append(out, map[string]any{"id": id + 1000, "downstream_pipeline": f.pipeline(f.pipelines[j])})
		}
		out = append(out, map[string]any{"id": 1, "downstream_pipeline": nil})
	case part[1] == "jobs":
		for _, j := range slices.Backward(p.Jobs) {
			if !j.Retried || r.URL.Query().Get("include_retried") == "true" {
				out = append(out, f.job(j))
			}
		}
	}
	paged(f, w, r, out, func(v map[string]any) map[string]any { return v })
}

func (f *forge) job(j *job) map[string]any {
	out := map[string]any{
		"id": j.ID, "name": j.Name, "status": j.Status, "stage": "test", "started_at": nil, "erased_at": nil, "artifacts_expire_at": nil,
		"web_url": fmt.Sprintf("%s/git/group/sub/app/-/jobs/%d", f.url, j.ID), "artifacts": []any{},
	}
	for name, t := range map[string]time.Time{"started_at": j.Started, "erased_at": j.Erased, "artifacts_expire_at": j.Expire} {
		if !t.IsZero() {
			out[name] = t.Format("2006-01-02T15:04:05.000Z")
		}
	}
	if !j.Started.IsZero() && j.Erased.IsZero() && j.Status != "running" {
		out["artifacts"] = []any{map[string]any{"file_type": "trace", "size": len(j.Trace), "filename": "job.log", "file_format": nil}}
	}
	if j.Kept != "" {
		out["artifacts_file"] = map[string]any{"filename": "artifacts.zip", "size": len(j.Kept)}
	}
	return out
}

func (f *forge) ofJob(w http.ResponseWriter, r *http.Request, id, what string) {
	for _, p := range f.pipelines {
		for _, j := range p.Jobs {
			if strconv.FormatInt(j.ID, 10) != id {
				continue
			}
			switch {
			case what == "trace" && j.Hidden:
				w.WriteHeader(http.StatusForbidden)
			case what == "trace" && j.Erased.IsZero():
				w.Header().Set("Content-Type", "text/plain")
				fmt.Fprint(w, j.Trace)
			case what == "trace": // an erased log is empty, and there
			case what == "artifacts" && j.Kept != "":
				http.Redirect(w, r, f.storage+"/artifacts?signature="+token()+"&job="+id, http.StatusFound)
			default:
				http.NotFound(w, r)
			}
			return
		}
	}
	http.NotFound(w, r)
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}
