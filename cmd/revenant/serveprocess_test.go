package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serving is a server as a process of its own.
type serving struct {
	t      *testing.T
	cmd    *exec.Cmd
	log    string // file
	url    string
	token  string
	spoken bytes.Buffer // all that it answered
}

// serve starts a server on any port, and waits until it answers. It is killed
// when the test ends.
func (b *box) serve(args ...string) *serving {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Minute)
	b.t.Cleanup(cancel)
	s := &serving{t: b.t, log: b.out("serve.log"), cmd: b.command(ctx, "", append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...)}
	f, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) // of those before, too
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	s.cmd.Stderr = f
	out, err := os.OpenFile(s.log+".out", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer out.Close()
	s.cmd.Stdout = out
	before := len(s.said())
	if err := s.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	})
	s.until("the server answers", func() bool {
		if m := regexp.MustCompile(`msg=answering at=(\S+)`).FindStringSubmatch(s.said()[before:]); m != nil {
			s.url = m[1]
		}
		return s.url != ""
	})
	token, err := os.ReadFile(tokenFile(b.registry()))
	if err != nil {
		b.t.Fatal(err)
	}
	s.token = strings.TrimSpace(string(token))
	return s
}

func (s *serving) said() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// printed is its standard output.
func (s *serving) printed() string {
	text, err := os.ReadFile(s.log + ".out")
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// until waits for something that the server does by itself.
func (s *serving) until(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: not within a minute\n%s", what, s.said())
		}
	}
}

