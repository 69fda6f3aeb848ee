package gitrepo_test

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
)

// gitAt runs git in a folder and returns what it printed; it may fail.
func gitAt(t *testing.T, dir string, in []byte, args ...string) ([]byte, error) {
	t.Helper()
	c := exec.Command("git", args...)
	c.Dir, c.Stdin = dir, bytes.NewReader(in)
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_NO_LAZY_FETCH=1", "GIT_NO_REPLACE_OBJECTS=1")
	return c.Output()
}

// marked are the blobs with the mark that git can read, whoever reaches them.
func marked(t *testing.T, dir string) []string {
	t.Helper()
	list, err := gitAt(t, dir, nil, "cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(list)) {
		kind, id, _ := strings.Cut(strings.TrimSpace(line), " ")
		if kind != "blob" {
			continue
		}
		if data, err := gitAt(t, dir, nil, "cat-file", "blob", id); err == nil && bytes.Contains(data, []byte(mark)) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// blobsOf are the blobs that items were given out for, once each.
func blobsOf(t *testing.T, dir string) (ids, paths []string, skips []fingerprints.Skip) {
	t.Helper()
	s := sourceAt(t, dir, mark)
	defer s.Close()
	for {
		b, err := s.Next(t.Context())
		skips = append(skips, b.Skipped...)
		for _, it := range b.Items {
			if id, is := strings.CutPrefix(it.Locator, "blob:"); is {
				ids = append(ids, id)
				paths = append(paths, it.Path)
			}
			rc, openErr := it.Open(t.Context())
			if openErr == nil {
				openErr = rc.Close()
			}
			if openErr != nil {
				t.Errorf("%s: %v", it.Path, openErr)
			}
		}
		if err != nil {
			slices.Sort(ids)
			slices.Sort(paths)
			return slices.Compact(ids), paths, skips
		}
	}
}

// imported feeds git fast-import.
func (r *repository) imported(stream string) {
	r.t.Helper()
	if r.piped(stream, "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", "--force", "--depth=0") != "" {
		r.t.Fatal("fast-import says something")
	}
}

// oneCommit is a fast-import stream of one commit with a file for each name.
func oneCommit(names []string, content func(i int) string) string {
	var b strings.Builder
	b.WriteString("commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 5\nfirst\n")
	for i, name := range names {
		text := content(i)
		fmt.Fprintf(&b, "M 100644 inline \"%s\"\ndata %d\n%s\n", name, len(text), text)
	}
	return b.String()
}

// many makes contents of which every thousandth has the mark.
func many(i int) string {
	if i%1000 == 7 {
		return fmt.Sprintf("%s %d", mark, i)
	}
	return fmt.Sprint("plain ", i)
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("f%d.txt", i)
	}
	return names
}

// TestManyFiles: 100,000 files in one tree.
func TestManyFiles(t *testing.T) {
	r := newRepository(t, "--bare")
	var blobs, tree strings.Builder // fast-import takes minutes for a tree as wide
	for i, name := range numbered(100_000) {
		text := many(i)
		fmt.Fprintf(&blobs, "blob\ndata %d\n%s\n", len(text), text)
		fmt.Fprintf(&tree, "100644 blob %x\t%s\n", sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(text), text)), name)
	}
	r.imported(blobs.String())
	r.git("update-ref", "refs/heads/main", r.git("commit-tree", "-m", "first", r.piped(tree.String(), "mktree")))
	ids, paths, skips := blobsOf(t, r.dir)
	if len(ids) != 100 || len(paths) != 100 || len(skips) != 0 {
		t.Errorf("%d blobs at %d paths; %v", len(ids), len(paths), skips)
	}
}

// TestManyBlobs: 70,000 tiny blobs, or as many as REVENANT_TEST_BLOBS says, in
// folders of 200, of which a commit brings 20.
func TestManyBlobs(t *testing.T) {
	folders, each := 360, 200 // more blobs than 16 bits count
	if s := os.Getenv("REVENANT_TEST_BLOBS"); s != "" {
		wanted, err := strconv.Atoi(s)
		if err != nil || wanted < 1000 {
			t.Fatalf("REVENANT_TEST_BLOBS is a number from 1000: %v", err)
		}
		folders = wanted / 1000 * 1000 / each
	}
	var b strings.Builder
	n := 0
	for c := range folders / 20 {
		fmt.Fprintf(&b, "commit refs/heads/main\nmark :%d\ncommitter C <c@example.org> %d +0000\ndata 1\nc\n", c+1, 1_700_000_000+c)
		if c > 0 {
			fmt.Fprintf(&b, "from :%d\n", c)
		}
		for range 20 * each {
			text := many(n)
			fmt.Fprintf(&b, "M 100644 inline d%d/f%d\ndata %d\n%s\n", n/each, n, len(text), text)
			n++
		}
	}
	r := newRepository(t, "--bare")
	r.imported(b.String())
	began := time.Now()
	ids, paths, skips := blobsOf(t, r.dir)
	t.Logf("%d blobs: %v", n, time.Since(began).Round(time.Millisecond))
	if len(ids) != folders*each/1000 || len(paths) != len(ids) || len(skips) != 0 {
		t.Errorf("%d blobs at %d paths; %v", len(ids), len(paths), skips)
	}
}

