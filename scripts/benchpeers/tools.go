package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// tool is one way to go through a corpus.
type tool struct {
	name    string
	note    string // what it does otherwise than the rest
	env     []string
	command func(w work, c corpus, report string) []string
	parse   func([]byte) (found, error) // of the report; nil: a floor
	codes   []int                       // exit codes that are no failure, beside 0
	slow    bool                        // runs once, on the slice
	version string
}

// found are the values that a tool reports.
type found struct {
	count  int
	values map[string]bool
}

const (
	ours    = "revenant, generic rules"
	release = "gitleaks, release build (RE2 in WebAssembly)"
	plainGo = "gitleaks, `go install` (package regexp)"
	fork    = "betterleaks"
	single  = "revenant, generic rules, one core"
	both    = "revenant, generic rules and registered values"
	alone   = "revenant, registered values"
)

// findTools lists what is measured: revenant in its modes, both builds of
// gitleaks, what else is on the PATH, and the floors.
func findTools(o options) ([]*tool, error) {
	home := "REVENANT_HOME=" + filepath.Join(o.work, "home")
	none := "REVENANT_HOME=" + filepath.Join(o.work, "no-home")
	mine := func(name, note string, env []string, args ...string) *tool {
		return &tool{
			name: name, note: note, env: env, parse: parseGitleaks, codes: []int{1}, version: "this tree",
			command: func(w work, c corpus, report string) []string {
				argv := append([]string{filepath.Join(o.bin, "revenant")}, w.arguments(c)...)
				return append(append(argv, "--no-store", "--show-secrets", "-q", "-f", "json", "-r", report), args...)
			},
		}
	}
	tools := []*tool{
		floor(),
		mine(ours, "", []string{none}, "--only", "generic"),
		mine(single, "GOMAXPROCS=1", []string{none, "GOMAXPROCS=1"}, "--only", "generic"),
		mine(both, fmt.Sprintf("%d versions, every encoding", o.versions), []string{home}),
		mine(alone, fmt.Sprintf("%d versions, every encoding", o.versions), []string{home}, "--only", "registered"),
		gitleaks(release, filepath.Join(o.bin, "gitleaks-release")),
		gitleaks(plainGo, filepath.Join(o.bin, "gitleaks-plain")),
	}
	tools[len(tools)-1].slow = true
	if path, err := exec.LookPath("betterleaks"); err == nil {
		tools = append(tools, gitleaks(fork, path))
		tools[len(tools)-1].note = "rules of its own"
	}
	if path, err := exec.LookPath("trufflehog"); err == nil {
		tools = append(tools, trufflehog(path))
	}
	for _, t := range tools {
		if t.parse != nil {
			if _, err := os.Stat(t.binary()); err != nil {
				return nil, fmt.Errorf("make bench-peers builds what is missing: %w", err)
			}
			t.version = versionOf(t)
		}
	}
	return tools, nil
}

// binary is the tool's program.
func (t *tool) binary() string { return t.command(work{}, corpus{}, "")[0] }

var number = regexp.MustCompile(`\d+\.\d+\.\d+\S*`)

// versionOf asks a program for its version, or its build information.
func versionOf(t *tool) string {
	for _, args := range [][]string{{t.binary(), "version"}, {t.binary(), "--version"}, {"go", "version", "-m", t.binary()}} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), t.env...)
		out, err := cmd.CombinedOutput()
		if args[0] == "go" {
			for line := range bytes.Lines(out) {
				if f := bytes.Fields(line); len(f) >= 3 && string(f[0]) == "mod" {
					return string(f[2])
				}
			}
		} else if v := number.Find(out); err == nil && v != nil && filepath.Base(t.binary()) != "revenant" {
			return string(v)
		}
	}
	return "unknown"
}

// arguments are what gitleaks and those who follow it are given for a work.
func (w work) arguments(c corpus) []string {
	switch {
	case w.stream:
		return []string{"stdin"}
	case w.git:
		return []string{"git", c.path}
	}
	return []string{"dir", c.path}
}

func floor() *tool {
	return &tool{name: "floor", version: "-", command: func(w work, c corpus, _ string) []string {
		switch {
		case w.stream:
			return []string{"sh", "-c", "cat | cat >/dev/null"}
		case w.git:
			return []string{"sh", "-c", `git -C "$0" cat-file --batch-all-objects --unordered --batch >/dev/null`, c.path}
		}
		return []string{"sh", "-c", `find "$0" -type f -print0 | xargs -0 cat >/dev/null`, c.path}
	}}
}

func gitleaks(name, path string) *tool {
	return &tool{
		name: name, parse: parseGitleaks, codes: []int{1},
		command: func(w work, c corpus, report string) []string {
			return append(append([]string{path}, w.arguments(c)...), "--no-banner", "-f", "json", "-r", report)
		},
	}
}

func trufflehog(path string) *tool {
	return &tool{
		name: "trufflehog", note: "rules of its own; told not to verify", parse: parseTrufflehog, codes: []int{183}, slow: true,
		command: func(w work, c corpus, _ string) []string {
			argv := []string{path, "filesystem", c.path}
			switch {
			case w.stream:
				argv = []string{path, "stdin"}
			case w.git:
				argv = []string{path, "git", "file://" + c.path}
			}
			return append(argv, "--no-verification", "--no-update", "--json")
		},
	}
}

func parseGitleaks(report []byte) (found, error) {
	var list []struct{ Secret string }
	if err := json.Unmarshal(report, &list); err != nil {
		return found{}, fmt.Errorf("reading a report: %w", err)
	}
	f := found{count: len(list), values: map[string]bool{}}
	for _, e := range list {
		f.values[e.Secret] = true
	}
	return f, nil
}

func parseTrufflehog(report []byte) (found, error) {
	f := found{values: map[string]bool{}}
	for line := range bytes.Lines(report) {
		var e struct{ Raw, RawV2 string }
		if json.Unmarshal(line, &e) == nil && e.Raw != "" {
			f.count++
			f.values[e.Raw], f.values[e.RawV2] = true, true
		}
	}
	return f, nil
}

// recall counts the plants among what was found: the value itself, or in
// something longer.
func (f found) recall(list []plant) int {
	n := 0
	for _, p := range list {
		if f.values[p.value] {
			n++
			continue
		}
		for v := range f.values {
			if strings.Contains(v, p.value) {
				n++
				break
			}
		}
	}
	return n
}

func (t *tool) accepts(code int) bool { return code == 0 || slices.Contains(t.codes, code) }
