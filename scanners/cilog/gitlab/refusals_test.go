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

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/gitlab"
)

// answers makes the forge answer with these statuses first.
func answers(codes ...int) func(*forge) {
	return func(f *forge) {
		n := 0
		f.before = func(w http.ResponseWriter, _ *http.Request) bool {
			if n++; n > len(codes) {
				return false
			}
			if codes[n-1] == http.StatusTooManyRequests {
				w.Header().Set("RateLimit-Remaining", "0")
				w.Header().Set("RateLimit-Reset", fmt.Sprint(day.Add(f.skew+30*time.Second).Unix()))
			}
			w.WriteHeader(codes[n-1])
			fmt.Fprint(w, `{"message":"`+token()+`"}`)
			return true
		}
	}
}

// flood never ends by itself.
func flood(text string) func(*forge) {
	return func(f *forge) {
		f.before = func(w http.ResponseWriter, r *http.Request) bool {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat(text, 1<<16)); err != nil {
					break
				}
			}
			return true
		}
	}
}

// What servers do to those who ask, and what is said then.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(*forge)
		want  error
		teach string
	}{
		{"401", answers(401), cilog.ErrDenied, gitlab.TokenVariable},
		{"403", answers(403), cilog.ErrDenied, "read_api"},
		{"404", answers(404, 404), cilog.ErrNoProject, "member"},
		{"410", answers(410), cilog.ErrExpired, ""},
		{"429 then fine", answers(429), nil, ""},
		{"429 for ever", answers(slices.Repeat([]int{429}, 50)...), cilog.ErrLimited, ""},
		{"429, clocks hours apart", func(f *forge) { f.skew = 5 * time.Hour; answers(429)(f) }, nil, ""},
		{"500 then fine", answers(500, 503), nil, ""},
		{"500 for ever", answers(slices.Repeat([]int{500}, 5)...), cilog.ErrUnreachable, ""},
		{"a page for people", func(f *forge) {
			f.before = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "<html>"); return true }
		}, cilog.ErrUnreachable, "JSON"},
		{"of another kind", func(f *forge) {
			f.before = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }
		}, cilog.ErrUnreachable, "GitLab"},
		{"endless", flood(" "), cilog.ErrUnreachable, "longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newForge(t)
			c.do(f)
			_, err := f.server(nil).Projects(context.Background(), "group/sub/app")
			check(t, err, c.want, c.teach)
		})
	}
}

func check(t *testing.T, err, want error, teach string) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Fatalf("%v, want %v", err, want)
	}
	if err != nil && (strings.Contains(err.Error(), token()) || !strings.Contains(err.Error(), teach)) {
		t.Errorf("it says %v", err)
	}
}

// Every call says what it means that it is refused.
func TestRefusalsOfEachCall(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	run := cilog.Run{ID: "5"}
	calls := map[string]func() error{
		"runs": func() error {
			_, err := p.Runs(context.Background(), cilog.Query{}, func([]cilog.Run) bool { return true })
			return err
		},
		"look":  func() error { _, err := p.Look(context.Background(), run); return err },
		"logs":  func() error { _, err := p.Logs(context.Background(), run); return err },
		"kept":  func() error { return p.Kept(context.Background(), run, []cilog.Log{{Key: "job/11"}}) },
		"trace": func() error { _, err := read(t, p, run, cilog.Log{Key: "job/11"}); return err },
		"archive": func() error {
			_, err := read(t, p, run, cilog.Log{Key: "artifacts/11"})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); err != nil { // the version is known from here on
			t.Fatalf("%s: %v", name, err)
		}
		for code, want := range map[int]error{401: cilog.ErrDenied, 403: cilog.ErrDenied, 404: cilog.ErrDeleted, 410: cilog.ErrExpired, 418: cilog.ErrUnreachable} {
			switch {
			case code == 404 && name == "runs":
				want = cilog.ErrNoProject
			case code == 404 && name == "archive":
				want = cilog.ErrExpired
			}
			answers(code)(f)
			if err := call(); !errors.Is(err, want) || strings.Contains(err.Error(), token()) {
				t.Errorf("%s, %d: %v, want %v", name, code, err, want)
			}
		}
		f.before = nil
	}
}

func TestAnonymous(t *testing.T) {
	f := newForge(t)
	_, err := f.server(func(o *gitlab.Options) { o.Token = "" }).Project(context.Background(), "group/sub/app")
	check(t, err, cilog.ErrDenied, "to nobody without a token")
	answers(404, 404)(f)
	_, err = f.server(func(o *gitlab.Options) { o.Token = "" }).Projects(context.Background(), "group/sub/app")
	check(t, err, cilog.ErrNoProject, "not public")
}

