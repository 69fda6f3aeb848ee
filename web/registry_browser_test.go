package web_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// The pages of the registry can be used by everybody, in both themes, on phones and on
// walls.
func TestLooksOfRegistry(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("root")
	w.look("/secrets", "secrets")
	w.look("/secrets/pay%2Fgateway", "secret")
	w.look("/secrets/pay%2Fgateway/versions/1", "version")
	w.look("/secrets/pay%2Fgateway/versions/1/do/retire", "retire")
	w.look("/rotations", "rotations")
	w.look("/trace", "traceable")
	w.look("/secrets/shop%2Fwebhook/versions/1/trace", "trace")
	w.look("/places", "places")
	w.look("/places/1", "place")
	w.look("/decisions", "decisions")
	w.look("/decisions/1", "decision")
}

// So can those of sources, people, tokens and the audit log.
func TestLooksOfAdministration(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	if _, err := s.reg.AddPerson(t.Context(), me(), registry.PersonRequest{Name: "ann@example.org", Display: "Ann", Roles: []registry.Role{registry.RoleTriager}, Teams: []string{"payments"}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.reg.AddToken(t.Context(), me(), registry.TokenRequest{Name: "ci-shop", Scopes: []registry.Scope{registry.ScopeScan}}); err != nil {
		t.Fatal(err)
	}
	w := c.tab(t, s).as("root")
	w.look("/sources", "sources")
	w.look("/sources/git:git.example.org%2Facme%2Fassets", "source")
	w.look("/sources/git:git.example.org%2Facme%2Fassets/skipped", "skipped")
	w.look("/sources/git:git.example.org%2Facme%2Fshop/move", "source-move")
	w.look("/sources/git:git.example.org%2Facme%2Fshop/forget", "source-forget")
	w.look("/watches", "watches")
	w.look("/watches/lost", "watch")
	w.look("/watches/new", "watch-new")
	w.look("/notifications", "notifications")
	w.look("/notifications/msg_lost", "notification")
	w.look("/audit", "audit")
	w.look("/tokens", "tokens")
	w.look("/people", "people")
	w.look("/people/ann@example.org", "person")
}

// Somebody supersedes a secret that leaked and, the next one being in use, retires it
// against the evidence; every copy is stale at once.
func TestSupersedeAndRetire(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("root")
	w.open("/")
	w.press("g", "s")
	w.until("location.pathname === '/secrets'")
	w.fill(`input[name="prefix"]`, "billing\r")
	w.until("location.search.includes('prefix=billing')")
	w.click("tr[data-row] a.row")
	w.see("#versions")
	w.click(`a[href$="/versions/1/do/supersede"]`)
	w.see("#window")
	w.fill("#window", "24h")
	w.click(".ask button")
	w.see(".changes")
	if text := w.text(".changes"); text != "1 finding: leaked → lagging" {
		t.Errorf("superseding changed %q", text)
	}
	if text := w.text(".judged"); text != "No." {
		t.Errorf("the evidence says %q", text)
	}
	w.click(`a[href$="/versions/1/do/retire"]`)
	w.see(`input[name="despite"]`)
	w.click(".ask button") // the form does not go without the tick
	w.click(`input[name="despite"]`)
	w.click(".ask button")
	w.until("document.querySelector('.changes')?.textContent.includes('lagging → stale')")
	v, err := s.reg.Show(t.Context(), me(), "billing/db-password")
	if err != nil || v.Versions[0].State != fingerprints.StateRetired {
		t.Errorf("the version is %s (%v)", v.Versions[0].State, err)
	}
	w.click(`.brief a.tag.stale`)
	w.see("#found")
	if text := w.text("#found"); text != "1 finding" {
		t.Errorf("the number leads to %q", text)
	}
}

// Somebody asks who leaked a value, without scripts.
func TestWhoLeaked(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("viewer")
	w.plain()
	w.open("/trace")
	w.click(`a[href="/secrets/shop%2Fwebhook/versions/1/trace"]`)
	w.see(".told")
	if text := w.text(".told"); !strings.Contains(text, "Issued to partner-a") || !strings.Contains(text, "2 places in 2 sources") {
		t.Errorf("the trace says %q", text)
	}
	if text := w.text(".trail-of li:first-child h2"); !strings.Contains(text, "build/deploy") {
		t.Errorf("it turned up first at %q", text)
	}
}

// An operator has a place watched, and scanned again.
func TestWatchAPlace(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	w := c.tab(t, s).as("root")
	w.open("/sources")
	w.click(`a.button[href="/watches/new"]`)
	w.see(`input[name="place"]`)
	w.fill(`input[name="name"]`, "shop")
	w.fill(`input[name="place"]`, "https://git.example.org/acme/shop.git")
	w.fill(`textarea[name="args"]`, "--nonsense")
	w.click(".grid-form button")
	w.see(".problem")
	if text := w.text(".problem"); !strings.Contains(text, "There is no such option") && !strings.Contains(text, "there is no such option") {
		t.Errorf("the form says %q", text)
	}
	w.do(chromedp.Clear(chromedp.CSS(`textarea[name="args"]`)))
	w.click(".grid-form button")
	w.until("location.pathname === '/watches/shop'")
	w.click(`form[action="/watches/shop/scan"] button`)
	w.until("document.querySelector('.said')?.textContent === 'A scan was asked for.'")
	if got, err := s.reg.Watch(t.Context(), me(), "shop"); err != nil || got.Wanted != registry.WantedAsked || s.woken.Load() != 2 {
		t.Errorf("the watch is wanted by %q, %d woken (%v)", got.Wanted, s.woken.Load(), err)
	}
	w.click(`button[value="pause"]`)
	w.see(`button[value="resume"]`)
}

// An administrator makes a token, and revokes it.
func TestMakeAndRevokeToken(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	w := c.tab(t, s).as("root")
	w.open("/tokens")
	w.fill(`input[name="name"]`, "ci")
	w.click(`input[value="read"]`)
	w.click(".grid-form button")
	w.see("#shown")
	shown := fingerprints.NewValue([]byte(w.text("#shown")))
	if who, err := s.reg.Authenticate(t.Context(), shown); err != nil || who.Name != "token:ci" {
		t.Fatalf("the token is of %q (%v)", who.Name, err)
	}
	w.open("/tokens")
	if eval[bool](w, "document.querySelector('#shown') !== null") {
		t.Error("the token is shown again")
	}
	eval[bool](w, "window.confirm = () => true; true")
	w.click(`form[action$="/revoke"] button`)
	w.until("document.querySelector('.said') !== null")
	if _, err := s.reg.Authenticate(t.Context(), shown); err == nil {
		t.Error("a revoked token counts still")
	}
}

// An auditor narrows the log, and verifies it.
func TestAuditInBrowser(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("viewer")
	w.open("/")
	w.press("g", "a")
	w.until("location.pathname === '/audit'")
	w.fill(`input[name="action"]`, "version.retire\r")
	w.until("location.search.includes('version.retire') && document.querySelectorAll('table.audit tbody tr').length === 1")
	w.click(`form[action="/audit/verify"] button`)
	w.see(".said")
	if text := w.text(".said"); !strings.Contains(text, "The chain verifies") {
		t.Errorf("verifying says %q", text)
	}
}

// An administrator reads what follows, gives a source another id, and forgets it,
// without scripts.
func TestMoveAndForgetInBrowser(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.estate()
	w := c.tab(t, s).as("root")
	w.plain()
	w.open("/sources/git:git.example.org%2Facme%2Fshop")
	w.click(`a[href$="/move"]`)
	w.see("#to")
	if text := w.text(".points"); !strings.Contains(text, "3 findings and their history go along") {
		t.Errorf("before moving, what follows is %q", text)
	}
	w.do(chromedp.Clear(chromedp.CSS("#to")))
	w.fill("#to", "git:git.example.org/acme/store\r")
	w.see(".said")
	w.click(`a[href$="/forget"]`)
	w.click(`input[name="sure"]`)
	w.click(".ask button")
	w.see(".said")
	if text := w.text("table.rows"); strings.Contains(text, "acme/store") || strings.Contains(text, "acme/shop") {
		t.Errorf("left are %q", text)
	}
}
