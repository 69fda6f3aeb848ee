//go:build frameworks

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools is the folder that make test-frameworks fills.
const tools = "../../build/frameworks"

// newFrameworkBox has the frameworks on its path, and caches of its own.
func newFrameworkBox(t *testing.T) hookBox {
	t.Helper()
	h := newHookBox(t)
	at, err := filepath.Abs(tools)
	if err != nil {
		t.Fatal(err)
	}
	goEnv := func(name string) string {
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return name + "=" + strings.TrimSpace(string(out))
	}
	h.env = append(
		h.env, "PATH="+filepath.Join(h.dir, "bin")+":"+filepath.Join(at, "venv/bin")+":"+filepath.Join(at, "node_modules/.bin")+":"+filepath.Join(at, "bin")+":"+os.Getenv("PATH"),
		"PRE_COMMIT_HOME="+filepath.Join(h.dir, "pre-commit"), goEnv("GOMODCACHE"), goEnv("GOCACHE"), "GOFLAGS=-trimpath",
	)
	return h
}

// do runs a command in the repository and insists on its exit code.
func (h hookBox) do(code int, name string, args ...string) string {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), name, args...)
	c.Dir, c.Env = h.repo, h.env
	if c.Err != nil { // looked up on the path of the test
		for _, e := range h.env {
			if path, is := strings.CutPrefix(e, "PATH="); is {
				for _, dir := range filepath.SplitList(path) {
					if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
						c.Path, c.Err = filepath.Join(dir, name), nil
						break
					}
				}
			}
		}
	}
	out, err := c.CombinedOutput()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != code {
		h.t.Fatalf("%s %v: %v, want %d\n%s", name, args, err, code, out)
	}
	return string(out)
}

// stops proves that what holds something is neither committed nor pushed, and
// that everything else is.
func (h hookBox) stops(seed uint64) {
	h.t.Helper()
	h.stage("conf.py", "api_key = \""+generated(seed)+"\"\n")
	if out := h.git(1, h.repo, "commit", "-m", "next"); !strings.Contains(out, "conf.py") || strings.Contains(out, generated(seed)) {
		h.t.Errorf("commit: %s", out)
	}
	h.stage("conf.py", "api_key = read_it()\n")
	h.git(0, h.repo, "commit", "-m", "next")
	up := filepath.Join(h.work, "up.git")
	h.git(0, h.work, "init", "-q", "--bare", up)
	h.git(0, h.repo, "remote", "add", "up", up)
	// A push of everything, the root included; then of what is new alone.
	h.stage("early.py", "api_key = \""+generated(seed+40)+"\"\n")
	h.git(0, h.repo, "commit", "-q", "--no-verify", "-m", "around")
	if out := h.git(1, h.repo, "push", "-q", "up", "HEAD:main"); !strings.Contains(out, "early.py") {
		h.t.Errorf("first push: %s", out)
	}
	h.git(0, h.repo, "reset", "-q", "--hard", "HEAD~1")
	h.git(0, h.repo, "push", "-q", "up", "HEAD:main")
	h.stage("later.py", "api_key = \""+generated(seed+1)+"\"\n")
	h.git(0, h.repo, "commit", "-q", "--no-verify", "-m", "around")
	for _, ref := range []string{"HEAD:main", "HEAD:new"} {
		if out := h.git(1, h.repo, "push", "-q", "up", ref); !strings.Contains(out, "later.py") {
			h.t.Errorf("push %s: %s", ref, out)
		}
	}
	plain := h.env
	h.env = append(h.env, "REVENANT_OVERRIDE=a test")
	h.git(0, h.repo, "push", "-q", "up", "HEAD:main")
	h.env = plain
	if s := h.status(0, h.repo); !s.Protected || s.Hooks[0].Standing != "calls" || s.Overrides != 1 {
		h.t.Errorf("status: %+v", s)
	}
}

// snapshot is this working tree as a repository that the framework can clone.
func snapshot(t *testing.T, h hookBox) string {
	t.Helper()
	dir := filepath.Join(h.work, "revenant")
	h.git(0, h.work, "init", "-q", dir)
	list, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			continue // deleted, and not committed yet
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.git(0, dir, "add", "-A")
	h.git(0, dir, "commit", "-q", "-m", "snapshot")
	return dir
}

