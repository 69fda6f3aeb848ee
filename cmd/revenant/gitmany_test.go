package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// holding makes a repository with one file.
func (b *box) holding(name, content string) string {
	b.t.Helper()
	b.write(name+"/app.conf", content)
	dir := filepath.Join(b.work, filepath.FromSlash(name))
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "first")
	return dir
}

// toldGit is an entry of a JSON report, as far as these tests look at it.
type toldGit struct {
	File, Source, Presence, SecretName string
	Refs                               []string
	MoreRefs                           int
}

func (b *box) toldBy(r ran) []toldGit {
	b.t.Helper()
	var out []toldGit
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("%v\n%s\n%s", err, r.stdout, r.stderr)
	}
	return out
}

// sources are those of a report's findings, sorted.
func sources(told []toldGit) []string {
	var out []string
	for _, f := range told {
		out = append(out, f.Source)
	}
	slices.Sort(out)
	return out
}

func TestGitSeveral(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(91)
	b.must(0, v, "secret", "add", "shop/db")
	one, two, clean := b.holding("one", "db = "+v+"\n"), b.holding("two", "db: "+v+"\n"), b.holding("clean", "nothing\n")
	missing := filepath.Join(b.work, "missing")

	told := b.toldBy(b.must(1, "", "git", one, clean, two, "-f", "json", "-r", "-", "-q"))
	if diff := cmp.Diff([]string{"git:file:" + one, "git:file:" + two}, sources(told)); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"refs/heads/main"}, told[0].Refs); diff != "" {
		t.Errorf("refs (-want +got):\n%s", diff)
	}
	// One that is none is told by its name, and keeps no other from being read.
	r := b.must(1, "", "git", missing, one, two)
	for _, want := range []string{"2 findings", "of 2 sources", "missing: no git repository here", "git:file:" + one + "\n", "; in main\n", "not complete: 1 skipped"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q is not in:\n%s", want, r.stdout)
		}
	}
	b.must(3, "", "git", clean, missing)
	b.must(0, "", "git", clean, clean)
	b.must(3, "", "git", clean, "https://127.0.0.1:9/none.git")
	// The report of a repository that cannot be cloned names it without user-info.
	r = b.must(3, "", "git", clean, "https://me:"+v+"@127.0.0.1:9/none.git")
	if strings.Contains(r.stdout+r.stderr, v) || !strings.Contains(r.stdout, "https://127.0.0.1:9/none.git") {
		t.Errorf("%s\n%s", r.stdout, r.stderr)
	}
	b.must(2, "", "git", one, two, "--staged")
	b.must(2, "", "git", one, two, "--source", "git:example.org/x")
	if told = b.toldBy(b.must(1, "", "git", clean, "file://"+two, "-f", "json", "-r", "-", "-q", "--no-store")); len(told) != 1 {
		t.Errorf("by URL: %+v", told)
	}
}

// TestGitOneSource: clones of one remote are one source, and what one of them
// holds is not gone because another does not.
func TestGitOneSource(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(92)
	b.must(0, v, "secret", "add", "shop/db")
	one, two := b.holding("one", "db = "+v+"\n"), b.holding("two", "nothing\n")
	for _, dir := range []string{one, two} {
		b.gitIn(dir, "config", "remote.origin.url", "https://git.example.org/acme/shop.git")
	}
	for _, args := range [][]string{{one, two}, {two, one}, {two, one}} {
		told := b.toldBy(b.must(1, "", append([]string{"git", "-f", "json", "-r", "-", "-q"}, args...)...))
		if len(told) != 1 || told[0].Source != "git:git.example.org/acme/shop" || told[0].Presence != "tip" {
			t.Errorf("%v: %+v", args, told)
		}
	}
	var list []json.RawMessage
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &list); err != nil || len(list) != 1 {
		t.Errorf("%d findings, %v", len(list), err)
	}
}

