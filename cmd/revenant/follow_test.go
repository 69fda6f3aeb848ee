package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/fingerprints/store"
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
