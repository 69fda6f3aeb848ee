package image_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"revenant/fingerprints"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/gitrepo"
	"revenant/scanners/gitrepo/salvage"
	"revenant/scanners/image"
)

// gitRepository is one that a test makes with git.
type gitRepository struct {
	t   testing.TB
	dir string
	now int // so that dates differ and do not depend on the clock
}

func newGit(t testing.TB, args ...string) *gitRepository {
	t.Helper()
	r := &gitRepository{t: t, dir: t.TempDir(), now: 1_700_000_000}
	r.git(append([]string{"init", "-q", "-b", "main"}, args...)...)
	return r
}

func (r *gitRepository) git(args ...string) string {
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

func (r *gitRepository) commit(name, text, message string) string {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.git("add", "-A")
	r.git("commit", "-q", "-m", message)
	return r.git("rev-parse", "HEAD")
}

// files are what a layer gets of a folder.
func (r *gitRepository) files(from, to string) (out []file) {
	r.t.Helper()
	root := filepath.Join(r.dir, from)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(name, ".sample") {
			return err
		}
		text, err := os.ReadFile(name)
		rel, relErr := filepath.Rel(root, name)
		if relErr != nil {
			return relErr
		}
		out = append(out, file{name: to + "/" + filepath.ToSlash(rel), text: string(text)})
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}

// salvages is what cmd gives to the image source.
type salvages struct {
	dir  string
	made int
}

func (*salvages) Wants(name string) bool { return salvage.Wants(name) }

func (s *salvages) New() (image.GitRepository, error) {
	s.made++
	return salvage.New(salvage.Options{Dir: s.dir, Screen: opening().Of, Workers: 2})
}

// layered saves an image of these layers and opens it, with git repositories read.
func layered(t testing.TB, o image.Options, layers ...[]byte) (*image.Source, *salvages) {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendImage(pictureOf(t, v1.Config{}, history(len(layers)), layers...))
	}
	if err != nil {
		t.Fatal(err)
	}
	return spooling(t, o, dir)
}

func history(layers int) (out []v1.History) {
	for i := range layers {
		out = append(out, v1.History{CreatedBy: "STEP " + strconv.Itoa(i+1)})
	}
	return out
}

func spooling(t testing.TB, o image.Options, dir string) (*image.Source, *salvages) {
	t.Helper()
	r := &salvages{dir: t.TempDir()}
	o.Screen, o.Stream, o.Workers, o.Repositories = opening().Of, opening().Stream, 2, r
	s, err := image.NewSaved(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := os.ReadDir(r.dir)
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	})
	return s, r
}

// planted finds what the tests' screen lets through.
type planted struct{}

func (planted) Overlap() int { return len(wanted) }

func (planted) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	for at := 0; ; at++ {
		i := bytes.Index(c.Data[at:], []byte(wanted))
		if i < 0 {
			return dst
		}
		at += i
		dst = append(dst, scanners.Hit{Rule: "planted", Span: scanners.Span{Start: c.Base + int64(at), End: c.Base + int64(at+len(wanted))}})
	}
}

// opening is a screen that opens archives, as a scan's does.
func opening() scan.Screen {
	return scan.Screen{Engine: &scanners.Engine{Matchers: []scanners.Matcher{planted{}}}, Archives: &archives.Expander{Limits: archives.DefaultLimits()}}
}

// told is an item as a test asks for it.
type told struct {
	path, presence, inside, commit, author, text, by, hiding string
}