// TestFrameworkPreCommit runs the framework with our file of hooks.
func TestFrameworkPreCommit(t *testing.T) {
	for i, id := range []string{"revenant-system", "revenant"} {
		t.Run(id, func(t *testing.T) {
			h := newFrameworkBox(t)
			from := snapshot(t, h)
			rev := strings.TrimSpace(h.git(0, from, "rev-parse", "HEAD"))
			h.stage(".pre-commit-config.yaml", "repos:\n  - repo: "+from+"\n    rev: "+rev+"\n    hooks:\n      - id: "+id+"\n      - id: "+id+"-push\n")
			h.git(0, h.repo, "commit", "-q", "-m", "config")
			if id == "revenant" { // the one that is built must do, not the one on the path
				if err := os.Remove(filepath.Join(h.dir, "bin/revenant")); err != nil {
					t.Fatal(err)
				}
			}
			h.do(0, "pre-commit", "validate-manifest", filepath.Join(from, ".pre-commit-hooks.yaml"))
			h.do(0, "pre-commit", "install", "--hook-type", "pre-commit", "--hook-type", "pre-merge-commit", "--hook-type", "pre-push")
			h.do(0, "pre-commit", "run")
			h.stage("conf.py", "api_key = \""+generated(80)+"\"\n")
			if out := h.do(1, "pre-commit", "run"); !strings.Contains(out, "conf.py") {
				t.Errorf("run: %s", out)
			}
			if r := h.must(2, "", "hook", "install", h.repo); !strings.Contains(r.stderr, ".pre-commit-config.yaml") {
				t.Errorf("install: %s", r.stderr)
			}
			h.stops(uint64(81 + 2*i))
		})
	}
}

// TestFrameworkOverOurs: pre-commit moves our hook away and runs it from there,
// with the one that was there before ours.
func TestFrameworkOverOurs(t *testing.T) {
	h := newFrameworkBox(t)
	mine := filepath.Join(h.repo, ".git/hooks/pre-commit")
	if err := os.WriteFile(mine, []byte("#!/bin/sh\necho mine ran\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h.must(0, "", "hook", "install", h.repo)
	h.stage(".pre-commit-config.yaml", "repos: []\n")
	h.do(0, "pre-commit", "install")
	if out := h.git(0, h.repo, "commit", "-m", "config"); !strings.Contains(out, "mine ran") {
		t.Errorf("commit: %s", out)
	}
	h.stage("conf.py", "api_key = \""+generated(90)+"\"\n")
	h.git(1, h.repo, "commit", "-m", "next")
}

// told takes what is to be written out of a refusal, as a person would.
func told(t *testing.T, text, hook string) string {
	t.Helper()
	_, text, found := strings.Cut(text, hook+" in ")
	_, text, cut := strings.Cut(text, "\n\n")
	block, _, end := strings.Cut(text, "\n\n")
	if !found || !cut || !end {
		t.Fatalf("nothing is said of %s: %s", hook, text)
	}
	var b strings.Builder
	for line := range strings.Lines(block + "\n") {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

// TestFrameworkLefthook and Husky: what the refusal tells to write works.
func TestFrameworkLefthook(t *testing.T) {
	h := newFrameworkBox(t)
	h.stage("lefthook.yml", "pre-commit:\n  commands:\n    nothing:\n      run: 'true'\npre-push:\n  commands:\n    nothing:\n      run: 'true'\npre-merge-commit:\n  commands:\n    nothing:\n      run: 'true'\n")
	h.do(0, "lefthook", "install")
	r := h.must(2, "", "hook", "install", h.repo)
	h.stage("lefthook.yml", told(t, r.stderr, "pre-commit")+told(t, r.stderr, "pre-merge-commit")+told(t, r.stderr, "pre-push"))
	h.do(0, "lefthook", "install")
	h.stops(91)
}

// TestFrameworkHusky is the same with husky.
func TestFrameworkHusky(t *testing.T) {
	h := newFrameworkBox(t)
	h.do(0, "husky")
	r := h.must(2, "", "hook", "install", h.repo)
	for _, name := range []string{"pre-commit", "pre-merge-commit", "pre-push"} {
		if err := os.WriteFile(filepath.Join(h.repo, ".husky", name), []byte(told(t, r.stderr, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	h.stops(93)
	// Forced all the same: ours runs before husky's, which still finds its own.
	h.must(0, "", "hook", "install", h.repo, "--force")
	if err := os.WriteFile(filepath.Join(h.repo, ".husky/pre-commit"), []byte("echo mine ran\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.stage("more.txt", "x\n")
	if out := h.git(0, h.repo, "commit", "-m", "more"); !strings.Contains(out, "mine ran") {
		t.Errorf("commit: %s", out)
	}
	h.stage("conf.py", "api_key = \""+generated(95)+"\"\n")
	h.git(1, h.repo, "commit", "-m", "next")
}
