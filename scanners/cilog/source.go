package cilog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
)

// RunsPath is the path of what is said of runs as a whole.
const RunsPath = "@runs"

// Options say what of a project is read. Project and Now are required.
type Options struct {
	Project  Project
	SourceID string // "": the project's own
	Memory   Memory // nil: nothing is remembered
	Since    time.Time
	Branch   string
	// Most is how many runs are read that were not read before; 0: all. The others
	// wait for the next scan.
	Most int
	// NewOnly leaves out runs that were read before.
	NewOnly bool
	// Holds reports whether a log gave something when it was looked at last: its run
	// is asked whether its logs are still kept. nil: none did.
	Holds func(identity, path string) bool
	// LineTime reads the time that a line begins with; nil: none is read.
	LineTime func(line []byte) (time.Time, bool)
	// Section names what part of a log is open; nil: logs have no parts.
	Section func(before []byte) string
	Now     func() time.Time
	// Ahead is how many runs are asked for before they are needed; 0: 3.
	Ahead int
	// KeepEvery is how long may pass until what is known is saved; 0: 30 s.
	KeepEvery time.Duration
}

// Bounds of one scan.
const (
	defaultAhead = 3
	defaultKeep  = 30 * time.Second
	maxAsked     = 100 // runs that hold something and are asked for whether their logs are kept
	batchItems   = 256
	maxFailures  = 5 // in a row: the system is not there
)

// Source reads a project; it implements scanners.Source.
type Source struct {
	o     Options
	known known
	// place of each run in known.Runs
	at     map[runID]*knownRun
	loaded bool
	listed bool
	ended  error // what Next returns from now on

	met     map[runID]bool // runs of the part that was asked for; nil: all were
	recall  []*knownRun    // whose items are still to be given out
	fetches *fetches
	expired int // runs whose logs were gone before they were read
	failed  int // in a row
	going   int
	fresh   int // runs that were read
	changed bool
	saved   time.Time
	mu      sync.Mutex
	taken   map[runID]bool // runs that wait no more, until that is saved
	gone    map[runID]bool // met as expired when a log was opened
	skipped []fingerprints.Skip
	notes   []string
}

var _ scanners.Source = (*Source)(nil)

// New returns a source. It closes the project when it is closed.
func New(o Options) *Source {
	if o.SourceID == "" {
		o.SourceID = o.Project.ID()
	}
	if o.Ahead <= 0 {
		o.Ahead = defaultAhead
	}
	if o.KeepEvery <= 0 {
		o.KeepEvery = defaultKeep
	}
	return &Source{o: o, at: map[runID]*knownRun{}, taken: map[runID]bool{}, gone: map[runID]bool{}}
}

// ID implements scanners.Source.
func (s *Source) ID() string { return s.o.SourceID }

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindCI }

// Next implements scanners.Source: first what is known, as it is now, then run
// for run what is new.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if s.ended != nil {
		return scanners.Batch{}, s.ended
	}
	if err := ctx.Err(); err != nil {
		return scanners.Batch{}, err
	}
	if !s.listed {
		if err := s.list(ctx); err != nil {
			return scanners.Batch{}, s.end(ctx, err)
		}
		s.listed = true
	}
	b := scanners.Batch{}
	switch {
	case len(s.recall) > 0:
		b.Items = s.remembered()
	case s.fetches.left():
		items, err := s.next(ctx)
		if err != nil {
			return scanners.Batch{Skipped: s.skips()}, s.end(ctx, err)
		}
		b.Items = items
		_ = s.keepNow(false) // what cannot be kept now is kept at the end, or told there
	default:
		s.finish()
		err := s.end(ctx, io.EOF)
		return scanners.Batch{Skipped: s.skips(), Notes: s.notes}, err
	}
	b.Skipped = s.skips()
	return b, nil
}

// skips are those since the last batch.
func (s *Source) skips() []fingerprints.Skip {
	out := s.skipped
	s.skipped = nil
	return out
}

// skip lists what was not read.
func (s *Source) skip(path, locator string, why fingerprints.SkipReason, detail string) {
	s.skipped = append(s.skipped, fingerprints.Skip{Path: path, Locator: locator, Reason: why, Detail: detail, Size: -1})
}

// end saves what is known and is what Next returns. A source that was cancelled
// can go on.
func (s *Source) end(ctx context.Context, err error) error {
	saveErr := s.keepNow(true)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, io.EOF) && saveErr != nil {
		s.notes = append(s.notes, "what was read could not be remembered: the next scan reads it again")
	}
	s.ended = err
	if !errors.Is(err, io.EOF) {
		s.ended = asSkip(err)
	}
	return s.ended
}

// asSkip says why a source ended early. Errors of projects teach, and hold
// nothing of what was read.
func asSkip(err error) error {
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: err.Error(), Size: -1}
}

