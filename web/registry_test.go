package web_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// issued is the value that estate gave to a consumer.
const issued = "shop/webhook@1"

// estate makes, beside fill, what the pages of the registry show: a rotation with
// consumers, one whose window is over, a value of a consumer of its own that leaked,
// an allowed place, and places that were skipped.
func (s *site) estate() map[fingerprints.Verdict]fingerprints.FindingID {
	s.t.Helper()
	ctx, ids := s.t.Context(), s.fill()
	old := s.value(32)
	fields := func(v string) []registry.Field { return []registry.Field{{Value: fingerprints.NewValue([]byte(v))}} }
	_, err := s.reg.Add(ctx, me(), registry.AddRequest{Name: "pay/gateway", Owner: "payments", Class: fingerprints.ClassThirdParty, Consumers: []string{"checkout", "reports"}, Fields: fields(old)})
	_, err2 := s.reg.Ack(ctx, me(), fingerprints.VersionRef{Name: "pay/gateway", Number: 1}, "reports")
	_, err3 := s.reg.Rotate(ctx, me(), registry.RotateRequest{Name: "pay/gateway", Window: 48 * time.Hour, Fields: fields(s.value(32))})
	_, err4 := s.reg.Ack(ctx, me(), fingerprints.VersionRef{Name: "pay/gateway", Number: 2}, "checkout")
	_, err5 := s.reg.Add(ctx, me(), registry.AddRequest{Name: "lab/weak", Fields: fields("correcthorse")})
	made, err6 := s.reg.Issue(ctx, me(), registry.IssueRequest{Name: "shop/webhook", Owner: "storefront", Consumers: []string{"partner-a", "partner-b"}})
	_, err7 := s.reg.Allow(ctx, me(), registry.AllowRequest{Name: "pay/gateway", Path: "vault/**", Reason: "the vault's own backup"})
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7); err != nil {
		s.t.Fatal(err)
	}
	traced := string(made[0].Value.Reveal())
	s.values = append(s.values, traced, string(made[1].Value.Reveal()))
	s.scan("ci:github:github.com/partner-a/site", copyOf{path: "build/deploy", value: traced, rows: s.rows("shop/webhook", 1), presence: fingerprints.PresenceRetained, locator: "run 17"})
	s.later(time.Hour)
	s.scan("git:git.example.org/partner-a/site", copyOf{path: ".env", value: traced, rows: s.rows("shop/webhook", 1)})
	s.scan("git:git.example.org/pay/api", copyOf{path: "vault/backup", value: old, rows: s.rows("pay/gateway", 1)}, copyOf{path: "config/pay.yaml", value: old, rows: s.rows("pay/gateway", 1)})
	late := s.value(32)
	s.add("old/queue", "platform", late)
	if _, err := s.reg.Rotate(ctx, me(), registry.RotateRequest{Name: "old/queue", Window: time.Hour, Fields: fields(s.value(32))}); err != nil {
		s.t.Fatal(err)
	}
	s.later(2 * time.Hour)
	s.watched()
	s.told(ids)
	return ids
}

