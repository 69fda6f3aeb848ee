package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTarget is how long a line of a list of repositories is at most.
const maxTarget = 8 << 10

// byteOrderMark is what some editors begin a file with.
const byteOrderMark = "\ufeff"

// readTargets reads the file that --repos-from names.
func (a *app) readTargets(file string) ([]string, error) {
	if file == "-" {
		return parseTargets(a.stdin, "standard input")
	}
	f, err := a.openInput("--repos-from", file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseTargets(f, printable(file))
}

// parseTargets reads one path or URL a line. Blank lines and those that begin
// with # say nothing. An error names the list and the line and repeats neither
// path nor URL.
func parseTargets(r io.Reader, name string) ([]string, error) {
	var out []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxTarget)
	n := 0
	for lines.Scan() {
		n++
		line := lines.Bytes()
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		target := strings.TrimSpace(string(line))
		if target == "" || target[0] == '#' {
			continue
		}
		if wrong := badTarget(target); wrong != "" {
			return nil, usagef("--repos-from: %s, line %d: %s", name, n, wrong)
		}
		out = append(out, target)
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, usagef("--repos-from: %s, line %d: longer than any path or URL: it wants one a line", name, n+1)
	case err != nil:
		return nil, usagef("--repos-from: %s, after line %d: %w", name, n, bare(err))
	}
	return out, nil
}

// badTarget says why a text can name no repository; empty: it may.
func badTarget(target string) string {
	for i, r := range target {
		if r == utf8.RuneError { // paths need not be UTF-8
			continue
		}
		if unicode.IsControl(r) {
			return "a control character: this is no list of paths and URLs"
		}
		if i == 0 && r == '-' {
			return "begins with -: write ./ before a path"
		}
	}
	scheme, _, has := strings.Cut(target, "://")
	if !has || strings.ContainsAny(scheme, "/\\.@") {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "https", "http", "ssh", "git", "git+ssh", "ssh+git", "file":
		return ""
	}
	return "a URL that git repositories are not read from: use https, http, ssh, git or file"
}
