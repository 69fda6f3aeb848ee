package objects_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"revenant/scanners/gitrepo/objects"
)

func TestRepositories(t *testing.T) {
	for _, format := range []objects.Format{objects.SHA1, objects.SHA256} {
		for name, build := range repositories() {
			t.Run(fmt.Sprintf("%s/%s", format, name), func(t *testing.T) {
				t.Parallel()
				compare(t, build(t, format))
			})
		}
	}
}

// repositories are the shapes that a repository can have.
func repositories() map[string]func(*testing.T, objects.Format) string {
	type build = func(*testing.T, objects.Format) string
	packed := func(args ...string) build {
		return func(t *testing.T, f objects.Format) string {
			dir := newRepo(t, f)
			history(t, dir, 1, 60, 6, 40)
			git(t, dir, append([]string{"repack", "-q", "-adf"}, args...)...)
			return dir
		}
	}
	return map[string]build{
		"empty": func(t *testing.T, f objects.Format) string { return newRepo(t, f) },
		"bare": func(t *testing.T, f objects.Format) string {
			dir := newRepo(t, f, "--bare")
			history(t, dir, 2, 20, 4, 20)
			return dir
		},
		"deltas":     packed("--depth=50", "--window=20"),
		"long":       packed("--depth=4000", "--window=10"),
		"whole":      packed("--depth=0", "--window=0"),
		"references": refDeltas,
		"index1":     indexVersion1,
		"loose":      looseObjects,
		"both":       packedAndLoose,
		"multi":      multiPack,
		"cruft":      cruft,
		"alternates": func(t *testing.T, f objects.Format) string { return borrowed(t, f, "clone", "-q", "--shared") },
		"shallow":    shallow,
		"partial":    partial,
		"odd":        oddContents,
	}
}

// refDeltas names bases by their ids, as a pack for the wire may.
func refDeltas(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 3, 40, 4, 30)
	git(t, dir, "-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-adf")
	return dir
}

func indexVersion1(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 4, 20, 4, 30)
	git(t, dir, "-c", "pack.indexVersion=1", "repack", "-q", "-adf")
	return dir
}

func looseObjects(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 5, 10, 3, 200)
	for _, p := range packFiles(t, dir, ".pack") {
		pack := read(t, p)
		for _, suffix := range []string{".pack", ".idx", ".rev"} {
			if err := os.Remove(strings.TrimSuffix(p, ".pack") + suffix); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		gitIn(t, dir, bytes.NewReader(pack), "unpack-objects", "-q")
	}
	write(t, filepath.Join(dir, ".git/objects/ab/tmp_obj_left"), []byte("left over"))
	return dir
}

// packedAndLoose has copies: in several packs and as files.
func packedAndLoose(t *testing.T, f objects.Format) string {
	dir := looseObjects(t, f)
	git(t, dir, "repack", "-q") // keeps the loose ones
	history(t, dir, 6, 20, 3, 40)
	git(t, dir, "repack", "-q", "-a") // keeps the pack
	return dir
}

func multiPack(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	for seed := range uint64(3) {
		history(t, dir, 10+seed, 10, 3, 30)
		git(t, dir, "-c", "fastimport.unpackLimit=1", "repack", "-q")
	}
	git(t, dir, "multi-pack-index", "write")
	return dir
}

func cruft(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 20, 10, 3, 30)
	history(t, dir, 21, 10, 3, 30)
	git(t, dir, "update-ref", "-d", "refs/heads/b21")
	git(t, dir, "tag", "-d", "v21")
	git(t, dir, "gc", "-q", "--cruft", "--prune=never")
	return dir
}

