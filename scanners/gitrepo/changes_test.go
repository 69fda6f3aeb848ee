package gitrepo_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo"
)

// freshText is what counts of each item of a source of changes, by path.
func freshText(t *testing.T, o gitrepo.ChangesOptions) map[string]string {
	t.Helper()
	c, err := gitrepo.NewChanges(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	out := map[string]string{}
	for {
		b, err := c.Next(context.Background())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		for _, it := range b.Items {
			if strings.HasPrefix(it.Path, "@author") {
				continue
			}
			rc, openErr := it.Open(context.Background())
			if openErr != nil {
				t.Fatal(openErr)
			}
			content, _ := io.ReadAll(rc)
			_ = rc.Close()
			if it.Fresh == nil {
				out[it.Path] += string(content) + "|"
			}
			for _, s := range it.Fresh {
				out[it.Path] += string(content[s.Start:s.End]) + "|"
			}
		}
		if err != nil {
			return out
		}
	}
}

// TestIndexOfHooks: while a commit of some files is made, git has its hooks look
// at another index. One that lies elsewhere does not count.
func TestIndexOfHooks(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "one\n")
	r.commit("first")
	own, err := os.ReadFile(filepath.Join(r.dir, ".git", "index"))
	if err != nil {
		t.Fatal(err)
	}
	r.write("a.txt", "two\n")
	r.git("add", "-A")
	theirs := filepath.Join(r.dir, ".git", "index.lock")
	elsewhere := filepath.Join(t.TempDir(), "index")
	if err := errors.Join(os.Rename(filepath.Join(r.dir, ".git", "index"), theirs), os.WriteFile(filepath.Join(r.dir, ".git", "index"), own, 0o600)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(theirs)
	if err = errors.Join(err, os.WriteFile(elsewhere, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	for index, want := range map[string]map[string]string{
		"": {}, theirs: {"a.txt": "two\n|"}, elsewhere: {}, filepath.Join(r.dir, ".git", "none", "index"): {},
	} {
		got := freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Staged, Index: index})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", index, diff)
		}
	}
}

func TestChanges(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "one\ntwo\nthree\n")
	r.write("moved.txt", "x\ny\n")
	r.write("removed.txt", "x\n")
	first := r.commit("first")
	r.write("a.txt", "one\n2\nthree\nfour")
	r.write("moved.txt", "y\nx\n")
	r.write("dir/ä\tb.txt", "new")
	r.git("rm", "-q", "removed.txt")
	r.git("add", "-A")
	r.write("a.txt", "one\n2\nthree\nfour\nfive")
	if diff := cmp.Diff(map[string]string{"a.txt": "2\n|four|", "dir/ä\tb.txt": "new|"},
		freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Staged})); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"a.txt": "five|"},
		freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Unstaged})); diff != "" {
		t.Errorf("unstaged (-want +got):\n%s", diff)
	}
	r.commit("second")
	r.git("checkout", "-q", "-b", "side", first)
	r.write("side.txt", "side")
	r.commit("side")
	r.git("checkout", "-q", "main")
	r.git("merge", "-q", "--no-commit", "side")
	r.write("a.txt", "one\n2\nthree\nfour\nfive\nevil\n")
	r.commit("merge")
	got := freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Commits, Log: []string{"--topo-order", first + "..HEAD"}})
	messages := strings.Split(got["@commit-message"], "|")
	delete(got, "@commit-message")
	want := map[string]string{"a.txt": "evil\n|2\n|four\nfive|", "dir/ä\tb.txt": "new|", "side.txt": "side|"}
	if diff := cmp.Diff(want, got); diff != "" || len(messages) != 4 {
		t.Errorf("commits, %d messages (-want +got):\n%s", len(messages)-1, diff)
	}
}

func TestChangesOfNothing(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "staged before the first commit")
	r.git("add", "a.txt")
	if diff := cmp.Diff(map[string]string{"a.txt": "staged before the first commit|"},
		freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Staged})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, log := range [][]string{{"nowhere..HEAD"}, {"--output=" + filepath.Join(r.dir, "x")}, {"--ext-diff"}} {
		if _, err := gitrepo.NewChanges(context.Background(), gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Commits, Log: log}); !errors.Is(err, gitrepo.ErrBadRange) {
			t.Errorf("%v: %v", log, err)
		}
	}
	if _, err := os.Stat(filepath.Join(r.dir, "x")); err == nil {
		t.Error("a file was written")
	}
}
