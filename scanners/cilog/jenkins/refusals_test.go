package jenkins_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"revenant/scanners/cilog"
	"revenant/scanners/cilog/jenkins"
	"revenant/scanners/cilog/rest"
)

// answers makes the controller answer with these statuses first.
func (c *controller) answers(codes ...int) {
	n := 0
	c.before = func(w http.ResponseWriter, _ *http.Request) bool {
		if n++; n > len(codes) {
			return false
		}
		if codes[n-1] == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(codes[n-1])
		fmt.Fprint(w, token())
		return true
	}
}

func TestRefusals(t *testing.T) {
	for _, k := range []struct {
		name  string
		codes []int
		want  error
		teach string
	}{
		{"401", []int{401}, cilog.ErrDenied, jenkins.TokenVariable},
		{"403", []int{403}, cilog.ErrDenied, "Job/Read"},
		{"404", []int{404}, cilog.ErrNoProject, "Job/Read"},
		{"410", []int{410}, cilog.ErrExpired, ""},
		{"429", []int{429}, nil, ""},
		{"429 for ever", slices.Repeat([]int{429}, 50), cilog.ErrLimited, ""},
		{"503 while it starts", []int{503, 503}, nil, ""},
		{"500 for ever", slices.Repeat([]int{500}, 5), cilog.ErrUnreachable, ""},
	} {
		t.Run(k.name, func(t *testing.T) {
			c := newController(t)
			c.job("app", builds(3, 3)...)
			c.answers(k.codes...)
			_, err := c.server(nil).Projects(context.Background(), "app")
			check(t, err, k.want, k.teach)
		})
	}
	c := newController(t)
	_, err := c.server(func(o *jenkins.Options) { o.User, o.Token = "", "" }).Projects(context.Background(), "")
	check(t, err, cilog.ErrDenied, jenkins.UserVariable)
	c.before = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }
	_, err = c.server(nil).Projects(context.Background(), "")
	check(t, err, cilog.ErrUnreachable, "Jenkins")

	// Away from the server there are no credentials, nor is there an answer.
	c.before = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "https://login.example/?from="+token(), http.StatusFound)
		return true
	}
	_, err = c.server(nil).Projects(context.Background(), "")
	check(t, err, cilog.ErrUnreachable, "redirects")
}

func TestRefusalsOfEachCall(t *testing.T) {
	c := newController(t)
	_, p := c.job("app", &build{Number: 5, At: day, Log: "x", Matrix: []*build{{Number: 5, Config: "a=b", Log: "y"}}})
	run := cilog.Run{ID: "5", Hint: "matrix"}
	for name, call := range map[string]func() error{
		"runs": func() error {
			_, err := p.Runs(context.Background(), cilog.Query{}, func([]cilog.Run) bool { return true })
			return err
		},
		"look":          func() error { _, err := p.Look(context.Background(), run); return err },
		"logs":          func() error { _, err := p.Logs(context.Background(), run); return err },
		"kept":          func() error { return p.Kept(context.Background(), run, nil) },
		"console":       func() error { _, err := read(t, p, run, cilog.Log{Key: "console@1"}); return err },
		"configuration": func() error { _, err := read(t, p, run, cilog.Log{Key: "runs/a=b@1"}); return err },
	} {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for code, want := range map[int]error{401: cilog.ErrDenied, 403: cilog.ErrDenied, 404: cilog.ErrDeleted, 418: cilog.ErrUnreachable} {
			if code == 404 && name == "runs" {
				want = cilog.ErrNoProject
			}
			c.answers(code, code)
			if err := call(); !errors.Is(err, want) || strings.Contains(err.Error(), token()) {
				t.Errorf("%s, %d: %v, want %v", name, code, err, want)
			}
		}
		c.before = nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Look(ctx, run); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type trip func(*http.Request) (*http.Response, error)

func (f trip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAnswers: whatever a server says, nothing panics, goes on for ever or comes twice.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"allBuilds":[{"number":3,"building":true,"timestamp":5,"url":"http://h/job/a/3/","runs":[{"number":3,"url":"http://h/job/a/x=y/3/"}]}]}`,
		`{"allBuilds":[{"number":3},{"number":3},{"number":-1},null],"property":null}`, `{"number":1,"timestamp":7,"runs":[{"number":1,"url":"%%"}]}`,
		`{"firstBuild":{"number":9}}`, `{"jobs":[{"name":"..","jobs":[{}]},{"name":"a/b"},{"name":"c","jobs":[]}]}`, ``, `null`, `[`,
	} {
		f.Add(s, "3@5", "4", "true")
	}
	f.Fuzz(func(t *testing.T, body, mark, size, more string) {
		asked := 0
		r := rest.Options{Patience: -1, Transport: trip(func(r *http.Request) (*http.Response, error) {
			if asked++; asked > 2000 {
				t.Fatal("it asks and asks")
			}
			h := http.Header{"X-Text-Size": {size}, "X-More-Data": {more}}
			if strings.HasSuffix(r.URL.Path, "/consoleText") && size != "" {
				return &http.Response{StatusCode: http.StatusNotFound, Header: h, Body: http.NoBody, Request: r}, nil
			}
			return &http.Response{StatusCode: http.StatusOK, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r}, nil
		})}
		s, err := jenkins.New(jenkins.Options{Server: "https://jenkins.example", Rest: r})
		if err != nil {
			t.Fatal(err)
		}
		projects, _ := s.Projects(context.Background(), "")
		more1, _ := s.Projects(context.Background(), "a/b")
		for _, p := range slices.Concat(projects, more1) {
			met := map[string]bool{}
			_, _ = p.Runs(context.Background(), cilog.Query{Mark: mark, Branch: more}, func(page []cilog.Run) bool {
				for _, r := range page {
					if met[r.ID] {
						t.Errorf("run %s came again", r.ID)
					}
					met[r.ID] = true
				}
				return true
			})
			run := cilog.Run{ID: "1", Hint: "matrix"}
			logs, _ := p.Logs(context.Background(), run)
			_ = p.Kept(context.Background(), run, logs)
			_, _ = p.Look(context.Background(), run)
			for _, l := range logs {
				if rc, err := p.Open(context.Background(), run, l); err == nil {
					_, _ = io.Copy(io.Discard, rc)
					_ = rc.Close()
				}
			}
		}
	})
}
