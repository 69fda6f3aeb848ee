package kafka

import (
	"context"
	"fmt"

	"revenant/fingerprints"
)

// attached reports whether it is known where the partition is read next. Of one that
// was away, or is not known yet, it is not.
func (p *partition) attached() bool { return p.incarnation > 0 }

// attach finds out where the partitions of a topic that are new, or were away, are
// read next.
func (r *Reader) attach(ctx context.Context, topic string) error {
	list := r.unattached(topic)
	if len(list) == 0 {
		return nil
	}
	var parts []int
	for _, p := range list {
		parts = append(parts, p.part)
	}
	known, err := r.cluster.bounds(ctx, topic, parts)
	if err != nil && len(known) == 0 {
		r.fail(list, err)
		return err
	}
	before, loadErr := r.loaded(ctx, topic)
	if loadErr != nil {
		r.fail(list, loadErr)
		return loadErr
	}
	begin, err := r.beginnings(ctx, topic, parts, known)
	if err != nil {
		r.fail(list, err)
		return err
	}
	fields, generic := r.eye()
	var chunks []*chunk
	r.mu.Lock()
	for _, p := range list {
		b, has := known[p.part]
		if !has {
			p.failed(errAbsent, r.o.Now())
			continue
		}
		q, was := before[p.part]
		if p.incarnation < 0 { // it was away: what is known here is newer
			p.incarnation = -p.incarnation
			q, was = p.position(p.next), true
		}
		p.fields, p.generic = fields, generic
		if c := r.place(p, q, was, b, begin[p.part], max(before.incarnation(), r.absent.newest[topic])); c != nil {
			chunks = append(chunks, c)
		}
	}
	r.mu.Unlock()
	for _, c := range chunks {
		r.push(c)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range list {
		p.finished = p.finished || p.attached() && p.verified && p.until >= 0 && p.next >= p.until
	}
	return nil
}

func (r *Reader) eye() (fields uint64, generic bool) {
	if r.o.Eye == nil {
		return 0, true
	}
	return r.o.Eye()
}

// unattached are the partitions of a topic that can be attached now.
func (r *Reader) unattached(topic string) (list []*partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	for at, p := range r.parts {
		if at.topic == topic && !p.attached() && !p.finished && !p.revoked && p.broker >= 0 && !p.notUntil.After(now) {
			list = append(list, p)
		}
	}
	return list
}

func (r *Reader) fail(list []*partition, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range list {
		p.failed(err, r.o.Now())
	}
}

func (r *Reader) loaded(ctx context.Context, topic string) (Cursor, error) {
	if r.o.Load == nil {
		return nil, nil
	}
	rows, err := r.o.Load(ctx, r.SourceID(topic))
	if err != nil {
		return nil, fmt.Errorf("reading how far it was searched: %w", err)
	}
	return CursorOf(rows), nil
}

// incarnation is the newest that is known of the topic.
func (c Cursor) incarnation() int {
	most := 1
	for _, p := range c {
		most = max(most, p.Incarnation)
	}
	return most
}

// beginnings are where partitions begin that were not read before.
func (r *Reader) beginnings(ctx context.Context, topic string, parts []int, known map[int]bounds) (map[int]int64, error) {
	out := map[int]int64{}
	for _, part := range parts {
		out[part] = known[part].first
		if r.o.Start.From != FromEarliest {
			out[part] = known[part].end
		}
	}
	if r.o.Start.From != FromTime {
		return out, nil
	}
	at, err := r.cluster.since(ctx, topic, parts, r.o.Start.At)
	for part, offset := range at {
		out[part] = offset
	}
	return out, err
}

// place says where a partition is read next. It returns a chunk where something was
// lost that cannot be read any more.
func (r *Reader) place(p *partition, q Position, was bool, b bounds, begin int64, newest int) *chunk {
	p.end, p.kept, p.verified = b.end, b.first, true
	p.until = -1
	if !r.o.Follow {
		p.until = b.end
	}
	p.newer = nil
	p.recovered()
	switch {
	case !was:
		p.incarnation, p.start, p.next, p.last = newest, begin, begin, Position{}
	case q.Incarnation < newest || b.end < q.Next: // it was made anew
		if p.incarnation = newest; q.Incarnation >= newest {
			p.incarnation = q.Incarnation + 1
		}
		p.start, p.next, p.last = b.first, b.first, Position{}
	case r.o.Start.Anew:
		p.incarnation, p.start, p.next, p.last = q.Incarnation, begin, begin, q
		p.verified = false
	default:
		p.incarnation, p.start, p.next, p.last = q.Incarnation, q.Start, q.Next, q
		p.verified = len(q.Witness) == 0
		p.look(q)
		if p.next == p.start { // nothing was read
			p.fields, p.generic = r.eye()
			p.newer = nil
		}
	}
	p.since, p.owed = p.next, b.end
	if was && p.next < b.first {
		c := r.chunk(p)
		c.pos.Next = b.first
		c.skip(fingerprints.SkipExpired, fmt.Sprintf("%s: offsets %d to %d were removed before they were read", c.where(), p.next, b.first-1), -1)
		p.start, p.next, p.since = b.first, b.first, b.first
		return c
	}
	return nil
}

// look says what a partition was searched for when it is read on with the eye of now,
// whose fields the partition has.
func (p *partition) look(q Position) {
	now := p.fields
	p.fields, p.generic = min(now, q.Fields), p.generic && q.Generic
	switch {
	case now <= p.fields:
	case q.Newer != nil && now <= q.Newer.Fields:
		p.newer = &Newer{From: q.Newer.From, Fields: now}
	default:
		p.newer = &Newer{From: p.next, Fields: now}
	}
}

// Renewed takes note that the eye looks for more than before, from what is fetched
// next on. What was fetched before was given out.
func (r *Reader) Renewed() {
	fields, _ := r.eye()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parts {
		switch {
		case !p.attached() || fields <= p.fields || p.newer != nil && fields <= p.newer.Fields:
		case p.next == p.start:
			p.fields = fields
		default:
			p.newer = &Newer{From: p.next, Fields: fields}
		}
	}
}

// remade begins anew with a topic that is not the one that it was, as one of its
// partitions shows: all of them are, and are attached again, but for those of which that
// was seen before.
func (r *Reader) remade(seen *partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := abs(seen.incarnation) + 1
	for at, p := range r.parts {
		if at.topic == seen.topic {
			next = max(next, abs(p.incarnation))
		}
	}
	for at, p := range r.parts {
		if at.topic == seen.topic && !p.finished && abs(p.incarnation) < next {
			p.incarnation, p.start, p.next, p.last = -next, 0, 0, Position{}
		}
	}
	poke(r.wake)
	r.notes = append(r.notes, "a topic was made anew under its name: it is read from its beginning")
}
