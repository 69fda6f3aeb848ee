package cilog_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/cilog"
	"revenant/scanners/sourcetest"
)

func clock() time.Time { return epoch.Add(24 * time.Hour) }

func open(f *fake, m cilog.Memory, change func(*cilog.Options)) *cilog.Source {
	o := cilog.Options{Project: f, Memory: m, Now: clock}
	if change != nil {
		change(&o)
	}
	return cilog.New(o)
}

// seen is an item with what it says of itself.
type seen struct {
	Path, Locator, URL, Identity string
	Presence                     fingerprints.Presence
}

// drain reads a source to its end. Items that hold what was seen before are not
// opened, as the pipeline does it.
func drain(t *testing.T, s *cilog.Source, known map[string]bool) (items []seen, skips []fingerprints.Skip, notes []string, err error) {
	t.Helper()
	defer func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}()
	for {
		b, err := s.Next(context.Background())
		skips, notes = append(skips, b.Skipped...), append(notes, b.Notes...)
		for _, it := range b.Items {
			items = append(items, seen{it.Path, it.Locator, it.URL, it.Identity, it.Presence})
			if it.Identity != "" && known[it.Identity] {
				continue
			}
			rc, err := it.Open(context.Background())
			if err != nil {
				var skip *scanners.SkipError
				if !errors.As(err, &skip) {
					t.Fatalf("an item failed without saying how it is listed: %v", err)
				}
				skips = append(skips, fingerprints.Skip{Path: it.Path, Locator: it.Locator, Reason: skip.Reason, Detail: skip.Detail})
				continue
			}
			if _, err := io.ReadAll(rc); err != nil {
				t.Fatal(err)
			}
			_ = rc.Close()
			if it.Identity != "" && known != nil {
				known[it.Identity] = true
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return items, skips, notes, err
		}
	}
}

func TestConformance(t *testing.T) {
	f := &fake{}
	f.start(1, 1, fakeLog{key: "10", path: "build", text: "one"}, fakeLog{key: "11", path: "test/unit", text: "two"})
	f.start(2, 1, fakeLog{key: "20", path: "deploy", text: "three"}, fakeLog{key: "21", path: "lost", missing: cilog.ErrUnreachable})
	sourcetest.Run(t, sourcetest.Subject{
		New:   func(*testing.T, []byte) scanners.Source { return open(f, nil, nil) },
		Want:  map[string]string{"build": "one", "test/unit": "two", "deploy": "three"},
		Skips: map[string]fingerprints.SkipReason{"lost": fingerprints.SkipUnreadable},
	})
}

