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

// Whoever sorts findings out selects some by keys, says something of them, keeps the
// search, and narrows it without a mouse.
func TestSortingOut(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	ids := s.fill()
	w := c.tab(t, s).as("triage")
	w.open("/findings?q=is%3Aopen")
	w.press("j", "x", "j", "x")
	w.until("document.querySelector('.selected').textContent === 'Of 2 selected:'")
	if shown := eval[string](w, "[...document.querySelectorAll('#bulk [data-for]')].filter((f) => f.offsetParent).map((f) => f.name).join()"); shown != "until,reason" {
		t.Errorf("for an acceptance there are the fields %s", shown)
	}
	eval[bool](w, "(() => { const s = document.querySelector('#bulk select'); s.value = 'assign'; s.dispatchEvent(new Event('change', {bubbles: true})); return true })()")
	w.fill("#bulk [name=owner]", "team-x\r")
	w.see(".said")
	w.open("/findings?q=owner%3Ateam-x")
	if text := w.text("#found"); text != "2 findings" {
		t.Errorf("assigned: %s, want 2 findings", text)
	}
	w.click(".save summary")
	w.fill(".save [name=name]", "Ours\r")
	w.see(".views a[aria-current]")
	w.open("/findings")
	w.click(".views a")
	w.until("document.querySelector('#found')?.textContent === '2 findings'")
	w.click(`.facets a[href*="verdict%3Aleaked"]`)
	w.until("document.querySelector('#found')?.textContent === '1 finding'")
	w.press("j", "Enter")
	w.until("location.pathname === '" + findingPath(ids[fingerprints.VerdictLeaked]) + "'")
	w.open("/")
	w.until("document.querySelector('.uplot canvas')")
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

// What is new appears while the page is looked at.
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
	t.Logf("something was seen after %.0f ms", w.painted()) // a time is told, not asserted
}
