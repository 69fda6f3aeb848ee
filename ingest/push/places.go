package push

import (
	"encoding/json"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"revenant/scanners/cilog/rest"
	"revenant/scanners/gitrepo"
)

// Bounds of what a post may name.
const (
	maxAddress = 4096
	maxName    = 1024
	maxChanges = 1000
	maxEvents  = 1000
	maxToken   = 128
)

// places are where a repository is, as ids and as addresses.
type places struct{ ids, urls []string }

// add takes an address of a repository elsewhere; what is none is left out.
func (p *places) add(texts ...string) {
	for _, text := range texts {
		text = strings.TrimSpace(text)
		if !printable(text, maxAddress) || strings.HasPrefix(text, "file:") || !gitrepo.IsURL(text) {
			continue
		}
		// What begins like a flag is one to programs that are given it.
		if id := gitrepo.SourceID(text, ""); !strings.HasPrefix(id, "git:-") && !strings.HasPrefix(text, "-") {
			p.put(id, bare(text))
		}
	}
}

// addPath takes an absolute path on the machine that sends.
func (p *places) addPath(text string) {
	text = strings.TrimPrefix(text, "file://")
	if printable(text, maxAddress) && path.IsAbs(text) {
		p.put(gitrepo.SourceID("", path.Clean(text)), path.Clean(text))
	}
}

func (p *places) put(id, address string) {
	if !slices.Contains(p.ids, id) {
		p.ids = append(p.ids, id)
	}
	if !slices.Contains(p.urls, address) {
		p.urls = append(p.urls, address)
	}
}

// bare is an address without credentials: of ssh the user stays, who is git.
func bare(text string) string {
	u, err := url.Parse(text)
	if err != nil || !strings.Contains(text, "://") {
		return text // the short form of ssh, which holds no password
	}
	switch name := u.User.Username(); {
	case u.User == nil:
	case strings.Contains(u.Scheme, "ssh") && name != "":
		u.User = url.User(name)
	default:
		u.User = nil
	}
	return u.String()
}

// webPlace is the part of an id that a project's page on the web gives: host,
// and path.
func webPlace(page string) (string, bool) {
	u, err := url.Parse(page)
	if err != nil || !printable(page, maxAddress) || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return "", false
	}
	name := rest.Name(u.Scheme + "://" + u.Host + strings.TrimRight(u.Path, "/"))
	_, project, _ := strings.Cut(name, "/")
	return name, project != "" && printable(name, maxAddress)
}

// printable reports whether a text is neither empty nor long, and one line.
func printable(text string, most int) bool {
	return text != "" && len(text) <= most && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// token is a text that may be logged, or empty: letters, digits, dots, dashes and
// underscores.
func token(text string) string {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.')
	}
	if len(text) > maxToken || strings.ContainsFunc(text, odd) {
		return ""
	}
	return text
}

// oid is an object id, or empty: what is all zeros stands for none.
func oid(text string) string {
	if len(text) != 40 && len(text) != 64 || strings.Trim(text, "0") == "" {
		return ""
	}
	if strings.Trim(strings.ToLower(text), "0123456789abcdef") != "" {
		return ""
	}
	return strings.ToLower(text)
}

// isRef reports whether a text can be the full name of a ref.
func isRef(text string) bool {
	return strings.HasPrefix(text, "refs/") && printable(text, maxName) && !strings.Contains(text, "..")
}

// change is what a push says: a new id of zeros means that the ref is gone.
func change(ref, before, after string) (Change, bool) {
	c := Change{Ref: ref, Old: oid(before), New: oid(after)}
	c.Deleted = c.New == "" && after != ""
	return c, isRef(ref)
}

// oneChange is a list of it.
func oneChange(ref, before, after string) ([]Change, error) {
	c, ok := change(ref, before, after)
	if !ok {
		return nil, errShape
	}
	return []Change{c}, nil
}

// read reads a payload.
func read(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return errShape // the error would repeat a part of it
	}
	return nil
}

// number is an id as JSON has it.
func number(n json.Number) string {
	text := n.String()
	if text == "" || len(text) > 20 || strings.Trim(text, "0123456789") != "" || text == "0" {
		return ""
	}
	return text
}
