package gitrepo

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOwnRefs: refs that are read here are those that git lists, and what is out
// of the ordinary is left to git.
func TestOwnRefs(t *testing.T) {
	const id, other = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	zero := strings.Repeat("0", 40)
	for name, tc := range map[string]struct {
		files map[string]string
		left  bool // to git
	}{
		"none":                   {},
		"in files":               {files: map[string]string{"refs/heads/main": id + "\n", "refs/heads/a/b": other + "\n", "refs/stash": id}},
		"packed":                 {files: map[string]string{"packed-refs": "# pack-refs with: peeled fully-peeled sorted \n" + id + " refs/heads/a\n" + id + " refs/tags/t\n^" + other + "\n"}},
		"without a first line":   {files: map[string]string{"packed-refs": id + " refs/heads/a\n"}},
		"not sorted":             {files: map[string]string{"packed-refs": id + " refs/heads/z\n" + other + " refs/heads/a\n"}},
		"over packed ones":       {files: map[string]string{"packed-refs": id + " refs/heads/a\n" + id + " refs/heads/b\n" + id + " refs/heads/c\n", "refs/heads/b": other + "\n", "refs/heads/aa": other + "\n"}},
		"symbolic":               {files: map[string]string{"packed-refs": id + " refs/remotes/origin/main\n", "refs/remotes/origin/HEAD": "ref: refs/remotes/origin/main\n"}},
		"symbolic twice":         {files: map[string]string{"refs/heads/a": id + "\n", "refs/heads/b": "ref: refs/heads/a\n", "refs/heads/c": "ref: refs/heads/b\n"}},
		"symbolic over a packed": {files: map[string]string{"packed-refs": id + " refs/heads/a\n" + other + " refs/heads/b\n", "refs/heads/b": "ref: refs/heads/a\n"}},
		"a lock":                 {files: map[string]string{"refs/heads/a": id + "\n", "refs/heads/b.lock": id + "\n"}},
		"an empty line":          {files: map[string]string{"packed-refs": id + " refs/heads/a\n\n"}, left: true},
		"symbolic to nowhere":    {files: map[string]string{"refs/heads/a": "ref: refs/heads/gone\n"}, left: true},
		"symbolic in a circle":   {files: map[string]string{"refs/heads/a": "ref: refs/heads/b\n", "refs/heads/b": "ref: refs/heads/a\n"}, left: true},
		"empty":                  {files: map[string]string{"refs/heads/a": ""}, left: true},
		"words":                  {files: map[string]string{"refs/heads/a": "nothing of the kind\n"}, left: true},
		"nothing's id":           {files: map[string]string{"refs/heads/a": zero + "\n"}, left: true},
		"another format's id":    {files: map[string]string{"refs/heads/a": id + id[:24] + "\n"}, left: true},
		"a bad name":             {files: map[string]string{"refs/heads/a..b": id + "\n"}, left: true},
		"a bad packed name":      {files: map[string]string{"packed-refs": id + " refs/heads/a..b\n"}, left: true},
		"no end":                 {files: map[string]string{"packed-refs": id + " refs/heads/a"}, left: true},
		"another table":          {files: map[string]string{"reftable/tables.list": ""}, left: true},
	} {
		dir := t.TempDir()
		if out, err := exec.Command("git", "init", "-q", "--bare", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for file, text := range tc.files {
			file = filepath.Join(dir, filepath.FromSlash(file))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := open(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := r.ownRefs(r.loose(), 20)
		if ok == tc.left {
			t.Errorf("%s: left to git: %v", name, !ok)
		}
		if !ok {
			continue
		}
		want, _ := r.listedRefs(context.Background())
		shown := func(refs []ref) (out []string) {
			for _, f := range refs {
				out = append(out, f.target.String()+" "+f.name)
			}
			return out
		}
		if diff := cmp.Diff(shown(want), shown(got)); diff != "" {
			t.Errorf("%s (-git +own):\n%s", name, diff)
		}
	}
}

// TestPlainName: what is taken for a name is one for git.
func TestPlainName(t *testing.T) {
	var plain []string
	for _, name := range []string{
		"refs/heads/a", "refs/heads/ä", "refs/heads/a.b", "refs/heads/@", "refs/a/b/c-d_e", "refs/heads/a@b", "refs/heads/-a",
		"refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/.a", "refs/heads/a.", "refs/heads/a..b", "refs/heads//a", "refs/heads/a/",
		"refs/heads/a b", "refs/heads/a~b", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/*", "refs/heads/[a", "refs/heads/a\\b",
		"refs/heads/a@{b", "refs/heads/a\x7f", "refs/heads/a\tb", "heads/a", "HEAD", "refs/",
	} {
		err := exec.Command("git", "check-ref-format", name).Run()
		switch is := plainName(name); {
		case is && err != nil:
			t.Errorf("%q is no name for git", name)
		case is:
			plain = append(plain, name)
		}
	}
	if len(plain) != 7 || slices.Contains(plain, "HEAD") {
		t.Errorf("names: %q", plain)
	}
}