// ask sends a request, with the token unless another is given.
func (s *serving) ask(method, path, body string, token ...string) (code int, kind, answer string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if token != nil {
		req.Header.Set("Authorization", token[0])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.spoken.Write(b)
	for name, values := range resp.Header {
		s.spoken.WriteString(name + ": " + strings.Join(values, ",") + "\n")
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(b)
}

// toldWatch is a watch as the API tells it.
type toldWatch struct {
	Outcome, Problem, Source string
	Paused                   bool
	Finished                 time.Time `json:"finished_at"`
}

// watched asks for a watch.
func (s *serving) watched(name string) (w toldWatch) {
	s.t.Helper()
	code, _, body := s.ask(http.MethodGet, "/api/v1/watches/"+url.PathEscape(name), "")
	if err := json.Unmarshal([]byte(body), &w); err != nil || code != http.StatusOK {
		s.t.Fatalf("%s: %d %s", name, code, body)
	}
	return w
}

// end asks the process to end and returns its exit code, and how long it took.
func (s *serving) end() (code int, took time.Duration) {
	s.t.Helper()
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatal(err)
	}
	return s.cmd.ProcessState.ExitCode(), time.Since(began)
}

// TestServeProcess runs the server as people do, and steers it over its API. No
// registered value, credential or token comes out of it anywhere.
func TestServeProcess(t *testing.T) {
	b := newBox(t)
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), 71))
	value, login, password := newCanary(rng, "registered"), newCanary(rng, "credential"), newCanary(rng, "password in a URL")
	planted := canaries{value, login, password}
	// A place that shows everything it knows to whoever asks.
	loud := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="`+value.value+`"`)
		http.Error(w, value.value+" "+r.Header.Get("Authorization"), http.StatusForbidden)
	}))
	t.Cleanup(loud.Close)
	b.write(value.value+"/notes.txt", "it is "+value.value+"\n")
	b.env = append(b.env, "LOUD_LOGIN=robot:"+login.value)
	b.must(0, "", "init")
	b.must(0, value.value, "secret", "add", "shop/db")
	b.must(0, "", "watch", "add", "notes", "--every", "1h", "--", "dir", b.work)

	s := b.serve()
	planted = append(planted, canary{"token", s.token})
	s.probes()
	s.steered(b, loud.URL, password.value)
	s.until("the watch of before is scanned", func() bool { return s.watched("notes").Outcome == "complete" })
	s.until("the metrics count what was found", func() bool {
		_, _, text := s.ask(http.MethodGet, "/metrics", "")
		return strings.Contains(text, `revenant_findings{verdict="leaked"} `) && !strings.Contains(text, `revenant_findings{verdict="leaked"} 0`)
	})
	// What commands change counts at once.
	b.must(0, "", "secret", "retire", "shop/db@1", "--no-successor")
	if _, _, text := s.ask(http.MethodGet, "/metrics", ""); strings.Contains(text, `revenant_findings{verdict="stale"} 0`) {
		t.Error("a value that was retired is not stale in the metrics")
	}
	for _, path := range []string{"/api/v1/status", "/api/v1/workers", "/api/v1/watches", "/api/v1/watches?limit=1", "/api/v1/secrets/shop%2Fdb/versions/1/coverage"} {
		if code, kind, body := s.ask(http.MethodGet, path, ""); code != http.StatusOK || kind != "application/json" {
			t.Errorf("%s: %d %s %s", path, code, kind, body)
		}
	}
	told := b.must(0, "", "watch", "list", "--json").stdout + b.must(0, "", "watch", "show", "notes").stdout
	if code, took := s.end(); code != 0 || took > soon {
		t.Errorf("it ended with code %d after %s\n%s", code, took, s.said())
	}
	if found := planted.in([]byte(told + s.spoken.String())); len(found) > 0 {
		t.Errorf("told: %v", found)
	}
	if err := os.Remove(tokenFile(b.registry())); err != nil { // its one place
		t.Fatal(err)
	}
	if found := planted.inTree(t, b.dir); len(found) > 0 {
		t.Errorf("written: %v", found)
	}
}

// probes asks what needs no token, and what does without one.
func (s *serving) probes() {
	s.t.Helper()
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": ""} {
		if code, kind, body := s.ask(http.MethodGet, path, "", ""); code != http.StatusOK || !strings.HasPrefix(kind, "text/plain") || want != "" && body != want {
			s.t.Errorf("%s: %d %s %s", path, code, kind, body)
		}
	}
	for name, with := range map[string]string{"none": "", "wrong": "Bearer " + strings.Repeat("x", 53), "another scheme": "Basic " + s.token} {
		for _, r := range [][2]string{{"GET", "/api/v1/status"}, {"GET", "/api/v1/watches"}, {"POST", "/api/v1/watches"}, {"DELETE", "/api/v1/watches/notes"}} {
			code, kind, body := s.ask(r[0], r[1], "{}", with)
			if code != http.StatusUnauthorized || kind != "application/problem+json" || !strings.Contains(body, `"status":401`) {
				s.t.Errorf("token %s: %s %s: %d %s %s", name, r[0], r[1], code, kind, body)
			}
		}
	}
}

// steered drives every route that changes something.
func (s *serving) steered(b *box, loud, password string) {
	s.t.Helper()
	expect := func(want int, method, path, body string) string {
		s.t.Helper()
		code, _, got := s.ask(method, path, body)
		if code != want {
			s.t.Errorf("%s %s: %d, want %d: %s", method, path, code, want, got)
		}
		return got
	}
	watch := func(name, schedule, credential string, scan ...string) string {
		return string(must(json.Marshal(map[string]any{"name": name, "scan": scan, "schedule": schedule, "credential": credential})))
	}
	const all = "/api/v1/watches"
	expect(201, "POST", all, watch("more", "1h", "", "dir", b.work))
	expect(409, "POST", all, watch("more", "1h", "", "dir", b.work)) // again
	expect(422, "POST", all, watch("when", "sometimes", "", "dir", b.work))
	expect(422, "POST", all, watch("what", "1h", "", "serve"))
	expect(422, "POST", all, watch("near", "1h", "", "dir", "here"))
	expect(422, "POST", all, watch("inline", "1h", "", "git", "https://me:"+password+"@127.0.0.1:9/x.git"))
	expect(422, "POST", all, watch("plain", "1h", password, "git", "https://127.0.0.1:9/x.git"))
	expect(422, "POST", all, `{"name":"x","nothing":"reads this"}`)
	expect(201, "POST", all, watch("loud", "", "env:LOUD_LOGIN", "image", strings.TrimPrefix(loud, "http://")+"/shop:1", "--wait", "0"))
	expect(201, "POST", all, watch("louder", "", "", "git", loud+"/shop.git"))
	for _, name := range []string{"loud", "louder"} {
		s.until(name+" failed", func() bool { return s.watched(name).Outcome == "failed" })
		if w := s.watched(name); w.Problem == "" {
			s.t.Errorf("%s: it does not say what the problem is", name)
		}
	}
	s.until("a watch of the API is scanned", func() bool { return s.watched("more").Outcome == "complete" })
	expect(200, "POST", "/api/v1/watches/more/pause", "")
	before := s.watched("more")
	expect(200, "POST", "/api/v1/watches/more/resume", "")
	if after := s.watched("more"); !before.Paused || after.Paused {
		s.t.Errorf("paused %v, resumed %v", before, after)
	}
	for began := time.Now(); ; { // one right after another: none waits for what is put away late
		expect(202, "POST", "/api/v1/watches/more/scan", "")
		s.until("a watch is scanned when it is asked for", func() bool { return s.watched("more").Finished.After(before.Finished) })
		if before = s.watched("more"); time.Since(began) > time.Second {
			break
		}
	}
	expect(200, "DELETE", "/api/v1/watches/more", "")
	for method, path := range map[string]string{"GET": "/api/v1/watches/more", "DELETE": "/api/v1/watches/more", "POST": "/api/v1/watches/more/scan", "PUT": "/nothing"} {
		expect(404, method, path, "")
	}
	expect(404, "GET", "/api/v1/secrets/none/versions/1/coverage", "")
	expect(422, "GET", "/api/v1/secrets/none/versions/x/coverage", "")
	expect(405, "PUT", all, "")
}
