package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// bench runs tools.
type bench struct {
	o        options
	plants   plants
	tools    []*tool
	progress io.Writer
}

// sample is one run.
type sample struct {
	wall, cpu time.Duration
	peak      int64 // bytes
}

// result is what the runs of a tool on a work come to.
type result struct {
	work    work
	tool    *tool
	corpus  corpus
	samples []sample
	found   found
	generic int // plants among what was found
	kept    int // registered ones
	failed  string
}

// register makes a registry with the registered values.
func (b *bench) register() error {
	home := filepath.Join(b.o.work, "home")
	if err := errors.Join(os.RemoveAll(home), os.RemoveAll(filepath.Join(b.o.work, "no-home"))); err != nil {
		return err
	}
	for _, args := range [][]string{{"init", "-q"}, {"secret", "import", "-", "-q"}} {
		cmd := exec.Command(filepath.Join(b.o.bin, "revenant"), args...)
		cmd.Env = append(os.Environ(), "REVENANT_HOME="+home)
		cmd.Stdin = strings.NewReader(b.plants.jsonl())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("revenant %s: %w: %s", args[0], err, firstLine(out))
		}
	}
	return nil
}

// measure runs every tool on a work in turn, and all of them again.
func (b *bench) measure(w work) ([]result, error) {
	results := make([]result, len(b.tools))
	for i, t := range b.tools {
		results[i] = result{work: w, tool: t, corpus: w.whole}
		if t.slow {
			results[i].corpus = w.part
		}
	}
	for round := range b.o.runs {
		for i := range results {
			r := &results[i]
			if r.failed != "" || r.tool.slow && round > 0 {
				continue
			}
			if r.tool.slow && w.git {
				r.failed = "takes minutes, and there is no slice of a history"
				continue
			}
			fmt.Fprintf(b.progress, "%s, run %d of %d: %s\n", w.name, round+1, b.o.runs, r.tool.name)
			if err := b.once(r); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// once runs a tool; the first run's report is read.
func (b *bench) once(r *result) error {
	report := filepath.Join(b.o.work, "report")
	if err := os.RemoveAll(report); err != nil {
		return err
	}
	argv := r.tool.command(r.work, r.corpus, report)
	ctx, cancel := context.WithTimeout(context.Background(), b.o.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), r.tool.env...)
	cmd.Dir = b.o.work
	if r.work.stream {
		in, err := os.Open(r.corpus.path)
		if err != nil {
			return err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	out, err := os.Create(filepath.Join(b.o.work, "output"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = out
	began := time.Now()
	err = cmd.Run()
	wall := time.Since(began)
	if cmd.ProcessState == nil {
		return fmt.Errorf("%s: %w", r.tool.name, err)
	}
	if ctx.Err() != nil {
		r.failed = fmt.Sprintf("stopped after %s", b.o.limit)
		return nil
	}
	if code := cmd.ProcessState.ExitCode(); !r.tool.accepts(code) {
		r.failed = fmt.Sprintf("failed with exit code %d", code)
		return nil
	}
	r.samples = append(r.samples, sample{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), peak(cmd.ProcessState)})
	if r.tool.parse == nil || len(r.samples) > 1 {
		return nil
	}
	text, err := os.ReadFile(report)
	if errors.Is(err, os.ErrNotExist) {
		text, err = os.ReadFile(out.Name())
	}
	if err != nil {
		return err
	}
	if r.found, err = r.tool.parse(text); err != nil {
		r.failed = err.Error()
		return nil
	}
	r.generic, r.kept = r.found.recall(b.plants.generic), r.found.recall(b.plants.registered)
	return nil
}

// wall is the median time, of the whole corpus: extrapolated where a slice was read.
func (r result) wall() time.Duration {
	return r.scaled(median(r.samples, func(s sample) time.Duration { return s.wall }))
}

func (r result) cpu() time.Duration {
	return r.scaled(median(r.samples, func(s sample) time.Duration { return s.cpu }))
}

func (r result) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) * float64(r.work.whole.bytes) / float64(r.corpus.bytes))
}

func (r result) peak() int64 {
	var most int64
	for _, s := range r.samples {
		most = max(most, s.peak)
	}
	return most
}

func median(list []sample, of func(sample) time.Duration) time.Duration {
	all := make([]time.Duration, len(list))
	for i, s := range list {
		all[i] = of(s)
	}
	slices.Sort(all)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)/2]
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}
