package watch_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"revenant/fingerprints/keys"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/fingerprints/store/sqlstore"
	"revenant/ingest/jobs"
	"revenant/ingest/watch"
)

// scanner is a watch.Scanner that a test steers.
type scanner func(ctx context.Context, w store.Watch) watch.Result

// Scan implements watch.Scanner.
func (f scanner) Scan(ctx context.Context, w store.Watch, _ jobs.Reason) watch.Result {
	return f(ctx, w)
}

// tended is a registry whose watches are tended.
type tended struct {
	t   *testing.T
	dir string
	reg *registry.Registry
}

func actor() registry.Actor { return registry.Local("tester") }

func newTended(t *testing.T) *tended {
	t.Helper()
	dir := t.TempDir()
	s, err := sqlstore.Open(t.Context(), filepath.Join(dir, "registry.db"), sqlstore.Options{Access: sqlstore.CreateIfMissing})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	r := rand.NewChaCha8([32]byte{1})
	ring, err := keys.NewRing(r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	reg, err := registry.New(registry.Options{Store: s, Ring: ring, Now: time.Now, Rand: r})
	if err == nil {
		_, err = reg.Init(t.Context(), actor())
	}
	if err != nil {
		t.Fatal(err)
	}
	return &tended{t, dir, reg}
}

func (d *tended) add(name string) {
	d.t.Helper()
	if _, err := d.reg.AddWatch(d.t.Context(), actor(), registry.WatchSpec{Name: name, Kind: "dir", Location: "/" + name}, time.Now()); err != nil {
		d.t.Fatal(err)
	}
}

// run tends the watches until the test ends.
func (d *tended) run(o watch.Options, slots int) {
	d.t.Helper()
	o.Registry, o.Actor = d.reg, actor()
	o.Worker = store.Worker{ID: "w", Host: "h", StartedAt: time.Now(), Slots: slots}
	tender := watch.New(o)
	q, err := jobs.Open(d.t.Context(), filepath.Join(d.dir, "jobs.db"), jobs.Options{Worker: "w", Runner: tender, Slots: slots, Poll: 20 * time.Millisecond})
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- tender.Run(ctx, q) }()
	d.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			d.t.Error(err)
		}
		_ = q.Close()
	})
}

func (d *tended) until(what string, is func() bool) {
	d.t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func (d *tended) watch(name string) store.Watch {
	d.t.Helper()
	w, err := d.reg.Watch(d.t.Context(), actor(), name)
	if err != nil {
		d.t.Fatal(err)
	}
	return w
}

// TestDeadline ends a scan that takes too long: it has failed, and is tried again.
func TestDeadline(t *testing.T) {
	d := newTended(t)
	d.add("slow")
	d.add("quick")
	d.run(watch.Options{Deadline: 100 * time.Millisecond, Scanner: scanner(func(ctx context.Context, w store.Watch) watch.Result {
		if w.Name == "slow" {
			<-ctx.Done()
		}
		return watch.Result{Outcome: registry.WatchComplete}
	})}, 2)
	d.until("both are done with", func() bool { return d.watch("slow").Outcome != "" && d.watch("quick").Outcome != "" })
	if w := d.watch("quick"); w.Outcome != registry.WatchComplete {
		t.Errorf("quick: %+v", w)
	}
	w := d.watch("slow")
	if w.Outcome != registry.WatchFailed || !strings.Contains(w.Problem, "deadline") || w.Failures != 1 || w.NextRun.Before(time.Now()) {
		t.Errorf("slow: %+v", w)
	}
}

// TestRoom has a scan wait while there is no memory for it, unless it is the
// only one.
func TestRoom(t *testing.T) {
	d := newTended(t)
	for _, name := range []string{"one", "two", "three"} {
		d.add(name)
	}
	var full atomic.Bool
	full.Store(true)
	var now, most atomic.Int64
	free := make(chan struct{})
	d.run(watch.Options{Room: func() bool { return !full.Load() }, Scanner: scanner(func(ctx context.Context, _ store.Watch) watch.Result {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		select {
		case <-free:
		case <-ctx.Done():
		}
		return watch.Result{Outcome: registry.WatchComplete}
	})}, 3)
	d.until("the first one is scanned", func() bool { return now.Load() == 1 })
	time.Sleep(300 * time.Millisecond) // others would have begun
	if n := most.Load(); n != 1 {
		t.Fatalf("%d scans at once without room", n)
	}
	full.Store(false)
	d.until("there is room for all", func() bool { return now.Load() == 3 })
	close(free)
	d.until("all are scanned", func() bool {
		done := 0
		for _, name := range []string{"one", "two", "three"} {
			if d.watch(name).Outcome == registry.WatchComplete {
				done++
			}
		}
		return done == 3
	})
}

// TestStoreAway does a scan again whose findings could not be stored: it has not
// failed.
func TestStoreAway(t *testing.T) {
	d := newTended(t)
	d.add("one")
	var scans atomic.Int64
	d.run(watch.Options{Scanner: scanner(func(context.Context, store.Watch) watch.Result {
		if scans.Add(1) == 1 {
			return watch.Result{StoreAway: store.ErrUnreachable}
		}
		return watch.Result{Outcome: registry.WatchComplete}
	})}, 1)
	d.until("it is scanned", func() bool {
		w := d.watch("one")
		if w.Failures > 0 {
			t.Fatalf("it failed: %+v", w)
		}
		return w.Outcome == registry.WatchComplete
	})
}

// TestProgress tells how far a scan is while it is under way, and no longer.
func TestProgress(t *testing.T) {
	d := newTended(t)
	d.add("big")
	free := make(chan struct{})
	d.run(watch.Options{
		Beat:     50 * time.Millisecond,
		Progress: func(name string) (items, bytes int64) { return int64(len(name)), 1 << 30 },
		Scanner: scanner(func(ctx context.Context, _ store.Watch) watch.Result {
			select {
			case <-free:
			case <-ctx.Done():
			}
			return watch.Result{Outcome: registry.WatchComplete}
		}),
	}, 1)
	told := func() []store.WorkerScan {
		list, err := d.reg.Workers(t.Context(), actor())
		if err != nil || len(list) > 1 {
			t.Fatalf("%v %v", list, err)
		}
		if len(list) == 0 { // it has not said yet that it lives
			return nil
		}
		return list[0].Scans
	}
	d.until("it is told", func() bool { return len(told()) == 1 })
	if s := told()[0]; s.Watch != "big" || s.Items != 3 || s.Bytes != 1<<30 || s.Why != string(jobs.Sweep) || s.StartedAt.IsZero() {
		t.Errorf("%+v", s)
	}
	close(free)
	d.until("it is told no more", func() bool { return len(told()) == 0 })
}
