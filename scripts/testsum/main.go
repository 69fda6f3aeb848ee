// Command testsum runs go test, shows its verbose output, and counts what ran.
//
// With -summary it writes one line per package: import path, tests, subtests.
// With -skipped it writes the names of skipped tests, with -failed what failed
// tests printed. With -floor and -update
// it writes the counts as the new floor; with -floor and -compare it compares
// a summary with the floor and fails when a package runs fewer.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

type options struct {
	summary, skipped, failed, floor, compare string
	update, quiet                            bool
	args                                     []string
}

func main() {
	var o options
	flag.StringVar(&o.summary, "summary", "", "write the counts to this file")
	flag.StringVar(&o.skipped, "skipped", "", "write the names of skipped tests to this file")
	flag.StringVar(&o.failed, "failed", "", "write what failed tests printed to this file")
	flag.StringVar(&o.floor, "floor", "", "file of the fewest tests a package may run")
	flag.StringVar(&o.compare, "compare", "", "compare this summary with the floor and run nothing")
	flag.BoolVar(&o.update, "update", false, "write the floor from this run")
	flag.BoolVar(&o.quiet, "quiet", false, "do not show the tests' output")
	flag.Parse()
	o.args = flag.Args()
	if err := run(o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
}

func run(o options, out io.Writer) error {
	if o.compare != "" {
		return compareFiles(o, out)
	}
	show := out
	if o.quiet {
		show = io.Discard
	}
	counts, testErr := goTest(o.args, show)
	if counts == nil {
		return testErr
	}
	if err := errors.Join(writeTo(o.summary, counts.WriteSummary), writeTo(o.skipped, counts.WriteSkipped),
		writeTo(o.failed, counts.WriteFailed)); err != nil {
		return err
	}
	total := counts.Total()
	fmt.Fprintf(out, "ran %d tests and %d subtests in %d packages, %d skipped, %d failed\n",
		total.Tests, total.Subtests, len(counts.packages), len(counts.skipped), len(counts.failed))
	for _, name := range counts.failed {
		fmt.Fprintln(out, "failed:", name)
	}
	if testErr == nil && o.update {
		return writeTo(o.floor, counts.WriteSummary)
	}
	return testErr
}

func writeTo(path string, write func(io.Writer) error) error {
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func compareFiles(o options, out io.Writer) error {
	got, err := readSummary(o.compare)
	if err != nil {
		return err
	}
	floor, err := readSummary(o.floor)
	if err != nil {
		return err
	}
	return Compare(floor, got, out)
}

func readSummary(path string) (map[string]Count, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ParseSummary(f)
}