func TestOpenFails(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	run := cilog.Run{ID: "5"}
	_, err := read(t, p, run, cilog.Log{Key: "job/17"})
	check(t, err, cilog.ErrDenied, "CI_DEBUG_TRACE")
	_, err = read(t, p, run, cilog.Log{Key: "job/../../../6"})
	check(t, err, cilog.ErrDeleted, "")

	f.before = func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "only this")
		return true
	}
	got, err := read(t, p, run, cilog.Log{Key: "job/11"})
	if got != "only this" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a log that breaks off: %q, %v", got, err)
	}

	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		fmt.Fprint(w, "slow")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	slow := f.again(func(o *gitlab.Options) { o.Rest.Idle = 20 * time.Millisecond })
	if got, err = read(t, slow, run, cilog.Log{Key: "job/11"}); got != "slow" || !errors.Is(err, cilog.ErrUnreachable) {
		t.Errorf("a log that does not come: %q, %v", got, err)
	}

	flood("x")(f)
	rc, err := p.Open(context.Background(), run, cilog.Log{Key: "job/11"})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := io.CopyN(io.Discard, rc, 10<<20); n != 10<<20 || err != nil {
		t.Errorf("of a log without an end %d bytes came: %v", n, err)
	}
	if err := rc.Close(); err != nil {
		t.Error(err)
	}
}

// Redirects of artifacts lead nowhere that they must not.
func TestArtifactsRedirected(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	for name, to := range map[string]string{
		"into the network's services": "http://169.254.169.254/latest/meta-data",
		"to a file":                   "file:///etc/passwd",
		"to itself":                   f.url + "/git/api/v4/projects/7/jobs/11/artifacts",
		"nowhere":                     "",
	} {
		f.before = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return true
		}
		_, err := read(t, p, cilog.Run{ID: "5"}, cilog.Log{Key: "artifacts/11"})
		if !errors.Is(err, cilog.ErrUnreachable) || to != "" && strings.Contains(err.Error(), to) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A server whose pages repeat is given up.
func TestListsWithoutAnEnd(t *testing.T) {
	f := newForge(t)
	f.add(5, 10, jobs)
	p := f.project(nil)
	page := `[` + strings.TrimSuffix(strings.Repeat(`{"id": 5, "name": "a", "updated_at": "2026-03-01T11:00:00.000Z"},`, 100), ",") + `]`
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/version") {
			return false
		}
		w.Header().Set("Link", `<`+r.URL.String()+`>; rel="next"`)
		fmt.Fprint(w, page)
		return true
	}
	begin := len(f.since(0))
	_, err := p.Runs(context.Background(), cilog.Query{}, func([]cilog.Run) bool { return true })
	check(t, err, cilog.ErrUnreachable, "repeats")
	_, err = p.Logs(context.Background(), cilog.Run{ID: "5"})
	check(t, err, cilog.ErrUnreachable, "repeats")
	if n := len(f.since(begin)); n > 40 {
		t.Errorf("%d requests", n)
	}
}

// FuzzAnswers: whatever a server says, nothing panics, goes on for ever or comes twice.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`[{"id":1,"status":"running","updated_at":"2026-03-01T11:00:00.000Z","name":"a/b","started_at":"2026-03-01T11:00:00Z"}]`,
		`[{"id":1},{"id":1},{"id":-4},null]`, `{"id":2,"path_with_namespace":"a/b","version":"16.1"}`, `[{"downstream_pipeline":{"id":9}}]`,
		`[{"id":3,"started_at":"2026-03-01T11:00:00Z","erased_at":"2026-03-01T12:00:00Z","artifacts_file":{"size":-9}}]`, ``, `null`, `[[[`,
	} {
		f.Add(s, "2026-03-01T12:00:00Z -")
	}
	f.Fuzz(func(t *testing.T, text, mark string) {
		body := `{"id":2,"path_with_namespace":"a/b"}`
		r := transport(func(*http.Request) string { return body })
		r.Patience = -1
		s, err := gitlab.New(gitlab.Options{Token: token(), Artifacts: true, Rest: r})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Project(context.Background(), "a/b")
		if err != nil {
			t.Fatal(err)
		}
		body = text
		met := map[string]bool{}
		_, _ = p.Runs(context.Background(), cilog.Query{Mark: mark}, func(page []cilog.Run) bool {
			for _, r := range page {
				if met[r.ID] || strings.HasPrefix(r.ID, "-") {
					t.Errorf("run %s came again", r.ID)
				}
				met[r.ID] = true
			}
			return true
		})
		logs, _ := p.Logs(context.Background(), cilog.Run{ID: "1"})
		_ = p.Kept(context.Background(), cilog.Run{ID: "1"}, logs)
		_, _ = p.Look(context.Background(), cilog.Run{ID: "1"})
		keys := map[string]bool{}
		for _, l := range logs {
			if keys[l.Key] {
				t.Errorf("log %s came again", l.Key)
			}
			keys[l.Key] = true
		}
	})
}