// Close implements scanners.Source.
func (s *Source) Close() error {
	if s.fetches != nil {
		s.fetches.stop()
	}
	err := s.keepNow(true)
	if s.ended == nil || errors.Is(s.ended, io.EOF) {
		s.ended = io.EOF
	}
	return errors.Join(err, s.o.Project.Close())
}

// list finds out what there is: what is remembered, what was left, what is new.
func (s *Source) list(ctx context.Context) (err error) {
	if !s.loaded {
		if s.known, err = load(s.o.Memory); err != nil {
			return err
		}
		for _, r := range s.known.Runs {
			s.at[r.Run.key()] = r
		}
		s.loaded, s.saved = true, s.o.Now()
	}
	if err := s.listRuns(ctx); err != nil {
		return err
	}
	if !s.o.NewOnly {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	for _, r := range s.known.Runs {
		if r.Expired && len(r.Logs) > 0 { // what they gave may have been forgotten
			s.expire(r)
		}
	}
	waiting := s.wanted()
	if s.o.Most > 0 && len(waiting) > s.o.Most {
		left := len(waiting) - s.o.Most
		s.skip(RunsPath, "", fingerprints.SkipExcluded, counted(left, "run waits", "runs wait")+" for the next scan: as many as were asked for are read")
		waiting = waiting[:s.o.Most]
	}
	s.recalls(waiting)
	s.fetches = newFetches(ctx, s.o.Project, waiting, s.o.Ahead)
	return nil
}

// recalls chooses the runs whose logs are given out as they are remembered: those
// that are not listed anew.
func (s *Source) recalls(waiting []Run) {
	if s.o.NewOnly {
		return
	}
	anew := map[runID]bool{}
	for _, r := range waiting {
		anew[r.key()] = true
	}
	for _, r := range s.known.Runs {
		if key := r.Run.key(); !anew[key] && (s.met == nil || s.met[key]) {
			s.recall = append(s.recall, r)
		}
	}
}

// wanted are the runs to be read now.
func (s *Source) wanted() []Run {
	var out []Run
	for _, r := range s.known.Waiting {
		if s.met == nil || s.met[r.key()] {
			out = append(out, r)
		}
	}
	return out
}

// listRuns asks for runs that are new or have changed. A listing of a part keeps
// no mark: what it left out is not known.
func (s *Source) listRuns(ctx context.Context) error {
	q := Query{Mark: s.known.Mark, Since: s.o.Since, Branch: s.o.Branch}
	part := !q.Since.IsZero() || q.Branch != ""
	if part {
		q.Mark, s.met = "", map[runID]bool{}
	}
	waits := map[runID]int{}
	for i, r := range s.known.Waiting {
		waits[r.key()] = i
	}
	var found []Run
	mark, err := s.o.Project.Runs(ctx, q, func(page []Run) bool {
		for _, r := range page {
			if part {
				s.met[r.key()] = true
			}
			if i, has := waits[r.key()]; has {
				if i >= 0 {
					s.known.Waiting[i] = r
				}
				continue
			}
			if old := s.at[r.key()]; old != nil && old.Run.Changed == r.Changed {
				continue
			}
			waits[r.key()] = -1 // a page that moved may bring it again
			found = append(found, r)
		}
		return ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return err
	}
	s.known.Waiting = append(found, s.known.Waiting...)
	slices.SortStableFunc(s.known.Waiting, newestFirst)
	if !part {
		s.changed = s.changed || s.known.Mark != mark
		s.known.Mark = mark
	}
	s.changed = s.changed || len(found) > 0
	return nil
}

func newestFirst(a, b Run) int {
	return cmp.Or(b.Began.Compare(a.Began), cmp.Compare(len(b.ID), len(a.ID)), strings.Compare(b.ID, a.ID), cmp.Compare(b.Attempt, a.Attempt))
}

// ask asks whether the logs of runs that hold something are still kept, those
// first that were not asked for longest.
func (s *Source) ask(ctx context.Context) error {
	var held []*knownRun
	for _, r := range s.known.Runs {
		if !r.Expired && s.holds(r) {
			held = append(held, r)
		}
	}
	slices.SortStableFunc(held, func(a, b *knownRun) int { return a.Asked.Compare(b.Asked) })
	for _, r := range held[:min(len(held), maxAsked)] {
		var part *PartError
		err := s.o.Project.Kept(ctx, r.Run, s.heldLogs(r))
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &part):
			r.Logs = slices.DeleteFunc(r.Logs, func(l Log) bool { return slices.Contains(part.Keys, l.Key) })
		case errors.Is(err, ErrExpired):
			s.expire(r)
		case errors.Is(err, ErrDeleted):
			r.Logs = nil
		case fatal(err):
			return err
		case err != nil:
			s.skip(RunsPath, s.locator(r.Run, ""), fingerprints.SkipUnreadable, "it could not be learnt whether its logs are still kept: "+err.Error())
			continue
		}
		r.Asked, s.changed = s.o.Now(), true
	}
	return nil
}

