package gitrepo_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo"
)

// lookHook is a repository as a hook finds it.
func lookHook(t *testing.T, dir string, h gitrepo.Hook) gitrepo.Info {
	t.Helper()
	info, err := gitrepo.LookHook(context.Background(), dir, h)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// texts is freshText without what commits say.
func texts(t *testing.T, o gitrepo.ChangesOptions) map[string]string {
	t.Helper()
	got := freshText(t, o)
	delete(got, "@commit-message")
	return got
}

// TestLookHook: without git, the same is found as with it.
func TestLookHook(t *testing.T) {
	r := newRepository(t)
	r.write("sub/a.txt", "x")
	r.commit("first")
	r.git("remote", "add", "origin", "ssh://git@Example.org:22/acme/shop.git")
	linked := filepath.Join(t.TempDir(), "linked")
	r.git("worktree", "add", "-q", linked)
	bare := filepath.Join(t.TempDir(), "bare.git")
	r.git("clone", "-q", "--bare", r.dir, bare)
	for name, at := range map[string]struct {
		dir string
		h   gitrepo.Hook
	}{
		"work tree": {dir: r.dir}, "folder in it": {dir: filepath.Join(r.dir, "sub")}, "linked": {dir: linked}, "bare": {dir: bare},
		"told": {dir: r.dir, h: gitrepo.Hook{GitDir: ".git"}}, "bare, told": {dir: bare, h: gitrepo.Hook{GitDir: "."}},
	} {
		want, err := gitrepo.Look(context.Background(), at.dir)
		if err != nil {
			t.Fatal(err)
		}
		got := lookHook(t, at.dir, at.h)
		if got.Root != want.Root || got.Common != want.Common {
			t.Errorf("%s: root %s, common %s; git says %s and %s", name, got.Root, got.Common, want.Root, want.Common)
		}
		c, err := gitrepo.NewChanges(context.Background(), gitrepo.ChangesOptions{Path: at.dir, Looked: got})
		if err != nil {
			t.Fatal(err)
		}
		if c.ID() != want.SourceID {
			t.Errorf("%s: source %s, want %s", name, c.ID(), want.SourceID)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := gitrepo.LookHook(context.Background(), t.TempDir(), gitrepo.Hook{}); !errors.Is(err, gitrepo.ErrNoRepository) {
		t.Errorf("no repository: %v", err)
	}
}

// TestStagedElsewhere: work tree and git directory lie apart, as dotfiles do.
func TestStagedElsewhere(t *testing.T) {
	r := newRepository(t)
	apart := filepath.Join(t.TempDir(), "apart.git")
	if err := os.Rename(filepath.Join(r.dir, ".git"), apart); err != nil {
		t.Fatal(err)
	}
	r.write(".profile", "new")
	r.git("--git-dir="+apart, "--work-tree="+r.dir, "add", ".profile")
	got := texts(t, gitrepo.ChangesOptions{Path: r.dir, Looked: lookHook(t, r.dir, gitrepo.Hook{GitDir: apart}), Extent: gitrepo.Staged})
	if diff := cmp.Diff(map[string]string{".profile": "new|"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStagedMerge: what a merge takes over is new where no remote has it yet.
func TestStagedMerge(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "base\n")
	first := r.commit("first")
	r.git("checkout", "-q", "-b", "side", first)
	r.write("side.txt", "theirs\n")
	r.write("both.txt", "theirs\n")
	r.commit("side")
	r.git("checkout", "-q", "main")
	r.write("both.txt", "ours\n")
	r.commit("main")
	// A conflict: git merge fails, and it is settled by hand.
	r.git("merge", "-q", "--no-commit", "-X", "ours", "side")
	r.write("both.txt", "ours\ntheirs\nevil\n")
	r.git("add", "-A")
	o := gitrepo.ChangesOptions{Path: r.dir, Looked: lookHook(t, r.dir, gitrepo.Hook{}), Extent: gitrepo.Staged}
	if diff := cmp.Diff(map[string]string{"both.txt": "evil\n|theirs\n|", "side.txt": "theirs\n|"}, texts(t, o)); diff != "" {
		t.Errorf("no remote has the side (-want +got):\n%s", diff)
	}
	r.git("update-ref", "refs/remotes/origin/side", "side")
	if diff := cmp.Diff(map[string]string{"both.txt": "evil\n|"}, texts(t, o)); diff != "" {
		t.Errorf("a remote has it (-want +got):\n%s", diff)
	}
}

// TestStagedRename: a file that moved holds nothing new, but for what was changed;
// a copy is new.
func TestStagedRename(t *testing.T) {
	r := newRepository(t)
	body := strings.Repeat("a line of a file\n", 20)
	r.write("a.txt", "a\n"+body)
	r.write("b.txt", "b\n"+body)
	r.write("link-target", "x")
	r.commit("first")
	r.git("mv", "a.txt", "dir-a.txt")
	r.git("mv", "b.txt", "dir-b.txt")
	r.write("dir-b.txt", "b\n"+body+"more\n")
	r.git("config", "diff.relative", "true")
	r.git("add", "-A")
	o := gitrepo.ChangesOptions{Path: r.dir, Looked: lookHook(t, r.dir, gitrepo.Hook{}), Extent: gitrepo.Staged}
	want := map[string]string{"dir-b.txt": "more\n|"}
	if diff := cmp.Diff(want, texts(t, o)); diff != "" {
		t.Errorf("staged (-want +got):\n%s", diff)
	}
	r.commit("moved")
	o.Extent, o.Log = gitrepo.Commits, []string{"HEAD~..HEAD"}
	if diff := cmp.Diff(want, texts(t, o)); diff != "" {
		t.Errorf("committed (-want +got):\n%s", diff)
	}
}

// TestMessage: what git will leave out of a message does not count.
func TestMessage(t *testing.T) {
	r := newRepository(t)
	text := "subject\n\n# comment\n# ------------------------ >8 ------------------------\n# Do not modify\ndiff --git a b\n"
	got := freshText(t, gitrepo.ChangesOptions{Path: r.dir, Extent: gitrepo.Message, Message: []byte(text)})
	if diff := cmp.Diff(map[string]string{"@commit-message": "subject\n\n# comment\n|"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const zeros = "0000000000000000000000000000000000000000"

// TestLeaving: what a push brings is what the remote lacks, whoever brought the
// rest, and with everything on the way.
func TestLeaving(t *testing.T) {
	r := newRepository(t)
	r.write("old.txt", "old")
	first := r.commit("first")
	remote := filepath.Join(t.TempDir(), "remote.git")
	r.git("clone", "-q", "--bare", r.dir, remote)
	r.git("remote", "add", "origin", remote)
	r.git("fetch", "-q", "origin")
	r.write("a.txt", "for a moment")
	r.commit("second")
	r.git("rm", "-q", "a.txt")
	head := r.commit("third")
	r.git("tag", "-a", "-m", "what the tag says", "v1")
	tag := r.git("rev-parse", "v1")
	blob := r.piped("a blob alone", "hash-object", "-w", "--stdin")
	r.write("sub/in-tree.txt", "in a tree alone")
	r.git("add", "-A")
	tree := r.git("write-tree")
	r.git("reset", "-q", "--hard")
	o := gitrepo.ChangesOptions{Path: r.dir, Looked: lookHook(t, r.dir, gitrepo.Hook{}), Extent: gitrepo.Pushed, Remote: "origin"}
	history := map[string]string{"@ref": "refs/heads/topic|", "a.txt": "for a moment|"}
	for name, push := range map[string]struct {
		updates []gitrepo.Update
		remote  string
		want    map[string]string
	}{
		"new branch":         {[]gitrepo.Update{{Ref: "refs/heads/topic", New: head, Old: zeros}}, "origin", history},
		"place without name": {[]gitrepo.Update{{Ref: "refs/heads/topic", New: head, Old: first}}, "", history},
		"unknown place": {
			[]gitrepo.Update{{Ref: "refs/heads/topic", New: head, Old: zeros}},
			"",
			map[string]string{"@ref": "refs/heads/topic|", "a.txt": "for a moment|", "old.txt": "old|"},
		},
		"remote has what is not here": {[]gitrepo.Update{{Ref: "refs/heads/topic", New: head, Old: strings.Repeat("12", 20)}}, "origin", history},
		"nothing new":                 {[]gitrepo.Update{{Ref: "refs/heads/topic", New: first, Old: zeros}}, "origin", map[string]string{"@ref": "refs/heads/topic|"}},
		"removed":                     {[]gitrepo.Update{{Ref: "refs/heads/topic", New: zeros, Old: first}}, "origin", map[string]string{}},
		"tag": {
			[]gitrepo.Update{{Ref: "refs/tags/v1", New: tag, Old: zeros}},
			"origin",
			map[string]string{"@ref": "refs/tags/v1|", "@tag-message": r.git("cat-file", "tag", "v1") + "\n|", "a.txt": "for a moment|"},
		},
		"blob": {[]gitrepo.Update{{Ref: "refs/x", New: blob, Old: zeros}}, "origin", map[string]string{"@ref": "refs/x|", "@blob/" + blob: "a blob alone|"}},
		"tree": {
			[]gitrepo.Update{{Ref: "refs/x", New: tree, Old: zeros}},
			"origin",
			map[string]string{"@ref": "refs/x|", "old.txt": "old|", "sub/in-tree.txt": "in a tree alone|"},
		},
	} {
		o.Updates, o.Remote = push.updates, push.remote
		if diff := cmp.Diff(push.want, texts(t, o)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestReceived: what lies in quarantine is read before git takes it in, also what
// no ref leads to.
func TestReceived(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		t.Run(format, func(t *testing.T) {
			r := newRepository(t, "--object-format="+format)
			r.write("old.txt", "old")
			r.commit("first")
			server := filepath.Join(t.TempDir(), "ser:ver \"x\".git")
			r.git("clone", "-q", "--bare", r.dir, server)
			quarantine := filepath.Join(server, "objects", "incoming-x")
			if err := os.MkdirAll(filepath.Join(quarantine, "pack"), 0o700); err != nil {
				t.Fatal(err)
			}
			r.write("a.txt", "brought")
			head := r.commit("second")
			alone := r.piped("no ref leads here", "hash-object", "-w", "--stdin")
			list := r.git("rev-list", "--objects", "--no-object-names", "HEAD") + "\n" + alone + "\n"
			r.piped(list, "pack-objects", "-q", filepath.Join(quarantine, "pack", "pack"))
			info := lookHook(t, server, gitrepo.Hook{GitDir: ".", Quarantine: quarantine})
			got := texts(t, gitrepo.ChangesOptions{
				Path: server, Looked: info, Extent: gitrepo.Received,
				Updates: []gitrepo.Update{{Ref: "refs/heads/main", New: head, Old: strings.Repeat("0", len(head))}},
			})
			want := map[string]string{"@ref": "refs/heads/main|", "a.txt": "brought|", "@blob/" + alone: "no ref leads here|"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadUpdates(t *testing.T) {
	id := strings.Repeat("ab", 20)
	got, err := gitrepo.ReadPush(strings.NewReader("refs/heads/a " + id + " refs/heads/b " + zeros + "\n(delete) " + zeros + " refs/heads/c " + id + "\n"))
	want := []gitrepo.Update{{Ref: "refs/heads/b", New: id, Old: zeros}, {Ref: "refs/heads/c", New: zeros, Old: id}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err = gitrepo.ReadReceive(strings.NewReader(zeros + " " + id + " refs/heads/b")); err != nil || len(got) != 1 || got[0].New != id {
		t.Errorf("%v %v", got, err)
	}
	broken := map[string]string{
		"three": "a " + id + " b\n", "no id": "a " + id[:39] + " b " + zeros + "\n", "empty line": "\n", "long": strings.Repeat("x", 1<<17),
	}
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		if _, err := gitrepo.ReadPush(strings.NewReader(broken[name])); !errors.Is(err, gitrepo.ErrBadUpdates) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzReadUpdates: whatever comes in, it is read whole or refused.
func FuzzReadUpdates(f *testing.F) {
	id := strings.Repeat("ab", 20)
	f.Add("refs/heads/a " + id + " refs/heads/b " + zeros + "\n")
	f.Add(zeros + " " + id + " refs/heads/b")
	f.Fuzz(func(t *testing.T, in string) {
		for name, read := range map[string]func(string) ([]gitrepo.Update, error){
			"push":    func(s string) ([]gitrepo.Update, error) { return gitrepo.ReadPush(strings.NewReader(s)) },
			"receive": func(s string) ([]gitrepo.Update, error) { return gitrepo.ReadReceive(strings.NewReader(s)) },
		} {
			list, err := read(in)
			if err != nil {
				if !errors.Is(err, gitrepo.ErrBadUpdates) || len(list) != 0 {
					t.Errorf("%s: %v, %v", name, list, err)
				}
				continue
			}
			if n := len(slices.Collect(strings.Lines(in))); len(list) != n {
				t.Errorf("%s: %d updates of %d lines", name, len(list), n)
			}
			for _, u := range list {
				if len(u.Old) < 40 || len(u.New) < 40 || strings.ContainsAny(u.Ref, " \n") {
					t.Errorf("%s: %+v", name, u)
				}
			}
		}
	})
}