// TestRescan: what was read is remembered, and the system is asked for what is
// new.
func TestRescan(t *testing.T) {
	f, m, known := full(20), &shelf{}, map[string]bool{}
	first, skips, notes, err := drain(t, open(f, m, nil), known)
	if err != nil || len(skips) > 0 {
		t.Fatal(err, skips)
	}
	if want := []string{"20 runs read, 0 were read before"}; !slices.Equal(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
	if first[0].Locator != "run 20 job 200" || first[0].URL != "https://ci.example/runs/20/200" || first[0].Presence != fingerprints.PresenceRetained {
		t.Errorf("the newest run comes as %+v", first[0])
	}
	f.counts()
	again, _, _, err := drain(t, open(f, m, nil), known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"runs": 1}, f.counts()); diff != "" {
		t.Errorf("calls with nothing new (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("items (-first +again):\n%s", diff)
	}
	f.start(21, 1, fakeLog{key: "210", path: "job0", text: "new"})
	f.start(7, 2, fakeLog{key: "79", path: "job0", text: "tried again"})
	more, _, _, err := drain(t, open(f, m, nil), known)
	if err != nil || len(more) != len(first)+2 {
		t.Fatal(err, len(more), len(first))
	}
	if diff := cmp.Diff(map[string]int{"runs": 1, "logs": 2, "open": 2, "open 21": 1, "open 7": 1}, f.counts()); diff != "" {
		t.Errorf("calls with two new (-want +got):\n%s", diff)
	}
	if got := more[len(more)-1].Locator; got != "run 7 attempt 2 job 79" {
		t.Errorf("an attempt is %q", got)
	}
}

// TestGrows: a run that is going on is read as far as it is, and again.
func TestGrows(t *testing.T) {
	f, m, known := full(2), &shelf{}, map[string]bool{}
	r := f.start(3, 1, fakeLog{key: "30", path: "done", text: "one"}, fakeLog{key: "31", path: "under way", text: "tw", going: true})
	r.going = true
	for round := range 2 {
		items, _, notes, err := drain(t, open(f, m, nil), known)
		if err != nil || len(notes) != 2 || !strings.Contains(notes[1], "1 run is not at the end") {
			t.Fatal(round, err, notes)
		}
		i := slices.IndexFunc(items, func(s seen) bool { return s.Path == "under way" })
		if i < 0 || items[i].Identity != "" {
			t.Fatalf("round %d: a log that grows has an identity: %+v", round, items)
		}
	}
	f.counts()
	r.going, r.logs[1].going, r.logs[1].text = false, false, "two"
	r.logs = append(r.logs, fakeLog{key: "32", path: "late", text: "three"}) // and it is not listed as changed
	items, _, _, err := drain(t, open(f, m, nil), known)
	if err != nil || !slices.ContainsFunc(items, func(s seen) bool { return s.Path == "late" }) {
		t.Fatal(err, items)
	}
	if got := f.counts(); got["look"] != 1 || got["logs"] != 1 || got["open 3"] != 2 {
		t.Errorf("calls %v", got)
	}
	drain(t, open(f, m, nil), known)
	if got := f.counts(); got["look"]+got["logs"]+got["open"] > 0 {
		t.Errorf("a run at its end is asked for again: %v", got)
	}
	// A run with jobs that were tried again is listed anew, and only they are read.
	r.logs = append(r.logs, fakeLog{key: "33", path: "done", text: "four"})
	f.change(r)
	items, _, _, _ = drain(t, open(f, m, nil), known)
	if got := f.counts(); got["logs"] != 1 || got["open"] != 1 {
		t.Errorf("calls for a run that changed: %v", got)
	}
	times := map[string]int{}
	for _, it := range items {
		if times[it.Locator]++; times[it.Locator] > 1 {
			t.Errorf("%s comes twice", it.Locator)
		}
	}
}

// TestKept: logs that hold something are asked for, and are retained, expired or
// gone.
func TestKept(t *testing.T) {
	f, m, known := full(5), &shelf{}, map[string]bool{}
	holds := func(o *cilog.Options) {
		o.Holds = func(identity, path string) bool { return known[identity] && path == "job0" }
	}
	drain(t, open(f, m, holds), known)
	f.counts()
	find := func(id int) *fakeRun { return f.find(cilog.Run{ID: fmt.Sprint(id), Attempt: 1}) }
	find(2).expired = true
	find(3).deleted = true
	items, skips, _, err := drain(t, open(f, m, holds), known)
	if err != nil || len(skips) > 0 {
		t.Fatal(err, skips)
	}
	if got := f.counts(); got["kept"] != 5 || got["open"] > 0 {
		t.Errorf("calls %v", got)
	}
	for range 2 {
		states := map[string][]string{}
		for _, it := range items {
			run := strings.Fields(it.Locator)[1]
			states[run] = append(states[run], it.Path+" "+string(it.Presence))
		}
		if diff := cmp.Diff([]string{"job0 expired"}, states["2"]); diff != "" || states["3"] != nil || len(states) != 4 {
			t.Errorf("states %v", states)
		}
		items, _, _, _ = drain(t, open(f, m, holds), known)
	}
	if got := f.counts(); got["kept"] != 6 { // three of five, twice
		t.Errorf("calls once it is known: %v", got)
	}
	// What expired without being asked for is met when it is opened again.
	find(4).expired = true
	clear(known)
	_, skips, _, _ = drain(t, open(f, m, nil), known)
	if len(skips) == 0 || skips[0].Reason != fingerprints.SkipExpired {
		t.Errorf("skips %v", skips)
	}
	_, skips, _, _ = drain(t, open(f, m, nil), known)
	if len(skips) > 0 {
		t.Errorf("it is listed again: %v", skips)
	}
}

// TestKeptInPart: of a run's logs some can be erased.
func TestKeptInPart(t *testing.T) {
	f, m, known := &fake{}, &shelf{}, map[string]bool{}
	f.start(1, 1, fakeLog{key: "10", path: "build", text: "one"}, fakeLog{key: "11", path: "test", text: "two"}, fakeLog{key: "12", path: "lint", text: "three"})
	holds := func(o *cilog.Options) {
		o.Holds = func(identity, path string) bool { return known[identity] && path != "lint" }
	}
	drain(t, open(f, m, holds), known)
	f.fail = func(call, _ string) error {
		if call == "kept" {
			return &cilog.PartError{Keys: []string{"10"}, Err: cilog.ErrDeleted}
		}
		return nil
	}
	items, skips, _, err := drain(t, open(f, m, holds), known)
	if err != nil || len(skips) > 0 || len(items) != 2 || items[0].Path != "test" || items[1].Path != "lint" {
		t.Errorf("%v, items %+v, skips %v", err, items, skips)
	}
}

// TestExpiredBefore: what nobody can read is said once, for all.
func TestExpiredBefore(t *testing.T) {
	f, m := full(4), &shelf{}
	for _, r := range f.runs[1:] {
		r.expired = true
	}
	_, skips, _, err := drain(t, open(f, m, nil), nil)
	want := []fingerprints.Skip{{Path: cilog.RunsPath, Reason: fingerprints.SkipExpired, Detail: "the logs of 3 runs are not kept any longer: what they held cannot be known", Size: -1}}
	if diff := cmp.Diff(want, skips); err != nil || diff != "" {
		t.Errorf("%v, skips (-want +got):\n%s", err, diff)
	}
	f.counts()
	drain(t, open(f, m, nil), map[string]bool{})
	if got := f.counts(); got["logs"] > 0 {
		t.Errorf("they are asked for again: %v", got)
	}
}

// TestMost: what is left out waits.
func TestMost(t *testing.T) {
	f, m, known := full(7), &shelf{}, map[string]bool{}
	most := func(o *cilog.Options) { o.Most = 3 }
	sizes := []int{3, 6, 7}
	for round, want := range sizes {
		items, skips, _, err := drain(t, open(f, m, most), known)
		runs := map[string]bool{}
		for _, it := range items {
			runs[strings.Fields(it.Locator)[1]] = true
		}
		if left := 7 - want; err != nil || len(runs) != want || (left > 0) != (len(skips) == 1 && skips[0].Reason == fingerprints.SkipExcluded) {
			t.Errorf("round %d: %v, runs %v, skips %v", round, err, slices.Sorted(maps.Keys(runs)), skips)
		}
	}
	since := func(o *cilog.Options) { o.Since = epoch.Add(6 * time.Minute) }
	items, _, _, err := drain(t, open(f, m, since), known)
	if err != nil || !slices.ContainsFunc(items, func(s seen) bool { return s.Locator == "run 6 job 60" }) || slices.ContainsFunc(items, func(s seen) bool { return strings.HasPrefix(s.Locator, "run 5") }) {
		t.Errorf("since a time: %v %v", err, items)
	}
}

// TestFails: one run's failure is listed and met again; what is no run's own ends
// the source, and nothing is lost.
func TestFails(t *testing.T) {
	f, m, known := full(6), &shelf{}, map[string]bool{}
	f.fail = func(call, run string) error {
		if call == "logs" && run == "4" {
			return fmt.Errorf("%w: three answers of 500", cilog.ErrUnreachable)
		}
		return nil
	}
	_, skips, _, err := drain(t, open(f, m, nil), known)
	if err != nil || len(skips) != 1 || skips[0].Path != cilog.RunsPath || skips[0].Locator != "run 4" || skips[0].Reason != fingerprints.SkipUnreadable {
		t.Fatalf("%v, skips %+v", err, skips)
	}
	f.fail = nil
	f.counts()
	drain(t, open(f, m, nil), known)
	if got := f.counts(); got["logs"] != 1 || got["open 4"] == 0 {
		t.Errorf("the next scan: %v", got)
	}

	f, m = full(2), &shelf{}
	f.runs[0].logs = append(f.runs[0].logs, fakeLog{key: "29", path: "endless", missing: &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Size: 7}})
	for range 3 { // it is told each time, and not asked for
		_, skips, _, err := drain(t, open(f, m, nil), known)
		if err != nil || len(skips) != 1 || skips[0].Path != "endless" || skips[0].Reason != fingerprints.SkipTooLarge {
			t.Errorf("%v, skips %+v", err, skips)
		}
	}
	if got := f.counts(); got["logs"] != 2 {
		t.Errorf("a log that is too long is asked for again: %v", got)
	}

	f, m, known = full(9), &shelf{}, map[string]bool{}
	f.fail = func(call, run string) error {
		if call == "logs" && run == "5" {
			return fmt.Errorf("%w until 12:00", cilog.ErrLimited)
		}
		return nil
	}
	items, _, _, err := drain(t, open(f, m, nil), known)
	var skip *scanners.SkipError
	if !errors.As(err, &skip) || !strings.Contains(skip.Detail, "until 12:00") || len(items) == 0 {
		t.Fatalf("a limit ends with %v after %d items", err, len(items))
	}
	f.fail = nil
	f.counts()
	all, _, _, err := drain(t, open(f, m, nil), known)
	got := f.counts()
	for run := 6; run <= 9; run++ {
		if got[fmt.Sprint("open ", run)] > 0 {
			t.Errorf("run %d is read again", run)
		}
	}
	if whole, _, _, _ := drain(t, open(f, nil, nil), nil); err != nil || len(all) != len(whole) {
		t.Errorf("%v: %d items after a limit, %d in all", err, len(all), len(whole))
	}

	f.fail = func(call, _ string) error {
		if call == "logs" {
			return cilog.ErrUnreachable
		}
		return nil
	}
	if _, skips, _, err := drain(t, open(f, nil, nil), nil); err == nil || len(skips) != 5 {
		t.Errorf("a system that is not there: %v, %d skips", err, len(skips))
	}
}

