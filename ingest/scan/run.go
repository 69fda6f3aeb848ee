package scan

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"revenant/fingerprints"
	"revenant/scanners"
)

// ErrMisconfigured is wrapped when Options lack something.
var ErrMisconfigured = errors.New("misconfigured scan")

// errStopped ends workers whose results nobody takes any more.
var errStopped = errors.New("stopped")

// Memory: an item in flight is weighed as a few times its size, because rules
// copy what they look at, up to what one chunk of the engine needs.
const (
	defaultMemory = 256 << 20
	chunkCopies   = 4
	itemOverhead  = 256 << 10
)

// Run scans a source to its end. An error is the sink's, Emit's or a
// misconfiguration; what the source could not give is in the Result. When ctx
// ends, what was found until then is recorded and reported, and the Result is
// marked as interrupted.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Source == nil || o.Engine == nil || o.Now == nil {
		return Result{}, fmt.Errorf("starting: %w: source, engine and clock are required", ErrMisconfigured)
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Seed == (maphash.Seed{}) {
		o.Seed = maphash.MakeSeed()
	}
	p := &pipeline{
		o: o, namer: newNamer(o.Labels), seed: o.Seed,
		jobs: make(chan *job, ahead), queue: make(chan *job, waiting), stopped: make(chan struct{}),
		members: members{redactor: redactor{matchers: o.PathMatchers, known: map[string]bool{}}, large: make(chan struct{}, 1)},
		memory:  semaphore.NewWeighted(o.Memory), known: known{ids: map[valueKey]identity{}},
	}
	p.members.redactor.namer = p.namer
	for _, m := range o.PathMatchers {
		p.overlap = max(p.overlap, m.Overlap())
	}
	return p.run(ctx)
}

// waiting is how many items may be under way behind one that takes long: they
// are handed over in their order. What they hold is bounded by Options.Memory.
const waiting = 1024

// ahead is how many items wait for a worker at the most: without any, workers wait
// whenever the source waits for a disk. What they hold is bounded as well.
const ahead = 64

// pipeline is one run: a producer pulls the source and redacts provenance,
// workers scan, and the collector takes their results in the source's order.
type pipeline struct {
	o       Options
	namer   *namer
	seed    maphash.Seed
	overlap int
	jobs    chan *job     // to the workers
	queue   chan *job     // the same to the collector, and the batches' ends
	stopped chan struct{} // closed when the collector gives up
	memory  *semaphore.Weighted
	known   known
	members members
	partly  scanners.Counts // what the source had looked at itself when it was stopped
}

// job is an item on its way, or the end of a batch.
type job struct {
	item     scanners.Item
	sourceID string // redacted: what is stored and shown
	own      bool   // it is the source's, not one that a record brings
	path     text
	locator  string // redacted
	url      string // redacted
	extent   string
	weight   int64
	late     bool            // it is still looked at when the scan is interrupted
	found    []*sighting     // in the item's own provenance
	read     scanners.Counts // of the batch: what the source looked at itself
	out      chan []*sighting
	record   *recording
	// Written by the worker before out is closed:
	bytes int64
	skips []fingerprints.Skip

	// A job without an item ends a batch:
	batch  bool
	cursor []byte
	notes  []string
	failed bool // the source ended early
	last   bool // the source ended
}

func (p *pipeline) run(ctx context.Context) (Result, error) {
	began := p.o.Now()
	work, stop := context.WithCancel(ctx)
	defer stop()
	late, stopLate := p.later(ctx)
	defer stopLate()
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(p.queue)
		defer close(p.jobs)
		newProducer(p).produce(work, late)
	})
	for range p.o.Workers {
		wg.Go(func() {
			for j := range p.jobs {
				if j.late {
					p.scan(late, j)
				} else {
					p.scan(work, j)
				}
			}
		})
	}
	c := newCollector(p, began)
	// What was found is recorded even when the user interrupts.
	err := c.collect(context.WithoutCancel(ctx))
	if err != nil {
		close(p.stopped)
		stop()
		stopLate()
		for range p.queue { // until the producer has closed it
		}
	}
	wg.Wait()
	res, finishErr := c.finish(context.WithoutCancel(ctx), ctx.Err() != nil)
	res.Duration = max(p.o.Now().Sub(began), time.Duration(0))
	return res, errors.Join(err, finishErr)
}

// graceful is how long an interrupted scan may look at what its source had found.
const graceful = 5 * time.Second

// later ends some time after ctx does.
func (p *pipeline) later(ctx context.Context) (context.Context, context.CancelFunc) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	grace := p.o.Grace
	if grace <= 0 {
		grace = graceful
	}
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return late, func() { unhook(); cancel() }
}

// weigh is how much of the memory budget an item takes.
func (p *pipeline) weigh(size int64) int64 {
	if size < 0 {
		return p.o.Memory
	}
	return min(min(size, scanners.DefaultChunkSize)*chunkCopies+itemOverhead, p.o.Memory)
}

// scan is the work on one item.
func (p *pipeline) scan(ctx context.Context, j *job) {
	defer p.memory.Release(j.weight)
	defer close(j.out)
	skip := func(reason fingerprints.SkipReason, detail string, size int64) {
		j.skipped(j.path, fingerprints.Skip{Reason: reason, Detail: detail, Size: size})
	}
	defer func() {
		if recover() != nil { // its text could hold content
			skip(fingerprints.SkipUnreadable, "a matcher failed on it: please report", j.item.Size)
		}
	}()
	c := p.newContent(j)
	defer func() { _ = c.end() }()
	if ctx.Err() != nil {
		skip(fingerprints.SkipInterrupted, "", j.item.Size)
		return
	}
	if most := p.o.MaxSize; most > 0 && j.item.Size > most {
		skip(fingerprints.SkipTooLarge, "longer than was asked for", j.item.Size)
		return
	}
	if j.record = p.records(j); p.recall(ctx, j) {
		return
	}
	rc, err := j.item.Open(ctx)
	if err != nil {
		s := asSkip(err)
		skip(s.Reason, s.Detail, s.Size)
		return
	}
	in := &inside{p: p, j: j, top: c, last: map[valueKey]int{}, reported: map[uint64]bool{}}
	err = in.expand(ctx, rc)
	closeErr := rc.Close()
	if err == nil {
		err = c.end()
	}
	switch {
	case errors.Is(err, errStopped): // the collector gave up; it knows why
	case err != nil && ctx.Err() != nil:
		skip(fingerprints.SkipInterrupted, "", -1)
	case err != nil:
		s := asSkip(err)
		skip(s.Reason, s.Detail, s.Size)
	case closeErr != nil:
		s := asSkip(closeErr)
		skip(s.Reason, s.Detail, s.Size)
	default:
		p.keepOutcome(ctx, j)
	}
}

// skipped lists what was not read at a path.
func (j *job) skipped(t text, s fingerprints.Skip) {
	j.record.skip(t, s)
	s.Path, s.Locator = t.shown(), j.locator
	j.skips = append(j.skips, s)
}

// asSkip never repeats an error's text: it may hold a path.
func asSkip(err error) *scanners.SkipError {
	var s *scanners.SkipError
	if errors.As(err, &s) {
		return s
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "cannot be read", Size: -1}
}
