package gitrepo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo"
)

// loggedGit puts a git on the path that notes what it is asked for, and returns
// a function that tells what that was since it was called last.
func loggedGit(t *testing.T) func() string {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\nexec %s \"$@\"\n", log, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

// TestPushed: after pushes of a few commits git is asked where the repository is
// and what its configuration says, and nothing else.
func TestPushed(t *testing.T) {
	asked := loggedGit(t)
	r := newRepository(t)
	r.write("old.txt", mark+" old")
	r.write("below/it/other.txt", "other")
	r.commit("first")
	for i := range 5 {
		r.write("f.txt", itoa(i+1))
		r.commit("more")
	}
	m := &kept{}
	var looked atomic.Int64
	drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
	for name, step := range map[string]func(){
		"nothing":    func() {},
		"one commit": func() { r.write("below/it/new.txt", mark+" new"); r.commit("one") },
		"a dull one": func() { r.write("below/it/dull.txt", "dull"); r.commit("dull") },
		"a branch from further back": func() {
			r.git("checkout", "-q", "-b", "side", "HEAD~3")
			r.write("side.txt", mark+" side")
			r.commit("side")
			r.git("checkout", "-q", "main")
		},
		"a merge": func() {
			r.git("checkout", "-q", "-b", "topic", "HEAD~1")
			r.write("topic.txt", mark+" topic")
			r.commit("topic")
			r.git("checkout", "-q", "main")
			r.git("merge", "-q", "--no-ff", "-m", "merge", "topic")
		},
		"a tag":   func() { r.git("tag", "-a", "-m", "release", "v1") },
		"a stash": func() { r.write("f.txt", mark+" stashed"); r.git("stash", "-q") },
	} {
		step()
		want, wantRest := drained(t, holding{r.source(mark)})
		asked()
		got, rest := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
		if diff := cmp.Diff(want, got) + cmp.Diff(wantRest, rest); diff != "" {
			t.Errorf("%s (-anew +remembered):\n%s", name, diff)
		}
		for line := range strings.Lines(asked()) {
			if !strings.Contains(line, " rev-parse --path-format") && !strings.Contains(line, " config --list") {
				t.Errorf("%s: git was asked: %s", name, line)
			}
		}
	}
}

// TestPushedAtRandom pushes, forces, removes, tidies and brings back at random in
// several branches, and compares each scan that remembers with one that does not.
func TestPushedAtRandom(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 77))
		r := newRepository(t)
		r.write("a.txt", mark+" a")
		r.commit("first")
		var ever []string // commits that were there once
		n := 0
		m := &kept{}
		var looked atomic.Int64
		branches := []string{"main", "one", "two", "three"}
		for _, b := range branches[1:] {
			r.git("branch", b)
		}
		commit := func(branch, parents string) {
			n++
			text := "dull " + itoa(n)
			if rng.IntN(2) == 0 {
				// Each once: of commits that do not follow each other and bring the
				// same, which is named changes with what comes later.
				text = mark + " " + itoa(n)
			}
			blob := r.piped(text, "hash-object", "-w", "--stdin")
			r.git("read-tree", strings.Fields(parents)[0])
			r.git("update-index", "--add", "--cacheinfo", "100644,"+blob+","+[]string{"a.txt", "d/b.txt", "d/e/c" + itoa(1+rng.IntN(3)) + ".txt"}[rng.IntN(3)])
			args := []string{"commit-tree", "-m", "c" + itoa(n), r.git("write-tree")}
			for p := range strings.FieldsSeq(parents) {
				args = append(args, "-p", p)
			}
			id := r.git(args...)
			ever = append(ever, id)
			r.git("update-ref", "refs/heads/"+branch, id)
		}
		at := func(branch string, back int) string {
			list := strings.Fields(r.git("rev-list", "--first-parent", "--max-count="+itoa(back+1), branch))
			return list[len(list)-1]
		}
		for round := range 25 {
			for range 1 + rng.IntN(3) {
				b := branches[rng.IntN(len(branches))]
				switch rng.IntN(9) {
				case 0, 1, 2:
					commit(b, at(b, 0))
				case 3: // forced
					commit(b, at(b, rng.IntN(3)))
				case 4:
					commit(b, at(b, 0)+" "+at(branches[rng.IntN(len(branches))], rng.IntN(2)))
				case 5: // back, and what is left behind may go
					r.git("update-ref", "refs/heads/"+b, at(b, 1+rng.IntN(3)))
				case 6:
					r.git("pack-refs", "--all")
					r.git("repack", "-q", "-d")
				case 7:
					r.git("reflog", "expire", "--expire=now", "--all")
					r.git("gc", "-q", "--prune=now")
				case 8: // what was left behind, if it still is there
					if len(ever) == 0 {
						break
					}
					id := ever[rng.IntN(len(ever))]
					if exec.Command("git", "-C", r.dir, "cat-file", "-e", id).Run() == nil {
						r.git("update-ref", "refs/heads/"+b, id)
					}
				}
			}
			want, wantRest := drained(t, holding{r.source(mark)})
			got, rest := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
			if diff := cmp.Diff(want, got) + cmp.Diff(wantRest, rest); diff != "" {
				t.Fatalf("seed %d, round %d (-anew +remembered):\n%s", seed, round, diff)
			}
		}
	}
}