// TestKilled: a scan that ends anywhere is gone on with, whatever was saved.
func TestKilled(t *testing.T) {
	for stop := range 9 {
		f, m, known := full(8), &shelf{}, map[string]bool{}
		s := open(f, m, func(o *cilog.Options) { o.KeepEvery = time.Nanosecond; o.Now = ticking() })
		found := map[string]int{}
		for range stop {
			b, err := s.Next(t.Context())
			if err != nil {
				break
			}
			for _, it := range b.Items {
				known[it.Identity] = true
				found[it.Identity]++
			}
		}
		// Nothing is closed: the process is gone.
		items, skips, _, err := drain(t, open(f, m, nil), known)
		if err != nil || len(skips) > 0 {
			t.Fatal(err, skips)
		}
		again := map[string]int{}
		for _, it := range items {
			again[it.Identity]++
		}
		want, _, _, _ := drain(t, open(f, nil, nil), nil)
		for _, it := range want {
			if again[it.Identity] != 1 {
				t.Errorf("stopped after %d: %s came %d times", stop, it.Locator, again[it.Identity])
			}
		}
		if len(items) != len(want) {
			t.Errorf("stopped after %d: %d items, want %d", stop, len(items), len(want))
		}
	}
}

func ticking() func() time.Time {
	now := epoch
	return func() time.Time { now = now.Add(time.Second); return now }
}

// TestMemory: damage costs a scan from the start, and one that cannot be saved is
// told.
func TestMemory(t *testing.T) {
	f, m := full(3), &shelf{}
	all, _, _, _ := drain(t, open(f, m, nil), nil)
	for _, b := range [][]byte{{}, []byte("noise"), m.b[:len(m.b)/2]} {
		items, _, _, err := drain(t, open(f, &shelf{b: b}, nil), nil)
		if err == nil && len(items) != len(all) {
			t.Errorf("of %d bytes: %d items, want %d", len(b), len(items), len(all))
		}
		if err != nil {
			t.Errorf("of %d bytes: %v", len(b), err)
		}
	}
	s := open(f, &shelf{fail: errors.New("full")}, nil)
	var notes []string
	for {
		b, err := s.Next(t.Context())
		notes = append(notes, b.Notes...)
		if err != nil {
			break
		}
	}
	if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "could not be remembered") }) {
		t.Errorf("notes %q", notes)
	}
}
