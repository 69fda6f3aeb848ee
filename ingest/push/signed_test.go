package push_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/ingest/push"
)

// rightly are messages of each provider that are signed as they should be.
func rightly() map[push.Provider]message {
	push1 := object(`"ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, repo)
	return map[push.Provider]message{
		push.GitHub:   fromGitHub("push", push1),
		push.GitLab:   fromGitLab(object(`"object_kind":"push","ref":"refs/heads/main","before":"`+oid("a")+`","after":"`+oid("b")+`"`, project)),
		push.Gitea:    fromGitea("push", push1),
		push.Git:      fromGit(now(), `{"url":"/srv/x.git"}`),
		push.Registry: fromRegistry(`{"events":[{"id":"e1","action":"push","target":{"mediaType":"application/vnd.oci.image.manifest.v1+json","repository":"a"},"request":{"host":"r.example"}}]}`),
		push.Logs:     logText("ci:mine:host/x", "text"),
	}
}

// TestUnsigned: whatever is wrong with a signature, the answer is the same.
func TestUnsigned(t *testing.T) {
	all := rightly()
	other := generated(2)
	standardBody := `{"url":"/srv/x.git"}`
	whole := standard("/hooks/git", everywhere(), "m1", now(), standardBody)
	stamp := whole.header.Get("webhook-timestamp")
	tests := map[string]message{
		"GitHub none":       all[push.GitHub].with("X-Hub-Signature-256", ""),
		"GitHub other key":  all[push.GitHub].with("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(other, all[push.GitHub].body))),
		"GitHub SHA-1":      all[push.GitHub].with("X-Hub-Signature-256", "", "X-Hub-Signature", "sha1="+strings.Repeat("a", 40)),
		"GitHub no prefix":  all[push.GitHub].with("X-Hub-Signature-256", hex.EncodeToString(mac(everywhere(), all[push.GitHub].body))),
		"GitHub short":      all[push.GitHub].with("X-Hub-Signature-256", "sha256=00"),
		"GitHub no hex":     all[push.GitHub].with("X-Hub-Signature-256", "sha256="+strings.Repeat("x", 64)),
		"GitHub twice":      all[push.GitHub].twice("X-Hub-Signature-256"),
		"GitHub body":       {to: "/hooks/github", body: all[push.GitHub].body + " ", header: all[push.GitHub].header},
		"GitHub long":       all[push.GitHub].with("X-Hub-Signature-256", "sha256="+strings.Repeat("a", 1<<16)),
		"GitHub as GitLab":  {to: "/hooks/gitlab", body: all[push.GitHub].body, header: all[push.GitHub].header},
		"GitHub wrong type": all[push.GitHub].with("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64), "Content-Type", "text/plain"),
		"GitLab none":       all[push.GitLab].with("X-Gitlab-Token", ""),
		"GitLab other":      all[push.GitLab].with("X-Gitlab-Token", other),
		"GitLab longer":     all[push.GitLab].with("X-Gitlab-Token", everywhere()+"x"),
		"GitLab twice":      all[push.GitLab].twice("X-Gitlab-Token"),
		"GitLab signed wrongly, token right": standard("/hooks/gitlab", other, "m1", now(), all[push.GitLab].body).
			with("X-Gitlab-Token", everywhere()),
		"Gitea other":          all[push.Gitea].with("X-Gitea-Signature", hex.EncodeToString(mac(other, all[push.Gitea].body))),
		"Gitea none":           all[push.Gitea].with("X-Gitea-Signature", ""),
		"Gitea twice":          all[push.Gitea].twice("X-Gitea-Signature"),
		"Git none":             all[push.Git].with("X-Revenant-Signature", ""),
		"Git two forms":        all[push.Git].with("webhook-signature", whole.header.Get("webhook-signature")),
		"Git two times":        all[push.Git].with("X-Revenant-Signature", all[push.Git].header.Get("X-Revenant-Signature")+",t=1"),
		"Git other time":       all[push.Git].with("X-Revenant-Signature", "t="+fmt.Sprint(now().Unix()+1)+",v1="+hex.EncodeToString(mac(everywhere(), stamp, ".", all[push.Git].body))),
		"Git time written odd": all[push.Git].with("X-Revenant-Signature", "t=+"+stamp+",v1="+hex.EncodeToString(mac(everywhere(), "+"+stamp, ".", all[push.Git].body))),
		"standard other id":    whole.with("webhook-id", "m2"),
		"standard dotted id":   standard("/hooks/git", everywhere(), "m.1", now(), standardBody),
		"standard no time":     whole.with("webhook-timestamp", ""),
		"standard v2":          whole.with("webhook-signature", "v2,"+base64.StdEncoding.EncodeToString(mac(everywhere(), "m1.", stamp, ".", standardBody))),
		"standard short":       whole.with("webhook-signature", "v1,AAAA"),
		"registry none":        all[push.Registry].with("Authorization", ""),
		"registry other":       all[push.Registry].with("Authorization", "Bearer "+other),
		"registry digest":      all[push.Registry].with("Authorization", "Digest "+everywhere()),
		"registry twice":       all[push.Registry].twice("Authorization"),
		"logs none":            all[push.Logs].with("Authorization", ""),
		"logs other":           all[push.Logs].with("Authorization", "Bearer "+other),
	}
	for name, m := range tests {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, nil)
			resp := o.send(t, m)
			defer func() { _ = resp.Body.Close() }()
			if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("answer %d %v", resp.StatusCode, resp.Header)
			}
			if _, text := o.status(t, m); text != `{"title":"Unauthorized","status":401}`+"\n" {
				t.Errorf("the answer tells more: %s", text)
			}
			if got := o.took(); len(got) > 0 || len(o.logs) > 0 {
				t.Errorf("the Sink was called: %v", got)
			}
			for what := range o.counted() {
				if !strings.HasSuffix(what, " unsigned") {
					t.Errorf("counted as %s", what)
				}
			}
		})
	}
}

// TestStale: a time outside of the window is no signature, whoever made it.
func TestStale(t *testing.T) {
	for d, want := range map[time.Duration]int{0: 202, 5 * time.Minute: 202, -5 * time.Minute: 202, 5*time.Minute + time.Second: 401, -5*time.Minute - time.Second: 401, -100 * time.Hour: 401} {
		o := newOurs(t, nil)
		body := `{"url":"/srv/x.git"}`
		for i, m := range []message{fromGit(now().Add(d), body), standard("/hooks/git", everywhere(), "m1", now().Add(d), body), standard("/hooks/gitlab", everywhere(), "m1", now().Add(d), rightly()[push.GitLab].body)} {
			if got, _ := o.status(t, m); got != want {
				t.Errorf("%v away, form %d: %d", d, i, got)
			}
		}
		if counted := o.counted(); (counted["git stale"] == 2 && counted["gitlab stale"] == 1) != (want == 401) {
			t.Errorf("%v away: counted %v", d, counted)
		}
	}
}

// TestReplay: what was taken in is not taken in again, whatever is written anew
// of what was not signed.
func TestReplay(t *testing.T) {
	again := map[push.Provider][]message{}
	for p, m := range rightly() {
		again[p] = []message{m}
	}
	again[push.GitHub] = append(again[push.GitHub], again[push.GitHub][0].with("X-GitHub-Delivery", "another"))
	again[push.Gitea] = append(again[push.Gitea], again[push.Gitea][0].with("X-Gitea-Delivery", "another"))
	delete(again, push.Logs)
	for p, list := range again {
		t.Run(string(p), func(t *testing.T) {
			o := newOurs(t, nil)
			if got, _ := o.status(t, list[0]); got != 202 || len(o.took()) != 1 {
				t.Fatalf("first: %d", got)
			}
			for _, m := range list {
				if got, _ := o.status(t, m); got != 202 || len(o.took()) != 0 {
					t.Errorf("again: %d", got)
				}
			}
			if got := o.counted(); got[string(p)+" replayed"] != len(list) || got[string(p)+" accepted"] != 1 {
				t.Errorf("counted %v", got)
			}
			o.move(25 * time.Hour)
			if got, _ := o.status(t, list[0]); p != push.Git && (got != 202 || len(o.took()) != 1) {
				t.Errorf("what was forgotten: %d", got)
			}
		})
	}
}

// Posts that only look alike are each taken in.
func TestNoReplay(t *testing.T) {
	o := newOurs(t, nil)
	body := rightly()[push.GitLab].body
	for i, m := range []message{
		fromGitLab(body), fromGitLab(body).with("Idempotency-Key", "other"),
		fromGitLab(body).with("Idempotency-Key", ""), fromGitLab(body).with("Idempotency-Key", ""), // nothing tells them apart, or alike
		standard("/hooks/gitlab", everywhere(), "m1", now(), body), standard("/hooks/gitlab", everywhere(), "m2", now(), body),
		fromGit(now(), `{"url":"/srv/x.git"}`), fromGit(now().Add(time.Second), `{"url":"/srv/x.git"}`),
	} {
		if got, _ := o.status(t, m); got != 202 || len(o.took()) != 1 {
			t.Errorf("message %d: %d", i, got)
		}
	}
}

// TestFailedIsSentAgain: what the Sink did not take is not remembered, and what
// of an envelope it took is not given to it twice.
func TestFailedIsSentAgain(t *testing.T) {
	o := newOurs(t, nil)
	o.failWith(errors.New("the store is away: " + generated(9)))
	for p, m := range rightly() {
		got, text := o.status(t, m)
		if got != http.StatusServiceUnavailable || strings.Contains(text, generated(9)) {
			t.Errorf("%s: %d %s", p, got, text)
		}
	}
	if strings.Contains(o.logged(), generated(9)) {
		t.Error("the Sink's error was logged")
	}
	o.failWith(nil)
	for p, m := range rightly() {
		if got, _ := o.status(t, m); p != push.Logs && (got != 202 || len(o.took()) != 1) {
			t.Errorf("%s again: %d", p, got)
		}
	}
}

// TestUnknown: the answer does not tell whether a repository is watched.
func TestUnknown(t *testing.T) {
	o := newOurs(t, nil)
	for p, m := range rightly() {
		if p == push.Logs {
			continue
		}
		o.failWith(fmt.Errorf("looking: %w", push.ErrUnknown))
		unknown := o.send(t, m)
		_ = unknown.Body.Close()
		fresh := newOurs(t, nil)
		known := fresh.send(t, m)
		_ = known.Body.Close()
		_, a := newOurs(t, func(opts *push.Options) { opts.Sink = o }).status(t, m)
		_, b := newOurs(t, nil).status(t, m)
		if unknown.StatusCode != known.StatusCode || a != b || !cmp.Equal(unknown.Header, known.Header) {
			t.Errorf("%s: %d %q and %d %q", p, unknown.StatusCode, a, known.StatusCode, b)
		}
		if o.counted()[string(p)+" unknown"] != 1 {
			t.Errorf("%s: not counted", p)
		}
		o.failWith(nil)
		if got, _ := o.status(t, m); got != 202 || len(o.took()) != 1 {
			t.Errorf("%s: sent again when it is known: %d", p, got)
		}
	}
}

// TestRotation: old and new secret count side by side, and a new one at once.
func TestRotation(t *testing.T) {
	var second atomic.Value
	second.Store(generated(3))
	var fetched atomic.Int64
	o := newOurs(t, func(opts *push.Options) {
		for p := range opts.Secrets {
			opts.Secrets[p] = []push.Secret{fixed(everywhere()), func(context.Context) (fingerprints.Value, error) {
				fetched.Add(1)
				return fingerprints.NewValue([]byte(second.Load().(string))), nil
			}}
		}
	})
	n := 0
	signedBy := func(key string) message {
		n++
		body := object(`"ref":"refs/heads/main","after":"`+oid("b")+`","n":`+fmt.Sprint(n), repo)
		return message{to: "/hooks/github", body: body}.with("Content-Type", "application/json", "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac(key, body)))
	}
	token := func(key string) message {
		n++
		return fromGitLab(rightly()[push.GitLab].body).with("X-Gitlab-Token", key, "Idempotency-Key", fmt.Sprint(n))
	}
	for _, make := range []func(string) message{signedBy, token} {
		second.Store(generated(3))
		o.move(2 * time.Minute)
		expect := func(key string, want int) {
			t.Helper()
			if got, _ := o.status(t, make(key)); got != want {
				t.Errorf("answer %d, want %d", got, want)
			}
		}
		expect(everywhere(), 202)
		expect(generated(3), 202)
		expect(generated(4), 401)
		second.Store(generated(4))
		o.move(6 * time.Second)
		expect(generated(4), 202) // at once
		expect(generated(3), 401)
		expect(everywhere(), 202)
	}
	before := fetched.Load()
	for range 100 {
		if got, _ := o.status(t, signedBy(generated(5))); got != 401 {
			t.Errorf("answer %d", got)
		}
	}
	if more := fetched.Load() - before; more > 1 {
		t.Errorf("wrong signatures made the secret be fetched %d times", more)
	}
}

// TestSecretsThatAreAway: one that cannot be had does not let anybody in, nor
// keep out who holds the other.
func TestSecretsThatAreAway(t *testing.T) {
	away := func(context.Context) (fingerprints.Value, error) {
		return fingerprints.Value{}, errors.New("no such file")
	}
	for name, tt := range map[string]struct {
		secrets []push.Secret
		want    int
		says    string
	}{
		"one of two":    {[]push.Secret{away, fixed(everywhere())}, 202, "secret 1 of github: no such file"},
		"none":          {[]push.Secret{away}, 503, "secret 1 of github: no such file"},
		"empty":         {[]push.Secret{fixed("")}, 503, "secret 1 of github: it is shorter than 16 bytes"},
		"short":         {[]push.Secret{fixed("hunter2")}, 503, "secret 1 of github: it is shorter than 16 bytes"},
		"both are well": {[]push.Secret{fixed(generated(8)), fixed(everywhere())}, 202, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOurs(t, func(opts *push.Options) { opts.Secrets = map[push.Provider][]push.Secret{push.GitHub: tt.secrets} })
			m := rightly()[push.GitHub]
			if name == "empty" {
				m = m.with("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac("", m.body)))
			}
			if got, _ := o.status(t, m); got != tt.want {
				t.Errorf("answer %d", got)
			}
			said := ""
			if err := o.h.Check(t.Context()); err != nil {
				said = err.Error()
			}
			if said != tt.says {
				t.Errorf("the check says %q", said)
			}
			if got, _ := o.status(t, rightly()[push.Gitea]); got != 404 {
				t.Errorf("a route without secrets: %d", got)
			}
		})
	}
}

// TestSecretGoesAway: what was fetched before holds while it cannot be fetched.
func TestSecretGoesAway(t *testing.T) {
	var away atomic.Bool
	o := newOurs(t, func(opts *push.Options) {
		opts.Secrets[push.GitHub] = []push.Secret{func(context.Context) (fingerprints.Value, error) {
			if away.Load() {
				return fingerprints.Value{}, errors.New("away")
			}
			return fingerprints.NewValue([]byte(everywhere())), nil
		}}
	})
	for range 2 {
		if got, _ := o.status(t, rightly()[push.GitHub]); got != 202 {
			t.Errorf("answer %d", got)
		}
		away.Store(true)
		o.move(time.Hour)
	}
}

// A key of Standard Webhooks is written in base64.
func TestStandardKey(t *testing.T) {
	raw := []byte(generated(11) + generated(12))
	written := "whsec_" + base64.StdEncoding.EncodeToString(raw)
	o := newOurs(t, func(opts *push.Options) {
		opts.Secrets[push.Git] = []push.Secret{fixed(written)}
		opts.Secrets[push.GitLab] = []push.Secret{fixed(written)}
	})
	m := standard("/hooks/git", string(raw), "m1", now(), `{"url":"/srv/x.git"}`)
	m = m.with("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac("other"))+" v1a,xx "+m.header.Get("webhook-signature"))
	if got, _ := o.status(t, m); got != 202 || o.took()[0].Delivery != "m1" {
		t.Errorf("answer %d", got)
	}
	if got, _ := o.status(t, standard("/hooks/gitlab", string(raw), "m1", now(), rightly()[push.GitLab].body)); got != 202 {
		t.Errorf("answer %d", got)
	}
	if got, _ := o.status(t, fromGitLab(rightly()[push.GitLab].body).with("X-Gitlab-Token", written)); got != 202 {
		t.Errorf("the token as it is written: %d", got)
	}
}

// The password of Basic is a token too.
func TestBasic(t *testing.T) {
	for _, p := range []push.Provider{push.Registry, push.Logs} {
		o := newOurs(t, nil)
		for password, fits := range map[string]bool{everywhere(): true, "": false, generated(2): false} {
			m := rightly()[p].with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("anybody:"+password)))
			if got, _ := o.status(t, m); (got < 300) != fits {
				t.Errorf("%s: answer %d", p, got)
			}
		}
	}
}

// A memory that fails costs a look, not a post.
func TestMemoryFails(t *testing.T) {
	o := newOurs(t, func(opts *push.Options) { opts.Deliveries = broken{} })
	for range 2 {
		if got, _ := o.status(t, rightly()[push.GitHub]); got != 202 || len(o.took()) != 1 {
			t.Errorf("answer %d", got)
		}
	}
}

type broken struct{}

func (broken) Seen(context.Context, string) (bool, error) { return true, errors.New("away") }
func (broken) Remember(context.Context, string) error     { return errors.New("away") }

func TestMemory(t *testing.T) {
	at := now()
	m := push.NewMemory(3, time.Hour, func() time.Time { return at })
	seen := func(key string) bool {
		has, err := m.Seen(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		return has
	}
	remember := func(keys ...string) {
		for _, k := range keys {
			if err := m.Remember(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
	}
	remember("a", "b", "c", "a")
	if !seen("a") || !seen("b") || !seen("c") || seen("d") {
		t.Error("three are not remembered")
	}
	remember("d", "e")
	if seen("a") || seen("b") || !seen("c") || !seen("d") || !seen("e") {
		t.Error("the oldest are not forgotten first")
	}
	at = at.Add(time.Hour)
	if seen("e") {
		t.Error("nothing is forgotten by its age")
	}
	remember("e")
	if !seen("e") {
		t.Error("what came again is not remembered anew")
	}
	for i := range 1000 {
		remember(fmt.Sprint(i))
	}
	if !seen("999") || seen("996") {
		t.Error("the bound does not hold")
	}
}

func TestNew(t *testing.T) {
	if _, err := push.New(push.Options{}); err == nil {
		t.Error("no Sink is needed")
	}
	if _, err := push.New(push.Options{Sink: &ours{}, Secrets: map[push.Provider][]push.Secret{"bitbucket": {fixed(everywhere())}}}); err == nil {
		t.Error("a provider that does not exist is taken")
	}
	o := newOurs(t, nil)
	if err := o.h.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got, _ := o.status(t, message{to: "/hooks/other"}); got != 404 {
		t.Errorf("another route: %d", got)
	}
}
