package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licencesOf reads the licences of modules from the module cache, where the
// build has put them. A module without one that is known is an error: a release
// does not guess what it may hand on.
func licencesOf(ctx context.Context, clone string, modules []debug.Module) (map[string][]string, error) {
	out := map[string][]string{}
	if len(modules) == 0 {
		return out, nil
	}
	args := []string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}
	for _, m := range modules {
		args = append(args, m.Path)
	}
	listed, err := command(ctx, clone, []string{"GOFLAGS=-mod=readonly", "GOWORK=off"}, "go", args...)
	if err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(listed, "\n") {
		path, dir, _ := strings.Cut(line, "\t")
		if out[path], err = licences(dir); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out, nil
}

// licences are the SPDX names of the licence texts in a folder, sorted.
func licences(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	file := regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-._].*)?$`)
	found := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() || !file.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		for _, m := range licensecheck.Scan(text).Match {
			if !m.IsURL {
				found[m.ID] = true
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no licence text that is known")
	}
	return slices.Sorted(maps.Keys(found)), nil
}
