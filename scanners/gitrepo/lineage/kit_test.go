package lineage_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"revenant/scanners/gitrepo/lineage"
	"revenant/scanners/gitrepo/objects"
)

// git runs git in a folder, without anybody's own configuration.
func git(tb testing.TB, dir, in string, args ...string) string {
	tb.Helper()
	c := exec.CommandContext(tb.Context(), "git", args...)
	c.Dir, c.Stdin = dir, strings.NewReader(in)
	c.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "HOME="+dir, "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=1700000000 +0000", "GIT_COMMITTER_DATE=1700000000 +0000")
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		tb.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return string(out)
}

func newRepo(tb testing.TB, format objects.Format) string {
	tb.Helper()
	dir := tb.TempDir()
	git(tb, dir, "", "init", "-q", "--bare", "-b", "main", "--object-format="+format.String(), ".")
	return dir
}

// read asks a repository.
func read(tb testing.TB, dir string, q lineage.Query) *lineage.History {
	tb.Helper()
	s, err := objects.Open(tb.Context(), dir, objects.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	q.Workers = 2
	h, err := lineage.Read(tb.Context(), s, q)
	if err != nil {
		tb.Fatal(err)
	}
	return h
}

func parse(tb testing.TB, text string) objects.ID {
	tb.Helper()
	id, err := objects.ParseID(strings.TrimSpace(text))
	if err != nil {
		tb.Fatalf("%q: %v", text, err)
	}
	return id
}

// wild makes a history of everything that histories are made of: branches,
// roots of their own, merges of two and more that take sides or none, files
// that come back, move and change their modes, folders instead of files, dates
// that run backwards, commits that nothing reaches.
func wild(tb testing.TB, rng *rand.Rand, format objects.Format) string {
	tb.Helper()
	dir := newRepo(tb, format)
	var s strings.Builder
	paths := []string{"a", "b", "d/a", "d/b", "d/e/a", "d/e/f/g", "odd/a", "odd/e/b", "e/odd", "c", "c/x"}
	files := func() {
		for range rng.IntN(4) {
			p := paths[rng.IntN(len(paths))]
			if rng.IntN(4) == 0 {
				fmt.Fprintf(&s, "D %s\n", p)
				continue
			}
			text := fmt.Sprintf("%s %d\n", []string{"plain", "wanted"}[rng.IntN(2)], rng.IntN(6))
			mode := []string{"100644", "100644", "100644", "100755", "120000"}[rng.IntN(5)]
			fmt.Fprintf(&s, "M %s inline %s\ndata %d\n%s", mode, p, len(text), text)
		}
		if rng.IntN(12) == 0 {
			fmt.Fprintf(&s, "M 160000 %s sub\n", strings.Repeat(strconv.Itoa(1+rng.IntN(2)), 2*format.Size()))
		}
	}
	n := 30 + rng.IntN(30)
	branch := map[int]int{} // the commit that a branch is at
	for c := 1; c <= n; c++ {
		b := rng.IntN(5)
		date := 1_700_000_000 + c
		switch rng.IntN(8) {
		case 0:
			date -= rng.IntN(60)
		case 1:
			date = 1_700_000_000
		}
		fmt.Fprintf(&s, "commit refs/heads/b%d\nmark :%d\ncommitter C <c@example.org> %d +0000\ndata 2\nc\n", b, c, date)
		at, has := branch[b]
		switch {
		case has && rng.IntN(20) > 0:
			fmt.Fprintf(&s, "from :%d\n", at)
		case c > 1 && rng.IntN(5) > 0:
			fmt.Fprintf(&s, "from :%d\n", 1+rng.IntN(c-1))
		default: // a root
			fmt.Fprintf(&s, "from %s\n", strings.Repeat("0", 2*format.Size()))
			has = false
		}
		if has && rng.IntN(4) == 0 {
			for range 1 + rng.IntN(3) {
				fmt.Fprintf(&s, "merge :%d\n", 1+rng.IntN(c-1))
			}
		}
		files()
		branch[b] = c
	}
	fmt.Fprint(&s, "done\n")
	git(tb, dir, s.String(), "fast-import", "--quiet", "--force", "--done")
	if rng.IntN(2) == 0 {
		git(tb, dir, "", "update-ref", "-d", "refs/heads/b0")
	}
	odd(tb, rng, dir)
	return dir
}

// odd cuts histories and joins them anew, sometimes.
func odd(tb testing.TB, rng *rand.Rand, dir string) {
	tb.Helper()
	all := strings.Fields(git(tb, dir, "", "rev-list", "--all", "--date-order", "--reverse"))
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	switch rng.IntN(6) {
	case 0:
		write("shallow", all[len(all)/2]+"\n"+all[len(all)/3]+"\n")
	case 1: // the second half may stand on anything of the first
		i, j := len(all)/2+rng.IntN(len(all)/2), rng.IntN(len(all)/2)
		reached := git(tb, dir, "", "rev-list", all[j])
		if !strings.Contains(reached, all[i]) {
			write("info/grafts", all[i]+" "+all[j]+"\n"+all[len(all)-1]+"\n")
		}
	}
}

// logged is what git's log says of a commit.
type logged struct {
	date    int64
	parents []string
	brought map[string]string // ids by paths
}

// logOf is git's log of commits, those that they reach included unless args say
// otherwise.
func logOf(tb testing.TB, dir string, commits []string, args ...string) map[string]*logged {
	tb.Helper()
	out := map[string]*logged{}
	if len(commits) == 0 {
		return out
	}
	args = append([]string{"log", "--stdin", "--raw", "-c", "--no-abbrev", "--no-renames", "--format=commit %H %ct %P"}, args...)
	var now *logged
	for line := range strings.Lines(git(tb, dir, strings.Join(commits, "\n")+"\n", args...)) {
		switch f := strings.Fields(line); {
		case len(f) == 0:
		case f[0] == "commit":
			date, err := strconv.ParseInt(f[2], 10, 64)
			if err != nil {
				tb.Fatal(err)
			}
			now = &logged{date: date, parents: f[3:], brought: map[string]string{}}
			out[f[1]] = now
		default:
			change, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			parents := len(change) - len(strings.TrimLeft(change, ":"))
			ids := strings.Fields(change[parents:])[parents+1 : 2*parents+2]
			if id := ids[parents]; !slices.Contains(ids[:parents], id) { // not its mode alone
				now.brought[path] = id
			}
		}
	}
	return out
}

// lines are the words of a text by lines.
func lines(text string) (out [][]string) {
	for line := range strings.Lines(text) {
		out = append(out, strings.Fields(line))
	}
	return out
}
