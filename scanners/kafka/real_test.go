package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"revenant/fingerprints"
	"revenant/scanners/kafka"
	"revenant/scanners/kafka/kafkatest"
)

// following reads what comes, in the background.
type following struct {
	t      testing.TB
	r      *kafka.Reader
	stop   context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	values map[string]int // how often each came
	where  map[string]string
	skips  []fingerprints.Skip
}

func follow(t testing.TB, o kafka.Options, m *memory) *following {
	t.Helper()
	o.Follow = true
	f := &following{t: t, r: open(t, o), done: make(chan struct{}), values: map[string]int{}, where: map[string]string{}}
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	t.Cleanup(f.end)
	go func() {
		defer close(f.done)
		src := f.r.During(0, nil)
		for {
			b, err := src.Next(ctx)
			var got found
			got.take(t, b)
			f.mu.Lock()
			for _, it := range got.items {
				f.values[it.Content]++
				f.where[it.Content] = it.Locator
			}
			f.skips = append(f.skips, got.skips...)
			f.mu.Unlock()
			if m != nil && b.Cursor != nil {
				m.save(t, b.SourceID, b.Cursor)
				f.r.Stored(b.SourceID, b.Cursor)
			}
			if errors.Is(err, io.EOF) {
				return
			}
		}
	}()
	return f
}

func (f *following) end() {
	f.stop()
	<-f.done
	_ = f.r.Close()
}

// sees waits until values came.
func (f *following) sees(values ...string) {
	f.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		f.mu.Lock()
		missing := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return f.values[v] > 0 })
		f.mu.Unlock()
		if len(missing) == 0 {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("%d of %d values did not come, as %q; %+v", len(missing), len(values), missing[0], f.r.Lag())
		}
		<-time.After(50 * time.Millisecond)
	}
}

func numbered(what string, from, to int) (out []string) {
	for i := from; i < to; i++ {
		out = append(out, fmt.Sprintf("%s %d", what, i))
	}
	return out
}

func send(t testing.TB, b *kafkatest.Broker, topic string, parts int, values []string) {
	t.Helper()
	var list []kafkatest.Message
	for i, v := range values {
		list = append(list, kafkatest.Message{Partition: i % parts, Value: v})
	}
	kafkatest.Produce(t, b.Client(), topic, kafkago.Snappy, list...)
}

// TestReal runs against both versions of the real broker.
func TestReal(t *testing.T) {
	for _, version := range []string{kafkatest.Current, kafkatest.Last3} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // they mostly wait for brokers
			b := kafkatest.Start(t, kafkatest.Options{Version: version})
			for name, codec := range map[string]kafkago.Compression{"none": 0, "gzip": kafkago.Gzip, "snappy": kafkago.Snappy, "lz4": kafkago.Lz4, "zstd": kafkago.Zstd} {
				b.Create(name, 1, "max.message.bytes=2000000")
				var list []kafkatest.Message
				for _, v := range append(numbered(name, 0, 500), strings.Repeat(name, 200_000)) {
					list = append(list, kafkatest.Message{Value: v})
				}
				kafkatest.Produce(t, b.Client(), name, codec, list...)
			}
			if got := once(t, options(b.Addr, nil), nil); len(got.items) != 5*501 || len(got.skips) > 0 {
				t.Errorf("%d items, skips %v", len(got.items), got.skips)
			}
			if version == kafkatest.Current {
				t.Run("made anew", func(t *testing.T) { madeAnew(t, b) })
				t.Run("transactions", func(t *testing.T) { transactions(t, b) })
				t.Run("compacted", func(t *testing.T) { compacted(t, b) })
				t.Run("two in a group", func(t *testing.T) { twoInGroup(t, b) })
			}
			t.Run("away", func(t *testing.T) { brokerAway(t, b) })
		})
	}
}

// brokerAway stops and kills the broker while it is read.
func brokerAway(t *testing.T, b *kafkatest.Broker) {
	b.Create("away", 2)
	o := options(b.Addr, nil)
	o.Topics = []string{"away", "later"}
	m := &memory{}
	o.Load = m.load
	f := follow(t, o, m)
	send(t, b, "away", 2, numbered("a", 0, 100))
	f.sees(numbered("a", 0, 100)...)
	b.Stop()
	b.Start()
	send(t, b, "away", 2, numbered("b", 0, 100))
	f.sees(numbered("b", 0, 100)...)
	b.Kill()
	b.Start()
	b.Grow("away", 4)
	b.Create("later", 1)
	send(t, b, "away", 4, numbered("c", 0, 100))
	send(t, b, "later", 1, numbered("d", 0, 10))
	f.sees(append(numbered("c", 0, 100), numbered("d", 0, 10)...)...)
	for v, n := range f.values {
		if n != 1 {
			t.Errorf("%q came %d times", v, n)
		}
	}
	f.end()
	if again := once(t, o, m); len(again.items) > 0 {
		t.Errorf("%d items once more", len(again.items))
	}
}

