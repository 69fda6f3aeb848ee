package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/ingest/hook"
)

// hooked is a repository whose hooks are this program.
type hooked struct {
	*box
	dir   string
	flags string // of hook run
}

func newHooked(t *testing.T, args ...string) *hooked {
	t.Helper()
	h := &hooked{box: newBox(t)}
	t.Cleanup(h.alone)
	h.env = append(
		h.env, "LC_ALL=C", "GIT_CONFIG_GLOBAL="+filepath.Join(h.box.dir, "gitconfig"), "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=x", "GIT_AUTHOR_EMAIL=x@example.org", "GIT_COMMITTER_NAME=x", "GIT_COMMITTER_EMAIL=x@example.org",
	)
	h.dir = filepath.Join(h.work, "repo")
	h.must0(h.git(h.work, append([]string{"init", "-q", "-b", "main", h.dir}, args...)...))
	h.hooks(filepath.Join(h.dir, ".git"), "pre-commit", "pre-merge-commit", "commit-msg", "pre-push")
	return h
}

// alone waits for what hooks left behind them, which writes into the box's home and
// is nobody's child.
func (h *hooked) alone() {
	mine := []byte("GIT_CONFIG_GLOBAL=" + filepath.Join(h.box.dir, "gitconfig") + "\x00") // with and without a registry
	running := func(environ string) bool {
		b, err := os.ReadFile(environ)
		return err == nil && bytes.Contains(b, mine)
	}
	for range 600 {
		all, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil || !slices.ContainsFunc(all, running) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.t.Error("what a hook left behind it did not end")
}

// hooks makes git call the program.
func (h *hooked) hooks(gitDir string, names ...string) {
	h.t.Helper()
	for _, name := range names {
		script := "#!/bin/sh\nexec '" + os.Args[0] + "' hook run " + h.flags + " " + name + " \"$@\"\n"
		file := filepath.Join(gitDir, "hooks", name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(script), 0o755)); err != nil {
			h.t.Fatal(err)
		}
	}
}

// git runs git in a folder, with what it said on both streams.
func (h *hooked) git(dir string, args ...string) ran {
	h.t.Helper()
	c := exec.CommandContext(h.t.Context(), "git", args...)
	c.Dir, c.Env = dir, h.env
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.t.Fatal(err)
	}
	return ran{code: c.ProcessState.ExitCode(), stdout: out.String()}
}

func (h *hooked) must0(r ran) ran {
	h.t.Helper()
	if r.code != 0 {
		h.t.Fatalf("exit code %d\n%s", r.code, r.stdout)
	}
	return r
}

// file writes a file of the repository.
func (h *hooked) file(name, content string) {
	h.t.Helper()
	file := filepath.Join(h.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644)); err != nil {
		h.t.Fatal(err)
	}
}

// stopped insists that git was stopped, and by what.
func (h *hooked) stopped(r ran, words ...string) {
	h.t.Helper()
	if r.code == 0 {
		h.t.Fatalf("git was not stopped\n%s", r.stdout)
	}
	h.says(r, append(words, "revenant stopped")...)
}

func (h *hooked) says(r ran, words ...string) {
	h.t.Helper()
	said := strings.Join(strings.Fields(r.stdout), " ") // lines are wrapped
	for _, w := range words {
		if !strings.Contains(said, w) {
			h.t.Errorf("%q is not said:\n%s", w, r.stdout)
		}
	}
}

// ghToken is a secret that a rule of gitleaks' knows.
func ghToken(seed uint64) string { return "ghp_" + (generated(seed) + generated(seed+1000))[:36] }

