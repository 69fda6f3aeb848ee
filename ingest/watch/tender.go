package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/jobs"
)

// How often is looked for what is due, how often a worker says that it lives,
// and when one that does not is dead.
const (
	lookEvery = 500 * time.Millisecond
	beatEvery = 5 * time.Second
	deadAfter = 30 * time.Second
)

// Result is what came of a scan.
type Result struct {
	SourceID      string // "" where there are none, or several
	Outcome       string // registry.WatchComplete ...
	Problem       string // redacted
	FieldRevision uint64 // that was searched for; 0: it did not come to its end
	Members       []registry.WatchSpec
	Listed        registry.Listing
	Group         bool // it is a group, and Members are its
	// StoreAway is why nothing of it could be stored: then nothing else of it
	// counts, and it is done again when the store can be used.
	StoreAway error
}

// Scanner scans a watch. It returns early when the context ends; then its result
// does not count.
type Scanner interface {
	Scan(ctx context.Context, w store.Watch, why jobs.Reason) Result
}

// Observer is told of what happens; a nil func is not called.
type Observer struct {
	Began func(w store.Watch, why jobs.Reason)
	Ended func(before store.Watch, why jobs.Reason, r Result, took time.Duration)
}

// Options are what a Tender stands on.
type Options struct {
	Registry *registry.Registry
	Actor    registry.Actor
	Scanner  Scanner
	Observer Observer
	Worker   store.Worker // who does the jobs; SeenAt is set
	// Gone reports whether a worker is known to have ended, as those of this
	// machine are; nil: nothing is known but that they are silent.
	Gone func(store.Worker) bool
	// Deadline is how long a scan may take; 0: as long as it takes.
	Deadline time.Duration
	// Room reports whether there is memory for one more scan; nil: always. The
	// first one has it.
	Room func() bool
	// Progress is how far the scan of a watch is that is under way here; nil:
	// nobody knows.
	Progress func(watch string) (items, bytes int64)
	// Follower follows streams; nil: they are followed elsewhere. Streams is how
	// many at once.
	Follower Follower
	Streams  int
	// Beat is how often the worker says that it lives; 0: every five seconds.
	Beat time.Duration
	Now  func() time.Time
	Log  *slog.Logger
}

// Tender tends watches: it is the runner of the queue's jobs, and keeps the
// queue filled. Safe for concurrent use.
type Tender struct {
	o     Options
	queue jobs.Queue
	woken chan struct{}
	held  map[string]heldJob // Run's alone

	heard map[string]heard // of other workers; beat's alone
	clock clock            // beat's alone
	idle  map[string]bool  // jobs that were this worker's and not done at the last beat; beat's alone

	mu      sync.Mutex
	running map[string]*underWay
	streams *streams        // nil: none are followed here
	inside  map[string]bool // watches whose jobs are done here, also those that begin
}

// underWay is a scan that is being done here.
type underWay struct {
	why    jobs.Reason
	began  time.Time
	cancel context.CancelCauseFunc
}

var _ jobs.Runner = (*Tender)(nil)