// madeAnew: a topic that is deleted and made again is another one.
func madeAnew(t *testing.T, b *kafkatest.Broker) {
	b.Create("anew", 2)
	m := &memory{}
	o := options(b.Addr, m)
	o.Topics = []string{"anew"}
	f := follow(t, o, m)
	send(t, b, "anew", 2, numbered("old", 0, 100))
	f.sees(numbered("old", 0, 100)...)
	b.Delete("anew")
	b.Create("anew", 2)
	send(t, b, "anew", 2, numbered("new", 0, 300))
	f.sees(numbered("new", 0, 300)...)
	for v, where := range f.where {
		if strings.HasPrefix(v, "new") != strings.HasPrefix(where, "incarnation 2 ") {
			t.Errorf("%q is at %q", v, where)
		}
	}
}

// transactions: what was given up is read, and a partition that ends with a mark has an
// end.
func transactions(t *testing.T, b *kafkatest.Broker) {
	b.Create("tx", 1)
	c, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.TransactionalID("t"), kgo.DefaultProduceTopic("tx"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := c.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		if err := c.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint("tx ", i))).FirstErr(); err != nil {
			t.Fatal(err)
		}
		if err := c.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	o := options(b.Addr, nil)
	o.Topics = []string{"tx"}
	got := once(t, o, nil)
	if diff := cmp.Diff([]gotOf{{"@value", "partition 0 offset 0", "tx 0"}, {"@value", "partition 0 offset 2", "tx 1"}}, sorted(got.items)); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
}

// compacted: offsets that compaction removed are no end and no gap.
func compacted(t *testing.T, b *kafkatest.Broker) {
	b.Create("compact", 1, "cleanup.policy=compact", "segment.ms=200", "min.cleanable.dirty.ratio=0.01", "segment.bytes=1048576", "min.compaction.lag.ms=0")
	o := options(b.Addr, nil)
	o.Topics = []string{"compact"}
	left := 0
	for round := range 60 {
		for i := range 20 {
			kafkatest.Produce(t, b.Client(), "compact", 0, kafkatest.Message{Key: fmt.Sprint(i % 5), Value: fmt.Sprintf("round %d", round)})
		}
		values := 0
		for _, it := range once(t, o, nil).items {
			if it.Path == kafka.PathValue {
				values++
			}
		}
		if left = 20 * (round + 1); values < left {
			if values < 5 {
				t.Errorf("%d of %d values are left", values, left)
			}
			return
		}
	}
	t.Errorf("nothing was compacted of %d", left)
}

// twoInGroup: two members share the partitions, each message is stored once, and what
// the second leaves is taken over.
func twoInGroup(t *testing.T, b *kafkatest.Broker) {
	b.Create("shared", 4)
	m := &memory{}
	o := options(b.Addr, m)
	o.Topics, o.Group = []string{"shared"}, "scanners"
	one, two := follow(t, o, m), follow(t, o, m)
	both := func() (n int) {
		for _, f := range []*following{one, two} {
			if l := f.r.Lag()["shared"]; l.Partitions == 2 {
				n++
			}
		}
		return n
	}
	for deadline := time.Now().Add(time.Minute); both() < 2; <-time.After(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("partitions are not shared: %v, %v", one.r.Lag(), two.r.Lag())
		}
	}
	send(t, b, "shared", 4, numbered("v", 0, 400))
	for deadline := time.Now().Add(time.Minute); ; <-time.After(50 * time.Millisecond) {
		one.mu.Lock()
		two.mu.Lock()
		n, each := len(one.values)+len(two.values), min(len(one.values), len(two.values))
		two.mu.Unlock()
		one.mu.Unlock()
		if n == 400 && each > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d values came", n)
		}
	}
	two.end()
	send(t, b, "shared", 4, numbered("w", 0, 400))
	one.sees(numbered("w", 0, 400)...)
	for deadline := time.Now().Add(30 * time.Second); ; <-time.After(100 * time.Millisecond) {
		res, err := b.Client().OffsetFetch(t.Context(), &kafkago.OffsetFetchRequest{GroupID: "scanners", Topics: map[string][]int{"shared": {0, 1, 2, 3}}})
		sum := int64(0)
		if err == nil {
			for _, p := range res.Topics["shared"] {
				sum += p.CommittedOffset
			}
		}
		if sum == 800 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("offsets of %d messages are committed, %v", sum, err)
		}
	}
}
