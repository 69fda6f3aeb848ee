package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// findHistories are the works of the repositories in a list.
func findHistories(list string) ([]work, error) {
	var works []work
	for path := range strings.SplitSeq(list, ",") {
		if path == "" {
			continue
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		name := filepath.Base(abs)
		if name == "repo" || name == ".git" {
			name = filepath.Base(filepath.Dir(abs))
		}
		w := work{name: "git, " + strings.TrimSuffix(name, ".git"), git: true, whole: corpus{path: abs}}
		if w.whole.bytes, w.whole.files, err = objectsIn(abs); err != nil {
			return nil, err
		}
		if err := complete(abs); err != nil {
			return nil, err
		}
		works = append(works, w)
	}
	return works, nil
}

// errIncomplete is a history in which git log stops early, and so does every
// tool that reads its patches: it would be fast.
var errIncomplete = errors.New("objects are missing, so that git log -p stops before the end; remove the refs that need them")

// complete checks that git can read all that refs reach.
func complete(path string) error {
	out, err := exec.Command("git", "-C", path, "rev-list", "--objects", "--all", "--missing=print").Output()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for line := range bytes.Lines(out) {
		if line[0] == '?' {
			return fmt.Errorf("%s: %w", path, errIncomplete)
		}
	}
	return nil
}

// objectsIn is how many bytes the objects of a repository have, and how many
// commits are reachable.
func objectsIn(path string) (size int64, commits int, err error) {
	out, err := exec.Command("git", "-C", path, "cat-file", "--batch-all-objects", "--unordered", "--batch-check=%(objectsize)").Output()
	if err != nil {
		return 0, 0, fmt.Errorf("%s is no repository: %w", path, err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		size += n
	}
	out, err = exec.Command("git", "-C", path, "rev-list", "--all", "--count").Output()
	if err != nil {
		return 0, 0, err
	}
	commits, err = strconv.Atoi(strings.TrimSpace(string(out)))
	return size, commits, err
}
