package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// actions is a server that answers as GitHub's documentation says, for one
// repository, and a host of its own for log archives.
type actions struct {
	t            *testing.T
	api, storage *httptest.Server
	token        string

	mu       sync.Mutex
	runs     []*actionsRun // the newest first
	requests map[string]int
	leaked   []string // credentials that came to the storage host
	slow     time.Duration
}

type actionsRun struct {
	ID      int
	Status  string // completed, in_progress
	Began   time.Time
	Expired bool
	Deleted bool
	Jobs    []actionsJob
}

type actionsJob struct {
	Name  string
	Steps []actionsStep
}

type actionsStep struct{ Name, Log string }

var actionsEpoch = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

func newActions(t *testing.T) *actions {
	s := &actions{t: t, token: newCanary(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 9)), "token").value, requests: map[string]int{}}
	s.storage = httptest.NewServer(http.HandlerFunc(s.archive))
	s.api = httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(s.api.Close)
	t.Cleanup(s.storage.Close)
	return s
}

// stamped is a log as GitHub keeps it.
func stamped(began time.Time, text string) string {
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(began.Add(time.Duration(i)*100*time.Millisecond).Format("2006-01-02T15:04:05.0000000Z") + " " + line + "\n")
	}
	return b.String()
}

// run adds a run of one job with these steps.
func (s *actions) run(id int, steps ...actionsStep) *actionsRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &actionsRun{ID: id, Status: "completed", Began: actionsEpoch.Add(time.Duration(id) * time.Minute), Jobs: []actionsJob{{"build", steps}}}
	s.runs = append([]*actionsRun{r}, s.runs...)
	return r
}

// counted are the requests since it was asked last, by their kind.
func (s *actions) counted() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.requests
	s.requests = map[string]int{}
	return out
}

func (s *actions) count(kind string) { s.requests[kind]++ }

func (s *actions) json(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		s.t.Error(err)
	}
	etag := fmt.Sprintf(`"%x"`, sha256.Sum256(b))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("ETag", etag)
	w.Header().Set("X-RateLimit-Remaining", "4000")
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	_, _ = w.Write(b)
}

