package image_test

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image"
)

// since is a layer that makes some files of others: what is new or changed, and what is
// removed.
func since(before, after []file) (out []file) {
	was := map[string]string{}
	for _, f := range before {
		was[f.name] = f.text
	}
	for _, f := range after {
		if text, has := was[f.name]; !has || text != f.text {
			out = append(out, f)
		}
		delete(was, f.name)
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		out = append(out, file{name: path.Dir(name) + "/.wh." + path.Base(name)})
	}
	return out
}

// places are items by where they are, and what is said of them.
func places(list []told) (out []string) {
	for _, k := range list {
		place := k.path + " " + k.presence
		if k.inside != "" {
			place += " " + k.inside
		}
		if place += " by " + k.by; k.hiding != "" {
			place += " hidden by " + k.hiding
		}
		out = append(out, place)
	}
	slices.Sort(out)
	return out
}

// same compares places.
func same(t *testing.T, list []told, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := places(list); !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// simple is a repository with a value in its history, and one at its tip.
func simple(t *testing.T) *gitRepository {
	r := newGit(t)
	r.commit("old.conf", "old "+wanted, "first")
	r.git("rm", "-q", "old.conf")
	r.commit("new.conf", "new "+wanted, "second")
	return r
}

func TestDeletedRepository(t *testing.T) {
	r := simple(t)
	s, _ := layered(t, image.Options{}, tarOf(t, r.files(".git", "app/.git")...), tarOf(t, file{name: "app/.wh..git"}))
	got, skips := read(t, s)
	same(t, got,
		"app/.git!old.conf shadowed history by STEP 1 hidden by STEP 2",
		"app/.git!new.conf shadowed tip by STEP 1 hidden by STEP 2")
	if len(skips) > 0 {
		t.Errorf("skips %v", skips)
	}
}

// TestSpreadRepository: layers that add to a repository are read together, whether
// they add objects, pack them, or remove what was packed.
func TestSpreadRepository(t *testing.T) {
	r := simple(t)
	first := r.files(".git", "app/.git")
	r.commit("third.conf", "third "+wanted, "third")
	r.git("checkout", "-q", "-b", "topic")
	r.commit("fourth.conf", "fourth "+wanted, "fourth")
	second := r.files(".git", "app/.git")
	r.git("checkout", "-q", "main")
	r.git("branch", "-q", "-D", "topic")
	r.git("reflog", "expire", "--expire=all", "--all")
	r.git("gc", "-q", "--prune=now") // the topic is gone
	third := r.files(".git", "app/.git")
	s, _ := layered(t, image.Options{}, tarOf(t, first...), tarOf(t, since(first, second)...), tarOf(t, since(second, third)...))
	got, skips := read(t, s)
	in, files := inRepository(got)
	same(t, in,
		"app/.git!old.conf shadowed history by STEP 1 hidden by STEP 3",
		"app/.git!new.conf shadowed tip by STEP 1 hidden by STEP 3",
		"app/.git!third.conf shadowed tip by STEP 2 hidden by STEP 3",
		"app/.git!fourth.conf shadowed unreachable by STEP 2 hidden by STEP 3",
		"app/.git!old.conf visible history by STEP 3",
		"app/.git!new.conf visible tip by STEP 3",
		"app/.git!third.conf visible tip by STEP 3")
	if len(files)+len(skips) > 0 {
		t.Errorf("files %v, skips %v", files, skips)
	}
}

// TestRepositoryMadeAnew: what a layer removes is a repository of its own, other than
// what stands there later.
func TestRepositoryMadeAnew(t *testing.T) {
	one, two := simple(t), newGit(t)
	two.commit("other.conf", "other "+wanted, "other")
	for name, mark := range map[string]string{"removed": "app/.wh..git", "emptied": "app/.git/.wh..wh..opq"} {
		t.Run(name, func(t *testing.T) {
			s, _ := layered(t, image.Options{}, tarOf(t, one.files(".git", "app/.git")...), tarOf(t, append([]file{{name: mark}}, two.files(".git", "app/.git")...)...))
			got, _ := read(t, s)
			same(t, got,
				"app/.git!old.conf shadowed history by STEP 1 hidden by STEP 2",
				"app/.git!new.conf shadowed tip by STEP 1 hidden by STEP 2",
				"app/.git!other.conf visible tip by STEP 2")
		})
	}
}

// TestRepositoryCopiedUp: a layer that repeats all files, as one that changes their
// owner, has them too, and none of them is a file by itself.
func TestRepositoryCopiedUp(t *testing.T) {
	r := simple(t)
	r.git("gc", "-q")
	r.commit("loose.conf", "loose "+wanted, "third")
	files := r.files(".git", "app/.git")
	s, _ := layered(t, image.Options{}, tarOf(t, files...), tarOf(t, append([]file{{name: "app/x", text: "x"}}, files...)...))
	got, skips := read(t, s)
	var want []string
	for _, name := range []string{"old.conf %s history", "new.conf %s tip", "loose.conf %s tip"} {
		want = append(want, "app/.git!"+strings.Replace(name, "%s", "shadowed", 1)+" by STEP 1 hidden by STEP 2", "app/.git!"+strings.Replace(name, "%s", "visible", 1)+" by STEP 2")
	}
	same(t, got, want...)
	if len(skips) > 0 {
		t.Errorf("skips %v", skips)
	}
}

// TestRepositoryOfSeveralImages: what an image has of a repository is given out once,
// however many have it, and what only some have of it in their own.
func TestRepositoryOfSeveralImages(t *testing.T) {
	r := simple(t)
	first := r.files(".git", "app/.git")
	r.commit("third.conf", "third "+wanted, "third")
	layers := [][]byte{tarOf(t, first...), tarOf(t, since(first, r.files(".git", "app/.git"))...), tarOf(t, file{name: "app/.wh..git"})}
	c := newCounting(t)
	c.push(t, "1", pictureOf(t, v1.Config{}, history(1), layers[:1]...))
	c.push(t, "2", pictureOf(t, v1.Config{}, history(2), layers[:2]...))
	c.push(t, "3", pictureOf(t, v1.Config{}, history(3), layers...))
	m := &kept{}
	repos := &salvages{dir: t.TempDir()}
	open := func() scanners.Source {
		return c.open(t, "shop", everyTag, image.Options{Screen: opening().Of, Stream: opening().Stream, Repositories: repos, Memory: m, Whole: true})
	}
	want := []string{
		"app/.git!old.conf visible history by STEP 1", "app/.git!new.conf visible tip by STEP 1", "app/.git!third.conf visible tip by STEP 2",
	}
	got, _ := read(t, open())
	same(t, got, want...)
	reads := func() (n int) {
		for _, raw := range layers {
			digest, err := layerOf(t, raw).Digest()
			if err != nil {
				t.Fatal(err)
			}
			n += c.blobs[digest.String()]
		}
		return n
	}
	asked, made := reads(), repos.made
	s := open()
	var unopened []told
	for {
		b, err := s.Next(t.Context())
		for _, it := range b.Items {
			unopened = append(unopened, told{path: it.Path, presence: string(it.Presence), inside: string(it.Layer.InRepository), by: it.Origin.Message})
			if it.Origin.Commit == "" || it.Origin.Author != "An Author" || it.At.IsZero() || !strings.HasPrefix(it.Locator, "layer sha256:") || it.Outside != "app/.git!" {
				t.Errorf("remembered: %+v", it)
			}
		}
		if err != nil {
			break
		}
	}
	_ = s.Close()
	same(t, unopened, want...)
	if repos.made != made || reads() != asked {
		t.Errorf("%d repositories were made again, layers read %d times and then %d", repos.made-made, asked, reads())
	}
	got, _ = read(t, open()) // opened, they are put together once more
	same(t, got, want...)
	if repos.made == made {
		t.Error("what was opened came from nowhere")
	}
}

// TestRepositoriesWithoutRoom: repositories that have no room beside each other are
// read one by one, and put together anew when they are opened.
func TestRepositoriesWithoutRoom(t *testing.T) {
	var files []file
	var want []string
	for _, name := range []string{"a", "b", "c"} {
		r := newGit(t)
		r.commit(name+".conf", name+strings.Repeat("x", 9<<20)+wanted, name) // not all fit into memory
		files = append(files, r.files(".git", name+"/.git")...)
		want = append(want, name+"/.git!"+name+".conf visible tip by STEP 1")
	}
	s, repos := layered(t, image.Options{Spool: 90_000}, tarOf(t, files...))
	got, skips := read(t, s)
	same(t, got, want...)
	if repos.made < 6 || len(skips) > 0 {
		t.Errorf("%d repositories were made; skips %v", repos.made, skips)
	}
}

// TestRepositoryTooLarge: one that is beyond the bound is listed, and its objects are
// contents.
func TestRepositoryTooLarge(t *testing.T) {
	r := simple(t)
	r.git("gc", "-q")
	s, _ := layered(t, image.Options{Spool: 4000}, tarOf(t, r.files(".git", "app/.git")...))
	got, skips := read(t, s)
	if len(got) != 1 || !strings.HasSuffix(got[0].path, ".pack") || got[0].inside != "" {
		t.Errorf("items %v", got)
	}
	if len(skips) != 1 || skips[0].Path != "app/.git" || skips[0].Reason != fingerprints.SkipTooLarge || !strings.Contains(skips[0].Detail, "one by one") {
		t.Errorf("skips %v", skips)
	}
}

// TestLinkedClone: a clone whose objects are hard links to those of another is read,
// and what they hold is given out where it stands.
func TestLinkedClone(t *testing.T) {
	r := simple(t)
	files := r.files(".git", "app/.git")
	var links []file
	for _, f := range files {
		to := strings.Replace(f.name, "app/", "copy/", 1)
		if strings.Contains(f.name, "/objects/") {
			links = append(links, file{name: to, hard: f.name})
		} else {
			links = append(links, file{name: to, text: f.text})
		}
	}
	other := newGit(t)
	other.commit("own.conf", "own "+wanted, "own")
	for _, f := range other.files(".git", "copy/.git") { // an object of its own
		if strings.Contains(f.name, "/objects/") {
			links = append(links, f)
		}
	}
	s, _ := layered(t, image.Options{}, tarOf(t, append(files, links...)...))
	got, skips := read(t, s)
	same(t, got,
		"app/.git!old.conf visible history by STEP 1", "app/.git!new.conf visible tip by STEP 1",
		"copy/.git!own.conf visible unreachable by STEP 1")
	if len(skips) > 0 {
		t.Errorf("skips %v", skips)
	}
}

// TestNothingInRepository: a repository in which nothing may be is not put together.
func TestNothingInRepository(t *testing.T) {
	r := newGit(t)
	r.commit("a", "nothing", "first")
	s, repos := layered(t, image.Options{}, tarOf(t, r.files(".git", "app/.git")...))
	if got, skips := read(t, s); len(got)+len(skips)+repos.made > 0 {
		t.Errorf("items %v, skips %v, %d repositories", got, skips, repos.made)
	}
}

// TestNoRepository: what only looks like one stays what it is.
func TestNoRepository(t *testing.T) {
	r := simple(t)
	var headless []file
	for _, f := range r.files(".git", "app/.git") {
		if path.Base(f.name) != "HEAD" {
			headless = append(headless, f)
		}
	}
	for name, files := range map[string][]file{
		"without HEAD":    headless,
		"a file .git":     {{name: "app/.git", text: "gitdir: /srv/" + wanted}},
		"objects of what": {{name: "objects/ab/" + strings.Repeat("0", 38), text: wanted}, {name: "HEAD", text: "none"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := layered(t, image.Options{}, tarOf(t, files...))
			got, _ := read(t, s)
			if len(got) == 0 {
				t.Error("nothing was found")
			}
			for _, k := range got {
				if k.inside != "" {
					t.Errorf("read as a repository: %v", k)
				}
			}
		})
	}
}

// TestWorktreeHead: the commit of a linked work tree that is at no branch is a tip.
func TestWorktreeHead(t *testing.T) {
	r := simple(t)
	tree := filepath.Join(t.TempDir(), "tree")
	r.git("worktree", "add", "-q", "--detach", tree)
	w := &gitRepository{t: t, dir: tree, now: 1_700_001_000}
	w.commit("tree.conf", "tree "+wanted, "in a tree")
	if _, err := os.Stat(filepath.Join(r.dir, ".git/worktrees/tree/HEAD")); err != nil {
		t.Fatal(err)
	}
	s, _ := layered(t, image.Options{}, tarOf(t, r.files(".git", "app/.git")...))
	got, _ := read(t, s)
	same(t, got,
		"app/.git!old.conf visible history by STEP 1", "app/.git!new.conf visible tip by STEP 1", "app/.git!tree.conf visible tip by STEP 1")
}
