package baseline

import (
	"strconv"
	"strings"
)

// parseIgnored reads a line from its end, since files may have colons in their
// names. A commit is hex digits before the first colon.
func parseIgnored(line string) (ignored, bool) {
	rest, number, ok := cutLast(line)
	if !ok {
		return ignored{}, false
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return ignored{}, false
	}
	file, rule, ok := cutLast(rest)
	if !ok || rule == "" {
		return ignored{}, false
	}
	i := ignored{file: file, rule: rule, line: n}
	if commit, path, has := strings.Cut(file, ":"); has && isCommit(commit) {
		i.commit, i.file = commit, path
	}
	i.file = clean(i.file)
	return i, i.file != ""
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func isCommit(s string) bool {
	if len(s) < 7 || len(s) > 64 {
		return false
	}
	return strings.Trim(s, "0123456789abcdef") == ""
}

// clean is a path as scans know it: with slashes, relative.
func clean(path string) string {
	path = strings.ReplaceAll(path, `\`, "/")
	for strings.HasPrefix(path, "./") {
		path = path[2:]
	}
	return path
}
