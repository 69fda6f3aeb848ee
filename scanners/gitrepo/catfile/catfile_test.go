package catfile_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"revenant/scanners/gitrepo/catfile"
	"revenant/scanners/gitrepo/objects"
)

func git(t *testing.T, dir, in string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("git %v: %v", args, err)
	}
	return strings.TrimSpace(string(out))
}

func setup(t *testing.T, format string) (dir string, layout objects.Layout) {
	t.Helper()
	dir = t.TempDir()
	git(t, dir, "", "init", "-q", "--object-format="+format, ".")
	layout, err := objects.Locate(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, layout
}

func reader(t *testing.T, layout objects.Layout) *catfile.Reader {
	r := catfile.New(layout)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func id(t *testing.T, s string) objects.ID {
	t.Helper()
	id, err := objects.ParseID(s)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// get reads an object whole.
func get(ctx context.Context, r *catfile.Reader, id objects.ID) (objects.Kind, string, error) {
	kind, size, rc, err := r.Object(ctx, id)
	if err != nil {
		return 0, "", err
	}
	data, err := io.ReadAll(rc)
	if err == nil && int64(len(data)) != size {
		err = fmt.Errorf("%d bytes of %d", len(data), size)
	}
	return kind, string(data), errors.Join(err, rc.Close(), rc.Close())
}

func TestObject(t *testing.T) {
	for _, format := range []string{"sha1", "sha256"} {
		dir, layout := setup(t, format)
		r := reader(t, layout)
		var wg sync.WaitGroup
		for _, text := range []string{"", "one", "two\n", strings.Repeat("long\n", 100_000)} {
			name := git(t, dir, text, "hash-object", "-w", "--stdin")
			for range 4 {
				wg.Go(func() {
					kind, got, err := get(t.Context(), r, id(t, name))
					if kind != objects.Blob || got != text || err != nil {
						t.Errorf("%s of %d: %s of %d, %v", name, len(text), kind, len(got), err)
					}
				})
			}
		}
		wg.Wait()
		tree := git(t, dir, "", "mktree")
		if kind, _, err := get(t.Context(), r, id(t, tree)); kind != objects.Tree || err != nil {
			t.Error(kind, err)
		}
		if _, _, err := get(t.Context(), r, id(t, strings.Repeat("0", len(tree)-1)+"1")); !errors.Is(err, objects.ErrMissing) {
			t.Error(err)
		}
	}
}

// A damaged object ends git, but not what comes after. What is left unread
// does not stand in the way either.
func TestGoesOn(t *testing.T) {
	dir, layout := setup(t, "sha1")
	good := git(t, dir, "good", "hash-object", "-w", "--stdin")
	large := git(t, dir, strings.Repeat("0123456789abcdef", 1<<19), "hash-object", "-w", "--stdin")
	bad := git(t, dir, "bad", "hash-object", "-w", "--stdin")
	name := filepath.Join(dir, ".git/objects", bad[:2], bad[2:])
	if err := errors.Join(os.Remove(name), os.WriteFile(name, []byte("broken"), 0o600)); err != nil {
		t.Fatal(err)
	}
	r := reader(t, layout)
	for range 3 {
		if _, _, err := get(t.Context(), r, id(t, bad)); err == nil {
			t.Error("a damaged object is taken")
		}
		for _, some := range []int{0, 5, 100_000} {
			_, _, rc, err := r.Object(t.Context(), id(t, large))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(rc, make([]byte, some)); err != nil {
				t.Error(err)
			}
			if err := rc.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, got, err := get(t.Context(), r, id(t, good)); got != "good" || err != nil {
			t.Error(got, err)
		}
	}
}

// An object that another replaces is read itself; the environment points
// nowhere else.
func TestTheObjectItself(t *testing.T) {
	dir, layout := setup(t, "sha1")
	one, two := git(t, dir, "one", "hash-object", "-w", "--stdin"), git(t, dir, "two", "hash-object", "-w", "--stdin")
	git(t, dir, "", "replace", one, two)
	t.Setenv("GIT_DIR", "/nowhere")
	t.Setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
	if _, got, err := get(t.Context(), reader(t, layout), id(t, one)); got != "one" || err != nil {
		t.Error(got, err)
	}
}

// What a remote promises is missing: nobody fetches it.
func TestNoFetch(t *testing.T) {
	dir, _ := setup(t, "sha1")
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("promised"), 0o600); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "", "add", ".")
	git(t, dir, "", "commit", "-q", "-m", "c")
	git(t, dir, "", "config", "uploadpack.allowFilter", "true")
	git(t, dir, "", "config", "uploadpack.allowAnySHA1InWant", "true")
	blob := git(t, dir, "", "rev-parse", "HEAD:f")
	outer := t.TempDir()
	git(t, outer, "", "clone", "-q", "--bare", "--filter=blob:none", "file://"+dir, "end")
	layout, err := objects.Locate(filepath.Join(outer, "end"))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := get(t.Context(), reader(t, layout), id(t, blob)); err == nil {
		t.Error("the object was fetched")
	}
	if git(t, outer, blob+"\n", "--git-dir=end", "cat-file", "--batch-check") != blob+" blob 8" {
		t.Error("it could have been fetched: the test shows nothing")
	}
}

func TestNoGit(t *testing.T) {
	_, layout := setup(t, "sha1")
	r := reader(t, layout)
	r.Git = filepath.Join(t.TempDir(), "git")
	for range 2 {
		if _, _, err := get(t.Context(), r, id(t, strings.Repeat("1", 40))); !errors.Is(err, catfile.ErrGit) {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	hang := filepath.Join(t.TempDir(), "git")
	if err := os.WriteFile(hang, []byte("#!/bin/sh\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	slow := reader(t, layout)
	slow.Git = hang
	if _, _, err := get(ctx, slow, id(t, strings.Repeat("1", 40))); err == nil {
		t.Error("a git that hangs said something")
	}
}

// A plain packed repository never needs git: it logs nothing.
func TestPlainRepositoryNeedsNoGit(t *testing.T) {
	dir, layout := setup(t, "sha1")
	for i := range 20 {
		if err := os.WriteFile(filepath.Join(dir, "f"), fmt.Appendf(bytes.Repeat([]byte("a line that stays\n"), 9), "line %d\n", i*i*i), 0o600); err != nil {
			t.Fatal(err)
		}
		git(t, dir, "", "add", ".")
		git(t, dir, "", "commit", "-q", "-m", fmt.Sprint(i))
	}
	git(t, dir, "", "repack", "-q", "-ad")
	log := filepath.Join(t.TempDir(), "log")
	wrapper := filepath.Join(t.TempDir(), "git")
	script := fmt.Sprintf("#!/bin/sh\necho called >> '%s'\nexec git \"$@\"\n", log)
	if err := os.WriteFile(wrapper, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	r := reader(t, layout)
	r.Git = wrapper
	walk := func() (int64, int64) {
		s, err := objects.OpenLayout(t.Context(), layout, objects.Options{Fallback: r})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		report, err := s.Walk(t.Context(), objects.Walk{Visit: func(context.Context, int, *objects.Object) (any, error) { return nil, nil }})
		if err != nil || report.Objects != 60 || report.Damaged != 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		return report.Fallback, total(s.Fallbacks())
	}
	if n, all := walk(); n+all != 0 {
		t.Errorf("the fallback was used: %d, %d", n, all)
	}
	if _, err := os.Stat(log); err == nil {
		t.Error("git was called")
	}
	// Where deltas are beyond a limit, git is asked.
	s, err := objects.OpenLayout(t.Context(), layout, objects.Options{Fallback: r, Limits: objects.Limits{Whole: 100, Retries: 10, Fallbacks: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	report, err := s.Walk(t.Context(), objects.Walk{Visit: func(_ context.Context, _ int, o *objects.Object) (any, error) {
		if o.Stream != nil {
			_, err := io.Copy(io.Discard, o.Stream)
			return nil, err
		}
		return nil, nil
	}})
	if err != nil || report.Objects != 60 || report.Fallback == 0 || total(s.Fallbacks()) < report.Fallback {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := os.Stat(log); err != nil {
		t.Error("git was not called, so the wrapper shows nothing")
	}
}

func total(counts map[objects.Reason]int64) (n int64) {
	for _, c := range counts {
		n += c
	}
	return n
}
