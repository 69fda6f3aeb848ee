package gitrepo_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners/gitrepo"
)

// listedSkips are skips without their locators, sorted.
func listedSkips(skips []fingerprints.Skip) []string {
	var out []string
	for _, k := range skips {
		out = append(out, fmt.Sprintf("%s %s (%d): %s", k.Reason, k.Path, k.Size, k.Detail))
	}
	slices.Sort(out)
	return out
}

func pointer(size int) string {
	return "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("ab", 32) + "\nsize " + itoa(size) + "\n"
}

func TestContentElsewhere(t *testing.T) {
	lib := newRepository(t)
	lib.write("lib.txt", mark)
	lib.commit("lib")
	r := newRepository(t)
	r.write("models/large.bin", pointer(12345))
	r.write("old.bin", pointer(99))
	r.write("readme.md", "version https://git-lfs.github.com/spec/v1 is what a pointer begins with")
	r.commit("first")
	r.git("rm", "-q", "old.bin")
	add := func(path string) {
		r.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", lib.dir, path)
	}
	add("libs/one")
	add("libs/two")
	add("three")
	r.git("mv", "three", "moved")
	r.commit("submodules")
	r.git("init", "-q", "nested")
	r.git("submodule", "--quiet", "deinit", "-f", "libs/two")
	if err := os.RemoveAll(filepath.Join(r.dir, ".git", "modules", "libs", "two")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"lfs-content models/large.bin (12345): the content is in LFS, not in the repository",
		"other-repository libs/one (-1): a submodule: --recursive reads it",
		"other-repository libs/two (-1): a submodule that is not here",
		"other-repository moved (-1): a submodule: --recursive reads it",
		"other-repository nested (-1): a repository of its own: --recursive reads it",
	}
	got, skips := drained(t, r.source(mark))
	if diff := cmp.Diff(want, listedSkips(skips)); diff != "" || len(got) > 0 {
		t.Errorf("(-want +got):\n%s\n%+v", diff, got)
	}
	// A rescan, which reads nothing, lists the same.
	m := &kept{}
	var looked atomic.Int64
	for range 2 {
		looked.Store(0)
		_, skips = drained(t, remembering(t, r.dir, m, gitrepo.Knowledge{}, &looked))
		if diff := cmp.Diff(want, listedSkips(skips)); diff != "" {
			t.Errorf("remembered (-want +got):\n%s", diff)
		}
	}
	if looked.Load() != 0 {
		t.Error("a rescan looks at contents")
	}
	// What is read in the same run is not listed.
	s, err := gitrepo.New(context.Background(), gitrepo.Options{
		Path: r.dir, Screen: func(context.Context, []byte) bool { return false },
		Reads: func(common string) bool { return !strings.HasSuffix(common, filepath.Join("modules", "three")) },
	})
	if err != nil {
		t.Fatal(err)
	}
	_, skips = drained(t, s)
	if diff := cmp.Diff([]string{want[0], want[2], want[3]}, listedSkips(skips)); diff != "" {
		t.Errorf("others read (-want +got):\n%s", diff)
	}
	bare := filepath.Join(t.TempDir(), "bare")
	r.git("clone", "-q", "--bare", ".", bare)
	_, skips = drained(t, sourceAt(t, bare, mark))
	if diff := cmp.Diff([]string{want[0], "other-repository libs/one (-1): a submodule that is not here", want[2], "other-repository moved (-1): a submodule that is not here"}, listedSkips(skips)); diff != "" {
		t.Errorf("bare (-want +got):\n%s", diff)
	}
}

// notes drains a source for what it says of itself.
func notes(t *testing.T, dir string) (out []string) {
	t.Helper()
	s := sourceAt(t, dir, mark)
	defer s.Close()
	for {
		b, err := s.Next(context.Background())
		out = append(out, b.Notes...)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestFallback: a git that logs what it is asked for is on the path. A packed
// repository never needs it to read an object; where it was needed, the report
// says so.
func TestFallback(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := hidden(t, "sha1")
	r.git("gc", "-q", "--prune=never")
	bin := t.TempDir()
	log := filepath.Join(bin, "log")
	script := fmt.Sprintf("#!/bin/sh\necho \"$*\" >> %s\nexec %s \"$@\"\n", log, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	asked := func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if said := notes(t, r.dir); len(said) > 0 || strings.Contains(asked(), "cat-file") || !strings.Contains(asked(), "rev-parse") {
		t.Errorf("notes %v; git was asked:\n%s", said, asked())
	}
	// Where the pack is damaged, git is asked; here it reads another clone.
	backup := filepath.Join(t.TempDir(), "backup")
	if out, err := exec.Command("cp", "-r", filepath.Join(r.dir, ".git"), backup).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	packs, err := filepath.Glob(filepath.Join(r.dir, ".git", "objects", "pack", "*.pack"))
	if err != nil || len(packs) != 1 {
		t.Fatal(packs, err)
	}
	data, err := os.ReadFile(packs[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 0xff
	if err := errors.Join(os.Chmod(packs[0], 0o600), os.WriteFile(packs[0], data, 0o600)); err != nil {
		t.Fatal(err)
	}
	script = fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *\" cat-file \"*) exec %s --git-dir=%s cat-file --batch;; esac\nexec %s \"$@\"\n", git, backup, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	said := notes(t, r.dir)
	if text := strings.Join(said, "\n"); !strings.Contains(text, "git cat-file was asked ") {
		t.Errorf("notes: %v", said)
	}
	want, _ := drained(t, sourceAt(t, backup, mark))
	got, skips := drained(t, r.source(mark))
	if diff := cmp.Diff(want, got); diff != "" || len(skips) > 0 {
		t.Errorf("by git's help (-undamaged +got):\n%s\n%+v", diff, skips)
	}
}
