package kafka

import (
	"context"
	"errors"
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
	// Known returns the ids of sources that were stored before, so that topics that
	// were deleted meanwhile are noticed; nil: none were.
	Known func(ctx context.Context) ([]string, error)
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
	absent   absences
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
	spare   spares
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
		absent: newAbsences(), fetchers: map[int]*fetcher{}, queue: make(chan *chunk, waitingChunks), work: make(chan *chunk, waitingChunks), wake: make(chan struct{}, 1),
		closing: make(chan struct{}),
	}
	r.room = sync.NewCond(&r.mu)
	t, err := r.cluster.topology(ctx)
	if err != nil {
		r.cluster.close()
		return nil, err
	}
	r.id = t.id
	if len(r.wanted(ctx, t)) > 0 || len(r.unreadable(t)) > 0 || o.Follow {
		return r, nil
	}
	if o.Known != nil {
		if known, err := r.known(ctx); err == nil && len(known) > 0 {
			return r, nil
		}
	}
	r.cluster.close()
	return nil, ErrNoTopic
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
			var room texts
			for {
				select {
				case <-ctx.Done():
					return
				case c := <-r.work:
					c.look(ctx, r.o.Screen, &room)
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
