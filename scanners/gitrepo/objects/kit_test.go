package objects_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo/objects"
)

// git runs git in a folder, without anybody's own configuration.
func git(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	return gitIn(tb, dir, nil, args...)
}

func gitIn(tb testing.TB, dir string, in io.Reader, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = dir, in
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+dir, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// newRepo is an empty repository.
func newRepo(tb testing.TB, format objects.Format, args ...string) string {
	tb.Helper()
	dir := tb.TempDir()
	git(tb, dir, append([]string{"init", "-q", "-b", "main", "--object-format=" + format.String()}, append(args, ".")...)...)
	return dir
}

// history imports commits into a repository, each of which changes lines of a
// few files, so that packs have deltas.
func history(tb testing.TB, dir string, seed uint64, commits, files, lines int) {
	tb.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	var in bytes.Buffer
	text := make([][]string, files)
	line := func() string { return fmt.Sprintf("line %08x of %d words %x", r.Uint32(), r.IntN(9), r.Uint64()) }
	for f := range text {
		for range lines {
			text[f] = append(text[f], line())
		}
	}
	branch := fmt.Sprintf("refs/heads/b%d", seed)
	for c := range commits {
		fmt.Fprintf(&in, "commit %s\ncommitter A <a@example.org> %d +0000\n", branch, 1_600_000_000+c)
		fmt.Fprintf(&in, "data <<END\nchange %d\nEND\n", c)
		for f := range text {
			if c > 0 && r.IntN(4) > 0 {
				continue
			}
			for range 1 + r.IntN(3) {
				text[f][r.IntN(lines)] = line()
			}
			body := strings.Join(text[f], "\n")
			fmt.Fprintf(&in, "M 100644 inline dir%d/file%d.txt\ndata %d\n%s\n", f%3, f, len(body), body)
		}
	}
	fmt.Fprintf(&in, "tag v%d\nfrom %s\ntagger A <a@example.org> 1600000000 +0000\ndata 4\nnote\n", seed, branch)
	gitIn(tb, dir, &in, "fast-import", "--quiet", "--force")
}

// seen is what a test keeps of an object.
type seen struct {
	Kind string
	Size int64
}

// oracle lists all objects as git does.
func oracle(tb testing.TB, dir string) map[string]seen {
	tb.Helper()
	want := map[string]seen{}
	out := git(tb, dir, "cat-file", "--batch-all-objects", "--batch-check", "--unordered")
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		if len(f) != 3 {
			tb.Fatalf("git says %q", line)
		}
		var size int64
		if _, err := fmt.Sscan(f[2], &size); err != nil {
			tb.Fatal(err)
		}
		want[f[0]] = seen{f[1], size}
	}
	return want
}

