package web_test

import (
	"compress/gzip"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
)

// pages are the pages of an organisation that has something of everything, with what
// must stand on each.
func pages(ids map[fingerprints.Verdict]fingerprints.FindingID) map[string]string {
	all := map[string]string{
		"/": "Needs action now", "/findings": "findings", "/findings?q=verdict%3Aleaked": "1 finding",
	}
	for verdict, id := range ids {
		all[findingPath(id)] = "Why it was judged " + string(verdict)
	}
	return all
}

// findingPath is the page of a finding.
func findingPath(id fingerprints.FindingID) string {
	return "/findings/" + strings.TrimPrefix(string(id), "rv1:")
}

// Nobody who is not signed in sees a page, and comes back to it behind the sign-in.
func TestSignedOut(t *testing.T) {
	s := newSite(t)
	for path := range pages(s.fill()) {
		a := s.ask("", http.MethodGet, path, nil)
		if want := "/sign-in?next=" + url.QueryEscape(path); a.Code != http.StatusSeeOther || a.Header().Get("Location") != want {
			t.Errorf("%s: %d to %s, want 303 to %s", path, a.Code, a.Header().Get("Location"), want)
		}
		if a := s.ask("sensor", http.MethodGet, path, nil); a.Code != http.StatusForbidden || !strings.Contains(a.body, "not yours to do") {
			t.Errorf("%s without read: %d, want 403", path, a.Code)
		}
	}
	for _, next := range []string{"//evil.example", "https://evil.example", `/\evil.example`, "evil", "/\nx", ""} {
		if a := s.ask("viewer", http.MethodGet, "/sign-in?next="+url.QueryEscape(next), nil); a.Header().Get("Location") != "/" {
			t.Errorf("next=%q leads to %q, want /", next, a.Header().Get("Location"))
		}
	}
}

// Every page says what a browser may do with it, holds no script and no style, and is
// small.
func TestPolicy(t *testing.T) {
	s := newSite(t)
	for path, want := range pages(s.fill()) {
		s.polite(path, want)
	}
}

// polite checks what a page with a word says to browsers, and how large it is.
func (s *site) polite(path, want string) {
	t := s.t
	t.Helper()
	inline := regexp.MustCompile(`(?i)<script(?:[^>]*[^>=])?>\s*[^<\s]|<style|\sstyle=|\son[a-z]+=|javascript:|https?://`)
	body := s.page("root", path)
	if !strings.Contains(body, want) {
		t.Errorf("%s: %q is not there", path, want)
	}
	for _, found := range inline.FindAllString(strings.ReplaceAll(body, "https://git.example.org", ""), -1) {
		t.Errorf("%s: %q stands in the page", path, found)
	}
	a := s.ask("root", http.MethodGet, path, nil, "Accept-Encoding", "gzip")
	if csp := a.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("%s: Content-Security-Policy %q", path, csp)
	}
	if n := a.Body.Len(); n > 100_000 {
		t.Errorf("%s has %d bytes, want at most 100,000", path, n)
	}
	z, err := gzip.NewReader(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(z); err != nil || string(plain) != body {
		t.Errorf("%s: what gzip holds is another page (%v)", path, err)
	}
	if again := s.ask("root", http.MethodGet, path, nil, "If-None-Match", a.Header().Get("ETag")); again.Code != http.StatusNotModified || again.body != "" {
		t.Errorf("%s: %d for what the browser has, want 304", path, again.Code)
	}
}

