package github_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/github"
	"revenant/scanners/cilog/rest"
)

// epoch is when the forge's clock begins; the client's own is eight hours off.
var epoch = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

const skew = -8 * time.Hour

// token is generated, so that no secret stands in the tree.
func token() string { return "canary" + strconv.FormatUint(0x7e577e577e577e57, 36) }

// Answers as GitHub documents them, with what the client looks at and some more.
type (
	runJSON struct {
		ID      int64     `json:"id"`
		Name    string    `json:"name"`
		Branch  string    `json:"head_branch"`
		Attempt int       `json:"run_attempt"`
		Status  string    `json:"status"`
		Created time.Time `json:"created_at"`
		Started time.Time `json:"run_started_at"`
		Updated time.Time `json:"updated_at"`
		URL     string    `json:"html_url"`
	}
	jobJSON struct {
		ID         int64      `json:"id"`
		Attempt    int        `json:"run_attempt"`
		Name       string     `json:"name"`
		Status     string     `json:"status"`
		Conclusion *string    `json:"conclusion"`
		Started    time.Time  `json:"started_at"`
		Completed  *time.Time `json:"completed_at"`
		URL        string     `json:"html_url"`
		Steps      []stepJSON `json:"steps"`
	}
	stepJSON struct {
		Number  int        `json:"number"`
		Name    string     `json:"name"`
		Started *time.Time `json:"started_at"`
	}
)

// attempt is what the forge holds of one.
type attempt struct {
	jobs    []jobJSON
	archive []byte
	status  int // of its logs, where not 302
}

// forge is a server as GitHub documents its own, and a storage on another port.
type forge struct {
	t     testing.TB
	api   *httptest.Server
	store *httptest.Server

	mu       sync.Mutex
	now      time.Time
	runs     []*runJSON // the newest first
	attempts map[string]*attempt
	jobs     map[int64]string
	cap      int // of listings without a filter
	asked    []string
	leaked   []string
	// before is called with each request to the API; true: it answered.
	before func(w http.ResponseWriter, r *http.Request) bool
	stored func(w http.ResponseWriter, r *http.Request) bool
}

func newForge(t testing.TB) *forge {
	f := &forge{t: t, now: epoch, attempts: map[string]*attempt{}, jobs: map[int64]string{}, cap: 40_000}
	f.api = httptest.NewServer(http.HandlerFunc(f.serve))
	f.store = httptest.NewServer(http.HandlerFunc(f.serveStore))
	t.Cleanup(f.api.Close)
	t.Cleanup(f.store.Close)
	return f
}

// Now and Sleep are the client's clock, which moves with the forge's.
func (f *forge) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.Add(skew)
}

func (f *forge) Sleep(ctx context.Context, d time.Duration) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return ctx.Err()
}

func (f *forge) options() github.Options {
	return github.Options{
		Rest:   rest.Options{Now: f.Now, Sleep: f.Sleep, Agent: "revenant-test"},
		Server: f.api.URL, Token: token(), Owner: "octo-ORG", Repo: "octo.repo",
	}
}

func (f *forge) open(change func(*github.Options)) *github.Project {
	f.t.Helper()
	o := f.options()
	if change != nil {
		change(&o)
	}
	p, err := github.Open(f.t.Context(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = p.Close() })
	f.counts() // opening is not counted
	return p
}

// counts are the requests since the last call, by the last words of their paths.
func (f *forge) counts() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]int{}
	for _, path := range f.asked {
		kind := path[strings.LastIndexByte(path, '/')+1:]
		switch {
		case strings.Contains(path, "/actions/jobs/"):
			kind = "job log"
		case kind != "runs" && kind != "logs" && kind != "jobs":
			kind = "other"
		}
		out[kind]++
	}
	f.asked = nil
	return out
}

// start adds a run that begins now, and lets a minute pass.
func (f *forge) start(id int64, branch string) *runJSON {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(time.Minute)
	r := &runJSON{ID: id, Name: "ci", Branch: branch, Attempt: 1, Status: "completed", Created: f.now, Started: f.now, Updated: f.now}
	f.runs = slices.Insert(f.runs, 0, r)
	return r
}