// borrowed clones so that the clone borrows, over two steps, and adds to it.
func borrowed(t *testing.T, f objects.Format, args ...string) string {
	dir := newRepo(t, f)
	history(t, dir, 30, 10, 3, 30)
	git(t, dir, "symbolic-ref", "HEAD", "refs/heads/b30")
	outer := t.TempDir()
	git(t, outer, append(args, "--bare", dir, "mid")...)
	git(t, outer, append(args, filepath.Join(outer, "mid"), "end")...)
	end := filepath.Join(outer, "end")
	git(t, end, "commit", "-q", "--allow-empty", "-m", "more")
	// Back to itself, twice the same, a comment, quoted, and relative.
	alternates := filepath.Join(end, ".git/objects/info/alternates")
	mid := string(read(t, alternates))
	write(t, alternates, []byte("# comment\n"+mid+mid+filepath.Join(end, ".git/objects")+"\n\""+filepath.Join(outer, "m\\151d/objects")+"\"\n../../../mid/objects\n"))
	return end
}

func shallow(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 40, 10, 3, 30)
	git(t, dir, "symbolic-ref", "HEAD", "refs/heads/b40")
	outer := t.TempDir()
	git(t, outer, "clone", "-q", "--depth=2", "file://"+dir, "end")
	return filepath.Join(outer, "end")
}

func partial(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	history(t, dir, 50, 10, 3, 30)
	git(t, dir, "symbolic-ref", "HEAD", "refs/heads/b50")
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	outer := t.TempDir()
	git(t, outer, "clone", "-q", "--bare", "--filter=blob:none", "file://"+dir, "end")
	return filepath.Join(outer, "end")
}

// oddContents has empty objects, large ones, and ones of each size around what
// an encoding or a buffer ends at.
func oddContents(t *testing.T, f objects.Format) string {
	dir := newRepo(t, f)
	var in bytes.Buffer
	add := func(data []byte) { fmt.Fprintf(&in, "blob\ndata %d\n%s\n", len(data), data) }
	r := rand.New(rand.NewPCG(1, 2))
	noise, few := make([]byte, 70_000), make([]byte, 100_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for i := range few {
		few[i] = "abc\n"[r.IntN(4)]
	}
	for _, data := range [][]byte{{}, []byte("x"), noise, few, append(bytes.Clone(few[:40_000]), noise[:40_000]...), bytes.Repeat([]byte{7}, 100_000)} {
		add(data)
		add(append(bytes.Clone(data), 'x'))
	}
	for _, n := range []int{1, 15, 16, 127, 128, 2031, 2032, 2047, 2048, 2049, 16383, 16384, 65535, 65536, 65537, 1 << 20} {
		add(bytes.Repeat([]byte("0123456789abcdefg"), n/17+1)[:n])
	}
	gitIn(t, dir, &in, "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet")
	gitIn(t, dir, strings.NewReader(""), "mktree")
	git(t, dir, "-c", "core.compression=0", "hash-object", "-w", packFiles(t, dir, ".pack")[0])
	git(t, dir, "repack", "-q", "-adfk", "--window=30")
	git(t, dir, "hash-object", "-w", packFiles(t, dir, ".pack")[0])
	return dir
}

// Work trees, linked ones, .git files and folders inside all lead to the same.
func TestLocate(t *testing.T) {
	dir := newRepo(t, objects.SHA1)
	history(t, dir, 60, 3, 2, 10)
	git(t, dir, "symbolic-ref", "HEAD", "refs/heads/b60")
	linked := filepath.Join(t.TempDir(), "linked")
	git(t, dir, "worktree", "add", "-q", "--detach", linked)
	outer := newRepo(t, objects.SHA1)
	git(t, outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", dir, "sub")
	want := oracle(t, dir)
	for _, path := range []string{dir, filepath.Join(dir, ".git"), linked, filepath.Join(linked, ".git"), filepath.Join(dir, ".git/worktrees/linked"), filepath.Join(outer, "sub")} {
		c, _ := collect(t, open(t, path, objects.Options{}), objects.Walk{})
		for id := range want {
			if _, has := c.got[id]; !has {
				t.Errorf("%s: has not %s", path, id)
			}
		}
	}
	for _, path := range []string{filepath.Join(dir, "nowhere"), filepath.Join(dir, ".git/objects"), filepath.Join(dir, ".git/HEAD"), t.TempDir()} {
		if _, err := objects.Open(t.Context(), path, objects.Options{}); err == nil {
			t.Errorf("%s: taken for a repository", path)
		}
	}
}
