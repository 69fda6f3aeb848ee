package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// twins are two machines with one ring that do the same: one remembers what it
// scanned, and the other forgets before each scan.
type twins struct {
	t              *testing.T
	rng            *rand.Rand
	keeps, forgets *box
	dir            string
	planted        canaries
	names          map[string]int // secrets, with how many versions they have
}

func newTwins(t *testing.T, seed uint64) *twins {
	w := &twins{t: t, rng: rand.New(rand.NewPCG(seed, 77)), keeps: newBox(t), forgets: newBox(t), names: map[string]int{}}
	w.keeps.must(0, "", "init")
	if err := os.CopyFS(w.forgets.registry(), os.DirFS(w.keeps.registry())); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(w.forgets.registry(), func(name string, d fs.DirEntry, err error) error {
		if err == nil {
			err = os.Chmod(name, map[bool]fs.FileMode{true: 0o700, false: 0o600}[d.IsDir()])
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	w.dir = filepath.Join(w.keeps.work, "repo")
	w.keeps.write("repo/README", "nothing\n")
	w.keeps.gitIn(w.dir, "init", "-q", "-b", "main")
	w.commit("first")
	return w
}

func (w *twins) commit(message string) {
	w.keeps.gitIn(w.dir, "add", "-A")
	w.keeps.gitIn(w.dir, "commit", "-q", "--allow-empty", "-m", message)
}

// both runs a command on both and returns what it printed and its exit code.
func (w *twins) both(stdin string, args ...string) [2]string {
	w.t.Helper()
	var out [2]string
	for i, b := range []*box{w.keeps, w.forgets} {
		r := b.run(stdin, args...)
		if r.code > 3 || r.code == 2 {
			w.t.Fatalf("revenant %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
		}
		out[i] = fmt.Sprintf("exit code %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	return out
}

// value is a canary; what is planted is looked for at the end.
func (w *twins) value(name string) string {
	c := newCanary(w.rng, name)
	w.planted = append(w.planted, c)
	return c.value
}

// register adds a secret, or rotates one.
func (w *twins) register() {
	name := fmt.Sprintf("svc/s%d", w.rng.IntN(4))
	verb := "add"
	if w.names[name] > 0 {
		verb = "rotate"
	}
	w.names[name]++
	w.both(w.value(name), "secret", verb, name)
	for _, b := range []*box{w.keeps, w.forgets} {
		if list, err := filepath.Glob(filepath.Join(b.registry(), "git", "*."+outcomesPart)); err != nil || len(list) > 0 {
			w.t.Errorf("after a value was registered there is still %v, %v", list, err)
		}
	}
}

// turn changes the state of something.
func (w *twins) turn() {
	for _, name := range []string{"svc/s0", "svc/s1", "svc/s2", "svc/s3"} {
		if w.names[name] > 1 {
			switch w.rng.IntN(3) {
			case 0:
				w.both("", "secret", "retire", name+"@1")
			case 1:
				w.both("", "secret", "compromise", name+"@1")
			case 2:
				w.both("", "secret", "allow", name, "--source", "git:*", "--path", "d1/**", "--until", "2099-01-01", "--reason", "its home")
			}
			return
		}
	}
}

func zipped(t *testing.T, name, text string) string {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// push commits contents with values that are registered, known to a rule, both,
// and will be registered.
func (w *twins) push() {
	for range 1 + w.rng.IntN(3) {
		var text strings.Builder
		for range w.rng.IntN(5) {
			v := w.value("a text's")
			if n := len(w.planted); n > 1 && w.rng.IntN(3) > 0 {
				v = w.planted[w.rng.IntN(n)].value
			}
			switch w.rng.IntN(6) {
			case 0:
				fmt.Fprintf(&text, "blob: %s\n", base64.StdEncoding.EncodeToString([]byte("user:"+v)))
			case 1:
				fmt.Fprintf(&text, "hex: %s and %s\n", hex.EncodeToString([]byte(v)), v)
			case 2:
				fmt.Fprintf(&text, "api_key = \"%s\" # gitleaks:allow\n", v)
			case 3:
				fmt.Fprintf(&text, "token = gh%s_%s%s\n", "p", v, v[:8])
			default:
				fmt.Fprintf(&text, "api_key = \"%s\"\n", v)
			}
		}
		name := fmt.Sprintf("repo/d%d/f%d", w.rng.IntN(3), w.rng.IntN(6))
		switch w.rng.IntN(4) {
		case 0:
			w.keeps.write(name+".zip", zipped(w.t, "in/a.txt", text.String()))
		case 1:
			z := zipped(w.t, "in/b.txt", text.String()+strings.Repeat("x", 200))
			w.keeps.write(name+".zip", zipped(w.t, "broken.zip", z[:len(z)-30]))
		default:
			w.keeps.write(name, text.String())
			w.keeps.write(name+".copy", text.String())
		}
	}
	w.commit(fmt.Sprint("push ", w.rng.IntN(100)))
	if w.rng.IntN(3) == 0 {
		w.keeps.gitIn(w.dir, "branch", "-f", fmt.Sprint("b", w.rng.IntN(3)))
	}
}

// moments are what no two scans share.
var moments = regexp.MustCompile(`"(first_seen|last_seen|last_scan|due|opened_at|changed_at|at|started_at|finished_at)": ?"[^"]*",?`)

// scans compares what both say of the repository, and what they have recorded.
func (w *twins) scans(what string, args ...string) {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.forgets.registry(), "git")); err != nil {
		w.t.Fatal(err)
	}
	for _, command := range [][]string{
		append([]string{"git", w.dir, "-f", "json", "-r", "-", "-q", "--show-tolerated"}, args...),
		{"findings", "list", "--json"},
	} {
		out := w.both("", command...)
		for i := range out {
			out[i] = moments.ReplaceAllString(out[i], "")
		}
		if diff := cmp.Diff(out[1], out[0]); diff != "" {
			w.t.Fatalf("%s, %s (-anew +remembered):\n%s", what, command[0], diff)
		}
	}
}

// file is where the outcomes lie.
func (w *twins) file() string {
	w.t.Helper()
	list, err := filepath.Glob(filepath.Join(w.keeps.registry(), "git", "*."+outcomesPart))
	if err != nil || len(list) != 1 {
		w.t.Fatalf("%v, %v", list, err)
	}
	return list[0]
}

// TestGitOutcomes pushes, registers, retires and allows at random. A machine that
// remembers what contents gave reports and records what one does that looks at
// everything each time, and has no value anywhere.
func TestGitOutcomes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		w := newTwins(t, seed)
		w.register()
		for round := range 6 {
			w.push()
			switch w.rng.IntN(3) {
			case 0:
				w.register()
			case 1:
				w.turn()
			}
			what := fmt.Sprintf("seed %d, round %d", seed, round)
			w.scans(what)
			w.scans(what + ", nothing new")
			w.turn()
			if w.scans(what + ", other states"); round == 3 {
				w.scans(what+", marks that do not count", "--no-inline-allow")
			}
		}
		if info, err := os.Stat(w.file()); err != nil || info.Size() < 1000 {
			t.Errorf("seed %d: %v, %v", seed, info, err)
		}
		for _, b := range []*box{w.keeps, w.forgets} {
			if found := w.planted.inTree(t, b.dir); len(found) > 0 {
				t.Errorf("seed %d: %v", seed, found)
			}
		}
	}
}

// TestGitOutcomesDamaged: whatever becomes of the file, the report stays; and it
// goes with its source.
func TestGitOutcomesDamaged(t *testing.T) {
	t.Parallel()
	w := newTwins(t, 9)
	v := w.value("registered")
	w.both(v, "secret", "add", "svc/one")
	w.keeps.write("repo/a.txt", "api_key = \""+v+"\"\n")
	w.keeps.write("repo/b.zip", zipped(t, "c.txt", v))
	w.commit("leak")
	w.scans("at first")
	if info, err := os.Stat(w.file()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	whole, err := os.ReadFile(w.file())
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 30, len(whole) / 2, len(whole) - 1, len(whole)} {
		for _, text := range [][]byte{whole[:n], append(bytes.Clone(whole[:n]), bytes.Repeat([]byte{7}, len(whole)-n)...)} {
			if err := os.WriteFile(w.file(), text, 0o600); err != nil {
				t.Fatal(err)
			}
			w.scans(fmt.Sprint("damaged from ", n))
		}
	}
	before, err := os.Stat(w.file())
	if err != nil {
		t.Fatal(err)
	}
	w.scans("nothing new")
	if after, err := os.Stat(w.file()); err != nil || !os.SameFile(before, after) {
		t.Errorf("it was written though nothing is new: %v", err)
	}
	w.keeps.must(0, "", "source", "forget", "git:file:"+real(t, w.dir))
	if list, err := os.ReadDir(filepath.Join(w.keeps.registry(), "git")); err != nil || len(list) > 0 {
		t.Errorf("after the source was forgotten there is still %v, %v", list, err)
	}
}

func real(t *testing.T, dir string) string {
	t.Helper()
	name, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	return name
}
