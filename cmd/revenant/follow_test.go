package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"revenant/fingerprints/store"
	"revenant/scanners/kafka/kafkatest"
)

// toldStream is a stream as `watch show --json` tells it.
type toldStream struct {
	State, Problem string
	UnderWay       []struct {
		Worker string
		Items  int64
		Why    string
		Stream *store.StreamState
	} `json:"under_way"`
}

func (b *box) stream(name string) (w toldStream) {
	b.t.Helper()
	if err := json.Unmarshal([]byte(b.must(0, "", "watch", "show", name, "--json").stdout), &w); err != nil {
		b.t.Fatal(err)
	}
	return w
}

// places counts sightings by secret.
func (b *box) places() map[string]int {
	b.t.Helper()
	var list []struct {
		Places  int
		Matches []struct{ Secret string }
	}
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &list); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]int{}
	for _, f := range list {
		for _, m := range f.Matches {
			out[m.Secret] += f.Places
		}
	}
	return out
}

// TestServeFollows: a server reads a topic on and on, looks through what is kept for
// values that are registered meanwhile, ends in order, and pauses when it is told to.
func TestServeFollows(t *testing.T) {
	t.Parallel()
	b, c := newBox(t), newTopics(t, "app")
	first, second := generated(7301), generated(7302)
	b.must(0, "", "init")
	b.must(0, first, "secret", "add", "svc/first")
	if r := b.must(0, "", "watch", "add", "events", "--", "kafka", c.addr, "--topic", "app"); !strings.Contains(r.stdout, "followed") {
		t.Error(r.stdout)
	}
	c.write("app", 0, kafkago.Record{}, "before it began "+first+" and "+second)
	s := b.serve()
	s.until("what was there is found", func() bool { return b.places()["svc/first"] == 1 })
	began := time.Now()
	c.write("app", 1, kafkago.Record{}, "live "+first)
	s.until("what comes is found", func() bool { return b.places()["svc/first"] == 2 })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("found after %s", took)
	}
	s.until("its worker tells of it", func() bool {
		w := b.stream("events")
		return w.State == "following" && len(w.UnderWay) == 1 && w.UnderWay[0].Items == 2 && w.UnderWay[0].Stream.Hits == 2 && w.UnderWay[0].Stream.Lag == 0 && w.UnderWay[0].Stream.Partitions == 2
	})
	// Registered later: what is kept is looked through, and what comes is.
	b.must(0, second, "secret", "add", "svc/second")
	s.until("what was there before it was registered is found", func() bool { return b.places()["svc/second"] == 1 })
	c.write("app", 1, kafkago.Record{}, "live "+second)
	s.until("what comes later, too", func() bool { return b.places()["svc/second"] == 2 })
	s.until("it is covered", func() bool {
		r := b.run("", "coverage", "svc/second@1")
		return r.code == 0 && strings.Contains(r.stdout, "complete, 1 of 1")
	})
	if code, _, text := s.ask(http.MethodGet, "/api/v1/workers", ""); code != http.StatusOK || !strings.Contains(text, `"why":"follow"`) || !strings.Contains(text, `"lag":0`) {
		t.Errorf("%d %s", code, text)
	}
	b.must(0, "", "watch", "pause", "events")
	s.until("it is followed no more", func() bool { w := b.stream("events"); return w.State == "paused" && len(w.UnderWay) == 0 })
	c.write("app", 1, kafkago.Record{}, "while it is paused "+first)
	b.must(0, "", "watch", "resume", "events")
	s.until("what came meanwhile is found", func() bool { return b.places()["svc/first"] == 3 })
	if code, took := s.end(); code != 0 || took > soon {
		t.Errorf("it ended with code %d after %s\n%s", code, took, s.said())
	}
	if w := b.stream("events"); w.State != "waiting" {
		t.Errorf("without a worker it is %s", w.State)
	}
	if got := b.places(); got["svc/first"] != 3 || got["svc/second"] != 2 {
		t.Errorf("sightings: %v", got)
	}
}

