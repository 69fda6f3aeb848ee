package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// How a group is kept.
const (
	groupSession   = 10 * time.Second
	groupHeartbeat = 2 * time.Second
	groupRebalance = 30 * time.Second
	groupBackoff   = time.Second
	drainWait      = 10 * time.Second // for what is in flight when partitions are taken away
	commitEvery    = time.Second
)

// group is the membership of a consumer group. Offsets are committed for the other
// members and for people: where reading goes on, the store says, which is never
// behind them.
type group struct {
	r        *Reader
	topics   []string
	cg       *kafka.ConsumerGroup
	assigned bool // under the Reader's lock: there was a generation

	mu        sync.Mutex
	gen       *kafka.Generation
	committed map[place]int64
	news      chan struct{}
	left      context.CancelFunc
	wait      sync.WaitGroup
}

// follow joins the group for topics, anew where there are other ones than before.
func (r *Reader) follow(ctx context.Context, topics []string) {
	r.mu.Lock()
	old := r.group
	r.mu.Unlock()
	if len(topics) == 0 || old != nil && slices.Equal(old.topics, topics) {
		return
	}
	if old != nil {
		old.leave()
	}
	cg, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: r.o.Group, Brokers: r.o.Brokers, Dialer: r.cluster.dialer(), Topics: topics, WatchPartitionChanges: true, PartitionWatchInterval: r.o.Refresh,
		HeartbeatInterval: groupHeartbeat, SessionTimeout: groupSession, RebalanceTimeout: groupRebalance, JoinGroupBackoff: groupBackoff,
		StartOffset: kafka.FirstOffset, Timeout: r.cluster.cfg.Timeout,
	})
	if err != nil {
		r.o.Log.WarnContext(ctx, "the group cannot be joined", slog.Any("error", plain(err)))
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	g := &group{r: r, topics: topics, cg: cg, committed: map[place]int64{}, news: make(chan struct{}, 1), left: cancel}
	r.mu.Lock()
	r.group = g
	r.mu.Unlock()
	g.wait.Go(func() { g.run(ctx) })
	g.wait.Go(func() { g.commits(ctx) })
}

// leave gives the partitions back.
func (g *group) leave() {
	g.revoke()
	_ = g.cg.Close()
	g.left()
	g.wait.Wait()
}

// run takes partitions from one generation after another.
func (g *group) run(ctx context.Context) {
	for {
		gen, err := g.cg.Next(ctx)
		switch {
		case ctx.Err() != nil, errors.Is(err, kafka.ErrGroupClosed):
			return
		case err != nil:
			g.r.o.Log.WarnContext(ctx, "the group cannot be joined; it is tried again", slog.Any("error", plain(err)))
			g.r.mu.Lock()
			first := !g.assigned && g.r.lost.IsZero()
			if first {
				g.r.lost = g.r.o.Now()
			}
			g.r.mu.Unlock()
			g.r.unjoined(plain(err))
			continue
		}
		g.mu.Lock()
		g.gen, g.committed = gen, map[place]int64{}
		g.mu.Unlock()
		g.r.assign(gen.Assignments)
		gen.Start(func(ctx context.Context) {
			<-ctx.Done()
			g.revoke()
		})
	}
}

// unjoined ends reading that is to end, where the group cannot be joined.
func (r *Reader) unjoined(err error) {
	r.mu.Lock()
	end := !r.o.Follow && !r.ended && !r.group.assigned && (errors.Is(err, ErrDenied) || r.o.Now().Sub(r.lost) >= r.o.Patience)
	r.ended = r.ended || end
	r.mu.Unlock()
	if end {
		r.last(&chunk{end: true, err: fmt.Errorf("joining the group: %w", err)})
	}
}

// assign takes partitions up.
func (r *Reader) assign(list map[string][]kafka.PartitionAssignment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.group.assigned = true
	for topic, parts := range list {
		for _, a := range parts {
			at := place{topic, a.ID}
			r.parts[at] = &partition{place: at, broker: -1, until: -1}
			delete(r.stored, at)
		}
	}
	poke(r.wake)
}

// revoke gives partitions up, when what is in flight of them is stored and committed,
// or takes too long: whoever reads them next reads that again, which changes nothing.
func (g *group) revoke() {
	r := g.r
	r.mu.Lock()
	for _, p := range r.parts {
		p.revoked = true
	}
	r.mu.Unlock()
	deadline := time.NewTimer(drainWait)
	defer deadline.Stop()
	for late := false; !late && !r.drained(); {
		select {
		case <-g.news:
		case <-r.closing:
			late = true
		case <-deadline.C:
			late = true
		}
	}
	g.commit()
	g.mu.Lock()
	g.gen = nil
	g.mu.Unlock()
	r.mu.Lock()
	for at, p := range r.parts {
		if p.revoked {
			delete(r.parts, at)
		}
	}
	r.mu.Unlock()
}

// drained reports whether everything that was fetched is stored.
func (r *Reader) drained() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at, p := range r.parts {
		if p.busy || p.attached() && p.next > max(r.stored[at], p.since) {
			return false
		}
	}
	return true
}

// stored wakes whoever waits for it.
func (g *group) stored() { poke(g.news) }

// commits commits now and then.
func (g *group) commits(ctx context.Context) {
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			g.commit()
		}
	}
}

// commit commits what is stored.
func (g *group) commit() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gen == nil {
		return
	}
	offsets := map[string]map[int]int64{}
	g.r.mu.Lock()
	for at, next := range g.r.stored {
		if _, ours := g.r.parts[at]; ours && g.committed[at] != next {
			if offsets[at.topic] == nil {
				offsets[at.topic] = map[int]int64{}
			}
			offsets[at.topic][at.part] = next
		}
	}
	g.r.mu.Unlock()
	if len(offsets) == 0 {
		return
	}
	if err := g.gen.CommitOffsets(offsets); err != nil {
		g.r.o.Log.Warn("offsets cannot be committed; it is tried again", slog.Any("error", plain(err)))
		return
	}
	for topic, parts := range offsets {
		for part, next := range parts {
			g.committed[place{topic, part}] = next
		}
	}
}
