package github_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/cilog"
)

func (f *forge) fill(n int) {
	for i := range n {
		f.start(int64(i+1), "main")
	}
}

// TestRescanCosts: 10,000 runs cost 101 requests once; then one that is told
// nothing is new; and few when little is.
func TestRescanCosts(t *testing.T) {
	f := newForge(t)
	f.fill(10_000)
	p := f.open(nil)
	if p.ID() != "ci:github:"+strings.TrimPrefix(f.api.URL, "http://")+"/Octo-Org/Octo.Repo" {
		t.Errorf("id %s", p.ID())
	}
	runs, mark := all(t, p, cilog.Query{})
	if len(runs) != 10_000 || runs[0].ID != "10000" || runs[9_999].ID != "1" || f.counts()["runs"] != 101 { // and one that asks whether it was cut off
		t.Fatalf("%d runs, first %+v", len(runs), runs[0])
	}
	before := p.Counts()
	runs, same := all(t, p, cilog.Query{Mark: mark})
	after := p.Counts()
	if len(runs) != 0 || same != mark || f.counts()["runs"] != 1 || after.NotModified-before.NotModified != 1 {
		t.Errorf("nothing new gave %d runs, counts %+v", len(runs), after)
	}
	for i := range 3 {
		f.start(int64(20_000+i), "main")
	}
	runs, mark = all(t, p, cilog.Query{Mark: mark})
	if got := f.counts()["runs"]; got != 1 || len(runs) > 100 || runs[0].ID != "20002" {
		t.Errorf("three new: %d requests, %d runs", got, len(runs))
	}
	for i := range 250 {
		f.start(int64(30_000+i), "main")
	}
	runs, mark = all(t, p, cilog.Query{Mark: mark})
	if got := f.counts()["runs"]; got != 4 || len(runs) < 250 { // an hour's overlap
		t.Errorf("250 new: %d requests, %d runs", got, len(runs))
	}
	if runs, _ = all(t, p, cilog.Query{Mark: mark}); len(runs) != 0 || f.counts()["runs"] != 1 {
		t.Errorf("then %d runs", len(runs))
	}
}

// TestRerunsAreFound: a run that is run again stays where it is; it is found
// within a day, and attempts that were listed before come again, which costs
// nothing.
func TestRerunsAreFound(t *testing.T) {
	f := newForge(t)
	f.fill(300)
	p := f.open(nil)
	_, mark := all(t, p, cilog.Query{})
	old := f.runs[250]
	old.Attempt, old.Status, old.Started = 3, "in_progress", f.now.Add(time.Hour)
	if runs, _ := all(t, p, cilog.Query{Mark: mark}); len(runs) != 0 {
		t.Errorf("found at once: %d runs", len(runs)) // by the ETag: the first page is as it was
	}
	f.now = f.now.Add(25 * time.Hour)
	f.counts()
	runs, next := all(t, p, cilog.Query{Mark: mark})
	var got []cilog.Run
	for _, r := range runs {
		if r.ID == fmt.Sprint(old.ID) {
			got = append(got, r)
		}
	}
	if len(got) != 3 || got[0].Attempt != 3 || !got[0].Going || got[1].Going || got[2].Going {
		t.Fatalf("attempts %+v", got)
	}
	if !got[0].Began.Equal(old.Started) || !got[2].Began.Equal(old.Created) || got[1].Began.IsZero() {
		t.Errorf("began %v, %v, %v", got[0].Began, got[1].Began, got[2].Began)
	}
	if want := f.api.URL + "/Octo-Org/Octo.Repo/actions/runs/50/attempts/3"; got[0].URL != want || got[2].URL != strings.TrimSuffix(want, "/attempts/3") {
		t.Errorf("URLs %s, %s", got[0].URL, got[2].URL)
	}
	if f.counts()["runs"] != 4 { // one that is told nothing is new, and three pages
		t.Errorf("a walk over 300 runs costs more")
	}
	if runs, _ := all(t, p, cilog.Query{Mark: next}); len(runs) != 0 {
		t.Errorf("the walk comes again: %d runs", len(runs))
	}
}

// TestWalkIsBounded: the daily walk reads the days in which a run may have been
// run again, also after a long pause.
func TestWalkIsBounded(t *testing.T) {
	f := newForge(t)
	for i := range 1200 { // 100 days
		f.start(int64(i+1), "main")
		f.now = f.now.Add(2*time.Hour - time.Minute)
	}
	p := f.open(nil)
	_, mark := all(t, p, cilog.Query{})
	f.now = f.now.Add(24 * time.Hour)
	f.start(9999, "main")
	f.counts()
	runs, mark := all(t, p, cilog.Query{Mark: mark})
	if got := f.counts()["runs"]; got != 4 || len(runs) != 400 { // 31 days are 372
		t.Errorf("a day later: %d requests, %d runs", got, len(runs))
	}
	f.now = f.now.Add(40 * 24 * time.Hour)
	f.start(10_000, "main")
	runs, _ = all(t, p, cilog.Query{Mark: mark})
	if got := f.counts()["runs"]; got != 4 || len(runs) != 400 {
		t.Errorf("40 days later: %d requests, %d runs", got, len(runs))
	}
}