// told makes decisions, and messages: one that arrived, one that was given up, one
// that waits, and what waits for the next.
func (s *site) told(ids map[fingerprints.Verdict]fingerprints.FindingID) {
	s.t.Helper()
	ctx, now := s.t.Context(), s.clock()
	_, err := s.reg.Decide(ctx, me(), registry.DecisionRequest{Rule: "generic-api-key", Path: "src/**", Status: fingerprints.StatusFalsePositive, Reason: "examples of the handbook", Owner: "docs"})
	_, err2 := s.reg.Decide(ctx, me(), registry.DecisionRequest{Rule: "*", Path: "third_party/**", Status: fingerprints.StatusAccepted, Until: now.Add(90 * 24 * time.Hour), Reason: "not ours"})
	err3 := s.store.Update(ctx, func(tx store.Tx) error {
		notice := func(receiver string, v fingerprints.Verdict) store.Notice {
			return store.Notice{Receiver: receiver, Event: "opened", Finding: ids[v], Verdict: v, Severity: fingerprints.SeverityHigh, At: now}
		}
		message := func(id, receiver string, ago time.Duration) store.Delivery {
			return store.Delivery{ID: id, Receiver: receiver, Kind: "events", CreatedAt: now.Add(-ago), NextAt: now.Add(-ago), Deadline: now.Add(24*time.Hour - ago)}
		}
		failing := store.Notice{Receiver: "tickets", Event: "source-failing", Source: "git:git.example.org/acme/shop", Detail: "the repository cannot be reached", At: now}
		if err := errors.Join(
			tx.AddDelivery(ctx, message("msg_lost", "tickets", 26*time.Hour), []store.Notice{notice("tickets", fingerprints.VerdictLeaked), failing}),
			tx.AddDelivery(ctx, message("msg_sent", "chat", 3*time.Hour), []store.Notice{notice("chat", fingerprints.VerdictStale)}),
			tx.AddDelivery(ctx, message("msg_soon", "siem", time.Hour), []store.Notice{notice("siem", fingerprints.VerdictCompromised)}),
			tx.AddNotices(ctx, []store.Notice{notice("chat", fingerprints.VerdictLagging)}),
		); err != nil {
			return err
		}
		if _, err := tx.GiveUp(ctx, now.Add(-time.Hour), "the receiver answered 503"); err != nil {
			return err
		}
		sent, err := tx.Claim(ctx, "w", now, now.Add(time.Minute), []string{"chat"})
		sent.SentAt = now
		return errors.Join(err, tx.SaveDelivery(ctx, sent))
	})
	if err := errors.Join(err, err2, err3); err != nil {
		s.t.Fatal(err)
	}
}

// watched makes a watch of the shop's repository, one that fails, and a scan that
// skipped places.
func (s *site) watched() {
	s.t.Helper()
	ctx := s.t.Context()
	for _, w := range []registry.WatchSpec{
		{Name: "shop", Kind: "git", Location: "https://git.example.org/acme/shop.git", Schedule: "6h"}, {Name: "lost", Kind: "git", Location: "https://git.example.org/gone.git", Schedule: "1h"},
	} {
		if _, err := s.reg.AddWatch(ctx, me(), w, s.clock().Add(time.Hour)); err != nil {
			s.t.Fatal(err)
		}
	}
	scan, err := s.reg.BeginScan(ctx, me(), registry.ScanStart{SourceID: "git:git.example.org/acme/assets", Generic: true, FieldRevision: 1 << 20})
	if err != nil {
		s.t.Fatal(err)
	}
	var skips []fingerprints.Skip
	for i := range 60 {
		skips = append(skips, fingerprints.Skip{Path: fmt.Sprintf("video/%02d.mp4", i), Reason: fingerprints.SkipTooLarge, Detail: "over 1 GiB"})
	}
	skips = append(skips, fingerprints.Skip{Path: "secret.zip", Reason: fingerprints.SkipArchive, Detail: "encrypted"})
	err = scan.Skips(ctx, skips)
	_, err2 := scan.Finish(ctx, registry.Outcome{Complete: true})
	for name, end := range map[string]registry.WatchEnd{
		"shop": {Outcome: registry.WatchComplete, SourceID: "git:git.example.org/acme/assets"}, "lost": {Outcome: registry.WatchFailed, Problem: "the repository cannot be reached"},
	} {
		_, begun := s.reg.BeginWatch(ctx, me(), name)
		_, ended := s.reg.EndWatch(ctx, me(), name, end)
		err = errors.Join(err, begun, ended)
	}
	if err := errors.Join(err, err2); err != nil {
		s.t.Fatal(err)
	}
}