func (f *forge) remove(ids ...int64) {
	f.runs = slices.DeleteFunc(f.runs, func(r *runJSON) bool { return slices.Contains(ids, r.ID) })
}

// logs sets what an attempt left.
func (f *forge) logs(id int64, n int, jobs []jobJSON, files ...file) *attempt {
	a := &attempt{jobs: jobs, archive: zipped(f.t, files...)}
	f.attempts[fmt.Sprintf("%d/%d", id, n)] = a
	return a
}

func (f *forge) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path)
	w.Header().Set("Date", f.now.Format(http.TimeFormat))
	w.Header().Set("X-Ratelimit-Remaining", "4999")
	w.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(f.now.Unix()+3600, 10))
	if r.Method != http.MethodGet || r.Header.Get("X-GitHub-Api-Version") == "" || r.Header.Get("Accept") != "application/vnd.github+json" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if f.before != nil && f.before(w, r) {
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+token() {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, "/api/v3/repos/")
	parts := strings.Split(path, "/")
	switch {
	case !ok || len(parts) < 2 || !strings.EqualFold(parts[0]+"/"+parts[1], "Octo-Org/Octo.Repo"):
		w.WriteHeader(http.StatusNotFound)
	case len(parts) == 2:
		f.answer(w, r, map[string]any{"full_name": "Octo-Org/Octo.Repo", "private": true})
	case strings.HasPrefix(path, "Octo-Org/Octo.Repo/actions/"): // as it was spelled
		f.actions(w, r, parts[3:])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *forge) actions(w http.ResponseWriter, r *http.Request, parts []string) {
	switch {
	case len(parts) == 1 && parts[0] == "runs":
		f.list(w, r)
	case len(parts) == 3 && parts[0] == "jobs" && parts[2] == "logs":
		http.Redirect(w, r, f.store.URL+"/job/"+parts[1]+"?sig="+token(), http.StatusFound)
	case len(parts) >= 4 && parts[0] == "runs" && parts[2] == "attempts":
		f.attempt(w, r, parts)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *forge) attempt(w http.ResponseWriter, r *http.Request, parts []string) {
	id, _ := strconv.ParseInt(parts[1], 10, 64)
	i := slices.IndexFunc(f.runs, func(r *runJSON) bool { return r.ID == id })
	a := f.attempts[parts[1]+"/"+parts[3]]
	if i < 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if a == nil {
		a = &attempt{status: http.StatusNotFound}
	}
	switch {
	case len(parts) == 4:
		run := *f.runs[i]
		if n, _ := strconv.Atoi(parts[3]); n < run.Attempt {
			run.Attempt, run.Status = n, "completed"
		}
		f.answer(w, r, run)
	case parts[4] == "jobs":
		lo, hi := f.page(w, r, len(a.jobs))
		f.answer(w, r, map[string]any{"total_count": len(a.jobs), "jobs": a.jobs[lo:hi]})
	case parts[4] == "logs" && a.status != 0:
		w.WriteHeader(a.status)
	case parts[4] == "logs":
		http.Redirect(w, r, f.store.URL+"/archive/"+parts[1]+"/"+parts[3]+"?sig="+token(), http.StatusFound)
	}
}

// list gives runs as GitHub does: cut without a word.
func (f *forge) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	runs, most := f.runs, f.cap
	if branch := q.Get("branch"); branch != "" {
		most = 1000
		runs = slices.DeleteFunc(slices.Clone(runs), func(r *runJSON) bool { return r.Branch != branch })
	}
	if created := q.Get("created"); created != "" {
		most = 1000
		runs = slices.DeleteFunc(slices.Clone(runs), func(r *runJSON) bool { return !f.within(created, r.Created) })
	}
	runs = runs[:min(len(runs), most)]
	if page, _ := strconv.Atoi(q.Get("page")); page > 1 && (page-1)*100 >= most {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	lo, hi := f.page(w, r, len(runs))
	f.answer(w, r, map[string]any{"total_count": len(runs), "workflow_runs": runs[lo:hi]})
}

func (f *forge) within(created string, at time.Time) bool {
	stamp := func(s string) time.Time {
		out, err := time.Parse(time.RFC3339, s)
		if err != nil {
			f.t.Errorf("created is %q", created)
		}
		return out
	}
	if lo, hi, found := strings.Cut(created, ".."); found {
		return !at.Before(stamp(lo)) && !at.After(stamp(hi))
	}
	if lo, found := strings.CutPrefix(created, ">="); found {
		return !at.Before(stamp(lo))
	}
	return !at.After(stamp(strings.TrimPrefix(created, "<=")))
}

// page is a page's extent; it links the next.
func (f *forge) page(w http.ResponseWriter, r *http.Request, n int) (lo, hi int) {
	q := r.URL.Query()
	per, _ := strconv.Atoi(q.Get("per_page"))
	page, _ := strconv.Atoi(q.Get("page"))
	page = max(page, 1)
	lo, hi = min((page-1)*per, n), min(page*per, n)
	if hi < n {
		q.Set("page", strconv.Itoa(page+1))
		next := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: q.Encode()}
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\", <%s>; rel=\"last\"", next.String(), next.String()))
	}
	return lo, hi
}