// TestPagesMove: runs begin and are deleted while the listing is walked. What was
// there before and still is comes exactly once.
func TestPagesMove(t *testing.T) {
	tests := map[string]func(f *forge, page int){
		"new runs": func(f *forge, page int) {
			for i := range 7 {
				f.runs = append([]*runJSON{{ID: int64(100_000 + page*10 + i), Attempt: 1, Status: "queued", Created: f.now}}, f.runs...)
			}
		},
		"deleted runs": func(f *forge, page int) {
			f.remove(f.runs[0].ID, f.runs[50].ID, f.runs[90].ID)
		},
		"many deleted at once": func(f *forge, page int) {
			if page == 4 {
				for range 250 {
					f.remove(f.runs[10].ID)
				}
			}
		},
		"both": func(f *forge, page int) {
			f.runs = append([]*runJSON{{ID: int64(100_000 + page), Attempt: 1, Status: "queued", Created: f.now}}, f.runs...)
			f.remove(f.runs[5].ID, f.runs[6].ID, f.runs[7].ID)
		},
	}
	for name, move := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.fill(1000)
			p := f.open(nil)
			f.before = func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/runs") && len(f.asked) > 1 {
					move(f, len(f.asked))
				}
				return false
			}
			runs, mark := all(t, p, cilog.Query{})
			f.before = nil
			got := map[string]bool{}
			for _, r := range runs {
				got[r.ID] = true
			}
			requests := f.counts()["runs"]
			if requests > 30 {
				t.Errorf("%d requests for ten pages", requests)
			}
			more, _ := all(t, p, cilog.Query{Mark: mark})
			for _, r := range more {
				got[r.ID] = true
			}
			for _, r := range f.runs {
				if !got[fmt.Sprint(r.ID)] {
					t.Errorf("run %d was missed", r.ID)
				}
			}
		})
	}
}

// TestCaps: GitHub ends listings at a number of runs without a word.
func TestCaps(t *testing.T) {
	f := newForge(t)
	for i := range 3500 {
		f.start(int64(i+1), []string{"main", "other"}[i%7/6])
	}
	f.cap = 2000
	p := f.open(nil)
	if runs, _ := all(t, p, cilog.Query{}); len(runs) != 3500 {
		t.Errorf("%d runs of 3500", len(runs))
	}
	if runs, mark := all(t, p, cilog.Query{Branch: "main"}); len(runs) != 3000 || mark != "" {
		t.Errorf("%d runs of main, mark %q", len(runs), mark)
	}
	since := f.runs[1499].Created
	runs, mark := all(t, p, cilog.Query{Since: since, Mark: "{}"})
	if len(runs) != 1500 || mark != "" {
		t.Errorf("%d runs since then, mark %q", len(runs), mark)
	}
	for i := range f.runs { // all at once: it can be told, but not listed
		f.runs[i].Created = epoch
	}
	_, err := p.Runs(t.Context(), cilog.Query{}, func([]cilog.Run) bool { return true })
	if !errors.Is(err, cilog.ErrUnreachable) || !strings.Contains(err.Error(), "in one second") {
		t.Errorf("error %v", err)
	}
}

// TestSinceSeesReruns: what began before and is run again has an attempt since.
func TestSinceSeesReruns(t *testing.T) {
	f := newForge(t)
	f.fill(50)
	since := f.now
	f.fill(2)
	f.runs[40].Attempt, f.runs[40].Started = 2, f.now
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{Since: since.Add(time.Second)})
	var got []string
	for _, r := range runs {
		got = append(got, fmt.Sprintf("%s/%d", r.ID, r.Attempt))
	}
	if diff := cmp.Diff([]string{"2/1", "1/1", fmt.Sprintf("%d/2", f.runs[40].ID)}, got); diff != "" {
		t.Errorf("runs (-want +got):\n%s", diff)
	}
}