// hashed is the id of a content.
func hashed(format objects.Format, kind objects.Kind, size int64, r io.Reader) (string, error) {
	h := sha1.New()
	if format == objects.SHA256 {
		h = sha256.New()
	}
	fmt.Fprintf(h, "%s %d\x00", kind, size)
	_, err := io.Copy(h, r)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// open opens a store and closes it with the test.
func open(tb testing.TB, dir string, opts objects.Options) *objects.Store {
	tb.Helper()
	s, err := objects.Open(tb.Context(), dir, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// collector notes what a walk shows, and that each content has its id.
type collector struct {
	tb      testing.TB
	format  objects.Format
	mu      sync.Mutex
	got     map[string]seen
	damaged map[string]objects.Reason
	deltas  int
}

func collect(tb testing.TB, s *objects.Store, w objects.Walk) (*collector, objects.Report) {
	tb.Helper()
	c := &collector{tb: tb, format: s.Format(), got: map[string]seen{}, damaged: map[string]objects.Reason{}}
	w.Visit = c.visit
	w.Damaged = func(d objects.Damage) { c.damaged[d.ID.String()] = d.Reason }
	report, err := s.Walk(tb.Context(), w)
	if err != nil {
		tb.Fatal(err)
	}
	if int(report.Objects) != len(c.got) || int(report.Damaged) != len(c.damaged) {
		tb.Errorf("%d objects, %d damaged, but the report says %+v", len(c.got), len(c.damaged), report)
	}
	return c, report
}

func (c *collector) visit(_ context.Context, _ int, o *objects.Object) (any, error) {
	var r io.Reader = bytes.NewReader(o.Data)
	if o.Stream != nil {
		r = o.Stream
	}
	id, err := hashed(c.format, o.Kind, o.Size, r)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	name := o.ID.String()
	if id != name {
		c.tb.Errorf("shown as %s: a content with id %s (%s of %d)", name, id, o.Kind, o.Size)
	}
	if _, twice := c.got[name]; twice {
		c.tb.Errorf("%s is shown twice", name)
	}
	c.got[name] = seen{o.Kind.String(), o.Size}
	if o.Delta != nil {
		c.deltas++
		c.pieces(name, o)
	}
	return name, nil
}

// pieces checks that the pieces of a delta make the object.
func (c *collector) pieces(name string, o *objects.Object) {
	at := 0
	for _, p := range o.Delta.Pieces {
		if p.At != at || p.Len <= 0 {
			c.tb.Errorf("%s: a piece at %d, expected at %d", name, p.At, at)
			return
		}
		if !p.Inserted() && !bytes.Equal(o.Data[at:at+p.Len], o.Delta.Base[p.From:p.From+p.Len]) {
			c.tb.Errorf("%s: the piece at %d is not what the base has", name, at)
		}
		at += p.Len
	}
	if at != len(o.Data) {
		c.tb.Errorf("%s: pieces cover %d of %d", name, at, len(o.Data))
	}
	base, _ := o.Delta.State.(string)
	if id, _ := hashed(c.format, o.Kind, int64(len(o.Delta.Base)), bytes.NewReader(o.Delta.Base)); base != "" && id != base {
		c.tb.Errorf("%s: the state is not the base's", name)
	}
}

// compare walks a store in all ways, and reads each object by its id, and
// expects what git says.
func compare(t *testing.T, dir string) {
	t.Helper()
	want := oracle(t, dir)
	for name, opts := range map[string]objects.Options{
		"plain": {}, "ids": {Verify: objects.VerifyIDs}, "read": {Access: objects.AccessRead},
		"small": {Limits: objects.Limits{Whole: 3000, Cache: 1 << 20, Retries: 1 << 30, Fallbacks: 0}},
	} {
		s := open(t, dir, opts)
		c, report := collect(t, s, objects.Walk{Workers: 1 + len(name)%3, Pieces: name != "ids"})
		if name == "small" { // what is a delta and larger cannot be read
			for id, reason := range c.damaged {
				if reason != objects.ReasonTooLarge && reason != objects.ReasonBase {
					t.Errorf("%s: %s: %s", name, id, reason)
				}
				c.got[id] = want[id]
			}
			if diff := cmp.Diff(want, c.got); diff != "" {
				t.Errorf("%s: (-git +walk)\n%s", name, diff)
			}
			continue
		}
		if diff := cmp.Diff(want, c.got); diff != "" || len(c.damaged) > 0 {
			t.Errorf("%s: damaged %v, (-git +walk)\n%s", name, c.damaged, diff)
		}
		if report.Recovered+report.Fallback > 0 {
			t.Errorf("%s: %+v", name, report)
		}
		if p := s.Problems(); len(p) > 0 {
			t.Errorf("%s: problems %v", name, p)
		}
		if name == "plain" {
			readEach(t, s, want)
		}
	}
}

// readEach reads objects one by one, in an order that is not the pack's.
func readEach(t *testing.T, s *objects.Store, want map[string]seen) {
	t.Helper()
	for name, w := range want {
		id, err := objects.ParseID(name)
		if err != nil {
			t.Fatal(err)
		}
		kind, size, err := s.Header(t.Context(), id)
		if err != nil || kind.String() != w.Kind || size != w.Size {
			t.Fatalf("%s: header %s, %d, %v; want %+v", name, kind, size, err, w)
		}
		kind, data, err := s.Get(t.Context(), id)
		if err != nil || kind.String() != w.Kind || int64(len(data)) != w.Size {
			t.Fatalf("%s: %s of %d, %v; want %+v", name, kind, len(data), err, w)
		}
		if again, _ := hashed(s.Format(), kind, size, bytes.NewReader(data)); again != name {
			t.Fatalf("%s: has the content of %s", name, again)
		}
		kind, size, rc, err := s.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := hashed(s.Format(), kind, size, bufio.NewReader(rc)); again != name || err != nil {
			t.Fatalf("%s: streams %s, %v", name, again, err)
		}
		if err := rc.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// packFiles lists files of a repository's packs by suffix.
func packFiles(tb testing.TB, dir, suffix string) []string {
	tb.Helper()
	var names []string
	for _, sub := range []string{".git/objects/pack", "objects/pack"} {
		found, err := filepath.Glob(filepath.Join(dir, sub, "*"+suffix))
		if err != nil {
			tb.Fatal(err)
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return names
}

// write puts a file down, with its folders, over what may be read-only.
func write(tb testing.TB, name string, data []byte) {
	tb.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		tb.Fatal(err)
	}
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
