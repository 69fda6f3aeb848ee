package distribution_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/image/distribution"
)

// linked serves pages of a list, each of which names the next in some way.
func linked(link func(host string, next int) string, pages ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("page"), &n)
		if n+1 < len(pages) {
			w.Header().Set("Link", link(r.Host, n+1))
		}
		page(w, "application/json", pages[n])
	}
}

func relative(_ string, n int) string { return fmt.Sprintf(`</v2/_catalog?page=%d>; rel="next"`, n) }

// TestLists: pages are followed to their end, which comes also in a circle.
func TestLists(t *testing.T) {
	tests := map[string]struct {
		h    http.HandlerFunc
		want string
		err  error
	}{
		"pages":      {linked(relative, `{"repositories":["a","b"]}`, `{"repositories":["c"]}`, `{"repositories":["d"]}`), "a b c d", nil},
		"twice":      {linked(relative, `{"repositories":["a","b"]}`, `{"repositories":["b","c"]}`), "a b c", nil},
		"other host": {linked(func(_ string, n int) string { return fmt.Sprintf(`<http://internal/v2/_catalog?page=%d>;rel=next`, n) }, `{"repositories":["a"]}`, `{"repositories":["b"]}`), "a b", nil},
		"absolute":   {linked(func(h string, n int) string { return fmt.Sprintf(`<http://%s/x?page=%d>; rel="next"`, h, n) }, `{"repositories":["a"]}`, `{"repositories":["b"]}`), "a b", nil},
		"a circle":   {linked(func(string, int) string { return `</v2/_catalog?page=0>; rel="next"` }, `{"repositories":["a"]}`, `x`), "a", distribution.ErrCircle},
		"empty pages": {linked(func(_ string, n int) string { return fmt.Sprintf(`</v2/_catalog?page=%d>; rel="next"`, n) }, `{"repositories":[]}`,
			`{"repositories":["a"]}`), "", distribution.ErrCircle},
		"null":           {linked(relative, `{"name":"x","repositories":null}`), "", nil},
		"nothing":        {linked(relative, `{}`), "", nil},
		"html":           {linked(relative, `<html>`), "", distribution.ErrUnreachable},
		"breaks off":     {linked(relative, `{"repositories":["a","b"`), "a b", distribution.ErrUnreachable},
		"no texts":       {linked(relative, `{"repositories":[1]}`), "", distribution.ErrUnreachable},
		"no list":        {linked(relative, `{"repositories":"a"}`), "", distribution.ErrUnreachable},
		"not allowed":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusForbidden) }, "", distribution.ErrDenied},
		"not there":      {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusNotFound) }, "", distribution.ErrNotFound},
		"failing":        {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusInternalServerError) }, "", distribution.ErrUnreachable},
		"fails midway":   {linked(relative, `{"repositories":["a"]}`, `<`, ``), "a", distribution.ErrUnreachable},
		"links to a URL": {linked(func(string, int) string { return "<:%zz>; rel=next" }, `{"repositories":["a"]}`, ``), "a", distribution.ErrCircle},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			host, _ := serve(t, tt.h)
			c, _ := open(t, distribution.Options{Registry: host})
			var got []string
			err := c.Catalog(t.Context(), func(path string) error { got = append(got, path); return nil })
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
			if strings.HasPrefix(name, "not ") && !strings.Contains(err.Error(), "--all-tags") {
				t.Errorf("the error does not name the way out: %v", err)
			}
		})
	}
}

// TestTags: the caller ends it, too.
func TestTags(t *testing.T) {
	host, seen := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		page(w, "application/json", `{"name":"team/shop","tags":["1","2","3"]}`)
	})
	r, _ := repository(t, distribution.Options{Registry: host})
	enough := errors.New("enough")
	var got []string
	err := r.Tags(t.Context(), func(tag string) error {
		if got = append(got, tag); len(got) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || len(got) != 2 || seen.count("/v2/team/shop/tags/list") != 1 {
		t.Errorf("%v, %v", got, err)
	}
}

// FuzzNames: whatever a list is, what is read of it is texts that it has.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{`{"tags":["a","b"]}`, `{"x":{"tags":["no"]},"tags":null}`, `{"tags":["a"],"tags":["b"]}`, `[`, `{"tags":[[]]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		if err := distribution.Names(strings.NewReader(text), "tags", func(string) error { n++; return nil }); err == nil && n > len(text) {
			t.Errorf("%d names in %q", n, text)
		}
	})
}
