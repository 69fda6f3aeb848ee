// Command benchpeers measures revenant beside other scanners and beside what
// only reads: on a log given on standard input, on a tree of files, and on the
// git repositories that it is given.
//
// It makes log and tree from a seed, plants secrets in them, runs every tool in turn
// and again, and writes medians, processor time, memory, findings and how many
// of the planted secrets each found between two marks of docs/speed.md. No tool
// reaches the network: what can verify findings is told not to.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

type options struct {
	bin, work, doc    string
	logMB, treeMB     int
	slowLog, slowTree int
	runs, versions    int
	histories         string
	limit             time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "build/bin", "folder of revenant and of gitleaks in its two builds")
	flag.StringVar(&o.work, "work", "build/bench", "folder for what is made")
	flag.StringVar(&o.doc, "doc", "docs/speed.md", "write the tables between the marks of this file; empty: print only")
	flag.IntVar(&o.logMB, "log", 256, "size of the log in MB")
	flag.IntVar(&o.treeMB, "tree", 256, "size of the tree in MB, if the sources that are here suffice")
	flag.IntVar(&o.slowLog, "slow-log", 8, "size of the log for slow tools in MB; their time is extrapolated")
	flag.IntVar(&o.slowTree, "slow-tree", 16, "size of the tree for slow tools in MB")
	flag.IntVar(&o.runs, "runs", 3, "runs of each tool; slow ones run once")
	flag.IntVar(&o.versions, "versions", 10000, "registered versions")
	flag.StringVar(&o.histories, "git", "", "repositories to scan too, separated by commas")
	flag.DurationVar(&o.limit, "limit", 30*time.Minute, "longest run of a tool before it is stopped")
	flag.Parse()
	if err := run(o, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "benchpeers:", err)
		os.Exit(1)
	}
}

func run(o options, out, progress io.Writer) error {
	for _, dir := range []*string{&o.bin, &o.work} {
		abs, err := filepath.Abs(*dir)
		if err != nil {
			return err
		}
		*dir = abs
	}
	if o.runs < 1 || o.logMB < o.slowLog || o.treeMB < o.slowTree {
		return errors.New("at least one run, and no slice larger than the whole")
	}
	if err := os.MkdirAll(o.work, 0o755); err != nil {
		return err
	}
	// A module of its own: go's ./... does not walk into the tree.
	if err := os.WriteFile(filepath.Join(o.work, "go.mod"), []byte("module bench\n"), 0o644); err != nil {
		return err
	}
	p := newPlants(o.versions)
	fmt.Fprintln(progress, "making the log, the tree and their slices")
	works, err := makeWorks(o, p)
	if err != nil {
		return err
	}
	histories, err := findHistories(o.histories)
	if err != nil {
		return err
	}
	works = append(works, histories...)
	b := &bench{o: o, plants: p, progress: progress}
	if b.tools, err = findTools(o); err != nil {
		return err
	}
	if err := b.register(); err != nil {
		return err
	}
	var results []result
	for _, w := range works {
		r, err := b.measure(w)
		if err != nil {
			return err
		}
		results = append(results, r...)
	}
	report := render(o, works, b.tools, results)
	fmt.Fprintln(out, report)
	if o.doc == "" {
		return nil
	}
	return replaceBetween(o.doc, report)
}
