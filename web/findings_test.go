package web_test

import (
	"encoding/csv"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// Facets select what they count, several values of one select either, and choosing
// again takes back.
func TestFacets(t *testing.T) {
	s := newSite(t)
	s.fill()
	facet := regexp.MustCompile(`<a href="([^"]+)"( aria-current="true")?><span class="box" aria-hidden="true"></span><span class="v">([^<]+)</span><b>([\d,]+)</b>`)
	follow := func(path, value string) string {
		t.Helper()
		for _, m := range facet.FindAllStringSubmatch(s.page("viewer", path), -1) {
			if m[3] == value {
				return html.UnescapeString(m[1])
			}
		}
		t.Fatalf("%s has no %s", path, value)
		return ""
	}
	found := func(path string) string {
		return regexp.MustCompile(`id="found">([^<]*)<`).FindStringSubmatch(s.page("viewer", path))[1]
	}
	one := follow("/findings", "leaked")
	two := follow(one, "stale") // it is there to be chosen beside the first
	narrow := follow(two, "payments")
	for path, want := range map[string]string{"/findings": "5 findings", one: "1 finding", two: "2 findings", narrow: "1 finding", follow(two, "leaked"): "1 finding", follow(follow(two, "leaked"), "stale"): "5 findings"} {
		if got := found(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	for _, m := range facet.FindAllStringSubmatch(s.page("viewer", "/findings"), -1) {
		word := " findings"
		if m[4] == "1" {
			word = " finding"
		}
		if got := found(html.UnescapeString(m[1])); got != m[4]+word {
			t.Errorf("%s counts %s, and leads to %s", m[3], m[4], got)
		}
	}
}

// A long list comes in pages, each finding on one.
func TestPages(t *testing.T) {
	s := newSite(t)
	var copies []copyOf
	for i := range 120 {
		copies = append(copies, copyOf{path: "a/" + strings.Repeat("x", i), value: s.value(24)})
	}
	s.scan("dir:/srv", copies...)
	seen, pages := map[string]bool{}, 0
	for path := "/findings"; path != ""; pages++ {
		body := s.page("viewer", path)
		for _, m := range regexp.MustCompile(`class="row" href="(/findings/[0-9a-f]+)"`).FindAllStringSubmatch(body, -1) {
			seen[m[1]] = true
		}
		next := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body)
		if path = ""; next != nil {
			path = html.UnescapeString(next[1])
		}
	}
	if len(seen) != 120 || pages != 3 {
		t.Errorf("%d findings on %d pages, want 120 on 3", len(seen), pages)
	}
}

// The view of a query is a file: all of it, in order, with its end.
func TestExport(t *testing.T) {
	s := newSite(t)
	s.fill()
	a := s.ask("viewer", http.MethodGet, "/findings/export?format=csv&q=is%3Aregistered", nil)
	rows, err := csv.NewReader(strings.NewReader(strings.Split(a.body, "#end")[0])).ReadAll()
	if err != nil || len(rows) != 5 || rows[1][1] != "compromised" || !strings.HasSuffix(a.body, "#end,4\n") {
		t.Errorf("CSV: %v %d rows\n%s", err, len(rows), a.body)
	}
	a = s.ask("viewer", http.MethodGet, "/findings/export?q=verdict%3Aleaked", nil)
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	var d wire.FindingDetail
	if err := json.Unmarshal([]byte(lines[0]), &d); err != nil || d.Verdict != fingerprints.VerdictLeaked || len(d.Sightings) != 1 || len(lines) != 2 || lines[1] != `{"end":1}` {
		t.Errorf("JSON: %v\n%s", err, a.body)
	}
	if a := s.ask("viewer", http.MethodGet, "/findings/export?q=verdict%3Awrong", nil); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("a query that cannot be read: %d, want 422", a.Code)
	}
}

// What is said of a finding stands on its page; whoever may not say it is not asked,
// and is refused.
func TestTriage(t *testing.T) {
	s := newSite(t)
	ids := s.fill()
	leaked, unregistered := findingPath(ids[fingerprints.VerdictLeaked]), findingPath(ids[fingerprints.VerdictUnregistered])
	say := func(path string, form url.Values, code int, want string) {
		t.Helper()
		a := s.ask("triage", http.MethodPost, path+"/triage", form)
		if a.Code != code {
			t.Fatalf("%v: %d, want %d: %s", form, a.Code, code, a.body)
		}
		if code != http.StatusSeeOther {
			if !strings.Contains(a.body, want) {
				t.Errorf("%v: %q is not there", form, want)
			}
			return
		}
		if body := s.page("triage", a.Header().Get("Location")); !strings.Contains(body, want) {
			t.Errorf("%v: %q is not on the page", form, want)
		}
	}
	say(leaked, url.Values{"action": {"assign"}, "owner": {"team-a"}}, http.StatusSeeOther, "team-a")
	say(leaked, url.Values{"action": {"note"}, "note": {"asked them <now>"}}, http.StatusSeeOther, "note: asked them &lt;now&gt;")
	say(leaked, url.Values{"action": {"due"}, "due": {"2027-01-31"}}, http.StatusSeeOther, "as somebody said")
	say(leaked, url.Values{"action": {"due"}, "due": {"2020-01-31"}}, http.StatusUnprocessableEntity, "Due: give a date in the future")
	say(leaked, url.Values{"action": {"due"}, "due": {"soon"}}, http.StatusUnprocessableEntity, "Due: use a day")
	if f, err := s.reg.Finding(t.Context(), me(), string(ids[fingerprints.VerdictLeaked])); err != nil || f.Due == nil || !f.Due.Equal(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it is due %v (%v), want the end of the day that was said", f.Due, err)
	}
	say(leaked, url.Values{"action": {"due"}, "due": {""}}, http.StatusSeeOther, "by its verdict")
	say(leaked, url.Values{"action": {"accept"}, "until": {"2027-01-31"}, "reason": {"a test system"}}, http.StatusSeeOther, "a test system")
	if f, err := s.reg.Finding(t.Context(), me(), string(ids[fingerprints.VerdictLeaked])); err != nil || f.Until == nil || !f.Until.Equal(time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("it is accepted until %v (%v), want the end of the day that was said", f.Until, err)
	}
	say(leaked, url.Values{"action": {"reopen"}}, http.StatusSeeOther, "Reopened.")
	say(leaked, url.Values{"action": {"dismiss"}, "reason": {"no"}}, http.StatusConflict, "registered already")
	say(leaked, url.Values{"action": {"accept"}, "until": {"soon"}, "reason": {"x"}}, http.StatusUnprocessableEntity, "give a day")
	say(leaked, url.Values{"action": {"explode"}}, http.StatusUnprocessableEntity, "cannot be read")
	say(leaked, url.Values{"action": {"note"}, "note": {"it was " + s.values[0]}}, http.StatusUnprocessableEntity, "stored in the clear")
	say(unregistered, url.Values{"action": {"dismiss"}, "reason": {"an example"}}, http.StatusSeeOther, "Dismissed")
	if body := s.page("viewer", leaked); strings.Contains(body, "<form method=\"post\" action=\"/findings") || strings.Contains(body, "Say something") {
		t.Error("a viewer is offered what they may not do")
	}
	if a := s.ask("viewer", http.MethodPost, leaked+"/triage", url.Values{"action": {"reopen"}}); a.Code != http.StatusForbidden {
		t.Errorf("a viewer's form: %d, want 403", a.Code)
	}
	var denied bool
	err := s.reg.AuditLog(t.Context(), me(), 1, func(e registry.AuditEntry) error {
		denied = denied || e.Action == "denied" && e.Actor == "viewer"
		return nil
	})
	if err != nil || !denied {
		t.Errorf("the refusal stands in no audit log (%v)", err)
	}
}

// What is said of many findings at once is said of each; those of which it cannot be
// said are named, and keep none of the others.
func TestBulk(t *testing.T) {
	s := newSite(t)
	ids := s.fill()
	form := url.Values{"action": {"dismiss"}, "reason": {"examples"}, "back": {"/findings?q=is%3Aopen"}}
	for _, v := range []fingerprints.Verdict{fingerprints.VerdictUnregistered, fingerprints.VerdictStale} {
		form.Add("id", strings.TrimPrefix(string(ids[v]), "rv1:"))
	}
	a := s.ask("triage", http.MethodPost, "/findings/triage", form)
	if a.Code != http.StatusConflict || !strings.Contains(a.body, "1 of 2 findings were changed") || !strings.Contains(a.body, "registered already") {
		t.Errorf("%d: %s", a.Code, a.body)
	}
	form.Set("action", "assign")
	form.Set("owner", "team-b")
	a = s.ask("triage", http.MethodPost, "/findings/triage", form)
	if to := a.Header().Get("Location"); a.Code != http.StatusSeeOther || to != "/findings?q=is%3Aopen&said=assigned" {
		t.Errorf("%d to %s", a.Code, to)
	}
	if !strings.Contains(s.page("viewer", "/findings?q=owner%3Ateam-b"), "2 findings") {
		t.Error("not both were assigned")
	}
	form.Del("id")
	form.Set("back", "//evil.example")
	if to := s.ask("triage", http.MethodPost, "/findings/triage", form).Header().Get("Location"); to != "/?said=none" {
		t.Errorf("without a selection, and with another host to go back to: %s", to)
	}
}

// A search that is kept is there again, for its reader alone, and can be removed.
func TestSavedViews(t *testing.T) {
	s := newSite(t)
	s.fill()
	a := s.ask("viewer", http.MethodPost, "/views", url.Values{"name": {"Aged <b>"}, "q": {"age>1d is:open"}})
	if to := a.Header().Get("Location"); a.Code != http.StatusSeeOther || to != "/findings?q=age%3E1d+is%3Aopen&said=saved" {
		t.Fatalf("%d to %s", a.Code, to)
	}
	link := `<a href="/findings?q=age%3E1d&#43;is%3Aopen"`
	if body := s.page("viewer", "/findings"); !strings.Contains(body, link+`>Aged &lt;b&gt;</a>`) {
		t.Error("it is not there")
	}
	mine := s.page("viewer", "/findings?q=age%3E1d+is%3Aopen")
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(mine)
	if id == nil || !strings.Contains(mine, link+` aria-current="page"`) || !strings.Contains(mine, "<title>Aged &lt;b&gt;") {
		t.Fatal("it is not told to be the one that is looked at")
	}
	if strings.Contains(s.page("root", "/findings"), "Aged") {
		t.Error("another reader has it")
	}
	for what, form := range map[string]url.Values{"a value": {"name": {"x"}, "q": {s.values[0]}}, "no query": {"name": {"x"}, "q": {"verdict:wrong"}}, "no name": {"q": {"is:open"}}} {
		if a := s.ask("viewer", http.MethodPost, "/views", form); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", what, a.Code)
		}
	}
	s.ask("root", http.MethodPost, "/views/remove", url.Values{"id": {id[1]}})
	if !strings.Contains(s.page("viewer", "/findings"), "Aged") {
		t.Error("another reader removed it")
	}
	s.ask("viewer", http.MethodPost, "/views/remove", url.Values{"id": {id[1]}, "back": {"/findings"}})
	if strings.Contains(s.page("viewer", "/findings"), "Aged") {
		t.Error("it is there still")
	}
}

