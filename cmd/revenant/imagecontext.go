package main

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/image/buildcontext"
)

// contextFlags say what image would be built.
type contextFlags struct {
	folder string
	file   string
	args   []string
	target string
}

func (fl *contextFlags) register(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&fl.folder, "build-context", "", "scan what a build in this folder would send and copy, in place of an image")
	f.StringVar(&fl.file, "file", "", "Dockerfile of --build-context (default: Dockerfile or Containerfile in it)")
	f.StringArrayVar(&fl.args, "build-arg", nil, "value that the build is given; NAME alone takes it from the environment (repeat)")
	f.StringVar(&fl.target, "target", "", "stage of the Dockerfile that is built (default: the last)")
}

// check refuses what belongs to a build context and has none, and what does not.
func (fl *contextFlags) check(c *cobra.Command, args []string) error {
	if !c.Flags().Changed("build-context") {
		for _, name := range []string{"file", "build-arg", "target"} {
			if c.Flags().Changed(name) {
				return usagef("--%s is about a build: name its folder with --build-context", name)
			}
		}
		return argCount(1, math.MaxInt, "at least one REFERENCE or PATH, or --build-context")(c, args)
	}
	if fl.folder == "" {
		return usagef("--build-context is empty: it is the folder that a build is begun in, as in --build-context .")
	}
	if len(args) > 0 {
		return usagef("--build-context is scanned by itself: leave REFERENCE and PATH out, or scan them with another command")
	}
	for _, name := range []string{"all-tags", "tag", "insecure"} {
		if c.Flags().Changed(name) {
			return usagef("--%s is about a registry, and --build-context asks none: leave one of them out", name)
		}
	}
	return nil
}

// given are the build's arguments. One without a value has that of the
// environment, and none where it has none, as docker has it.
func (fl *contextFlags) given(lookup func(string) (string, bool)) (out []buildcontext.Arg, err error) {
	for i, a := range fl.args {
		name, value, has := strings.Cut(a, "=")
		if name == "" {
			return nil, usagef("--build-arg number %d has no name: it is NAME=VALUE or NAME", i+1)
		}
		if !has {
			if value, has = lookup(name); !has {
				continue
			}
		}
		out = append(out, buildcontext.Arg{Name: name, Value: value})
	}
	return out, nil
}

func (a *app) scanContext(ctx context.Context, fl *imageFlags) error {
	given, err := fl.build.given(os.LookupEnv)
	if err != nil {
		return err
	}
	o := buildcontext.Options{Root: fl.build.folder, File: fl.build.file, SourceID: fl.source, Args: given, Target: fl.build.target}
	src, err := buildcontext.New(o) // opened once to learn its id
	if err != nil {
		return contextError(fl.build.folder, err)
	}
	place := scanPlace{root: fl.build.folder, sourceID: src.ID(), kind: fingerprints.KindImage, measured: true}
	_ = src.Close()
	return a.runScan(ctx, &fl.scanFlags, place, func(_ *eye, cursor []byte) (scanners.Source, error) {
		at := o
		at.Cursor = cursor
		src, err := buildcontext.New(at)
		if err != nil {
			return nil, contextError(fl.build.folder, err)
		}
		return src, nil
	})
}

// contextError says which of what was typed is wrong.
func contextError(folder string, err error) error {
	switch {
	case errors.Is(err, buildcontext.ErrNoFile):
		return usagef("--file: %w, neither from here nor in the build context", err)
	case errors.Is(err, buildcontext.ErrNoTarget):
		return usagef("--target: %w", err)
	}
	return usageError{namedPlace("--build-context", folder, err)}
}
