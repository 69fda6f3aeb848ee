package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"revenant/api/wire"
	"revenant/scanners/kafka/kafkatest"
)

// recordsOf reads all of a topic of one partition.
func recordsOf(t *testing.T, addr, topic string) (out []kafkago.Message) {
	t.Helper()
	client := &kafkago.Client{Addr: kafkago.TCP(addr), Timeout: 10 * time.Second}
	res, err := client.ListOffsets(t.Context(), &kafkago.ListOffsetsRequest{Topics: map[string][]kafkago.OffsetRequest{topic: {kafkago.LastOffsetOf(0)}}})
	if err != nil || len(res.Topics[topic]) != 1 || res.Topics[topic][0].Error != nil {
		t.Fatalf("%v %v", res, err)
	}
	end := res.Topics[topic][0].LastOffset
	if end == 0 {
		return nil
	}
	r := kafkago.NewReader(kafkago.ReaderConfig{Brokers: []string{addr}, Topic: topic, MaxBytes: 10 << 20, MaxWait: 100 * time.Millisecond})
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, m); m.Offset >= end-1 {
			return out
		}
	}
}

// asDocumented holds events against their schema.
func asDocumented(t *testing.T, records []kafkago.Message) {
	t.Helper()
	if len(records) == 0 {
		return
	}
	var docs bytes.Buffer
	for _, m := range records {
		if err := json.Compact(&docs, m.Value); err != nil {
			t.Fatalf("%s: %v", m.Value, err)
		}
		docs.WriteByte('\n')
	}
	c := exec.CommandContext(t.Context(), "go", "run", "./scripts/schemacheck", filepath.Join("docs", "event-v1.schema.json"))
	c.Dir, c.Stdin = docsRoot, &docs
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// toldEvents are the records of a topic, each held against the schema; those that are
// there twice once.
func toldEvents(t *testing.T, addr, topic string) (out []wire.FindingEvent) {
	t.Helper()
	records := recordsOf(t, addr, topic)
	asDocumented(t, records)
	known := map[string]string{}
	for _, m := range records {
		var e wire.FindingEvent
		if err := json.Unmarshal(m.Value, &e); err != nil {
			t.Fatal(err)
		}
		if string(m.Key) != e.Key() || e.Key() == "" {
			t.Errorf("the key of %s is %s", m.Value, m.Key)
		}
		key := string(e.Event) + " " + e.Key() + " " + fmt.Sprint(e.Sequence)
		if before, again := known[e.ID]; again {
			if before != key {
				t.Errorf("%s is %s and %s", e.ID, before, key)
			}
			continue
		}
		known[e.ID] = key
		out = append(out, e)
	}
	return out
}

// eventsOf counts events by what they tell of which secret.
func eventsOf(list []wire.FindingEvent) map[string]int {
	out := map[string]int{}
	for _, e := range list {
		name := e.Source
		if e.Finding != nil && len(e.Finding.Matches) > 0 {
			name = e.Finding.Matches[0].Secret
		}
		out[string(e.Event)+" "+string(e.Verdict)+" "+name]++
	}
	return out
}

// produceKey is Kafka's number of the request that writes.
const produceKey = 0

// TestKafkaResults: the command writes what it finds to a topic that it does not read,
// and what the topic does not take with the next run.
func TestKafkaResults(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("c1"), kfake.SeedTopics(2, "app"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	addr := cluster.ListenAddrs()[0]
	c := &topicsServer{t, addr, &kafkago.Client{Addr: kafkago.TCP(addr), Timeout: 10 * time.Second}}
	value := generated(7401)
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "svc/one")
	c.write("app", 0, kafkago.Record{}, "login "+value)
	scan := []string{"kafka", c.addr, "--results", "results", "--only", "registered"}
	b.must(2, "", append(scan, "--no-store")...)
	b.must(2, "", "kafka", c.addr, "--results", "not a topic")
	b.must(2, "", scan...)
	kafkatest.Create(t, c.Client, "results", 1)
	var broken atomic.Bool
	broken.Store(true)
	cluster.ControlKey(produceKey, func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		return nil, errors.New("the broker hangs up"), broken.Load()
	})
	if r := b.must(1, "", scan...); strings.Contains(r.stdout+r.stderr, value) || !strings.Contains(r.stderr, "written by the next run") {
		t.Errorf("the topic took nothing: %s", r.stderr)
	}
	b.must(3, "", scan...)
	broken.Store(false)
	b.must(0, "", scan...)
	want := map[string]int{"opened leaked svc/one": 1}
	if got := eventsOf(toldEvents(t, c.addr, "results")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	b.must(0, "", "secret", "retire", "svc/one@1", "--no-successor")
	c.write("app", 1, kafkago.Record{}, "again "+value)
	b.must(1, "", scan...)
	want["changed stale svc/one"] = 1
	if got := eventsOf(toldEvents(t, c.addr, "results")); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, m := range recordsOf(t, c.addr, "results") {
		if strings.Contains(string(m.Key)+string(m.Value), value) {
			t.Error("a value is written")
		}
	}
	if r := b.must(0, "", "source", "list"); strings.Contains(r.stdout, "results") || !strings.Contains(r.stdout, "kafka:c1/app") {
		t.Errorf("read: %s", r.stdout)
	}
	b.must(0, "", append(scan, "--topic", "results")...)
	if r := b.must(0, "", "source", "list"); !strings.Contains(r.stdout, "kafka:c1/results") {
		t.Errorf("not read when it is named: %s", r.stdout)
	}
}

// TestServeKafkaKilled: a server follows all topics of a real broker and writes what
// becomes of findings to one of them. It is killed again and again while messages come:
// each with a value is counted once, each event arrives, and nothing anywhere has a value.
func TestServeKafkaKilled(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	b, kills := newBox(t), killsEach(t)
	p := &plantedTopic{broker: kafkatest.Start(t, kafkatest.Options{}), parts: 2, rng: rand.New(rand.NewPCG(seed, 2)), planted: make([]int, 3)}
	b.must(0, "", "init")
	var planted canaries
	for i := range p.planted {
		p.values = append(p.values, newCanary(rng, "").value)
		planted = append(planted, canary{fmt.Sprintf("value %d", i), p.values[i]})
		b.must(0, p.values[i], "secret", "add", fmt.Sprintf("svc/%d", i))
	}
	p.broker.Create("planted", p.parts)
	p.broker.Create("results", 1)
	config := b.write("../serve.yaml", fmt.Sprintf(`
notify:
  receivers:
    - name: results
      kafka: {brokers: ["%[1]s"], topic: results}
  rules:
    - {name: everything, receivers: [results]}
watches:
  - name: events
    scan: [kafka, "%[1]s"]
`, p.broker.Addr))
	for range kills {
		before := sum(b.places()) // a server may find what is written at once
		s := b.serve("--config", config)
		p.write(t)
		s.until("something is found", func() bool { return sum(b.places()) > before })
		p.write(t)
		<-time.After(time.Duration(rng.IntN(700)) * time.Millisecond) // the moment is any
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	s := b.serve("--config", config)
	p.write(t)
	want := map[string]int{}
	for i, n := range p.planted {
		want[fmt.Sprintf("svc/%d", i)] = n
	}
	s.until("all is found", func() bool { return fmt.Sprint(b.places()) == fmt.Sprint(want) })
	b.must(0, "", "secret", "retire", "svc/0@1", "--no-successor")
	events := map[string]int{"opened leaked svc/0": 1, "opened leaked svc/1": 1, "opened leaked svc/2": 1, "changed stale svc/0": 1}
	s.until("all is told", func() bool {
		return fmt.Sprint(eventsOf(toldEvents(t, p.broker.Addr, "results"))) == fmt.Sprint(events)
	})
	s.until("its worker tells that nothing is left", func() bool {
		w := b.stream("events")
		return w.State == "following" && len(w.UnderWay) == 1 && w.UnderWay[0].Stream.Lag == 0
	})
	_, _, text := s.ask(http.MethodGet, "/metrics", "")
	for _, m := range []string{`revenant_stream_up{watch="events"} 1`, `revenant_stream_lag_messages{topic="planted",watch="events"} 0`} {
		if !strings.Contains(text, m) {
			t.Errorf("the metrics do not have %s", m)
		}
	}
	told := s.spoken.String() + s.said() + b.must(0, "", "watch", "list", "--json").stdout
	if r := b.must(0, "", "source", "list"); strings.Contains(r.stdout, "/results") {
		t.Errorf("what it writes is read: %s", r.stdout)
	}
	if code, took := s.end(); code != 0 || took > soon {
		t.Errorf("it ended with code %d after %s\n%s", code, took, s.said())
	}
	for _, m := range recordsOf(t, p.broker.Addr, "results") {
		told += string(m.Key) + string(m.Value)
	}
	if found := planted.in([]byte(told)); len(found) > 0 {
		t.Errorf("told: %v", found)
	}
	if found := planted.inTree(t, b.dir); len(found) > 0 {
		t.Errorf("written: %v", found)
	}
	b.must(0, "", "audit", "verify")
}

func sum(counts map[string]int) (n int) {
	for _, c := range counts {
		n += c
	}
	return n
}
