package push_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"revenant/ingest/push"
)

// endless is a body of n bytes that nobody holds.
type endless struct {
	n    int64
	read atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := min(int64(len(p)), e.n-e.read.Load())
	if n <= 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	e.read.Add(n)
	return int(n), nil
}

// post sends to a real server, by a connection of its own.
func post(t *testing.T, url string, m message, body io.Reader) (int, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+m.to, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = m.header.Clone()
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// TestHuge: what is too long is not read to its end, whether it says so or not.
func TestHuge(t *testing.T) {
	o := newOurs(t, func(opts *push.Options) { opts.MaxBody = 1 << 20 })
	server := httptest.NewServer(o.h)
	defer server.Close()
	for p, m := range rightly() {
		if p == push.Logs {
			continue
		}
		told := &endless{n: 100 << 20}
		got, err := post(t, server.URL, m, io.MultiReader(told)) // chunked
		if err == nil && got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, chunked: %d", p, got)
		}
		if n := told.read.Load(); n > 10<<20 {
			t.Errorf("%s: %d bytes were read", p, n)
		}
		if got, _ := o.status(t, message{to: m.to, body: strings.Repeat("x", 1<<20+1), header: m.header}); got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d", p, got)
		}
		exact := message{to: m.to, body: m.body + strings.Repeat(" ", 1<<20-len(m.body)), header: m.header}
		if got, _ := o.status(t, exact); got == http.StatusRequestEntityTooLarge {
			t.Errorf("%s: as long as is taken: %d", p, got)
		}
	}
	if events := o.took(); len(events) > 2 { // of those that tokens let in, with blanks behind
		t.Errorf("the Sink was given %d", len(events))
	}
}

// TestUnsignedIsNotRead: who has no signature at all is refused before its body.
func TestUnsignedIsNotRead(t *testing.T) {
	o := newOurs(t, nil)
	for p, m := range rightly() {
		body := &endless{n: 1 << 40}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, m.to, body)
		w := httptest.NewRecorder()
		o.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || body.read.Load() > 0 {
			t.Errorf("%s: %d, %d bytes read", p, w.Code, body.read.Load())
		}
	}
	for _, p := range []push.Provider{push.GitLab, push.Registry, push.Logs} { // a wrong token needs no body either
		m := rightly()[p].with("X-Gitlab-Token", generated(2))
		if p != push.GitLab {
			m = m.with("Authorization", "Bearer "+generated(2))
		}
		body := &endless{n: 1 << 40}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, m.to, body)
		r.Header = m.header
		w := httptest.NewRecorder()
		o.h.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || body.read.Load() > 0 {
			t.Errorf("%s: %d, %d bytes read", p, w.Code, body.read.Load())
		}
	}
}

// TestSlow: a body that trickles is given up, and its memory with it.
func TestSlow(t *testing.T) {
	o := newOurs(t, func(opts *push.Options) { opts.BodyTime, opts.Idle = 100*time.Millisecond, 100*time.Millisecond })
	server := httptest.NewServer(o.h)
	defer server.Close()
	for p, m := range rightly() {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var head bytes.Buffer
		fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n", m.to)
		if err := m.header.Write(&head); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(head.Bytes(), "\r\n{"...)); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(conn)
		if err != nil || !bytes.HasPrefix(text, []byte("HTTP/1.1 408 ")) {
			t.Errorf("%s: %v %s", p, err, text)
		}
		_ = conn.Close()
		if o.counted()[string(p)+" slow"] != 1 {
			t.Errorf("%s: not counted", p)
		}
	}
}

// TestBroken: a body that breaks off is not taken for a short one.
func TestBroken(t *testing.T) {
	o := newOurs(t, nil)
	server := httptest.NewServer(o.h)
	defer server.Close()
	for p, m := range rightly() {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		var head bytes.Buffer
		fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", m.to, len(m.body)+1)
		if err := m.header.Write(&head); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(append(head.Bytes(), "\r\n"+m.body...)); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(conn)
		if err != nil || len(text) > 0 && !bytes.HasPrefix(text, []byte("HTTP/1.1 400 ")) {
			t.Errorf("%s: %v %s", p, err, text)
		}
		_ = conn.Close()
		until(t, "it is counted", func() bool { return o.counted()[string(p)+" malformed"] == 1 })
	}
	if events := o.took(); len(events) > 0 {
		t.Errorf("the Sink was given %v", events)
	}
}

// TestTogether: many at once have bounded memory together, and whoever is sent
// away may come again.
func TestTogether(t *testing.T) {
	const each, n = 4 << 20, 24
	o := newOurs(t, func(opts *push.Options) { opts.MaxBody, opts.MaxBodies = each, 3*each })
	hold := make(chan struct{})
	var wait sync.WaitGroup
	var mu sync.Mutex
	got := map[int]int{}
	for range n {
		wait.Go(func() {
			m := fromGitHub("push", strings.Repeat(" ", each-1))
			r := httptest.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodPost, m.to, io.MultiReader(strings.NewReader(m.body), held(hold)))
			r.Header, r.ContentLength = m.header, -1
			w := httptest.NewRecorder()
			o.h.ServeHTTP(w, r)
			mu.Lock()
			defer mu.Unlock()
			got[w.Code]++
			if w.Code == 503 && w.Header().Get("Retry-After") == "" {
				t.Error("it is not said when to come again")
			}
		})
	}
	until(t, "most are sent away", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return got[503] >= n-3
	})
	close(hold)
	wait.Wait()
	if got[503] > n-2 || got[400] < 2 || got[400]+got[503] != n {
		t.Errorf("answers %v", got)
	}
	if code, _ := o.status(t, rightly()[push.GitHub]); code != 202 {
		t.Errorf("afterwards: %d", code)
	}
}

