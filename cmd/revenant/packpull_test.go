package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packServer answers as a server does that has one edge pack, in a file.
func packServer(t *testing.T, file, token string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"title":"Unauthorized","status":401,"code":"unauthorized","detail":"the token is not valid"}`))
		case r.URL.Path == "/api/v1/me":
			_, _ = w.Write([]byte(`{"name":"token:laptop","scopes":["pack"]}`))
		case r.URL.Path != "/api/v1/packs/edge":
			http.NotFound(w, r)
		default:
			w.Header().Set("ETag", `"1"`)
			http.ServeFile(w, r, file)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestPackPull takes packs from a real server, as a laptop does.
func TestPackPull(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	b.must(0, generated(81), "secret", "add", "shop/db")
	s := b.serve()
	token := strings.TrimSpace(b.must(0, "", "token", "add", "laptop", "--scope", "pack").stdout)
	reader := strings.TrimSpace(b.must(0, "", "token", "add", "reader", "--scope", "read").stdout)
	file, key := filepath.Join(b.dir, "edge.pack"), filepath.Join(b.dir, "edge.key")
	b.must(0, "", "pack", "export", "--out", filepath.Join(b.dir, "other.pack"), "--key-out", key)
	pull := func(token string, args ...string) ran {
		t.Helper()
		env := b.env
		defer func() { b.env = env }()
		b.env = append(append([]string{}, env...), "REVENANT_SERVER="+s.url, "REVENANT_TOKEN="+token)
		return b.run("", append([]string{"pack", "pull", "--out", file}, args...)...)
	}
	for name, c := range map[string]struct {
		r    ran
		want string
	}{
		"no such token": {pull("rvt_" + strings.Repeat("x", 43)), "token is not valid"},
		"its scope":     {pull(reader), "refuses"},
		"no token":      {pull(""), "revenant token add"},
		"no address":    {pull(token, "--server", "ftp://x"), "https://HOST"},
		"nobody":        {pull(token, "--server", "http://127.0.0.1:9"), "asking the server"},
	} {
		if c.r.code < 2 || !strings.Contains(c.r.stderr, c.want) || exists(file) {
			t.Errorf("%s: %d %s", name, c.r.code, c.r.stderr)
		}
	}
	if r := pull(token); r.code != 0 || !strings.Contains(r.stdout, "edge pack") {
		t.Fatalf("%d %s%s", r.code, r.stdout, r.stderr)
	}
	b.must(0, "", "pack", "verify", file, "--pack-key", key)
	before := must(os.Stat(file))
	if r := pull(token); r.code != 0 || !strings.Contains(r.stderr, "newest") || !must(os.Stat(file)).ModTime().Equal(before.ModTime()) {
		t.Errorf("again: %d %s", r.code, r.stderr)
	}
	b.must(0, generated(82), "secret", "add", "shop/mail")
	if r := pull(token); r.code != 0 || strings.Contains(r.stderr, "newest") {
		t.Errorf("a new value: %d %s", r.code, r.stderr)
	}
	b.must(0, "", "pack", "verify", file, "--pack-key", key)
	// A pack that was lost comes again, whatever was remembered of it.
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if r := pull(token); r.code != 0 || !exists(file) {
		t.Errorf("lost: %d %s", r.code, r.stderr)
	}
	b.must(0, "", "token", "revoke", "laptop")
	if r := pull(token); r.code < 2 || !exists(file) {
		t.Errorf("revoked: %d %s", r.code, r.stderr)
	}
	if code, _ := s.end(); code != 0 {
		t.Errorf("the server ended with code %d", code)
	}
}
