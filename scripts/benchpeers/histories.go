package main

import (
	"bufio"
	"bytes"
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
		works = append(works, w)
	}
	return works, nil
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
