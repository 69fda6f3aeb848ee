package web_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// What is not listed is said not to be: of facets, of owners, of the places of a copy;
// and nothing is left out of what a form selects.
func TestListsSayWhenCut(t *testing.T) {
	s := newSite(t)
	add := func(n int) {
		for i := range n {
			v := s.value(32)
			s.scan(fmt.Sprintf("dir:/srv/%d", i), copyOf{path: "a.env", value: v, rows: s.add(fmt.Sprintf("s%d/key-%d", n, i), fmt.Sprintf("team-%d", i), v)})
		}
	}
	add(8)
	if body := s.page("viewer", "/"); strings.Contains(body, "Those who have the most") {
		t.Error("eight owners are said to be cut")
	}
	add(13)
	if body := s.page("viewer", "/"); !strings.Contains(body, "Those who have the most") || strings.Count(body, ">team-") < 8 {
		t.Error("the overview does not say that there are more owners")
	}
	body := s.page("viewer", "/findings")
	for field, cut := range map[string]bool{"source": true, "owner": true, "secret": true, "verdict": false} {
		if has := strings.Contains(body, "search for others with <code>"+field+":</code>"); has != cut {
			t.Errorf("the facet %s is said to be cut: %v, want %v", field, has, cut)
		}
	}
	v := s.value(32)
	rows := s.add("many/places", "team", v)
	var copies []copyOf
	for i := range 5 {
		copies = append(copies, copyOf{path: "b.env", value: v, rows: rows, locator: strconv.Itoa(i)})
	}
	ids := s.scan("dir:/srv/many", copies...)
	if body := s.page("viewer", "/secrets/many%2Fplaces/versions/1/trace"); !strings.Contains(body, "2 more places") {
		t.Error("the trace does not say that there are more places")
	}
	form := url.Values{"action": {"assign"}, "owner": {"x"}}
	for range 1001 {
		form.Add("id", strings.TrimPrefix(string(ids[0]), "rv1:"))
	}
	if a := s.ask("triage", http.MethodPost, "/findings/triage", form); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "select at most 1,000") {
		t.Errorf("1,001 findings at once: %d, want 422", a.Code)
	}
	if f, err := s.reg.Finding(t.Context(), me(), string(ids[0])); err != nil || f.Owner == "x" || f.Status != fingerprints.StatusOpen {
		t.Errorf("a form that was refused has changed something: %+v (%v)", f, err)
	}
}

// Every word that signing in sends a browser back with is told as a sentence of its
// own.
func TestSignInWords(t *testing.T) {
	s := newSite(t)
	other := s.ask("", http.MethodGet, "/sign-in?error=of-a-later-version", nil).body
	_, generic, _ := strings.Cut(other, `class="problem"`)
	generic, _, _ = strings.Cut(generic, "</p>")
	seen := map[string]string{}
	for _, word := range signInWords(t) {
		_, told, _ := strings.Cut(s.ask("", http.MethodGet, "/sign-in?error="+word, nil).body, `class="problem"`)
		told, _, _ = strings.Cut(told, "</p>")
		if told == "" || told == generic || seen[told] != "" {
			t.Errorf("%s is told as %q (as %q is)", word, told, seen[told])
		}
		seen[told] = word
	}
	if len(seen) < 10 {
		t.Errorf("%d words were found, want at least 10", len(seen))
	}
}

// signInWords are the constants of api/session that stand with badToken.
func signInWords(t *testing.T) (words []string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "api", "session", "session.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Decls {
		group, is := d.(*ast.GenDecl)
		if !is || group.Tok != token.CONST || len(group.Specs) < 5 {
			continue
		}
		for _, spec := range group.Specs {
			for _, v := range spec.(*ast.ValueSpec).Values {
				if lit, is := v.(*ast.BasicLit); is {
					word, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					words = append(words, word)
				}
			}
		}
	}
	return words
}
