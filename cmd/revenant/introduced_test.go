package main

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestWhoBroughtItIn compares who is said to have brought copies in with what git
// says. A name that holds a value is redacted, and no address is kept.
func TestWhoBroughtItIn(t *testing.T) {
	b := newBox(t)
	b.must(0, "", "init")
	value, inName := generated(83), generated(84)
	b.must(0, value, "secret", "add", "shop/db")
	b.must(0, inName, "secret", "add", "shop/name")
	dir := filepath.Join(b.work, "repo")
	b.write("repo/app.conf", "db = "+value+"\n")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "--author", "Ada Example <ada@example.org>", "-m", "first")
	b.write("repo/other.conf", "copied: "+value+"\n")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "--author", "Eve "+inName+" <eve@example.org>", "-m", "second")
	b.gitIn(dir, "mv", "app.conf", "moved.conf") // another path is another finding, which Bob brought in
	b.gitIn(dir, "commit", "-q", "--author", "Bob <bob@example.org>", "-m", "third")
	b.must(1, "", "git", dir, "-q")

	type sighting struct{ Author, Commit string }
	all := b.must(0, "", "findings", "export").stdout
	got := map[string]sighting{}
	for line := range strings.Lines(all) {
		var d struct {
			ID, Path  string
			Sightings []sighting
		}
		if err := json.Unmarshal([]byte(line), &d); err != nil {
			t.Fatal(err)
		}
		if len(d.Sightings) > 0 && strings.HasSuffix(d.Path, ".conf") {
			got[d.Path] = d.Sightings[0]
			all += b.must(0, "", "findings", "show", d.ID).stdout
		}
	}
	for _, path := range []string{"moved.conf", "other.conf"} {
		out := b.gitIn(dir, "log", "--diff-filter=A", "--no-renames", "--format=%H %an", "--", path)
		commit, author, _ := strings.Cut(out, " ")
		author = strings.ReplaceAll(author, inName, "[secret shop/name@1]")
		if want := (sighting{author, commit}); got[path] != want {
			t.Errorf("%s was brought in by %+v, want %+v", path, got[path], want)
		}
		if line := "brought in by " + author + ", "; !strings.Contains(all, line) || !strings.Contains(all, "with commit "+commit[:12]) {
			t.Errorf("%q is not shown", line)
		}
	}
	// Eve's stands in the text around what was found in her name.
	if i := slices.IndexFunc([]string{"ada@", "bob@", inName, value}, func(s string) bool { return strings.Contains(all, s) }); i >= 0 {
		t.Errorf("an address or a value is shown (%d)", i)
	}
}
