package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// hosted is a repository behind a server of git's that asks for a password.
type hosted struct {
	b        *box
	dir      string // of a work tree that pushes to it
	url, pw  string // with the password
	down     bool
	sourceID string
}

func (b *box) hosted() *hosted {
	b.t.Helper()
	h := &hosted{b: b, dir: filepath.Join(b.work, "work"), pw: generated(901)}
	b.write("srv/.keep", "")
	root := filepath.Join(b.work, "srv")
	b.gitIn(root, "init", "-q", "--bare", "-b", "main", "shop.git")
	b.gitIn(root, "clone", "-q", filepath.Join(root, "shop.git"), h.dir)
	b.gitIn(h.dir, "checkout", "-q", "-b", "main")
	exe := b.gitIn(root, "--exec-path")
	backend := &cgi.Handler{Path: filepath.Join(exe, "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_NOSYSTEM=1"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, pw, _ := r.BasicAuth()
		switch {
		case h.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case user != "me" || pw != h.pw:
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
		default:
			backend.ServeHTTP(w, r)
		}
	}))
	b.t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	h.url = "http://me:" + h.pw + "@" + host + "/shop.git"
	h.sourceID = "git:" + host + "/shop"
	return h
}

// push commits a file on a branch and pushes it, whatever was there.
func (h *hosted) push(branch, name, content string, more ...string) {
	h.b.t.Helper()
	h.b.write("work/"+name, content)
	h.b.gitIn(h.dir, "add", "-A")
	h.b.gitIn(h.dir, append([]string{"commit", "-q", "-m", name}, more...)...)
	h.b.gitIn(h.dir, "push", "-q", "-f", "origin", "HEAD:"+branch)
}

// scan scans it and returns what is told, sorted.
func (h *hosted) scan(args ...string) (out []string) {
	h.b.t.Helper()
	r := h.b.run("", append([]string{"git", h.url, "-f", "json", "-r", "-", "-q"}, args...)...)
	if r.code != 0 && r.code != 1 || strings.Contains(r.stdout+r.stderr, h.pw) {
		h.b.t.Fatalf("exit code %d\n%s\n%s", r.code, r.stdout, r.stderr)
	}
	for _, f := range h.b.toldBy(r) {
		out = append(out, fmt.Sprint(f.SecretName, " ", f.File, " ", f.Presence, " ", f.Refs))
	}
	slices.Sort(out)
	return out
}

// kept are the files of the kept clones' folder.
func (h *hosted) kept() (names []string) {
	list, err := os.ReadDir(filepath.Join(h.b.registry(), "clones"))
	if err != nil {
		return nil
	}
	for _, e := range list {
		names = append(names, strings.TrimPrefix(e.Name(), sourceFile(h.sourceID)))
	}
	return names
}

// logsGit puts a git before the real one that writes down what it is asked for,
// and runs a script first. did is what it was asked for since the last time.
func (b *box) logsGit(script string) (did func() string) {
	b.t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		b.t.Fatal(err)
	}
	log := filepath.Join(b.work, "git.log")
	name := b.write("../bin/git", fmt.Sprintf("#!/bin/sh\nGIT=%s\necho \" $* \" >> %s\n%s\nexec $GIT \"$@\"\n", git, log, script))
	if err := os.Chmod(name, 0o700); err != nil {
		b.t.Fatal(err)
	}
	for i, kv := range b.env {
		if path, is := strings.CutPrefix(kv, "PATH="); is && !strings.HasPrefix(path, filepath.Dir(name)) {
			b.env[i] = "PATH=" + filepath.Dir(name) + ":" + path
		}
	}
	return func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.Remove(log); err != nil {
			b.t.Fatal(err)
		}
		var words []string
		for _, word := range []string{"clone", "fetch", "gc"} {
			if strings.Contains(string(text), " "+word+" ") {
				words = append(words, word)
			}
		}
		return strings.Join(words, " ")
	}
}

