package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"revenant/fingerprints"
)

// From says where the reading of a partition begins that was not read before.
type From int

// The beginnings.
const (
	FromEarliest From = iota // with what the partition keeps
	FromLatest               // with what comes from now on
	FromTime                 // with what is not older than Start.At
)

// Start says where reading begins. The zero value goes on where it stopped, and
// begins with what a partition keeps.
type Start struct {
	From From
	At   time.Time // for FromTime
	// Anew leaves out of account how far partitions were read before.
	Anew bool
}

// Options say what of a cluster is read, and how. Config and Now are required.
type Options struct {
	Config
	Topics []string // globs; empty: all topics but the cluster's own
	// Own names the topics of a cluster that this program writes to: they are read
	// only where Topics has the very name. nil: there are none.
	Own   func(ctx context.Context, cluster string) []string
	Start Start
	// Follow goes on for as long as it is let; else reading ends with the messages
	// that were there when it began.
	Follow bool
	// Group is a consumer group that shares the partitions; empty: all are read.
	Group string
	// Load returns the positions that were stored of a source; nil: none were.
	Load func(ctx context.Context, sourceID string) (map[string][]byte, error)
	// Witness is a keyed hash; nil: a topic that was made anew is known by its
	// offsets alone.
	Witness func(record []byte) []byte
	// Eye says what is looked for, now.
	Eye func() (fields uint64, generic bool)
	// Screen tells which texts may hold something; nil: all may.
	Screen Screen
	// MaxBytes is how much may be fetched and not yet looked at; 0: 64 MiB.
	MaxBytes int64
	Workers  int // that screen; 0: one for each CPU
	// Patience is how long a partition that cannot be read is waited for when
	// reading ends; 0: a minute.
	Patience time.Duration
	// Refresh is how often the cluster is asked for new topics and partitions; 0: 10 s.
	Refresh time.Duration
	Now     func() time.Time
	Log     *slog.Logger // of what goes wrong and is tried again; nil: none
}

// Screen reports which of some texts may hold something: yes is called for each of
// them, in order. It is called by several goroutines.
type Screen interface {
	Texts(ctx context.Context, texts [][]byte, yes func(i int))
}

const (
	defaultMaxBytes = 64 << 20
	defaultPatience = time.Minute
	defaultRefresh  = 10 * time.Second
	fetchBytes      = 2 << 20
	fetchWait       = 500 * time.Millisecond
	waitingChunks   = 256
)

// ErrNoTopic says that there is nothing to read.
var ErrNoTopic = errors.New("no topic has such a name, or this login sees none of them")

// Reader reads topics of a cluster. Its Sources give out what it reads, one after
// another.
type Reader struct {
	o       Options
	cluster *cluster
	id      string // of the cluster

	mu       sync.Mutex
	parts    map[place]*partition
	inflight int64
	room     *sync.Cond
	stored   map[place]int64 // everything before is stored
	denied   map[string]error
	sizes    map[string]int // partitions of topics
	notes    []string
	begun    bool
	adopted  bool      // topics and partitions are known
	lost     time.Time // since when the cluster does not answer; zero: it does
	ended    bool      // the last chunk is in the queue
	fetchers map[int]*fetcher
	group    *group

	queue   chan *chunk
	work    chan *chunk
	closing chan struct{}
	wake    chan struct{} // the cluster is to be asked again now
	stop    context.CancelFunc
	wait    sync.WaitGroup
}

// Open asks a cluster for its topics.
func Open(ctx context.Context, o Options) (*Reader, error) {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	if o.Refresh <= 0 {
		o.Refresh = defaultRefresh
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, glob := range o.Topics {
		if !doublestar.ValidatePattern(glob) {
			return nil, errors.New("a topic's name is no glob: brackets and braces must close")
		}
	}
	r := &Reader{
		o: o, cluster: newCluster(o.Config), parts: map[place]*partition{}, stored: map[place]int64{}, denied: map[string]error{},
		fetchers: map[int]*fetcher{}, queue: make(chan *chunk, waitingChunks), work: make(chan *chunk, waitingChunks), wake: make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	r.room = sync.NewCond(&r.mu)
	t, err := r.cluster.topology(ctx)
	if err != nil {
		r.cluster.close()
		return nil, err
	}
	r.id = t.id
	if len(r.wanted(ctx, t)) == 0 && len(r.unreadable(t)) == 0 && !o.Follow {
		r.cluster.close()
		return nil, ErrNoTopic
	}
	return r, nil
}

// SourceID is the id of a topic.
func (r *Reader) SourceID(topic string) string { return r.ID() + "/" + topic }

// ID names the cluster.
func (r *Reader) ID() string { return string(fingerprints.KindKafka) + ":" + r.id }

// wants reports whether a topic is to be read.
func (r *Reader) wants(topic string, hidden bool) bool {
	if len(r.o.Topics) == 0 {
		return !hidden
	}
	return slices.ContainsFunc(r.o.Topics, func(glob string) bool { return doublestar.MatchUnvalidated(glob, topic) })
}

// wanted are the topics to be read, in order.
func (r *Reader) wanted(ctx context.Context, t topology) []string {
	var own, out []string
	if r.o.Own != nil {
		own = r.o.Own(ctx, r.id)
	}
	for topic := range t.topics {
		if r.wants(topic, t.hidden[topic]) && (!slices.Contains(own, topic) || slices.Contains(r.o.Topics, topic)) {
			out = append(out, topic)
		}
	}
	slices.Sort(out)
	return out
}

// unreadable are topics that are asked for and of which nothing is told.
func (r *Reader) unreadable(t topology) []string {
	var out []string
	for topic := range t.denied {
		if r.wants(topic, false) {
			out = append(out, topic)
		}
	}
	slices.Sort(out)
	return out
}

// begin starts reading.
func (r *Reader) begin(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return
	}
	r.begun = true
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.wait.Go(func() { r.keep(ctx) })
	for range r.o.Workers {
		r.wait.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-r.work:
					c.look(ctx, r.o.Screen)
				}
			}
		})
	}
}

// Close stops reading. What a group has in flight is committed as far as it is
// stored.
func (r *Reader) Close() error {
	r.mu.Lock()
	stop, g := r.stop, r.group
	r.stop = nil
	r.mu.Unlock()
	if stop == nil {
		r.cluster.close()
		return nil
	}
	if g != nil {
		g.leave()
	}
	close(r.closing)
	stop()
	r.wait.Wait()
	r.cluster.close()
	return nil
}

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
	r.denied = map[string]error{}
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
	open := !r.adopted || r.ended
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

// Stored takes note that everything before a cursor is stored.
func (r *Reader) Stored(sourceID string, cursor []byte) {
	c, err := ParseCursor(cursor)
	if err != nil {
		return
	}
	r.mu.Lock()
	for at := range r.parts {
		if q, has := c[at.part]; has && r.SourceID(at.topic) == sourceID {
			r.stored[at] = q.Next
		}
	}
	g := r.group
	r.mu.Unlock()
	if g != nil {
		g.stored()
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func abs(n int) int { return max(n, -n) }
