package main

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// gitIn runs git in a folder of the box.
func (b *box) gitIn(dir string, args ...string) string {
	b.t.Helper()
	out, err := b.gitCommand(dir, args...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("git %s: %v\n%s", args[0], err, out)
	}
	return strings.TrimSpace(string(out))
}

func (b *box) gitCommand(dir string, args ...string) *exec.Cmd {
	c := exec.Command("git", args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=An Author", "GIT_AUTHOR_EMAIL=author@example.org", "GIT_COMMITTER_NAME=A Committer", "GIT_COMMITTER_EMAIL=committer@example.org")
	return c
}

// repository makes a repository beside the scanned folder with two values in
// every place that can hold one.
func (b *box) repository(name, one, two string) string {
	b.t.Helper()
	dir := filepath.Join(b.work, filepath.FromSlash(name))
	b.write(name+"/config.env", "PASSWORD="+one+"\n")
	b.write(name+"/"+two+"/"+one+".txt", "names")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "adds "+two+"\n\nand "+one)
	b.write(name+"/config.env", "PASSWORD="+base64.StdEncoding.EncodeToString([]byte("x"+two))+"\n")
	b.gitIn(dir, "commit", "-q", "-a", "--author", two+" <"+one+"@example.org>", "-m", one)
	b.gitIn(dir, "branch", "b-"+one)
	b.gitIn(dir, "tag", "-a", "-m", two, "t-"+two)
	b.gitIn(dir, "notes", "add", "-m", "note "+one)
	b.write(name+"/stashed.txt", one)
	b.gitIn(dir, "stash", "-q", "-u")
	b.gitIn(dir, "config", "remote.origin.url", "https://me:"+one+"@git.example.org/acme/shop.git")
	return dir
}

// TestGitLife follows a value through a repository: leaked at the tip, removed,
// retired, rewritten away.
func TestGitLife(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(81)
	b.must(0, v, "secret", "add", "shop/db")
	dir := filepath.Join(b.work, "repo")
	b.write("repo/app.conf", "db = "+v+"\n")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "first")
	first := b.gitIn(dir, "rev-parse", "HEAD")

	type told struct {
		File, Commit, Presence, Verdict, Author, Date, Source, Locator string
		StartLine                                                      int
	}
	scan := func(code int) (out []told) {
		t.Helper()
		r := b.must(code, "", "git", dir, "-f", "json", "-r", "-", "-q")
		if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	got := scan(1)
	if len(got) != 1 || got[0].File != "app.conf" || got[0].Commit != first || got[0].Presence != "tip" ||
		got[0].Verdict != "leaked" || got[0].Author != "An Author" || got[0].Date == "" || got[0].StartLine != 1 ||
		!strings.HasPrefix(got[0].Source, "git:file:") {
		t.Fatalf("at the tip: %+v", got)
	}
	b.write("repo/app.conf", "db = from the vault\n")
	b.gitIn(dir, "commit", "-q", "-a", "-m", "removed")
	if got = scan(1); len(got) != 1 || got[0].Presence != "history" || got[0].Commit != first {
		t.Fatalf("in history: %+v", got)
	}
	b.must(0, generated(82), "secret", "rotate", "shop/db")
	b.must(0, "", "secret", "retire", "shop/db@1")
	if r := b.must(0, "", "prove", "shop/db@1", "--json"); !strings.Contains(r.stdout, "proven") {
		t.Errorf("history alone is no live copy: %s", r.stdout)
	}
	b.must(1, "", "prove", "shop/db@1", "--include-history")
	if got = scan(1); len(got) != 1 || got[0].Verdict != "stale" {
		t.Fatalf("retired: %+v", got)
	}
	// Rewritten, and every trace removed.
	b.gitIn(dir, "checkout", "-q", "--orphan", "clean")
	b.gitIn(dir, "commit", "-q", "-m", "a new beginning")
	b.gitIn(dir, "branch", "-q", "-D", "main")
	if got = scan(1); len(got) != 1 || got[0].Presence != "unreachable" {
		t.Fatalf("rewritten: %+v", got)
	}
	b.gitIn(dir, "reflog", "expire", "--expire=now", "--all")
	b.gitIn(dir, "gc", "-q", "--prune=now")
	if got = scan(0); len(got) != 0 {
		t.Fatalf("removed: %+v", got)
	}
	if r := b.must(0, "", "findings", "list", "--verdict", "cleared"); !strings.Contains(r.stdout, "cleared") {
		t.Errorf("after it was removed:\n%s", r.stdout)
	}
}

// TestGitStaged: what stands in the file already does not stop a commit.
func TestGitStaged(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	old, fresh := generated(83), generated(84)
	b.must(0, old, "secret", "add", "shop/old")
	b.must(0, fresh, "secret", "add", "shop/fresh")
	dir := filepath.Join(b.work, "repo")
	b.write("repo/app.conf", "old = "+old+"\n")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "first")
	b.write("repo/app.conf", "# a comment\nold = "+old+"\n")
	b.gitIn(dir, "add", "-A")
	b.must(0, "", "git", dir, "--staged")
	b.write("repo/app.conf", "# a comment\nold = "+old+"\nnew = "+fresh+"\n")
	b.must(1, "", "git", dir, "--pre-commit")
	b.must(0, "", "git", dir, "--staged")
	b.gitIn(dir, "add", "-A")
	r := b.must(1, "", "git", dir, "--pre-commit", "--staged")
	if !strings.Contains(r.stdout, "shop/fresh@1") || strings.Contains(r.stdout, "shop/old@1") {
		t.Errorf("staged:\n%s", r.stdout)
	}
	b.gitIn(dir, "commit", "-q", "-m", "second")
	r = b.must(1, "", "git", dir, "--since-commit", "HEAD~1")
	if !strings.Contains(r.stdout, "shop/fresh@1") || strings.Contains(r.stdout, "shop/old@1") {
		t.Errorf("since the first:\n%s", r.stdout)
	}
	b.must(2, "", "git", dir, "--log-opts", "nowhere..HEAD")
	b.must(2, "", "git", dir, "--staged", "--since-commit", "HEAD~1")
	r = b.must(1, "", "git", dir)
	if !strings.Contains(r.stdout, "shop/old@1") {
		t.Errorf("all:\n%s", r.stdout)
	}
}