// New makes a tender; its queue is given to Run.
func New(o Options) *Tender {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Beat == 0 {
		o.Beat = beatEvery
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Tender{o: o, woken: make(chan struct{}, 1), held: map[string]heldJob{}, running: map[string]*underWay{}, inside: map[string]bool{}, heard: map[string]heard{}}
	if o.Follower != nil && o.Streams > 0 {
		t.streams = newStreams(o)
	}
	return t
}

// heard is what a worker said last, and when that was noticed here: clocks of
// machines differ.
type heard struct{ said, at time.Time }

// silent reports whether a worker has not said for long that it lives.
func (t *Tender) silent(w store.Worker) bool {
	now := t.o.Now()
	h, known := t.heard[w.ID]
	if !known || !h.said.Equal(w.SeenAt) {
		t.heard[w.ID] = heard{w.SeenAt, now}
		return false
	}
	return now.Sub(h.at) > deadAfter
}

// Wake has what is due looked up at once.
func (t *Tender) Wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// Run does jobs and makes new ones until the context ends, then gives back
// those under way.
func (t *Tender) Run(ctx context.Context, q jobs.Queue) error {
	t.queue = q
	t.begin(ctx)
	look, beat := time.NewTicker(lookEvery), time.NewTicker(t.o.Beat)
	defer look.Stop()
	defer beat.Stop()
	for {
		// What cannot be done now is tried again: the store may be away for a while.
		if err := t.fill(ctx); err != nil && ctx.Err() == nil {
			t.o.Log.WarnContext(ctx, "what is due cannot be looked up; it is tried again", slog.Any("error", err))
		}
		if err := t.streams.tend(ctx); err != nil && ctx.Err() == nil {
			t.o.Log.WarnContext(ctx, "streams cannot be looked up; it is tried again", slog.Any("error", err))
		}
		var soon <-chan time.Time
		if len(t.held) > 0 {
			soon = time.After(heldFor)
		}
		select {
		case <-ctx.Done():
			return t.stop(context.WithoutCancel(ctx))
		case <-soon:
		case <-look.C:
		case <-t.woken:
		case <-beat.C:
			if err := t.beat(ctx); err != nil && ctx.Err() == nil {
				t.o.Log.WarnContext(ctx, "the worker cannot say that it lives; it is tried again", slog.Any("error", err))
			}
		}
	}
}

// begin says that the worker lives, and starts to do jobs. The store was there a
// moment ago: when it is away now it is waited for.
func (t *Tender) begin(ctx context.Context) {
	for {
		err := t.beat(ctx)
		if err == nil {
			err = t.queue.Start(context.WithoutCancel(ctx))
		}
		if err == nil || ctx.Err() != nil {
			return
		}
		t.o.Log.WarnContext(ctx, "no jobs can be done yet; it is tried again", slog.Any("error", err))
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
	}
}

// stop gives the jobs back and forgets the worker.
func (t *Tender) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var streams sync.WaitGroup
	streams.Go(t.streams.stop)
	err := t.queue.Stop(ctx)
	streams.Wait()
	return errors.Join(err, t.o.Registry.DropWorker(ctx, t.o.Actor, t.o.Worker.ID))
}

// fill makes jobs of what is due.
func (t *Tender) fill(ctx context.Context) error {
	for _, h := range t.held {
		if err := t.add(ctx, h.job, h.tries-1); err != nil {
			return err
		}
	}
	for {
		due, err := t.o.Registry.TakeDue(ctx, t.o.Actor)
		if err != nil || len(due) == 0 {
			return err
		}
		for _, w := range due {
			if err := t.add(ctx, jobs.Scan{Watch: w.Name, Reason: t.reason(w)}, heldTries); err != nil {
				return err
			}
		}
	}
}

// heldJob is one that could not be made yet.
type heldJob struct {
	job   jobs.Scan
	tries int // that are left
}

// How long it is held, and how often it is tried; after that the store has it
// made a minute later.
const (
	heldFor   = 100 * time.Millisecond
	heldTries = 20
)

// add makes a job. The watch's last one stays in the queue for a moment after
// its scan has ended, and keeps another out: that is tried again soon.
func (t *Tender) add(ctx context.Context, job jobs.Scan, tries int) error {
	added, err := t.queue.Add(ctx, job)
	if err != nil {
		return err
	}
	if added || tries <= 0 {
		delete(t.held, job.Watch)
	} else {
		t.held[job.Watch] = heldJob{job, tries}
	}
	return nil
}

// reason is why a watch is due.
func (t *Tender) reason(w store.Watch) jobs.Reason {
	switch {
	case w.Wanted == registry.WantedPush:
		return jobs.Push
	case w.Wanted == registry.WantedBackfill:
		return jobs.Backfill
	case !w.WantedAt.IsZero():
		return jobs.Asked
	case w.NextRun.IsZero() || w.NextRun.After(t.o.Now()):
		return jobs.Backfill
	}
	return jobs.Sweep
}