// TestOddNames: names that differ by case alone, that are no UTF-8, that look
// like options or like git's own output.
func TestOddNames(t *testing.T) {
	r := newRepository(t, "--bare")
	names := map[string]string{ // as fast-import quotes them
		"README": "README", "readme": "readme", "Readme/x": "Readme/x", `\377\376`: "\xff\xfe", `a\nb`: "a\nb", `a\tb`: "a\tb",
		"--output=x": "--output=x", ":100644": ":100644", `\001x`: "\x01x", " leading": " leading", "trailing ": "trailing ",
		`quote\"d`: `quote"d`, "aux.txt": "aux.txt", "a b/c d": "a b/c d", "$(id)": "$(id)", "*": "*",
		strings.Repeat("deep/", 300) + "x": strings.Repeat("deep/", 300) + "x", strings.Repeat("n", 3000): strings.Repeat("n", 3000),
	}
	var quoted, want []string
	for q, name := range names {
		quoted = append(quoted, q)
		want = append(want, name)
	}
	slices.Sort(want)
	r.imported(oneCommit(quoted, func(i int) string { return fmt.Sprintf("%s %d", mark, i) }))
	ids, paths, skips := blobsOf(t, r.dir)
	if diff := cmp.Diff(want, paths); diff != "" || len(skips) > 0 {
		t.Errorf("%v (-want +got):\n%s", skips, diff)
	}
	if diff := cmp.Diff(marked(t, r.dir), ids); diff != "" {
		t.Errorf("(-git +got):\n%s", diff)
	}
}

// history5 has files with the mark at a tip and in history, packed.
func history5(t *testing.T, args ...string) *repository {
	r := newRepository(t, args...)
	for i := range 5 {
		r.write("same.txt", fmt.Sprintf("%s %d\n%s", mark, i, strings.Repeat("line\n", 20)))
		r.write(fmt.Sprintf("d%d/new.txt", i), fmt.Sprintf("%s new %d", mark, i))
		r.commit("c")
	}
	return r
}

// TestShapes: each shape gives what git can read, at the paths that it has.
func TestShapes(t *testing.T) {
	outer := t.TempDir()
	from := history5(t)
	from.git("config", "uploadpack.allowFilter", "true")
	clone := func(name string, args ...string) string {
		dir := filepath.Join(outer, name)
		if out, err := gitAt(t, outer, nil, append(append([]string{"clone", "-q"}, args...), "file://"+from.dir, dir)...); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return dir
	}
	detached := history5(t)
	detached.git("checkout", "-q", "--detach", "HEAD~1")
	detached.git("branch", "-q", "-D", "main")
	linked := history5(t)
	linked.git("worktree", "add", "-q", "--detach", filepath.Join(outer, "linked"), "HEAD~2")
	super := newRepository(t)
	super.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", from.dir, "sub")
	packed := history5(t, "--object-format=sha256")
	packed.git("gc", "-q", "--prune=now")
	for name, c := range map[string]struct {
		dir   string
		blobs int
		skips []fingerprints.SkipReason
	}{
		"plain":     {from.dir, 10, nil},
		"packed":    {packed.dir, 10, nil},
		"bare":      {clone("bare", "--bare"), 10, nil},
		"mirror":    {clone("mirror", "--mirror"), 10, nil},
		"shared":    {clone("shared", "--reference", from.dir), 10, nil}, // alternates
		"shallow":   {clone("shallow", "--depth=1"), 6, []fingerprints.SkipReason{fingerprints.SkipMissing}},
		"partial":   {clone("partial", "--bare", "--filter=blob:none"), 0, []fingerprints.SkipReason{fingerprints.SkipMissing}},
		"no tree":   {clone("treeless", "--bare", "--filter=tree:0"), 0, []fingerprints.SkipReason{fingerprints.SkipMissing}},
		"detached":  {detached.dir, 10, nil},
		"linked":    {filepath.Join(outer, "linked"), 10, nil},
		"git dir":   {filepath.Join(from.dir, ".git"), 10, nil},
		"submodule": {filepath.Join(super.dir, "sub"), 10, nil},
		"empty":     {newRepository(t).dir, 0, nil},
		"bare void": {newRepository(t, "--bare").dir, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ids, paths, skips := blobsOf(t, c.dir)
			if diff := cmp.Diff(marked(t, c.dir), ids); diff != "" || len(ids) != c.blobs {
				t.Errorf("%d blobs (-git +got):\n%s", len(ids), diff)
			}
			if slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, "@") }) {
				t.Errorf("without a path: %v", paths)
			}
			var reasons []fingerprints.SkipReason
			for _, k := range skips {
				reasons = append(reasons, k.Reason)
			}
			if diff := cmp.Diff(c.skips, reasons); diff != "" {
				t.Errorf("skips (-want +got):\n%s%+v", diff, skips)
			}
		})
	}
}

