package registry_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Each day keeps what was counted on it last; what was cleared tells how long it was
// there; active versions are counted by their age.
func TestTrends(t *testing.T) {
	k := fixtures(t)
	begin := k.now
	keep := func() {
		t.Helper()
		if err := k.reg.KeepDay(k.ctx, me()); err != nil {
			t.Fatal(err)
		}
	}
	counts := func() map[fingerprints.Verdict]int {
		t.Helper()
		n, err := k.reg.Verdicts(k.ctx, me(), store.FindingFilter{})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	keep()
	first := counts()
	k.now = begin.Add(24 * time.Hour)
	keep()
	_, err := k.reg.Adopt(k.ctx, me(), registry.AdoptRequest{Finding: string(k.fixture), Value: fingerprints.NewValue([]byte(k.value)), AddRequest: registry.AddRequest{Name: "new"}})
	if err != nil {
		t.Fatal(err)
	}
	k.now = k.now.Add(time.Minute)
	keep()
	second := counts()
	if cmp.Equal(first, second) {
		t.Fatal("nothing has changed: the test shows nothing")
	}
	k.now = begin.Add(72 * time.Hour) // nobody counted the day before
	keep()
	got, err := k.reg.Trends(k.ctx, me(), begin.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	day := begin.UTC().Truncate(24 * time.Hour)
	want := []registry.Day{{Day: day, Verdicts: first}, {Day: day.AddDate(0, 0, 1), Verdicts: second}, {Day: day.AddDate(0, 0, 3), Verdicts: second}}
	if d := cmp.Diff(want, got.Days); d != "" {
		t.Errorf("days (-want +got):\n%s", d)
	}
	k.now = begin.Add(400 * 24 * time.Hour)
	got, err = k.reg.Trends(k.ctx, me(), k.now)
	if err != nil || len(got.Ages) == 0 || got.Ages[0].Counts[3] == 0 || got.Ages[0].Counts[0] != 0 {
		t.Errorf("ages after 400 days: %+v %v", got.Ages, err)
	}
}

// A search is its owner's: others neither see nor remove it.
func TestSavedViews(t *testing.T) {
	k := fixtures(t)
	reader, other := registry.Actor{Name: "reader", Scopes: []registry.Scope{registry.ScopeRead}}, registry.Actor{Name: "other", Scopes: []registry.Scope{registry.ScopeRead}}
	save := func(name, query string) error { return k.reg.SaveView(k.ctx, reader, name, query) }
	if err := errors.Join(save("late", "due<0h"), save("a", "verdict:stale"), save("late", "is:late")); err != nil {
		t.Fatal(err)
	}
	names := func(a registry.Actor) (out []string) {
		t.Helper()
		list, err := k.reg.SavedViews(k.ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			out = append(out, v.Name+" "+v.Query)
		}
		return out
	}
	if got := names(reader); !slices.Equal(got, []string{"a verdict:stale", "late is:late"}) || names(other) != nil {
		t.Errorf("the reader has %v, another %v", got, names(other))
	}
	list, err := k.reg.SavedViews(k.ctx, reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.reg.RemoveView(k.ctx, other, list[0].ID); err != nil || len(names(reader)) != 2 {
		t.Errorf("another removed it (%v)", err)
	}
	if err := k.reg.RemoveView(k.ctx, reader, list[0].ID); err != nil || len(names(reader)) != 1 {
		t.Errorf("it is there still (%v)", err)
	}
	nobody := registry.Actor{Name: "nobody", Scopes: []registry.Scope{registry.ScopeScan}}
	for what, err := range map[string]error{
		"without read": k.reg.SaveView(k.ctx, nobody, "x", ""), "removed without read": k.reg.RemoveView(k.ctx, nobody, 1),
	} {
		if !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%s: %v, want ErrForbidden", what, err)
		}
	}
	for _, name := range []string{"two\nlines", " "} {
		if err := save(name, ""); !errors.Is(err, registry.ErrInput) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
}
