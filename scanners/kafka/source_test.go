package kafka_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	kafkago "github.com/segmentio/kafka-go"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/kafka"
	"revenant/scanners/kafka/kafkatest"
	"revenant/scanners/sourcetest"
)

const clusterID = "kafka:cluster-of-tests"

func TestMessages(t *testing.T) {
	for name, codec := range map[string]kafkago.Compression{"none": 0, "gzip": kafkago.Gzip, "snappy": kafkago.Snappy, "lz4": kafkago.Lz4, "zstd": kafkago.Zstd} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1, "logs")
			kafkatest.Produce(t, f.client, "logs", codec,
				kafkatest.Message{Key: "k1", Value: "one", Headers: []kafkago.Header{{Key: "h", Value: []byte("x")}, {Key: "h", Value: []byte("y")}, {Key: "other", Value: []byte("z")}}},
				kafkatest.Message{Key: "k2", Tombstone: true},
				kafkatest.Message{Value: "three"},
				kafkatest.Message{Partition: 1, Value: strings.Repeat("0123456789", 100_000)},
			)
			got := once(t, options(f.addr, nil), nil)
			want := []gotOf{
				{"@header/h", "partition 0 offset 0", "x"},
				{"@header/h", "partition 0 offset 0 header 2", "y"},
				{"@header/other", "partition 0 offset 0", "z"},
				{"@key", "partition 0 offset 0", "k1"},
				{"@key", "partition 0 offset 1", "k2"},
				{"@value", "partition 0 offset 0", "one"},
				{"@value", "partition 0 offset 2", "three"},
				{"@value", "partition 1 offset 0", strings.Repeat("0123456789", 100_000)},
			}
			if diff := cmp.Diff(want, sorted(got.items)); diff != "" {
				t.Errorf("items (-want +got):\n%s", diff)
			}
			if len(got.skips) > 0 {
				t.Errorf("skips: %v", got.skips)
			}
		})
	}
}

type gotOf struct{ Path, Locator, Content string }

func sorted(items []got) []gotOf {
	var out []gotOf
	for _, it := range items {
		out = append(out, gotOf{it.Path, it.Locator, it.Content})
	}
	slices.SortFunc(out, func(a, b gotOf) int { return strings.Compare(a.Path+a.Locator, b.Path+b.Locator) })
	return out
}

func TestSuite(t *testing.T) {
	f := newFake(t, 1, "logs")
	kafkatest.Produce(t, f.client, "logs", kafkago.Zstd, kafkatest.Message{Key: "key-1", Value: "value 1", Headers: []kafkago.Header{{Key: "name", Value: []byte("header 1")}}})
	sourcetest.Run(t, sourcetest.Subject{
		New: func(t *testing.T, _ []byte) scanners.Source { return open(t, options(f.addr, nil)).Source() },
		Want: map[string]string{
			"@key": "key-1", "@value": "value 1", "@header/name": "header 1",
		},
	})
}

// What was read is not read again, and what comes is.
func TestGoesOn(t *testing.T) {
	f := newFake(t, 3, "a", "b")
	m := &memory{}
	total := 0
	for round := range 4 {
		var want []string
		for i := range 50 {
			v := fmt.Sprintf("round %d message %d", round, i)
			want = append(want, v)
			kafkatest.Produce(t, f.client, []string{"a", "b"}[i%2], 0, kafkatest.Message{Partition: i / 2 % 2, Value: v})
		}
		got := once(t, options(f.addr, m), m)
		var values []string
		for _, it := range got.items {
			values = append(values, it.Content)
		}
		if diff := cmp.Diff(want, values, cmpopts.SortSlices(strings.Compare)); diff != "" {
			t.Errorf("round %d (-want +got):\n%s", round, diff)
		}
		total += len(values)
	}
	anew := options(f.addr, m)
	anew.Start.Anew = true
	if got := once(t, anew, m); len(got.items) != total {
		t.Errorf("%d items from the earliest on, want %d", len(got.items), total)
	}
	if got := once(t, options(f.addr, m), m); len(got.items) != 0 {
		t.Errorf("%d items after the end", len(got.items))
	}
}

func TestStarts(t *testing.T) {
	f := newFake(t, 1, "logs")
	for i := range 10 {
		kafkatest.Produce(t, f.client, "logs", 0, kafkatest.Message{Value: fmt.Sprint(i), At: at(i)})
	}
	for name, c := range map[string]struct {
		start kafka.Start
		want  int
	}{
		"earliest": {kafka.Start{}, 10}, "latest": {kafka.Start{From: kafka.FromLatest}, 0}, "a time": {kafka.Start{From: kafka.FromTime, At: at(7)}, 3},
		"a time before all": {kafka.Start{From: kafka.FromTime, At: at(-1)}, 10}, "a time after all": {kafka.Start{From: kafka.FromTime, At: at(99)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(f.addr, nil)
			o.Start = c.start
			if got := once(t, o, nil); len(got.items) != c.want {
				t.Errorf("%d items, want %d", len(got.items), c.want)
			}
		})
	}
}