// TestSameElsewhere: a commit that brings to a place what an older one on another
// branch brought is named by git's order, as by a scan that remembers nothing.
func TestSameElsewhere(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "nothing")
	base := r.commit("first")
	m := &kept{}
	var looked atomic.Int64
	for i, branch := range []string{"one", "two", "three", "four"} {
		r.git("checkout", "-q", "-b", branch, base)
		if i == 2 { // made before the others
			r.now -= 1000
		}
		r.write("b.txt", mark+" everywhere")
		r.commit("on " + branch)
		want, _ := drained(t, holding{r.source(mark)})
		got, _ := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
		if diff := cmp.Diff(want, got); diff != "" || len(want) != 1 {
			t.Errorf("%s (-anew +remembered):\n%s", branch, diff)
		}
	}
}

// TestRuleChange: objects that were read before are shown to what has changed
// alone, new ones to everything, and what no rule finds any more is not looked
// for.
func TestRuleChange(t *testing.T) {
	r := newRepository(t)
	for i := range 10 {
		r.write("f"+itoa(i+1)+".txt", mark+" one-"+itoa(i+1)+" two-"+itoa(i+1)+" value-"+itoa(i+1))
	}
	r.commit("first")
	word := map[gitrepo.RuleMark]string{{1}: "one-1", {2}: "two-2", {3}: "two-3"}
	m := &kept{}
	for _, step := range []struct {
		name         string
		knows        gitrepo.Knowledge
		more         bool // a new commit
		changed      []string
		whole, again int // contents that are looked at wholly, and again
		want         int
	}{
		{name: "at first", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}}}, whole: 20, want: 1},
		{name: "nothing", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}}}, want: 1},
		{name: "a rule more", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}, {2}}}, changed: []string{"two-2"}, again: 12, want: 2},
		{name: "one changed, and a commit", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}, {3}}}, more: true, changed: []string{"two-3"}, whole: 6, again: 12, want: 3},
		{name: "one less", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{3}}}, want: 3},
		{name: "it comes back", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}, {3}}}, changed: []string{"one-1"}, again: 12, want: 3},
		{name: "values and a rule", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}, {2}, {3}}, Fields: 9}, changed: []string{"two-2", "value-7"}, again: 12, want: 4},
		{name: "nothing again", knows: gitrepo.Knowledge{Rules: []gitrepo.RuleMark{{1}, {2}, {3}}, Fields: 9}, want: 4},
	} {
		if step.more {
			r.write("more.txt", "more")
			r.commit("more")
		}
		var whole, again atomic.Int64
		look := func(count *atomic.Int64, words []string) func(context.Context, []byte) bool {
			return func(_ context.Context, data []byte) bool {
				count.Add(1)
				for _, w := range words {
					if strings.Contains(string(data)+" ", w+" ") {
						return true
					}
				}
				return false
			}
		}
		words := func(c gitrepo.Change) (list []string) {
			for _, mark := range c.Rules {
				list = append(list, word[mark])
			}
			if c.Fields {
				list = append(list, "value-7")
			}
			return list
		}
		var asked []string
		s, err := gitrepo.New(context.Background(), gitrepo.Options{
			Path: r.dir, SourceID: "git:example.org/test", Memory: m, Knows: step.knows,
			Screen: look(&whole, words(gitrepo.Change{Rules: step.knows.Rules, Fields: step.knows.Fields > 0})),
			ScreenFor: func(c gitrepo.Change) func(context.Context, []byte) bool {
				asked = words(c)
				return look(&again, asked)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := drained(t, s)
		if diff := cmp.Diff(step.changed, asked); diff != "" {
			t.Errorf("%s: what is looked for again (-want +got):\n%s", step.name, diff)
		}
		if w, a := int(whole.Load()), int(again.Load()); (step.whole == 0) != (w == 0) || w > step.whole+8 || (step.again == 0) != (a == 0) || step.again > a {
			t.Errorf("%s: %d contents were looked at wholly and %d again", step.name, w, a)
		}
		if len(got) != step.want {
			t.Errorf("%s: %d items: %+v", step.name, len(got), got)
		}
	}
}
