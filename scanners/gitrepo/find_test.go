package gitrepo_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
	"revenant/scanners/sourcetest"
)

// found are the repositories and skips below a folder, relative to it.
func found(t *testing.T, root string) (paths []string, skips map[string]fingerprints.SkipReason) {
	t.Helper()
	list, skipped, err := gitrepo.Find(context.Background(), root)
	if err != nil {
		t.Fatal(err)
	}
	rel := func(path string) string {
		short, err := filepath.Rel(root, path)
		if err != nil {
			t.Fatal(err)
		}
		return filepath.ToSlash(short)
	}
	for _, f := range list {
		paths = append(paths, rel(f.Path))
	}
	skips = map[string]fingerprints.SkipReason{}
	for _, k := range skipped {
		skips[rel(k.Path)] = k.Reason
	}
	slices.Sort(paths)
	return paths, skips
}

func TestFind(t *testing.T) {
	r := newRepository(t) // the root is a repository itself
	lib := newRepository(t)
	lib.write("lib.txt", "lib")
	lib.commit("lib")
	r.write("a.txt", "a")
	r.commit("first")
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.dir, "sub/deep")
	r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.dir, "left")
	r.git("commit", "-q", "-m", "submodules")
	r.git("submodule", "--quiet", "deinit", "-f", "left")
	r.git("worktree", "add", "-q", "--detach", "linked")
	r.git("init", "-q", "nested/in/it")
	r.git("init", "-q", "--bare", "bare/one.git")
	r.git("init", "-q", "--bare", "bare/one.git/inside.git") // a git directory is not looked through
	r.write("broken/.git", "gitdir: ../nowhere\n")
	r.write("halfway/.git/config", "")
	r.write("loop/.git", "gitdir: .git\n")
	r.write("no repository/HEAD", "ref: refs/heads/main\n")
	if err := errors.Join(os.Symlink(lib.dir, filepath.Join(r.dir, "link")), os.Symlink(filepath.Join(lib.dir, ".git"), filepath.Join(r.dir, "no repository", ".git"))); err != nil {
		t.Fatal(err)
	}
	paths, skips := found(t, r.dir)
	if diff := cmp.Diff([]string{".", ".git/modules/left", "bare/one.git", "nested/in/it", ".git/modules/sub/deep"}, paths, cmp.Transformer("sorted", func(s []string) []string {
		s = slices.Clone(s)
		slices.Sort(s)
		return s
	})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]fingerprints.SkipReason{
		"broken": fingerprints.SkipUnreadable, "halfway": fingerprints.SkipUnreadable, "loop": fingerprints.SkipUnreadable,
		"no repository/.git": fingerprints.SkipSymlink,
	}, skips); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if os.Getuid() != 0 {
		locked := filepath.Join(r.dir, "locked")
		if err := os.Mkdir(locked, 0); err != nil {
			t.Fatal(err)
		}
		if _, skips = found(t, r.dir); skips["locked"] != fingerprints.SkipUnreadable {
			t.Errorf("a folder that cannot be read: %v", skips)
		}
	}
	for _, dir := range []string{filepath.Join(r.dir, "a.txt"), filepath.Join(r.dir, "nowhere")} {
		if _, _, err := gitrepo.Find(context.Background(), dir); !errors.Is(err, gitrepo.ErrNoRepository) {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := gitrepo.Find(ctx, r.dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSameHome: the id of a repository without a remote does not depend on the
// work tree or folder that it is read from.
func TestSameHome(t *testing.T) {
	r := newRepository(t)
	r.write("in/side/a.txt", "a")
	r.commit("first")
	r.git("worktree", "add", "-q", "--detach", filepath.Join(t.TempDir(), "linked"))
	linked := strings.TrimPrefix(strings.Split(r.git("worktree", "list", "--porcelain"), "\n\n")[1], "worktree ")
	linked, _, _ = strings.Cut(linked, "\n")
	var ids, commons []string
	for _, path := range []string{r.dir, filepath.Join(r.dir, "in/side"), filepath.Join(r.dir, ".git"), linked} {
		info, err := gitrepo.Look(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		ids, commons = append(ids, info.SourceID), append(commons, info.Common)
	}
	if ids, commons = slices.Compact(ids), slices.Compact(commons); len(ids) != 1 || len(commons) != 1 || ids[0] != "git:file:"+r.dir {
		t.Errorf("%v, %v", ids, commons)
	}
}

func TestClones(t *testing.T) {
	one, two := newRepository(t), newRepository(t)
	one.write("a.txt", mark+" one")
	one.commit("first")
	two.write("b.txt", mark+" two")
	two.commit("first")
	clone := func(name, dir string) gitrepo.Clone {
		return gitrepo.Clone{Name: name, Open: func(context.Context) (scanners.Source, error) { return sourceAt(t, dir, mark), nil }}
	}
	failing := func(name string, err error) gitrepo.Clone {
		return gitrepo.Clone{Name: name, Open: func(context.Context) (scanners.Source, error) { return nil, err }}
	}
	sourcetest.Run(t, sourcetest.Subject{
		New: func(*testing.T, []byte) scanners.Source {
			return gitrepo.NewClones("git:example.org/test", failing("/none", gitrepo.ErrNoRepository), clone("/one", one.dir),
				failing("/far", &scanners.SkipError{Reason: fingerprints.SkipMissing, Detail: "far away"}), clone("/two", two.dir), failing("/odd", io.ErrUnexpectedEOF))
		},
		Want: map[string]string{"a.txt": mark + " one", "b.txt": mark + " two"},
		Skips: map[string]fingerprints.SkipReason{
			"/none": fingerprints.SkipUnreadable, "/far": fingerprints.SkipMissing, "/odd": fingerprints.SkipUnreadable,
		},
	})
}
