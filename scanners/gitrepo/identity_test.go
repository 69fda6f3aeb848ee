package gitrepo_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"revenant/scanners"
)

// TestIdentity: what has an identity is immutable, one content each time at one
// path; and what can change under its name has none.
func TestIdentity(t *testing.T) {
	r := newRepository(t)
	r.write("a.txt", "mark one")
	r.write("b.txt", "mark one")
	r.commit("mark two")
	r.write("a.txt", "mark three")
	r.commit("plain")
	r.git("tag", "-a", "-m", "mark four", "v1")
	r.git("branch", "mark-five")
	r.git("config", "remote.origin.url", "https://example.org/mark")

	contents, named := map[string]string{}, 0
	for range 2 {
		s := r.source("mark")
		for err := error(nil); err == nil; {
			var b scanners.Batch
			b, err = s.Next(t.Context())
			if err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			for _, it := range b.Items {
				content := readItem(t, it)
				if it.Identity == "" {
					continue
				}
				named++
				if strings.HasPrefix(it.Path, "@ref") || strings.HasPrefix(it.Path, "@config") {
					t.Errorf("%s is %s, whatever stands in it", it.Path, it.Identity)
				}
				at := it.Identity + " " + it.Path
				if was, has := contents[at]; has && was != content {
					t.Errorf("%s: another content", at)
				}
				contents[at] = content
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		r.git("commit", "-q", "--allow-empty", "-m", "mark six")
	}
	for _, want := range []string{"a.txt", "b.txt", "@commit-message", "@tag-message"} {
		found := false
		for at := range contents {
			found = found || strings.HasSuffix(at, " "+want)
		}
		if !found {
			t.Errorf("%s has no identity", want)
		}
	}
	if named == 0 {
		t.Error("nothing has an identity")
	}
}

func readItem(t *testing.T, it scanners.Item) string {
	t.Helper()
	rc, err := it.Open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer rc.Close()
	b, err := io.ReadAll(rc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