// clusterAt is a cluster in the process at a port; 0: any.
func clusterAt(t *testing.T, port int) *topicsServer {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("c1"), kfake.SeedTopics(2, "app"), kfake.Ports(port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	addr := c.ListenAddrs()[0]
	return &topicsServer{t, addr, &kafkago.Client{Addr: kafkago.TCP(addr), Timeout: 10 * time.Second}}
}

// TestServeStreamFails: while brokers are away the watch says since when and why, and
// the log says it once; when they are back it goes on.
func TestServeStreamFails(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	value := generated(7303)
	l := must((&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"))
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "svc/one")
	b.must(0, "", "watch", "add", "events", "--", "kafka", l.Addr().String(), "--topic", "app")
	b.must(2, "", "watch", "add", "notes", "--every", "follow", "--", "dir", b.work)
	b.must(0, "", "watch", "add", "notes", "--every", "never", "--", "dir", b.work)
	b.must(2, "", "watch", "set", "notes", "--every", "follow")
	s := b.serve()
	s.until("it fails", func() bool {
		w := b.stream("events")
		return w.State == "failing" && strings.Contains(w.Problem, "no broker can be reached") && len(w.UnderWay) == 1 && !w.UnderWay[0].Stream.FailingSince.IsZero()
	})
	if text := b.must(0, "", "watch", "show", "events").stdout; !strings.Contains(text, "failing since ") || !strings.Contains(text, "no broker can be reached") {
		t.Error(text)
	}
	_, _, text := s.ask(http.MethodGet, "/metrics", "")
	if !strings.Contains(text, `revenant_stream_up{watch="events"} 0`) {
		t.Error("the metrics do not say that it fails")
	}
	clusterAt(t, port).write("app", 0, kafkago.Record{}, "live "+value)
	s.until("it is read again", func() bool { return b.places()["svc/one"] == 1 && b.stream("events").State == "following" })
	if n := strings.Count(s.said(), "a stream cannot be read"); n != 1 {
		t.Errorf("told %d times\n%s", n, s.said())
	}
	if !strings.Contains(s.said(), "a stream is read again") {
		t.Error(s.said())
	}
	if code, took := s.end(); code != 0 || took > soon {
		t.Errorf("it ended with code %d after %s", code, took)
	}
}

// TestServeShares: a server and a worker follow one watch by its group, each some of
// the partitions; when one is gone the other has all.
func TestServeShares(t *testing.T) {
	t.Parallel()
	b, broker := newBox(t), kafkatest.Start(t, kafkatest.Options{})
	broker.Create("app", 2)
	write := func(text string) { // to both partitions
		kafkatest.Produce(t, broker.Client(), "app", kafkago.Lz4, kafkatest.Message{Partition: 0, Value: text}, kafkatest.Message{Partition: 1, Value: text})
	}
	value := generated(7304)
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "svc/one")
	b.must(0, "", "watch", "add", "events", "--", "kafka", broker.Addr, "--group", "scanners")
	s := b.serve()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	worker := b.command(ctx, "", "worker")
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	s.until("both have a partition", func() bool {
		w := b.stream("events")
		return len(w.UnderWay) == 2 && w.UnderWay[0].Stream.Partitions == 1 && w.UnderWay[1].Stream.Partitions == 1
	})
	write("live " + value)
	s.until("both are found", func() bool { return b.places()["svc/one"] == 2 })
	if err := worker.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = worker.Wait()
	s.until("one has both", func() bool {
		w := b.stream("events")
		return len(w.UnderWay) == 1 && w.UnderWay[0].Stream.Partitions == 2
	})
	write("later " + value)
	s.until("all is found once", func() bool { return b.places()["svc/one"] == 4 })
	if code, took := s.end(); code != 0 || took > soon {
		t.Errorf("it ended with code %d after %s", code, took)
	}
}
