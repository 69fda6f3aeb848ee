package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"revenant/fingerprints"
)

// keep asks the cluster again and again for topics, partitions and leaders.
func (r *Reader) keep(ctx context.Context) {
	tick := time.NewTimer(0)
	defer tick.Stop()
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-r.wake:
		}
		pause := r.o.Refresh
		if err := r.refresh(ctx); err != nil && ctx.Err() == nil {
			failed++
			pause = min(backoff(failed), pause)
			r.o.Log.WarnContext(ctx, "the cluster cannot be asked; it is tried again", slog.Any("error", err))
			r.giveUp(err)
		} else {
			failed = 0
		}
		tick.Reset(r.pause(pause))
	}
}

// pause is how long the cluster is let alone: partitions without a leader or a
// beginning wait for it.
func (r *Reader) pause(most time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.o.Now()
	if len(r.absent.unsure) > 0 {
		most = min(most, goneWait)
	}
	for _, p := range r.parts {
		if !p.finished && !p.revoked && (p.broker < 0 || !p.attached()) {
			most = min(most, max(p.notUntil.Sub(now), leastWait))
		}
	}
	return most
}

// refresh brings partitions and fetchers up to date.
func (r *Reader) refresh(ctx context.Context) error {
	t, err := r.cluster.topology(ctx)
	if err != nil {
		return err
	}
	topics := r.wanted(ctx, t)
	if r.o.Group != "" {
		r.follow(ctx, topics)
	}
	r.adopt(t, topics)
	r.missing(ctx, t)
	for _, topic := range topics {
		if err := r.attach(ctx, topic); err != nil && ctx.Err() == nil {
			r.o.Log.WarnContext(ctx, "a topic cannot be read; it is tried again", slog.Any("error", err))
		}
	}
	r.staff(ctx, t)
	r.settle()
	return nil
}

// adopt takes new partitions up and learns who leads which.
func (r *Reader) adopt(t topology, topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.adopted, r.lost, r.sizes = true, time.Time{}, map[string]int{}
	for _, topic := range topics {
		r.sizes[topic] = len(t.topics[topic])
		r.absent.ever[topic] = true
	}
	for _, topic := range topics {
		for part, l := range t.topics[topic] {
			at := place{topic, part}
			p := r.parts[at]
			if p == nil && r.o.Group == "" {
				p = &partition{place: at, broker: -1, until: -1}
				r.parts[at] = p
			}
			if p != nil {
				p.broker = l.broker
			}
		}
	}
	for at, p := range r.parts {
		if _, has := t.topics[at.topic][at.part]; !has {
			p.broker, p.incarnation = -1, -abs(p.incarnation) // it is verified when it is back
			p.failed(errAbsent, r.o.Now())
		}
	}
	for topic := range t.topics {
		delete(r.denied, topic)
	}
	for _, topic := range r.unreadable(t) {
		r.denied[topic] = t.denied[topic]
	}
}

// staff starts a fetcher for each broker that leads something.
func (r *Reader) staff(ctx context.Context, t topology) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.parts {
		if p.broker < 0 {
			continue
		}
		f := r.fetchers[p.broker]
		if f == nil {
			f = &fetcher{r: r, broker: p.broker, wake: make(chan struct{}, 1)}
			r.fetchers[p.broker] = f
			f.addr = t.brokers[p.broker]
			r.wait.Go(func() { f.run(ctx) })
		}
		f.addr = t.brokers[p.broker]
		poke(f.wake)
	}
}

// giveUp ends what is waited for too long when nothing of the cluster answers.
func (r *Reader) giveUp(err error) {
	r.mu.Lock()
	now := r.o.Now()
	for _, p := range r.parts {
		if !p.finished && !p.revoked {
			p.failed(err, now)
		}
	}
	if r.lost.IsZero() {
		r.lost = now
	}
	r.absent.sure = r.absent.sure || now.Sub(r.lost) >= r.o.Patience
	end := !r.o.Follow && !r.ended && !r.adopted && now.Sub(r.lost) >= r.o.Patience
	r.ended = r.ended || end
	r.mu.Unlock()
	if end {
		r.last(&chunk{end: true, err: err})
	}
	r.settle()
}

// last ends the queue.
func (r *Reader) last(c *chunk) {
	select {
	case r.queue <- c:
	case <-r.closing:
	}
}

// settle gives partitions up that are waited for too long, where reading ends, and
// ends the queue behind the last of them.
func (r *Reader) settle() {
	if r.o.Follow {
		return
	}
	r.mu.Lock()
	var lost []*partition
	now := r.o.Now()
	for _, p := range r.parts {
		if !p.finished && p.failures > 0 && (errors.Is(p.problem, ErrDenied) || now.Sub(p.failing) >= r.o.Patience) {
			p.finished = true
			lost = append(lost, p)
		}
	}
	r.mu.Unlock()
	for _, p := range lost {
		c := r.chunk(p)
		c.skip(fingerprints.SkipUnreadable, fmt.Sprintf("%s cannot be read: %v", c.where(), p.problem), -1)
		r.push(c)
	}
	r.mu.Lock()
	open := !r.adopted || r.ended || !r.absent.sure
	for _, p := range r.parts {
		open = open || !p.finished
	}
	if r.o.Group != "" && (r.group == nil || !r.group.assigned) {
		open = true
	}
	r.ended = r.ended || !open
	r.mu.Unlock()
	if !open {
		r.last(&chunk{end: true})
	}
}