// read gives the items of a source, opened, by what they say.
func read(t testing.TB, s scanners.Source) (out []told, skips []fingerprints.Skip) {
	t.Helper()
	for {
		b, err := s.Next(t.Context())
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			k := told{path: it.Path, presence: string(it.Presence), commit: it.Origin.Commit, author: it.Origin.Author}
			if it.Layer != nil {
				k.inside, k.by, k.hiding = string(it.Layer.InRepository), it.Origin.Message, it.Layer.Hiding
			}
			rc, openErr := it.Open(t.Context())
			if openErr != nil {
				t.Fatalf("%s: %v", it.Path, openErr)
			}
			text, readErr := io.ReadAll(rc)
			if readErr != nil {
				t.Fatalf("%s: %v", it.Path, readErr)
			}
			if err := rc.Close(); err != nil {
				t.Fatal(err)
			}
			if k.text = string(text); len(k.text) > 60 {
				k.text = k.text[:60]
			}
			out = append(out, k)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	slices.SortFunc(out, func(a, b told) int {
		return strings.Compare(a.path+a.presence+a.commit+a.text, b.path+b.presence+b.commit+b.text)
	})
	return out, skips
}

// rich is a repository with something at every kind of place.
func rich(t testing.TB, args ...string) *gitRepository {
	r := newGit(t, args...)
	r.commit("src/app.conf", "one "+wanted, "first")
	r.commit("src/app.conf", "nothing", "removed")
	r.commit("tip.conf", "two "+wanted, "message "+wanted)
	r.git("notes", "add", "-m", "note "+wanted)
	r.git("tag", "-a", "v1", "-m", "tag "+wanted)
	if err := os.WriteFile(filepath.Join(r.dir, "tip.conf"), []byte("stashed "+wanted), 0o600); err != nil {
		t.Fatal(err)
	}
	r.git("stash", "-q")
	r.git("checkout", "-q", "-b", "topic")
	r.commit("lost.conf", "lost "+wanted, "lost")
	r.git("checkout", "-q", "main")
	r.git("branch", "-q", "-D", "topic")
	r.commit(wanted+"-name/x", "nothing at all", "a name")
	return r
}

// byGit is what the git source says of a repository, as an image would.
func byGit(t testing.TB, dir, folder, presence, by string) []told {
	t.Helper()
	s, err := gitrepo.New(t.Context(), gitrepo.Options{Path: dir, Screen: opening().Of, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	var items []scanners.Item
	for {
		b, err := s.Next(t.Context())
		items = append(items, b.Items...)
		if err != nil {
			break
		}
	}
	var out []told
	for _, it := range items {
		if it.Path == "@reflog" || it.Path == "@config" || it.Path == "@ref" { // files of the layer
			continue
		}
		rc, err := it.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		_ = rc.Close()
		k := told{path: folder + "!" + it.Path, presence: presence, inside: string(it.Presence), commit: it.Origin.Commit, author: it.Origin.Author, text: string(text), by: by}
		if len(k.text) > 60 {
			k.text = k.text[:60]
		}
		out = append(out, k)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	slices.SortFunc(out, func(a, b told) int {
		return strings.Compare(a.path+a.presence+a.commit+a.text, b.path+b.presence+b.commit+b.text)
	})
	return out
}

// inRepository leaves out what stands in plain files.
func inRepository(list []told) (in, out []told) {
	for _, k := range list {
		if k.inside != "" {
			in = append(in, k)
		} else {
			out = append(out, k)
		}
	}
	return in, out
}

func equal(t testing.TB, what string, want, got []told) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(told{})); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestAsGitReadsIt: a repository in a layer gives what the git source gives for the
// folder.
func TestAsGitReadsIt(t *testing.T) {
	cases := map[string]func(t *testing.T) (r *gitRepository, from, to string){
		"loose": func(t *testing.T) (*gitRepository, string, string) { return rich(t), ".git", "app/.git" },
		"packed": func(t *testing.T) (*gitRepository, string, string) {
			r := rich(t)
			r.git("repack", "-q", "-a", "-d", "-k")
			r.git("pack-refs", "--all")
			return r, ".git", "app/.git"
		},
		"both": func(t *testing.T) (*gitRepository, string, string) {
			r := rich(t)
			r.git("gc", "-q")
			r.commit("new.conf", "new "+wanted, "after")
			return r, ".git", "app/.git"
		},
		"SHA-256": func(t *testing.T) (*gitRepository, string, string) {
			r := rich(t, "--object-format=sha256")
			r.git("gc", "-q")
			r.commit("new.conf", "new "+wanted, "after")
			return r, ".git", "app/.git"
		},
		"bare": func(t *testing.T) (*gitRepository, string, string) {
			r := rich(t)
			r.git("clone", "-q", "--mirror", ".", "mirror.git")
			return r, "mirror.git", "srv/shop.git"
		},
		"in the root": func(t *testing.T) (*gitRepository, string, string) { return rich(t), ".git", ".git" },
		"submodule": func(t *testing.T) (*gitRepository, string, string) {
			return rich(t), ".git", "app/.git/modules/sub"
		},
	}
	for name, make := range cases {
		t.Run(name, func(t *testing.T) {
			r, from, to := make(t)
			s, _ := layered(t, image.Options{}, tarOf(t, r.files(from, to)...))
			got, skips := read(t, s)
			in, files := inRepository(got)
			want := byGit(t, filepath.Join(r.dir, from), to, "visible", "STEP 1")
			if len(want) < 6 {
				t.Fatalf("the git source gives %v", want)
			}
			equal(t, "items", want, in)
			for _, f := range files {
				if strings.Contains(f.path, "/objects/") {
					t.Errorf("given twice: %v", f)
				}
			}
			if len(skips) > 0 {
				t.Errorf("skips %v", skips)
			}
		})
	}
}