// registryPages are the pages of the registry, with what must stand on each.
func registryPages() map[string]string {
	return map[string]string{
		"/secrets": "pay/gateway", "/secrets?only=weak": "lab/weak", "/secrets?only=overdue": "old/queue", "/secrets?owner=nobody-there": "No secret is like that",
		"/secrets/pay%2Fgateway": "reports", "/secrets/pay%2Fgateway/versions/1": "Is it safe to deactivate?", "/secrets/lab%2Fweak": "too weak",
		"/rotations": "pay/gateway@1", "/rotations?only=overdue": "old/queue@1", "/trace": issued, "/secrets/shop%2Fwebhook/versions/1/trace": "partner-a",
		"/sources": "git:git.example.org/acme/assets", "/sources?health=skipped": "skipped", "/sources/git:git.example.org%2Facme%2Fassets": "60 too large",
		"/sources/git:git.example.org%2Facme%2Fassets/skipped?reason=archive": "encrypted", "/watches": "cannot be reached", "/watches/shop": "6h", "/watches/new": "Watch a place",
		"/audit": "version.ack", "/audit?subject=pay%2Fgateway": "secret.allow", "/audit?actor=nobody": "No entry is like that",
		"/places": "the vault&#39;s own backup", "/places/1": "It covers 1 finding", "/decisions": "examples of the handbook", "/decisions/1": "1 finding has their status by it",
		"/notifications": "With the next message", "/notifications?state=undelivered": "the receiver answered 503", "/notifications/msg_lost": "the repository cannot be reached", "/notifications?receiver=nobody": "No message is like that",
	}
}

// The pages of the registry are there, polite, and for those who are signed in and may
// read.
func TestRegistryPages(t *testing.T) {
	s := newSite(t)
	s.estate()
	list := registryPages()
	maps.Copy(list, map[string]string{"/secrets/pay%2Fgateway/versions/1/do/retire": "does not speak for it"})
	for path, want := range list {
		s.polite(path, want)
		a := s.ask("", http.MethodGet, path, nil)
		if want := "/sign-in?next=" + url.QueryEscape(path); a.Code != http.StatusSeeOther || a.Header().Get("Location") != want {
			t.Errorf("%s: %d to %s, want 303 to %s", path, a.Code, a.Header().Get("Location"), want)
		}
		if a := s.ask("sensor", http.MethodGet, path, nil); a.Code != http.StatusForbidden {
			t.Errorf("%s without read: %d, want 403", path, a.Code)
		}
	}
	for _, path := range []string{"/secrets/none", "/secrets/none/versions/1", "/secrets/pay%2Fgateway/versions/9", "/secrets/pay%2Fgateway/versions/x/trace", "/decisions/9", "/decisions/x", "/places/9", "/places/x", "/notifications/msg_none", "/notifications?after=msg_none"} {
		if a := s.ask("root", http.MethodGet, path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, a.Code)
		}
	}
}

// What one may not do is not offered, and refused.
func TestRegistryRoles(t *testing.T) {
	s := newSite(t)
	s.estate()
	for path := range registryPages() {
		if path == "/watches/new" {
			if a := s.ask("viewer", http.MethodGet, path, nil); a.Code != http.StatusForbidden {
				t.Errorf("a viewer's %s: %d, want 403", path, a.Code)
			}
			continue
		}
		for _, form := range formsOf(s.page("viewer", path)) {
			if !slices.Contains([]string{"/theme", "/auth/sign-out"}, form) && !strings.HasSuffix(form, "/proof") && form != "/audit/verify" {
				t.Errorf("%s offers a viewer to post to %s", path, form)
			}
		}
	}
	for _, path := range []string{"/watches", "/watches/shop/scan", "/watches/shop/change", "/watches/shop/remove", "/secrets/pay%2Fgateway/acks", "/secrets/pay%2Fgateway/versions/1/do/retire", "/places", "/places/1/forbid", "/decisions/1/revoke", "/notifications/msg_lost/retry"} {
		if a := s.ask("viewer", http.MethodPost, path, url.Values{"despite": {"1"}, "consumer": {"x"}, "version": {"1"}}); a.Code != http.StatusForbidden {
			t.Errorf("a viewer's POST %s: %d, want 403", path, a.Code)
		}
		if a := s.ask("root", http.MethodPost, path, url.Values{}, "Sec-Fetch-Site", "cross-site"); a.Code != http.StatusForbidden {
			t.Errorf("POST %s from another site: %d, want 403", path, a.Code)
		}
	}
	if v, err := s.reg.Show(t.Context(), me(), "pay/gateway"); err != nil || v.Versions[0].State != fingerprints.StateSuperseded {
		t.Errorf("a refused form moved the version to %s (%v)", v.Versions[0].State, err)
	}
}

