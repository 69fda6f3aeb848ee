package registry_test

import (
	"errors"
	"testing"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// TestStreamLease: one worker has a stream for as long as it lives.
func TestStreamLease(t *testing.T) {
	k := fixtures(t)
	add := func(name, schedule string) {
		t.Helper()
		if _, err := k.reg.AddWatch(k.ctx, me(), registry.WatchSpec{Name: name, Kind: "kafka", Schedule: schedule}, k.now); err != nil {
			t.Fatal(err)
		}
	}
	add("events", registry.ScheduleFollow)
	add("hourly", "1h")
	see := func(id string) {
		t.Helper()
		if err := k.reg.SeeWorker(k.ctx, me(), store.Worker{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	take := func(id string, want bool) {
		t.Helper()
		if got, err := k.reg.TakeStream(k.ctx, me(), "events", id); err != nil || got != want {
			t.Errorf("%s takes it: %v %v, want %v", id, got, err, want)
		}
	}
	owner := func(want string) {
		t.Helper()
		list, err := k.reg.Streams(k.ctx, me())
		if err != nil || len(list) != 1 || list[0].Watch.Name != "events" || list[0].Owner != want {
			t.Errorf("%+v %v, want owner %q", list, err, want)
		}
	}
	owner("")
	take("a", false) // nobody knows that it lives
	see("a")
	see("b")
	take("a", true)
	take("a", true)
	take("b", false)
	owner("a")
	if err := k.reg.LeaveStream(k.ctx, me(), "events", "b"); err != nil {
		t.Fatal(err)
	}
	owner("a")
	if err := k.reg.DropWorker(k.ctx, me(), "a"); err != nil {
		t.Fatal(err)
	}
	owner("")
	take("b", true)
	if err := k.reg.LeaveStream(k.ctx, me(), "events", "b"); err != nil {
		t.Fatal(err)
	}
	owner("")
	take("b", true)
	if _, err := k.reg.RemoveWatch(k.ctx, me(), "events"); err != nil {
		t.Fatal(err)
	}
	add("events", registry.ScheduleFollow)
	owner("")
	if _, err := k.reg.TakeStream(k.ctx, me(), "absent", "b"); !errors.Is(err, registry.ErrUnknownWatch) {
		t.Errorf("one that is not there: %v", err)
	}
}

// TestStreamWord: what is told of a stream stands with its watch, and a backfill that is
// asked for is due once.
func TestStreamWord(t *testing.T) {
	k := fixtures(t)
	if _, err := k.reg.AddWatch(k.ctx, me(), registry.WatchSpec{Name: "events", Kind: "kafka", Schedule: registry.ScheduleFollow}, never(store.Watch{})); err != nil {
		t.Fatal(err)
	}
	tell := func(w registry.StreamWord) store.Watch {
		t.Helper()
		if err := k.reg.TellStream(k.ctx, me(), "events", w); err != nil {
			t.Fatal(err)
		}
		return k.watch("events")
	}
	due := func() (names []string) {
		t.Helper()
		list, err := k.reg.TakeDue(k.ctx, me())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			if w.Name == "events" {
				names = append(names, w.Wanted)
			}
		}
		return names
	}
	if w := tell(registry.StreamWord{Problem: "it does not answer"}); w.Outcome != registry.WatchFailed || w.Failures != 1 || w.Problem == "" {
		t.Errorf("%+v", w)
	}
	if got := due(); len(got) > 0 {
		t.Errorf("due: %v", got)
	}
	w := tell(registry.StreamWord{SourceID: "kafka:c/t", FieldRevision: 1, Backfill: true})
	if w.Outcome != registry.WatchFollowing || w.Failures != 0 || w.Problem != "" || w.SourceID != "kafka:c/t" || w.Wanted != registry.WantedBackfill {
		t.Errorf("%+v", w)
	}
	if got := due(); len(got) != 1 || got[0] != registry.WantedBackfill {
		t.Errorf("due: %v", got)
	}
	first := w.WantedAt
	k.now = k.now.Add(1)
	if w := tell(registry.StreamWord{FieldRevision: 1, Backfill: true}); !w.WantedAt.Equal(first) {
		t.Errorf("asked for once more: %+v", w)
	}
	if err := k.reg.TellStream(k.ctx, me(), "absent", registry.StreamWord{}); !errors.Is(err, registry.ErrUnknownWatch) {
		t.Errorf("one that is not there: %v", err)
	}
}