// The overview tells of the days that were counted, of what was cleared and how soon,
// and of how old active versions are.
func TestTrends(t *testing.T) {
	s := newSite(t)
	s.fill()
	s.later(48 * time.Hour)
	s.scan("git:git.example.org/acme/shop")
	s.count()
	body := s.page("viewer", "/")
	_, table, _ := strings.Cut(body, "data-trend>")
	table, _, _ = strings.Cut(table, "</table>")
	rows := regexp.MustCompile(`<tr><th scope="row">([^<]+)</th>(.*?)</tr>`).FindAllStringSubmatch(table, -1)
	if len(rows) != 3 {
		t.Fatalf("%d days, want 3: %s", len(rows), table)
	}
	numbers := func(row string) (out []string) {
		for _, m := range regexp.MustCompile(`>(\d+)<`).FindAllStringSubmatch(row, -1) {
			out = append(out, m[1])
		}
		return out
	}
	for i, want := range []string{"0 2 0 0 0 0", "1 1 0 1 0 1", "1 0 0 0 0 1"} { // as the tiles
		if got := strings.Join(numbers(rows[i][2]), " "); got != want {
			t.Errorf("%s: %s, want %s", rows[i][1], got, want)
		}
	}
	for _, want := range []string{`<dt>Cleared in ninety days</dt><dd><a href="/findings?q=verdict%3Acleared">2</a>`, "<dt>Half of them within</dt><dd>3 d</dd>", "<polyline points="} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is not there", want)
		}
	}
	if !regexp.MustCompile(`application.*?</th><td class="n">4</td><td class="n">0</td>`).MatchString(body) {
		t.Error("four versions are active, for less than 30 days")
	}
}

