package main

import (
	"bytes"
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
	"revenant/ingest/watch"
	"revenant/scanners/kafka"
)

const (
	// lookEvery is how often it is looked how a stream goes.
	lookEvery = time.Second
	// failsAfter is how long something of it may not be read before it is told: leaders
	// move within seconds.
	failsAfter = 5 * time.Second
	// reopenAfter is how long nothing of it may be read before it is opened anew, with
	// credentials that are fetched anew.
	reopenAfter = time.Minute
	// toldTopics is of how many topics the lag is told one by one.
	toldTopics = 20
	// leastBuffer is what one fetch of a stream takes.
	leastBuffer = 4 << 20
)

// followed is a watch that is followed in this process: how it goes, across all times
// that it was opened. The methods that a command calls do nothing on nil.
type followed struct {
	v      *shared
	name   string
	buffer int64                                     // that it may have
	health func(ctx context.Context, problem string) // told when it fails and when it is read again

	hits, skips, batches atomic.Int64

	mu         sync.Mutex
	facts      *scanFacts // of the command that runs now; nil: none does
	reader     *kafka.Reader
	doneItems  int64 // of commands before
	doneBytes  int64
	losses     int64 // that the reader has told
	reconnects int64
	lag        map[string]kafka.Lag
	since      time.Time // that it fails
	problem    string    // why, redacted
	shown      map[string]string
	word       segmentWord
}

// segmentWord is what the scans of one stretch say of their topics.
type segmentWord struct {
	fields  uint64 // the least
	whole   bool   // of all of them it is known
	sources int
}

// bound is how much may be fetched and not yet looked at.
func (f *followed) bound(asked int64) int64 {
	if f == nil {
		return asked
	}
	return min(asked, f.buffer)
}

// opened takes the reader that the stream is read with from now on.
func (f *followed) opened(r *kafka.Reader) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reader, f.losses = r, 0
}

func (f *followed) stored() {
	if f != nil {
		f.batches.Add(1)
	}
}

func (f *followed) recorded(hits, skips int) {
	if f != nil {
		f.hits.Add(int64(hits))
		f.skips.Add(int64(skips))
	}
}

// covers notes what a topic is searched for at the end of a stretch.
func (f *followed) covers(fields uint64, whole bool) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w := &f.word
	if w.sources == 0 {
		w.fields, w.whole = fields, true
	}
	w.sources++
	w.whole = w.whole && whole
	if whole {
		w.fields = min(w.fields, fields)
	}
}

// stood tells the registry where the stream stands at the end of a stretch that looked
// for values up to a revision. What was read before newer values were registered is
// looked through by a scan of its own.
func (f *followed) stood(ctx context.Context, fields uint64) {
	if f == nil || ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	w, failing := f.word, f.problem
	f.word, f.shown = segmentWord{}, map[string]string{}
	f.mu.Unlock()
	if w.sources == 0 || !w.whole || failing != "" {
		return
	}
	f.tell(ctx, registry.StreamWord{FieldRevision: w.fields, Backfill: w.fields < fields})
}

func (f *followed) tell(ctx context.Context, w registry.StreamWord) {
	s := f.v.session
	if err := s.reg.TellStream(ctx, s.actor, f.name, w); err != nil && ctx.Err() == nil {
		f.v.log.WarnContext(ctx, "how a stream goes cannot be stored; it is tried again", slog.Any("error", err))
	}
}

// look asks the reader how it goes, and tells when that changes. It reports whether
// nothing could be read for so long that the stream is to be opened anew.
func (f *followed) look(ctx context.Context) (hopeless bool) {
	f.mu.Lock()
	r := f.reader
	f.mu.Unlock()
	if r == nil {
		return false
	}
	lag, lost, now := r.Lag(), r.Lost(), f.v.a.now()
	var all kafka.Lag
	since, problem := lost, ""
	for _, l := range lag {
		all.Partitions, all.Failing, all.Losses = all.Partitions+l.Partitions, all.Failing+l.Failing, all.Losses+l.Losses
		if l.Failing > 0 && (problem == "" || l.Since.Before(since)) {
			since, problem = l.Since, l.Problem
		}
	}
	if !lost.IsZero() {
		problem = cmp.Or(problem, kafka.ErrUnreachable.Error())
	}
	f.mu.Lock()
	f.lag = lag
	f.reconnects += max(0, all.Losses-f.losses)
	f.losses = all.Losses
	f.mu.Unlock()
	none := all.Failing == all.Partitions
	switch {
	case problem != "" && now.Sub(since) >= failsAfter:
		f.fails(ctx, since, problem)
		return none && now.Sub(since) >= reopenAfter
	case problem == "" && all.Partitions > 0:
		f.recovers(ctx)
	}
	return false
}

// fails notes why the stream cannot be read, or a part of it, and says so once.
func (f *followed) fails(ctx context.Context, since time.Time, problem string) {
	problem = f.v.shown(ctx, problem)
	f.mu.Lock()
	begins := f.since.IsZero()
	if begins {
		f.since = since.UTC()
	}
	f.problem = problem
	f.mu.Unlock()
	f.tell(ctx, registry.StreamWord{Problem: problem}) // writes nothing where it stands there
	if begins {
		f.v.log.WarnContext(ctx, "a stream cannot be read", slog.String("watch", f.name), slog.Time("since", since), slog.String("problem", problem))
		f.health(ctx, problem)
	}
}

