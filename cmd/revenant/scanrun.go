package main

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/ingest/report"
	"revenant/ingest/scan"
	"revenant/scanners"
)

// scanPlace is what a scan sets out to read.
type scanPlace struct {
	root     string // folder whose .gitleaks.toml counts; "" none
	sourceID string // "" when nothing of it may be stored
	kind     fingerprints.SourceKind
	extent   string
	own      bool // records bring their own sources
	partial  bool // never all of the source
	forgets  bool // what contents gave is neither known nor kept
	measured bool // root is read as a folder or file: how much that is can be told
}

// scanJob is one source of a command.
type scanJob struct {
	place scanPlace
	open  makeSource
	// name is what the user calls one source of several: when it cannot be
	// opened it is listed under it, and the others are scanned all the same. A
	// job without a name is the only one, and its error is the command's.
	name string
	// ends ends a stream when the scan is interrupted: what came until then is
	// looked at. nil: it is no stream, and the scan stops.
	ends func()
	// sink is what stores in place of the registry's sink; nil: that does.
	sink func(*registrySink) scan.Sink
	// limit leaves findings out of reports; nil: none are.
	limit func(emit func(wire.Finding) error) func(wire.Finding) error
	// again reports whether the job is done once more, with what is registered by
	// then; nil: it is done once.
	again func(ctx context.Context) bool
}

// sinkOf is what stores what the job finds.
func (j scanJob) sinkOf(s *registrySink) scan.Sink {
	if j.sink == nil {
		return s
	}
	return j.sink(s)
}

// limited is what is told of the job's findings.
func (j scanJob) limited(emit func(wire.Finding) error) func(wire.Finding) error {
	if j.limit == nil {
		return emit
	}
	return j.limit(emit)
}

// until is the context of the job's scan. That of a stream does not end: the
// stream does.
func (j scanJob) until(ctx context.Context) (scanning context.Context, stop func() bool) {
	if j.ends == nil {
		return ctx, func() bool { return false }
	}
	return context.WithoutCancel(ctx), context.AfterFunc(ctx, j.ends)
}

// runScan scans one source into one report.
func (a *app) runScan(ctx context.Context, fl *scanFlags, p scanPlace, open makeSource) error {
	return a.runScans(ctx, fl, []scanJob{{place: p, open: open}})
}

// within ends after --timeout.
func (fl *scanFlags) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if limit := fl.compat.limit(); limit > 0 {
		return context.WithTimeout(ctx, limit)
	}
	return context.WithCancel(ctx)
}

// rootsOf are the names of the folders that jobs look into.
func rootsOf(jobs []scanJob) []string {
	var roots []string
	for _, j := range jobs {
		roots = append(roots, rootNames(j.place.root)...)
	}
	return roots
}

// runScans wires a command's scans, one after another: engine, registry or
// pack, one report, one exit code.
func (a *app) runScans(ctx context.Context, fl *scanFlags, jobs []scanJob) error {
	exit, err := fl.exitRules()
	if err != nil {
		return err
	}
	reports, err := a.openReports(fl)
	if err != nil {
		return err
	}
	defer reports.abort()
	tolerated, err := a.openBaselines(&fl.baseline, rootsOf(jobs))
	if err != nil {
		return err
	}
	a.openFirst(fl, jobs)
	eye, err := a.openEye(ctx, fl)
	if err != nil {
		return err
	}
	first := eye
	defer func() { first.close() }()
	if eye.session != nil && !fl.noStore {
		if err := a.refuseValues(ctx, eye.session, fl.exclude...); err != nil {
			return err
		}
	}
	ctx, stop := fl.within(ctx)
	defer stop()
	run := &scanRun{
		a: a, fl: fl, eye: eye, first: eye, tolerated: tolerated, reports: reports, meter: a.newMeter(fl, len(jobs)), seed: maphash.MakeSeed(), began: a.now(),
	}
	eye.meter = run.meter
	if run.tell, err = a.newTeller(ctx, fl, eye); err != nil {
		return err
	}
	defer run.meter.end()
	for _, j := range jobs {
		if err := run.repeatedly(ctx, j); err != nil {
			return err
		}
	}
	if run.eye != first {
		defer run.eye.close()
	}
	run.meter.end()
	run.total.Notes = append(run.total.Notes, notes(tolerated.given, seenWhole(run.total) && !run.partial)...)
	run.total.Notes = append(run.total.Notes, spared(run.total, fl.baseline.show)...)
	run.total.Notes = append(run.total.Notes, eye.decisions.notes()...)
	a.scan.took(run, jobs)
	if err := tolerated.save(a, !run.total.Interrupted && !run.total.SourceFailed); err != nil {
		return err
	}
	if text := run.tell.words(); text != "" {
		a.note(text)
	}
	run.total.Duration = max(a.now().Sub(run.began), 0)
	summary, code := summaryOf(run.total, eye, run.began), scan.ExitCode(run.total.Outcome(), exit)
	var seen report.Data
	if fl.host != nil {
		seen = reports.data(summary)
		if code, err = fl.host.settle(code, seen); err != nil {
			return err
		}
	}
	if err := reports.close(summary); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	a.code = code
	if fl.host != nil {
		return fl.host.done(seen)
	}
	return nil
}

