package watch_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/watch"
)

// follower is a watch.Follower that a test steers.
type follower struct {
	mu     sync.Mutex
	now    map[string]int // how often a watch is followed now
	begun  map[string]int
	fails  map[string]string // problems, by watch
	shared map[string]bool
	most   int // of all at once
}

func newFollower() *follower {
	return &follower{now: map[string]int{}, begun: map[string]int{}, fails: map[string]string{}, shared: map[string]bool{}}
}

// Follow implements watch.Follower.
func (f *follower) Follow(ctx context.Context, w store.Watch) watch.Result {
	f.mu.Lock()
	f.begun[w.Name]++
	problem := f.fails[w.Name]
	if problem == "" {
		f.now[w.Name]++
		all := 0
		for _, n := range f.now {
			all += n
		}
		f.most = max(f.most, all)
	}
	f.mu.Unlock()
	if problem != "" {
		return watch.Result{Outcome: registry.WatchFailed, Problem: problem}
	}
	<-ctx.Done()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now[w.Name]--
	return watch.Result{}
}

// Shared implements watch.Follower.
func (f *follower) Shared(w store.Watch) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shared[w.Name]
}

// State implements watch.Follower.
func (f *follower) State(name string) (items, bytes int64, s store.StreamState) {
	return int64(len(name)), 5, store.StreamState{Lag: 7}
}

func (f *follower) running(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now[name]
}

func (f *follower) began(name string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.begun[name]
}

func (d *tended) addStream(name string) {
	d.t.Helper()
	if _, err := d.reg.AddWatch(d.t.Context(), actor(), registry.WatchSpec{Name: name, Kind: "kafka", Schedule: registry.ScheduleFollow}, time.Time{}); err != nil {
		d.t.Fatal(err)
	}
}

func nothingToScan() scanner {
	return func(context.Context, store.Watch) watch.Result { return watch.Result{Outcome: registry.WatchComplete} }
}

// TestStreams: a stream is followed as long as its watch is there, beside scans.
func TestStreams(t *testing.T) {
	d, f := newTended(t), newFollower()
	f.fails["broken"] = "it does not answer"
	d.addStream("events")
	d.addStream("broken")
	d.add("notes")
	d.run(watch.Options{Scanner: nothingToScan(), Follower: f, Streams: 2, Beat: 50 * time.Millisecond, Room: func() bool { return true }}, 1)
	d.until("it is followed", func() bool { return f.running("events") == 1 })
	d.until("scans are done beside it", func() bool { return d.watch("notes").Outcome == registry.WatchComplete })
	d.until("one that fails is tried again", func() bool { return f.began("broken") > 1 })
	if w := d.watch("broken"); w.Outcome != registry.WatchFailed || w.Problem != "it does not answer" {
		t.Errorf("%+v", w)
	}
	d.until("the worker tells of it", func() bool {
		list, err := d.reg.Workers(t.Context(), actor())
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range list {
			for _, s := range w.Scans {
				if s.Watch == "events" {
					return s.Why == "follow" && s.Items == 6 && s.Bytes == 5 && s.Stream.Lag == 7
				}
			}
		}
		return false
	})
	change := func(c registry.WatchChange) {
		t.Helper()
		if _, err := d.reg.ChangeWatch(t.Context(), actor(), "events", c, func(w store.Watch) time.Time { return watch.NextAfterChange(w, time.Now()) }); err != nil {
			t.Fatal(err)
		}
	}
	yes, no, ref := true, false, "env:OTHER"
	change(registry.WatchChange{Paused: &yes})
	d.until("a paused one is not", func() bool { return f.running("events") == 0 })
	change(registry.WatchChange{Paused: &no})
	d.until("it is again", func() bool { return f.running("events") == 1 })
	change(registry.WatchChange{Credential: &ref})
	d.until("it begins anew with another credential", func() bool { return f.began("events") == 3 && f.running("events") == 1 })
	if w := d.watch("events"); !w.NextRun.IsZero() || !w.StartedAt.IsZero() {
		t.Errorf("it was scanned: %+v", w)
	}
	if _, err := d.reg.RemoveWatch(t.Context(), actor(), "events"); err != nil {
		t.Fatal(err)
	}
	d.until("one that was removed is not", func() bool { return f.running("events") == 0 })
}

// TestStreamsTakenOver: one worker follows a stream, another does when that is gone;
// a shared one is followed by both.
func TestStreamsTakenOver(t *testing.T) {
	d, f := newTended(t), newFollower()
	f.shared["group"] = true
	d.addStream("events")
	d.addStream("group")
	see := func() {
		if err := d.reg.SeeWorker(t.Context(), actor(), store.Worker{ID: "other", Host: "h"}); err != nil {
			t.Fatal(err)
		}
	}
	see()
	if taken, err := d.reg.TakeStream(t.Context(), actor(), "events", "other"); err != nil || !taken {
		t.Fatal(taken, err)
	}
	var mu sync.Mutex
	gone := false
	d.run(watch.Options{Scanner: nothingToScan(), Follower: f, Streams: 4, Beat: 50 * time.Millisecond, Gone: func(w store.Worker) bool {
		mu.Lock()
		defer mu.Unlock()
		return gone && w.ID == "other"
	}}, 1)
	d.until("the shared one is followed here, too", func() bool { return f.running("group") == 1 })
	if f.began("events") > 0 {
		t.Fatal("one is followed twice")
	}
	mu.Lock()
	gone = true
	mu.Unlock()
	d.until("it is taken over", func() bool { return f.running("events") == 1 })
	// The other comes back, and has it again.
	mu.Lock()
	gone = false
	mu.Unlock()
	see()
	d.until("the other has it", func() bool {
		if err := d.reg.LeaveStream(t.Context(), actor(), "events", "w"); err != nil {
			t.Fatal(err)
		}
		taken, err := d.reg.TakeStream(t.Context(), actor(), "events", "other")
		if err != nil {
			t.Fatal(err)
		}
		return taken
	})
	d.until("one that is another's by now is left", func() bool { return f.running("events") == 0 })
}

// TestStreamsInTurn: with fewer places than streams each has its turn, and no more are
// followed at once.
func TestStreamsInTurn(t *testing.T) {
	d, f := newTended(t), newFollower()
	names := strings.Fields("a b c")
	for _, name := range names {
		d.addStream(name)
	}
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { // a minute each time that it is asked
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(20 * time.Second)
		return now
	}
	d.run(watch.Options{Scanner: nothingToScan(), Follower: f, Streams: 2, Beat: 50 * time.Millisecond, Now: clock}, 1)
	d.until("each was followed, and again", func() bool {
		for _, name := range names {
			if f.began(name) < 2 {
				return false
			}
		}
		return true
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.most > 2 {
		t.Errorf("%d at once", f.most)
	}
}
