package salvage

import (
	"path"
	"strings"
)

// kind is what a file of a git directory is.
type kind uint8

const (
	kindNone  kind = iota // not taken
	kindLoose             // an object
	kindPack
	kindRefs  // what refs are read from
	kindTable // of refs, in a format that is not read
)

// Wants reports whether a file is taken, by its name in the git directory.
func Wants(name string) bool { return kindOf(name) != kindNone }

func kindOf(name string) kind {
	first, rest, below := strings.Cut(name, "/")
	switch {
	case !below:
		if first == "HEAD" || first == "packed-refs" || first == "shallow" {
			return kindRefs
		}
	case first == "refs":
		if rest == path.Clean(rest) && !strings.HasPrefix(rest, "../") {
			return kindRefs
		}
	case first == "reftable":
		return kindTable
	case first == "worktrees":
		if dir, file := path.Split(rest); file == "HEAD" && strings.Count(dir, "/") == 1 {
			return kindRefs
		}
	case first == "objects":
		return objectKind(rest)
	}
	return kindNone
}

func objectKind(name string) kind {
	dir, file, has := strings.Cut(name, "/")
	switch {
	case !has || strings.Contains(file, "/"):
	case dir == "pack" && strings.HasSuffix(file, ".pack") && len(file) > len(".pack"):
		return kindPack
	case len(dir) == 2 && (len(file) == 38 || len(file) == 62) && hexadecimal(dir+file):
		return kindLoose
	}
	return kindNone
}

func hexadecimal(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