func TestRunsStops(t *testing.T) {
	f := newForge(t)
	f.fill(500)
	p := f.open(nil)
	pages := 0
	mark, err := p.Runs(t.Context(), cilog.Query{Mark: "old"}, func([]cilog.Run) bool {
		pages++
		return pages < 2
	})
	if err != nil || mark != "old" || pages != 2 || f.counts()["runs"] != 2 {
		t.Errorf("mark %q, %v, %d pages", mark, err, pages)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = p.Runs(ctx, cilog.Query{}, func([]cilog.Run) bool {
		cancel()
		return true
	})
	if !errors.Is(err, context.Canceled) || f.counts()["runs"] != 1 {
		t.Errorf("cancelled: %v", err)
	}
}

// TestListingFails: what a failed listing says, and that it leaves no mark.
func TestListingFails(t *testing.T) {
	tests := map[string]struct {
		answer func(w http.ResponseWriter)
		want   error
	}{
		"401": {func(w http.ResponseWriter) { w.WriteHeader(401) }, cilog.ErrDenied},
		"403, scope": {func(w http.ResponseWriter) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"message":"Resource not accessible by personal access token"}`)
		}, cilog.ErrDenied},
		"403, secondary limit": {func(w http.ResponseWriter) {
			w.WriteHeader(403)
			_, _ = io.WriteString(w, `{"message":"You have exceeded a secondary rate limit. Please wait."}`)
		}, cilog.ErrLimited},
		"403, primary limit": {func(w http.ResponseWriter) {
			w.Header().Set("X-Ratelimit-Remaining", "0")
			w.WriteHeader(403)
		}, cilog.ErrLimited},
		"404": {func(w http.ResponseWriter) { w.WriteHeader(404) }, cilog.ErrNoProject},
		"429": {func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(429)
		}, cilog.ErrLimited},
		"500":        {func(w http.ResponseWriter) { w.WriteHeader(500) }, cilog.ErrUnreachable},
		"no run":     {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"total_count":1,"workflow_runs":[{"id":-1}]}`) }, cilog.ErrUnreachable},
		"not GitHub": {func(w http.ResponseWriter) { _, _ = io.WriteString(w, `<html>`) }, cilog.ErrUnreachable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newForge(t)
			f.fill(250)
			p := f.open(nil)
			f.before = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("page") != "2" {
					return false
				}
				tt.answer(w)
				return true
			}
			mark, err := p.Runs(t.Context(), cilog.Query{}, func([]cilog.Run) bool { return true })
			if !errors.Is(err, tt.want) || mark != "" {
				t.Errorf("mark %q, error %v, want %v", mark, err, tt.want)
			}
			for _, canary := range []string{token(), "Octo", "page=", "html"} {
				if err != nil && strings.Contains(err.Error(), canary) {
					t.Errorf("error %q repeats %q", err, canary)
				}
			}
			if name == "401" && !strings.Contains(err.Error(), "Actions: read") {
				t.Errorf("error %q does not say what a token needs", err)
			}
		})
	}
}

// A list of which each page has a next is given up.
func TestRunsEnd(t *testing.T) {
	f := newForge(t)
	f.fill(1)
	p := f.open(nil)
	f.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Link", "<"+r.URL.String()+`>; rel="next"`)
		return false
	}
	_, err := p.Runs(t.Context(), cilog.Query{}, func([]cilog.Run) bool { return true })
	if !errors.Is(err, cilog.ErrUnreachable) || f.counts()["runs"] != 1000 {
		t.Errorf("error %v", err)
	}
}

func TestLook(t *testing.T) {
	f := newForge(t)
	r := f.start(7, "main")
	r.Status = "in_progress"
	p := f.open(nil)
	runs, _ := all(t, p, cilog.Query{})
	if !runs[0].Going {
		t.Fatal("a run in progress is not going on")
	}
	if now, err := p.Look(t.Context(), runs[0]); err != nil || !now.Going {
		t.Errorf("it is %+v, %v", now, err)
	}
	r.Status = "completed"
	now, err := p.Look(t.Context(), runs[0])
	if err != nil || now.Going {
		t.Errorf("at its end it is %+v, %v", now, err)
	}
	now.Going = true
	if diff := cmp.Diff(runs[0], now); diff != "" {
		t.Errorf("what else changed:\n%s", diff)
	}
	f.remove(7)
	if _, err := p.Look(t.Context(), runs[0]); !errors.Is(err, cilog.ErrDeleted) {
		t.Errorf("a deleted run: %v", err)
	}
	for _, bad := range []cilog.Run{{ID: "../x", Attempt: 1}, {ID: "7", Attempt: 0}, {ID: "", Attempt: 1}, {ID: "-7", Attempt: 1}} {
		if _, err := p.Look(t.Context(), bad); !errors.Is(err, cilog.ErrDeleted) {
			t.Errorf("run %+v: %v", bad, err)
		}
	}
}

// A mark may come from a damaged memory: whatever it is, nothing is missed.
func FuzzMark(f *testing.F) {
	forge := newForge(f)
	forge.fill(120)
	p := forge.open(nil)
	for _, seed := range []string{"", "{}", "x", `{"newest":"2026-05-01T12:00:00Z","walked":"2026-05-01T12:00:00Z"}`, `{"etag":"\n","newest":"9999-01-01T00:00:00Z","walked":"0002-01-01T00:00:00Z"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, mark string) {
		n := 0
		next, err := p.Runs(t.Context(), cilog.Query{Mark: mark}, func(page []cilog.Run) bool {
			n += len(page)
			return true
		})
		var old struct{ Newest, Walked time.Time }
		valid := json.Unmarshal([]byte(mark), &old) == nil && !old.Newest.IsZero() && !old.Walked.IsZero()
		if err == nil && (next == "" || !valid && n != 120) {
			t.Errorf("mark %q: %d runs, next %q", mark, n, next)
		}
	})
}
