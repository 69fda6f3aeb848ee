package kafka

import (
	"errors"
	"time"
)

// errDamaged: what was stored is not what was stored.
var errDamaged = errors.New("it is damaged")

// place names a partition.
type place struct {
	topic string
	part  int
}

// partition is one that is read. The Reader's lock guards all of it.
type partition struct {
	place
	broker int // that leads it; negative: none is known

	incarnation int
	start       int64 // everything from here on was read
	next        int64 // what is fetched next
	end, kept   int64 // bounds, as they were told last
	last        Position
	fields      uint64
	generic     bool
	newer       *Newer // what its end is searched for besides; nil: the same

	verified bool  // it is known to be the topic that it was
	until    int64 // --once: where it ends; negative: it does not
	finished bool
	revoked  bool  // another member of the group has it now
	busy     bool  // a request for it is under way
	since    int64 // where it was when it was attached
	owed     int64 // where a Source that goes on comes to before it is whole

	failures int
	losses   int64     // how often it could not be read any more
	failing  time.Time // since when
	notUntil time.Time // it is left alone until then
	problem  error     // what the last failure was
}

// position is what is known of the partition when everything before next was
// stored.
func (p *partition) position(next int64) Position {
	q := p.last
	q.Incarnation, q.Start, q.Next, q.Kept = abs(p.incarnation), p.start, next, p.kept
	q.Fields, q.Generic, q.Newer = p.fields, p.generic, nil
	if n := p.newer; n != nil && n.From <= next {
		q.Newer = n
	}
	return q
}

// failed notes a failure, and lets the partition alone for a while.
func (p *partition) failed(err error, now time.Time) {
	if p.failures == 0 {
		p.failing = now
		p.losses++
	}
	p.failures++
	p.problem = err
	p.notUntil = now.Add(backoff(p.failures))
}

func (p *partition) recovered() { p.failures, p.problem = 0, nil }

// Waits between two tries.
const (
	leastWait = 100 * time.Millisecond
	mostWait  = 10 * time.Second
)

func backoff(failures int) time.Duration {
	return min(leastWait<<min(failures-1, 10), mostWait)
}

// lag is how many messages are not read yet.
func (p *partition) lag() int64 { return max(0, p.end-max(p.next, p.kept)) }
