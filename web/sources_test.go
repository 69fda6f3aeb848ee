package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"revenant/fingerprints"
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

// The numbers of the estate are those of the lists that they lead to.
func TestEstateIsLinks(t *testing.T) {
	s := newSite(t)
	s.estate()
	if _, err := s.reg.BeginWatch(t.Context(), me(), "shop"); err != nil {
		t.Fatal(err)
	}
	// A source that was read wholly before, and of which the newest scan failed.
	if _, err := s.reg.EndWatch(t.Context(), me(), "shop", registry.WatchEnd{Outcome: registry.WatchFailed, Problem: "gone", SourceID: "git:git.example.org/acme/shop"}); err != nil {
		t.Fatal(err)
	}
	numbers := regexp.MustCompile(`<a href="(/(?:sources|watches)[^"]*)">(\d+)</a>`).FindAllStringSubmatch(s.page("viewer", "/"), -1)
	if len(numbers) != 9 {
		t.Fatalf("%d numbers, want 9: %q", len(numbers), numbers)
	}
	sum := 0
	for _, m := range numbers {
		if rows := strconv.Itoa(strings.Count(s.page("viewer", m[1]), "<tr data-row>")); rows != m[2] {
			t.Errorf("%s has %s rows, and the overview says %s", m[1], rows, m[2])
		}
		if n, _ := strconv.Atoi(m[2]); strings.Contains(m[1], "health=") {
			sum += n
		}
	}
	if all, _ := strconv.Atoi(numbers[0][2]); sum != all {
		t.Errorf("the parts of the estate are %d sources, all of it %d", sum, all)
	}
}

// What an older scan did not read is still told, by the number of that scan.
func TestSkipsOfAScan(t *testing.T) {
	s := newSite(t)
	s.estate()
	const path = "/sources/git:git.example.org%2Facme%2Fassets"
	s.scan("git:git.example.org/acme/assets") // a newer one, that read everything
	body := s.page("viewer", path)
	m := regexp.MustCompile(`href="([^"]+/skipped\?scan=\d+)">61</a>`).FindStringSubmatch(body)
	if m == nil || !strings.Contains(body, "Everything was read.") {
		t.Fatal("the older scan's number leads nowhere")
	}
	list := s.page("viewer", m[1])
	if !strings.Contains(list, "Not read in the scan of") || !strings.Contains(list, "60 too large") || strings.Count(list, "<tr data-row>") != 50 {
		t.Error("what the older scan did not read is not listed")
	}
	next := regexp.MustCompile(`<a rel="next" href="([^"]+)"`).FindStringSubmatch(list)
	if next == nil || strings.Count(s.page("viewer", html.UnescapeString(next[1])), "<tr data-row>") != 11 {
		t.Errorf("the next page is %q", next)
	}
	if body := s.page("viewer", m[1]+"&reason=archive"); strings.Count(body, "<tr data-row>") != 1 {
		t.Error("one reason of an older scan is not told apart")
	}
	if strings.Contains(s.page("viewer", path+"/skipped"), "<tr data-row>") {
		t.Error("the newest scan shows what another did not read")
	}
	_, of, _ := strings.Cut(m[1], "?")
	for _, wrong := range []string{"/sources/git:git.example.org%2Facme%2Fshop/skipped?" + of, path + "/skipped?scan=987654"} {
		if a := s.ask("viewer", http.MethodGet, wrong, nil); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422", wrong, a.Code)
		}
	}
}

// A source gets another id and its findings follow; one that is forgotten takes its
// findings along. Both tell before what follows.
func TestMoveAndForget(t *testing.T) {
	s := newSite(t)
	ids := s.estate()
	const old, moved = "/sources/git:git.example.org%2Facme%2Fshop", "/sources/git:git.example.org%2Facme%2Fstore"
	for want, path := range map[string]string{
		"3 findings": old + "/move", "the old ids lead there still": old + "/move", "makes a source of the old id again": "/sources/git:git.example.org%2Facme%2Fassets/move", "remove the watch first": "/sources/git:git.example.org%2Facme%2Fassets/forget",
	} {
		if body := s.page("root", path); !strings.Contains(body, want) {
			t.Errorf("%s: %q is not told", path, want)
		}
	}
	for to, want := range map[string]string{"nonsense": "Write KIND:PLACE", "image:registry.example.org/shop": "there is a source of this id", "git:" + s.values[0]: "labels are stored in the clear"} {
		if a := s.ask("root", http.MethodPost, old+"/move", url.Values{"to": {to}}); a.Code != http.StatusUnprocessableEntity || !strings.Contains(strings.ToLower(a.body), strings.ToLower(want)) {
			t.Errorf("moving to %s: %d, want 422 with %q", to, a.Code, want)
		}
	}
	a := s.ask("root", http.MethodPost, old+"/move", url.Values{"to": {" git:git.example.org/acme/store "}})
	if a.Code != http.StatusSeeOther || a.Header().Get("Location") != moved+"?said=moved" {
		t.Fatalf("moving: %d to %s", a.Code, a.Header().Get("Location"))
	}
	was := findingPath(ids[fingerprints.VerdictLeaked])
	if a := s.ask("root", http.MethodGet, was, nil); a.Code != http.StatusSeeOther || !strings.Contains(s.page("root", a.Header().Get("Location")), "git:git.example.org/acme/store") {
		t.Errorf("the finding's old address: %d to %s", a.Code, a.Header().Get("Location"))
	}
	if body := s.page("root", moved+"/forget"); !strings.Contains(body, "1 leaked, 1 stale, 1 unregistered") {
		t.Error("before forgetting, the findings are not told")
	}
	if a := s.ask("root", http.MethodPost, moved+"/forget", url.Values{}); a.Code != http.StatusUnprocessableEntity {
		t.Errorf("forgetting without saying that it is meant: %d, want 422", a.Code)
	}
	if a := s.ask("root", http.MethodPost, moved+"/forget", url.Values{"sure": {"1"}}); a.Code != http.StatusSeeOther {
		t.Errorf("forgetting: %d", a.Code)
	}
	for _, path := range []string{moved, moved + "/move", was} {
		if a := s.ask("root", http.MethodGet, path, nil); a.Code != http.StatusNotFound {
			t.Errorf("%s afterwards: %d, want 404", path, a.Code)
		}
	}
	for _, path := range []string{"/sources/image:registry.example.org%2Fshop/move", "/sources/image:registry.example.org%2Fshop/forget"} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if a := s.ask("viewer", method, path, url.Values{"to": {"dir:/x"}, "sure": {"1"}}); a.Code != http.StatusForbidden {
				t.Errorf("a viewer's %s %s: %d, want 403", method, path, a.Code)
			}
		}
	}
}
