package objects

import (
	"os"
	"path/filepath"
	"strings"
)

// Bounds of alternates: more of them than anybody has.
const (
	alternatesDeep = 32
	alternatesMost = 1024
)

// objectDirs is the object folders of a repository and those they borrow from,
// each once, nearest first.
func objectDirs(own ...string) (dirs []string, problems []Problem) {
	type level struct {
		dir   string
		depth int
	}
	seen := map[string]bool{}
	var queue []level
	for _, dir := range own {
		queue = append(queue, level{dir, 0})
	}
	for len(queue) > 0 {
		l := queue[0]
		queue = queue[1:]
		real, err := filepath.EvalSymlinks(l.dir)
		if err == nil && !isDir(real) {
			err = os.ErrNotExist
		}
		if err != nil {
			problems = append(problems, Problem{Path: l.dir, Reason: ReasonGone, Lost: true})
			continue
		}
		if seen[real] {
			continue
		}
		if l.depth > alternatesDeep || len(seen) >= alternatesMost {
			problems = append(problems, Problem{Path: l.dir, Reason: ReasonDepth, Lost: true})
			continue
		}
		seen[real] = true
		dirs = append(dirs, real)
		name := filepath.Join(real, "info", "alternates")
		text, err := readAlternates(name)
		if err != nil {
			problems = append(problems, Problem{Path: name, Reason: ReasonIO, Lost: true})
		}
		for _, path := range alternatePaths(text) {
			queue = append(queue, level{joined(real, path), l.depth + 1})
		}
	}
	return dirs, problems
}

func readAlternates(name string) (string, error) {
	text, err := readSmall(name)
	if os.IsNotExist(err) {
		return "", nil
	}
	return text, err
}

// alternatePaths reads the lines of an alternates file: paths, comments, and
// paths in quotes as C writes them.
func alternatePaths(text string) []string {
	var paths []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '"':
			if path, ok := unquoted(line); ok {
				paths = append(paths, path)
				break
			}
			paths = append(paths, line)
		default:
			paths = append(paths, line)
		}
	}
	return paths
}

// unquoted undoes git's quoting of a path: C's escapes between double quotes.
func unquoted(s string) (string, bool) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), i == len(s)-1
		case c != '\\':
			b.WriteByte(c)
		case i+3 < len(s) && s[i+1] >= '0' && s[i+1] <= '3' && octal(s[i+2]) && octal(s[i+3]):
			b.WriteByte((s[i+1]-'0')<<6 | (s[i+2]-'0')<<3 | (s[i+3] - '0'))
			i += 3
		case i+1 < len(s):
			i++
			b.WriteByte(escaped(s[i]))
		}
	}
	return "", false
}

func octal(c byte) bool { return c >= '0' && c <= '7' }

// escaped is unescaped with the letters that only C has.
func escaped(c byte) byte {
	switch c {
	case 'a':
		return '\a'
	case 'v':
		return '\v'
	case 'f':
		return '\f'
	case 'r':
		return '\r'
	}
	return unescaped(c)
}
