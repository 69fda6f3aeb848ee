package registry_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// follower follows the feed, with its position kept as JSON between pages.
type follower struct {
	k     *kit
	kept  []byte
	limit int
}

func (k *kit) follow(limit int) *follower {
	k.t.Helper()
	end, err := k.reg.FeedEnd(k.ctx, me())
	if err != nil {
		k.t.Fatal(err)
	}
	f := &follower{k: k, limit: limit}
	f.keep(end)
	return f
}

func (f *follower) keep(p registry.FeedPosition) {
	f.k.t.Helper()
	kept, err := json.Marshal(p)
	if err != nil {
		f.k.t.Fatal(err)
	}
	f.kept = kept
}

// next follows to the end and returns the verdict that each path was told with
// last, and how often.
func (f *follower) next() (map[string]fingerprints.Verdict, int) {
	f.k.t.Helper()
	out, told := map[string]fingerprints.Verdict{}, 0
	for range 1000 {
		var at registry.FeedPosition
		if err := json.Unmarshal(f.kept, &at); err != nil {
			f.k.t.Fatal(err)
		}
		page, err := f.k.reg.Changes(f.k.ctx, me(), at, f.limit)
		if err != nil {
			f.k.t.Fatal(err)
		}
		for _, x := range page.Findings {
			told++
			out[strings.TrimPrefix(x.Source, "dir:")+":"+x.Path] = x.Verdict
		}
		f.keep(page.Next)
		if !page.More {
			return out, told
		}
	}
	f.k.t.Fatal("the feed does not end")
	return nil, 0
}

type told = map[string]fingerprints.Verdict

func TestChanges(t *testing.T) {
	for _, limit := range []int{1, 2, 100} {
		k := newKit(t)
		old, fresh := k.text(32), k.text(32)
		k.add("app", old)
		k.add("other", k.text(32))
		f := k.follow(limit)
		want := func(what string, want told) {
			t.Helper()
			got, _ := f.next()
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("pages of %d, %s (-want +got):\n%s", limit, what, d)
			}
		}
		want("nothing", told{})
		rows := k.rows(ref("app", 1))
		a, b, c := k.seen(src, "a", old, rows...), k.seen(src, "b", old, rows...), k.seen(src, "c", k.text(32))
		k.scan(src, a, b, c)
		want("new", told{"/srv:a": "leaked", "/srv:b": "leaked", "/srv:c": "unregistered"})
		k.scan(src, a, b, c)
		want("scanned again", told{})

		k.rotate("app", fresh, time.Hour)
		want("superseded", told{"/srv:a": "lagging", "/srv:b": "lagging"})
		k.wait(time.Hour - time.Second)
		want("before the window ends", told{})
		k.wait(time.Second)
		want("the window ended", told{"/srv:a": "overdue", "/srv:b": "overdue"})
		want("once", told{})
		if _, err := k.reg.Retire(k.ctx, me(), ref("app", 1), registry.RetireOptions{}); err != nil {
			t.Fatal(err)
		}
		want("retired", told{"/srv:a": "stale", "/srv:b": "stale"})
		if _, err := k.reg.Ack(k.ctx, me(), ref("app", 2), "web"); err != nil {
			t.Fatal(err)
		}
		want("acknowledged", told{})

		k.scan(src, b, c)
		want("gone", told{"/srv:a": "cleared"})
		k.scan(src, a, b, c)
		want("returned", told{"/srv:a": "stale"})
		if _, err := k.reg.Accept(k.ctx, me(), string(c.FindingID), k.now.Add(time.Hour), "known"); err != nil {
			t.Fatal(err)
		}
		want("accepted", told{"/srv:c": "unregistered"})
		k.wait(2 * time.Hour)
		want("the acceptance ended", told{"/srv:c": "unregistered"})
	}
}

// Registering a value that was found before changes the verdict of its finding.
func TestChangesRecognised(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.scan(src, k.seen(src, "a", value))
	f := k.follow(10)
	k.add("app", value)
	got, _ := f.next()
	if d := cmp.Diff(told{"/srv:a": "leaked"}, got); d != "" {
		t.Error(d)
	}
}

// A page never holds much more than was asked for, and everything is told, also
// when one retirement concerns many findings.
func TestChangesInPages(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("app", value)
	rows := k.rows(ref("app", 1))
	const n = 137
	var obs []registry.Observation
	for i := range n {
		obs = append(obs, k.seen(src, "f"+itoa(i), value, rows...))
	}
	k.scan(src, obs...)
	f := k.follow(10)
	if _, err := k.reg.Retire(k.ctx, me(), ref("app", 1), registry.RetireOptions{NoSuccessor: true}); err != nil {
		t.Fatal(err)
	}
	k.wait(time.Minute)
	got, times := f.next()
	if len(got) != n || times != n {
		t.Errorf("%d findings told %d times, want %d once", len(got), times, n)
	}
	for path, v := range got {
		if v != fingerprints.VerdictStale {
			t.Fatalf("%s: %s", path, v)
		}
	}
	all, err := k.reg.Changes(k.ctx, me(), registry.FeedPosition{}, 50)
	if err != nil || len(all.Findings) != 50 || !all.More {
		t.Errorf("from the beginning: %d findings, more %t, %v", len(all.Findings), all.More, err)
	}
	since := all.Findings[0].VerdictSince
	if v, err := k.reg.Show(k.ctx, me(), "app"); err != nil || since.IsZero() || !since.Equal(*v.Versions[0].RetiredAt) {
		t.Errorf("stale since %v, %v", since, err)
	}
}