// beat says that the worker lives, takes over what the dead left, and cancels
// what is not wanted any more.
func (t *Tender) beat(ctx context.Context) error {
	r, a := t.o.Registry, t.o.Actor
	if err := r.SeeWorker(ctx, a, t.itself()); err != nil {
		return err
	}
	all, err := r.Workers(ctx, a)
	if err != nil {
		return err
	}
	live := map[string]bool{}
	var dead []string
	for _, w := range all {
		switch {
		case w.ID == t.o.Worker.ID:
			live[w.ID] = true
		case t.o.Gone != nil && t.o.Gone(w), t.silent(w):
			dead = append(dead, w.ID)
			delete(t.heard, w.ID)
		default:
			live[w.ID] = true
		}
	}
	idle := map[string]bool{}
	n, err := t.queue.Rescue(ctx, func(worker, name string) bool {
		if worker != t.o.Worker.ID {
			return live[worker]
		}
		if t.does(name) {
			return true
		}
		// One that is not done here any more was not put away, or will be soon.
		idle[name] = true
		return !t.idle[name]
	})
	t.idle = idle
	if err != nil {
		return err
	}
	if n > 0 {
		t.o.Log.WarnContext(ctx, "jobs that nobody did any more were taken over", slog.Int("jobs", n))
	}
	for _, id := range dead {
		if err := r.DropWorker(ctx, a, id); err != nil {
			return err
		}
	}
	if err := t.setRight(ctx); err != nil {
		return err
	}
	return t.cancelUnwanted(ctx)
}

// clock notices when the machine's is set.
type clock struct {
	wall time.Time // without a monotonic reading
	mono time.Time
}

// clockSlack is how far a clock may drift between two looks.
const clockSlack = 30 * time.Second

// wasSet reports whether the clock was set since it was asked last. It was, the
// first time.
func (c *clock) wasSet(now time.Time) bool {
	wall, mono := now.Round(0), time.Now()
	off := wall.Sub(c.wall) - mono.Sub(c.mono)
	first := c.mono.IsZero()
	c.wall, c.mono = wall, mono
	return first || off.Abs() > clockSlack
}

// setRight has nothing wait for a time that a wrong clock wrote.
func (t *Tender) setRight(ctx context.Context) error {
	now := t.o.Now()
	if !t.clock.wasSet(now) {
		return nil
	}
	n, err := t.o.Registry.Reschedule(ctx, t.o.Actor, func(w store.Watch) (time.Time, time.Time) { return latest(w, now) })
	if err != nil {
		t.clock = clock{} // again
		return err
	}
	if n > 0 {
		t.o.Log.WarnContext(ctx, "the clock was set back: scans that were due too late were brought forward", slog.Int("watches", n))
	}
	return nil
}

// itself is the worker with what it does now.
func (t *Tender) itself() store.Worker {
	w := t.o.Worker
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(t.running)) {
		u := t.running[name]
		s := store.WorkerScan{Watch: name, Why: string(u.why), StartedAt: u.began.UTC()}
		if t.o.Progress != nil {
			s.Items, s.Bytes = t.o.Progress(name)
		}
		w.Scans = append(w.Scans, s)
	}
	w.Scans = append(w.Scans, t.streams.told()...)
	return w
}

// errLate ends a scan that takes longer than it may.
var errLate = errors.New("it took longer than workers.deadline allows; what it found stays, and the next one goes on where the source can")

// errUnwanted cancels the scan of a watch that was paused or removed.
var errUnwanted = errors.New("the watch was paused or removed")

func (t *Tender) cancelUnwanted(ctx context.Context) error {
	t.mu.Lock()
	names := make([]string, 0, len(t.running))
	for name := range t.running {
		names = append(names, name)
	}
	t.mu.Unlock()
	for _, name := range names {
		w, err := t.o.Registry.Watch(ctx, t.o.Actor, name)
		switch {
		case err != nil && !errors.Is(err, registry.ErrUnknownWatch):
			return err
		case err == nil && !w.Paused:
			continue
		}
		t.mu.Lock()
		if u := t.running[name]; u != nil {
			u.cancel(errUnwanted)
		}
		t.mu.Unlock()
	}
	return nil
}

// Running are the watches that are being scanned here.
func (t *Tender) Running() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.running)
}