// TestPreCommit: what a commit would take counts, not what the work tree has.
func TestPreCommit(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			h := newHooked(t, "--object-format="+format)
			h.file("a.txt", "token = \""+ghToken(1)+"\"\n")
			h.git(h.dir, "add", "-A")
			h.stopped(h.git(h.dir, "commit", "-q", "-m", "the first commit"), "a.txt:1:", "github-pat", "revenant: allow", "REVENANT_OVERRIDE='", "rules only")
			// Only what is staged, and all that is staged.
			h.file("a.txt", "nothing\n")
			h.stopped(h.git(h.dir, "commit", "-q", "-m", "staged before"), "a.txt:1:")
			h.git(h.dir, "add", "-A")
			h.file("a.txt", "token = \""+ghToken(1)+"\"\n")
			h.must0(h.git(h.dir, "commit", "-q", "-m", "the first commit"))
			h.stopped(h.git(h.dir, "commit", "-q", "-a", "-m", "-a takes it"), "a.txt:1:")
			h.stopped(h.git(h.dir, "commit", "-q", "-m", "so does a path", "a.txt"), "a.txt:1:")
			h.file("a.txt", "token = \""+ghToken(1)+"\" # revenant: allow of a test\n")
			h.must0(h.git(h.dir, "commit", "-q", "-a", "-m", "marked"))
			h.file("a.txt", "token = \""+ghToken(1)+"\" # revenant: allow of a test\nmore\n")
			h.must0(h.git(h.dir, "commit", "-q", "-a", "--amend", "-m", "amended"))
			// Links and binary files.
			if err := os.Symlink(ghToken(2), filepath.Join(h.dir, "link")); err != nil {
				t.Fatal(err)
			}
			h.file("b.dat", "\x00\x01"+ghToken(3)+"\x00")
			h.git(h.dir, "add", "-A")
			h.stopped(h.git(h.dir, "commit", "-q", "-m", "others"), "link:1:", "b.dat")
			h.git(h.dir, "reset", "-q", "--hard")
			h.stopped(h.git(h.dir, "commit", "-q", "--allow-empty", "-m", "says "+ghToken(4)), "@commit-message", "Write the message without it")
		})
	}
}

// TestPreCommitElsewhere: linked work trees, submodules, a git directory apart.
func TestPreCommitElsewhere(t *testing.T) {
	h := newHooked(t)
	h.must0(h.git(h.dir, "commit", "-q", "--allow-empty", "-m", "first"))
	linked := filepath.Join(h.work, "linked")
	h.must0(h.git(h.dir, "worktree", "add", "-q", linked))
	leak := func(dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(ghToken(1)+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	leak(linked)
	h.git(linked, "add", "-A")
	h.stopped(h.git(linked, "commit", "-q", "-m", "x"), "a.txt:1:")
	// A submodule's commit is no content of this repository.
	other := filepath.Join(h.work, "other")
	h.must0(h.git(h.work, "init", "-q", other))
	h.must0(h.git(other, "commit", "-q", "--allow-empty", "-m", "x"))
	h.must0(h.git(h.dir, "-c", "protocol.file.allow=always", "submodule", "add", "-q", other, "module"))
	h.must0(h.git(h.dir, "commit", "-q", "-m", "with a submodule"))
	apart := filepath.Join(h.work, "apart.git")
	if err := os.Rename(filepath.Join(h.dir, ".git"), apart); err != nil {
		t.Fatal(err)
	}
	leak(h.dir)
	h.must0(h.git(h.dir, "--git-dir="+apart, "--work-tree=.", "add", "a.txt"))
	h.stopped(h.git(h.dir, "--git-dir="+apart, "--work-tree=.", "commit", "-q", "-m", "x"), "a.txt:1:")
}

// TestPreMerge: a merge is stopped for what it adds and what was committed around
// the hooks, not for what others have seen already.
func TestPreMerge(t *testing.T) {
	h := newHooked(t)
	h.must0(h.git(h.dir, "commit", "-q", "--allow-empty", "-m", "first"))
	h.git(h.dir, "checkout", "-q", "-b", "side")
	h.file("side.txt", ghToken(1)+"\n")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "--no-verify", "-m", "their debt"))
	h.git(h.dir, "checkout", "-q", "main")
	h.file("main.txt", "x")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "-m", "main"))
	h.stopped(h.git(h.dir, "merge", "-q", "-m", "merged", "side"), "side.txt:1:")
	h.git(h.dir, "merge", "--abort")
	h.must0(h.git(h.dir, "update-ref", "refs/remotes/origin/side", "side")) // others have seen it
	h.must0(h.git(h.dir, "merge", "-q", "-m", "merged", "side"))
	h.git(h.dir, "reset", "-q", "--hard", "HEAD~")
	h.git(h.dir, "merge", "-q", "--no-commit", "side")
	h.file("side.txt", ghToken(2)+"\n")
	h.git(h.dir, "add", "-A")
	h.stopped(h.git(h.dir, "commit", "-q", "-m", "an evil merge"), "side.txt:1:")
}

