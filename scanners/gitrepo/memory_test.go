package gitrepo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/gitrepo"
)

// kept is a memory in memory. The zero one is empty.
type kept struct{ parts map[string][]byte }

// part is one that was opened.
type part struct{ *bytes.Reader }

func (part) Close() error { return nil }

func (k *kept) Open(name string) (gitrepo.Part, error) {
	b, has := k.parts[name]
	if !has {
		return nil, os.ErrNotExist
	}
	return part{bytes.NewReader(b)}, nil
}

func (k *kept) Save(name string, b []byte) error {
	if k.parts == nil {
		k.parts = map[string][]byte{}
	}
	k.parts[name] = bytes.Clone(b)
	return nil
}

func (k *kept) Remove(name string) error { delete(k.parts, name); return nil }

func (k *kept) holds(text string) bool {
	for _, b := range k.parts {
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// remembering scans with a memory, and counts what was screened.
func remembering(t *testing.T, dir string, m gitrepo.Memory, knows gitrepo.Knowledge, looked *atomic.Int64) scanners.Source {
	t.Helper()
	screen := func(_ context.Context, data []byte) bool {
		looked.Add(1)
		return bytes.Contains(data, []byte(mark))
	}
	s, err := gitrepo.New(context.Background(), gitrepo.Options{
		Path: dir, SourceID: "git:example.org/test", Workers: 2, Memory: m, Knows: knows, Screen: screen,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// holding shows in paths which refs hold an item.
type holding struct{ scanners.Source }

func (h holding) Next(ctx context.Context) (scanners.Batch, error) {
	b, err := h.Source.Next(ctx)
	for i := range b.Items {
		it := &b.Items[i]
		it.Path += " in " + strings.Join(it.Refs, " ") + " and " + strconv.Itoa(it.MoreRefs)
	}
	return b, err
}

// TestRemembered makes many kinds of changes to a repository in random order
// and compares each scan that remembers with one that does not.
func TestRemembered(t *testing.T) {
	for seed := range uint64(2) {
		r, _ := hidden(t, []string{"sha1", "sha256"}[seed%2])
		rng := rand.New(rand.NewPCG(seed, 5))
		m := &kept{}
		n := 0
		write := func(name, content string) {
			n++
			r.write(name, content+" "+itoa(n))
		}
		steps := map[string]func(){
			"commit a canary": func() { write("new"+itoa(n)+".txt", mark+" new"); r.commit("more") },
			"commit nothing of interest": func() {
				write("dull.txt", "dull")
				r.commit("dull")
			},
			"say it":        func() { r.commit("says " + mark + itoa(n)); n++ },
			"remove":        func() { r.git("rm", "-q", "--ignore-unmatch", "tip.txt"); r.commit("removed") },
			"old at a path": func() { r.write("again/"+itoa(n)+".txt", mark+" at the tip"); n++; r.commit("again") },
			"branch":        func() { n++; r.git("branch", "b"+itoa(n)) },
			"reset":         func() { r.git("reset", "-q", "--hard", "HEAD~1") },
			"merge": func() {
				n++
				side := "side" + itoa(n)
				r.git("checkout", "-q", "-b", side, "HEAD~1")
				write(side+".txt", mark+" on the side")
				r.commit("side")
				r.git("checkout", "-q", "main")
				r.git("merge", "-q", "-s", "ours", "--no-commit", side)
				write("evil-"+side+".txt", mark+" evil")
				r.commit("merge")
				r.git("branch", "-q", "-D", side)
			},
			"stash": func() { write("stash.txt", mark+" stashed"); r.git("stash", "-q", "-u") },
			"tag":   func() { n++; r.git("tag", "-a", "-m", mark+" tag", "t"+itoa(n)) },
			"tags": func() {
				for range 25 { // more than are named
					n++
					r.git("tag", "many"+itoa(n), "HEAD")
				}
			},
			"remove a ref": func() {
				refs := strings.Fields(r.git("for-each-ref", "--format=%(refname)", "refs/tags", "refs/heads/b*", "refs/notes", "refs/pull"))
				if len(refs) > 0 {
					r.git("update-ref", "-d", refs[rng.IntN(len(refs))])
				}
			},
			"pull request": func() {
				n++
				r.git("update-ref", "refs/pull/"+itoa(n)+"/head", r.git("rev-list", "--all", "--max-count=1", "--skip="+strconv.Itoa(rng.IntN(4))))
			},
			"amend": func() {
				write("amended.txt", mark+" amended")
				r.git("add", "-A")
				r.git("commit", "-q", "--amend", "-m", "amended")
			},
			"put back": func() { r.write("tip.txt", mark+" put back"); n++; r.commit("put back " + itoa(n)) },
			"submodule": func() {
				r.git("update-index", "--add", "--cacheinfo", "160000,"+r.git("rev-parse", "HEAD")+",sub")
				r.git("commit", "-q", "-m", "sub")
			},
			"pointer": func() {
				n++
				r.write("large.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:"+strings.Repeat("ab", 32)+"\nsize "+itoa(n)+"\n")
				r.commit("pointer")
			},
			"tree":      func() { n++; r.git("update-ref", "refs/tags/tree"+itoa(n), r.git("rev-parse", "HEAD^{tree}")) },
			"pack refs": func() { r.git("pack-refs", "--all") },
			"detach":    func() { r.git("checkout", "-q", "--detach") },
			"attach":    func() { r.git("checkout", "-q", "-B", "main") },
			"repack":    func() { r.git("repack", "-q", "-a", "-d", "-k") },
			"prune":     func() { r.git("gc", "-q", "--prune=now") },
			"forget":    func() { r.git("reflog", "expire", "--expire=now", "--all") },
			"note":      func() { r.git("notes", "add", "-f", "-m", mark+" note "+itoa(n), "HEAD"); n++ },
			"rescan":    func() {},
		}
		names := make([]string, 0, len(steps))
		for name := range steps {
			names = append(names, name)
		}
		slices.Sort(names)
		var looked atomic.Int64
		drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
		for range 14 {
			step := names[rng.IntN(len(names))]
			steps[step]()
			want, wantRest := drained(t, holding{r.source(mark)})
			got, rest := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
			if diff := cmp.Diff(want, got) + cmp.Diff(wantRest, rest); diff != "" {
				t.Fatalf("seed %d, after %q (-all anew +remembered):\n%s", seed, step, diff)
			}
			if m.holds(mark) {
				t.Fatal("content is kept")
			}
		}
	}
}

// TestOnlyWhatIsNew counts what a rescan looks at.
func TestOnlyWhatIsNew(t *testing.T) {
	r := newRepository(t)
	for i := range 30 {
		r.write("f"+itoa(i+1)+".txt", strings.Repeat("line\n", i+1))
		r.commit("c")
	}
	m := &kept{}
	var looked atomic.Int64
	scan := func(k gitrepo.Knowledge) int64 {
		looked.Store(0)
		drained(t, remembering(t, r.dir, m, k, &looked))
		return looked.Load()
	}
	first := scan(gitrepo.Knowledge{})
	if first < 60 {
		t.Fatalf("%d contents at first", first)
	}
	if n := scan(gitrepo.Knowledge{}); n != 0 {
		t.Errorf("%d contents without a change", n)
	}
	r.git("repack", "-q", "-a", "-d")
	if n := scan(gitrepo.Knowledge{}); n > 1 { // .git/info/refs is new
		t.Errorf("%d contents after a repack", n)
	}
	r.write("one.txt", "one more")
	r.commit("one more")
	if n := scan(gitrepo.Knowledge{}); n == 0 || n > 5 {
		t.Errorf("%d contents for one commit", n)
	}
	if n := scan(gitrepo.Knowledge{Fields: 1}); n < first {
		t.Errorf("%d contents for new values, %d at first", n, first)
	}
	if n := scan(gitrepo.Knowledge{Fields: 1, Generic: [sha256.Size]byte{1}}); n < first {
		t.Errorf("%d contents for new rules, %d at first", n, first)
	}
	good := m.parts["memory"]
	for _, cut := range []int{0, 5, 30, 70, len(good) / 2, len(good) - 1} {
		m.parts["memory"] = good[:cut]
		if n := scan(gitrepo.Knowledge{Fields: 1, Generic: [sha256.Size]byte{1}}); n < first {
			t.Errorf("%d contents with a memory cut at %d", n, cut)
		}
	}
}

// TestManyNewTips: a fetch of more branches than trees are read for one by one,
// each with a file of its own and an old one at a new path.
func TestManyNewTips(t *testing.T) {
	r, _ := hidden(t, "sha1")
	m := &kept{}
	var looked atomic.Int64
	drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
	old := r.git("rev-parse", "HEAD:tip.txt")
	var s strings.Builder
	for i := range 120 {
		fmt.Fprintf(&s, "commit refs/heads/many%d\ncommitter C <c@example.org> %d +0000\ndata 1\nc\nfrom refs/heads/main^0\n", i, 1_800_000_000+i)
		text := fmt.Sprintf("%s on branch %d", mark, i)
		fmt.Fprintf(&s, "M 100644 inline many/%d.txt\ndata %d\n%s\nM 100644 %s again/%d.txt\n", i%30, len(text), text, old, i%40)
	}
	r.piped(s.String(), "fast-import", "--quiet")
	for _, when := range []string{"new", "again"} {
		want, _ := drained(t, holding{r.source(mark)})
		got, skips := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
		if diff := cmp.Diff(want, got); diff != "" || len(want) < 150 || len(skips) > 0 {
			t.Errorf("%s: %d places, %v (-afresh +remembering):\n%s", when, len(want), skips, diff)
		}
	}
}

// TestComesBack: what was pruned and is fetched again is read again.
func TestComesBack(t *testing.T) {
	r, _ := hidden(t, "sha1")
	backup := filepath.Join(t.TempDir(), "backup")
	r.git("clone", "-q", "--mirror", ".", backup)
	m := &kept{}
	var looked atomic.Int64
	want, _ := drained(t, remembering(t, backup, m, gitrepo.Knowledge{}, &looked))
	empty := newRepository(t)
	if got, _ := drained(t, remembering(t, empty.dir, m, gitrepo.Knowledge{}, &looked)); len(got) > 0 {
		t.Fatalf("in an empty repository: %+v", got)
	}
	got, _ := drained(t, remembering(t, backup, m, gitrepo.Knowledge{}, &looked))
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 5 {
		t.Errorf("(-at first +come back):\n%s", diff)
	}
}

// TestNewValuesInOldObjects: what is newly looked for is found in what was
// read before, by the look for registered values alone.
func TestNewValuesInOldObjects(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "a "+mark)
	r.commit("first")
	m := &kept{}
	open := func(k gitrepo.Knowledge, generic, fields string) []met {
		contains := func(what string) func(context.Context, []byte) bool {
			return func(_ context.Context, data []byte) bool { return what != "" && bytes.Contains(data, []byte(what)) }
		}
		s, err := gitrepo.New(context.Background(), gitrepo.Options{
			Path: r.dir, SourceID: "git:example.org/test", Memory: m, Knows: k, Screen: contains(generic), ScreenFor: func(gitrepo.Change) func(context.Context, []byte) bool { return contains(fields) },
		})
		if err != nil {
			t.Fatal(err)
		}
		out, _ := drained(t, s)
		return out
	}
	if got := open(gitrepo.Knowledge{Fields: 1}, "", ""); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	for range 2 {
		got := open(gitrepo.Knowledge{Fields: 2}, "nothing", mark)
		if len(got) != 1 || got[0].Presence != fingerprints.PresenceTip || got[0].Commit == "" {
			t.Fatalf("%+v", got)
		}
	}
}

// TestInterrupted stops a first scan and goes on.
func TestInterrupted(t *testing.T) {
	r, _ := hidden(t, "sha1")
	want, _ := drained(t, r.source(mark))
	m := &kept{}
	total := int64(0)
	for stop := int64(5); ; stop += 5 {
		ctx, cancel := context.WithCancel(context.Background())
		var looked atomic.Int64
		s, err := gitrepo.New(ctx, gitrepo.Options{
			Path: r.dir, SourceID: "git:example.org/test", Workers: 1, Memory: m,
			Screen: func(_ context.Context, data []byte) bool {
				if looked.Add(1) == stop {
					cancel()
				}
				return bytes.Contains(data, []byte(mark))
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(ctx); err == nil || errors.Is(err, io.EOF) {
			cancel()
			_ = s.Close()
			break
		}
		cancel()
		total += looked.Load()
		_ = s.Close()
	}
	var looked atomic.Int64
	got, _ := drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-undisturbed +resumed):\n%s", diff)
	}
	if total == 0 {
		t.Error("no scan was stopped")
	}
	if matches, _ := filepath.Glob(filepath.Join(r.dir, ".git", "*.lock")); len(matches) > 0 {
		t.Error("a lock is left behind")
	}
}

// TestLateObject: what a tree named when it was walked, and was not there to be
// read, is found at its path once it is there.
func TestLateObject(t *testing.T) {
	r := newRepository(t)
	r.write("here.txt", mark+" here")
	r.write("below/late.txt", mark+" late")
	r.commit("first")
	id := r.git("rev-parse", "HEAD:below/late.txt")
	file := filepath.Join(r.dir, ".git", "objects", id[:2], id[2:])
	if err := os.Rename(file, file+"-away"); err != nil {
		t.Fatal(err)
	}
	m := &kept{}
	var looked atomic.Int64
	for range 2 {
		if got, _ := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)}); len(got) != 1 {
			t.Fatalf("without it: %+v", got)
		}
	}
	if err := os.Rename(file+"-away", file); err != nil {
		t.Fatal(err)
	}
	want, _ := drained(t, holding{r.source(mark)})
	for range 3 {
		got, _ := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
		if diff := cmp.Diff(want, got); diff != "" || len(want) != 2 {
			t.Fatalf("(-anew +remembered):\n%s", diff)
		}
	}
}

// TestPutBack: of the commits that bring the same content to the same path the
// oldest is named, also when the others come after a scan.
func TestPutBack(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", mark+" once")
	r.commit("first")
	m := &kept{}
	var looked atomic.Int64
	drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
	for _, step := range []func(){
		func() { r.git("rm", "-q", "a.txt"); r.commit("removed") },
		func() { r.write("a.txt", mark+" once"); r.commit("put back") },
		func() { r.git("rm", "-q", "a.txt"); r.commit("removed again") },
	} {
		step()
		want, _ := drained(t, holding{r.source(mark)})
		got, _ := drained(t, holding{remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked)})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-anew +remembered):\n%s", diff)
		}
	}
}
