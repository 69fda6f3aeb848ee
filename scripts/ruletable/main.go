// Command ruletable measures how much of public labelled sets scanners' rules
// find, and how much of what they report is right.
//
//	ruletable rebuild -metadata CREDDATA -repositories DIR -out DIR [-part 1/2]
//	ruletable score -labels OUT/labels.csv NAME=REPORT.json...
//	ruletable leaky -expected secrets.csv NAME=REPORT.json...
//
// rebuild takes the labelled files of a part of CredData's repositories, as they
// are sorted by id, out of clones of them, as they were at the commits that its
// metadata names. The first half is what rules are tuned on; the rest is not.
// score and leaky compare reports in gitleaks' JSON, of scans of that folder and
// of a checkout of leaky-repo, with the labels. Nothing of the sets is part of
// this repository.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "ruletable:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("use rebuild, score or leaky; see the head of main.go")

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "rebuild":
		metadata := f.String("metadata", "", "checkout of CredData")
		clones := f.String("repositories", "", "folder of clones, each called OWNER+NAME, or OWNER+NAME/repo")
		to := f.String("out", "", "folder to write files and labels.csv to")
		part := f.String("part", "1/2", "which of how many equal parts of the repositories")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return rebuild(*metadata, *part, *clones, *to, out)
	case "score":
		labels := f.String("labels", "", "labels.csv that rebuild wrote")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return score(*labels, f.Args(), out)
	case "leaky":
		expected := f.String("expected", "", "leaky-repo's list of files with the number of secrets in each")
		if err := f.Parse(args[1:]); err != nil {
			return err
		}
		return leaky(*expected, f.Args(), out)
	}
	return errUsage
}

// named splits NAME=FILE.
func named(arg string) (name, file string, err error) {
	name, file, ok := strings.Cut(arg, "=")
	if !ok {
		return "", "", fmt.Errorf("%q is not NAME=REPORT", arg)
	}
	return name, file, nil
}
