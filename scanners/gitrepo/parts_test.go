package gitrepo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners"
	"revenant/scanners/gitrepo"
	"revenant/scanners/rules"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// given are the items that a screen lets through, as lines.
func given(t *testing.T, dir string, screen func(context.Context, []byte) bool) []string {
	t.Helper()
	s, err := gitrepo.New(context.Background(), gitrepo.Options{Path: dir, SourceID: "git:example.org/test", Workers: 2, Screen: screen})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var out []string
	for {
		b, err := s.Next(context.Background())
		for _, it := range b.Items {
			out = append(out, fmt.Sprint(it.Path, " ", it.Locator, " ", it.Presence, " ", it.Origin.Commit))
		}
		if err != nil {
			slices.Sort(out)
			return out
		}
	}
}

// packed is a history of long files that change a little, packed as deltas.
func packed(t *testing.T) string {
	r := newRepository(t)
	rng := rand.New(rand.NewPCG(7, 7))
	var lines [3][]string
	for i := range lines {
		lines[i] = strings.Split(string(scannerstest.Corpus(scannerstest.Source, uint64(i), 40_000)), "\n")
	}
	for n := range 60 {
		i := rng.IntN(len(lines))
		at := rng.IntN(len(lines[i]))
		add := fmt.Sprintf("  changed(%d) // and again", n)
		switch n % 9 {
		case 2:
			add = "token = \"gh" + "p_" + digest(rng, 36) + "\""
		case 5:
			add = "password = \"" + digest(rng, 12) + "\" +\n    \"" + digest(rng, 12) + "\""
		case 7:
			at = rng.IntN(len(lines[i]) - 50)
			lines[i] = slices.Delete(slices.Clone(lines[i]), at, at+40)
		}
		kept := slices.DeleteFunc(slices.Clone(lines[i]), func(s string) bool { return strings.Contains(s, `= "`) })
		lines[i] = slices.Insert(kept, min(at, len(kept)), add)
		r.write(fmt.Sprintf("file%d.go", i), strings.Join(lines[i], "\n"))
		r.commit("change")
	}
	r.git("repack", "-q", "-adf", "--depth=50", "--window=20")
	return r.dir
}

func digest(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[rng.IntN(62)]
	}
	return string(b)
}

// Objects that are screened in parts are given out as those that are screened
// whole, in a history that is made here and in those of REVENANT_TEST_REPOS.
func TestScreenedInParts(t *testing.T) {
	m, err := rules.New(rules.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New()}
	for i, dir := range append([]string{packed(t)}, filepath.SplitList(os.Getenv("REVENANT_TEST_REPOS"))...) {
		s := scanners.NewScreener(e, scanners.Cutting{})
		want, got := given(t, dir, e.Screen), given(t, dir, s.Screen)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("history %d: (-whole +in parts)\n%s", i, diff)
		}
		bytes, looked := s.Looked()
		if i == 0 && (len(want) < 10 || looked > bytes*3/4) {
			t.Errorf("%d items; %d of %d bytes were looked at", len(want), looked, bytes)
		}
		t.Logf("%s: %d items; %d of %d bytes were looked at", filepath.Base(filepath.Dir(dir)), len(want), looked, bytes)
	}
}