// scanRun is a command's scans under way.
type scanRun struct {
	a       *app
	fl      *scanFlags
	eye     *eye
	reports *reports
	// tolerated is what people agreed to live with.
	tolerated *baselines
	partial   bool // a source was not looked at as a whole
	total     scan.Result
	meter     *meter
	seed      maphash.Seed
	tell      *teller // tells a server; nil: none is told
	at        int     // the job, counted from 1
	first     *eye    // that it began with, which is closed last
	before    *eye    // that was renewed; nil: none, or the first
	began     time.Time
}

// repeatedly scans a source as long as it asks for it. What was registered meanwhile
// is looked for from the next scan on.
func (r *scanRun) repeatedly(ctx context.Context, j scanJob) error {
	for {
		if err := r.job(ctx, j); err != nil {
			return err
		}
		if j.again == nil || !j.again(ctx) {
			return nil
		}
		if err := r.renew(ctx); err != nil {
			return err
		}
	}
}

// renew opens the eye anew where the registry has moved. The old one is closed when
// there is a newer one still: a source that reads ahead may look with it.
func (r *scanRun) renew(ctx context.Context) error {
	s := r.eye.session
	if s == nil || r.fl.only == "generic" {
		return nil
	}
	key, err := s.reg.PackKey(ctx, s.actor, fingerprints.AudienceCore)
	if err != nil || key.FieldRevision == r.eye.fieldRevision {
		return err
	}
	next, err := r.a.openEye(ctx, r.fl)
	if err != nil {
		return err
	}
	next.meter = r.meter
	if r.before != nil {
		r.before.close()
	}
	if r.eye != r.first {
		r.before = r.eye
	}
	r.eye = next
	return nil
}

// job scans one source and adds what came of it.
func (r *scanRun) job(ctx context.Context, j scanJob) error {
	r.at++
	if ctx.Err() != nil && r.at > 1 {
		return r.unread(ctx, j, fingerprints.SkipInterrupted, "not begun")
	}
	ctx, stop := j.until(ctx)
	defer stop()
	eye, err := r.a.eyeAt(r.eye, r.fl, j.place)
	if err != nil {
		if j.name == "" {
			return err
		}
		return r.unread(ctx, j, fingerprints.SkipUnreadable, "its .gitleaks.toml cannot be used")
	}
	tolerance, own, err := r.tolerated.at(j.place)
	if err != nil {
		return err
	}
	opts := r.options(eye, j.place)
	opts.Tolerance = eye.decisions.and(tolerance)
	r.meter.begin(ctx, r.at, j.place, r.a.stdin)
	at := *eye
	at.kept = r.a.outcomes(eye, r.fl, j.place)
	eye = &at
	src, err := j.open(eye, nil)
	if err != nil {
		return r.unopened(ctx, j, err)
	}
	src = eye.askedAbout(j.place, src)
	defer func() { _ = src.Close() }()
	if src, err = r.stored(ctx, j, eye, src, &opts); err != nil {
		return err
	}
	told, err := r.toldTo(j, &opts)
	if err != nil {
		return err
	}
	opts.Emit = j.limited(opts.Emit)
	opts.Source = r.meter.source(src)
	r.partial = r.partial || j.place.partial
	kept := eye.kept
	kept.of(&opts)
	res, err := r.scan(ctx, opts)
	if told != nil && err == nil {
		err = told.end(context.WithoutCancel(ctx))
	}
	if err == nil && kept.save(seenWhole(res) && !j.place.partial) != nil { // what was found is recorded all the same
		r.total.Notes = append(r.total.Notes, wire.Note{SourceID: j.place.sourceID, Text: "what was found could not be remembered: the next scan takes longer"})
	}
	r.total.Notes = append(r.total.Notes, notes(own, seenWhole(res) && !j.place.partial)...)
	return err
}

// stored has what a job finds recorded in the registry, where it is to be, and goes on
// where an earlier scan ended.
func (r *scanRun) stored(ctx context.Context, j scanJob, eye *eye, src scanners.Source, opts *scan.Options) (scanners.Source, error) {
	if eye.session == nil || r.fl.noStore || j.place.sourceID == "" && !j.place.own {
		return src, nil
	}
	sink := &registrySink{session: eye.session, runs: map[int64]*registry.ScanRun{}}
	opts.Sink = j.sinkOf(sink)
	if part, is := src.(somePart); is {
		sink.stands, opts.Extent.Partial = part.Stands, !part.Whole()
	}
	if !r.fl.resume {
		return src, nil
	}
	cursor, err := sink.resume(ctx, eye, j.place, opts.Extent)
	if err != nil {
		return src, err
	}
	again, err := reopen(src, j.open, eye, cursor)
	if err != nil {
		return src, usageError{err}
	}
	return again, nil
}