func (s *actions) answer(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	time.Sleep(s.slow)
	if r.Method != http.MethodGet {
		s.t.Errorf("%s %s", r.Method, r.URL.Path)
	}
	if s.others(w, r) {
		return
	}
	if auth := r.Header.Get("Authorization"); auth != "Bearer "+s.token && auth != "token "+s.token {
		s.count("denied")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"message":"Bad credentials"}`))
		return
	}
	if r.URL.Path == "/api/v3/orgs/acme/repos" {
		s.json(w, r, []any{map[string]any{"full_name": "acme/shop", "name": "shop"}})
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3/repos/acme/shop")
	if !ok {
		s.count("other")
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	if rest == "" {
		s.count("repository")
		s.json(w, r, map[string]any{"full_name": "acme/shop", "name": "shop", "owner": map[string]any{"login": "acme"}})
		return
	}
	rest, _ = strings.CutPrefix(rest, "/actions/")
	parts := strings.Split(rest, "/")
	if rest == "runs" {
		s.count("list")
		s.list(w, r)
		return
	}
	id, _ := strconv.Atoi(parts[1])
	if parts[0] == "jobs" {
		id = id / 100
	}
	i := slices.IndexFunc(s.runs, func(run *actionsRun) bool { return run.ID == id && !run.Deleted })
	if i < 0 {
		s.count("missing")
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
		return
	}
	run := s.runs[i]
	switch last := parts[len(parts)-1]; {
	case parts[0] == "runs" && last == "logs" && run.Expired:
		s.count("expired")
		http.Error(w, `{"message":"Server Error"}`, http.StatusGone)
	case parts[0] == "runs" && last == "logs":
		s.count("logs")
		w.Header().Set("Location", s.storage.URL+"/archive/"+strconv.Itoa(run.ID)+"?sig=of-the-storage")
		w.WriteHeader(http.StatusFound)
	case parts[0] == "runs" && last == "jobs":
		s.count("jobs")
		s.jobs(w, r, run)
	case parts[0] == "runs":
		s.count("run")
		s.json(w, r, s.runJSON(run))
	default:
		s.count("other")
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	}
}

// others answers as a GitLab with one project and a Jenkins with one job would, both
// without runs: the packages for them have tests of their own.
func (s *actions) others(w http.ResponseWriter, r *http.Request) bool {
	switch rest, isGitLab := strings.CutPrefix(r.URL.Path, "/api/v4/"); {
	case rest == "version":
		s.json(w, r, map[string]any{"version": "18.0.0"})
	case isGitLab && strings.Count(rest, "/") < 3 && strings.HasPrefix(rest, "projects/platform/"):
		s.json(w, r, map[string]any{"id": 1, "path_with_namespace": "platform/billing"})
	case isGitLab:
		s.json(w, r, []any{})
	case strings.HasPrefix(r.URL.Path, "/job/shop/api/json"):
		s.json(w, r, map[string]any{"fullName": "shop", "allBuilds": []any{}})
	default:
		return false
	}
	return true
}

func (s *actions) runJSON(r *actionsRun) map[string]any {
	return map[string]any{
		"id": r.ID, "name": "CI", "run_number": r.ID, "run_attempt": 1, "status": r.Status, "conclusion": "success", "head_branch": "main",
		"created_at": r.Began, "run_started_at": r.Began, "updated_at": r.Began.Add(time.Minute), "event": "push", "workflow_id": 7,
		"html_url":   fmt.Sprintf("%s/acme/shop/actions/runs/%d", s.api.URL, r.ID),
		"repository": map[string]any{"full_name": "acme/shop"},
	}
}

func (s *actions) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, page := 30, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = n
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		page = n
	}
	var all []map[string]any
	for _, run := range s.runs {
		if !run.Deleted && createdWithin(run.Began, q.Get("created")) {
			all = append(all, s.runJSON(run))
		}
	}
	listed := len(all)
	if q.Get("created") != "" { // a search gives so many and no more
		listed = min(listed, 1000)
	}
	from, to := min(listed, (page-1)*size), min(listed, page*size)
	if to < listed {
		next := *r.URL
		v := next.Query()
		v.Set("page", strconv.Itoa(page+1))
		next.RawQuery = v.Encode()
		w.Header().Set("Link", fmt.Sprintf("<%s%s>; rel=\"next\"", s.api.URL, next.String()))
	}
	s.json(w, r, map[string]any{"total_count": len(all), "workflow_runs": all[from:to]})
}

// createdWithin is how GitHub's search reads a date: FROM..TO, <=TO, >=FROM, or
// with a star for an open end.
func createdWithin(at time.Time, expr string) bool {
	moment := func(text string) time.Time {
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t, _ = time.Parse(time.DateOnly, text)
		}
		return t
	}
	from, to, both := strings.Cut(expr, "..")
	switch {
	case expr == "":
		return true
	case both:
		return (from == "*" || !at.Before(moment(from))) && (to == "*" || !at.After(moment(to)))
	case strings.HasPrefix(expr, "<="):
		return !at.After(moment(expr[2:]))
	case strings.HasPrefix(expr, ">="):
		return !at.Before(moment(expr[2:]))
	}
	return true
}

func (s *actions) jobs(w http.ResponseWriter, r *http.Request, run *actionsRun) {
	var jobs []map[string]any
	for i, j := range run.Jobs {
		var steps []map[string]any
		for n, st := range j.Steps {
			steps = append(steps, map[string]any{"name": st.Name, "number": n + 1, "status": "completed", "conclusion": "success", "started_at": run.Began, "completed_at": run.Began.Add(time.Minute)})
		}
		jobs = append(jobs, map[string]any{
			"id": run.ID*100 + i, "run_id": run.ID, "run_attempt": 1, "name": j.Name, "status": run.Status, "conclusion": "success",
			"started_at": run.Began, "completed_at": run.Began.Add(time.Minute), "steps": steps,
			"html_url": fmt.Sprintf("%s/acme/shop/actions/runs/%d/job/%d", s.api.URL, run.ID, run.ID*100+i),
		})
	}
	s.json(w, r, map[string]any{"total_count": len(jobs), "jobs": jobs})
}

// archive is the storage host's.
func (s *actions) archive(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range []string{"Authorization", "Private-Token", "Cookie", "Referer"} {
		if v := r.Header.Get(name); v != "" {
			s.leaked = append(s.leaked, name)
		}
	}
	id, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/archive/"))
	i := slices.IndexFunc(s.runs, func(run *actionsRun) bool { return run.ID == id && !run.Deleted && !run.Expired })
	if i < 0 {
		http.Error(w, "no such archive", http.StatusNotFound)
		return
	}
	s.count("archive")
	run := s.runs[i]
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name, text string) {
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write([]byte(text))
		}
		if err != nil {
			s.t.Error(err)
		}
	}
	for n, j := range run.Jobs {
		whole := ""
		for k, st := range j.Steps {
			text := stamped(run.Began.Add(time.Duration(k)*time.Second), st.Log)
			add(fmt.Sprintf("%s/%d_%s.txt", j.Name, k+1, st.Name), text)
			whole += text
		}
		add(fmt.Sprintf("%d_%s.txt", n, j.Name), whole)
	}
	if err := z.Close(); err != nil {
		s.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = w.Write(b.Bytes())
}