// formsOf are the addresses that a page's forms post to.
func formsOf(body string) (out []string) {
	for _, part := range strings.Split(body, `<form method="post" action="`)[1:] {
		to, _, _ := strings.Cut(part, `"`)
		out = append(out, to)
	}
	return out
}

// Whether a version can be deactivated follows from what is known, and changes with it.
func TestEvidence(t *testing.T) {
	s := newSite(t)
	s.estate()
	const path = "/secrets/pay%2Fgateway/versions/1"
	says := func(when, verdict string, words ...string) {
		t.Helper()
		body := s.page("root", path)
		_, judged, _ := strings.Cut(body, `class="judged `)
		judged, _, _ = strings.Cut(judged, `"`)
		if judged != verdict {
			t.Errorf("%s: %q, want %q", when, judged, verdict)
		}
		for _, w := range words {
			if !strings.Contains(body, w) {
				t.Errorf("%s: %q is not there", when, w)
			}
		}
	}
	says("in the middle", "no", "1 consumer has not acknowledged pay/gateway@2: reports", "Its window is open", "2 live copies of it are left", "sources were not searched for it yet")
	if a := s.ask("root", http.MethodPost, path+"/do/retire", url.Values{}); a.Code != http.StatusUnprocessableEntity {
		t.Fatalf("retiring against the evidence: %d, want 422", a.Code)
	}
	if _, err := s.reg.Ack(t.Context(), me(), fingerprints.VersionRef{Name: "pay/gateway", Number: 2}, "reports"); err != nil {
		t.Fatal(err)
	}
	s.later(48 * time.Hour)
	says("acknowledged, window over", "no", "Every consumer has acknowledged", "Its window is over")
	s.scan("git:git.example.org/pay/api")
	says("copies gone", "unknown", "No live copy of it is known")
	for _, id := range []string{"git:git.example.org/acme/shop", "image:registry.example.org/shop", "git:git.example.org/acme/assets"} {
		s.scan(id)
	}
	says("read wholly", "yes", "6 sources were read wholly")
	all := s.people["root"]
	s.people["root"] = registry.Actor{Name: "root", Scopes: registry.Scopes(), Teams: []string{"payments"}}
	says("to who sees a part", "unknown", "others may have copies")
	s.people["root"] = all
	a := s.ask("root", http.MethodPost, path+"/do/retire", url.Values{})
	if a.Code != http.StatusSeeOther || !strings.HasPrefix(a.Header().Get("Location"), path+"?said=retired") {
		t.Fatalf("retiring: %d to %s", a.Code, a.Header().Get("Location"))
	}
	if body := s.page("root", a.Header().Get("Location")); !strings.Contains(body, "Retired: every copy") || strings.Contains(body, `class="judged`) {
		t.Error("the page does not say that it was retired")
	}
}