func TestChangesRefuses(t *testing.T) {
	k := newKit(t)
	if _, err := k.reg.Changes(k.ctx, me(), registry.FeedPosition{}, 0); !errors.Is(err, registry.ErrInput) {
		t.Errorf("a page of nothing: %v", err)
	}
	nobody := registry.Actor{Name: "nobody"}
	_, err := k.reg.Changes(k.ctx, nobody, registry.FeedPosition{}, 1)
	_, err2 := k.reg.FeedEnd(k.ctx, nobody)
	_, err3 := k.reg.FindingsByID(k.ctx, nobody, []fingerprints.FindingID{"x"}, 1)
	for _, err := range []error{err, err2, err3} {
		if !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("without the scope: %v", err)
		}
	}
}

// An idle feed writes nothing: its position stays the same for a while.
func TestChangesIdle(t *testing.T) {
	k := newKit(t)
	f := k.follow(10)
	before := slices.Clone(f.kept)
	k.wait(30 * time.Second)
	f.next()
	if string(before) != string(f.kept) {
		t.Errorf("from %s to %s", before, f.kept)
	}
	k.wait(time.Minute)
	f.next()
	if string(before) == string(f.kept) {
		t.Error("the clock stands still for ever")
	}
}

func TestFindingsByID(t *testing.T) {
	k := newKit(t)
	a, b := k.seen(src, "a", k.text(32)), k.seen(src, "b", k.text(32))
	again := b
	again.Sighting.Start, again.Sighting.End = 90, 99
	k.scan(src, a, b, again)
	got, err := k.reg.FindingsByID(k.ctx, me(), []fingerprints.FindingID{b.FindingID, "rv1:absent", a.FindingID, b.FindingID}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range got {
		paths = append(paths, f.Path)
		if len(f.Sightings) != 1 || len(f.History) != 0 {
			t.Errorf("%s: %d places, %d entries", f.Path, len(f.Sightings), len(f.History))
		}
	}
	if d := cmp.Diff([]string{"b", "a", "b"}, paths); d != "" {
		t.Error(d)
	}
}

// A source that was forgotten is told before what was found there again.
func TestForgottenSourcesAreTold(t *testing.T) {
	k := newKit(t)
	k.scan("dir:/srv", k.seen("dir:/srv", "a", k.text(32)))
	at, err := k.reg.FeedEnd(k.ctx, me())
	if err != nil {
		t.Fatal(err)
	}
	if err := k.reg.ForgetSource(k.ctx, me(), "dir:/srv"); err != nil {
		t.Fatal(err)
	}
	k.scan("dir:/srv", k.seen("dir:/srv", "b", k.text(32)))
	var told []string
	for more := true; more; {
		page, err := k.reg.Changes(k.ctx, me(), at, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range page.Forgotten {
			told = append(told, "forgotten "+s)
		}
		for _, f := range page.Findings {
			told = append(told, "found "+f.Path)
		}
		at, more = page.Next, page.More
	}
	if want := []string{"forgotten dir:/srv", "found b"}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// The mark of redactions moves with a redaction of what is stored, and with nothing
// else, and whoever has followed the feed up to it was told what changed.
func TestRedactionsAreMarked(t *testing.T) {
	k := newKit(t)
	redacted := func() uint64 {
		t.Helper()
		n, err := k.reg.Redacted(k.ctx, me())
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	value := k.text(32)
	o := k.seen("dir:/srv", "a", k.text(32))
	o.Path = "backup-" + value
	k.scan("dir:/srv", o)
	k.add("other", k.text(32))
	if n := redacted(); n != 0 {
		t.Errorf("nothing was redacted, and the mark is %d", n)
	}
	before, err := k.reg.FeedEnd(k.ctx, me())
	if err != nil {
		t.Fatal(err)
	}
	k.add("late", value)
	n := redacted()
	page, err := k.reg.Changes(k.ctx, me(), before, 100)
	if err != nil || n <= before.Change || page.Next.Change < n || len(page.Findings) != 1 || page.Findings[0].Path != "backup-[secret late@1]" {
		t.Errorf("the mark is %d behind %d, and the feed tells %+v, %v", n, before.Change, page, err)
	}
	k.scan("dir:/srv", k.seen("dir:/srv", "b", k.text(32)))
	if redacted() != n {
		t.Error("a scan moves the mark")
	}
}