func TestReposFrom(t *testing.T) {
	b := newBox(t)
	one, two := b.holding("one", "x\n"), b.holding("two", "y\n")
	list := b.write("../list.txt", "\ufeff# ours\n\n  "+one+"  \r\n\t\n"+two+"\n# end")
	for _, args := range [][]string{{"--repos-from", list}, {"--repos-from", "-"}} {
		stdin, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		r := b.must(0, string(stdin), append([]string{"git"}, args...)...)
		if !strings.Contains(r.stdout, "of 2 sources") {
			t.Errorf("%v:\n%s", args, r.stdout)
		}
	}
	for name, broken := range map[string]string{
		"a control character": "# one\n" + one + "\na\x00b\n",
		"an option":           one + "\n\n--upload-pack=touch\n",
		"another scheme":      "\n\next://sh -c id\n",
		"an endless line":     one + "\n" + two + "\n" + strings.Repeat("x", 20_000),
	} {
		file := b.write("../broken.txt", broken)
		r := b.must(2, "", "git", "--repos-from", file)
		if !strings.Contains(r.stderr, file+", line 3: ") || strings.Contains(r.stderr, one) {
			t.Errorf("%s: %s", name, r.stderr)
		}
	}
	b.must(2, "", "git", "--repos-from", filepath.Join(b.work, "no list"))
	b.must(2, "# nothing\n", "git", "--repos-from", "-")
}

func TestGitRecursive(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(94)
	b.must(0, v, "secret", "add", "shop/db")
	elsewhere := b.holding("../lib", "lib "+v+"\n")
	outer := b.holding("src/outer", "outer "+v+"\n")
	b.holding("src/outer/vendor/inner", "inner "+v+"\n")
	b.gitIn(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", elsewhere, "libs/lib")
	b.gitIn(outer, "commit", "-q", "-m", "a submodule")
	b.gitIn(outer, "worktree", "add", "-q", "--detach", filepath.Join(b.work, "src", "linked"))
	b.gitIn(b.work, "clone", "-q", "--bare", elsewhere, filepath.Join("src", "bare.git"))
	b.gitIn(filepath.Join(b.work, "src", "bare.git"), "config", "--unset", "remote.origin.url")
	if err := os.Symlink(elsewhere, filepath.Join(b.work, "src", "a link")); err != nil {
		t.Fatal(err)
	}
	b.write("src/broken/.git", "gitdir: nowhere\n")

	r := b.must(1, "", "git", "--recursive", filepath.Join(b.work, "src"), "-f", "json", "-r", "-", "--workers", "1")
	var paths []string
	for _, f := range b.toldBy(r) {
		paths = append(paths, strings.TrimPrefix(f.Source, "git:file:"+b.work+"/src/")+" "+f.File)
	}
	slices.Sort(paths)
	want := []string{"bare.git app.conf", "outer app.conf", "outer/.git/modules/libs/lib app.conf", "outer/vendor/inner app.conf"}
	slices.Sort(want)
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, r.stderr)
	}
	if !strings.Contains(r.stderr, "src/broken: its .git leads to no repository") {
		t.Errorf("what is none is not told:\n%s", r.stderr)
	}
	b.must(2, "", "git", "--recursive", filepath.Dir(b.write("empty/file", "x")))
	b.must(3, "", "git", "--recursive", filepath.Join(b.work, "no folder"))
}

// TestGitInterrupted: Ctrl-C while the second of three repositories is cloned
// ends the scan in order, and what the first gave is kept.
func TestGitInterrupted(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	v := generated(95)
	b.must(0, v, "secret", "add", "shop/db")
	one, two, three := b.holding("one", v), b.holding("two", v), b.holding("three", v)
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	// A git that presses Ctrl-C when it is to clone, and waits to be ended.
	b.write("../bin/git", fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *\" clone \"*) kill -INT $PPID; exec sleep 60;; esac\nexec %s \"$@\"\n", git))
	if err := os.Chmod(filepath.Join(b.work, "../bin/git"), 0o700); err != nil {
		t.Fatal(err)
	}
	for i, kv := range b.env {
		if path, is := strings.CutPrefix(kv, "PATH="); is {
			b.env[i] = "PATH=" + filepath.Join(b.work, "../bin") + ":" + path
		}
	}
	report := b.out("report.json")
	r := b.must(1, "", "git", one, "file://"+two, three, "-r", report)
	for _, want := range []string{"interrupted: this is what was found until then", "three: not begun"} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q is not in:\n%s", want, r.stderr)
		}
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	if told := b.toldBy(ran{stdout: string(text)}); len(told) != 1 || told[0].Source != "git:file:"+one {
		t.Errorf("%+v", told)
	}
	if r := b.must(0, "", "findings", "list"); !strings.Contains(r.stdout, "shop/db@1") {
		t.Errorf("what was found is not kept:\n%s", r.stdout)
	}
	left, err := filepath.Glob(filepath.Join(b.dir, "tmp", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
