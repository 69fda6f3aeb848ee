package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/registry"
)

// Whoever is signed in sees themselves and their sessions, ends those that are not
// theirs any more, and touches nobody else's.
func TestAccount(t *testing.T) {
	s := newSite(t)
	s.person("eve@example.org", registry.RoleViewer, "192.0.2.9")
	s.person("ann@example.org", registry.RoleViewer, "198.51.100.7", "198.51.100.8", "192.0.2.1")
	s.polite("/account", "everything")
	body := s.page("ann@example.org", "/account")
	for _, want := range []string{"Ann Example", "person:ann@example.org", "198.51.100.7", "looks at everything that is stored", "End all 2 others", "this one"} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if strings.Contains(body, "192.0.2.9") {
		t.Error("another's session is there")
	}
	ids := regexp.MustCompile(`name="id" value="(ss_[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(ids) != 3 {
		t.Fatalf("%d sessions, want 3", len(ids))
	}
	end := func(person string, form url.Values, code int, left ...string) {
		t.Helper()
		if a := s.ask(person, http.MethodPost, "/account/sessions/end", form); a.Code != code {
			t.Errorf("%s, %v: %d, want %d", person, form, a.Code, code)
		}
		body := s.page("ann@example.org", "/account")
		for _, address := range []string{"198.51.100.7", "198.51.100.8", "192.0.2.1"} {
			if has := strings.Contains(body, ">"+address); has != strings.Contains(strings.Join(left, " "), address) {
				t.Errorf("%s, %v: %s there: %v", person, form, address, has)
			}
		}
	}
	oldest := ids[2][1]
	end("eve@example.org", url.Values{"id": {oldest}}, http.StatusNotFound, "198.51.100.7", "198.51.100.8", "192.0.2.1")
	end("ann@example.org", url.Values{}, http.StatusUnprocessableEntity, "198.51.100.7", "198.51.100.8", "192.0.2.1")
	end("ann@example.org", url.Values{"id": {oldest}}, http.StatusSeeOther, "198.51.100.8", "192.0.2.1")
	end("ann@example.org", url.Values{"id": {oldest}}, http.StatusNotFound, "198.51.100.8", "192.0.2.1")
	end("ann@example.org", url.Values{"others": {"1"}}, http.StatusSeeOther, "192.0.2.1")
	if strings.Contains(s.page("ann@example.org", "/account"), `name="others"`) {
		t.Error("others are offered where there are none")
	}
	s.page("eve@example.org", "/account")
	if a := s.ask("ann@example.org", http.MethodPost, "/account/sessions/end", url.Values{"id": {ids[0][1]}}); a.Code != http.StatusSeeOther {
		t.Errorf("signing out here: %d", a.Code)
	}
	if a := s.ask("ann@example.org", http.MethodGet, "/account", nil); a.Header().Get("Location") != "/sign-in?next=%2Faccount" {
		t.Errorf("signed out: %d to %s", a.Code, a.Header().Get("Location"))
	}
}

// A session that was idle too long is none, and not listed.
func TestIdleSessions(t *testing.T) {
	s := newSite(t)
	s.person("ann@example.org", registry.RoleViewer, "198.51.100.7")
	s.later(9 * time.Hour)
	s.people["again"] = s.people["ann@example.org"]
	if body := s.page("again", "/account"); strings.Contains(body, "198.51.100.7") {
		t.Error("a session that was idle too long is there")
	}
	if a := s.ask("ann@example.org", http.MethodGet, "/account", nil); a.Code != http.StatusSeeOther {
		t.Errorf("it signs in: %d", a.Code)
	}
}

// In a browser too, without a mouse, and on a phone.
func TestAccountInBrowser(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	s.person("ann@example.org", registry.RoleTriager, "198.51.100.7", "192.0.2.1")
	w := c.tab(t, s).as("ann@example.org")
	w.open("/")
	w.press("g", "m")
	w.until("location.pathname === '/account'")
	w.look("/account", "account")
	w.size(360)
	w.click(`.who a[href="/account"]`)
	eval[bool](w, "window.confirm = () => true; true")
	w.click(`button[name="others"]`)
	w.until("document.querySelector('.said')?.textContent === 'Signed out everywhere else.'")
	if text := w.text("table.rows"); strings.Contains(text, "198.51.100.7") || !strings.Contains(text, "192.0.2.1") {
		t.Errorf("left are %q", text)
	}
}