func (f *followed) recovers(ctx context.Context) {
	f.mu.Lock()
	since := f.since
	f.since, f.problem = time.Time{}, ""
	f.mu.Unlock()
	f.tell(ctx, registry.StreamWord{})
	if !since.IsZero() {
		f.v.log.InfoContext(ctx, "a stream is read again", slog.String("watch", f.name), slog.Duration("after", f.v.a.now().Sub(since).Round(time.Second)))
		f.health(ctx, "")
	}
}

// state is how it goes, for the worker's word.
func (f *followed) state(ctx context.Context) (items, bytes int64, s store.StreamState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	items, bytes = f.doneItems, f.doneBytes
	if f.facts != nil {
		items, bytes = items+f.facts.items.Load(), bytes+f.facts.bytes.Load()
	}
	s = store.StreamState{
		Hits: f.hits.Load(), Skips: f.skips.Load(), Batches: f.batches.Load(), Reconnects: f.reconnects, FailingSince: f.since, Problem: f.problem,
	}
	for topic, l := range f.lag {
		s.Lag, s.Partitions, s.Failing = s.Lag+l.Messages, s.Partitions+l.Partitions, s.Failing+l.Failing
		s.Topics = append(s.Topics, store.TopicLag{Topic: topic, Lag: l.Messages})
	}
	slices.SortFunc(s.Topics, func(a, b store.TopicLag) int { return cmp.Or(cmp.Compare(b.Lag, a.Lag), cmp.Compare(a.Topic, b.Topic)) })
	s.Topics = s.Topics[:min(len(s.Topics), toldTopics)]
	for i, t := range s.Topics {
		if _, known := f.shown[t.Topic]; !known {
			f.shown[t.Topic] = f.v.shown(ctx, t.Topic)
		}
		s.Topics[i].Topic = f.shown[t.Topic]
	}
	return items, bytes, s
}

// watchFollower follows the watches of topics in this process.
type watchFollower struct {
	v       *shared
	streams int // at most
	health  func(ctx context.Context, w store.Watch, problem string)
}

var _ watch.Follower = watchFollower{}

// Follow implements watch.Follower.
func (s watchFollower) Follow(ctx context.Context, w store.Watch) watch.Result {
	args, err := argsOf(w)
	if err != nil {
		return watch.Result{Outcome: registry.WatchFailed, Problem: err.Error()}
	}
	f := s.followed(w)
	var said bytes.Buffer
	facts := &scanFacts{}
	a := s.v.quietApp(&bounded{w: &said, left: 4 << 10}, facts)
	a.stream = f
	if err := a.logIn(ctx, w, args); err != nil {
		return f.ended(ctx, watch.Result{Outcome: registry.WatchFailed, Problem: s.v.shown(ctx, err.Error())})
	}
	f.mu.Lock()
	f.facts = facts
	f.mu.Unlock()
	reading, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-reading.Done():
				return
			case <-tick.C:
			}
			if f.look(reading) {
				stop()
			}
		}
	})
	a.run(reading, append([]string{w.Kind, "--follow"}, args...))
	stop()
	looking.Wait()
	return f.ended(ctx, watchScanner{s.v}.result(context.WithoutCancel(ctx), facts, said.String()))
}

// ended takes what a command did, and gives the result of one that was not to end.
func (f *followed) ended(ctx context.Context, r watch.Result) watch.Result {
	f.mu.Lock()
	if f.facts != nil {
		f.doneItems, f.doneBytes = f.doneItems+f.facts.items.Load(), f.doneBytes+f.facts.bytes.Load()
	}
	f.facts, f.reader, f.lag = nil, nil, nil
	known := f.problem
	f.mu.Unlock()
	if ctx.Err() != nil || r.StoreAway != nil {
		return r
	}
	r.Outcome, r.Problem = registry.WatchFailed, cmp.Or(known, r.Problem, "it ended without a word")
	f.fails(ctx, f.v.a.now(), r.Problem)
	return r
}

// followed is what is known of a watch in this process.
func (s watchFollower) followed(w store.Watch) *followed {
	limit := debug.SetMemoryLimit(-1) / 4 / int64(max(1, s.streams))
	fresh := &followed{v: s.v, name: w.Name, buffer: max(limit, leastBuffer), shown: map[string]string{}, health: func(ctx context.Context, problem string) {
		s.health(ctx, w, problem)
	}}
	f, _ := s.v.streams.LoadOrStore(w.Name, fresh)
	return f.(*followed)
}

// Shared implements watch.Follower: members of a group share a watch.
func (s watchFollower) Shared(w store.Watch) bool {
	args, err := argsOf(w)
	if err != nil {
		return false
	}
	c, _, err := s.v.a.watchCommand(append([]string{w.Kind}, args...))
	if err != nil {
		return false
	}
	group := c.Flags().Lookup("group")
	return group != nil && group.Value.String() != ""
}

// State implements watch.Follower.
func (s watchFollower) State(name string) (items, bytes int64, st store.StreamState) {
	f, has := s.v.streams.Load(name)
	if !has {
		return 0, 0, st
	}
	return f.(*followed).state(context.Background())
}

// follower is who follows streams for this server.
func (v *server) follower() watchFollower {
	return watchFollower{v: v.shared, streams: v.set.Workers.Streams, health: func(ctx context.Context, w store.Watch, problem string) {
		if v.notifier == nil {
			return
		}
		if err := v.notifier.Health(ctx, cmp.Or(w.SourceID, w.Name), problem); err != nil {
			v.log.WarnContext(ctx, "nobody can be told how a source does", slog.Any("error", err))
		}
	}}
}