// Scan implements jobs.Runner.
func (t *Tender) Scan(ctx context.Context, job jobs.Scan) error {
	r, a := t.o.Registry, t.o.Actor
	if !t.enter(job.Watch) {
		return jobs.ErrBusy
	}
	defer t.leave(job.Watch)
	w, err := r.BeginWatch(ctx, a, job.Watch)
	switch {
	case errors.Is(err, registry.ErrUnknownWatch):
		return nil // removed meanwhile
	case err != nil:
		return t.stopped(ctx, err)
	case w.Paused:
		return t.stopped(ctx, r.ReleaseWatch(ctx, a, w.Name))
	}
	if t.o.Observer.Began != nil {
		t.o.Observer.Began(w, job.Reason)
	}
	began := t.o.Now()
	res, why := t.scan(ctx, w, job.Reason, began)
	late := context.WithoutCancel(ctx)
	switch {
	case res.StoreAway != nil && why == nil && ctx.Err() == nil:
		return res.StoreAway
	case errors.Is(why, errLate):
		res.Outcome, res.Problem = registry.WatchFailed, errLate.Error()
	case errors.Is(why, errUnwanted):
		return ignoreUnknown(r.ReleaseWatch(late, a, w.Name))
	case ctx.Err() != nil:
		return errors.Join(jobs.ErrStopped, ignoreUnknown(r.ReleaseWatch(late, a, w.Name)))
	}
	return ignoreUnknown(t.end(ctx, w, job.Reason, res, began))
}

// enter takes a place among the scans that are done at once.
func (t *Tender) enter(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.o.Room != nil && len(t.inside) > 0 && !t.o.Room() {
		return false
	}
	t.inside[name] = true
	return true
}

func (t *Tender) leave(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.inside, name)
}

// does reports whether a job of a watch is being done here.
func (t *Tender) does(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.inside[name]
}

// scan has a watch scanned and returns why that was cancelled, if it was.
func (t *Tender) scan(ctx context.Context, w store.Watch, why jobs.Reason, began time.Time) (Result, error) {
	scanning, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if t.o.Deadline > 0 {
		timer := time.AfterFunc(t.o.Deadline, func() { cancel(errLate) })
		defer timer.Stop()
	}
	t.mu.Lock()
	t.running[w.Name] = &underWay{why: why, began: began, cancel: cancel}
	t.mu.Unlock()
	res := t.o.Scanner.Scan(scanning, w, why)
	t.mu.Lock()
	delete(t.running, w.Name)
	t.mu.Unlock()
	if ctx.Err() != nil {
		return res, nil
	}
	return res, context.Cause(scanning)
}

func ignoreUnknown(err error) error {
	if errors.Is(err, registry.ErrUnknownWatch) {
		return nil
	}
	return err
}

func (t *Tender) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(jobs.ErrStopped, err)
	}
	return err
}

// end writes down what came of a scan.
func (t *Tender) end(ctx context.Context, w store.Watch, why jobs.Reason, res Result, began time.Time) error {
	r, a := t.o.Registry, t.o.Actor
	if res.Group && res.Outcome != registry.WatchFailed {
		m, err := r.SetMembers(ctx, a, w.Name, res.Members, res.Listed)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		if m.Added+m.Removed+m.Changed > 0 {
			t.o.Log.InfoContext(ctx, "a group was listed", slog.String("watch", w.Name), slog.Int("members", m.Total), slog.Int("added", m.Added), slog.Int("removed", m.Removed))
		}
	}
	now := t.o.Now()
	schedule, err := ParseSchedule(w.Schedule)
	if err != nil {
		schedule = Schedule{} // one that a newer version wrote
	}
	next := schedule.Next(w.Name, now)
	outcome := res.Outcome
	switch {
	case res.Outcome == registry.WatchFailed:
		next = schedule.Retry(w.Name, now, w.Failures+1)
	case schedule.Follows(): // this was beside the stream, which is read on
		outcome = registry.WatchFollowing
	}
	before, err := r.EndWatch(ctx, a, w.Name, registry.WatchEnd{
		SourceID: res.SourceID, Outcome: outcome, Problem: res.Problem, FieldRevision: res.FieldRevision, NextRun: next,
	})
	if err == nil && t.o.Observer.Ended != nil {
		t.o.Observer.Ended(before, why, res, max(0, now.Sub(began)))
	}
	return err
}
