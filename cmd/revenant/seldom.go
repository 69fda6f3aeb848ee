package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// seldomEvery is how often a message that is told again and again is logged.
const seldomEvery = 30 * time.Second

// seldom is a handler that tells once in a while what is tried again and again,
// as while a database is away, and how often it was not told.
type seldom struct {
	slog.Handler
	told *told
}

type told struct {
	mu   sync.Mutex
	last map[string]*lastTold
}

type lastTold struct {
	at   time.Time
	more int64
}

func newSeldom(h slog.Handler) seldom { return seldom{h, &told{last: map[string]*lastTold{}}} }

// repeats reports whether a message is of those that come again and again: they
// are constants of this program and of River.
func repeats(r slog.Record) bool {
	return r.Level >= slog.LevelWarn && (strings.HasPrefix(r.Message, "queue: ") || strings.HasSuffix(r.Message, "it is tried again"))
}

// Handle implements slog.Handler.
func (s seldom) Handle(ctx context.Context, r slog.Record) error {
	if !repeats(r) {
		return s.Handler.Handle(ctx, r)
	}
	s.told.mu.Lock()
	l := s.told.last[r.Message]
	if l != nil && r.Time.Sub(l.at) < seldomEvery && !r.Time.Before(l.at) {
		l.more++
		s.told.mu.Unlock()
		return nil
	}
	more := int64(0)
	if l != nil {
		more = l.more
	}
	s.told.last[r.Message] = &lastTold{at: r.Time}
	s.told.mu.Unlock()
	if more > 0 {
		r.AddAttrs(slog.Int64("not_told", more))
	}
	return s.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (s seldom) WithAttrs(a []slog.Attr) slog.Handler { return seldom{s.Handler.WithAttrs(a), s.told} }

// WithGroup implements slog.Handler.
func (s seldom) WithGroup(name string) slog.Handler { return seldom{s.Handler.WithGroup(name), s.told} }
