package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hookBox is a machine with git's configuration of its own, a repository, and
// the program on its path as people have it.
type hookBox struct {
	*box
	repo string
}

func newHookBox(t *testing.T) hookBox {
	t.Helper()
	h := hookBox{box: newBox(t)}
	bin := filepath.Join(h.dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	// A link, as package managers make: its name stays when the program does not.
	if err := os.Symlink(os.Args[0], filepath.Join(bin, "revenant")); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(h.dir, "gitconfig")
	if err := os.WriteFile(config, []byte("[user]\n\tname = x\n\temail = x@example.org\n[init]\n\tdefaultBranch = main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "PATH="+bin+":"+os.Getenv("PATH"), "GIT_CONFIG_GLOBAL="+config, "GIT_CONFIG_SYSTEM="+filepath.Join(h.dir, "system"),
		"XDG_CONFIG_HOME="+filepath.Join(h.dir, "config"))
	h.repo = filepath.Join(h.work, "repo")
	h.git(0, h.work, "init", "-q", h.repo)
	h.git(0, h.repo, "commit", "-q", "--allow-empty", "-m", "first")
	return h
}

// git runs git in a folder and insists on its exit code.
func (h hookBox) git(code int, dir string, args ...string) string {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "git", args...)
	c.Dir, c.Env = dir, h.env
	out, _ := c.CombinedOutput()
	if got := c.ProcessState.ExitCode(); got != code {
		h.t.Fatalf("git %v: exit code %d, want %d\n%s", args, got, code, out)
	}
	return string(out)
}

func (h hookBox) stage(name, text string) {
	h.t.Helper()
	if err := os.WriteFile(filepath.Join(h.repo, name), []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
	h.git(0, h.repo, "add", name)
}

type hookStatus struct {
	Protected bool     `json:"protected"`
	Notes     []string `json:"notes"`
	Overrides int      `json:"overrides"`
	Hooks     []struct {
		Hook     string `json:"hook"`
		Standing string `json:"standing"`
		Format   int    `json:"format"`
		BadPack  string `json:"on_bad_pack"`
		Program  struct {
			Path    string `json:"path"`
			There   bool   `json:"there"`
			Version string `json:"version"`
		} `json:"program"`
		Pack struct {
			Path    string `json:"path"`
			Problem string `json:"problem"`
			Values  int    `json:"values"`
			Expires string `json:"expires"`
			Expired bool   `json:"expired"`
		} `json:"pack"`
	} `json:"hooks"`
}

func (h hookBox) status(code int, args ...string) hookStatus {
	h.t.Helper()
	var s hookStatus
	if err := json.Unmarshal([]byte(h.must(code, "", append([]string{"hook", "status", "--json"}, args...)...).stdout), &s); err != nil {
		h.t.Fatal(err)
	}
	return s
}

// TestHookOfARepository: from nothing to a commit that is stopped, and back.
func TestHookOfARepository(t *testing.T) {
	h := newHookBox(t)
	if s := h.status(1, h.repo); s.Protected || len(s.Notes) != 3 {
		t.Errorf("before: %+v", s)
	}
	if r := h.must(0, "", "hook", "install", h.repo); strings.Count(r.stdout, "installed") != 3 {
		t.Errorf("install: %s", r.stdout)
	}
	if r := h.must(0, "", "hook", "install", h.repo); strings.Count(r.stdout, "unchanged") != 3 {
		t.Errorf("again: %s", r.stdout)
	}
	s := h.status(0, h.repo)
	if !s.Protected || len(s.Hooks) != 3 || s.Hooks[0].Standing != "scans" || s.Hooks[0].Format != 1 || !s.Hooks[0].Program.There || s.Hooks[0].Program.Version == "" {
		t.Errorf("status: %+v", s)
	}
	if want := filepath.Join(h.dir, "bin/revenant"); s.Hooks[0].Program.Path != want {
		t.Errorf("the program is %s, and is called as %s", s.Hooks[0].Program.Path, want)
	}
	h.stage("conf.py", "api_key = \""+generated(71)+"\"\n")
	if out := h.git(1, h.repo, "commit", "-m", "next"); !strings.Contains(out, "conf.py") || strings.Contains(out, generated(71)) {
		t.Errorf("commit: %s", out)
	}
	h.stage("conf.py", "api_key = read_it()\n")
	h.git(0, h.repo, "commit", "-q", "-m", "next")
	// A push of what went around the first hook is stopped by the second.
	h.stage("later.py", "api_key = \""+generated(72)+"\"\n")
	h.git(0, h.repo, "commit", "-q", "--no-verify", "-m", "around")
	h.git(0, h.work, "init", "-q", "--bare", "up.git")
	if out := h.git(1, h.repo, "push", "-q", filepath.Join(h.work, "up.git"), "HEAD:main"); !strings.Contains(out, "later.py") {
		t.Errorf("push: %s", out)
	}
	// The server stops it too.
	h.must(0, "", "hook", "install", filepath.Join(h.work, "up.git"))
	if out := h.git(1, h.repo, "push", "-q", "--no-verify", filepath.Join(h.work, "up.git"), "HEAD:main"); !strings.Contains(out, "later.py") {
		t.Errorf("push around the hook: %s", out)
	}
	h.env = append(h.env, "REVENANT_OVERRIDE=a test")
	h.git(0, h.repo, "push", "-q", filepath.Join(h.work, "up.git"), "HEAD:main")
	if s := h.status(0, h.repo); s.Overrides != 1 {
		t.Errorf("%d overrides", s.Overrides)
	}
	if r := h.must(0, "", "hook", "status", h.repo); !strings.Contains(r.stdout, "1 refusal was overridden") {
		t.Errorf("status: %s", r.stdout)
	}
	h.must(0, "", "hook", "uninstall", h.repo)
	if r := h.must(0, "", "hook", "uninstall", h.repo); !strings.Contains(r.stderr, "no hook") {
		t.Errorf("uninstalled twice: %s", r.stderr)
	}
}

// TestHookOfAMachine: every repository, also one that is made later.
func TestHookOfAMachine(t *testing.T) {
	h := newHookBox(t)
	h.status(1, "--global")
	if r := h.must(0, "", "hook", "install", "--global"); !strings.Contains(r.stdout, filepath.Join(h.dir, "config/revenant/hooks")) {
		t.Errorf("install: %s", r.stdout)
	}
	if s := h.status(0, "--global"); !s.Protected || len(s.Hooks) != 3 {
		t.Errorf("status: %+v", s)
	}
	h.stage("conf.py", "api_key = \""+generated(73)+"\"\n")
	h.git(1, h.repo, "commit", "-m", "next")
	h.git(0, h.repo, "config", "core.hooksPath", ".husky/_")
	if s := h.status(1, h.repo); !strings.Contains(strings.Join(s.Notes, "\n"), "do not run here") {
		t.Errorf("hidden: %+v", s)
	}
	h.must(0, "", "hook", "uninstall", "--global")
	h.must(0, "", "hook", "install", "--system", "--hooks-folder", h.out("hooks"))
	if r := h.must(0, "", "hook", "status", "--system"); !strings.Contains(r.stdout, h.out("hooks")) {
		t.Errorf("status: %s", r.stdout)
	}
	h.must(0, "", "hook", "uninstall", "--system")
	h.must(2, "", "hook", "uninstall", "--system", "--hook", "pre-push")
}

// TestHookWithAPack: the status says what the pack is and how old.
func TestHookWithAPack(t *testing.T) {
	h := newHookBox(t)
	h.must(0, "", "init", "-q")
	h.must(0, generated(74), "secret", "add", "billing/db-password", "-q")
	edge, key := h.out("edge.pack"), h.out("edge.key")
	h.must(0, "", "pack", "export", "--out", edge, "--key-out", key, "-q")
	h.must(0, "", "hook", "install", h.repo, "--pack", edge, "--pack-key", key, "--on-bad-pack", "warn")
	s := h.status(0, h.repo)
	if r := h.must(0, "", "hook", "status", h.repo); !strings.Contains(r.stdout, "1 of 1 registered values") || !strings.Contains(r.stdout, "0 minutes old") {
		t.Errorf("status: %s", r.stdout)
	}
	if p := s.Hooks[0].Pack; p.Path != edge || p.Problem != "" || p.Values != 1 || p.Expires == "" || s.Hooks[0].BadPack != "warn" {
		t.Errorf("pack: %+v", p)
	}
	h.stage("notes.txt", "the word is "+generated(74)+"\n")
	if out := h.git(1, h.repo, "commit", "-m", "next"); !strings.Contains(out, "billing/db-password") {
		t.Errorf("commit: %s", out)
	}
	old, err := os.ReadFile("../../testdata/formats/v1/edge.pack")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(edge, old, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := h.status(1, h.repo); !s.Hooks[0].Pack.Expired || !strings.Contains(strings.Join(s.Notes, ""), "expired") {
		t.Errorf("expired: %+v", s)
	}
	if r := h.must(1, "", "hook", "status", h.repo); !strings.Contains(r.stdout, "expired 2023-12-14") || !strings.Contains(r.stdout, "a bad one: warn") {
		t.Errorf("status: %s", r.stdout)
	}
	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	h.must(2, "", "hook", "install", h.repo, "--pack", edge, "--pack-key", key)
	h.must(2, "", "hook", "install", h.repo, "--pack", h.write("no.pack", "x"))
	h.must(0, "", "hook", "install", h.repo, "--pack", h.write("no.pack", "x"), "--force")
	if s := h.status(1, h.repo); s.Hooks[0].Pack.Problem == "" {
		t.Errorf("no pack: %+v", s)
	}
}

// TestHookUsage: what cannot be meant is wrong usage, and nothing is written.
func TestHookUsage(t *testing.T) {
	h := newHookBox(t)
	for _, args := range [][]string{
		{"install", "--global", "--system"},
		{"install", "--global", h.repo},
		{"install", h.repo, "--hooks-folder", h.dir},
		{"install", h.repo, "--hook", "post-commit"},
		{"install", h.repo, "--on-bad-pack", "cry"},
		{"install", filepath.Join(h.dir, "nowhere")},
		{"install", h.dir},
		{"install", h.repo, h.repo},
		{"uninstall", h.dir},
		{"status", h.dir},
		{"status", "--global", h.repo},
	} {
		h.must(2, "", append([]string{"hook"}, args...)...)
	}
	if left, err := filepath.Glob(filepath.Join(h.repo, ".git/hooks/pre-*")); err != nil {
		t.Fatal(err)
	} else {
		for _, name := range left {
			if !strings.HasSuffix(name, ".sample") {
				t.Errorf("%s was written", name)
			}
		}
	}
}

// hanging hangs hooks and types values where paths and words belong.
func (w *walk) hanging() {
	repo := w.repository("../hung", w.value("added"), w.value("rotated"))
	w.do("", "hook", "install", repo)
	w.do("", "hook", "status", repo)
	w.do("", "hook", "status", repo, "--json")
	w.do("", "hook", "uninstall", repo)
	w.do("", "hook", "install", "--global")
	w.do("", "hook", "status", "--global", "--json")
	w.do("", "hook", "uninstall", "--global")
	for _, sub := range []string{"install", "uninstall", "status"} {
		w.try("", "hook", sub, w.plant("place of hook "+sub))
		w.try("", "hook", sub, repo, "--hooks-folder", w.plant("folder of hook "+sub))
	}
	for _, flag := range []string{"--hook", "--pack", "--pack-key", "--on-bad-pack"} {
		w.try("", "hook", "install", repo, flag, w.plant(flag+" of hook install"))
	}
	w.try("", "hook", "uninstall", repo, "--hook", w.plant("hook to uninstall"))
}