// What was done says which verdicts changed, and nothing else can be put there.
func TestChangesAreTold(t *testing.T) {
	s := newSite(t)
	s.estate()
	a := s.ask("root", http.MethodPost, "/secrets/billing%2Fdb-password/versions/1/do/supersede", url.Values{"window": {"7d"}})
	body := s.page("root", a.Header().Get("Location"))
	if !strings.Contains(body, "1 finding: leaked → lagging") {
		t.Errorf("after %s the page does not say what changed", a.Header().Get("Location"))
	}
	if v, err := s.reg.Show(t.Context(), me(), "billing/db-password"); err != nil || v.Versions[0].WindowEnds == nil || v.Versions[0].WindowEnds.Sub(s.clock()) != 7*24*time.Hour {
		t.Errorf("the window ends %v (%v), want in 7 days", v.Versions[0].WindowEnds, err)
	}
	for _, word := range []string{"leaked.stale.0", "leaked.stale.x", "evil.stale.3", "leaked.stale", "stale.leaked.-1"} {
		if body := s.page("root", "/places?changed="+word); strings.Contains(body, "changes") {
			t.Errorf("changed=%s is told as a change", word)
		}
	}
	for _, window := range []string{"soon", "-1h", "3 days"} {
		a := s.ask("root", http.MethodPost, "/secrets/pay%2Fgateway/versions/2/do/supersede", url.Values{"window": {window}})
		if a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "Window: use a duration") {
			t.Errorf("a window of %q: %d, want 422 with a word", window, a.Code)
		}
	}
}

// Consumers acknowledge, places are allowed and taken back.
func TestAcksAndPlaces(t *testing.T) {
	s := newSite(t)
	s.estate()
	a := s.ask("root", http.MethodPost, "/secrets/pay%2Fgateway/acks", url.Values{"consumer": {"reports"}, "version": {"2"}})
	if a.Code != http.StatusSeeOther || strings.Contains(s.page("root", "/secrets/pay%2Fgateway/versions/1"), "has not acknowledged") {
		t.Errorf("acknowledging: %d, and the evidence has not heard of it", a.Code)
	}
	form := url.Values{"secret": {"billing/db-password"}, "source": {"git:*"}, "path": {"config/**"}, "reason": {"the template"}, "until": {"2030-01-01"}}
	a = s.ask("root", http.MethodPost, "/places", form)
	if body := s.page("root", a.Header().Get("Location")); a.Code != http.StatusSeeOther || !strings.Contains(body, "leaked → allowed") || !strings.Contains(body, "the template") {
		t.Errorf("allowing: %d to %s", a.Code, a.Header().Get("Location"))
	}
	homes, err := s.reg.AllHomes(t.Context(), me(), "billing/db-password")
	if err != nil || len(homes) != 1 || homes[0].Until == nil || !homes[0].Until.Equal(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)) {
		t.Fatalf("homes %v (%v)", homes, err)
	}
	for _, wrong := range []url.Values{
		{"secret": {"billing/db-password"}, "reason": {""}},
		{"secret": {"billing/db-password"}, "reason": {"r"}, "until": {"tomorrow"}},
		{"secret": {"billing/db-password"}, "reason": {"it is " + s.values[0]}},
		{"secret": {"billing/db-password"}, "path": {"[" + "a"}, "reason": {"r"}},
	} {
		if a := s.ask("root", http.MethodPost, "/places", wrong); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d, want 422", wrong, a.Code)
		}
	}
	for _, form := range formsOf(s.page("root", "/secrets/billing%2Fdb-password")) {
		if strings.HasSuffix(form, "/forbid") {
			a = s.ask("root", http.MethodPost, form, url.Values{"secret": {"billing/db-password"}})
		}
	}
	if body := s.page("root", a.Header().Get("Location")); !strings.Contains(body, "allowed → leaked") {
		t.Errorf("taking it back: %d to %s", a.Code, a.Header().Get("Location"))
	}
}

// A trace is in the order in which copies turned up.
func TestTrace(t *testing.T) {
	s := newSite(t)
	s.estate()
	body := s.page("viewer", "/secrets/shop%2Fwebhook/versions/1/trace")
	first, second := strings.Index(body, "build/deploy"), strings.Index(body, ">.env<")
	if !strings.Contains(body, "Issued to <b>partner-a</b>") || first < 0 || second < first {
		t.Errorf("the trace has its places at %d and %d", first, second)
	}
	if body := s.page("viewer", "/secrets/shop%2Fwebhook/versions/2/trace"); !strings.Contains(body, "No copy of it is known") {
		t.Error("a value that never turned up has a trace")
	}
}

