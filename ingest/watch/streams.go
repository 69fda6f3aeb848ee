package watch

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"revenant/fingerprints/registry"
	"revenant/fingerprints/store"
)

// Follower follows streams.
type Follower interface {
	// Follow reads a stream on until the context ends, then stores what is in flight;
	// or until it cannot go on, and says why.
	Follow(ctx context.Context, w store.Watch) Result
	// Shared reports whether several workers follow the watch at once, and share it.
	Shared(w store.Watch) bool
	// State is how a stream goes that is followed here, and how much was read of it.
	State(watch string) (items, bytes int64, s store.StreamState)
}

// How often is looked for streams; how long one that failed is let alone, at first and
// at the most; how long one is followed at least before it makes room for another.
const (
	streamsEvery = time.Second
	leastPause   = time.Second
	mostPause    = 30 * time.Second
	leastTurn    = time.Minute
)

// streams are those that one worker follows. Each has a goroutine for as long as the
// worker has its lease.
type streams struct {
	o      Options
	looked time.Time // tend's alone
	all    sync.WaitGroup

	mu    sync.Mutex
	under map[string]*stream
}

// stream is one that is followed here.
type stream struct {
	watch  store.Watch
	began  time.Time
	shared bool
	cancel context.CancelCauseFunc
}

func newStreams(o Options) *streams { return &streams{o: o, under: map[string]*stream{}} }

// Why a stream is followed no more.
var (
	errChanged = errors.New("what is set of the watch was changed")
	errLost    = errors.New("another worker has the stream")
	errTurn    = errors.New("other streams wait")
)

// tend follows what is to be followed and nobody does, and stops what is not.
func (s *streams) tend(ctx context.Context) error {
	if s == nil || s.o.Now().Sub(s.looked).Abs() < streamsEvery {
		return nil
	}
	s.looked = s.o.Now()
	list, err := s.o.Registry.Streams(ctx, s.o.Actor)
	if err != nil {
		return err
	}
	known := map[string]registry.Stream{}
	for _, st := range list {
		known[st.Watch.Name] = st
	}
	s.unfollow(known)
	var waiting []registry.Stream
	for _, st := range list {
		free := st.Owner == "" || st.Owner == s.o.Worker.ID || s.o.Follower.Shared(st.Watch)
		if !st.Watch.Paused && free && !s.follows(st.Watch.Name) {
			waiting = append(waiting, st)
		}
	}
	// Workers that look at the same time begin with different ones.
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for _, st := range waiting {
		if s.full() {
			s.makeRoom()
			return nil
		}
		if err := s.begin(ctx, st.Watch); err != nil {
			return err
		}
	}
	return nil
}

// unfollow cancels what is paused, removed, changed, or another's by now.
func (s *streams) unfollow(known map[string]registry.Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, u := range s.under {
		now, has := known[name]
		switch {
		case !has || now.Watch.Paused:
			u.cancel(errUnwanted)
		case !sameScan(u.watch, now.Watch):
			u.cancel(errChanged)
		case !u.shared && now.Owner != s.o.Worker.ID:
			u.cancel(errLost)
		}
	}
}

// sameScan reports whether two watches read the same in the same way.
func sameScan(a, b store.Watch) bool {
	return a.Kind == b.Kind && slices.Equal(a.Options, b.Options) && a.Credential == b.Credential && a.AddedAt.Equal(b.AddedAt)
}

func (s *streams) follows(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.under[name] != nil
}

func (s *streams) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.under) >= s.o.Streams || len(s.under) > 0 && s.o.Room != nil && !s.o.Room()
}

// makeRoom ends the stream that was followed here longest, so that those that wait have
// their turn.
func (s *streams) makeRoom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var oldest *stream
	for _, u := range s.under {
		if oldest == nil || u.began.Before(oldest.began) {
			oldest = u
		}
	}
	if oldest != nil && len(s.under) >= s.o.Streams && s.o.Now().Sub(oldest.began) >= leastTurn {
		oldest.cancel(errTurn)
	}
}