// toldTo has what a job finds told to a server, where there is one; nil: nobody is
// told.
func (r *scanRun) toldTo(j scanJob, opts *scan.Options) (*toldScan, error) {
	told := r.tell.sink(j.place)
	if told != nil && (j.place.sourceID != "" || j.place.own || r.fl.host != nil) {
		if r.fl.resume {
			return nil, usagef("--resume takes up a scan of a registry here: leave it out, or give --home")
		}
		opts.Sink = told
	}
	return told, nil
}

// somePart is a source that may be asked for a part of what it has: it knows what it
// was asked for before.
type somePart interface {
	// Whole reports whether it does, or is asked for all.
	Whole() bool
	// Stands reports whether a part that was scanned before, and is not now, has what
	// stands at a locator.
	Stands(locator string) bool
}

// unopened is what becomes of a source that cannot be opened: the command's error,
// or, of several, one that is listed.
func (r *scanRun) unopened(ctx context.Context, j scanJob, err error) error {
	var skip *scanners.SkipError
	switch {
	case j.name == "":
		return usageError{err}
	case errors.As(err, &skip):
		return r.unread(ctx, j, skip.Reason, skip.Detail)
	}
	return r.unread(ctx, j, fingerprints.SkipUnreadable, "cannot be opened")
}

func (r *scanRun) options(e *eye, p scanPlace) scan.Options {
	o := scan.Options{
		Engine: e.engine, PathMatchers: e.engine.Matchers,
		Archives: r.fl.archives(r.a.now),
		Labels:   e.labels, Triage: e.triage, Identities: e.ids,
		Extent: scan.Extent{
			Name:          p.extent,
			Partial:       p.partial,
			FieldRevision: e.fieldRevision, PackRevision: e.packRevision, Generic: e.generic,
		},
		Now: r.a.now, Workers: r.fl.workers, MaxSize: r.fl.compat.megabytes << 20, Seed: r.seed,
		IgnoreMarks: r.fl.compat.ignoreMarks, EmitTolerated: r.fl.baseline.show,
		Emit: r.reports.finding, Skip: r.reports.skip,
	}
	if r.meter != nil {
		o.Progress = r.meter.scanned
	}
	if r.fl.showSecrets {
		o.Secrets = scan.SecretsShown
	}
	return o
}

// seenWhole reports whether what was not found is not there.
func seenWhole(r scan.Result) bool {
	return !r.Interrupted && !r.SourceFailed && r.Outcome().Failures == 0
}

func (r *scanRun) scan(ctx context.Context, o scan.Options) (scan.Result, error) {
	res, err := scan.Run(ctx, o)
	r.total.Add(res)
	if err != nil {
		r.meter.end()
		return res, fmt.Errorf("scanning: %w", err)
	}
	return res, nil
}

// unread lists a source of several that was not read.
func (r *scanRun) unread(ctx context.Context, j scanJob, why fingerprints.SkipReason, detail string) error {
	o := r.options(r.eye, j.place)
	o.Source = &nothing{fingerprints.Skip{Path: j.name, Reason: why, Detail: detail, Size: -1}}
	r.total.Interrupted = r.total.Interrupted || why == fingerprints.SkipInterrupted
	before := r.total.Sources
	_, err := r.scan(context.WithoutCancel(ctx), o)
	r.total.Sources = before
	return err
}

// nothing is a source that has one skip. It has no id: nothing of it is stored.
type nothing struct{ skip fingerprints.Skip }

func (*nothing) ID() string                    { return "" }
func (*nothing) Kind() fingerprints.SourceKind { return fingerprints.KindOther }
func (*nothing) Close() error                  { return nil }

// Next implements scanners.Source.
func (n *nothing) Next(context.Context) (scanners.Batch, error) {
	return scanners.Batch{Skipped: []fingerprints.Skip{n.skip}}, io.EOF
}

// reopen opens the source again where an interrupted scan stopped.
func reopen(src scanners.Source, open makeSource, e *eye, cursor []byte) (scanners.Source, error) {
	if cursor == nil {
		return src, nil
	}
	again, err := open(e, cursor)
	if err != nil {
		return src, err
	}
	_ = src.Close()
	return again, nil
}

func summaryOf(r scan.Result, e *eye, began time.Time) wire.Summary {
	s := wire.Summary{
		Sources: r.Sources, Items: r.Items, Bytes: r.Bytes, Findings: r.Findings, Sightings: r.Sightings, Tolerated: r.Tolerated, ToleratedDecided: r.Decided,
		Complete: r.Complete, Interrupted: r.Interrupted, StartedAt: began, Duration: r.Duration, Notes: r.Notes,
		Registered: e.fields, GenericOnly: e.ids == nil && e.generic,
	}
	for reason, n := range r.Skips {
		s.SkipCounts = append(s.SkipCounts, wire.SkipCount{Reason: reason, Count: n})
	}
	return s
}
