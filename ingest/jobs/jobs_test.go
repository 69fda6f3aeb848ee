package jobs_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints/store/postgrestest"
	"revenant/ingest/jobs"
)

// each runs a test on both databases; place makes an empty one.
func each(t *testing.T, test func(t *testing.T, place string)) {
	t.Helper()
	t.Run("file", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "jobs.db")) })
	t.Run("postgres", func(t *testing.T) { test(t, postgrestest.Start(t, postgrestest.Options{}).Schema(t)) })
}

func open(t *testing.T, place string, o jobs.Options) jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), place, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

func add(t *testing.T, q jobs.Queue, watch string, why jobs.Reason) bool {
	t.Helper()
	added, err := q.Add(t.Context(), jobs.Scan{Watch: watch, Reason: why})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

// runner writes down what it is given; hold keeps jobs of some watches.
type runner struct {
	mu   sync.Mutex
	done []jobs.Scan
	came chan jobs.Scan
	hold map[string]bool
}

func newRunner(hold ...string) *runner {
	r := &runner{came: make(chan jobs.Scan, 100), hold: map[string]bool{}}
	for _, h := range hold {
		r.hold[h] = true
	}
	return r
}

// Scan implements jobs.Runner.
func (r *runner) Scan(ctx context.Context, job jobs.Scan) error {
	r.came <- job
	if r.hold[job.Watch] {
		<-ctx.Done()
		return fmt.Errorf("scanning: %w", jobs.ErrStopped)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = append(r.done, job)
	return nil
}

func (r *runner) wait(t *testing.T, n int) []jobs.Scan {
	t.Helper()
	var out []jobs.Scan
	for range n {
		select {
		case j := <-r.came:
			out = append(out, j)
		case <-time.After(20 * time.Second):
			t.Fatalf("%d jobs came, want %d: %v", len(out), n, out)
		}
	}
	return out
}

func counts(t *testing.T, q jobs.Queue) jobs.Counts {
	t.Helper()
	c, err := q.Counts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestOneJob has one job a watch, the most urgent that was asked for.
func TestOneJob(t *testing.T) {
	each(t, func(t *testing.T, place string) {
		q := open(t, place, jobs.Options{Worker: "maker"})
		for _, c := range []struct {
			watch string
			why   jobs.Reason
			want  bool
		}{
			{"a", jobs.Sweep, true},
			{"a", jobs.Sweep, false},
			{"b", jobs.Sweep, true},
			{"a", jobs.Backfill, true},
			{"a", jobs.Sweep, false},
			{"a", jobs.Push, true},
			{"a", jobs.Asked, false},
		} {
			if got := add(t, q, c.watch, c.why); got != c.want {
				t.Errorf("%v: added %v", c, got)
			}
		}
		if err := q.Check(t.Context()); err != nil {
			t.Error(err)
		}
		c := counts(t, q)
		if c.Waiting[jobs.Push] != 1 || c.Waiting[jobs.Sweep] != 1 || c.Waiting[jobs.Backfill] != 0 || c.Waiting[jobs.Asked] != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestOrder has pushes before people, backfill before sweeps, and none twice.
func TestOrder(t *testing.T) {
	each(t, func(t *testing.T, place string) {
		r := newRunner()
		q := open(t, place, jobs.Options{Worker: "w", Runner: r, Slots: 1})
		for i, why := range []jobs.Reason{jobs.Sweep, jobs.Backfill, jobs.Asked, jobs.Push, jobs.Sweep, jobs.Backfill} {
			add(t, q, fmt.Sprint(i), why)
		}
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := map[bool][]jobs.Reason{}
		for _, j := range r.wait(t, 6) {
			slow := j.Reason == jobs.Sweep || j.Reason == jobs.Backfill
			got[slow] = append(got[slow], j.Reason)
		}
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := map[bool][]jobs.Reason{true: {jobs.Backfill, jobs.Backfill, jobs.Sweep, jobs.Sweep}, false: {jobs.Push, jobs.Asked}}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		if !add(t, q, "0", jobs.Sweep) {
			t.Error("a watch whose job is done gets no other")
		}
	})
}

func liveIs(name string) func(worker, watch string) bool {
	return func(worker, _ string) bool { return worker == name }
}

// TestTakenOver has a worker stop in the middle of its jobs, and another die:
// others do them.
func TestTakenOver(t *testing.T) {
	each(t, func(t *testing.T, place string) {
		first := newRunner("a", "b")
		stops := open(t, place, jobs.Options{Worker: "stops", Runner: first, Slots: 2})
		add(t, stops, "a", jobs.Sweep)
		add(t, stops, "b", jobs.Sweep)
		if err := stops.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		first.wait(t, 2)
		if add(t, stops, "a", jobs.Push) {
			t.Error("a second job of a watch under way")
		}
		if c := counts(t, stops); c.Running[jobs.Sweep] != 2 {
			t.Errorf("%+v", c)
		}
		if n, err := stops.Rescue(t.Context(), liveIs("stops")); n != 0 || err != nil {
			t.Errorf("%d jobs of a worker that lives were taken, %v", n, err)
		}
		if err := stops.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := newRunner("a", "b")
		dies := open(t, place, jobs.Options{Worker: "dies", Runner: second, Slots: 2})
		if err := dies.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		second.wait(t, 2)
		t.Cleanup(func() { _ = dies.Stop(context.WithoutCancel(t.Context())) })

		third := newRunner()
		lives := open(t, place, jobs.Options{Worker: "lives", Runner: third, Slots: 2})
		if err := lives.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n, err := lives.Rescue(t.Context(), liveIs("lives")); n != 2 || err != nil {
			t.Errorf("%d jobs were taken over, %v", n, err)
		}
		names := []string{}
		for _, j := range third.wait(t, 2) {
			names = append(names, j.Watch)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"a", "b"}) {
			t.Error(names)
		}
		if err := lives.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOpenTogether has several processes make the queue.
func TestOpenTogether(t *testing.T) {
	each(t, func(t *testing.T, place string) {
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				q, err := jobs.Open(t.Context(), place, jobs.Options{Worker: fmt.Sprint(i)})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := q.Add(t.Context(), jobs.Scan{Watch: "one", Reason: jobs.Sweep}); err != nil {
					t.Error(err)
				}
				_ = q.Close()
			})
		}
		wg.Wait()
		if c := counts(t, open(t, place, jobs.Options{})); c.Waiting[jobs.Sweep] != 1 {
			t.Errorf("%+v", c)
		}
	})
}
