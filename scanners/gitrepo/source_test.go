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

const mark = "canary"

func TestConformance(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", mark+" one")
	r.write("dir/b.txt", mark+" two")
	r.write("plain.txt", "nothing")
	r.commit("first")
	r.write("a.txt", mark+" three")
	r.commit("second")
	sourcetest.Run(t, sourcetest.Subject{
		New: func(t *testing.T, _ []byte) scanners.Source { return sourceAt(t, r.dir, mark) },
		Want: map[string]string{
			"a.txt": mark + " one" + mark + " three", "dir/b.txt": mark + " two",
		},
	})
}

// met is an item as the tests compare it.
type met struct {
	Path, Content string
	Presence      fingerprints.Presence
	Commit        string
}

// drained are the items that hold the mark, or that have no content.
func drained(t *testing.T, s scanners.Source) (out []met, skips []fingerprints.Skip) {
	t.Helper()
	defer s.Close()
	for {
		b, err := s.Next(context.Background())
		if err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			rc, openErr := it.Open(context.Background())
			if openErr != nil {
				t.Fatal(openErr)
			}
			content, readErr := io.ReadAll(rc)
			if readErr = errors.Join(readErr, rc.Close()); readErr != nil {
				t.Fatal(readErr)
			}
			if strings.Contains(string(content), mark) || len(content) == 0 {
				out = append(out, met{it.Path, string(content), it.Presence, it.Origin.Commit})
			}
		}
		if err != nil {
			slices.SortFunc(out, func(a, b met) int { return strings.Compare(a.Path+a.Content, b.Path+b.Content) })
			return out, skips
		}
	}
}

