// Command benchhook measures what a developer waits for at a commit: the hook
// beside the git that it needs, beside a program that only starts, and beside
// gitleaks, each as a whole process.
//
// It makes a repository from a seed, twice: ten files of 500 lines with 30 lines
// changed each, and 1,000 new files. Tools run in turn, one round after another;
// medians are shown. Cold means that the kernel's caches of files were dropped
// before each run, which needs root.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	bin, work, doc string
	runs, versions int
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin", "folder of revenant and of gitleaks in its two builds")
	flag.StringVar(&o.work, "work", "build/bench-hook", "folder for what is made; removed first")
	flag.StringVar(&o.doc, "doc", "docs/speed.md", "write the table between the marks of this file; empty: print only")
	flag.IntVar(&o.runs, "runs", 21, "runs of each")
	flag.IntVar(&o.versions, "versions", 10_000, "registered versions in the pack")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "benchhook:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	for _, dir := range []*string{&o.bin, &o.work} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return err
		}
		*dir = abs
	}
	if o.runs < 1 || filepath.Base(o.work) == string(filepath.Separator) {
		return errors.New("at least one run, and a folder of its own")
	}
	if err := errors.Join(os.RemoveAll(o.work), os.MkdirAll(o.work, 0o755)); err != nil {
		return err
	}
	// A module of its own: go's ./... does not walk into it.
	if err := os.WriteFile(filepath.Join(o.work, "go.mod"), []byte("module bench\n"), 0o644); err != nil {
		return err
	}
	b := &bench{o: o, env: append(os.Environ(), "REVENANT_HOME="+filepath.Join(o.work, "home"), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")}
	if err := b.prepare(); err != nil {
		return err
	}
	var rows []row
	for _, w := range []string{"typical", "thousand"} {
		list, err := b.measure(w)
		if err != nil {
			return err
		}
		rows = append(rows, list...)
	}
	text := b.table(rows)
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	return replaceBetween(o.doc, text)
}

type bench struct {
	o   options
	env []string
}

// tool is one command line that is measured in a repository.
type tool struct {
	name string
	argv []string
	cold bool
}

// row is what the runs of a tool come to.
type row struct {
	work      string
	tool      tool
	wall, cpu []time.Duration
}

func (b *bench) tools() []tool {
	revenant := filepath.Join(b.o.bin, "revenant")
	hook := []string{revenant, "hook", "run", "pre-commit"}
	withPack := append(slices.Clone(hook), "--pack", filepath.Join(b.o.work, "edge.pack"), "--pack-key", filepath.Join(b.o.work, "edge.key"))
	tools := []tool{
		{name: "floor: `git diff --cached --raw`", argv: []string{"git", "diff", "--cached", "--raw"}},
		{name: "floor: `revenant version`", argv: []string{revenant, "version"}},
		{name: fmt.Sprintf("hook, pack of %d versions", b.o.versions), argv: withPack},
		{name: "hook, generic rules only", argv: append(slices.Clone(hook), "--home", filepath.Join(b.o.work, "none"))},
		{name: fmt.Sprintf("hook, registry of %d versions", b.o.versions), argv: hook},
		{name: "hook with the pack, cold", argv: withPack, cold: true},
	}
	for _, g := range []struct{ name, file string }{{"gitleaks, release build", "gitleaks-release"}, {"gitleaks, `go install`", "gitleaks-plain"}} {
		if path := filepath.Join(b.o.bin, g.file); exists(path) {
			tools = append(tools, tool{name: g.name, argv: []string{path, "git", "--pre-commit", "--staged", "--no-banner", "-l", "fatal"}})
		}
	}
	return tools
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// prepare makes the registry, its pack, and both repositories.
func (b *bench) prepare() error {
	r := rand.New(rand.NewPCG(2026, 11))
	var values strings.Builder
	for i := range b.o.versions {
		fmt.Fprintf(&values, "{\"name\":\"bench/%06d\",\"value\":%q}\n", i, word(r, 32))
	}
	revenant := filepath.Join(b.o.bin, "revenant")
	for _, c := range []struct {
		in   string
		argv []string
	}{
		{"", []string{revenant, "init", "-q"}},
		{values.String(), []string{revenant, "secret", "import", "-", "-q"}},
		{"", []string{revenant, "pack", "export", "-q", "--out", filepath.Join(b.o.work, "edge.pack"), "--key-out", filepath.Join(b.o.work, "edge.key")}},
	} {
		if err := b.do(b.o.work, c.in, c.argv...); err != nil {
			return err
		}
	}
	for _, dir := range []string{"typical", "thousand"} {
		dir = filepath.Join(b.o.work, dir)
		if err := b.do(b.o.work, "", "git", "init", "-q", dir); err != nil {
			return err
		}
		if err := b.files(r, dir, 10, 500, 0); err != nil {
			return err
		}
		if err := errors.Join(b.do(dir, "", "git", "add", "-A"), b.do(dir, "", "git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-q", "-m", "x")); err != nil {
			return err
		}
	}
	typical, thousand := filepath.Join(b.o.work, "typical"), filepath.Join(b.o.work, "thousand")
	return errors.Join(
		b.files(rand.New(rand.NewPCG(2026, 12)), typical, 10, 500, 30), b.do(typical, "", "git", "add", "-A"),
		b.files(r, filepath.Join(thousand, "new"), 1000, 50, 0), b.do(thousand, "", "git", "add", "-A"),
	)
}

func word(r *rand.Rand, n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
	}
	return string(b)
}

// files writes program text; with changed, so many lines at the end of files that
// are there already.
func (b *bench) files(r *rand.Rand, dir string, count, lines, changed int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for i := range count {
		name := filepath.Join(dir, fmt.Sprintf("file%04d.go", i))
		var text strings.Builder
		n := lines
		if changed > 0 {
			old, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text.Write(old)
			n = changed
		}
		for range n {
			fmt.Fprintf(&text, "\tif %s, err := s.%s(ctx, %q); err != nil { return fmt.Errorf(\"key token %s: %%w\", err) }\n",
				word(r, 4), word(r, 9), word(r, 6), word(r, 8))
		}
		if err := os.WriteFile(name, []byte(text.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) do(dir, in string, argv ...string) error {
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir, c.Env, c.Stdin = dir, b.env, strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return nil
}

// measure runs the tools in turn, after one round that is not counted.
func (b *bench) measure(work string) ([]row, error) {
	var rows []row
	for _, t := range b.tools() {
		rows = append(rows, row{work: work, tool: t})
	}
	// Cold runs come last: they leave everything else cold too.
	for _, cold := range []bool{false, true} {
		for round := range b.o.runs + 1 {
			for i := range rows {
				r := &rows[i]
				if r.tool.cold != cold || cold && drop() != nil {
					continue
				}
				wall, cpu, err := b.once(filepath.Join(b.o.work, work), r.tool.argv)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", r.tool.name, err)
				}
				if round > 0 {
					r.wall, r.cpu = append(r.wall, wall), append(r.cpu, cpu)
				}
			}
		}
	}
	return rows, nil
}

// drop empties the kernel's caches of files.
func drop() error { return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0) }

func (b *bench) once(dir string, argv []string) (wall, cpu time.Duration, err error) {
	c := exec.Command(argv[0], argv[1:]...)
	c.Dir, c.Env = dir, b.env
	began := time.Now()
	err = c.Run()
	wall = time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	return wall, c.ProcessState.UserTime() + c.ProcessState.SystemTime(), nil
}

func (b *bench) table(rows []row) string {
	var t strings.Builder
	for _, w := range []struct{ work, what string }{
		{"typical", "A typical commit: ten files of 500 lines, 30 lines changed in each."}, {"thousand", "1,000 new files of 50 lines."},
	} {
		fmt.Fprintf(&t, "%s Medians of %d runs in turn, milliseconds.\n\n| | wall | processor | least wall |\n|---|---|---|---|\n", w.what, b.o.runs)
		for _, r := range rows {
			if r.work != w.work {
				continue
			}
			if len(r.wall) == 0 {
				fmt.Fprintf(&t, "| %s | not measured: the caches cannot be dropped here | | |\n", r.tool.name)
				continue
			}
			fmt.Fprintf(&t, "| %s | %s | %s | %s |\n", r.tool.name, ms(median(r.wall)), ms(median(r.cpu)), ms(slices.Min(r.wall)))
		}
		t.WriteString("\n")
	}
	return t.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.0f", float64(d)/float64(time.Millisecond)) }

func median(list []time.Duration) time.Duration {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// The table of the document stands between these lines.
const (
	beginMark = "<!-- hook: begin, written by make bench-hook -->\n"
	endMark   = "<!-- hook: end -->\n"
)

func replaceBetween(doc, table string) error {
	text, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), beginMark)
	_, after, ended := strings.Cut(rest, endMark)
	if !begun || !ended {
		return fmt.Errorf("%s has no marks for the table", doc)
	}
	return os.WriteFile(doc, []byte(before+beginMark+"\n"+table+endMark+after), 0o644)
}
