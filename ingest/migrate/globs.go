package migrate

import (
	"regexp"
	"strings"
)

// globPattern is a regular expression for what a glob of paths means: ** crosses
// folders, * and ? do not, and one without a slash counts in every folder.
func globPattern(glob string) string {
	glob = strings.TrimPrefix(glob, "./")
	folder := strings.HasSuffix(glob, "/")
	rooted := strings.HasPrefix(glob, "/") || strings.Contains(strings.TrimSuffix(glob, "/"), "/")
	glob = strings.Trim(glob, "/")
	var b strings.Builder
	if rooted {
		b.WriteString("^")
	} else {
		b.WriteString("(?:^|/)")
	}
	for i := 0; i < len(glob); i++ {
		switch rest := glob[i:]; {
		case strings.HasPrefix(rest, "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(rest, "**"):
			b.WriteString(".*")
			i++
		case rest[0] == '*':
			b.WriteString("[^/]*")
		case rest[0] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(rest[:1]))
		}
	}
	if folder {
		return b.String() + "/"
	}
	return b.String() + "(?:/|$)"
}

// compiles reports whether gitleaks can use an expression: RE2 has neither
// looking around nor references back.
func compiles(expr string) bool {
	_, err := regexp.Compile(expr)
	return err == nil
}
