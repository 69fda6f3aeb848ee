package gitrepo

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// remote is where a repository is hosted.
type remote struct{ host, path string }

// scp is git's short form of ssh URLs: user@host:path.
var scp = regexp.MustCompile(`^(?:[^@/]+@)?([^:/@]+):([^/].*|/.*)$`)

// parseRemote takes a URL apart; https and ssh are the same place.
func parseRemote(raw string) (remote, bool) {
	if u, err := url.Parse(raw); err == nil && u.Host != "" && strings.Contains(raw, "://") {
		switch u.Scheme {
		case "http", "https", "ssh", "git", "git+ssh", "ssh+git":
		default:
			return remote{}, false
		}
		host := strings.ToLower(u.Hostname())
		if p := u.Port(); p != "" && p != "22" && p != "443" && p != "80" && p != "9418" {
			host += ":" + p
		}
		return clean(host, u.Path)
	}
	if m := scp.FindStringSubmatch(raw); m != nil && !strings.Contains(raw, "://") && len(m[1]) > 1 {
		return clean(strings.ToLower(m[1]), m[2])
	}
	return remote{}, false
}

func clean(host, path string) (remote, bool) {
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	return remote{host: host, path: path}, host != "" && path != ""
}

// SourceID is the id of a repository: git:host/path of its origin, or its own
// place where it has none.
func SourceID(origin, path string) string {
	if r, ok := parseRemote(origin); ok {
		return "git:" + r.host + "/" + r.path
	}
	return "git:file:" + filepath.ToSlash(path)
}

// forge makes links to a hosting site. The zero forge makes none.
type forge struct{ remote }

func newForge(origin string) forge {
	r, _ := parseRemote(origin)
	return forge{r}
}

// blob links to a path as a commit has it, in the form that most sites share.
func (f forge) blob(commit oid, path string) string {
	if f.host == "" || commit.IsZero() {
		return ""
	}
	base := "https://" + f.host + "/" + f.path
	if path == "" {
		return base + "/commit/" + commit.String()
	}
	escaped := (&url.URL{Path: path}).EscapedPath()
	switch {
	case strings.Contains(f.host, "gitlab"):
		return base + "/-/blob/" + commit.String() + "/" + escaped
	case strings.Contains(f.host, "bitbucket"):
		return base + "/src/" + commit.String() + "/" + escaped
	}
	return base + "/blob/" + commit.String() + "/" + escaped
}

// IsURL reports whether a text names a repository elsewhere.
func IsURL(text string) bool {
	_, ok := parseRemote(text)
	return ok || strings.HasPrefix(text, "file://")
}
