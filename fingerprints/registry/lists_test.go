package registry_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/fingerprints/registry"
)

// A list of secrets can be narrowed to those that something has to be done about, and
// says how old each is.
func TestListsOfSecrets(t *testing.T) {
	k := newKit(t)
	k.add("sound", k.text(32))
	k.add("guessable", "correcthorse")
	k.add("late", k.text(32))
	k.rotate("late", k.text(32), time.Hour)
	if _, err := k.reg.Issue(k.ctx, me(), registry.IssueRequest{Name: "issued", Consumers: []string{"api"}}); err != nil {
		t.Fatal(err)
	}
	k.wait(time.Hour)
	for name, c := range map[string]struct {
		filter registry.ListFilter
		want   []string
	}{
		"weak":       {registry.ListFilter{Weak: true}, []string{"guessable"}},
		"overdue":    {registry.ListFilter{Overdue: true}, []string{"late"}},
		"issued":     {registry.ListFilter{Issued: true}, []string{"issued"}},
		"of a state": {registry.ListFilter{State: fingerprints.StateSuperseded, Weak: true}, nil},
	} {
		list, err := k.reg.List(k.ctx, me(), c.filter)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range list {
			got = append(got, s.Name)
			if s.ActiveSince == nil || k.now.Sub(*s.ActiveSince) != time.Hour {
				t.Errorf("%s: %s is active since %v, want an hour ago", name, s.Name, s.ActiveSince)
			}
			if want := map[string]int{"late": 1}[s.Name]; s.Overdue != want {
				t.Errorf("%s: %s has %d overdue, want %d", name, s.Name, s.Overdue, want)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The allowed homes of all secrets are listed with what they cover.
func TestAllHomes(t *testing.T) {
	k := newKit(t)
	value := k.text(32)
	k.add("b", value)
	k.add("a", k.text(32))
	k.scan("dir:/x", k.seen("dir:/x", "vault/one", value, k.rows(ref("b", 1))...), k.seen("dir:/x", "two", value, k.rows(ref("b", 1))...))
	for _, q := range []registry.AllowRequest{
		{Name: "b", Path: "vault/**", Reason: "kept there"}, {Name: "a", Reason: "anywhere", Until: k.now.Add(time.Hour)}, {Name: "b", Source: "dir:/y", Reason: "elsewhere"},
	} {
		if _, err := k.reg.Allow(k.ctx, me(), q); err != nil {
			t.Fatal(err)
		}
	}
	k.wait(time.Hour)
	brief := func(secret string) (out []string) {
		list, err := k.reg.AllHomes(k.ctx, me(), secret)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range list {
			text := h.Secret + " " + h.Source + " " + h.Path + " " + itoa(h.Findings)
			if h.Over {
				text += " over"
			}
			out = append(out, text)
		}
		return out
	}
	if diff := cmp.Diff([]string{"a ** ** 0 over", "b ** vault/** 1", "b dir:/y ** 0"}, brief("")); diff != "" {
		t.Errorf("homes (-want +got):\n%s", diff)
	}
	if got := brief("a"); len(got) != 1 {
		t.Errorf("of a: %v, want one", got)
	}
}

// What a scan did not read is counted by reason and listed a page at a time.
func TestSkips(t *testing.T) {
	k := newKit(t)
	if _, err := k.reg.Skips(k.ctx, me(), "dir:/none", registry.SkipFilter{}); err == nil {
		t.Error("an unknown source has skips")
	}
	run := k.begin("dir:/x", "")
	var skips []fingerprints.Skip
	for i := range 5 {
		skips = append(skips, fingerprints.Skip{Path: "big/" + itoa(i), Reason: fingerprints.SkipTooLarge})
	}
	skips = append(skips, fingerprints.Skip{Path: "a.zip", Reason: fingerprints.SkipArchive, Detail: "encrypted"})
	if err := run.Skips(k.ctx, skips); err != nil {
		t.Fatal(err)
	}
	k.finish(run, true)
	all, err := k.reg.Skips(k.ctx, me(), "dir:/x", registry.SkipFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	want := []registry.SkipCount{{Reason: fingerprints.SkipTooLarge, Count: 5}, {Reason: fingerprints.SkipArchive, Count: 1}}
	if diff := cmp.Diff(want, all.Counts); diff != "" || len(all.Places) != 6 || all.More || all.Scan.Skips != 6 {
		t.Errorf("%d places, more: %v, %d skips of the scan; counts (-want +got):\n%s", len(all.Places), all.More, all.Scan.Skips, diff)
	}
	seen := map[string]bool{}
	for from := 0; from < 6; from += 2 {
		page, err := k.reg.Skips(k.ctx, me(), "dir:/x", registry.SkipFilter{Reason: fingerprints.SkipTooLarge, From: from, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page.Places {
			seen[p.Path] = true
		}
		if page.More != (from < 4) {
			t.Errorf("behind %d: more is %v", from, page.More)
		}
	}
	if len(seen) != 5 || seen["a.zip"] {
		t.Errorf("the pages hold %v, want the 5 that are too large", seen)
	}
}
