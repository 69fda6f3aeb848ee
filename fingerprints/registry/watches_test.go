package registry_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// watched is the watch of fixtures.
const watched = "shop"

func never(store.Watch) time.Time { return time.Time{} }

func (k *kit) watch(name string) store.Watch {
	k.t.Helper()
	w, err := k.reg.Watch(k.ctx, me(), name)
	if err != nil {
		k.t.Fatal(err)
	}
	return w
}

// due takes what is due.
func (k *kit) due() []string {
	k.t.Helper()
	names := []string{}
	list, err := k.reg.TakeDue(k.ctx, me())
	if err != nil {
		k.t.Fatal(err)
	}
	for _, w := range list {
		names = append(names, w.Name)
	}
	return names
}

func (k *kit) ok(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// scanned is a scan of a watch from its beginning to its end.
func (k *kit) scanned(name, outcome string, next time.Time) {
	k.t.Helper()
	if _, err := k.reg.BeginWatch(k.ctx, me(), name); err != nil {
		k.t.Fatal(err)
	}
	k.now = k.now.Add(time.Second)
	e := registry.WatchEnd{SourceID: "git:host/" + name, Outcome: outcome, NextRun: next}
	if outcome != registry.WatchFailed {
		e.FieldRevision = k.meta().FieldRevision
	}
	_, err := k.reg.EndWatch(k.ctx, me(), name, e)
	k.ok(err)
}

// TestWatchIsDue goes through a watch's life: what makes it due, and that nothing
// else does.
func TestWatchIsDue(t *testing.T) {
	k := newKit(t)
	_, err := k.reg.AddWatch(k.ctx, me(), registry.WatchSpec{Name: watched, Kind: "git"}, k.now)
	k.ok(err)
	wants := func(what string, want ...string) {
		t.Helper()
		if got := k.due(); !slices.Equal(got, want) {
			t.Errorf("%s: due are %v, want %v", what, got, want)
		}
	}
	wants("at first", watched)
	wants("once")
	k.now = k.now.Add(2 * time.Minute)
	wants("a job that was lost is made again", watched)
	k.scanned(watched, registry.WatchComplete, k.now.Add(time.Hour))
	wants("after a scan")
	k.ok(k.reg.WantScan(k.ctx, me(), watched, registry.WantedAsked))
	wants("when it is asked for", watched)
	// What is asked for during a scan needs another one.
	_, err = k.reg.BeginWatch(k.ctx, me(), watched)
	k.ok(err)
	k.now = k.now.Add(time.Second)
	names, err := k.reg.WantSource(k.ctx, me(), "git:host/"+watched, registry.WantedPush)
	if err != nil || !slices.Equal(names, []string{watched}) {
		t.Errorf("%v, %v", names, err)
	}
	_, err = k.reg.EndWatch(k.ctx, me(), watched, registry.WatchEnd{Outcome: registry.WatchComplete, FieldRevision: k.meta().FieldRevision})
	k.ok(err)
	if w := k.watch(watched); w.Wanted != registry.WantedPush {
		t.Errorf("what was pushed during the scan is forgotten: %+v", w)
	}
	wants("after it", watched)
	k.scanned(watched, registry.WatchComplete, time.Time{})
	wants("on demand alone")
	// A new value has everything searched that was searched before; one scan is enough.
	k.add("s", k.text(32))
	if n, err := k.reg.CountBehind(k.ctx, me()); n != 1 || err != nil {
		t.Errorf("%d behind, %v", n, err)
	}
	wants("when a value was registered", watched)
	k.scanned(watched, registry.WatchIncomplete, time.Time{})
	wants("when it was searched for")
	// One that fails waits for its time, also with a new value.
	k.scanned(watched, registry.WatchFailed, k.now.Add(time.Minute))
	if w := k.watch(watched); w.Failures != 1 || w.SourceID == "" {
		t.Errorf("%+v", w)
	}
	k.add("other", k.text(32))
	wants("after a failure")
	k.now = k.now.Add(time.Minute)
	wants("a minute later", watched)
	k.ok(k.reg.ReleaseWatch(k.ctx, me(), watched))
	wants("given back", watched)
	yes := true
	_, err = k.reg.ChangeWatch(k.ctx, me(), watched, registry.WatchChange{Paused: &yes}, never)
	k.ok(err)
	k.ok(k.reg.ReleaseWatch(k.ctx, me(), watched))
	wants("paused")
}

// TestMembers has a group's watches follow what it lists, and nothing lost to a
// list that is not whole.
func TestMembers(t *testing.T) {
	k := newKit(t)
	_, err := k.reg.AddWatch(k.ctx, me(), registry.WatchSpec{Name: "acme", Kind: "git"}, k.now)
	k.ok(err)
	of := func(names ...string) (out []registry.WatchSpec) {
		for _, n := range names {
			out = append(out, registry.WatchSpec{Name: registry.MemberName("acme", n), Kind: "git", Location: "https://host/" + n})
		}
		return out
	}
	set := func(l registry.Listing, names ...string) registry.Members {
		t.Helper()
		m, err := k.reg.SetMembers(k.ctx, me(), "acme", of(names...), l)
		k.ok(err)
		return m
	}
	names := func() (out []string) {
		list, err := k.reg.Watches(k.ctx, me(), store.WatchFilter{Parent: "acme"})
		k.ok(err)
		for _, w := range list {
			out = append(out, w.Name)
		}
		return out
	}
	for _, c := range []struct {
		listed registry.Listing
		give   []string
		want   registry.Members
		names  []string
	}{
		{registry.ListedWhole, []string{"a/x", "a/y"}, registry.Members{Added: 2, Total: 2}, []string{"acme/a/x", "acme/a/y"}},
		{registry.ListedWhole, []string{"a/x", "a/y"}, registry.Members{Total: 2}, []string{"acme/a/x", "acme/a/y"}},
		{registry.ListedPart, []string{"a/z"}, registry.Members{Added: 1, Total: 3}, []string{"acme/a/x", "acme/a/y", "acme/a/z"}},
		{registry.ListedWhole, []string{"a/z", "b ü"}, registry.Members{Added: 1, Removed: 2, Total: 2}, []string{"acme/a/z", "acme/b--"}},
	} {
		if d := cmp.Diff(c.want, set(c.listed, c.give...)); d != "" {
			t.Errorf("%v: %s", c.give, d)
		}
		if d := cmp.Diff(c.names, names()); d != "" {
			t.Errorf("%v: %s", c.give, d)
		}
	}
	// What is known of a member stays when it is listed again.
	k.scanned("acme/a/z", registry.WatchComplete, k.now.Add(time.Hour))
	set(registry.ListedWhole, "a/z")
	if w := k.watch("acme/a/z"); w.Outcome != registry.WatchComplete {
		t.Errorf("%+v", w)
	}
	if n, err := k.reg.RemoveWatch(k.ctx, me(), "acme"); n != 1 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := k.reg.SetMembers(k.ctx, me(), "acme", nil, registry.ListedWhole); !errors.Is(err, registry.ErrUnknownWatch) {
		t.Errorf("members of nothing: %v", err)
	}
}

// TestKeepWatch lets a configuration be read again and again.
func TestKeepWatch(t *testing.T) {
	k := newKit(t)
	spec := registry.WatchSpec{Name: watched, Kind: "git", Location: "/a", Schedule: "1h", Options: []byte(`{"args":["/a"]}`)}
	keep := func() { k.t.Helper(); k.ok(k.reg.KeepWatch(k.ctx, me(), spec, k.now)) }
	keep()
	k.scanned(watched, registry.WatchComplete, k.now.Add(time.Hour))
	head, before := k.head(), k.watch(watched)
	keep()
	if d := cmp.Diff(before, k.watch(watched)); d != "" || k.head() != head {
		t.Errorf("the same again: %s", d)
	}
	spec.Schedule = "2h"
	keep()
	if w := k.watch(watched); w.Schedule != "2h" || w.Outcome != registry.WatchComplete || !w.NextRun.Equal(k.now) {
		t.Errorf("another schedule: %+v", w)
	}
	spec.Options, spec.Location = []byte(`{"args":["/b"]}`), "/b"
	keep()
	if w := k.watch(watched); w.Location != "/b" || w.Outcome != "" {
		t.Errorf("another place: %+v", w)
	}
}

// TestTendingNeedsItsScope: what keeps the system going is for who scans.
func TestTendingNeedsItsScope(t *testing.T) {
	k := fixtures(t)
	others := slices.DeleteFunc(registry.Scopes(), func(s registry.Scope) bool { return s == registry.ScopeScan })
	for name, run := range map[string]func(a registry.Actor) error{
		"WantScan": func(a registry.Actor) error { return k.reg.WantScan(k.ctx, a, watched, registry.WantedAsked) },
		"WantSource": func(a registry.Actor) error {
			_, err := k.reg.WantSource(k.ctx, a, "x", registry.WantedPush)
			return err
		},
		"TakeDue":    func(a registry.Actor) error { _, err := k.reg.TakeDue(k.ctx, a); return err },
		"BeginWatch": func(a registry.Actor) error { _, err := k.reg.BeginWatch(k.ctx, a, watched); return err },
		"EndWatch": func(a registry.Actor) error {
			_, err := k.reg.EndWatch(k.ctx, a, watched, registry.WatchEnd{})
			return err
		},
		"ReleaseWatch": func(a registry.Actor) error { return k.reg.ReleaseWatch(k.ctx, a, watched) },
		"SetMembers": func(a registry.Actor) error {
			_, err := k.reg.SetMembers(k.ctx, a, watched, nil, registry.ListedPart)
			return err
		},
		"SeeWorker":  func(a registry.Actor) error { return k.reg.SeeWorker(k.ctx, a, store.Worker{ID: "w"}) },
		"DropWorker": func(a registry.Actor) error { return k.reg.DropWorker(k.ctx, a, "w") },
		"TakeStream": func(a registry.Actor) error { _, err := k.reg.TakeStream(k.ctx, a, watched, "w"); return err },
		"LeaveStream": func(a registry.Actor) error {
			return k.reg.LeaveStream(k.ctx, a, watched, "w")
		},
		"TellStream": func(a registry.Actor) error {
			return k.reg.TellStream(k.ctx, a, watched, registry.StreamWord{})
		},
	} {
		if err := run(registry.Actor{Name: "other", Scopes: others}); !errors.Is(err, registry.ErrForbidden) {
			t.Errorf("%s with every other scope: %v", name, err)
		}
		if err := run(registry.Actor{Name: "scanner", Scopes: []registry.Scope{registry.ScopeScan}}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
