// Command benchimage measures how fast layers of container images are scanned,
// beside `gzip -dc` of the same layer: whole processes, in turn, medians.
//
// The layers are made of the files of this machine's Go tree and of generated
// ones, so that the same machine makes the same layers: program text, programs,
// packed files, logs, and with -gib one large layer of text and binary in turn,
// which shows that memory does not grow. Nothing that it makes is kept.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"revenant/scripts/benchkit"
)

type options struct {
	bin, work, doc string
	mb, gib        int
	runs, versions int
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin", "folder of revenant")
	flag.StringVar(&o.work, "work", "build/bench-image", "folder for what is made; removed before and after")
	flag.StringVar(&o.doc, "doc", "docs/speed.md", "write the table between the marks of this file; empty: print only")
	flag.IntVar(&o.mb, "mb", 128, "MB of each layer, at the most")
	flag.IntVar(&o.gib, "gib", 0, "GiB of one more layer, scanned once; 0: none")
	flag.IntVar(&o.runs, "runs", 3, "runs of each")
	flag.IntVar(&o.versions, "versions", 1000, "registered versions")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "benchimage:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	for _, dir := range []*string{&o.bin, &o.work} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return err
		}
	}
	if o.runs < 1 || o.mb < 1 || filepath.Base(o.work) == string(filepath.Separator) {
		return errors.New("at least one run, one MB, and a folder of its own")
	}
	if err := errors.Join(os.RemoveAll(o.work), os.MkdirAll(o.work, 0o755)); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.work)) }()
	home := func(name string) []string {
		return append(os.Environ(), "REVENANT_HOME="+filepath.Join(o.work, name))
	}
	b := &bench{o: o, env: home("home"), alone: home("empty")}
	if err := benchkit.Register(filepath.Join(o.bin, "revenant"), b.env, o.versions); err != nil {
		return err
	}
	var rows []row
	for _, k := range kinds(o) {
		r, err := b.measure(k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		rows = append(rows, r)
	}
	text := table(o, rows)
	fmt.Print(text)
	if o.doc == "" {
		return nil
	}
	return benchkit.ReplaceBetween(o.doc, beginMark, endMark, text)
}

type bench struct {
	o     options
	env   []string // of a revenant that has values registered
	alone []string // of one that has rules alone
}

// row is what the runs over a layer come to.
type row struct {
	kind            kind
	plain, packed   int64 // bytes
	files           int
	inflate, search []benchkit.Sample
	rules           []benchkit.Sample // search with nothing registered
	every           []benchkit.Sample // inflating all that is to be, files in it too; nil: that is inflate
}

// floor is what revenant is measured by: what has to be inflated to see everything.
func (r row) floor() []benchkit.Sample {
	if len(r.every) > 0 {
		return r.every
	}
	return r.inflate
}

// measure makes a layer, and runs the floor and revenant over it in turn.
func (b *bench) measure(k kind) (r row, err error) {
	dir := filepath.Join(b.o.work, "image")
	l, err := writeImage(dir, k)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r = row{kind: k, plain: l.plain, packed: l.packed, files: l.files}
	runs := b.o.runs
	if k.once {
		runs = 1
	}
	for range runs {
		floor, err := once(b.env, "gzip", "-dc", l.path)
		if err != nil {
			return r, err
		}
		if k.inner {
			every, err := once(b.env, "sh", "-c", `gzip -dc "$1" | tar -xOf - | gzip -dc`, "sh", l.path)
			if err != nil {
				return r, err
			}
			r.every = append(r.every, every)
		}
		rules, err := b.revenant(b.alone, dir)
		if err != nil {
			return r, err
		}
		took, err := b.revenant(b.env, dir)
		if err != nil {
			return r, err
		}
		r.inflate, r.rules, r.search = append(r.inflate, floor), append(r.rules, rules), append(r.search, took)
	}
	return r, nil
}

// revenant scans an image, nothing of which it knows.
func (b *bench) revenant(env []string, dir string) (benchkit.Sample, error) {
	return once(env, filepath.Join(b.o.bin, "revenant"), "image", "--no-cache", "--no-store", "-q", "-f", "json", "-r", os.DevNull, "--exit-code", "0", dir)
}

// once runs a process. Findings are no failure: Go's own tests have keys in them.
func once(env []string, name string, args ...string) (benchkit.Sample, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = env
	return benchkit.Run(cmd)
}

func table(o options, rows []row) string {
	var t strings.Builder
	runs := fmt.Sprintf("medians of %d runs in turn", o.runs)
	if o.runs == 1 {
		runs = "one run each"
	}
	fmt.Fprintf(&t, "%s/%s, %s, GOMAXPROCS %d; %s. Of the speed of inflating: by wall time, aim 70 %%; in brackets of the least that each took.\n\n",
		runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.GOMAXPROCS(0), runs)
	fmt.Fprintf(&t, "| layer | MB | packed | files | `gzip -dc`: wall s | cpu s | rules alone: wall s | cpu s | of inflating's speed | with %d registered versions: wall s | cpu s | of inflating's speed | its cpu times | peak MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n", o.versions)
	for _, r := range rows {
		r.write(&t, r.kind.name, r.floor())
		if len(r.every) > 0 {
			r.write(&t, r.kind.name+", beside inflating the outer layer alone", r.inflate)
		}
	}
	t.WriteString("\n")
	return t.String()
}

// write writes a line of the table.
func (r row) write(t *strings.Builder, name string, floors []benchkit.Sample) {
	floor, rules, took := benchkit.Median(floors), benchkit.Median(r.rules), benchkit.Median(r.search)
	fmt.Fprintf(t, "| %s | %d | %d | %d | %.2f | %.2f | %.2f | %.2f | %s | %.2f | %.2f | %s | %.1f | %d |\n", name, r.plain/1e6, r.packed/1e6, r.files,
		floor.Wall.Seconds(), floor.CPU.Seconds(), rules.Wall.Seconds(), rules.CPU.Seconds(), ofSpeed(floors, r.rules),
		took.Wall.Seconds(), took.CPU.Seconds(), ofSpeed(floors, r.search), took.CPU.Seconds()/floor.CPU.Seconds(), took.Peak/1e6)
}

// ofSpeed is how fast something is beside the floor.
func ofSpeed(floors, tooks []benchkit.Sample) string {
	floor, took := benchkit.Median(floors).Wall, benchkit.Median(tooks).Wall
	missed := ""
	if 10*floor < 7*took {
		missed = " (missed)"
	}
	percent := func(floor, took time.Duration) float64 { return 100 * floor.Seconds() / took.Seconds() }
	return fmt.Sprintf("%.0f %% [%.0f %%]%s", percent(floor, took), percent(benchkit.Least(floors).Wall, benchkit.Least(tooks).Wall), missed)
}

// The table of the document stands between these lines.
const (
	beginMark = "<!-- image: begin, written by make bench-image -->\n"
	endMark   = "<!-- image: end -->\n"
)