func TestTopics(t *testing.T) {
	f := newFake(t, 1, "app-a", "app-b", "other")
	for _, topic := range []string{"app-a", "app-b", "other"} {
		kafkatest.Produce(t, f.client, topic, 0, kafkatest.Message{Value: "v"})
	}
	for _, c := range []struct {
		globs []string
		want  []string
	}{
		{nil, []string{"app-a", "app-b", "other"}}, {[]string{"app-*"}, []string{"app-a", "app-b"}}, {[]string{"other", "app-b"}, []string{"app-b", "other"}},
	} {
		o := options(f.addr, nil)
		o.Topics = c.globs
		var topics []string
		for _, it := range once(t, o, nil).items {
			topics = append(topics, strings.TrimPrefix(it.Topic, clusterID+"/"))
		}
		slices.Sort(topics)
		if diff := cmp.Diff(c.want, topics); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.globs, diff)
		}
	}
	o := options(f.addr, nil)
	o.Topics = []string{"absent"}
	if _, err := kafka.Open(t.Context(), o); !errors.Is(err, kafka.ErrNoTopic) {
		t.Errorf("an absent topic: %v", err)
	}
	o.Topics = []string{"a[b"}
	if _, err := kafka.Open(t.Context(), o); err == nil {
		t.Error("a glob that is none")
	}
	o = options("127.0.0.1:1", nil)
	if _, err := kafka.Open(t.Context(), o); !errors.Is(err, kafka.ErrUnreachable) {
		t.Errorf("no broker: %v", err)
	}
}

// A topic that is made anew is read from its beginning, whether it is shorter or longer
// than what was read of the old one.
func TestMadeAnew(t *testing.T) {
	for name, count := range map[string]int{"shorter": 3, "as long": 10, "longer": 20, "empty": 0} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t, 1, "logs")
			m := &memory{}
			for i := range 10 {
				kafkatest.Produce(t, f.client, "logs", 0, kafkatest.Message{Value: fmt.Sprint("old ", i), At: at(i)})
			}
			once(t, options(f.addr, m), m)
			if _, err := f.client.DeleteTopics(t.Context(), &kafkago.DeleteTopicsRequest{Topics: []string{"logs"}}); err != nil {
				t.Fatal(err)
			}
			kafkatest.Create(t, f.client, "logs", 2)
			for i := range count {
				kafkatest.Produce(t, f.client, "logs", 0, kafkatest.Message{Value: fmt.Sprint("new ", i), At: at(100 + i)})
			}
			got := once(t, options(f.addr, m), m)
			if len(got.items) != count {
				t.Fatalf("%d items, want %d: %v", len(got.items), count, got.items)
			}
			for _, it := range got.items {
				if !strings.HasPrefix(it.Locator, "incarnation 2 partition 0 offset ") {
					t.Errorf("locator %q", it.Locator)
				}
			}
			if again := once(t, options(f.addr, m), m); len(again.items) != 0 {
				t.Errorf("%d items once more", len(again.items))
			}
		})
	}
}

// What screens say no to is counted and not given out.
func TestScreened(t *testing.T) {
	f := newFake(t, 1, "logs")
	for i := range 30 {
		kafkatest.Produce(t, f.client, "logs", kafkago.Lz4, kafkatest.Message{Key: "key", Value: fmt.Sprintf("message %d", i)})
	}
	o := options(f.addr, nil)
	o.Screen = having("message 7")
	got := once(t, o, nil)
	if len(got.items) != 1 || got.items[0].Content != "message 7" || got.read.Items != 29 {
		t.Errorf("%d items, %d read: %v", len(got.items), got.read.Items, got.items)
	}
}

func TestExpired(t *testing.T) {
	f := newFake(t, 1, "logs")
	m := &memory{}
	kafkatest.Produce(t, f.client, "logs", 0, kafkatest.Message{Value: "first"})
	once(t, options(f.addr, m), m)
	for range 5 {
		kafkatest.Produce(t, f.client, "logs", 0, kafkatest.Message{Value: "unread"})
	}
	deleteRecords(t, f, "logs", 0, 4)
	got := once(t, options(f.addr, m), m)
	if len(got.items) != 2 || len(got.skips) != 1 || got.skips[0].Reason != fingerprints.SkipExpired || !strings.Contains(got.skips[0].Detail, "offsets 1 to 3") {
		t.Errorf("items %v, skips %v", got.items, got.skips)
	}
}
