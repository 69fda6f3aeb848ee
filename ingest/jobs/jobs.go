package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// Reason is why a watch is scanned.
type Reason string

// The reasons, those first that go before others.
const (
	Push     Reason = "push"     // something was pushed there
	Asked    Reason = "asked"    // a person wants it
	Backfill Reason = "backfill" // values were registered since
	Sweep    Reason = "sweep"    // its time has come
)

// priority is River's: 1 goes before 4.
func (r Reason) priority() int {
	switch r {
	case Push:
		return 1
	case Asked:
		return 2
	case Backfill:
		return 3
	case Sweep:
	}
	return 4
}

// queue is where jobs of a reason wait.
func (r Reason) queue() string {
	if r == Push || r == Asked {
		return fastQueue
	}
	return slowQueue
}

// The queues.
const (
	fastQueue = "fast"
	slowQueue = "slow"
)

// Scan is a job: to scan a watch.
type Scan struct {
	Watch  string `json:"watch" river:"unique"`
	Reason Reason `json:"reason"`
}

// Kind implements river.JobArgs.
func (Scan) Kind() string { return "scan" }

// Runner does a job. A nil error ends it, also where the scan failed: when the
// watch is due again is the store's to say. An error that wraps ErrStopped puts
// the job back, one that wraps ErrBusy for a moment later; any other, which says that the store is out of reach, has it
// tried again later.
type Runner interface {
	Scan(ctx context.Context, job Scan) error
}

// ErrBusy is of a job that another worker may do sooner, as this one has no room
// for it now.
var ErrBusy = errors.New("the worker has no room")

// ErrStopped is of a job that was not brought to its end because the worker
// stops.
var ErrStopped = errors.New("the worker stops")

// Options say how jobs are done.
type Options struct {
	// Worker names the process; no two that live may have the same.
	Worker string
	Runner Runner // nil: jobs are made here and done elsewhere
	// Slots is how many jobs are done at once; one more is for those that go
	// before others.
	Slots int
	// Poll is how often is looked for jobs where the database does not call;
	// 0: 200 ms.
	Poll time.Duration
	Log  *slog.Logger
}

// Queue is the queue as one process sees it.
type Queue interface {
	// Add makes a job unless the watch has one that is worth as much or runs; it
	// reports whether it did.
	Add(ctx context.Context, job Scan) (added bool, err error)
	// Start begins to do jobs.
	Start(ctx context.Context) error
	// Stop takes no new jobs and cancels those under way; they end with
	// ErrStopped, and are there for others.
	Stop(ctx context.Context) error
	// Rescue gives the jobs that nobody does any more to others, and returns how
	// many. done reports whether a worker still does a job of a watch.
	Rescue(ctx context.Context, done func(worker, watch string) bool) (int, error)
	// Check reports whether the queue answers.
	Check(ctx context.Context) error
	// Counts are jobs by state and reason.
	Counts(ctx context.Context) (Counts, error)
	// Pages are River's own pages about jobs, below a prefix, which show and do not
	// change; whoever asks has to be known already. What they run in the background
	// ends with ctx.
	Pages(ctx context.Context, prefix string, log *slog.Logger) (http.Handler, error)
	Close() error
}

// Counts are how many jobs there are.
type Counts struct {
	Waiting map[Reason]int
	Running map[Reason]int
}

// client is River on one kind of database.
type client[TTx any] struct {
	river  *river.Client[TTx]
	driver riverdriver.Driver[TTx]
	close  func() error
}

// uniqueStates are the states in which a job keeps others of its watch out.
func uniqueStates() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
	}
}

// maxAttempts: a job is tried again for as long as the store cannot be reached.
const maxAttempts = 1000

// Add implements Queue.
func (c *client[TTx]) Add(ctx context.Context, job Scan) (bool, error) {
	opts := &river.InsertOpts{
		Queue: job.Reason.queue(), Priority: job.Reason.priority(), MaxAttempts: maxAttempts,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: uniqueStates()},
	}
	const tries = 3 // somebody else may be doing the same
	for range tries {
		in, err := c.river.Insert(ctx, job, opts)
		switch {
		case err != nil:
			return false, fmt.Errorf("making a job: %w", err)
		case !in.UniqueSkippedAsDuplicate:
			return true, nil
		case in.Job.State != rivertype.JobStateRunning && time.Until(in.Job.ScheduledAt) > longestWait+time.Minute:
			// Made by a clock that was set back since: it would wait for that time.
		case in.Job.State == rivertype.JobStateRunning || in.Job.Priority <= opts.Priority:
			return false, nil
		}
		if _, err := c.river.JobCancel(ctx, in.Job.ID); err != nil && !errors.Is(err, rivertype.ErrNotFound) {
			return false, fmt.Errorf("replacing a job: %w", err)
		}
	}
	return false, nil
}

// Start implements Queue.
func (c *client[TTx]) Start(ctx context.Context) error {
	if err := c.river.Start(ctx); err != nil {
		return fmt.Errorf("starting to do jobs: %w", err)
	}
	return nil
}

// Stop implements Queue.
func (c *client[TTx]) Stop(ctx context.Context) error {
	if err := c.river.StopAndCancel(ctx); err != nil {
		return fmt.Errorf("stopping jobs: %w", err)
	}
	return nil
}

