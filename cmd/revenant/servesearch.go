package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"revenant/ingest/search"
)

const (
	// searchEvery is how often a server looks whether the registry has moved.
	searchEvery = time.Second
	// searchAgain is how often it looks whether the index is kept by nobody else any
	// more: a command has it for as long as it runs.
	searchAgain = 5 * time.Second
)

// searching is the search index of a server. Until it is open, and where it is
// switched off, the store is searched.
type searching struct {
	now  atomic.Pointer[search.Index]
	o    search.Options
	log  *slog.Logger
	slow func(time.Duration)
}

// newSearching makes it, with its metrics.
func (v *server) newSearching() *searching {
	o := v.a.searchOptions(v.shared.session)
	o.Log = v.log
	s := &searching{o: o, log: v.log}
	s.now.Store(search.Store(o))
	read := func(of func(search.Stats) int64) func() float64 {
		return func() float64 { return float64(of(s.index().Stats())) }
	}
	v.metrics.Gauge("revenant_search_documents", "Findings in this process's search index.", read(func(t search.Stats) int64 { return t.Documents }))
	v.metrics.Gauge("revenant_search_behind", "Changes that the search index does not have yet, at most.", read(func(t search.Stats) int64 { return t.Behind }))
	v.metrics.Gauge("revenant_search_built", "How often the search index was built since the process began.", read(func(t search.Stats) int64 { return t.Built }))
	v.metrics.Gauge("revenant_search_rewritten", "How often files of the search index were rewritten after a redaction.", read(func(t search.Stats) int64 { return t.Rewritten }))
	s.slow = v.metrics.Seconds("revenant_search_follow_seconds", "How long the search index took to catch up, where there was something.")
	return s
}

// index is what to search with.
func (s *searching) index() *search.Index { return s.now.Load() }

// run keeps the index up to date until the context ends.
func (s *searching) run(ctx context.Context) {
	for ctx.Err() == nil {
		x, err := search.Open(ctx, s.o)
		if err != nil {
			s.log.WarnContext(ctx, "the search index cannot be opened; it is tried again", slog.Any("error", err))
			wait(ctx, searchAgain)
			continue
		}
		s.now.Store(x)
		if x.Mode() == search.Writes {
			s.follow(ctx, x)
		} else {
			wait(ctx, searchAgain)
		}
		s.now.Store(search.Store(s.o))
		if err := x.Close(); err != nil {
			s.log.WarnContext(ctx, "the search index was not closed in order", slog.Any("error", err))
		}
	}
}

func (s *searching) follow(ctx context.Context, x *search.Index) {
	for ctx.Err() == nil {
		began := time.Now()
		more, err := x.Follow(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.WarnContext(ctx, "the search index is behind; it is tried again", slog.Any("error", err))
		case more:
			s.slow(time.Since(began))
		}
		wait(ctx, searchEvery)
	}
}

// wait waits, or until the context ends.
func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
