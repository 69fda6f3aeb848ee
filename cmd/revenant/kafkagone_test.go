package main

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/scanners/kafka/kafkatest"
)

// presences are those of all findings, by topic.
func (b *box) presences() map[string]string {
	b.t.Helper()
	var list []struct{ Source, Presence string }
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &list); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range list {
		out[f.Source] = f.Presence
	}
	return out
}

// TestKafkaDeleted: what was seen in a topic that is deleted is expired, whether or not
// others are left; one that is made anew under the name is read from its beginning.
func TestKafkaDeleted(t *testing.T) {
	t.Parallel()
	b, c := newBox(t), newTopics(t, "app", "other")
	value := newCanary(rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1)), "").value
	b.must(0, "", "init")
	b.must(0, value, "secret", "add", "billing/db")
	for range 3 {
		c.write("app", 0, kafkago.Record{}, "login "+value)
	}
	c.write("other", 1, kafkago.Record{}, "login "+value)
	scan := []string{"kafka", c.addr, "-q", "--only", "registered"}
	b.must(1, "", scan...)
	remove := func(topic string) {
		t.Helper()
		if _, err := c.DeleteTopics(context.Background(), &kafkago.DeleteTopicsRequest{Topics: []string{topic}}); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
			m, err := c.Metadata(context.Background(), &kafkago.MetadataRequest{Topics: []string{topic}})
			if err == nil && len(m.Topics) == 1 && m.Topics[0].Error != nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("it is still there: %v", err)
			}
		}
	}
	is := func(app, other string) {
		t.Helper()
		if got := b.presences(); got["kafka:c1/app"] != app || got["kafka:c1/other"] != other {
			t.Errorf("%v, want %s and %s", got, app, other)
		}
	}
	is("retained", "retained")
	remove("app")
	b.must(0, "", scan...)
	is("expired", "retained")
	kafkatest.Create(t, c.Client, "app", 1)
	for range 5 { // more than there were
		c.write("app", 0, kafkago.Record{}, "nothing")
	}
	b.must(0, "", scan...)
	is("expired", "retained")
	c.write("app", 0, kafkago.Record{}, "again "+value)
	b.must(1, "", scan...)
	is("retained", "retained")
	remove("app")
	remove("other")
	b.must(0, "", scan...) // there is no topic at all
	is("expired", "expired")
	b.must(2, "", append(scan, "--topic", "never")...)
}