// Close implements Queue.
func (c *client[TTx]) Close() error { return c.close() }

// most is how many jobs are listed at once.
const most = 10_000

// Rescue implements Queue. River's own rescue goes by how long a job takes, and
// a scan may take days.
func (c *client[TTx]) Rescue(ctx context.Context, done func(worker, watch string) bool) (int, error) {
	list, err := c.river.JobList(ctx, river.NewJobListParams().States(rivertype.JobStateRunning).First(most))
	if err != nil {
		return 0, fmt.Errorf("listing jobs that run: %w", err)
	}
	now := time.Now()
	p := riverdriver.JobRescueManyParams{StuckHorizon: now.Add(time.Second)}
	for _, j := range list.Jobs {
		var job Scan
		if n := len(j.AttemptedBy); n == 0 || json.Unmarshal(j.EncodedArgs, &job) != nil || done(j.AttemptedBy[n-1], job.Watch) {
			continue
		}
		p.ID = append(p.ID, j.ID)
		p.Error = append(p.Error, []byte(`{"error":"its worker does it no more"}`))
		p.FinalizedAt = append(p.FinalizedAt, nil)
		p.ScheduledAt = append(p.ScheduledAt, now)
		p.State = append(p.State, string(rivertype.JobStateAvailable))
	}
	if len(p.ID) == 0 {
		return 0, nil
	}
	if _, err := c.driver.GetExecutor().JobRescueMany(ctx, &p); err != nil {
		return 0, fmt.Errorf("taking jobs over: %w", err)
	}
	return len(p.ID), nil
}

// Check implements Queue: it asks for one job, where Counts counts all.
func (c *client[TTx]) Check(ctx context.Context) error {
	if _, err := c.river.JobList(ctx, river.NewJobListParams().First(1)); err != nil {
		return fmt.Errorf("asking the queue: %w", err)
	}
	return nil
}

// Counts implements Queue. The database counts, by the index that River fetches
// jobs by: a backlog may be long, and metrics ask often.
func (c *client[TTx]) Counts(ctx context.Context) (Counts, error) {
	out := Counts{Waiting: map[Reason]int{}, Running: map[Reason]int{}}
	for _, r := range []Reason{Push, Asked, Backfill, Sweep} {
		for into, states := range map[*map[Reason]int]string{
			&out.Running: `'running'`, &out.Waiting: `'available', 'pending', 'scheduled', 'retryable'`,
		} {
			query := fmt.Sprintf(`SELECT COUNT(*) FROM river_job WHERE state IN (%s) AND queue = '%s' AND priority = %d`, states, r.queue(), r.priority())
			var n int
			if err := c.driver.GetExecutor().QueryRow(ctx, query).Scan(&n); err != nil {
				return out, fmt.Errorf("counting jobs: %w", err)
			}
			(*into)[r] = n
		}
	}
	return out, nil
}

// scanWorker does jobs for River.
type scanWorker struct {
	river.WorkerDefaults[Scan]
	run Runner
}

// longestWait is how long a job waits at most that is tried again.
const longestWait = time.Minute

// Timeout implements river.Worker: a scan takes as long as it takes.
func (*scanWorker) Timeout(*river.Job[Scan]) time.Duration { return -1 }

// NextRetry implements river.Worker: soon, as it only waits for the store.
func (*scanWorker) NextRetry(j *river.Job[Scan]) time.Time {
	wait := longestWait
	if j.Attempt < 6 {
		wait = time.Second << j.Attempt
	}
	return time.Now().Add(wait)
}

// Work implements river.Worker.
func (w *scanWorker) Work(ctx context.Context, j *river.Job[Scan]) error {
	err := w.run.Scan(ctx, j.Args)
	switch {
	case errors.Is(err, ErrStopped):
		return river.JobSnooze(0)
	case errors.Is(err, ErrBusy):
		return river.JobSnooze(time.Second)
	}
	return err
}

// settings are River's.
func settings(o Options) *river.Config {
	if o.Poll == 0 {
		o.Poll = 200 * time.Millisecond
	}
	c := &river.Config{
		ID: o.Worker, Logger: quiet(o.Log), JobTimeout: -1, MaxAttempts: maxAttempts,
		FetchCooldown: 20 * time.Millisecond, FetchPollInterval: o.Poll,
		CompletedJobRetentionPeriod: time.Hour, CancelledJobRetentionPeriod: time.Hour,
		SkipUnknownJobCheck: true,
	}
	if o.Runner != nil {
		c.Workers = river.NewWorkers()
		river.AddWorker(c.Workers, &scanWorker{run: o.Runner})
		c.Queues = map[string]river.QueueConfig{slowQueue: {MaxWorkers: max(1, o.Slots)}, fastQueue: {MaxWorkers: 1}}
	}
	return c
}

// quiet is a log for River, which tells much that helps nobody.
func quiet(log *slog.Logger) *slog.Logger {
	if log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(warnings{log.Handler()})
}

// warnings is a handler that lets warnings through.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// Handle implements slog.Handler: River's attributes may hold anything, and are
// left out.
func (w warnings) Handle(ctx context.Context, r slog.Record) error {
	return w.Handler.Handle(ctx, slog.NewRecord(r.Time, r.Level, "queue: "+r.Message, r.PC))
}