// TestPrePush: what the remote lacks is looked at, and all of it.
func TestPrePush(t *testing.T) {
	h := newHooked(t)
	h.file("old.txt", ghToken(1)+"\n")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "--no-verify", "-m", "old debt"))
	remote := filepath.Join(h.work, "remote.git")
	h.must0(h.git(h.work, "clone", "-q", "--bare", h.dir, remote))
	h.must0(h.git(h.dir, "remote", "add", "origin", remote))
	h.must0(h.git(h.dir, "fetch", "-q", "origin"))
	h.must0(h.git(h.dir, "push", "-q", "origin", "main:again"))
	h.file("a.txt", ghToken(2)+"\n")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "--no-verify", "-m", "adds"))
	h.must0(h.git(h.dir, "rm", "-q", "a.txt"))
	h.must0(h.git(h.dir, "commit", "-q", "-m", "removes"))
	h.stopped(h.git(h.dir, "push", "-q", "origin", "main"), "a.txt:1:", "git rebase -i", "REVENANT_OVERRIDE='the reason' git push")
	h.stopped(h.git(h.dir, "push", "-q", remote, "main:refs/heads/"+ghToken(3)), "a.txt:1:", "@ref")
	h.must0(h.git(h.dir, "push", "-q", "origin", ":again"))
	h.must0(h.git(h.dir, "reset", "-q", "--hard", "HEAD~2"))
	h.must0(h.git(h.dir, "tag", "-a", "-m", "v1 is "+ghToken(4), "v1"))
	h.stopped(h.git(h.dir, "push", "-q", "origin", "v1"), "@tag-message")
	// The pre-commit framework says it in the environment.
	base := strings.TrimSpace(h.git(h.dir, "rev-parse", "HEAD").stdout)
	h.file("b.txt", ghToken(5)+"\n")
	h.git(h.dir, "add", "-A")
	h.must0(h.git(h.dir, "commit", "-q", "--no-verify", "-m", "adds"))
	h.env = append(h.env, "PRE_COMMIT_FROM_REF="+base, "PRE_COMMIT_TO_REF="+strings.TrimSpace(h.git(h.dir, "rev-parse", "HEAD").stdout), "PRE_COMMIT_REMOTE_NAME=origin")
	c := h.command(t.Context(), "", "hook", "run", "pre-push", "origin", remote)
	c.Dir = h.dir
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "b.txt:1:") || strings.Contains(string(out), "old.txt") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestPreReceive: a server refuses before it takes objects in, few or many.
func TestPreReceive(t *testing.T) {
	for _, limit := range []string{"1", "1000"} { // packed, and loose
		h := newHooked(t)
		server := filepath.Join(h.work, "server.git")
		h.must0(h.git(h.work, "init", "-q", "--bare", "-b", "main", server))
		h.must0(h.git(server, "config", "receive.unpackLimit", limit))
		h.hooks(server, "pre-receive")
		h.must0(h.git(h.dir, "remote", "add", "origin", server))
		h.file("a.txt", "nothing\n")
		h.git(h.dir, "add", "-A")
		h.must0(h.git(h.dir, "commit", "-q", "-m", "first"))
		h.must0(h.git(h.dir, "push", "-q", "origin", "main"))
		h.file("b.txt", ghToken(2)+"\n")
		h.git(h.dir, "add", "-A")
		h.must0(h.git(h.dir, "commit", "-q", "--no-verify", "-m", "second"))
		r := h.git(h.dir, "push", "-q", "--no-verify", "origin", "main")
		h.stopped(r, "remote: ", "b.txt:1:")
		if strings.Contains(r.stdout, "REVENANT_OVERRIDE") {
			t.Errorf("the pusher is told of an override that is the server's:\n%s", r.stdout)
		}
		blob := strings.TrimSpace(h.git(h.dir, "rev-parse", "HEAD:b.txt").stdout)
		if h.git(server, "cat-file", "-e", blob).code == 0 {
			t.Error("the server has the content all the same")
		}
	}
}

