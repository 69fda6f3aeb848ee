package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNamed has files that rules know by their names, whatever is in them: what is
// found in a folder is found in a repository, also by the next scan, and in an image.
func TestNamed(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.must(0, "", "init")
	line := "db.internal:5432:*:shop:" + "Zq9Kj7" + "Lm6Xw8\n"
	files := map[string]string{
		"keys/store.p12": "not text\x00\x01", "x.psafe3": "x", "d/y.jks": "y", "z.kdbx": "", "plain.txt": "plain",
		"box.zip": zipped(t, "in/w.keystore", "w"),
		// What is a password line here is nothing elsewhere.
		"home/.pgpass": line, "lib/.erlang.cookie": "QKXZJWVB" + "TRMPLHGF", "packed.zip": zipped(t, "home/.pgpass", line), "other.txt": line,
	}
	repo := b.holding("repo", "nothing of note\n")
	for name, text := range files {
		b.write("repo/"+name, text)
		b.write("folder/"+name, text)
	}
	b.gitIn(repo, "add", "-A")
	b.gitIn(repo, "commit", "-q", "-m", "keys")
	found := func(args ...string) (out []string) {
		t.Helper()
		r := b.must(1, "", append(args, "-f", "json", "-r", "-")...)
		var told []struct{ File, RuleID string }
		if err := json.Unmarshal([]byte(r.stdout), &told); err != nil {
			t.Fatal(err)
		}
		for _, f := range told {
			out = append(out, f.File+" "+f.RuleID)
		}
		slices.Sort(out)
		return out
	}
	want := found("dir", filepath.Join(b.work, "folder"))
	if len(want) != 8 {
		t.Fatalf("in a folder: %q", want)
	}
	if diff := cmp.Diff(want, found("git", repo)); diff != "" {
		t.Errorf("in a repository (-folder +repository):\n%s", diff)
	}
	file := filepath.Join(b.work, "shop.tar")
	imageOf(t, file, files)
	if diff := cmp.Diff(want, found("image", file)); diff != "" {
		t.Errorf("in an image (-folder +image):\n%s", diff)
	}
	b.write("repo/e/x.p12", "of another commit")
	b.gitIn(repo, "add", "-A")
	b.gitIn(repo, "rm", "-q", "x.psafe3")
	b.gitIn(repo, "commit", "-q", "-m", "second")
	want = append(want, "e/x.p12 pkcs12-file")
	slices.Sort(want)
	if diff := cmp.Diff(want, found("git", repo)); diff != "" {
		t.Errorf("after another commit (-want +got):\n%s", diff)
	}
}
