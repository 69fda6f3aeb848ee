package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// visitor is a browser without pages.
type visitor struct {
	t *testing.T
	c http.Client
	s *serving
}

func (s *serving) visitor() *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &visitor{s.t, http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s}
}

// do sends a request, and returns status, where it leads, and the body.
func (v *visitor) do(method, at string, form url.Values) (int, string, string) {
	v.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = v.s.url + at
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, at, strings.NewReader(form.Encode()))
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	w, err := v.c.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return w.StatusCode, w.Header.Get("Location"), string(body)
}

// TestSetupAndPeople goes from a new server to a person with a role, as a page
// would: by the link that serve prints, and cookies from then on.
func TestSetupAndPeople(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	s := b.serve()
	link := regexp.MustCompile(`http://\S+/auth/setup\?code=\S+`).FindString(s.printed())
	root := s.visitor()
	if strings.Contains(s.said(), "/auth/") {
		t.Error("the link is in the log")
	}
	if code, to, _ := root.do(http.MethodGet, link, nil); code != http.StatusSeeOther || to != "/" || link == "" {
		t.Fatalf("%q: %d %s", link, code, to)
	}
	if code, _, body := root.do(http.MethodGet, "/api/v1/me", nil); code != 200 || !strings.Contains(body, `"person:administrator"`) {
		t.Errorf("%d %s", code, body)
	}
	if code, to, _ := s.visitor().do(http.MethodGet, link, nil); code != http.StatusSeeOther || to != "/sign-in?error=link" {
		t.Errorf("a second time: %d %s", code, to)
	}
	b.must(0, "", "person", "add", "ann", "--role", "viewer")
	own := strings.TrimSpace(b.must(0, "", "person", "link", "ann").stdout)
	ann := s.visitor()
	if code, to, _ := ann.do(http.MethodGet, strings.Replace(own, "http://127.0.0.1:8077", s.url, 1), nil); code != http.StatusSeeOther || to != "/" {
		t.Errorf("%s: %d %s", own, code, to)
	}
	may := func(want int, path string) {
		t.Helper()
		if code, _, body := ann.do(http.MethodGet, path, nil); code != want {
			t.Errorf("%s: %d, want %d: %s", path, code, want, body)
		}
	}
	may(200, "/api/v1/findings")
	may(403, "/api/v1/people")
	b.must(0, "", "person", "role", "ann", "admin")
	may(200, "/api/v1/people")
	b.must(0, "", "person", "role", "ann", "none")
	may(403, "/api/v1/findings")
	may(200, "/api/v1/me")
	b.must(0, "", "person", "disable", "ann")
	may(401, "/api/v1/me")
	shown := strings.TrimSpace(b.must(0, "", "token", "add", "ci", "--scope", "read").stdout)
	ci := s.visitor()
	if code, to, _ := ci.do(http.MethodPost, "/auth/token", url.Values{"token": {shown}, "next": {"/findings"}}); code != 303 || to != "/findings" {
		t.Errorf("%d %s", code, to)
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	// Sessions outlive the server; the link for setting up is not offered again.
	s = b.serve()
	if strings.Contains(s.printed(), "/auth/setup") {
		t.Error("a second link")
	}
	ci.s, root.s = s, s
	if code, _, body := ci.do(http.MethodGet, "/api/v1/me", nil); code != 200 || !strings.Contains(body, "token:ci") {
		t.Errorf("after a restart: %d %s", code, body)
	}
	if code, _, _ := root.do(http.MethodDelete, "/api/v1/me/sessions", nil); code != 204 {
		t.Errorf("signing out: %d", code)
	}
	if code, _, _ := root.do(http.MethodGet, "/api/v1/me", nil); code != 401 {
		t.Errorf("signed out: %d", code)
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	if log := b.must(0, "", "audit", "list").stdout; strings.Contains(log, "code=") || !strings.Contains(log, "sign-in") {
		t.Error(log)
	}
}
