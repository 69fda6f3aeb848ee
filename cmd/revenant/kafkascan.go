package main

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/report/terminal"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/kafka"
)

// kafkaSegment is how long one scan of a topic that is followed is: what was searched
// until then counts as covered, and newly registered values are looked for from then
// on at the latest.
const kafkaSegment = 10 * time.Minute

// leastSegment is how long the first is in a server.
const leastSegment = 2 * time.Second

// kafkaEmitted is how many sightings of one finding a report lists; all are counted.
const kafkaEmitted = 100

// runKafka scans topics once, or follows them.
func (a *app) runKafka(ctx context.Context, fl *kafkaFlags, brokers []string) (err error) {
	if a.again { // the members of the group read on
		fl.group = ""
	}
	if err := fl.check(); err != nil {
		return err
	}
	start, err := fl.start(a.now())
	if err != nil {
		return err
	}
	cfg, err := fl.config(ctx, a, brokers)
	if err != nil {
		return err
	}
	results, err := a.openResults(ctx, fl, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if late := results.close(); late != nil {
			err = errors.Join(err, late)
		}
	}()
	t := &topicsRun{a: a, fl: fl, look: &kafkaLook{archives: fl.archives(a.now)}}
	t.reader, err = kafka.Open(ctx, kafka.Options{
		Config: cfg, Topics: fl.topics, Start: start, Follow: fl.follow, Group: fl.group, MaxBytes: a.stream.bound(fl.megabyte << 20), Workers: fl.workers,
		Own: a.ownTopics(fl.results), Patience: fl.patience, Now: a.now, Log: a.kafkaLog(), Screen: t.look, Load: t.load, Known: t.known, Witness: t.look.witness, Eye: t.look.searched,
	})
	if err != nil {
		return kafkaError(err)
	}
	defer func() { _ = t.reader.Close() }()
	a.stream.opened(t.reader)
	if err := results.begin(ctx, t.reader.ID()); err != nil {
		return err
	}
	job := scanJob{place: scanPlace{sourceID: t.reader.ID(), kind: fingerprints.KindKafka, forgets: true}}
	job.open, job.sink, job.limit = t.open, t.sink, t.limit
	if fl.follow {
		job.again = func(ctx context.Context) bool {
			a.stream.stood(ctx, t.look.eye.Load().fieldRevision)
			return ctx.Err() == nil
		}
	}
	if err := a.runScans(ctx, &fl.scanFlags, []scanJob{job}); err != nil {
		return err
	}
	return results.flush(ctx)
}

// topicsRun is a scan of topics under way: one reader, and one scan after another of
// what it reads.
type topicsRun struct {
	a        *app
	fl       *kafkaFlags
	reader   *kafka.Reader
	look     *kafkaLook
	hits     atomic.Int64
	counts   map[uint64]int // sightings of findings that were emitted
	length   time.Duration  // of the stretch before, and what it looked for
	revision uint64
}

// open gives the reader's next stretch, which is looked at with an eye.
func (t *topicsRun) open(e *eye, _ []byte) (scanners.Source, error) {
	t.look.use(e)
	t.reader.Renewed()
	e.meter.follows(t.flows)
	t.counts = map[uint64]int{}
	if t.fl.follow {
		length := t.stretch(e.fieldRevision)
		var early <-chan struct{}
		if t.a.shared != nil && e.registered != nil {
			early = t.a.shared.renewed()
			if t.a.shared.fieldRevision() > e.fieldRevision { // it came meanwhile
				length = time.Nanosecond
			}
		}
		return t.reader.During(length, early), nil
	}
	return t.reader.Source(), nil
}

// flows is how the topics go, for the line of progress.
func (t *topicsRun) flows() terminal.Stream {
	s := terminal.Stream{Hits: t.hits.Load()}
	for _, l := range t.reader.Lag() {
		s.Behind += l.Messages
	}
	return s
}

// stretch is how long the next scan is. In a server the first ones with newer values are
// short, so that it is soon known what of the topics is left to be looked through.
func (t *topicsRun) stretch(revision uint64) time.Duration {
	most := kafkaSegment
	if t.a.segment > 0 {
		most = t.a.segment
	}
	if t.a.stream == nil {
		return most
	}
	if t.length == 0 || revision != t.revision {
		t.length, t.revision = leastSegment/2, revision
	}
	t.length = min(2*t.length, most)
	return t.length
}

// load reads how far a topic was read, before anything is stored of it.
func (t *topicsRun) load(ctx context.Context, sourceID string) (map[string][]byte, error) {
	e := t.look.eye.Load()
	if e.session == nil || t.fl.noStore {
		return nil, nil
	}
	id := scan.Shown(ctx, e.engine.Matchers, e.labels, sourceID)
	return e.session.reg.Positions(ctx, e.session.actor, id)
}

// known are the topics that were read before. It may be asked before anything is looked
// at.
func (t *topicsRun) known(ctx context.Context) ([]string, error) {
	if t.fl.noStore || t.fl.pack != "" {
		return nil, nil
	}
	s := (*session)(nil)
	if e := t.look.eye.Load(); e != nil {
		s = e.session
	} else if opened, err := t.a.openSession(ctx); err == nil {
		defer func() { _ = opened.close() }()
		s = opened
	}
	if s == nil {
		return nil, nil
	}
	return s.reg.SourceIDs(ctx, s.actor, fingerprints.KindKafka)
}

// sink stores what is found, and tells the reader so.
func (t *topicsRun) sink(s *registrySink) scan.Sink {
	s.stands = func(string) bool { return t.fl.begin != "earliest" } // what has passed stays as it was
	return &kafkaSink{registrySink: s, t: t, sources: map[int64]string{}}
}