// A finding's page tells its whole story, and why it was judged so.
func TestFindingPage(t *testing.T) {
	s := newSite(t)
	ids := s.fill()
	stale := s.page("viewer", findingPath(ids[fingerprints.VerdictStale]))
	_, story, _ := strings.Cut(stale, `class="timeline"`)
	for _, want := range []string{"registered", "active", "first seen", "superseded", "retired", "due"} {
		_, behind, found := strings.Cut(story, want)
		if !found {
			t.Errorf("%s is not in the timeline, or not behind what came before", want)
			continue
		}
		story = behind
	}
	for want, body := range map[string]string{
		"shop/api-key@1 is retired and opens nothing": stale,
		"git filter-repo":         stale,
		"[secret shop/api-key@1]": stale,
		"billing/db-password@1 is active: it opens the door now":      s.page("viewer", findingPath(ids[fingerprints.VerdictLeaked])),
		"https://git.example.org/acme/shop/blob/main/config/prod.env": s.page("viewer", findingPath(ids[fingerprints.VerdictLeaked])),
		"revenant secret adopt":                                       s.page("viewer", findingPath(ids[fingerprints.VerdictUnregistered])),
		"auth/signing-key@1 was marked as compromised":                s.page("viewer", findingPath(ids[fingerprints.VerdictCompromised])),
		"mail/smtp@1 was superseded and still works until its window": s.page("viewer", findingPath(ids[fingerprints.VerdictLagging])),
		"class=\"future\"":                                            stale,
		"brought in by <b>Ada &lt;b&gt;Example</b>":                   s.page("viewer", findingPath(ids[fingerprints.VerdictLeaked])),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there", want)
		}
	}
	short := strings.TrimPrefix(string(ids[fingerprints.VerdictStale]), "rv1:")[:8]
	if to := s.ask("viewer", http.MethodGet, "/findings/"+short, nil).Header().Get("Location"); to != findingPath(ids[fingerprints.VerdictStale]) {
		t.Errorf("the beginning of an id leads to %q", to)
	}
	for path, want := range map[string]int{"/findings/00000000": http.StatusNotFound, "/findings/xyz": http.StatusNotFound} {
		if a := s.ask("viewer", http.MethodGet, path, nil); a.Code != want {
			t.Errorf("%s: %d, want %d", path, a.Code, want)
		}
	}
}