func (f *forge) answer(w http.ResponseWriter, r *http.Request, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		f.t.Error(err)
	}
	h := fnv.New64a()
	_, _ = h.Write(b)
	etag := fmt.Sprintf(`W/"%x"`, h.Sum64())
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(b)
}

// serveStore is the storage: what it is sent besides its own signature is noted.
func (f *forge) serveStore(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	stored := f.stored
	for name, values := range r.Header {
		if name != "User-Agent" && name != "Accept-Encoding" {
			f.leaked = append(f.leaked, name+": "+strings.Join(values, ","))
		}
	}
	kind, id, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	n, _ := strconv.ParseInt(id, 10, 64)
	log, has := f.jobs[n]
	text := []byte(log)
	if a := f.attempts[id]; kind == "archive" && a != nil {
		text, has = a.archive, true
	}
	f.mu.Unlock() // what follows may take long, and the clock is asked meanwhile
	switch {
	case stored != nil && stored(w, r):
	case has:
		_, _ = w.Write(text)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "<Error><Code>BlobNotFound</Code></Error>")
	}
}

// file is one of an archive.
type file struct{ name, text string }

func zipped(t testing.TB, files ...file) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err == nil {
			_, err = io.WriteString(e, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// job makes one that is over, with steps of these names.
func job(id int64, name string, steps ...string) jobJSON {
	done := "success"
	at := epoch.Add(time.Duration(id) * time.Second)
	end := at.Add(time.Second / 2)
	j := jobJSON{ID: id, Attempt: 1, Name: name, Status: "completed", Conclusion: &done, Started: at, Completed: &end}
	for i, s := range steps {
		j.Steps = append(j.Steps, stepJSON{Number: i + 1, Name: s, Started: &at})
	}
	return j
}

// all lists every run, and fails on one that comes twice.
func all(t *testing.T, p *github.Project, q cilog.Query) (runs []cilog.Run, mark string) {
	t.Helper()
	seen := map[string]bool{}
	mark, err := p.Runs(t.Context(), q, func(page []cilog.Run) bool {
		for _, r := range page {
			key := fmt.Sprintf("%s/%d", r.ID, r.Attempt)
			if seen[key] {
				t.Errorf("run %s comes twice", key)
			}
			seen[key] = true
		}
		runs = append(runs, page...)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return runs, mark
}

// text opens a log and reads it whole.
func text(t *testing.T, p *github.Project, r cilog.Run, l cilog.Log) (string, error) {
	t.Helper()
	rc, err := p.Open(t.Context(), r, l)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(rc)
	if closeErr := rc.Close(); closeErr != nil {
		t.Error(closeErr)
	}
	return string(b), err
}
