package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"revenant/scanners/gitrepo"
)

// changing is a remote whose branch topic has two commits that main has not, far
// back in its history, and a merge of both.
type changing struct {
	*repository
	base, head, merge string
	change            []string
}

func newChanging(t *testing.T) *changing {
	c := &changing{repository: newRepository(t)}
	var in strings.Builder
	mark := 0
	commit := func(ref, from, text string) {
		mark++
		fmt.Fprintf(&in, "commit %s\nmark :%d\ncommitter x <x@example.org> %d +0000\ndata 1\nx\n%sM 100644 inline f\ndata %d\n%s\n", ref, mark, 1_700_000_000+mark, from, len(text), text)
	}
	commit("refs/heads/main", "", "0")
	for range 80 {
		commit("refs/heads/main", "", "0")
	}
	commit("refs/heads/topic", "from :1\n", "topic")
	for i := range 70 {
		commit("refs/heads/topic", "", fmt.Sprint("topic ", i))
	}
	c.piped(in.String(), "fast-import", "--quiet")
	c.git("checkout", "-q", "-b", "merged", "main")
	c.git("merge", "-q", "-m", "merged", "topic")
	c.base, c.head, c.merge = c.git("rev-parse", "main"), c.git("rev-parse", "topic"), c.git("rev-parse", "HEAD")
	c.change = strings.Fields(c.git("rev-list", "main..topic"))
	return c
}

func (c *changing) cloned(args ...string) *repository {
	dir := filepath.Join(c.t.TempDir(), "clone")
	c.git(append(append([]string{"clone", "-q"}, args...), "file://"+c.dir, dir)...)
	return &repository{t: c.t, dir: dir, now: c.now}
}

// selected are the commits that what was reached selects.
func (r *repository) selected(log []string) []string {
	out := strings.Fields(r.git(append([]string{"rev-list"}, log...)...))
	slices.Sort(out)
	return out
}

// TestReach: however shallow the clone is, the change is what the branch has and
// its base has not.
func TestReach(t *testing.T) {
	c := newChanging(t)
	want := slices.Clone(c.change)
	slices.Sort(want)
	withMerge := append(slices.Clone(want), c.merge)
	slices.Sort(withMerge)
	for name, at := range map[string]struct {
		clone []string
		span  gitrepo.Span
		want  []string
	}{
		"whole clone, commit":      {[]string{"-b", "topic"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}}, want},
		"whole clone, branch":      {[]string{"-b", "topic"}, gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}}, want},
		"one commit, base":         {[]string{"-b", "topic", "--depth", "1"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}}, want},
		"one commit, branch":       {[]string{"-b", "topic", "--depth", "1"}, gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}}, want},
		"ends in the change":       {[]string{"-b", "topic", "--depth", "69"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}}, want},
		"first base is gone":       {[]string{"-b", "topic", "--depth", "1"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: strings.Repeat("12", 20)}, {Branch: "main"}}}, want},
		"merged":                   {[]string{"-b", "merged", "--depth", "1"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}, Merged: true}, withMerge},
		"merged, base is older":    {[]string{"-b", "merged", "--depth", "1"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base + "~9"}, {Commit: c.git("rev-parse", c.base+"~9")}}, Merged: true}, withMerge},
		"head that is no HEAD":     {[]string{"-b", "main"}, gitrepo.Span{Head: "origin/topic", Bases: []gitrepo.Base{{Commit: c.base}}}, want},
		"nothing to look at":       {[]string{"-b", "main"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}}, []string{}},
		"offline, all is here":     {[]string{"-b", "topic"}, gitrepo.Span{Bases: []gitrepo.Base{{Commit: c.base}}, Offline: true}, want},
		"partial clone":            {[]string{"-b", "topic", "--filter=blob:none"}, gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}}, want},
		"single branch, unrelated": {[]string{"-b", "topic", "--single-branch"}, gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}}, want},
	} {
		t.Run(name, func(t *testing.T) {
			clone := c.cloned(at.clone...)
			got, err := gitrepo.Reach(context.Background(), clone.dir, at.span)
			if err != nil || got.Cut || got.Base == "" {
				t.Fatalf("%+v, %v", got, err)
			}
			if list := clone.selected(got.Log); !slices.Equal(list, at.want) {
				t.Errorf("%d commits, want %d", len(list), len(at.want))
			}
		})
	}
}

// TestReachCut: what cannot be had is told, and never looks whole.
func TestReachCut(t *testing.T) {
	c := newChanging(t)
	for name, at := range map[string]struct {
		span gitrepo.Span
		base bool
	}{
		"offline":   {gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}, Offline: true}, false},
		"no remote": {gitrepo.Span{Bases: []gitrepo.Base{{Branch: "main"}}, Remote: "nowhere"}, false},
		"no bases":  {gitrepo.Span{Offline: true}, false},
		"odd names": {gitrepo.Span{Bases: []gitrepo.Base{{Commit: "--upload-pack=x"}, {Branch: "--x"}, {Commit: "HEAD:f"}}}, false},
	} {
		clone := c.cloned("-b", "topic", "--depth", "5")
		got, err := gitrepo.Reach(context.Background(), clone.dir, at.span)
		if err != nil || got.Base != "" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if !got.Cut && clone.git("rev-parse", "--is-shallow-repository") == "true" {
			t.Errorf("%s: a shallow clone is said to be whole: %+v", name, got)
		}
	}
	clone := c.cloned("-b", "topic")
	if _, err := gitrepo.Reach(context.Background(), clone.dir, gitrepo.Span{Head: "nowhere"}); !errors.Is(err, gitrepo.ErrBadRange) {
		t.Errorf("head: %v", err)
	}
	if _, err := gitrepo.Reach(context.Background(), t.TempDir(), gitrepo.Span{}); !errors.Is(err, gitrepo.ErrNoRepository) {
		t.Errorf("no repository: %v", err)
	}
}
