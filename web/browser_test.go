package web_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
)

// Every page can be used by everybody, in both themes, on phones and on walls.
func TestLooks(t *testing.T) {
	c := newChromium(t)
	empty, full := newSite(t), newSite(t)
	ids := full.fill()
	c.tab(t, empty).look("/sign-in?error=token", "sign-in")
	c.tab(t, empty).as("root").look("/", "first")
	w := c.tab(t, full).as("root")
	w.look("/", "overview")
	w.look("/findings?q=is%3Aopen", "findings")
	w.look("/findings?q=verdict%3Awrong", "findings-problem")
	w.look("/findings?q=owner%3Anobody-there", "findings-none")
	w.look(findingPath(ids[fingerprints.VerdictLeaked]), "finding")
	w.look(findingPath(ids[fingerprints.VerdictUnregistered]), "finding-unregistered")
	w.look("/nowhere", "nowhere")
}

// People sign in where they wanted to go, look around by keys, choose colours, and sign
// out.
func TestSignInAndOut(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.fill()
	w := c.tab(t, s)
	w.open("/findings?q=verdict%3Astale")
	w.fill("#token", "nobody\r")
	w.see(".problem")
	if text := w.text(".problem"); !strings.Contains(text, "not valid") {
		t.Errorf("a wrong token: %q", text)
	}
	w.open("/findings?q=verdict%3Astale")
	w.fill("#token", "viewer\r")
	w.see("#found")
	if text := w.text("#found"); text != "1 finding" {
		t.Errorf("behind the sign-in: %q, want the finding that was asked for", text)
	}
	w.press("g", "o")
	w.until("location.pathname === '/'")
	w.press("/")
	w.until("document.activeElement.id === 'jump'")
	w.fill("#jump", "owner:payments\r")
	w.until("location.pathname === '/findings' && document.querySelectorAll('tr[data-row]').length === 1")
	w.press("j")
	w.until("document.querySelector('tr.at a.row') === document.activeElement")
	w.press("?")
	w.until("document.querySelector('#keys').open")
	w.press("Escape")
	w.until("!document.querySelector('#keys').open")
	w.click(`.theme button[value="dark"]`)
	w.until("document.documentElement.dataset.theme === 'dark'")
	w.click(`form[action="/auth/sign-out"] button`)
	w.see("#token")
	w.open("/findings")
	w.until("location.pathname === '/sign-in'")
}

// Times are read in the reader's zone, and in UTC without scripts; then every page
// still reads.
func TestWithoutScripts(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	ids := s.fill()
	w := c.tab(t, s).as("viewer")
	w.open("/findings")
	if title := eval[string](w, "document.querySelector('td time').title"); strings.Contains(title, "UTC") {
		t.Errorf("a time in the reader's zone is %q", title)
	}
	plain := c.tab(t, s).as("viewer")
	plain.plain()
	for path, want := range pages(ids) {
		plain.open(path)
		if text := plain.text("main"); !strings.Contains(text, want) {
			t.Errorf("%s without scripts: %q is not there", path, want)
		}
	}
}

// What is new appears while the page is looked at, and a page is seen at once.
func TestLive(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	w := c.tab(t, s).as("viewer")
	w.open("/")
	if text := w.text("h1"); text != "First steps" {
		t.Fatalf("an empty installation begins with %q", text)
	}
	w.until("performance.getEntriesByType('resource').some((r) => r.name.endsWith('/moved') && r.responseEnd > 0)")
	s.fill()
	w.until("document.querySelector('h1').textContent === 'Overview'")
	if ms := w.painted(); ms > 1000 {
		t.Errorf("something was seen after %.0f ms", ms)
	}
}
