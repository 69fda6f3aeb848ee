package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Outcome is what became of a mutation.
type Outcome string

// The outcomes. Only Killed is good.
const (
	Killed      Outcome = "killed"
	Survived    Outcome = "SURVIVED"
	NotApplied  Outcome = "NOT APPLIED"
	NotCompiled Outcome = "DOES NOT COMPILE"
)

// Result is one mutation's outcome.
type Result struct {
	Mutation Mutation
	Outcome  Outcome
	Detail   string
}

// TryAll tries every mutation, and prints a line for each as it is done. It
// fails when the tests fail without any mutation: then nothing is proven.
func TryAll(ctx context.Context, root string, all []Mutation, workers int, out io.Writer) ([]Result, error) {
	base, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(base)
	trees := make(chan string, workers)
	for i := range workers {
		tree := filepath.Join(base, fmt.Sprint(i))
		if err := copyTree(root, tree); err != nil {
			return nil, fmt.Errorf("copying the tree: %w", err)
		}
		trees <- tree
	}
	first := <-trees
	if err := baseline(ctx, first, all); err != nil {
		return nil, err
	}
	trees <- first

	results := make([]Result, len(all))
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	var mu sync.Mutex // serialises out
	for i, m := range all {
		tree := <-trees
		wait.Go(func() {
			defer func() { trees <- tree }()
			start := time.Now()
			results[i], errs[i] = try(ctx, tree, m)
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(out, "%-16s %4.1fs  %s: %s\n", results[i].Outcome, time.Since(start).Seconds(), m.File, m.Why)
			if results[i].Detail != "" {
				fmt.Fprintf(out, "    line %d of the list: %s\n", m.Line, results[i].Detail)
			}
		})
	}
	wait.Wait()
	return results, errors.Join(errs...)
}

// baseline runs every named test without a mutation.
func baseline(ctx context.Context, tree string, all []Mutation) error {
	byRun := map[string][]string{}
	for _, m := range all {
		for _, p := range m.Test {
			if !slices.Contains(byRun[m.Run], p) {
				byRun[m.Run] = append(byRun[m.Run], p)
			}
		}
	}
	for pattern, packages := range byRun {
		if output, err := goTest(ctx, tree, packages, pattern); err != nil {
			return fmt.Errorf("the tests fail without a mutation: %w\n%s", err, tail(output, 40))
		} else if pattern != "" && strings.Contains(output, "no tests to run") {
			return fmt.Errorf("no test matches %q in one of %s", pattern, strings.Join(packages, " "))
		}
	}
	return nil
}

// try applies a mutation, runs its tests and puts the file back.
func try(ctx context.Context, tree string, m Mutation) (result Result, err error) {
	name := filepath.Join(tree, filepath.FromSlash(m.File))
	text, err := os.ReadFile(name)
	if err != nil {
		return Result{m, NotApplied, err.Error()}, nil
	}
	mutated, err := m.Apply(string(text))
	if err != nil {
		return Result{m, NotApplied, err.Error()}, nil
	}
	if err := os.WriteFile(name, []byte(mutated), 0o600); err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, os.WriteFile(name, text, 0o600)) }()

	build := exec.CommandContext(ctx, "go", "build", "./"+filepath.ToSlash(filepath.Dir(m.File)))
	build.Dir = tree
	if output, err := build.CombinedOutput(); err != nil {
		return Result{m, NotCompiled, tail(string(output), 5)}, ctx.Err()
	}
	output, testErr := goTest(ctx, tree, m.Test, m.Run)
	switch {
	case ctx.Err() != nil:
		return Result{}, ctx.Err()
	case testErr == nil:
		return Result{m, Survived, "- " + m.Old + "\n    + " + m.New}, nil
	case strings.Contains(output, "[build failed]"):
		return Result{m, NotCompiled, tail(output, 5)}, nil
	}
	return Result{Mutation: m, Outcome: Killed}, nil
}

// goTest runs tests briefly; a mutation that makes them hang is noticed too.
func goTest(ctx context.Context, tree string, packages []string, pattern string) (string, error) {
	args := []string{"test", "-short", "-failfast", "-timeout", "4m"}
	if pattern != "" {
		args = append(args, "-run", pattern)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, packages...)...)
	cmd.Dir = tree
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n    ")
}

// copyTree copies regular files; what is hidden or built stays behind.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case d.IsDir() && rel != "." && (rel == "build" || rel == ".git"):
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(target, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, info.Mode().Perm()|0o600)
	})
}
