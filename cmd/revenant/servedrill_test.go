package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"revenant/fingerprints/store/postgrestest"
)

// signedIn is a browser that came by a link of a person.
func (s *serving) signedIn(b *box, person string) *visitor {
	s.t.Helper()
	link := strings.TrimSpace(b.must(0, "", "person", "link", person).stdout)
	at, err := url.Parse(link)
	if err != nil {
		s.t.Fatal(err)
	}
	v := s.visitor()
	if code, to, _ := v.do(http.MethodGet, at.RequestURI(), nil); code != http.StatusSeeOther || to != "/" {
		s.t.Fatalf("%d %s", code, to)
	}
	return v
}

// cookies are what a browser shows to its server, as a thief copies them.
func (v *visitor) cookies() []*http.Cookie {
	v.t.Helper()
	at, err := url.Parse(v.s.url)
	if err != nil {
		v.t.Fatal(err)
	}
	list := v.c.Jar.Cookies(at)
	if len(list) == 0 {
		v.t.Fatal("no cookie")
	}
	return list
}

// replayed asks who somebody is by cookies that were copied.
func (s *serving) replayed(cookies []*http.Cookie) int {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+"/api/v1/me", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = w.Body.Close()
	return w.StatusCode
}

// TestCookieReplayed is the drill: a cookie was copied from a browser. It counts until
// its owner signs out, or is disabled, and never again.
func TestCookieReplayed(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, "", "person", "add", "ann", "--role", "viewer")
	s := b.serve("--no-workers")
	for what, end := range map[string]func(v *visitor){
		"after signing out": func(v *visitor) {
			if code, _, _ := v.do(http.MethodPost, "/auth/sign-out", url.Values{}); code != http.StatusSeeOther {
				t.Errorf("signing out: %d", code)
			}
		},
		"after signing out everywhere": func(*visitor) {
			other := s.signedIn(b, "ann")
			if code, _, _ := other.do(http.MethodPost, "/auth/sign-out", url.Values{"everywhere": {"yes"}}); code != http.StatusSeeOther {
				t.Errorf("signing out everywhere: %d", code)
			}
		},
		"after an administrator ended it": func(*visitor) { b.must(0, "", "person", "sign-out", "ann") },
		"after the person was disabled":   func(*visitor) { b.must(0, "", "person", "disable", "ann") },
	} {
		v := s.signedIn(b, "ann")
		stolen := v.cookies()
		if code := s.replayed(stolen); code != http.StatusOK {
			t.Fatalf("%s: before, the copy: %d", what, code)
		}
		end(v)
		if code := s.replayed(stolen); code != http.StatusUnauthorized {
			t.Errorf("%s: %d", what, code)
		}
		b.must(0, "", "person", "enable", "ann")
		if code := s.replayed(stolen); code != http.StatusUnauthorized {
			t.Errorf("%s, and the person was enabled again: %d", what, code)
		}
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}

// TestTwoServers: what one server of a registry gives or ends holds at the other at
// once, and what is held against an address is each server's own.
func TestTwoServers(t *testing.T) {
	b := newBox(t)
	b.on(postgrestest.Start(t, postgrestest.Options{}).Database(t))
	b.must(0, "", "init")
	b.must(0, "", "person", "add", "ann", "--role", "admin")
	one, two := b.serve("--no-workers"), b.serve("--no-workers")
	both := func(what string, want int, ask func(s *serving) int) {
		t.Helper()
		for name, s := range map[string]*serving{"one": one, "two": two} {
			if code := ask(s); code != want {
				t.Errorf("%s, at server %s: %d, want %d", what, name, code, want)
			}
		}
	}
	by := func(token string) func(*serving) int {
		return func(s *serving) int {
			code, _, _ := s.ask(http.MethodGet, "/api/v1/me", "", "Bearer "+token)
			return code
		}
	}
	token := strings.TrimSpace(b.must(0, "", "token", "add", "ci", "--scope", "read").stdout)
	both("a token", 200, by(token))
	if code, _, body := one.ask(http.MethodDelete, "/api/v1/tokens/ci", ""); code != 200 {
		t.Errorf("revoking: %d %s", code, body)
	}
	both("a token that was revoked at one", 401, by(token))

	ann := one.signedIn(b, "ann")
	stolen := ann.cookies()
	shown := func(s *serving) int { return s.replayed(stolen) }
	both("a session", 200, shown)
	if code, _, _ := ann.do(http.MethodPost, "/auth/sign-out", url.Values{}); code != http.StatusSeeOther {
		t.Errorf("signing out: %d", code)
	}
	both("a session that was ended at one", 401, shown)

	// Whoever fails again and again is kept away by the server where they did.
	failing := func(s *serving) string {
		_, to, _ := s.visitor().do(http.MethodPost, "/auth/token", url.Values{"token": {"rvt_" + strings.Repeat("x", 43)}})
		return to
	}
	last := ""
	for range 8 {
		last = failing(one)
	}
	if last != "/sign-in?error=locked" {
		t.Errorf("after eight failures at one: %s", last)
	}
	if to := failing(two); to != "/sign-in?error=token" {
		t.Errorf("the first failure at two: %s", to)
	}
	for _, s := range []*serving{one, two} {
		if code, _ := s.end(); code != 0 {
			t.Errorf("it ended with code %d", code)
		}
	}
}

// TestPushReplayed is the drill: a message of a forge was copied on its way. It counts
// once, whatever is written anew of what was not signed; changed it never counts.
func TestPushReplayed(t *testing.T) {
	const secret = "hook" + "-secret-0123456789abcdef"
	b := newBox(t)
	b.env = append(b.env, "HOOK_SECRET="+secret)
	b.must(0, "", "init")
	repo := b.repository("shop", "something", "else")
	b.gitIn(repo, "remote", "set-url", "origin", "https://github.com/acme/shop.git")
	b.must(0, "", "watch", "add", "shop", "--every", "6h", "--", "git", repo)
	s := b.serve("--config", b.write("revenant.yaml", "push:\n  github: [env:HOOK_SECRET]\n"))
	s.until("it was scanned, so that its source is known", func() bool { return s.watched("shop").Source != "" })
	body := `{"ref":"refs/heads/main","after":"` + strings.Repeat("a", 40) + `","repository":{"full_name":"acme/shop","clone_url":"https://github.com/acme/shop.git"}}`
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	signature := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	send := func(text, id string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/hooks/github", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": id, "X-Hub-Signature-256": signature} {
			r.Header.Set(name, value)
		}
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = w.Body.Close()
		return w.StatusCode
	}
	for _, c := range []struct {
		what, text, id string
		want           int
	}{
		{"sent", body, "1", 202},
		{"sent again", body, "1", 202},
		{"with another number", body, "2", 202},
		{"changed", strings.Replace(body, "main", "evil", 1), "3", 401},
		{"cut off", body[:40], "4", 401},
	} {
		if code := send(c.text, c.id); code != c.want {
			t.Errorf("%s: %d, want %d", c.what, code, c.want)
		}
	}
	for outcome, want := range map[string]string{"accepted": "1", "replayed": "2"} {
		if n := s.metric(`revenant_pushes_total{outcome="` + outcome + `",provider="github"}`); n != want {
			t.Errorf("%s: %s, want %s", outcome, n, want)
		}
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
}