// TestHookOverrides: a registered value has one way through, which is kept.
func TestHookOverrides(t *testing.T) {
	h := newHooked(t)
	value := generated(9)
	h.must(0, "", "init", "-q")
	h.must(0, value, "secret", "add", "billing/db-password", "-q")
	h.must(0, "pw77xyz", "secret", "add", "weak", "-q")
	h.file("a.txt", "x = '"+value+"' # revenant: allow gitleaks:allow\n")
	h.git(h.dir, "add", "-A")
	h.stopped(h.git(h.dir, "commit", "-q", "-m", "x"), "billing/db-password@1", "no mark in a file", "checked 1 of 2 registered values")
	h.env = append(h.env, "REVENANT_OVERRIDE=it is "+value)
	if r := h.git(h.dir, "commit", "-q", "-m", "x"); r.code == 0 || strings.Contains(r.stdout, value) {
		t.Errorf("a reason that holds the value: %d\n%s", r.code, r.stdout)
	}
	h.env = append(h.env, "REVENANT_OVERRIDE=it is "+ghToken(3))
	if r := h.git(h.dir, "commit", "-q", "-m", "x"); r.code == 0 || strings.Contains(r.stdout, ghToken(3)) {
		t.Errorf("a reason that holds a token: %d\n%s", r.code, r.stdout)
	}
	h.env = append(h.env, "REVENANT_OVERRIDE= \t ")
	h.stopped(h.git(h.dir, "commit", "-q", "-m", "x"))
	h.env = append(h.env, "REVENANT_OVERRIDE=a drill")
	h.says(h.must0(h.git(h.dir, "commit", "-q", "-m", "x")), "let it through", "revenant/overrides")
	list, unreadable, err := hook.Overrides(filepath.Join(h.dir, ".git"))
	if err != nil || unreadable != 0 || len(list) != 1 {
		t.Fatalf("%v, %d, %v", list, unreadable, err)
	}
	o := list[0]
	if o.Reason != "a drill" || o.Hook != "pre-commit" || len(o.Findings) != 1 || o.Findings[0].Secret != "billing/db-password@1" || o.Findings[0].Path != "a.txt" || o.Findings[0].ID == "" {
		t.Errorf("%+v", o)
	}
	kept, err := os.ReadFile(hook.OverridesFile(filepath.Join(h.dir, ".git")))
	if err != nil || bytes.Contains(kept, []byte(value)) {
		t.Errorf("the overrides hold the value, or %v", err)
	}
	// Nothing to override: nothing is kept.
	h.must0(h.git(h.dir, "commit", "-q", "--allow-empty", "-m", "clean"))
	if list, _, _ = hook.Overrides(filepath.Join(h.dir, ".git")); len(list) != 1 {
		t.Errorf("%d overrides", len(list))
	}
}