// hidden makes a repository with a canary in every place that can hold one,
// and what is to be met.
func hidden(t *testing.T, format string) (*repository, []met) {
	r := newRepository(t, "--object-format="+format)
	var want []met
	expect := func(path, content string, p fingerprints.Presence, commit string) {
		want = append(want, met{path, content, p, commit})
	}
	const tip, history, unreachable = fingerprints.PresenceTip, fingerprints.PresenceHistory, fingerprints.PresenceUnreachable

	r.write("tip.txt", mark+" at the tip")
	r.write("gone.txt", mark+" in history")
	r.write("same/1.txt", mark+" twice")
	r.write("same/2.txt", mark+" twice")
	first := r.commit("first")
	expect("tip.txt", mark+" at the tip", tip, first)
	expect("gone.txt", mark+" in history", history, first)
	expect("same/1.txt", mark+" twice", tip, first)
	expect("same/2.txt", mark+" twice", tip, first)
	r.git("rm", "-q", "gone.txt")
	second := r.commit("second, with a " + mark)
	expect("@commit-message", "second, with a "+mark+"\n", history, second)

	// A merge that brings in what no parent has.
	r.git("checkout", "-q", "-b", "side")
	r.write("side.txt", "side")
	r.commit("side")
	r.git("checkout", "-q", "main")
	r.write("main.txt", "main")
	r.commit("main")
	r.git("merge", "-q", "--no-commit", "side")
	r.write("evil.txt", mark+" in a merge")
	merge := r.commit("merge")
	expect("evil.txt", mark+" in a merge", tip, merge)
	r.git("branch", "-q", "-D", "side")

	// A branch of its own, a tag, a note, a link.
	r.git("checkout", "-q", "-b", mark+"-branch")
	r.write("branch.txt", mark+" on a branch")
	branch := r.commit("branch")
	expect("branch.txt", mark+" on a branch", tip, branch)
	r.git("checkout", "-q", "main")
	r.git("tag", "-a", "-m", "a tag with a "+mark, "v1")
	r.git("notes", "add", "-m", mark+" in a note", first)
	expect("@note", mark+" in a note\n", tip, r.git("rev-parse", "refs/notes/commits"))
	if err := os.Symlink(mark+"/target", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	link := r.commit("link")
	expect("link", mark+"/target", tip, link)

	// A name.
	r.write("keys/"+mark+"-name.txt", "nothing")
	named := r.commit("name")
	expect("keys/"+mark+"-name.txt", "", tip, named)

	// A stash with a file that git does not track.
	r.write("untracked.txt", mark+" untracked")
	r.write("tip.txt", mark+" at the tip, changed")
	r.git("stash", "-q", "-u")
	stash := r.git("rev-parse", "stash@{0}")
	expect("untracked.txt", mark+" untracked", unreachable, r.git("rev-parse", "stash@{0}^3"))
	expect("tip.txt", mark+" at the tip, changed", unreachable, stash)

	// A commit that was amended away, and a blob that was only ever staged.
	r.write("amended.txt", mark+" amended")
	amended := r.commit("amend me")
	expect("amended.txt", mark+" amended", unreachable, amended)
	r.git("rm", "-q", "--cached", "amended.txt")
	r.git("commit", "-q", "--amend", "--allow-empty", "-m", "amended")
	if err := os.Remove(filepath.Join(r.dir, "amended.txt")); err != nil {
		t.Fatal(err)
	}
	staged := r.piped(mark+" staged", "hash-object", "-w", "--stdin")
	expect("@blob/"+staged, mark+" staged", unreachable, "")

	// An author, a remote with a password.
	r.git("commit", "-q", "--allow-empty", "--author", mark+" <x@example.org>", "-m", "author")
	r.git("config", "remote.upstream.url", "https://me:"+mark+"@example.org/x.git")
	return r, want
}

func TestEverythingThatCanHoldAValue(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		for _, packed := range []string{"loose", "packed"} {
			t.Run(format+" "+packed, func(t *testing.T) {
				r, want := hidden(t, format)
				if packed == "packed" {
					r.git("repack", "-q", "-a", "-d", "-k")
					r.git("pack-refs", "--all")
				}
				got, skips := drained(t, r.source(mark))
				// What holds many things is compared by its path alone.
				var rest []met
				seen := map[string]bool{}
				for _, m := range got {
					switch m.Path {
					case "@ref", "@reflog", "@config", "@author", "@tag-message":
						seen[m.Path] = true
					default:
						rest = append(rest, m)
					}
				}
				slices.SortFunc(want, func(a, b met) int { return strings.Compare(a.Path+a.Content, b.Path+b.Content) })
				if diff := cmp.Diff(want, rest); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if len(seen) != 5 || len(skips) != 0 {
					t.Errorf("met %v; skips %+v", seen, skips)
				}
			})
		}
	}
}

func TestSourceIDs(t *testing.T) {
	for origin, want := range map[string]string{
		"https://user:pw@Git.Example.org/acme/Shop.git": "git:git.example.org/acme/Shop",
		"git@git.example.org:acme/Shop.git":             "git:git.example.org/acme/Shop",
		"ssh://git@git.example.org:22/acme/Shop":        "git:git.example.org/acme/Shop",
		"ssh://git@git.example.org:2222/acme/Shop/":     "git:git.example.org:2222/acme/Shop",
		"/srv/git/shop.git":                             "git:file:/here",
		"file:///srv/git/shop.git":                      "git:file:/here",
		"":                                              "git:file:/here",
		"../shop":                                       "git:file:/here",
		"C:/shop":                                       "git:file:/here",
	} {
		if got := gitrepo.SourceID(origin, "/here"); got != want {
			t.Errorf("%q: %s, want %s", origin, got, want)
		}
	}
}

func TestNoRepository(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing")} {
		if _, err := gitrepo.Look(context.Background(), dir); !errors.Is(err, gitrepo.ErrNoRepository) {
			t.Errorf("%v", err)
		}
	}
}

func TestEmptyRepository(t *testing.T) {
	r := newRepository(t)
	if got, skips := drained(t, r.source(mark)); len(got) != 0 || len(skips) != 0 {
		t.Errorf("%+v, %+v", got, skips)
	}
}
