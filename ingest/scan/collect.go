package scan

import (
	"context"
	"fmt"
	"maps"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/store"
)

// flushAt is how many sightings or skips are recorded at once.
const flushAt = 500

// collector takes results in order, makes their ids, records and emits them.
type collector struct {
	p       *pipeline
	began   time.Time
	res     Result
	running map[string]*running
	order   []string // of running

	pending []*ready
	skips   []pendingSkip

	distinct map[uint64]counted // findings, as they were counted
	ordinals map[uint64]uint32  // hits of a rule at a path
	located  map[uint64]uint32  // weak hits of a rule at a path

	tolerated map[uint64]wire.Tolerated   // findings
	spared    map[uint64]wire.ToleratedIn // findings with a sighting that is tolerated
	values    map[uint64]uint32           // findings, with their ordinals in baselines
	valuesAt  map[uint64]uint32           // how many there are of a rule at a path
	held      []*ready                    // recorded, and to be emitted at the end
	ending    bool

	ended bool
	cut   bool // an item was interrupted: cursors stay where they are
}

// running is the scan of one source.
type running struct {
	scan     store.Scan
	partial  bool
	failures int64
}

// ready is a sighting that can be recorded and emitted.
type ready struct {
	obs   Observation
	rules []string // further rules at the same place
	out   wire.Finding
	key   uint64
}

type pendingSkip struct {
	sourceID string
	skip     fingerprints.Skip
}

func newCollector(p *pipeline, began time.Time) *collector {
	return &collector{
		p: p, began: began, running: map[string]*running{}, distinct: map[uint64]counted{},
		ordinals: map[uint64]uint32{}, located: map[uint64]uint32{}, tolerated: map[uint64]wire.Tolerated{}, spared: map[uint64]wire.ToleratedIn{},
		values: map[uint64]uint32{}, valuesAt: map[uint64]uint32{},
		res: Result{
			Verdicts: map[fingerprints.Verdict]int{}, Severities: map[fingerprints.Severity]int{},
			Skips: map[fingerprints.SkipReason]int64{},
		},
	}
}