// begin follows a watch, if its lease can be had.
func (s *streams) begin(ctx context.Context, w store.Watch) error {
	shared := s.o.Follower.Shared(w)
	if !shared {
		taken, err := s.o.Registry.TakeStream(ctx, s.o.Actor, w.Name, s.o.Worker.ID)
		if errors.Is(err, registry.ErrUnknownWatch) {
			return nil
		}
		if err != nil || !taken {
			return err
		}
	}
	// It ends when stop says so, and not with the caller's context.
	following, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	u := &stream{watch: w, began: s.o.Now(), shared: shared, cancel: cancel}
	s.mu.Lock()
	s.under[w.Name] = u
	s.mu.Unlock()
	s.all.Go(func() {
		defer cancel(nil)
		s.follow(following, u)
		s.mu.Lock()
		delete(s.under, w.Name)
		s.mu.Unlock()
		if shared {
			return
		}
		late, cancel := context.WithTimeout(context.WithoutCancel(ctx), mostPause)
		defer cancel()
		if err := s.o.Registry.LeaveStream(late, s.o.Actor, w.Name, s.o.Worker.ID); err != nil {
			s.o.Log.WarnContext(late, "the lease of a stream cannot be given back; it ends with the worker", slog.String("watch", w.Name), slog.Any("error", err))
		}
	})
	return nil
}

// follow reads a stream again and again, however it fails, until it is cancelled.
func (s *streams) follow(ctx context.Context, u *stream) {
	log := s.o.Log.With(slog.String("watch", u.watch.Name))
	log.InfoContext(ctx, "a stream is followed")
	for failures := 0; ctx.Err() == nil; {
		began := s.o.Now()
		res := s.o.Follower.Follow(ctx, u.watch)
		if ctx.Err() != nil {
			break
		}
		if s.o.Now().Sub(began) > 2*mostPause {
			failures = 0
		}
		failures++
		switch err := s.failed(ctx, u.watch, res); {
		case errors.Is(err, registry.ErrUnknownWatch):
			u.cancel(errUnwanted)
		case err != nil:
			log.WarnContext(ctx, "how a stream goes cannot be stored; it is tried again", slog.Any("error", err))
		}
		pause := time.NewTimer(min(leastPause<<min(failures-1, 10), mostPause))
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	log.InfoContext(context.WithoutCancel(ctx), "a stream is not followed here any more", slog.Any("because", context.Cause(ctx)))
}

// failed tells why a stream could not be read on.
func (s *streams) failed(ctx context.Context, w store.Watch, res Result) error {
	if res.StoreAway != nil {
		return res.StoreAway
	}
	problem := res.Problem
	if problem == "" {
		problem = "it ended without a word"
	}
	return s.o.Registry.TellStream(ctx, s.o.Actor, w.Name, registry.StreamWord{SourceID: res.SourceID, Problem: problem})
}

// stop ends all of them, and waits until what is in flight is stored.
func (s *streams) stop() {
	if s == nil {
		return
	}
	s.mu.Lock()
	for _, u := range s.under {
		u.cancel(errStopping)
	}
	s.mu.Unlock()
	s.all.Wait()
}

// errStopping ends streams with their worker.
var errStopping = errors.New("the worker stops")

// told are the streams as the worker tells of them.
func (s *streams) told() (list []store.WorkerScan) {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	names := slices.Sorted(maps.Keys(s.under))
	began := make([]time.Time, len(names))
	for i, name := range names {
		began[i] = s.under[name].began.UTC()
	}
	s.mu.Unlock()
	for i, name := range names {
		items, bytes, state := s.o.Follower.State(name)
		list = append(list, store.WorkerScan{Watch: name, Why: registry.ScheduleFollow, StartedAt: began[i], Items: items, Bytes: bytes, Stream: &state})
	}
	return list
}
