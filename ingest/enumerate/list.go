package enumerate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"revenant/scanners/cilog/rest"
	"revenant/scanners/gitrepo"
)

// maxList is how long a list may be, and maxWrong how many of its lines an error
// names.
const (
	maxList  = 16 << 20
	maxWrong = 10
)

// readList reads a list of locations.
func readList(ctx context.Context, p Place, o Options, to *found) error {
	text, err := fetchList(ctx, p, o)
	if err != nil {
		return err
	}
	return parseList(text, to)
}

func fetchList(ctx context.Context, p Place, o Options) ([]byte, error) {
	var from io.ReadCloser
	var err error
	switch {
	case (p.File == "") == (p.URL == ""):
		return nil, errors.New("a list is in a file or at a URL, one of both")
	case p.File != "":
		from, err = openFile(p.File)
	default:
		from, err = openURL(ctx, p.URL, o)
	}
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(from, maxList+1))
	switch err := errors.Join(err, from.Close()); {
	case err != nil:
		return nil, fmt.Errorf("reading the list: %w", err)
	case len(text) > maxList:
		return nil, errors.New("the list is longer than 16 MiB")
	}
	return text, nil
}

func openFile(name string) (io.ReadCloser, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("the list: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("the list is no file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the list: %w", err)
	}
	return f, nil
}

// openURL asks for a list; the token goes to the URL's own host alone.
func openURL(ctx context.Context, text string, o Options) (io.ReadCloser, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("a list's address is written https://HOST/PATH, and has no credentials in it")
	}
	token, err := o.token(ctx)
	if err != nil {
		return nil, err
	}
	r := o.Rest
	r.Base = u.Scheme + "://" + u.Host
	r.Header, r.Limit, r.Limited, r.Authorize = nil, nil, nil, nil
	r.Kind = func(string) string { return "the list" }
	if token != "" {
		r.Authorize = func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+token) }
	}
	api, err := rest.New(r)
	if err != nil {
		return nil, err
	}
	body, _, err := api.Open(ctx, u.String(), 0)
	if err != nil {
		api.Close()
		return nil, fmt.Errorf("the list: %w", err)
	}
	return body, nil
}

// parseList takes a location a line: a URL or an absolute path. Blank lines and
// those that begin with # are left out. Lines of no use are named by number.
func parseList(text []byte, to *found) error {
	var wrong []string
	n := 0
	note := func(why string) {
		if n++; n <= maxWrong {
			wrong = append(wrong, why)
		}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	number := 0
	for line := range strings.SplitSeq(string(text), "\n") {
		number++
		line = strings.TrimSpace(line)
		switch at, why := location(line); {
		case line == "" || strings.HasPrefix(line, "#"):
		case why != "":
			note(fmt.Sprintf("line %d %s", number, why))
		default:
			id := gitrepo.SourceID(at, at)
			if name := strings.TrimPrefix(id, "git:"); !to.seen[name] {
				to.seen[name] = true
				to.list = append(to.list, entry{Repository: Repository{Name: name, SourceID: id, HTTPS: at}})
			}
		}
	}
	if n == 0 {
		return nil
	}
	if n > maxWrong {
		wrong = append(wrong, fmt.Sprintf("and %d more", n-maxWrong))
	}
	return fmt.Errorf("%w: %s", ErrPartial, strings.Join(wrong, ", "))
}

// location is what a line names, or what is wrong with it, which repeats nothing
// of it.
func location(line string) (at, why string) {
	at = line
	if strings.HasPrefix(line, "file://") {
		at = strings.TrimPrefix(line, "file://")
	}
	switch {
	case !printable(line):
		return "", "is no text of one line"
	case filepath.IsAbs(at):
		return filepath.Clean(at), ""
	case !cloneable(at):
		return "", "is neither a URL nor an absolute path"
	case hasPassword(at):
		return "", "holds a password: give credentials apart from it"
	}
	return at, ""
}

// hasPassword reports whether an address holds one: where the web has user-info
// at all, that is a token.
func hasPassword(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.User == nil || !strings.Contains(text, "://") {
		return false
	}
	_, has := u.User.Password()
	return has || u.Scheme == "https" || u.Scheme == "http"
}