// TestKeptClone follows a remote repository: every scan says what one of a new
// clone does, and only what is new is fetched.
func TestKeptClone(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.must(0, "", "init")
	h := b.hosted()
	values := []string{generated(902), generated(903), generated(904)}
	for i, v := range values {
		b.must(0, v, "secret", "add", fmt.Sprintf("shop/%d", i))
	}
	did := b.logsGit("")
	pack := func() string {
		list, err := filepath.Glob(filepath.Join(b.registry(), "clones", "*.git", "objects", "pack", "*.pack"))
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	for _, step := range []struct {
		name string
		do   func()
		did  string
		n    int
	}{
		{"first", func() { h.push("main", "a.conf", values[0]) }, "clone", 1},
		{"nothing new", func() {}, "fetch", 1},
		{"a push", func() { h.push("main", "b.conf", values[1]) }, "fetch", 2},
		{"a branch", func() { h.push("side", "c.conf", values[2]) }, "fetch", 3},
		{"rewritten", func() { h.push("side", "c.conf", "clean", "--amend") }, "fetch gc", 2},
		{"a branch that is gone", func() { b.gitIn(h.dir, "push", "-q", "origin", ":side") }, "fetch gc", 2},
		{"an index that is gone", func() {
			if err := os.Remove(strings.TrimSuffix(pack(), ".pack") + ".idx"); err != nil {
				t.Fatal(err)
			}
		}, "clone", 2},
		{"a pack that is cut", func() {
			if err := os.Chmod(pack(), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(pack(), 50); err != nil {
				t.Fatal(err)
			}
		}, "clone", 2},
		{"refs of noise", func() {
			if err := os.WriteFile(filepath.Join(filepath.Dir(pack()), "..", "..", "packed-refs"), []byte("noise\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "clone", 2},
		{"again", func() {}, "fetch", 2},
	} {
		step.do()
		_ = os.Remove(filepath.Join(b.work, "git.log"))
		got := h.scan()
		if said := did(); said != step.did {
			t.Errorf("%s: git was asked to %q, not %q", step.name, said, step.did)
		}
		if diff := cmp.Diff(h.scan("--no-store"), got); diff != "" || len(got) != step.n {
			t.Errorf("%s: %d findings (-new clone +kept one):\n%s", step.name, len(got), diff)
		}
	}
	h.clean(t)

	h.down = true
	if r := b.run("", "git", h.url); r.code != 2 && r.code != 3 || strings.Contains(r.stdout+r.stderr, h.pw) {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	h.down = false
	if _ = did(); len(h.scan()) != 2 || did() != "fetch" {
		t.Error("the clone did not outlive a time without the remote")
	}
	b.must(0, "", "source", "forget", h.sourceID)
	if diff := cmp.Diff([]string{".lock"}, h.kept()); diff != "" {
		t.Errorf("after the source was forgotten (-want +got):\n%s", diff)
	}
	for _, args := range [][]string{{"--no-cache"}, {"--no-store"}} {
		if n := len(h.scan(args...)); n != 2 || len(h.kept()) != 1 {
			t.Errorf("%v: %d findings; kept: %v", args, n, h.kept())
		}
	}
}

// clean checks that no password is in any file, and that others cannot look.
func (h *hosted) clean(t *testing.T) {
	t.Helper()
	info, err := os.Stat(filepath.Join(h.b.registry(), "clones"))
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info, err)
	}
	err = filepath.WalkDir(h.b.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		if strings.Contains(string(text), h.pw) {
			t.Errorf("%s holds the password", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestKeptCloneKilled: a scan that is killed when git has done its part, or is
// half through, leaves nothing that is taken for a whole clone.
func TestKeptCloneKilled(t *testing.T) {
	for _, word := range []string{"clone", "fetch", "gc"} {
		t.Run(word, func(t *testing.T) {
			b := newBox(t)
			b.must(0, "", "init")
			h := b.hosted()
			one, two := generated(905), generated(906)
			b.must(0, one, "secret", "add", "shop/one")
			b.must(0, two, "secret", "add", "shop/two")
			h.push("main", "a.conf", one)
			if word != "clone" {
				h.scan()
			}
			if word == "gc" {
				h.push("main", "a.conf", "clean", "--amend")
			}
			h.push("main", "b.conf", two)
			want := h.scan("--no-store")
			b.logsGit(fmt.Sprintf("case \" $* \" in *\" %s \"*) \"$GIT\" \"$@\"; kill -9 $PPID; exit 1;; esac", word))
			if r := b.run("", "git", h.url, "-q"); r.code != -1 {
				t.Fatalf("it was not killed: %d %s", r.code, r.stderr)
			}
			if slices.Contains(h.kept(), ".whole") {
				t.Error("what was broken off is taken for whole")
			}
			did := b.logsGit("")
			if diff := cmp.Diff(want, h.scan()); diff != "" {
				t.Errorf("afterwards (-want +got):\n%s", diff)
			}
			if said := did(); !strings.HasPrefix(said, "clone") {
				t.Errorf("git was asked to %q", said)
			}
			if diff := cmp.Diff([]string{".git", ".lock", ".whole"}, h.kept()); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
			h.clean(t)
		})
	}
}

// TestKeptCloneInUse: while another process has the clone, a temporary one is
// read.
func TestKeptCloneInUse(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	h := b.hosted()
	v := generated(907)
	b.must(0, v, "secret", "add", "shop/db")
	h.push("main", "a.conf", v)
	k := holdClone(clonesDir(b.registry()), h.sourceID)
	if k == nil || holdClone(clonesDir(b.registry()), h.sourceID) != nil {
		t.Fatal("it is not held, or twice")
	}
	if n := len(h.scan()); n != 1 || len(h.kept()) != 1 {
		t.Errorf("%d findings; kept: %v", n, h.kept())
	}
	if r := b.must(3, "", "source", "forget", h.sourceID); !strings.Contains(r.stderr, "in use") {
		t.Errorf("%s", r.stderr)
	}
	k.unlock()
	if n := len(h.scan()); n != 1 || len(h.kept()) != 3 {
		t.Errorf("%d findings; kept: %v", n, h.kept())
	}
}

func TestPlainURL(t *testing.T) {
	for remote, want := range map[string]string{
		"https://git.example.org/a/b.git":         "https://git.example.org/a/b.git",
		"https://me:pw@git.example.org/a%20b.git": "https://git.example.org/a%20b.git",
		"https://token@git.example.org/a":         "https://git.example.org/a",
		"https://git.example.org/a?token=pw#pw":   "https://git.example.org/a",
		"https://me:p%zz@git.example.org/a":       "https://git.example.org/a",
		"ssh://git@git.example.org:2222/a":        "ssh://git.example.org:2222/a",
		"git@git.example.org:a/b":                 "git@git.example.org:a/b",
		"file:///srv/a.git":                       "file:///srv/a.git",
	} {
		if got := plainURL(remote); got != want {
			t.Errorf("%s: %s", remote, got)
		}
	}
}
