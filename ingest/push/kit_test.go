package push_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/ingest/push"
)

// generated makes secrets: a written one would be one in the tree.
func generated(n int) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("push test %d", n)))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}

// now is when the tests are.
func now() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }

// ours is a handler with everything that it is given, and everything it told.
type ours struct {
	h *push.Handler

	mu     sync.Mutex
	events []push.Event
	texts  map[string]string // by source
	logs   []push.Log
	counts map[string]int
	fail   error // what the Sink answers
	out    strings.Builder
	clock  time.Time
}

func (o *ours) Pushed(_ context.Context, e push.Event) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	o.events = append(o.events, e)
	return nil
}

func (o *ours) Text(_ context.Context, l push.Log, r io.Reader) (push.Result, error) {
	text, err := io.ReadAll(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.texts[l.Source] += string(text)
	o.logs = append(o.logs, l)
	if err == nil {
		err = o.fail
	}
	return push.Result{Findings: strings.Count(string(text), "leak")}, err
}

func (o *ours) Count(p push.Provider, what push.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts[string(p)+" "+string(what)]++
}

// Write is that of the log.
func (o *ours) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.Write(p)
}

func (o *ours) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock
}

func (o *ours) move(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(d)
}

func (o *ours) failWith(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

// took returns the events since it was last called.
func (o *ours) took() []push.Event {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := o.events
	o.events = nil
	return out
}

func (o *ours) counted() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := maps.Clone(o.counts)
	clear(o.counts)
	return out
}

func (o *ours) logged() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.out.String()
}

func fixed(text string) push.Secret {
	return func(context.Context) (fingerprints.Value, error) { return fingerprints.NewValue([]byte(text)), nil }
}

// everywhere is the secret of all providers.
func everywhere() string { return generated(1) }

func newOurs(t testing.TB, change func(*push.Options)) *ours {
	t.Helper()
	o := &ours{texts: map[string]string{}, counts: map[string]int{}, clock: now()}
	opts := push.Options{Sink: o, Counters: o, Now: o.now, Log: slog.New(slog.NewTextHandler(o, nil)), Secrets: map[push.Provider][]push.Secret{}}
	for _, p := range []push.Provider{push.GitHub, push.GitLab, push.Gitea, push.Git, push.Registry, push.Logs} {
		opts.Secrets[p] = []push.Secret{fixed(everywhere())}
	}
	if change != nil {
		change(&opts)
	}
	h, err := push.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	o.h = h
	return o
}

// message is one post.
type message struct {
	to     string
	body   string
	header http.Header
}

func (m message) with(pairs ...string) message {
	m.header = m.header.Clone()
	if m.header == nil {
		m.header = http.Header{}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			m.header.Del(pairs[i])
			continue
		}
		m.header.Set(pairs[i], pairs[i+1])
	}
	return m
}

func (m message) twice(name string) message {
	m.header = m.header.Clone()
	m.header.Add(name, m.header.Get(name))
	return m
}

func (o *ours) send(t testing.TB, m message) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, m.to, strings.NewReader(m.body))
	r.Header = m.header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	w := httptest.NewRecorder()
	o.h.ServeHTTP(w, r)
	return w.Result()
}

// status sends and returns the answer's status and body.
func (o *ours) status(t testing.TB, m message) (int, string) {
	t.Helper()
	resp := o.send(t, m)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode >= 400 {
		var p struct{ Title string }
		if resp.Header.Get("Content-Type") != "application/problem+json" || json.Unmarshal(text, &p) != nil || p.Title == "" {
			t.Errorf("an answer of %d is no problem: %s", resp.StatusCode, text)
		}
	}
	return resp.StatusCode, string(text)
}

func mac(key string, parts ...string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	for _, p := range parts {
		_, _ = io.WriteString(h, p)
	}
	return h.Sum(nil)
}

func fromGitHub(event, body string) message {
	return message{to: "/hooks/github", body: body}.with("Content-Type", "application/json", "X-GitHub-Event", event, "X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958",
		"X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(everywhere(), body)))
}

func fromGitLab(body string) message {
	return message{to: "/hooks/gitlab", body: body}.with("Content-Type", "application/json", "X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", everywhere(), "Idempotency-Key", "f5e3b4c2")
}

func fromGitea(event, body string) message {
	return message{to: "/hooks/gitea", body: body}.with("Content-Type", "application/json", "X-Gitea-Event", event, "X-Gitea-Delivery", "d1",
		"X-Gitea-Signature", hex.EncodeToString(mac(everywhere(), body)))
}

// standard is a message as Standard Webhooks signs it, with a key.
func standard(to, key, id string, at time.Time, body string) message {
	stamp := fmt.Sprint(at.Unix())
	return message{to: to, body: body}.with("Content-Type", "application/json", "webhook-id", id, "webhook-timestamp", stamp,
		"webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac(key, id, ".", stamp, ".", body)))
}

// fromGit is a message with our own header.
func fromGit(at time.Time, body string) message {
	stamp := fmt.Sprint(at.Unix())
	return message{to: "/hooks/git", body: body}.with("Content-Type", "application/json",
		"X-Revenant-Signature", "t="+stamp+",v1="+hex.EncodeToString(mac(everywhere(), stamp, ".", body)))
}

func fromRegistry(body string) message {
	return message{to: "/hooks/registry", body: body}.with("Content-Type", "application/vnd.docker.distribution.events.v1+json", "Authorization", "Bearer "+everywhere())
}

func logText(source, body string) message {
	return message{to: "/logs/" + source, body: body}.with("Content-Type", "text/plain; charset=utf-8", "Authorization", "Bearer "+everywhere())
}

// oid is an object id of a digit.
func oid(digit string) string { return strings.Repeat(digit, 40) }