// What is gone reads as cleared, and asks for nothing.
func TestClearedFinding(t *testing.T) {
	s := newSite(t)
	ids := s.fill()
	s.later(time.Hour)
	s.scan("git:git.example.org/acme/shop") // finds nothing
	body := s.page("viewer", findingPath(ids[fingerprints.VerdictLeaked]))
	if !strings.Contains(body, "No copy of billing/db-password@1 is left") || strings.Contains(body, "What clears it up") || !strings.Contains(body, "cleared: not there any more") {
		t.Errorf("a cleared finding:\n%s", body)
	}
}

// Whoever may scan asks for it on the page of a finding whose source is watched.
func TestScanAgain(t *testing.T) {
	s := newSite(t)
	ids := s.fill()
	path := findingPath(ids[fingerprints.VerdictLeaked])
	if strings.Contains(s.page("root", path), "/scan") {
		t.Error("a scan is offered of what is not watched")
	}
	if _, err := s.reg.AddWatch(t.Context(), me(), registry.WatchSpec{Name: "shop", Kind: "git", Location: "x"}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reg.BeginWatch(t.Context(), me(), "shop"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.reg.EndWatch(t.Context(), me(), "shop", registry.WatchEnd{Outcome: registry.WatchComplete, SourceID: "git:git.example.org/acme/shop"}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.page("root", path), "Scan shop now") || strings.Contains(s.page("viewer", path), "Scan shop now") {
		t.Error("the scan is not offered to those who may, or to those who may not")
	}
	a := s.ask("root", http.MethodPost, path+"/scan", url.Values{"back": {path}})
	w, err := s.reg.Watch(t.Context(), me(), "shop")
	if a.Code != http.StatusSeeOther || err != nil || w.WantedAt.IsZero() {
		t.Errorf("%d, wanted at %v (%v)", a.Code, w.WantedAt, err)
	}
}
