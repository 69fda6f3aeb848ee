package web_test

import (
	"net/http"
	"strings"
	"testing"

	"revenant/fingerprints/registry"
)

// TestJobPages: operators look at River's pages; others do not, and nobody changes
// jobs there, where no audit log would tell of it.
func TestJobPages(t *testing.T) {
	s := newSite(t)
	s.people["ours"] = registry.Actor{Name: "ours", Scopes: registry.Scopes(), Teams: []string{"payments"}}
	list := "/jobs/api/jobs?state=available&limit=20"
	for _, c := range []struct {
		person, method, path string
		status               int
		has                  string
	}{
		{"root", http.MethodGet, "/jobs/", http.StatusOK, `id="root"`},
		{"root", http.MethodGet, list, http.StatusOK, `shop`},
		{"root", http.MethodPost, "/jobs/api/jobs/cancel", http.StatusMethodNotAllowed, "looked at here"},
		{"root", http.MethodPut, "/jobs/api/queues/slow/pause", http.StatusMethodNotAllowed, "looked at here"},
		{"triage", http.MethodGet, "/jobs", http.StatusForbidden, ""},
		{"triage", http.MethodGet, list, http.StatusForbidden, ""},
		{"triage", http.MethodPost, "/jobs/api/jobs/cancel", http.StatusForbidden, ""},
		{"ours", http.MethodGet, list, http.StatusForbidden, ""},
		{"", http.MethodGet, list, http.StatusSeeOther, ""},
	} {
		a := s.ask(c.person, c.method, c.path, nil)
		if a.Code != c.status || !strings.Contains(a.Body.String(), c.has) || c.has == "" && strings.Contains(a.Body.String(), "shop") {
			t.Errorf("%s: %s %s: %d, want %d with %q: %.300s", c.person, c.method, c.path, a.Code, c.status, c.has, a.Body)
		}
	}
}

// TestJobPagesLook has a browser draw them: the policy lets their scripts and styles
// through.
func TestJobPagesLook(t *testing.T) {
	c, s := newChromium(t), newSite(t)
	w := c.tab(t, s).as("root")
	w.open("/jobs/jobs?state=available")
	w.until(`document.body.innerText.includes("scan")`)
	w.shoot("jobs")
}
