package salvage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo/salvage"
)

// wanted is what the tests' screen lets through.
const wanted = "PLANTED"

func screen(_ context.Context, data []byte) bool { return bytes.Contains(data, []byte(wanted)) }

// repository is one that a test makes with git.
type repository struct {
	t   testing.TB
	dir string
	now int
}

func newGit(t testing.TB, args ...string) *repository {
	t.Helper()
	r := &repository{t: t, dir: t.TempDir(), now: 1_700_000_000}
	r.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return r
}

func (r *repository) git(args ...string) string {
	r.t.Helper()
	r.now++
	date := "@" + strconv.Itoa(r.now) + " +0000"
	c := exec.Command("git", args...)
	c.Dir = r.dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "HOME="+r.dir,
		"GIT_AUTHOR_NAME=An Author", "GIT_AUTHOR_EMAIL=author@example.org", "GIT_AUTHOR_DATE="+date,
		"GIT_COMMITTER_NAME=A Committer", "GIT_COMMITTER_EMAIL=committer@example.org", "GIT_COMMITTER_DATE="+date)
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (r *repository) commit(name, text string) string {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", "a commit")
	return r.git("rev-parse", "HEAD")
}

// file is one of a git directory.
type file struct{ name, text string }

func (r *repository) files() (out []file) {
	r.t.Helper()
	root := filepath.Join(r.dir, ".git")
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		out = append(out, file{filepath.ToSlash(rel), string(text)})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// changed replaces what is in some files.
func changed(files []file, change func(f *file)) []file {
	files = slices.Clone(files)
	for i := range files {
		change(&files[i])
	}
	return files
}

// outcome is what a repository gives.
type outcome struct {
	items   []string // path, presence and text
	skipped []fingerprints.Skip
	left    []string // names of files
	held    map[string][]string
	err     error
}

// salvaged takes files and reads what comes of it. Nothing may be left behind.
func salvaged(t testing.TB, files []file) (out outcome) {
	t.Helper()
	dir := t.TempDir()
	r, err := salvage.New(salvage.Options{Dir: dir, Screen: screen, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}()
	for _, f := range files {
		if err := r.Take(f.name, int64(len(f.text)), strings.NewReader(f.text)); err != nil {
			out.err = err
			return out
		}
	}
	items, skipped, left, err := r.Read(t.Context())
	if err != nil {
		out.err = err
		return out
	}
	out.skipped, out.held = skipped, map[string][]string{}
	for _, it := range items {
		rc, err := it.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(rc)
		if err = errors.Join(err, rc.Close()); err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%s %s %s", it.Path, it.Presence, text)
		out.items = append(out.items, line)
		for _, n := range r.Holding(t.Context(), it.Locator) {
			out.held[line] = append(out.held[line], files[n].name)
		}
	}
	slices.Sort(out.items)
	for _, n := range left {
		out.left = append(out.left, files[n].name)
	}
	return out
}

// wants compares items.
func (o outcome) wants(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if o.err != nil || !slices.Equal(o.items, want) {
		t.Errorf("got %q, %v\nwant %q", o.items, o.err, want)
	}
}

func simple(t testing.TB, args ...string) *repository {
	r := newGit(t, args...)
	r.commit("old.conf", "old "+wanted)
	r.git("rm", "-q", "old.conf")
	r.commit("new.conf", "new "+wanted)
	return r
}

// both is what simple has.
func both() []string { return []string{"old.conf history old " + wanted, "new.conf tip new " + wanted} }

func TestRead(t *testing.T) {
	cases := map[string]func(t *testing.T) *repository{
		"loose":   func(t *testing.T) *repository { return simple(t) },
		"SHA-256": func(t *testing.T) *repository { return simple(t, "--object-format=sha256") },
		"packed": func(t *testing.T) *repository {
			r := simple(t)
			r.git("gc", "-q")
			return r
		},
		"packed, SHA-256, at no branch": func(t *testing.T) *repository {
			r := simple(t, "--object-format=sha256")
			r.git("gc", "-q")
			r.git("checkout", "-q", "--detach")
			r.git("branch", "-q", "-D", "main")
			return r
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			out := salvaged(t, make(t).files())
			out.wants(t, both()...)
			if len(out.skipped)+len(out.left) > 0 {
				t.Errorf("skips %v, left %v", out.skipped, out.left)
			}
			for _, line := range out.items {
				if len(out.held[line]) != 1 || !strings.HasPrefix(out.held[line][0], "objects/") {
					t.Errorf("%s is held by %v", line, out.held[line])
				}
			}
		})
	}
}

// TestIndexes: what indexes of packs say is not asked for.
func TestIndexes(t *testing.T) {
	r := simple(t)
	r.git("gc", "-q")
	other := newGit(t)
	other.commit("other", "nothing")
	other.git("gc", "-q")
	var lie string
	for _, f := range other.files() {
		if strings.HasSuffix(f.name, ".idx") {
			lie = f.text
		}
	}
	without := slices.DeleteFunc(r.files(), func(f file) bool { return strings.HasSuffix(f.name, ".idx") })
	lying := changed(r.files(), func(f *file) {
		if strings.HasSuffix(f.name, ".idx") {
			f.text = lie
		}
	})
	salvaged(t, without).wants(t, both()...)
	salvaged(t, lying).wants(t, both()...)
}

// TestHostile: nothing of a repository tells git what to do, or where to look.
func TestHostile(t *testing.T) {
	trap := filepath.Join(t.TempDir(), "sprung")
	elsewhere := simple(t)
	elsewhere.commit("elsewhere", "elsewhere "+wanted)
	r := simple(t)
	r.git("gc", "-q")
	r.commit("loose.conf", "loose "+wanted)
	run := "touch " + trap
	head := r.git("rev-parse", "HEAD")
	files := append(r.files(),
		file{"config", "[core]\n\tfsmonitor = " + run + "\n\tsshCommand = " + run + "\n\tworktree = " + elsewhere.dir + "\n\thooksPath = hooks\n[include]\n\tpath = " + elsewhere.dir + "/.git/config\n" +
			"[remote \"origin\"]\n\turl = ext::" + run + "\n\tpromisor = true\n\tpartialclonefilter = blob:none\n[extensions]\n\tpartialclone = origin\n[alias]\n\trev-parse = !" + run + "\n[diff]\n\texternal = " + run + "\n"},
		file{"hooks/post-checkout", "#!/bin/sh\n" + run + "\n"},
		file{"objects/info/alternates", elsewhere.dir + "/.git/objects\n"},
		file{"objects/info/http-alternates", "http://192.0.2.1/\n"},
		file{"info/grafts", head + "\n"},
		file{"commondir", elsewhere.dir + "/.git\n"},
		file{"gitdir", elsewhere.dir + "/.git\n"},
		file{"refs/replace/" + head, elsewhere.git("rev-parse", "HEAD") + "\n"},
		file{"refs/heads/loop", "ref: refs/heads/loop\n"},
		file{"refs/heads/one", "ref: refs/heads/two\n"},
		file{"refs/heads/two", "ref: refs/heads/one\n"},
		file{"refs/heads/../../../../" + filepath.Base(trap), head + "\n"},
		file{"refs/../../outside", head + "\n"},
		file{"refs/heads/" + strings.Repeat("x", 5000), head + "\n"},
		file{"refs/heads/bad", "no id\n"},
		file{"refs/heads/-option", head + "\n"},
		file{"objects/pack/../../../outside.pack", "x"},
		file{"objects/../../outside", "x"},
		file{"objects/pack/pack-none.pack", "PACK\x00\x00\x00\x02\xff\xff\xff\xff"},
		file{"HEAD", "ref: ../../outside\n"},
	)
	out := salvaged(t, files)
	out.wants(t, append(both(), "loose.conf tip loose "+wanted)...)
	if _, err := os.Lstat(trap); err == nil {
		t.Error("the repository had its way")
	}
	if !slices.Equal(out.left, []string{"objects/pack/pack-none.pack"}) {
		t.Errorf("left %v", out.left)
	}
	if len(out.skipped) != 1 || out.skipped[0].Path != "@ref" || out.skipped[0].Reason.Failure() {
		t.Errorf("skips %v", out.skipped)
	}
}

// TestDamaged: what is damaged is left, and all else is read.
func TestDamaged(t *testing.T) {
	r := simple(t)
	blob := r.git("rev-parse", "HEAD:new.conf")
	name := "objects/" + blob[:2] + "/" + blob[2:]
	for what, text := range map[string]string{"cut": "x\x01K", "noise": "none at all", "empty": ""} {
		out := salvaged(t, changed(r.files(), func(f *file) {
			if f.name == name {
				f.text = text
			}
		}))
		out.wants(t, both()[0])
		if !slices.Equal(out.left, []string{name}) {
			t.Errorf("%s: left %v", what, out.left)
		}
	}
	packed := simple(t)
	packed.git("gc", "-q")
	packed.commit("loose.conf", "loose "+wanted)
	var pack string
	out := salvaged(t, changed(packed.files(), func(f *file) {
		if strings.HasSuffix(f.name, ".pack") {
			pack, f.text = f.name, f.text[:len(f.text)-30]+strings.Repeat("x", 30)
		}
	}))
	out.wants(t, "loose.conf tip loose "+wanted)
	if !slices.Equal(out.left, []string{pack}) || len(out.skipped) > 0 {
		t.Errorf("left %v, skips %v", out.left, out.skipped)
	}
}

// TestTwoOfAName: of two objects with one name the last counts, and the other is left,
// unless both are the same.
func TestTwoOfAName(t *testing.T) {
	r := simple(t)
	files := r.files()
	blob := r.git("rev-parse", "HEAD:new.conf")
	name := "objects/" + blob[:2] + "/" + blob[2:]
	twice := salvaged(t, append(files, files...))
	twice.wants(t, both()...)
	if len(twice.left) > 0 || len(twice.held[both()[1]]) != 2 {
		t.Errorf("left %v, held %v", twice.left, twice.held)
	}
	other := salvaged(t, append([]file{{name, "another " + wanted}}, files...))
	other.wants(t, both()...)
	if !slices.Equal(other.left, []string{name}) || len(other.held[both()[1]]) != 1 {
		t.Errorf("left %v, held %v", other.left, other.held)
	}
	r.git("gc", "-q")
	if packs := salvaged(t, append(r.files(), r.files()...)); len(packs.left) > 0 || len(packs.held[both()[1]]) != 2 {
		t.Errorf("packs: left %v, held %v", packs.left, packs.held)
	}
}

// TestMixedFormats: files of the other format are left.
func TestMixedFormats(t *testing.T) {
	r := simple(t)
	odd := file{"objects/ab/" + strings.Repeat("0", 62), "x"}
	out := salvaged(t, append(r.files(), odd))
	out.wants(t, both()...)
	if !slices.Equal(out.left, []string{odd.name}) {
		t.Errorf("left %v", out.left)
	}
}

// TestUnread: what cannot be read is said to be so.
func TestUnread(t *testing.T) {
	var skip *scanners.SkipError
	if out := salvaged(t, append(simple(t).files(), file{"reftable/tables.list", "x"})); !errors.As(out.err, &skip) || skip.Reason != fingerprints.SkipArchive {
		t.Errorf("reftable: %v", out.err)
	}
	r, err := salvage.New(salvage.Options{Dir: t.TempDir(), Screen: screen, Room: func() int64 { return 1 << 20 }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Take("objects/pack/x.pack", 10, strings.NewReader("x")); !errors.As(err, &skip) || !strings.Contains(skip.Detail, "room") {
		t.Errorf("no room: %v", err)
	}
	broken := errors.New("broken")
	if err := r.Take("HEAD", 10, failing{broken}); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := salvage.New(salvage.Options{Dir: t.TempDir()}); err == nil {
		t.Error("a repository without a screen")
	}
	if _, err := salvage.New(salvage.Options{Dir: filepath.Join(t.TempDir(), "none"), Screen: screen}); err == nil {
		t.Error("a repository in no folder")
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestImpatience: a pack that takes git too long is left.
func TestImpatience(t *testing.T) {
	r, err := salvage.New(salvage.Options{Dir: t.TempDir(), Screen: screen, Workers: 1, Patience: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	made := simple(t)
	made.git("gc", "-q")
	pack := -1
	for n, f := range made.files() {
		if strings.HasSuffix(f.name, ".pack") {
			pack = n
		}
		if err := r.Take(f.name, int64(len(f.text)), strings.NewReader(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	items, _, left, err := r.Read(t.Context())
	if err != nil || len(items) > 0 || !slices.Equal(left, []int{pack}) {
		t.Errorf("%d items, left %v, %v", len(items), left, err)
	}
}

// TestManyRefs: any number of refs is read, and what one of them reaches is at a tip.
func TestManyRefs(t *testing.T) {
	r := simple(t)
	r.git("checkout", "-q", "-b", "side")
	side := r.commit("side.conf", "side "+wanted)
	main := r.git("rev-parse", "main")
	var packed strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&packed, "%s refs/heads/b%06d\n", main, i)
	}
	fmt.Fprintf(&packed, "%s refs/heads/zz\n", side)
	files := slices.DeleteFunc(r.files(), func(f file) bool { return strings.HasPrefix(f.name, "refs/heads/") })
	out := salvaged(t, append(files, file{"packed-refs", packed.String()}, file{"HEAD", "ref: refs/heads/b000001\n"}))
	out.wants(t, append(both(), "side.conf tip side "+wanted)...)
}

// TestStopped: a reading whose context ended is none.
func TestStopped(t *testing.T) {
	r, err := salvage.New(salvage.Options{Dir: t.TempDir(), Screen: screen, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, f := range simple(t).files() {
		if err := r.Take(f.name, int64(len(f.text)), strings.NewReader(f.text)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := r.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
}

// FuzzTake: whatever files say, nothing is written but below the folder, and git has
// nothing to complain about.
func FuzzTake(f *testing.F) {
	f.Add("refs/heads/main", "ref: refs/heads/main", "packed-refs", "# pack-refs with: peeled\n0000 refs/x\n")
	f.Add("HEAD", strings.Repeat("a", 64), "refs/heads/a", strings.Repeat("1", 40))
	f.Add("shallow", strings.Repeat("1", 40)+"\nx", "worktrees/x/HEAD", strings.Repeat("1", 40))
	f.Add("objects/ab/"+strings.Repeat("c", 38), "x\x9c", "objects/pack/a.pack", "PACK")
	f.Fuzz(func(t *testing.T, name, text, name2, text2 string) {
		outside := t.TempDir()
		dir := filepath.Join(outside, "inside")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		r, err := salvage.New(salvage.Options{Dir: dir, Screen: screen, Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		failed := errors.Join(r.Take(name, int64(len(text)), strings.NewReader(text)), r.Take(name2, int64(len(text2)), strings.NewReader(text2)))
		if failed == nil {
			if _, _, _, err := r.Read(t.Context()); err != nil {
				t.Errorf("reading: %v", err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		for _, d := range []string{dir, outside} {
			list, err := os.ReadDir(d)
			if err != nil || d == dir && len(list) > 0 || d == outside && len(list) != 1 {
				t.Errorf("%v %v in %s", list, err, d)
			}
		}
	})
}
