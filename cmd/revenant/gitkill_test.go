package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/gitrepo"
)

// historyOf makes a repository by fast-import: commits of a few files each, of
// which some hold one of the values, at tips, in history and on branches.
func (b *box) historyOf(rng *rand.Rand, name string, values []string) string {
	b.t.Helper()
	dir := filepath.Join(b.work, name)
	b.write(name+"/.keep", "")
	b.gitIn(dir, "init", "-q", "-b", "main")
	var s strings.Builder
	filler := make([]string, 200)
	for i := range filler {
		filler[i] = fmt.Sprintf("%x %x %x\n", rng.Uint64(), rng.Uint64(), rng.Uint64())
	}
	for c := range 400 {
		branch := []string{"main", "side", "other"}[c%3]
		fmt.Fprintf(&s, "commit refs/heads/%s\ncommitter C <c@example.org> %d +0000\ndata <<X\ncommit %d\nX\n", branch, 1_700_000_000+c, c)
		for f := range 5 {
			text := strings.Repeat(filler[rng.IntN(len(filler))], 20+rng.IntN(200)) + fmt.Sprintln(c, f)
			switch rng.IntN(40) {
			case 0:
				text += "password: " + values[rng.IntN(len(values))] + "\n"
			case 1:
				text += base64.StdEncoding.EncodeToString([]byte("u:"+values[rng.IntN(len(values))])) + "\n"
			}
			fmt.Fprintf(&s, "M 100644 inline d%d/f%d.txt\ndata %d\n%s\n", rng.IntN(20), rng.IntN(30), len(text), text)
		}
	}
	b.write("../stream", s.String())
	stream, err := os.Open(filepath.Join(b.work, "../stream"))
	if err != nil {
		b.t.Fatal(err)
	}
	defer stream.Close()
	c := b.gitCommand(dir, "fast-import", "--quiet")
	c.Stdin = stream
	if out, err := c.CombinedOutput(); err != nil {
		b.t.Fatalf("git fast-import: %v\n%s", err, out)
	}
	return dir
}

// gitEstate is what the registry knows of copies.
type gitEstate struct {
	Verdict  string `json:"verdict"`
	Path     string `json:"path"`
	Presence string `json:"presence"`
	Places   int    `json:"places"`
	Matches  []struct {
		Secret  string `json:"secret"`
		Version int    `json:"version"`
	} `json:"matches"`
}

func (b *box) gitEstate() (out []gitEstate) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &out); err != nil {
		b.t.Fatal(err)
	}
	slices.SortFunc(out, func(x, y gitEstate) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	return out
}

// TestGitKilledAtAnyMoment kills scans of a repository at random moments. What
// they remember and record must always be usable, and once one came to its end,
// the registry and its report must be those of an undisturbed run.
func TestGitKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 3))
	values := make([]string, 30)
	var jsonl strings.Builder
	for i := range values {
		values[i] = newCanary(rng, "").value
		fmt.Fprintf(&jsonl, `{"name":"svc/%d","value":%q}`+"\n", i, values[i])
	}
	calm, rough := newBox(t), newBox(t)
	dir := calm.historyOf(rng, "repo", values)
	scan := []string{"git", dir, "--only", "registered", "-f", "json", "-r", "-", "-q"}
	report := func(b *box) (out []toldGit) {
		out = b.toldBy(b.must(1, "", scan...))
		slices.SortFunc(out, func(x, y toldGit) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
		return out
	}
	for _, b := range []*box{calm, rough} {
		b.must(0, "", "init")
		b.must(0, jsonl.String(), "secret", "import", "-")
	}
	began := time.Now()
	want := report(calm)
	whole := time.Since(began)
	if len(want) < 20 {
		t.Fatalf("%d findings", len(want))
	}
	// Saved often, so that kills meet the saving too.
	rough.env = append(rough.env, keepingEvery+"=500000")
	kills := 0
	for range killsEach(t) + 4 {
		// What was killed late leaves little to do.
		if rough.killed(rng, whole/time.Duration(1+rng.IntN(6)), "", scan...) {
			kills++
		}
		rough.must(0, "", "audit", "verify")
	}
	t.Logf("%d processes were killed within %v", kills, whole.Round(time.Millisecond))
	if kills < 3 {
		t.Errorf("only %d processes were killed: the test has become too gentle for this machine", kills)
	}
	for _, name := range []string{"after the kills", "once more"} {
		if diff := cmp.Diff(want, report(rough)); diff != "" {
			t.Errorf("%s, the report (-calm +rough):\n%s", name, diff)
		}
		if diff := cmp.Diff(calm.gitEstate(), rough.gitEstate()); diff != "" {
			t.Errorf("%s, the registry (-calm +rough):\n%s", name, diff)
		}
	}
	// Nothing of a value is in what is remembered.
	files, err := filepath.Glob(filepath.Join(rough.registry(), "git", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("nothing is remembered: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			if strings.Contains(string(text), v[8:24]) {
				t.Errorf("%s holds content", filepath.Base(file))
			}
		}
	}
}

// TestGitMemory: a memory is replaced as a whole, and what a process left behind
// that was killed while it saved is removed in time.
func TestGitMemory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "git")
	now := time.Now()
	m := memoryFiles{filepath.Join(dir, "a"), func() time.Time { return now }}
	if _, err := m.Open("memory"); err == nil {
		t.Error("a memory of nothing")
	}
	var before gitrepo.Part
	for _, text := range []string{"one", "two, which is longer", "3"} {
		if err := m.Save("memory", []byte(text)); err != nil {
			t.Fatal(err)
		}
		p, err := m.Open("memory")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		got := make([]byte, p.Size())
		if _, err := p.ReadAt(got, 0); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
		if before == nil {
			before = p
		}
	}
	if got := make([]byte, 3); before.Size() != 3 {
		t.Error("what was opened first is of another size")
	} else if _, err := before.ReadAt(got, 0); err != nil || string(got) != "one" {
		t.Errorf("what was opened first says %q, %v", got, err)
	}
	for range 2 {
		if err := m.Remove("marks"); err != nil {
			t.Error(err)
		}
		if err := m.Save("marks", nil); err != nil {
			t.Error(err)
		}
		if err := m.Remove("marks"); err != nil {
			t.Error(err)
		}
	}
	left := func() (names []string) {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			names = append(names, e.Name())
		}
		return names
	}
	for _, name := range []string{".a.memory-1", ".b.memory-2"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		after time.Duration
		want  []string
	}{
		{0, []string{".a.memory-1", ".b.memory-2", "a.memory"}}, // another process may be at it
		{2 * time.Hour, []string{".b.memory-2", "a.memory"}},
	} {
		now = now.Add(step.after)
		if err := m.Save("memory", nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, left()); diff != "" {
			t.Errorf("after %v (-want +got):\n%s", step.after, diff)
		}
	}
}
