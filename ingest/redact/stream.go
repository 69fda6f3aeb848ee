package redact

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"revenant/ingest/scan"
	"revenant/scanners"
)

// Times that a Stream waits, unless Options say otherwise.
const (
	DefaultSettle   = 20 * time.Millisecond
	DefaultPatience = 200 * time.Millisecond
	DefaultSilence  = 200 * time.Millisecond
	DefaultLongest  = 2 * time.Second
)

// Options says how to look and how long to wait. Engine and Marks are required.
type Options struct {
	// Engine has the matchers of registered values alone. Everything that it
	// finds is taken out.
	Engine *scanners.Engine
	// Marks name what is taken out.
	Marks *scan.Marks
	// Settle is how long nothing comes before whole lines go out; 0: 20 ms.
	Settle time.Duration
	// Patience is how long whole lines are held at the most while more comes; 0:
	// 200 ms.
	Patience time.Duration
	// Silence is how long nothing comes before all goes out; 0: 200 ms.
	Silence time.Duration
	// Longest is how long anything is held at the most; 0: 2 s.
	Longest time.Duration
	// Batch is how many bytes are looked at at once when they come fast, beside
	// what is held; 0: 1 MiB.
	Batch int
}

// ErrMisconfigured is returned by New for options that lack something.
var ErrMisconfigured = errors.New("redaction without an engine or marks")

// window is what is held for streams of deflate, whose decoder gives out what it
// has every 32 KiB: as much in hex in base64, and some.
const window = 96 << 10

// mostDropped is how much is kept that nothing reaches any more.
const mostDropped = 1 << 20

// DefaultBatch is how much is looked at at once, unless Options say otherwise.
const DefaultBatch = 1 << 20

// Stream holds what flows until it is known what of it may go out. It reads no
// clock: it is told the time, and says in Due when it wants to be told again.
// One goroutine.
type Stream struct {
	w      io.Writer
	o      Options
	around int // bytes on each side of what is looked for
	hold   int // bytes that are held when much comes

	buf    []byte // what went out and is still looked at, and what is held
	out    int    // buf[:out] went out
	seen   int    // covers are those of buf[:seen]
	covers []scan.Cover
	gone   []scanners.Span // of buf[:out], what was taken out
	text   []byte          // on its way out

	came  arrivals
	tried bool      // nothing came since whole lines were let out
	again time.Time // when to look again for whole lines that were held long

	redacted, late int64
}

// New returns a stream that writes to w.
func New(w io.Writer, o Options) (*Stream, error) {
	if o.Engine == nil || o.Marks == nil {
		return nil, ErrMisconfigured
	}
	for _, d := range []struct {
		at        *time.Duration
		otherwise time.Duration
	}{{&o.Settle, DefaultSettle}, {&o.Patience, DefaultPatience}, {&o.Silence, DefaultSilence}, {&o.Longest, DefaultLongest}} {
		if *d.at <= 0 {
			*d.at = d.otherwise
		}
	}
	if o.Batch <= 0 {
		o.Batch = DefaultBatch
	}
	s := &Stream{w: w, o: o}
	for _, m := range o.Engine.Matchers {
		s.around = max(s.around, m.Overlap())
	}
	s.hold = 2 * s.around
	if o.Engine.Viewer != nil {
		s.around += o.Engine.Viewer.Reach()
		s.hold = 2*s.around + window
	}
	return s, nil
}

// Redacted is how many stretches were taken out so far.
func (s *Stream) Redacted() int64 { return s.redacted }

// Late is how many of them had gone out in part, because the rest came late.
func (s *Stream) Late() int64 { return s.late }

// Take takes what came and lets out what no value can reach any more. The error
// is the writer's or the engine's; the stream is of no use behind it.
func (s *Stream) Take(ctx context.Context, now time.Time, p []byte) error {
	if s.out == len(s.buf) {
		s.came.forgetAll()
	}
	for len(p) > 0 {
		n := min(len(p), max(s.full()-len(s.buf), 1))
		s.came.add(len(s.buf), now, s.o.Settle/2)
		s.buf = append(s.buf, p[:n]...)
		s.tried, p = false, p[n:]
		if len(s.buf) < s.full() {
			continue
		}
		if err := s.let(ctx, len(s.buf)-s.hold); err != nil {
			return err
		}
	}
	return nil
}

// full is how much is in the buffer when a part of it goes out. It is at least
// twice what went out and is looked at again.
func (s *Stream) full() int { return s.out + max(s.o.Batch, s.out) + s.hold }