// A value that was pasted where a name belongs is not repeated.
func TestPastedIntoLists(t *testing.T) {
	s := newSite(t)
	s.estate()
	for _, path := range []string{"/secrets?prefix=", "/secrets?owner=", "/secrets?after=", "/rotations?after=", "/trace?after=", "/notifications?receiver=", "/notifications?after="} {
		if a := s.ask("viewer", http.MethodGet, path+s.values[0], nil); a.Code != http.StatusUnprocessableEntity || !strings.Contains(a.body, "holds a registered value") {
			t.Errorf("%s: %d, want 422 with a word", path, a.Code)
		}
	}
	for _, path := range []string{
		"/secrets/", "/secrets/pay%2Fgateway/versions/", "/secrets/pay%2Fgateway/versions/1/do/", "/decisions/", "/decisions/1?after=", "/places/1?after=", "/places?x=", "/notifications/", "/account?from=",
	} {
		s.ask("viewer", http.MethodGet, path+s.values[0], nil) // ask looks for values
	}
}

// Names that come from outside are text on the pages of the registry too.
func TestHostileNamesInRegistry(t *testing.T) {
	s := newSite(t)
	const evil = `"><script>alert(1)</script>'&{{.}}`
	ctx, v := t.Context(), s.value(32)
	rows := s.add("a/b", `o"><img src=x onerror=alert(1)>`, v)
	s.scan("dir:/"+evil, copyOf{path: evil, value: v, rows: rows, context: evil, locator: evil, url: "javascript:alert(1)"})
	_, err := s.reg.Allow(ctx, me(), registry.AllowRequest{Name: "a/b", Source: "dir:/<script>alert(1)</script>", Path: "<img src=x>", Reason: evil})
	_, err2 := s.reg.AddWatch(ctx, me(), registry.WatchSpec{Name: "w", Kind: evil, Location: "javascript:alert(1)", Credential: evil, Schedule: evil}, s.clock())
	_, err3 := s.reg.AddPerson(ctx, me(), registry.PersonRequest{Name: evil, Display: evil, Teams: []string{evil}})
	_, begun := s.reg.BeginWatch(ctx, me(), "w")
	_, ended := s.reg.EndWatch(ctx, me(), "w", registry.WatchEnd{Outcome: registry.WatchFailed, Problem: evil, SourceID: "dir:/" + evil})
	scan, err4 := s.reg.BeginScan(ctx, me(), registry.ScanStart{SourceID: "dir:/" + evil, Extent: evil})
	if err := errors.Join(err, err2, err3, err4, begun, ended); err != nil {
		t.Fatal(err)
	}
	if err := scan.Skips(ctx, []fingerprints.Skip{{Path: evil, Reason: fingerprints.SkipTooLarge, Detail: evil}}); err != nil {
		t.Fatal(err)
	}
	people, err := s.reg.People(ctx, me())
	if err != nil {
		t.Fatal(err)
	}
	source := "/sources/" + url.PathEscape("dir:/"+evil)
	for _, path := range []string{
		"/secrets?owner=" + url.QueryEscape(evil), "/secrets/a%2Fb", "/secrets/a%2Fb/versions/1", "/secrets/a%2Fb/versions/1/trace", "/places", "/rotations", "/sources", "/sources?q=" + url.QueryEscape(evil),
		source, source + "/skipped", "/watches", "/watches/w", "/audit", "/audit?actor=" + url.QueryEscape(evil), "/people", "/people/" + people[0].ID, "/tokens",
	} {
		body := s.page("root", path)
		for _, wrong := range []string{"<script>alert", "<img", `href="javascript`} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s: %s stands in the page", path, wrong)
			}
		}
	}
}
