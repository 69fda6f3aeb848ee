// Command mutate proves that the tests can fail. It reads a list of one-line
// changes that would be faults, applies each by itself to a copy of the tree,
// and runs the tests that must notice.
//
// It fails when a change survives its tests, when its line is no longer in the
// file, or when it does not compile: the list has to follow the code.
//
// The working tree is read only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	list := flag.String("list", "", "file of mutations")
	only := flag.String("only", "", "only those whose file or reason contains this")
	workers := flag.Int("workers", 2, "mutations tried at the same time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *list, *only, *workers, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, list, only string, workers int, out io.Writer) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	all, err := Parse(string(text))
	if err != nil {
		return fmt.Errorf("reading %s: %w", list, err)
	}
	var chosen []Mutation
	for _, m := range all {
		if strings.Contains(m.File+" "+m.Why, only) {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 {
		return errors.New("no mutation was chosen")
	}
	results, err := TryAll(ctx, ".", chosen, workers, out)
	if err != nil {
		return err
	}
	failed := 0
	for _, r := range results {
		if r.Outcome != Killed {
			failed++
		}
	}
	fmt.Fprintf(out, "%d of %d mutations killed\n", len(results)-failed, len(results))
	if failed > 0 {
		return fmt.Errorf("%d mutations not killed", failed)
	}
	return nil
}