// damages are what can be wrong with a repository, by what is done to it.
func damages() map[string]func(r *repository) error {
	overwrite := func(name, text string) func(r *repository) error {
		return func(r *repository) error {
			return errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(r.dir, ".git", name)), 0o700), os.WriteFile(filepath.Join(r.dir, ".git", name), []byte(text), 0o600))
		}
	}
	flip := func(glob string, at func(size int) int) func(r *repository) error {
		return func(r *repository) error {
			names, err := filepath.Glob(filepath.Join(r.dir, ".git", glob))
			if err != nil || len(names) == 0 {
				return fmt.Errorf("nothing to damage: %w", err)
			}
			data, err := os.ReadFile(names[0])
			if err != nil {
				return err
			}
			data[at(len(data))] ^= 0x55
			return errors.Join(os.Chmod(names[0], 0o600), os.WriteFile(names[0], data, 0o600))
		}
	}
	return map[string]func(r *repository) error{
		"a ref with garbage":        overwrite("refs/heads/bad", "garbage\n"),
		"an empty ref":              overwrite("refs/heads/bad", ""),
		"a ref to nothing":          overwrite("refs/heads/bad", strings.Repeat("1", 40)+"\n"),
		"a tag of nothing":          overwrite("refs/tags/bad", strings.Repeat("2", 40)+"\n"),
		"packed refs with garbage":  overwrite("packed-refs", "# pack-refs with: peeled\ngarbage\n\x00\x01\n"),
		"a HEAD with garbage":       overwrite("HEAD", "\x00garbage"),
		"an empty HEAD":             overwrite("HEAD", ""),
		"a configuration of noise":  overwrite("config", "[core\n\x00= yes"),
		"alternates to nowhere":     overwrite("objects/info/alternates", "/nonexistent/objects\n\x00\n../../../../../..\n"),
		"a shallow file of noise":   overwrite("shallow", "noise\n"),
		"grafts":                    overwrite("info/grafts", strings.Repeat("3", 40)+"\n"),
		"a commit graph of noise":   overwrite("objects/info/commit-graph", "CGPHnoise"),
		"a reflog of noise":         overwrite("logs/HEAD", "noise\n\x00"),
		"an index of noise":         overwrite("index", "noise"),
		"a middle byte of the pack": flip("objects/pack/*.pack", func(n int) int { return n / 2 }),
		"a late byte of the pack":   flip("objects/pack/*.pack", func(n int) int { return n - 30 }),
		"the head of the pack":      flip("objects/pack/*.pack", func(int) int { return 2 }),
		"the count of the pack":     flip("objects/pack/*.pack", func(int) int { return 9 }),
		"the head of the index":     flip("objects/pack/*.idx", func(int) int { return 1 }),
		"the fanout of the index":   flip("objects/pack/*.idx", func(int) int { return 600 }),
		"the index is gone":         func(r *repository) error { return removeAll(r, "objects/pack/*.idx") },
		"the pack is gone":          func(r *repository) error { return removeAll(r, "objects/pack/*.pack") },
		"the objects are gone":      func(r *repository) error { return removeAll(r, "objects/pack/*") },
		"a pack that is cut": func(r *repository) error {
			names, err := filepath.Glob(filepath.Join(r.dir, ".git", "objects/pack/*.pack"))
			if err != nil {
				return err
			}
			info, err := os.Stat(names[0])
			if err != nil {
				return err
			}
			return errors.Join(os.Chmod(names[0], 0o600), os.Truncate(names[0], info.Size()/2))
		},
	}
}

func removeAll(r *repository, glob string) error {
	names, err := filepath.Glob(filepath.Join(r.dir, ".git", glob))
	for _, name := range names {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

// TestDamaged: whatever is damaged, what git can still read is given out, what
// it cannot is listed, and nothing crashes or hangs.
func TestDamaged(t *testing.T) {
	harmless := []string{"grafts", "a commit graph of noise", "a reflog of noise", "an index of noise", "the objects are gone", "a shallow file of noise", "the count of the pack"}
	for name, damage := range damages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := history5(t)
			r.git("tag", "-a", "-m", "tag", "v1")
			r.git("gc", "-q", "--prune=now")
			all := marked(t, r.dir)
			if len(all) != 10 {
				t.Fatalf("%d blobs", len(all))
			}
			if err := damage(r); err != nil {
				t.Fatal(err)
			}
			ids, _, skips := blobsOf(t, r.dir)
			for _, id := range all {
				data, err := gitAt(t, r.dir, nil, "cat-file", "blob", id)
				if err == nil && len(data) > 0 && !slices.Contains(ids, id) {
					t.Errorf("git can read %s, and it is not given out", id)
				}
			}
			if len(ids) < len(all) && len(skips) == 0 && name != "the objects are gone" {
				t.Errorf("%d of %d blobs, and no skip", len(ids), len(all))
			}
			if len(skips) == 0 && !slices.Contains(harmless, name) {
				t.Errorf("%d of %d blobs; nothing is listed", len(ids), len(all))
			}
			t.Logf("%d of %d blobs; %v", len(ids), len(all), listedSkips(skips))
		})
	}
}
