package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Sources are found by what is wrong with them, and the numbers are those of the lists
// that they lead to.
func TestSources(t *testing.T) {
	s := newSite(t)
	s.estate()
	for path, want := range map[string]string{
		"/sources": "1 skipped", "/sources?kind=image": "image:registry.example.org/shop", "/sources?q=ASSETS": "acme/assets", "/sources?q=nowhere": "No source is like that", "/sources?health=behind&kind=ci": "partner-a/site",
	} {
		if body := s.page("viewer", path); !strings.Contains(body, want) {
			t.Errorf("%s: %q is not there", path, want)
		}
	}
	if body := s.page("viewer", "/sources?health=skipped"); strings.Count(body, "<tr data-row>") != 1 {
		t.Errorf("%d sources have places skipped, want 1", strings.Count(body, "<tr data-row>"))
	}
	const skipped = "/sources/git:git.example.org%2Facme%2Fassets/skipped"
	all := s.page("viewer", skipped)
	next := strings.Contains(all, skipped+"?from=50")
	if n := strings.Count(all, "<tr data-row>"); n != 50 || !next {
		t.Errorf("%d places on the first page, with a next one: %v; want 50, true", n, next)
	}
	if n := strings.Count(s.page("viewer", skipped+"?from=50"), "<tr data-row>"); n != 11 {
		t.Errorf("%d places on the second page, want 11", n)
	}
	if n := strings.Count(s.page("viewer", skipped+"?reason=archive"), "<tr data-row>"); n != 1 {
		t.Errorf("%d archives, want 1", n)
	}
}

// A stream says how far it is behind, and a scan under way how far it came.
func TestUnderWay(t *testing.T) {
	s := newSite(t)
	s.estate()
	err := s.reg.SeeWorker(t.Context(), me(), store.Worker{ID: "w", SeenAt: s.clock(), Scans: []store.WorkerScan{
		{Watch: "lost", StartedAt: s.clock(), Items: 7, Stream: &store.StreamState{Lag: 1234, Partitions: 3, Topics: []store.TopicLag{{Topic: "orders", Lag: 1200}}}},
		{Watch: "shop", StartedAt: s.clock(), Items: 42, Bytes: 1 << 21},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/watches": "1,234 behind", "/watches/lost": "orders", "/watches/shop": "42 things, 2.0 MiB", "/sources/git:git.example.org%2Facme%2Fassets": "42 things"} {
		if body := s.page("viewer", path); !strings.Contains(body, want) {
			t.Errorf("%s: %q is not there", path, want)
		}
	}
}

// Watches are added, scanned, paused, rescheduled and removed; what cannot be read of a
// form comes back with it.
func TestWatches(t *testing.T) {
	s := newSite(t)
	s.estate()
	post := func(path string, form url.Values) answer { return s.ask("root", http.MethodPost, path, form) }
	good := url.Values{"name": {"notes"}, "kind": {"dir"}, "place": {"/srv/notes"}, "schedule": {"6h"}, "args": {"--exclude=tmp\n"}}
	if a := post("/watches", good); a.Code != http.StatusSeeOther || !strings.HasPrefix(a.Header().Get("Location"), "/watches/notes?said=watched") || s.woken.Load() != 1 {
		t.Fatalf("adding: %d to %s, %d woken", a.Code, a.Header().Get("Location"), s.woken.Load())
	}
	watch := func() store.Watch {
		t.Helper()
		w, err := s.reg.Watch(t.Context(), me(), "notes")
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	if w := watch(); w.Kind != "dir" || w.Location != "/srv/notes" || w.Schedule != "6h" || !w.NextRun.Equal(s.clock()) {
		t.Errorf("it became %+v", w)
	}
	for field, c := range map[string][2]string{
		"name": {"shop", "A watch of this name is there already"}, "kind": {"stdin", "Kind: choose one"}, "place": {" ", "Place: say what"}, "schedule": {"often", "Schedule: a schedule is"}, "args": {"--nonsense", "There is no such option"},
	} {
		form := url.Values{"name": {"other"}, "kind": {"git"}, "place": {"https://git.example.org/x.git"}, "schedule": {"1h"}, "args": {""}}
		form.Set(field, c[0])
		a := post("/watches", form)
		if a.Code != http.StatusUnprocessableEntity || !strings.Contains(strings.ToLower(a.body), strings.ToLower(c[1])) || !strings.Contains(a.body, `action="/watches"`) {
			t.Errorf("%s=%q: %d, and not %q with the form", field, c[0], a.Code, c[1])
		}
	}
	held := url.Values{"name": {"x"}, "kind": {"git"}, "place": {"https://" + s.values[0] + "@git.example.org/x"}}
	if a := post("/watches", held); a.Code != http.StatusUnprocessableEntity { // ask looks for values
		t.Errorf("a value in the place: %d, want 422", a.Code)
	}
	if a := post("/watches/notes/scan", url.Values{"next": {"/sources"}}); a.Header().Get("Location") != "/sources?said=asked" || watch().Wanted != registry.WantedAsked {
		t.Errorf("scan now leads to %s, wanted by %q", a.Header().Get("Location"), watch().Wanted)
	}
	if a := post("/watches/notes/scan", url.Values{"next": {"//evil.example"}}); strings.Contains(a.Header().Get("Location"), "evil") {
		t.Errorf("scan now leads to %s", a.Header().Get("Location"))
	}
	if post("/watches/notes/change", url.Values{"do": {"pause"}}); !watch().Paused {
		t.Error("it was not paused")
	}
	if post("/watches/notes/change", url.Values{"do": {"resume"}}); watch().Paused {
		t.Error("it was not resumed")
	}
	if post("/watches/notes/change", url.Values{"schedule": {"12h"}}); watch().Schedule != "12h" || watch().NextRun.Before(s.clock().Add(12*time.Hour)) {
		t.Errorf("its schedule is %q, next at %s", watch().Schedule, watch().NextRun)
	}
	for _, wrong := range []string{"sometimes", "follow", "1s"} {
		if a := post("/watches/notes/change", url.Values{"schedule": {wrong}}); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("schedule %q: %d, want 422", wrong, a.Code)
		}
	}
	if a := post("/watches/notes/remove", url.Values{}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("removing without a word: %d, want 422", a.Code)
	}
	post("/watches/notes/remove", url.Values{"sure": {"1"}})
	if a := s.ask("root", http.MethodGet, "/watches/notes", nil); a.Code != http.StatusNotFound {
		t.Errorf("after removing: %d, want 404", a.Code)
	}
}