// limit lists some sightings of a finding, and not each of millions.
func (t *topicsRun) limit(emit func(wire.Finding) error) func(wire.Finding) error {
	return func(f wire.Finding) error {
		t.hits.Add(1)
		key := f.Same ^ uint64(len(f.Path))<<32 ^ uint64(len(f.SourceID))
		if t.counts[key]++; t.counts[key] > kafkaEmitted || t.fl.follow && t.counts[key] > 1 {
			return nil
		}
		return emit(f)
	}
}

// kafkaLook is what messages are looked at with now. It is used by several goroutines.
type kafkaLook struct {
	archives *archives.Expander
	eye      atomic.Pointer[eye]
}

func (k *kafkaLook) use(e *eye) { k.eye.Store(e) }

// Texts implements kafka.Screen.
func (k *kafkaLook) Texts(ctx context.Context, texts [][]byte, yes func(i int)) {
	scan.Screen{Engine: k.eye.Load().engine, Archives: k.archives}.Texts(ctx, texts, yes)
}

// searched says what is looked for.
func (k *kafkaLook) searched() (fields uint64, generic bool) {
	e := k.eye.Load()
	return e.fieldRevision, e.generic
}

// witness is a keyed hash of a record; nil where there are no keys.
func (k *kafkaLook) witness(record []byte) []byte {
	e := k.eye.Load()
	if e.ids == nil {
		return nil
	}
	id := e.ids.Edge.PathID(record)
	return id[:8]
}

// kafkaSink is the registry's sink for topics: positions are stored behind what was
// found before them, and only then does the reader learn that they are.
type kafkaSink struct {
	*registrySink
	t       *topicsRun
	sources map[int64]string // raw ids of scans, as the reader knows them
}

// BeginScan implements scan.Sink.
func (k *kafkaSink) BeginScan(ctx context.Context, src store.Source, s store.Scan) (int64, error) {
	id, err := k.registrySink.BeginScan(ctx, src, s)
	k.sources[id] = src.ID
	return id, err
}

// SaveCursor implements scan.Sink.
func (k *kafkaSink) SaveCursor(ctx context.Context, s store.Scan) error {
	run, err := k.run(s.ID)
	if err != nil {
		return err
	}
	c, err := kafka.ParseCursor(s.Cursor)
	if err != nil {
		return err
	}
	p := progressOf(s)
	p.Cursor = nil                        // positions say it
	if k.t.reader.Gone(k.sources[s.ID]) { // before it counts as noticed
		if _, err := run.Expire(ctx, func(string) int64 { return math.MaxInt64 }); err != nil {
			return err
		}
	}
	if err := run.SavePositions(ctx, p, c.Rows(), kafka.MergePositions); err != nil {
		return err
	}
	k.t.reader.Stored(k.sources[s.ID], s.Cursor)
	k.t.a.stream.stored()
	return nil
}

// Record implements scan.Sink.
func (k *kafkaSink) Record(ctx context.Context, id int64, obs []scan.Observation, skips []fingerprints.Skip) ([]store.Recorded, error) {
	out, err := k.registrySink.Record(ctx, id, obs, skips)
	if err == nil {
		k.t.a.stream.recorded(len(obs), len(skips))
	}
	return out, err
}

// Finish implements scan.Sink. A topic is covered where all that its partitions keep
// was searched, now or before, for what is claimed.
func (k *kafkaSink) Finish(ctx context.Context, s store.Scan) error {
	run, err := k.run(s.ID)
	if err != nil {
		return err
	}
	source := k.sources[s.ID]
	fields, generic, whole := k.t.reader.Searched(ctx, source)
	s.Complete = s.Complete && whole
	k.t.a.stream.covers(fields, whole)
	if whole {
		k.t.a.scan.covers(fields)
	}
	p := progressOf(s)
	p.Cursor = nil
	if kept := k.t.reader.Kept(source); len(kept) > 0 {
		_, err := run.Expire(ctx, func(stream string) int64 {
			if from, has := kept[stream]; has {
				return from
			}
			return k.t.expired(stream, kept)
		})
		if err != nil {
			return err
		}
	}
	_, err = run.Finish(ctx, registry.Outcome{
		Progress: p, Complete: s.Complete, Stands: k.stands, Searched: &registry.Searched{Fields: fields, Generic: generic},
	})
	return err
}

// expired is from where on a stream is kept of which nothing is known now: nothing of
// it where its topic was made anew since, all of it otherwise, as another member of
// the group may have it.
func (t *topicsRun) expired(stream string, kept map[string]int64) int64 {
	newest := 0
	for name := range kept {
		newest = max(newest, kafka.IncarnationOf(name))
	}
	if kafka.IncarnationOf(stream) < newest {
		return math.MaxInt64
	}
	return 0
}

// kafkaLog tells a person what is tried again.
func (a *app) kafkaLog() *slog.Logger {
	return slog.New(noteHandler{a})
}

// noteHandler writes log records as notes.
type noteHandler struct{ a *app }

// Enabled implements slog.Handler.
func (noteHandler) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (h noteHandler) Handle(_ context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(at slog.Attr) bool {
		text += ": " + at.Value.String()
		return true
	})
	h.a.note(text)
	return nil
}

// WithAttrs implements slog.Handler.
func (h noteHandler) WithAttrs([]slog.Attr) slog.Handler { return h }

// WithGroup implements slog.Handler.
func (h noteHandler) WithGroup(string) slog.Handler { return h }