func (c *collector) collect(ctx context.Context) error {
	for j := range c.p.queue {
		var err error
		if j.batch {
			err = c.endBatch(ctx, j)
		} else {
			err = c.item(ctx, j)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// item takes what a worker sends until it is done.
func (c *collector) item(ctx context.Context, j *job) error {
	run, err := c.run(ctx, j)
	if err != nil {
		return err
	}
	if err := c.take(ctx, j, j.found); err != nil {
		return err
	}
	for out := range j.out {
		if err := c.take(ctx, j, out); err != nil {
			return err
		}
	}
	if err := c.takeSkips(ctx, j); err != nil {
		return err
	}
	if j.item.Locator == "" || j.item.Recurs { // the path comes once, or each time for itself
		clear(c.ordinals)
		clear(c.located)
	}
	c.res.Items++
	c.res.Bytes += j.bytes
	if run != nil {
		run.scan.Items++
		run.scan.Bytes += j.bytes
	}
	c.progress()
	return nil
}

// endBatch records what is pending and then the cursor behind it.
func (c *collector) endBatch(ctx context.Context, j *job) error {
	run, err := c.run(ctx, j)
	if err != nil {
		return err
	}
	if err := c.take(ctx, j, j.found); err != nil {
		return err
	}
	if err := c.takeSkips(ctx, j); err != nil {
		return err
	}
	if err := c.flush(ctx); err != nil {
		return err
	}
	c.res.Items += j.read.Items
	c.res.Bytes += j.read.Bytes
	if run != nil {
		run.scan.Items += j.read.Items
		run.scan.Bytes += j.read.Bytes
	}
	for _, n := range j.notes {
		c.res.Notes = append(c.res.Notes, wire.Note{SourceID: j.sourceID, Text: n})
	}
	c.ended = c.ended || j.last
	c.res.SourceFailed = c.res.SourceFailed || j.failed
	c.progress()
	if run == nil || j.cursor == nil || c.cut {
		return nil
	}
	run.scan.Cursor = j.cursor
	if err := c.p.o.Sink.SaveCursor(ctx, run.scan); err != nil {
		return fmt.Errorf("saving the cursor: %w", err)
	}
	return nil
}

// run returns the running scan of a source, begun when it is first met; nil
// where nothing is stored.
func (c *collector) run(ctx context.Context, j *job) (*running, error) {
	sourceID := j.sourceID
	r, has := c.running[sourceID]
	if has {
		return r, nil
	}
	c.order = append(c.order, sourceID)
	if c.p.o.Sink == nil || sourceID == "" {
		c.running[sourceID] = nil
		return nil, nil
	}
	src := store.Source{ID: sourceID, Kind: c.kind(sourceID), AddedAt: c.began}
	e := c.p.o.Extent
	r = &running{
		scan: store.Scan{
			SourceID: sourceID, Extent: e.Name, StartedAt: c.began,
			FieldRevision: e.FieldRevision, PackRevision: e.PackRevision, Generic: e.Generic,
		},
		// What records say of a source is never all of it; a stream claims no more.
		partial: e.Partial || !j.own && e.Name != store.ExtentStream,
	}
	id, err := c.p.o.Sink.BeginScan(ctx, src, r.scan)
	if err != nil {
		return nil, fmt.Errorf("beginning the scan: %w", err)
	}
	r.scan.ID = id
	c.running[sourceID] = r
	return r, nil
}

func (c *collector) takeSkips(ctx context.Context, j *job) error {
	for _, s := range j.skips {
		if err := c.addSkip(j.sourceID, s); err != nil {
			return err
		}
	}
	if len(c.skips) >= flushAt {
		return c.flush(ctx)
	}
	return nil
}

func (c *collector) addSkip(sourceID string, s fingerprints.Skip) error {
	c.res.Skips[s.Reason]++
	c.cut = c.cut || s.Reason == fingerprints.SkipInterrupted
	c.skips = append(c.skips, pendingSkip{sourceID, s})
	if r := c.running[sourceID]; r != nil {
		r.scan.Skips++
		if s.Reason.Failure() {
			r.failures++
		}
	}
	if c.p.o.Skip == nil {
		return nil
	}
	err := c.p.o.Skip(wire.Skip{
		SourceID: sourceID, Path: s.Path, Locator: s.Locator, Reason: s.Reason,
		Detail: s.Detail, Size: s.Size, Failure: s.Reason.Failure(),
	})
	if err != nil {
		return fmt.Errorf("reporting a skip: %w", err)
	}
	return nil
}

func (c *collector) progress() {
	if c.p.o.Progress == nil {
		return
	}
	var skips int64
	for _, n := range c.res.Skips {
		skips += n
	}
	c.p.o.Progress(Progress{Items: c.res.Items, Bytes: c.res.Bytes, Findings: len(c.distinct), Skips: skips})
}

// extentText says how much was read.
func extentText(items, bytes int64) string {
	s := fmt.Sprintf("%d items", items)
	if items == 1 {
		s = "1 item"
	}
	if bytes == 1 {
		return s + ", 1 byte"
	}
	return fmt.Sprintf("%s, %d bytes", s, bytes)
}

// finish ends the scans and the result.
func (c *collector) finish(ctx context.Context, cancelled bool) (Result, error) {
	c.res.Interrupted = cancelled && (!c.ended || c.cut)
	c.res.Items += c.p.partly.Items
	c.res.Bytes += c.p.partly.Bytes
	var err error
	if c.res.Interrupted {
		err = c.interrupted()
	}
	c.ending = true
	if flushErr := c.flush(ctx); err == nil {
		err = flushErr
	}
	read := c.ended && !c.res.Interrupted && !c.res.SourceFailed && err == nil
	if err == nil {
		err = c.endScans(ctx, read)
	}
	c.res.Findings, c.res.Sources = len(c.distinct), len(c.order)
	for key, in := range c.spared {
		if !c.distinct[key].alerts {
			c.res.Tolerated++
			if in == wire.ToleratedInRegistry {
				c.res.Decided++
			}
		}
	}
	if _, has := c.running[""]; has && len(c.order) > 1 {
		c.res.Sources-- // where records bring their own, what reads them is none
	}
	c.res.Skips = maps.Clone(c.res.Skips)
	c.res.Complete = read && len(c.res.Skips) == 0
	return c.res, err
}

// interrupted says of every scan that it was stopped, and says so once where
// none began.
func (c *collector) interrupted() error {
	stopped := fingerprints.Skip{Reason: fingerprints.SkipInterrupted, Detail: "stopped before the end", Size: -1}
	if len(c.order) == 0 {
		return c.addSkip("", stopped)
	}
	for i, id := range c.order {
		if i > 0 && c.running[id] == nil {
			continue
		}
		if err := c.addSkip(id, stopped); err != nil {
			return err
		}
	}
	return nil
}

// endScans hands the scans' ends to the sink; read says that the source came to
// its end.
func (c *collector) endScans(ctx context.Context, read bool) error {
	for _, id := range c.order {
		r := c.running[id]
		if r == nil {
			continue
		}
		r.scan.FinishedAt = c.p.o.Now()
		r.scan.Complete = read && !r.partial && r.failures == 0
		r.scan.Through = extentText(r.scan.Items, r.scan.Bytes)
		if read {
			r.scan.Cursor = nil
		}
		if err := c.p.o.Sink.Finish(ctx, r.scan); err != nil {
			return fmt.Errorf("finishing the scan: %w", err)
		}
	}
	return nil
}
