// Package kafka reads topics of Kafka clusters: keys, values and headers of their
// messages, each once, from where reading stopped.
//
// It promises: a cursor never stands behind a message that was not given out; a
// message, a batch or a partition that cannot be read is listed with its offsets and
// holds nothing else up; brokers that go away, leaders and coordinators that move,
// partitions that are added and topics that are made anew are met without a gap; what
// was fetched and not yet looked at is bounded by its bytes. It refuses: to write to
// a topic, and to commit an offset of what is not stored.
package kafka

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Source gives out what a Reader reads; it implements scanners.Source. Its batches
// are each of one topic, which is a source of its own. Where the Reader follows
// topics, Sources come one after another, each for some time: what one of them gave
// out is whole up to there.
type Source struct {
	r      *Reader
	length time.Duration
	timer  <-chan time.Time
	early  <-chan struct{}
	given  map[string]bool // topics
	rest   []scanners.Batch
	ended  error
	owns   bool // it closes the Reader
}

var _ scanners.Source = (*Source)(nil)

// Source is all of what a Reader reads to its end, and closes it.
func (r *Reader) Source() *Source { return &Source{r: r, given: map[string]bool{}, owns: true} }

// During gives out what comes for some time, or until early is closed (nil: it never
// is). The Reader reads on when it is closed.
func (r *Reader) During(d time.Duration, early <-chan struct{}) *Source {
	return &Source{r: r, length: d, early: early, given: map[string]bool{}}
}

// ID implements scanners.Source. It has none: each batch says of which topic it is.
func (s *Source) ID() string { return "" }

// Kind implements scanners.Source.
func (s *Source) Kind() fingerprints.SourceKind { return fingerprints.KindKafka }

// Close implements scanners.Source.
func (s *Source) Close() error {
	if s.ended == nil {
		s.ended = io.EOF
	}
	if s.owns {
		return s.r.Close()
	}
	return nil
}

// Next implements scanners.Source. When ctx ends, one that follows has come to its
// end; one that does not was interrupted.
func (s *Source) Next(ctx context.Context) (scanners.Batch, error) {
	if s.ended != nil {
		return scanners.Batch{}, s.ended
	}
	if ctx.Err() != nil && !s.r.o.Follow {
		return scanners.Batch{Found: true}, ctx.Err()
	}
	s.r.begin(ctx)
	if s.length > 0 && s.timer == nil {
		s.timer = time.After(s.length)
		s.r.owe()
	}
	if s.rest != nil {
		return s.closing()
	}
	select {
	case c := <-s.r.queue:
		return s.give(c)
	case <-ctx.Done():
		if !s.r.o.Follow {
			return scanners.Batch{Found: true}, ctx.Err()
		}
	case <-s.timer:
	case <-s.early:
	}
	s.rest = []scanners.Batch{}
	s.untouched(false)
	return s.closing()
}

// owe notes what is there now: a Source that goes on is whole when that was searched.
func (r *Reader) owe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parts {
		p.owed = p.end
	}
}

// give makes a batch of a chunk.
func (s *Source) give(c *chunk) (scanners.Batch, error) {
	if c.end {
		if c.err != nil {
			s.ended = &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: c.err.Error(), Size: -1}
			return scanners.Batch{}, s.ended
		}
		s.rest = []scanners.Batch{}
		s.untouched(true)
		return s.closing()
	}
	select {
	case <-c.done:
	case <-s.r.closing:
		return scanners.Batch{}, context.Canceled
	}
	s.r.spent(-c.size)
	s.given[c.topic] = true
	return scanners.Batch{
		SourceID: c.sourceID, Items: c.items, Read: c.read, Skipped: c.skips, Notes: s.r.said(), Found: true,
		Cursor: Cursor{c.part: c.pos}.pack(),
	}, nil
}

// untouched makes a batch for each topic that had nothing, and for those that cannot
// be read: they were looked at, too. all says that nothing is on its way.
func (s *Source) untouched(all bool) {
	for _, topic := range s.r.topics() {
		if s.given[topic] {
			continue
		}
		b := scanners.Batch{SourceID: s.r.SourceID(topic), Found: true}
		if all {
			b.Cursor = s.r.cursor(topic).pack()
		}
		s.rest = append(s.rest, b)
	}
	for topic, from := range s.r.buried() {
		s.rest = append(s.rest, scanners.Batch{SourceID: s.r.SourceID(topic), Found: true, Cursor: from.pack(), Notes: []string{"a topic was deleted: nothing of it is kept"}})
	}
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	for _, topic := range slices.Sorted(maps.Keys(s.r.denied)) {
		s.rest = append(s.rest, scanners.Batch{SourceID: s.r.SourceID(topic), Found: true, Skipped: []fingerprints.Skip{{
			Path: PathValue, Reason: fingerprints.SkipUnreadable, Detail: fmt.Sprintf("the topic cannot be read: %v", s.r.denied[topic]), Size: -1,
		}}})
	}
	if !s.r.o.Follow {
		return
	}
	for at, p := range s.r.parts {
		if p.failures > 0 && p.problem != nil && !p.revoked {
			s.rest = append(s.rest, scanners.Batch{SourceID: s.r.SourceID(at.topic), Found: true, Skipped: []fingerprints.Skip{{
				Path: PathValue, Locator: fmt.Sprintf("partition %d", at.part), Reason: fingerprints.SkipUnreadable,
				Detail: fmt.Sprintf("partition %d cannot be read now: %v", at.part, p.problem), Size: -1,
			}}})
		}
	}
}

// closing gives out what is left at the end.
func (s *Source) closing() (scanners.Batch, error) {
	if len(s.rest) == 0 {
		s.ended = io.EOF
		return scanners.Batch{}, io.EOF
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b, nil
}

// cursor is how far all of a topic was read.
func (r *Reader) cursor(topic string) Cursor {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Cursor{}
	for at, p := range r.parts {
		if at.topic == topic && p.attached() && !p.revoked {
			c[at.part] = p.position(p.next)
		}
	}
	return c
}

// said are the notes since they were asked for last.
func (r *Reader) said() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.notes
	r.notes = nil
	return out
}