// expire notes that a run's logs are not kept any longer. What held nothing is
// forgotten.
func (s *Source) expire(r *knownRun) {
	before := len(r.Logs)
	r.Logs = slices.DeleteFunc(r.Logs, func(l Log) bool { return !s.held(r.Run, l) })
	s.changed = s.changed || !r.Expired || len(r.Logs) != before
	r.Expired = true
}

func (s *Source) holds(r *knownRun) bool {
	return slices.ContainsFunc(r.Logs, func(l Log) bool { return s.held(r.Run, l) })
}

// heldLogs are those of a run that gave something.
func (s *Source) heldLogs(r *knownRun) (out []Log) {
	for _, l := range r.Logs {
		if s.held(r.Run, l) {
			out = append(out, l)
		}
	}
	return out
}

func (s *Source) held(r Run, l Log) bool {
	return s.o.Holds != nil && s.o.Holds(s.identity(r, l), l.Path)
}

// fatal reports whether an error is not one run's alone.
func fatal(err error) bool {
	return errors.Is(err, ErrDenied) || errors.Is(err, ErrLimited) || errors.Is(err, ErrNoProject)
}

// remembered are the next items of what is known.
func (s *Source) remembered() []scanners.Item {
	var items []scanners.Item
	for len(s.recall) > 0 && len(items) < batchItems {
		r := s.recall[0]
		s.recall = s.recall[1:]
		presence := fingerprints.PresenceRetained
		if r.Expired {
			presence = fingerprints.PresenceExpired
		}
		s.skipped = append(s.skipped, r.Skips...)
		for _, l := range r.Logs {
			items = append(items, s.item(r.Run, l, presence))
		}
	}
	return items
}

// next are the items of the next run that was not read before.
func (s *Source) next(ctx context.Context) ([]scanners.Item, error) {
	f, err := s.fetches.next(ctx)
	if err != nil {
		return nil, err
	}
	r := f.run
	switch {
	case errors.Is(f.err, ErrExpired), errors.Is(f.err, ErrDeleted):
		if errors.Is(f.err, ErrExpired) {
			s.expired++
		}
		s.done(&knownRun{Run: r})
		s.failed = 0
		return nil, nil
	case f.err != nil && (fatal(f.err) || ctx.Err() != nil):
		return nil, f.err
	case f.err != nil:
		s.skip(RunsPath, s.locator(r, ""), fingerprints.SkipUnreadable, "its logs cannot be listed: "+f.err.Error())
		if s.failed++; s.failed >= maxFailures {
			return nil, f.err
		}
		return nil, nil
	}
	s.failed = 0
	s.fresh++
	return s.items(r, f.logs), nil
}

// items are those of a run whose logs were listed.
func (s *Source) items(r Run, logs []Log) []scanners.Item {
	var items []scanners.Item
	done := &knownRun{Run: r}
	again := r.Going
	for _, l := range logs {
		switch {
		case l.Missing == nil:
			items = append(items, s.item(r, l, fingerprints.PresenceRetained))
			if !l.Going {
				done.Logs = append(done.Logs, l)
			}
		case errors.Is(l.Missing, ErrExpired), errors.Is(l.Missing, ErrDeleted):
			s.skip(l.Path, s.locator(r, l.Part), fingerprints.SkipExpired, l.Missing.Error())
		case l.Going: // not there yet
		default:
			k := s.missing(r, l)
			if s.skipped = append(s.skipped, k); k.Reason.Failure() {
				again = true
			} else {
				done.Skips = append(done.Skips, k)
			}
		}
		again = again || l.Going
	}
	if again {
		s.going++
	} else {
		s.done(done)
	}
	return items
}

// missing is how a log is listed that could not be had.
func (s *Source) missing(r Run, l Log) fingerprints.Skip {
	k := fingerprints.Skip{Path: l.Path, Locator: s.locator(r, l.Part), Reason: fingerprints.SkipUnreadable, Detail: l.Missing.Error(), Size: l.Size}
	var skip *scanners.SkipError
	if errors.As(l.Missing, &skip) {
		k.Reason, k.Detail, k.Size = skip.Reason, skip.Detail, skip.Size
	}
	return k
}

// done remembers a run that need not be listed again.
func (s *Source) done(r *knownRun) {
	key := r.Run.key()
	if old := s.at[key]; old != nil {
		*old = *r
	} else {
		s.at[key] = r
		s.known.Runs = append(s.known.Runs, r)
	}
	s.taken[key] = true
	s.changed = true
}

