package registry

import (
	"context"
	"time"

	"revenant/fingerprints/store"
)

// Stream is a watch that is followed, and the worker that has the lease of it: "" is
// none that lives. The lease is as old as the worker's last word: who drops a worker
// that is silent for too long (DropWorker) ends it.
type Stream struct {
	Watch store.Watch
	Owner string
}

// streamMark is the name of the mark that holds a watch's lease.
const streamMark = "stream/"

// Streams lists the watches that are followed, also those that are paused.
func (r *Registry) Streams(ctx context.Context, a Actor) ([]Stream, error) {
	var out []Stream
	err := r.view(ctx, a, ScopeRead, func(v *view) error {
		out = nil
		list, err := v.tx.Watches(ctx, store.WatchFilter{Schedule: ScheduleFollow})
		if err != nil || len(list) == 0 {
			return err
		}
		live, err := liveWorkers(ctx, v.tx)
		if err != nil {
			return err
		}
		for _, w := range list {
			owner, err := v.tx.Mark(ctx, streamMark+w.Name)
			if err != nil {
				return err
			}
			if !live[owner] {
				owner = ""
			}
			out = append(out, Stream{w, owner})
		}
		return nil
	})
	return out, err
}

func liveWorkers(ctx context.Context, tx store.Tx) (map[string]bool, error) {
	list, err := tx.Workers(ctx)
	out := map[string]bool{}
	for _, w := range list {
		out[w.ID] = true
	}
	return out, err
}

// TakeStream gives the lease of a watch to a worker, unless another that lives has it,
// and reports whether it did. The worker has said before that it lives (SeeWorker).
func (r *Registry) TakeStream(ctx context.Context, a Actor, watch, worker string) (bool, error) {
	taken := false
	err := r.tending(ctx, a, "taking a stream", func(tx store.Tx, _ time.Time) error {
		taken = false
		if _, err := watchByName(ctx, tx, watch); err != nil {
			return err
		}
		live, err := liveWorkers(ctx, tx)
		if err != nil || !live[worker] {
			return err
		}
		owner, err := tx.Mark(ctx, streamMark+watch)
		if err != nil || live[owner] && owner != worker {
			return err
		}
		taken = true
		return tx.SetMark(ctx, streamMark+watch, owner, worker)
	})
	return taken, err
}

// LeaveStream gives a worker's lease of a watch back; one that is another's by now
// stays.
func (r *Registry) LeaveStream(ctx context.Context, a Actor, watch, worker string) error {
	return r.tending(ctx, a, "leaving a stream", func(tx store.Tx, _ time.Time) error {
		owner, err := tx.Mark(ctx, streamMark+watch)
		if err != nil || owner != worker {
			return err
		}
		return tx.SetMark(ctx, streamMark+watch, owner, "")
	})
}

// freeStream forgets who has the lease of a watch.
func freeStream(ctx context.Context, tx store.Tx, watch string) error {
	owner, err := tx.Mark(ctx, streamMark+watch)
	if err != nil || owner == "" {
		return err
	}
	return tx.SetMark(ctx, streamMark+watch, owner, "")
}

// StreamWord is what a worker tells of a stream that it follows.
type StreamWord struct {
	SourceID string // "" not known, or several
	// Problem is why nothing of it can be read, redacted; "": it is read.
	Problem string
	// FieldRevision is that of the newest values that everything that is kept was
	// searched for.
	FieldRevision uint64
	// Backfill asks for a scan of what was read before newer values were registered.
	Backfill bool
}

// TellStream writes down how a stream goes; nothing is written that stands there. It
// returns ErrUnknownWatch.
func (r *Registry) TellStream(ctx context.Context, a Actor, watch string, s StreamWord) error {
	told := func(w store.Watch, at time.Time) store.Watch {
		w.Outcome, w.Problem = WatchFollowing, s.Problem
		switch {
		case s.Problem == "":
			w.Failures = 0
		default:
			w.Outcome = WatchFailed
			w.Failures = max(1, w.Failures)
		}
		if s.SourceID != "" {
			w.SourceID = s.SourceID
		}
		w.FieldRevision = max(w.FieldRevision, s.FieldRevision)
		if s.Backfill && w.WantedAt.IsZero() {
			w.WantedAt, w.Wanted = at, WantedBackfill
		}
		return w
	}
	same := false
	err := r.view(ctx, a, ScopeScan, func(v *view) error {
		w, err := watchByName(ctx, v.tx, watch)
		is := told(w, v.now)
		same = is.WatchState == w.WatchState
		return err
	})
	if err != nil || same {
		return err
	}
	return r.tending(ctx, a, "telling how a stream goes", func(tx store.Tx, at time.Time) error {
		w, err := watchByName(ctx, tx, watch)
		if err != nil {
			return err
		}
		return tx.PutWatch(ctx, told(w, at))
	})
}