// TestHookBadPack: an expired, foreign, damaged or missing pack blocks or warns,
// as was asked, and never looks like a good one.
func TestHookBadPack(t *testing.T) {
	h := newHooked(t)
	value := generated(9)
	h.must(0, "", "init", "-q")
	h.must(0, value, "secret", "add", "billing/db-password", "-q")
	h.must(0, "", "pack", "export", "--out", h.out("good.pack"), "--key-out", h.out("edge.key"), "-q")
	h.env = append(h.env, runningLater+"=-48h")
	h.must(0, "", "pack", "export", "--out", h.out("expired.pack"), "--expires", "1h", "-q")
	h.env = append(h.env, runningLater+"=")
	good, err := os.ReadFile(h.out("good.pack"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(good)
	damaged[len(damaged)-100] ^= 1
	other := newBox(t)
	other.must(0, "", "init", "-q")
	other.must(0, "", "pack", "export", "--out", h.out("foreign.pack"), "-q")
	if err := errors.Join(os.WriteFile(h.out("damaged.pack"), damaged, 0o600), os.WriteFile(h.out("cut.pack"), good[:len(good)/2], 0o600)); err != nil {
		t.Fatal(err)
	}
	h.env = append(h.env, "REVENANT_HOME="+h.out("none"))
	run := func(code int, pack, policy string, words ...string) {
		t.Helper()
		c := h.command(t.Context(), "", "hook", "run", "pre-commit", "--pack", h.out(pack), "--pack-key", h.out("edge.key"), "--on-bad-pack", policy)
		c.Dir = h.dir
		out, _ := c.CombinedOutput()
		if got := c.ProcessState.ExitCode(); got != code {
			t.Errorf("%s, %s: exit code %d, want %d\n%s", pack, policy, got, code, out)
		}
		h.says(ran{stdout: string(out)}, words...)
	}
	h.file("a.txt", "harmless\n")
	h.git(h.dir, "add", "-A")
	run(0, "good.pack", "block", "checked 1 of 1 registered value, pack of just now, good until "+time.Now().UTC().Add(30*24*time.Hour).Format(time.DateOnly))
	for pack, why := range map[string]string{
		"expired.pack": "has expired", "damaged.pack": "was changed after it was signed", "cut.pack": "cut short", "foreign.pack": "does not belong to these keys", "none.pack": "no such file",
	} {
		run(3, pack, "block", why, "revenant stopped this commit")
		run(0, pack, "warn", why, "lets it through")
	}
	h.file("a.txt", value+"\n")
	h.git(h.dir, "add", "-A")
	run(1, "good.pack", "block", "billing/db-password@1", "a.txt:1:1")
	run(1, "expired.pack", "warn", "billing/db-password@1", "expired on")
	run(2, "good.pack", "perhaps", "--on-bad-pack is block or warn")
}

// TestHookInput: what is no hook's input is told apart from a clean one.
func TestHookInput(t *testing.T) {
	h := newHooked(t)
	for _, wrong := range []struct {
		stdin string
		args  []string
		words []string
	}{
		{"", []string{"hook", "run", "post-commit"}, []string{"HOOK is one of pre-commit"}},
		{"", []string{"hook", "run", "commit-msg"}, []string{"the file of the message"}},
		{"", []string{"hook", "run", "commit-msg", "none"}, []string{"no such file"}},
		{"a b c\n", []string{"hook", "run", "pre-push", "origin", "x"}, []string{"standard input", "line 1"}},
		{"a b c\n", []string{"hook", "run", "pre-receive"}, []string{"standard input", "line 1"}},
	} {
		c := h.command(t.Context(), wrong.stdin, wrong.args...)
		c.Dir = h.dir
		out, _ := c.CombinedOutput()
		if c.ProcessState.ExitCode() != 2 {
			t.Errorf("%v: exit code %d\n%s", wrong.args, c.ProcessState.ExitCode(), out)
		}
		h.says(ran{stdout: string(out)}, wrong.words...)
	}
	h.wantWords(h.run("", "hook", "run", "pre-commit"), "a hook runs in a repository")
}
