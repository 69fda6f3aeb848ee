package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// ruled is a finding by a rule or of a registered value.
type ruled struct {
	RuleID, File, Commit, Presence, SecretName string
	StartLine                                  int
}

func (b *box) ruledBy(args ...string) (out []ruled) {
	b.t.Helper()
	r := b.run("", args...)
	if r.code != 0 && r.code != 1 {
		b.t.Fatalf("exit code %d: %s", r.code, r.stderr)
	}
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.t.Fatalf("%v\n%s", err, r.stdout)
	}
	slices.SortFunc(out, func(x, y ruled) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	return out
}

// ruleText is a configuration with a rule for each word, and stopwords for all.
func ruleText(stop string, words ...string) string {
	text := "[[allowlists]]\nstopwords = [\"zzz\"" + stop + "]\n"
	for _, w := range words {
		id, _, _ := strings.Cut(w, "-")
		text += fmt.Sprintf("[[rules]]\nid = %q\ndescription = \"a word\"\nregex = '''%s-([0-9a-z]+)'''\n", id, w)
	}
	return text
}

// TestGitRuleChange changes rules and registered values between scans of a
// repository. What a scan reports that remembers is what one does that reads
// everything.
func TestGitRuleChange(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.must(0, "", "init")
	rng := rand.New(rand.NewPCG(11, 12))
	values := []string{newCanary(rng, "").value, newCanary(rng, "").value}
	for i := range 12 {
		b.write(fmt.Sprintf("repo/d%d/f%d.txt", i%3, i), fmt.Sprintf("red-%d\nblue-%d\nred-b%d green-%d\n%s\n", i, i, i, i, values[i%2]))
	}
	dir := filepath.Join(b.work, "repo")
	b.gitIn(dir, "init", "-q", "-b", "main")
	b.gitIn(dir, "add", "-A")
	b.gitIn(dir, "commit", "-q", "-m", "first blue-message")
	b.gitIn(dir, "rm", "-q", "-r", "d1")
	b.gitIn(dir, "commit", "-q", "-m", "second")
	config := ""
	scan := func(more ...string) []ruled {
		return b.ruledBy(append([]string{"git", dir, "-c", config, "-f", "json", "-r", "-", "-q"}, more...)...)
	}
	for i, step := range []struct {
		name, stop string
		words      []string
		do         func()
		fewest     int
	}{
		{name: "at first", words: []string{"red"}, fewest: 20},
		{name: "a rule more", words: []string{"red", "blue"}, fewest: 25},
		{name: "a rule less", words: []string{"blue"}, fewest: 12},
		{name: "it comes back, narrower", words: []string{"blue", "red-b"}, fewest: 15},
		{name: "it is wider, and there is a value more", words: []string{"blue", "red"}, do: func() { b.must(0, values[0], "secret", "add", "svc/0") }, fewest: 25},
		{name: "a stopword more", stop: `, "7"`, words: []string{"blue", "red"}, fewest: 20},
		{name: "it is gone", words: []string{"blue", "red"}, fewest: 25},
		{name: "everything at once, and a commit", words: []string{"green", "blue"}, do: func() {
			b.must(0, values[1], "secret", "add", "svc/1")
			b.write("repo/new.txt", "green-new blue-new\n")
			b.gitIn(dir, "add", "-A")
			b.gitIn(dir, "commit", "-q", "-m", "green-message")
		}, fewest: 25},
	} {
		config = b.write(fmt.Sprintf("../rules%d.toml", i), ruleText(step.stop, step.words...))
		if step.do != nil {
			step.do()
		}
		want := scan("--no-store")
		if len(want) < step.fewest {
			t.Fatalf("%s: %d findings", step.name, len(want))
		}
		for _, again := range []string{"", ", again"} {
			if diff := cmp.Diff(want, scan()); diff != "" {
				t.Errorf("%s%s (-anew +remembered):\n%s", step.name, again, diff)
			}
		}
	}
}