// Everything that a page refers to is there, and kept for ever.
func TestAssets(t *testing.T) {
	s := newSite(t)
	total := 0
	refs := regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`).FindAllStringSubmatch(s.page("root", "/"), -1)
	if len(refs) < 4 {
		t.Fatalf("%d assets, want at least 4", len(refs))
	}
	for _, ref := range refs {
		a := s.ask("", http.MethodGet, ref[1], nil, "Accept-Encoding", "br;q=0.1, gzip")
		if a.Code != http.StatusOK || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, Cache-Control %q", ref[1], a.Code, a.Header().Get("Cache-Control"))
		}
		total += a.Body.Len()
	}
	if total > 60_000 {
		t.Errorf("the assets of a page have %d bytes, want at most 60,000", total)
	}
	if a := s.ask("", http.MethodGet, "/static/app.css", nil); a.Code != http.StatusNotFound {
		t.Errorf("an asset without its hash: %d, want 404", a.Code)
	}
}

// Forms of other sites change nothing.
func TestCrossSite(t *testing.T) {
	s := newSite(t)
	form := url.Values{"theme": {"dark"}, "next": {"/"}}
	for _, c := range []struct {
		headers []string
		want    int
	}{
		{[]string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		{[]string{"Origin", "https://evil.example"}, http.StatusForbidden},
		{[]string{"Sec-Fetch-Site", "same-origin"}, http.StatusSeeOther},
		{[]string{"Origin", "https://revenant.example.org"}, http.StatusSeeOther}, // as a proxy forwards it
		{nil, http.StatusSeeOther},
	} {
		if a := s.ask("root", http.MethodPost, "/theme", form, c.headers...); a.Code != c.want {
			t.Errorf("%v: %d, want %d", c.headers, a.Code, c.want)
		}
	}
}

// The numbers of the overview are those of the lists that they lead to.
func TestNumbersAreLinks(t *testing.T) {
	s := newSite(t)
	s.fill()
	body := s.page("viewer", "/")
	tiles := regexp.MustCompile(`<a class="tile [^"]*" href="([^"]+)"><b>([\d,]+)</b><span>(\w+)`).FindAllStringSubmatch(body, -1)
	if len(tiles) != 6 {
		t.Fatalf("%d tiles, want 6:\n%s", len(tiles), body)
	}
	total := 0
	for _, m := range tiles {
		list := s.page("viewer", html.UnescapeString(m[1]))
		word := "findings"
		if m[2] == "1" {
			word = "finding"
			total++
		}
		if want := fmt.Sprintf(`id="found">%s %s<`, m[2], word); !strings.Contains(list, want) {
			t.Errorf("%s: the list does not say %s %s", m[3], m[2], word)
		}
	}
	if total != 4 {
		t.Errorf("%d verdicts have a finding, want 4", total)
	}
}

// What was pasted into the search is not repeated where it is a registered value.
func TestPastedValue(t *testing.T) {
	s := newSite(t)
	s.fill()
	a := s.ask("viewer", http.MethodGet, "/findings?q="+s.values[0], nil) // ask looks for values
	if a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "holds a registered value") {
		t.Errorf("%d, want 422 with a word", a.Code)
	}
	if a := s.ask("viewer", http.MethodGet, "/findings?q=verdict%3Awrong", nil); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "verdict is one of") {
		t.Errorf("a query that cannot be read: %d, want 422 with what would do", a.Code)
	}
}

// Names that come from outside are text, wherever they stand.
func TestHostileNames(t *testing.T) {
	s := newSite(t)
	const evil = `"><script>alert(1)</script>'&{{.}}`
	v := s.value(32)
	rows := s.add("a/b", `o"><img src=x onerror=alert(1)>`, v)
	s.scan("dir:/"+evil, copyOf{path: evil, value: v, rows: rows, context: evil}, copyOf{path: "javascript:alert(1)", value: s.value(32), context: evil, url: "javascript:alert(1)"})
	for _, path := range []string{"/", "/findings", "/findings?q=" + url.QueryEscape(`"`+strings.ReplaceAll(evil, `"`, "")+`"`)} {
		body := s.page("root", path)
		for _, wrong := range []string{"<script>alert", "<img", `href="javascript`} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s: %s stands in the page", path, wrong)
			}
		}
	}
}

// An empty installation shows the way to the first finding, and the first finding when
// it is there.
func TestFirstSteps(t *testing.T) {
	s := newSite(t)
	if body := s.page("root", "/"); !strings.Contains(body, "revenant watch add") {
		t.Error("the first steps are not there")
	}
	s.fill()
	if body := s.page("root", "/"); strings.Contains(body, "First steps") {
		t.Error("the first steps are there still")
	}
}

// A page is another one only where something has changed.
func TestMoved(t *testing.T) {
	s := newSite(t)
	was := s.page("viewer", "/moved")
	if now := s.page("viewer", "/moved"); now != was {
		t.Errorf("nothing has changed, and %q became %q", was, now)
	}
	s.fill()
	filled := s.page("viewer", "/moved")
	if filled == was {
		t.Error("findings came, and nothing moved")
	}
	s.later(time.Minute)
	if s.page("viewer", "/moved") == filled {
		t.Error("a minute has passed, and nothing moved")
	}
}
