// Command release builds a release of Revenant from the commit that is checked
// out: six binaries in archives, a bill of materials for each, and checksums.
//
// It clones the repository and builds there, so that nothing gets in that is
// not committed; it refuses a tree with changes, and a toolchain other than the
// one that go.mod names. The same commit and version give the same bytes on
// every machine; with -reproduce it builds again from a second clone, with an
// empty build cache, and compares. docs/release.md says how to use it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
)

func main() {
	out := flag.String("out", "build/release", "folder to write; it is made anew")
	again := flag.String("reproduce", "", "build these again from a second clone and compare: all, or GOOS/GOARCH[,...]")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *out, *again, flag.Args(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, again string, args []string, log io.Writer) error {
	if len(args) != 1 {
		return fmt.Errorf("one version is wanted, such as v1.2.3")
	}
	all := targets()
	twice, err := chosen(all, again)
	if err != nil {
		return err
	}
	root, err := command(ctx, ".", nil, "git", "rev-parse", "--show-toplevel")
	if err != nil {
		return fmt.Errorf("a release names its commit, and this is no git repository: %w", err)
	}
	work, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	r, err := newRelease(ctx, root, args[0], work, log)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := r.build(ctx, out, all); err != nil {
		return err
	}
	if err := verifySums(out); err != nil {
		return err
	}
	if len(twice) == 0 {
		return nil
	}
	return r.reproduce(ctx, out, twice)
}

// target is a platform.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

func targets() []target {
	var out []target
	for _, system := range []string{"darwin", "linux", "windows"} {
		out = append(out, target{system, "amd64"}, target{system, "arm64"})
	}
	return out
}

func chosen(all []target, list string) ([]target, error) {
	switch list {
	case "":
		return nil, nil
	case "all":
		return all, nil
	}
	var out []target
	for name := range strings.SplitSeq(list, ",") {
		found := false
		for _, t := range all {
			if t.String() == name {
				out, found = append(out, t), true
			}
		}
		if !found {
			return nil, fmt.Errorf("%q is not among %v", name, all)
		}
	}
	return out, nil
}