// finish says what a person may want to know.
func (s *Source) finish() {
	if s.expired > 0 {
		s.skip(RunsPath, "", fingerprints.SkipExpired, "the logs of "+counted(s.expired, "run are", "runs are")+" not kept any longer: what they held cannot be known")
	}
	if s.fresh > 0 || len(s.known.Runs) > 0 {
		s.notes = append(s.notes, fmt.Sprintf("%s read, %s read before", counted(s.fresh, "run", "runs"), counted(max(0, len(s.known.Runs)-s.fresh+s.going), "was", "were")))
	}
	if s.going > 0 {
		s.notes = append(s.notes, counted(s.going, "run is", "runs are")+" not at the end: the next scan reads them again")
	}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// forgetAfter is how long a run that left nothing is remembered: no system lists
// its runs for longer.
const forgetAfter = 400 * 24 * time.Hour

// tidy drops what need not be remembered.
func (s *Source) tidy() {
	s.mu.Lock()
	gone := s.gone
	s.gone = map[runID]bool{}
	s.mu.Unlock()
	for key := range gone {
		if r := s.at[key]; r != nil && !r.Expired {
			s.expire(r)
		}
	}
	limit := s.o.Now().Add(-forgetAfter)
	s.known.Runs = slices.DeleteFunc(s.known.Runs, func(r *knownRun) bool {
		old := len(r.Logs) == 0 && r.Run.Began.Before(limit)
		if old {
			delete(s.at, r.Run.key())
		}
		return old
	})
}

// keepNow saves what is known when it is time.
func (s *Source) keepNow(whatever bool) error {
	if whatever && s.loaded {
		s.tidy()
	}
	if s.o.Memory == nil || !s.changed || !whatever && s.o.Now().Sub(s.saved) < s.o.KeepEvery {
		return nil
	}
	s.known.Waiting = slices.DeleteFunc(s.known.Waiting, func(r Run) bool { return s.taken[r.key()] })
	clear(s.taken)
	slices.SortStableFunc(s.known.Runs, func(a, b *knownRun) int { return newestFirst(a.Run, b.Run) })
	b, err := s.known.pack()
	if err == nil {
		err = s.o.Memory.Save(b)
	}
	s.saved = s.o.Now()
	s.changed = err != nil
	return err
}

// item is a log as the pipeline takes it.
func (s *Source) item(r Run, l Log, p fingerprints.Presence) scanners.Item {
	it := scanners.Item{
		SourceID: s.o.SourceID, Path: l.Path, Locator: s.locator(r, l.Part), Presence: p,
		URL: l.URL, LineURL: l.LineURL, LineTime: s.o.LineTime, Section: s.o.Section, At: l.Began, Size: l.Size, Recurs: true,
		Origin: scanners.Origin{Message: r.Workflow},
		Open:   func(ctx context.Context) (io.ReadCloser, error) { return s.open(ctx, r, l) },
	}
	if r.Branch != "" {
		it.Refs = []string{r.Branch}
	}
	if it.At.IsZero() {
		it.At = r.Began
	}
	if !l.Going {
		it.Identity = s.identity(r, l)
	}
	return it
}

// identity names a log's content for ever.
func (s *Source) identity(r Run, l Log) string {
	return strings.Join([]string{s.o.Project.ID(), r.ID, fmt.Sprint(r.Attempt), l.Key}, "\x00")
}

// locator names a log within its project.
func (s *Source) locator(r Run, part string) string {
	out := "run " + r.ID
	if r.Attempt > 1 {
		out += fmt.Sprintf(" attempt %d", r.Attempt)
	}
	if part != "" {
		out += " " + part
	}
	return out
}

// open opens a log, and says how it is listed when it cannot be.
func (s *Source) open(ctx context.Context, r Run, l Log) (io.ReadCloser, error) {
	rc, err := s.o.Project.Open(ctx, r, l)
	if err == nil {
		return reading{rc}, nil
	}
	if errors.Is(err, ErrExpired) {
		s.mu.Lock()
		s.gone[r.key()] = true
		s.mu.Unlock()
	}
	return nil, unread(err)
}

// unread is an error as a skip.
func unread(err error) error {
	var skip *scanners.SkipError
	switch {
	case errors.As(err, &skip):
		return skip
	case errors.Is(err, ErrExpired), errors.Is(err, ErrDeleted):
		return &scanners.SkipError{Reason: fingerprints.SkipExpired, Detail: err.Error(), Size: -1}
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: err.Error(), Size: -1}
}

// reading says how a log is listed that breaks off.
type reading struct{ io.ReadCloser }

// Read implements io.Reader.
func (r reading) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = unread(err)
	}
	return n, err
}