// Due is when Tick is to be called, if nothing comes before; zero: nothing is
// held.
func (s *Stream) Due() time.Time {
	if s.out == len(s.buf) {
		return time.Time{}
	}
	due := s.came.last.Add(s.o.Silence)
	if !s.tried {
		due = earlier(due, s.came.last.Add(s.o.Settle))
	}
	held := s.came.oldest().Add(s.o.Patience)
	if held.Before(s.again) {
		held = s.again
	}
	return earlier(due, held)
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Tick lets out what has waited for long enough.
func (s *Stream) Tick(ctx context.Context, now time.Time) error {
	if s.out == len(s.buf) {
		return nil
	}
	silent, to := now.Sub(s.came.last), 0
	switch {
	case silent >= s.o.Silence:
		to = len(s.buf)
	case silent >= s.o.Settle && !s.tried:
		s.tried = true
		to = settled(s.buf, s.out, len(s.buf))
	}
	if held := now.Sub(s.came.oldest()); held >= s.o.Patience && !now.Before(s.again) {
		// What came since then shows how the lines before it go on.
		old := s.came.before(now.Add(-s.o.Patience/2), len(s.buf))
		s.again = now.Add(s.o.Patience / 2)
		if held < s.o.Longest {
			old = settled(s.buf, s.out, old)
		}
		to = max(to, old)
	}
	return s.let(ctx, to)
}

// End lets out what is held: nothing comes any more.
func (s *Stream) End(ctx context.Context) error { return s.let(ctx, len(s.buf)) }

// look finds what is to be taken out of all that is here.
func (s *Stream) look(ctx context.Context) error {
	if s.seen == len(s.buf) {
		return nil
	}
	var hits []scanners.Hit
	_, err := s.o.Engine.Scan(ctx, bytes.NewReader(s.buf), "", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking at the stream: %w", err)
	}
	s.covers, s.seen = s.o.Marks.Covers(ctx, scan.WholeRows(s.buf, 0, int64(s.out), hits)), len(s.buf)
	return nil
}

// let lets out what is before a place, and what is to be taken out that goes on
// there.
func (s *Stream) let(ctx context.Context, to int) error {
	if to <= s.out {
		return nil
	}
	if err := s.look(ctx); err != nil {
		return err
	}
	at := s.out
	s.text = s.text[:0]
	for _, c := range s.covers {
		from, end := int(c.Span.Start), int(c.Span.End)
		if end <= at || from >= to {
			continue
		}
		s.count(from, at)
		s.text = append(append(s.text, s.buf[at:max(from, at)]...), c.Mark...)
		s.gone = append(s.gone, scanners.Span{Start: int64(max(from, at)), End: int64(end)})
		at, to = end, max(to, end)
	}
	out := s.buf[at:to]
	if len(s.text) > 0 {
		s.text = append(s.text, out...)
		out = s.text
	}
	s.out = to
	s.came.forget(to)
	if _, err := s.w.Write(out); err != nil {
		return fmt.Errorf("passing the stream on: %w", err)
	}
	s.trim()
	return nil
}

// count counts a stretch that is taken out, of which all from at on is still
// here. What is compressed begins with its stream: of that nothing is told.
func (s *Stream) count(from, at int) {
	s.redacted++
	if from >= at || at-from > s.around {
		return
	}
	for _, g := range s.gone {
		if int(g.Start) <= from && int(g.End) >= at {
			return // the beginning of it was taken out with another
		}
	}
	s.late++
}

// trim forgets what nothing that comes can reach.
func (s *Stream) trim() {
	drop := before(s.buf, max(0, s.out-s.around))
	if drop < min(len(s.buf)/2, mostDropped) || drop == 0 {
		return
	}
	n := copy(s.buf, s.buf[drop:])
	clear(s.buf[n:])
	s.buf = s.buf[:n]
	s.out -= drop
	s.seen -= drop
	s.came.shift(drop)
	covers, gone := s.covers[:0], s.gone[:0]
	for _, c := range s.covers {
		if c.Span.Start, c.Span.End = c.Span.Start-int64(drop), c.Span.End-int64(drop); c.Span.End > 0 {
			covers = append(covers, c)
		}
	}
	for _, g := range s.gone {
		if g.Start, g.End = g.Start-int64(drop), g.End-int64(drop); g.End > 0 {
			gone = append(gone, g)
		}
	}
	s.covers, s.gone = covers, gone
}
