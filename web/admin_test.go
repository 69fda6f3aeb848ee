package web_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// once is what a page shows this once; "": nothing.
func once(body string) string {
	if m := regexp.MustCompile(`<code id="shown"[^>]*>([^<]+)</code>`).FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

// A token is shown on the answer that made it, and nowhere else; then it counts until
// it is revoked.
func TestTokens(t *testing.T) {
	s := newSite(t)
	a := s.ask("root", http.MethodPost, "/tokens", url.Values{"name": {"ci"}, "scope": {"scan", "read"}, "teams": {"payments, shop"}, "expires": {"2027-01-01"}})
	shown := once(a.body)
	if a.Code != http.StatusOK || shown == "" || a.Header().Get("Cache-Control") != "no-store" || a.Header().Get("Location") != "" {
		t.Fatalf("making: %d, Cache-Control %q", a.Code, a.Header().Get("Cache-Control"))
	}
	who, err := s.reg.Authenticate(t.Context(), fingerprints.NewValue([]byte(shown)))
	if err != nil || who.Name != "token:ci" || !who.May(registry.ScopeScan) || who.May(registry.ScopeAdmin) || !slices.Equal(who.Teams, []string{"payments", "shop"}) {
		t.Errorf("the token is %v (%v)", who, err)
	}
	s.values = append(s.values, shown) // from now on it is nowhere
	list := s.page("root", "/tokens")
	var revoke string
	for _, form := range formsOf(list) {
		if strings.HasSuffix(form, "/revoke") {
			revoke = form
		}
	}
	if a := s.ask("root", http.MethodPost, revoke, nil); a.Code != http.StatusSeeOther {
		t.Fatalf("revoking by %s: %d", revoke, a.Code)
	}
	if _, err := s.reg.Authenticate(t.Context(), fingerprints.NewValue([]byte(shown))); err == nil {
		t.Error("a revoked token counts still")
	}
	if body := s.page("root", "/tokens?said=revoked"); !strings.Contains(body, "refused from now on") || strings.Contains(body, "/revoke\"") {
		t.Error("the list offers to revoke it again")
	}
	for _, wrong := range []url.Values{{"name": {"x"}}, {"name": {"a b"}, "scope": {"read"}}, {"name": {"x"}, "scope": {"read"}, "expires": {"2020-01-01"}}, {"name": {"x"}, "scope": {"everything"}}} {
		if a := s.ask("root", http.MethodPost, "/tokens", wrong); a.Code != http.StatusUnprocessableEntity || once(a.body) != "" {
			t.Errorf("%v: %d, want 422", wrong, a.Code)
		}
	}
	s.people["half"] = registry.Actor{Name: "half", Scopes: []registry.Scope{registry.ScopeAdmin}}
	if a := s.ask("half", http.MethodPost, "/tokens", url.Values{"name": {"more"}, "scope": {"rotate"}}); a.Code != http.StatusForbidden {
		t.Errorf("giving on what one has not: %d, want 403", a.Code)
	}
	if strings.Contains(s.page("half", "/tokens"), `value="rotate"`) {
		t.Error("a scope is offered that the reader has not")
	}
}

// People are added, given roles and teams, linked, disabled and signed out.
func TestPeople(t *testing.T) {
	s := newSite(t)
	a := s.ask("root", http.MethodPost, "/people", url.Values{"name": {"ann@example.org"}, "display": {"Ann"}, "role": {"viewer"}, "teams": {"payments"}})
	if a.Code != http.StatusSeeOther {
		t.Fatalf("adding: %d", a.Code)
	}
	at, _, _ := strings.Cut(a.Header().Get("Location"), "?")
	ann := func() registry.PersonView {
		t.Helper()
		p, err := s.reg.Person(t.Context(), me(), "ann@example.org")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	s.polite(at, "ann@example.org")
	s.polite("/people", "payments")
	link := s.ask("root", http.MethodPost, at+"/link", nil)
	shown := once(link.body)
	if !strings.HasPrefix(shown, "https://revenant.example.org/auth/setup?code=") || link.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("the link: %d, Cache-Control %q", link.Code, link.Header().Get("Cache-Control"))
	}
	_, code, _ := strings.Cut(shown, "code=")
	s.values = append(s.values, code)
	in, err := s.reg.SignInByCode(t.Context(), fingerprints.NewValue([]byte(code)), fingerprints.Value{}, "127.0.0.1", registry.SessionTerms{Idle: time.Hour, Longest: time.Hour})
	if err != nil || in.Actor.Name != "person:ann@example.org" {
		t.Fatalf("the link signs %q in (%v)", in.Actor.Name, err)
	}
	s.ask("root", http.MethodPost, at+"/change", url.Values{"display": {"Ann B."}, "role": {"triager", "registrar"}, "teams": {""}})
	if p := ann(); p.Display != "Ann B." || len(p.Roles) != 2 || len(p.Teams) != 0 {
		t.Errorf("after the change: %+v", p)
	}
	s.ask("root", http.MethodPost, at+"/change", url.Values{"do": {"disable"}})
	if p := ann(); p.DisabledAt == nil || len(p.Roles) != 2 {
		t.Errorf("after disabling: %+v", p)
	}
	if body := s.page("root", at); strings.Contains(body, "Make a link") || !strings.Contains(body, "Enable") {
		t.Error("a disabled person is offered a link")
	}
	s.ask("root", http.MethodPost, at+"/change", url.Values{"do": {"enable"}})
	if a := s.ask("root", http.MethodPost, at+"/change", url.Values{"do": {"sign-out"}}); a.Code != http.StatusSeeOther || ann().DisabledAt != nil {
		t.Errorf("signing out: %d", a.Code)
	}
	for _, path := range []string{"/people", at, "/tokens"} {
		if a := s.ask("viewer", http.MethodGet, path, nil); a.Code != http.StatusForbidden {
			t.Errorf("a viewer's %s: %d, want 403", path, a.Code)
		}
	}
	if strings.Contains(s.page("viewer", "/"), `href="/people"`) {
		t.Error("a viewer is offered the list of people")
	}
	if a := s.ask("root", http.MethodGet, "/people/pn_none", nil); a.Code != http.StatusNotFound {
		t.Errorf("an unknown person: %d, want 404", a.Code)
	}
}

// The audit log is read from its end, and narrowed by who, what, of what and when.
func TestAudit(t *testing.T) {
	s := newSite(t)
	s.estate()
	numbers := func(path string) (out []string) {
		for _, m := range regexp.MustCompile(`<a href="/audit\?before=\d+">(\d+)</a>`).FindAllStringSubmatch(s.page("viewer", path), -1) {
			out = append(out, m[1])
		}
		return out
	}
	var all []registry.AuditEntry
	err := s.reg.AuditLog(t.Context(), me(), 1, func(e registry.AuditEntry) error {
		all = append(all, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := func(keep func(registry.AuditEntry) bool) (out []string) {
		for _, e := range slices.Backward(all) {
			if keep(e) {
				out = append(out, strconv.FormatUint(e.Sequence, 10))
			}
		}
		return out
	}
	for path, keep := range map[string]func(registry.AuditEntry) bool{
		"/audit":                           func(registry.AuditEntry) bool { return true },
		"/audit?action=version.*":          func(e registry.AuditEntry) bool { return strings.HasPrefix(e.Action, "version.") },
		"/audit?subject=pay%2Fgateway":     func(e registry.AuditEntry) bool { return strings.HasPrefix(e.Subject, "pay/gateway") },
		"/audit?subject=pay%2Fgateway%401": func(e registry.AuditEntry) bool { return e.Subject == "pay/gateway@1" },
		"/audit?actor=nobody":              func(registry.AuditEntry) bool { return false },
		"/audit?from=2026-11-28":           func(e registry.AuditEntry) bool { return e.At.Day() >= 28 },
		"/audit?to=2026-11-26":             func(e registry.AuditEntry) bool { return e.At.Day() <= 26 },
		"/audit?from=2026-11-28&actor=me":  func(e registry.AuditEntry) bool { return e.At.Day() >= 28 && e.Actor == "me" },
		"/audit?before=10":                 func(e registry.AuditEntry) bool { return e.Sequence < 10 },
	} {
		if got, want := numbers(path), want(keep); !slices.Equal(got, want[:min(len(want), 50)]) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	for _, path := range []string{"/audit?from=yesterday", "/audit?subject=" + s.values[0]} {
		if a := s.ask("viewer", http.MethodGet, path, nil); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("a wrong filter: %d, want 422", a.Code)
		}
	}
}

// Long logs are read a page at a time, each entry once.
func TestAuditPages(t *testing.T) {
	s := newSite(t)
	for range 320 {
		if _, err := s.reg.Checkpoint(t.Context(), me()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.reg.Prove(t.Context(), me(), fingerprints.VersionRef{Name: "none", Number: 1}, registry.ProveOptions{}); err == nil {
			t.Fatal("a proof of nothing")
		}
	}
	seen := map[string]int{}
	path := "/audit?action=audit.*"
	for n := 0; path != "" && n < 20; n++ {
		body := s.page("viewer", path)
		for _, m := range regexp.MustCompile(`<a href="/audit\?before=\d+">(\d+)</a>`).FindAllStringSubmatch(body, -1) {
			seen[m[1]]++
		}
		path = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("no. %s stands on %d pages", n, times)
		}
	}
	if len(seen) != 320 {
		t.Errorf("%d entries on all pages, want 320", len(seen))
	}
}

// The log is exported as lines and as a table whose cells are no formulas, and its
// chain is verified, also against a checkpoint.
func TestAuditExportAndVerify(t *testing.T) {
	s := newSite(t)
	s.estate()
	s.people["=cmd()"] = registry.Actor{Name: "=cmd()", Scopes: registry.Scopes()}
	if a := s.ask("=cmd()", http.MethodPost, "/watches/shop/change", url.Values{"do": {"pause"}}); a.Code != http.StatusSeeOther {
		t.Fatalf("pausing: %d", a.Code)
	}
	lines := s.ask("viewer", http.MethodGet, "/audit/export?format=ndjson&action=watch.*", nil)
	n := 0
	all, last, _ := strings.Cut(lines.body, `{"end":`)
	if !strings.HasPrefix(last, `3,"chain":"verifies","head":{"sequence":`) || strings.Count(last, "\n") != 1 {
		t.Errorf("the last line ends with %q", last)
	}
	for line := range strings.Lines(all) {
		var e registry.AuditEntry
		if err := json.Unmarshal([]byte(line), &e); err != nil || !strings.HasPrefix(e.Action, "watch.") {
			t.Errorf("%q is no entry about a watch (%v)", line, err)
		}
		n++
	}
	if n != 3 || !strings.Contains(lines.Header().Get("Content-Disposition"), "audit.ndjson") {
		t.Errorf("%d lines about watches, want 3", n)
	}
	table := s.ask("viewer", http.MethodGet, "/audit/export?format=csv&actor=%3Dcmd()", nil)
	rows, err := csv.NewReader(strings.NewReader(table.body)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][2] != "'=cmd()" || !slices.Equal(rows[2][:4], []string{"#end", "1", "chain", "verifies"}) || !strings.HasPrefix(rows[2][4], "head ") {
		t.Errorf("the table is %q (%v)", rows, err)
	}
	if a := s.ask("viewer", http.MethodPost, "/audit/verify", nil); !strings.Contains(a.body, "The chain verifies") {
		t.Errorf("verifying: %d", a.Code)
	}
	point := s.ask("root", http.MethodPost, "/audit/checkpoint", nil)
	if a := s.ask("viewer", http.MethodPost, "/audit/verify", url.Values{"checkpoint": {strings.ReplaceAll(point.body, "\n", "\r\n")}}); !strings.Contains(a.body, "and the one that was given") {
		t.Errorf("against a checkpoint: %d: %s", a.Code, a.body)
	}
	if a := s.ask("viewer", http.MethodPost, "/audit/verify", url.Values{"checkpoint": {"nonsense"}}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("against nonsense: %d, want 422", a.Code)
	}
	if a := s.ask("viewer", http.MethodPost, "/audit/checkpoint", nil); a.Code != http.StatusForbidden {
		t.Errorf("a viewer's checkpoint: %d, want 403", a.Code)
	}
}

// A chain that was changed does not verify, and the page says so.
func TestBrokenChain(t *testing.T) {
	s := newSite(t)
	s.estate()
	err := s.store.Update(t.Context(), func(tx store.Tx) error { // behind the registry's back
		m, err := tx.Meta(t.Context())
		m.Revision++
		return errors.Join(err, tx.SetMeta(t.Context(), m))
	})
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{"ndjson": `{"end":0,"chain":"broken"}`, "csv": "#end,0,chain,broken,,,"} {
		if a := s.ask("viewer", http.MethodGet, "/audit/export?actor=nobody&format="+format, nil); !strings.HasSuffix(a.body, want+"\n") {
			t.Errorf("the export of a broken chain ends with %q, want %q", a.body, want)
		}
	}
	a := s.ask("viewer", http.MethodPost, "/audit/verify", nil)
	if a.Code != http.StatusOK || !strings.Contains(a.body, "The chain does not verify") || strings.Contains(a.body, "The chain verifies") {
		t.Errorf("%d, and the page does not say that the chain is broken", a.Code)
	}
}