// held is the end of a body that comes when a channel is closed.
type held chan struct{}

func (h held) Read([]byte) (int, error) {
	<-h
	return 0, io.EOF
}

// TestMemoryIsTakenAsItComes: a header that promises much costs nothing.
func TestMemoryIsTakenAsItComes(t *testing.T) {
	o := newOurs(t, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		m := fromGitHub("push", "{")
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, m.to, strings.NewReader("{"))
		r.Header, r.ContentLength = m.header, 25<<20
		o.h.ServeHTTP(httptest.NewRecorder(), r)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 20<<20 {
		t.Errorf("%d MiB were taken", used>>20)
	}
}

func TestKinds(t *testing.T) {
	o := newOurs(t, nil)
	m := rightly()[push.GitHub]
	for kind, want := range map[string]int{
		"application/json": 202, "application/json; charset=utf-8": 202, "application/vnd.github+json": 202,
		"": 415, "text/plain": 415, "application/xml": 415, "multipart/form-data; boundary=x": 415, "application/json; charset": 415,
		"application/x-www-form-urlencoded": 400,
	} {
		if got, _ := newOurs(t, nil).status(t, m.with("Content-Type", kind)); got != want {
			t.Errorf("%q: %d", kind, got)
		}
	}
	if got, _ := o.status(t, m.twice("Content-Type")); got != 415 {
		t.Errorf("two types: %d", got)
	}
	for _, packed := range []string{"gzip", "br", "gzip, identity"} {
		if got, _ := o.status(t, m.with("Content-Encoding", packed)); got != 415 {
			t.Errorf("%s: %d", packed, got)
		}
	}
	for form, want := range map[string]int{"payload=%7B%7D&payload=%7B%7D": 400, "payload=%zz": 400, "other=1": 400, "": 400, "payload=": 400} {
		if got, _ := o.status(t, fromGitHub("ping", form).with("Content-Type", "application/x-www-form-urlencoded")); got != want {
			t.Errorf("form %q: %d", form, got)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodHead} {
		r := httptest.NewRequestWithContext(t.Context(), method, "/hooks/github", http.NoBody)
		w := httptest.NewRecorder()
		o.h.ServeHTTP(w, r)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
			t.Errorf("%s: %d", method, w.Code)
		}
	}
}

// TestQuiet: what a post holds is in no answer and in no line of the log, also
// where it is not taken.
func TestQuiet(t *testing.T) {
	canary := "glpat" + "-" + generated(30)
	for p, m := range rightly() {
		bodies := map[string]string{
			"broken": `{"ref":"` + canary, "type": `{"ref":["` + canary + `"],"events":"` + canary + `"}`, "ref": strings.ReplaceAll(m.body, "main", canary+`\u0001`),
			"place": strings.ReplaceAll(strings.ReplaceAll(m.body, "example", canary), "/srv", canary), "whole": strings.ReplaceAll(m.body, "main", canary),
		}
		for name, body := range bodies {
			o := newOurs(t, nil)
			fresh := map[push.Provider]message{
				push.GitHub: fromGitHub("push", body), push.GitLab: fromGitLab(body), push.Gitea: fromGitea("push", body), push.Git: fromGit(now(), body), push.Registry: fromRegistry(body), push.Logs: logText("ci:mine:host/x", body),
			}[p]
			for _, fail := range []error{nil, push.ErrUnknown, fmt.Errorf("storing %s", canary)} {
				o.failWith(fail)
				for _, sent := range []message{fresh, fresh.with("X-Hub-Signature-256", canary, "X-Gitlab-Token", canary, "Authorization", canary), fresh.with("X-GitHub-Delivery", canary+"!", "Idempotency-Key", canary+"!", "X-GitHub-Event", canary)} {
					resp := o.send(t, sent)
					var out bytes.Buffer
					if err := resp.Header.Write(&out); err != nil {
						t.Fatal(err)
					}
					if _, err := out.ReadFrom(resp.Body); err != nil {
						t.Fatal(err)
					}
					_ = resp.Body.Close()
					if text := out.String() + o.logged(); strings.Contains(text, canary) || strings.Contains(text, everywhere()) {
						t.Errorf("%s, %s: it is told:\n%s", p, name, text)
					}
				}
			}
		}
	}
}

// TestGone: a sender that does not wait loses nothing that has come whole.
func TestGone(t *testing.T) {
	o := newOurs(t, nil)
	m := rightly()[push.GitHub]
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, m.to, io.MultiReader(strings.NewReader(m.body), doing(cancel)))
	r.Header = m.header
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	if w.Code != 202 || len(o.took()) != 1 {
		t.Errorf("answer %d", w.Code)
	}
}

// doing is the end of a body, at which something happens.
type doing func()

func (d doing) Read([]byte) (int, error) {
	d()
	return 0, io.EOF
}
