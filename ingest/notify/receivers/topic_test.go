package receivers_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/twmb/franz-go/pkg/kfake"

	"revenant/api/wire"
	"revenant/fingerprints"
	"revenant/ingest/credential"
	"revenant/ingest/notify"
	"revenant/ingest/notify/receivers"
)

// TestTopic: records arrive in order, with their keys, over a login; what is wrong is
// told without what was sent.
func TestTopic(t *testing.T) {
	password := "right" + "-Zq81Lm"
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "results"), kfake.EnableSASL(), kfake.Superuser("PLAIN", "writer", password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	send := func(topic, login string, records ...wire.FindingEvent) error {
		t.Helper()
		ref, err := credential.Parse("env:LOGIN")
		if err != nil {
			t.Fatal(err)
		}
		r := notify.Receiver{Name: "results", Kafka: &notify.Kafka{Brokers: c.ListenAddrs(), Topic: topic, SASL: "plain", Login: ref}}
		s := sender(t, r, receivers.Deps{Credentials: credential.Resolver{Lookup: func(string) (string, bool) { return login, true }}})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		return s.Send(ctx, notify.Message{Records: records})
	}
	var records []wire.FindingEvent
	for i := range 50 {
		records = append(records, wire.FindingEvent{
			Schema: wire.EventV1, ID: fmt.Sprintf("evt_a_%d", i), Sequence: int64(i + 1), Event: wire.EventOpened, At: time.Unix(int64(i), 0).UTC(),
			Severity: fingerprints.SeverityHigh, FindingID: fingerprints.FindingID(fmt.Sprintf("rv1:%032d", i%3)),
		})
	}
	if err := send("results", "writer:"+password, records...); err != nil {
		t.Fatal(err)
	}
	if err := send("results", "writer:"+password); err != nil {
		t.Error(err)
	}
	r := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: c.ListenAddrs(), Topic: "results", MaxWait: 100 * time.Millisecond,
		Dialer: &kafkago.Dialer{Timeout: 5 * time.Second, SASLMechanism: plain.Mechanism{Username: "writer", Password: password}},
	})
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for _, want := range records {
		m, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got wire.FindingEvent
		if err := json.Unmarshal(m.Value, &got); err != nil || got != want || string(m.Key) != string(want.FindingID) {
			t.Fatalf("%s %s: %v, want %+v", m.Key, m.Value, err, want)
		}
	}
	for name, err := range map[string]error{
		"another password": send("results", "writer:wrong-"+password, records[0]),
		"no such topic":    send("absent", "writer:"+password, records[0]),
		"nobody answers":   unanswered(t, records[0]),
	} {
		var known *notify.SendError
		if !errors.As(err, &known) || known.Refused || strings.Contains(err.Error(), password) || known.Words == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func unanswered(t *testing.T, e wire.FindingEvent) error {
	t.Helper()
	s := sender(t, notify.Receiver{Name: "results", Kafka: &notify.Kafka{Brokers: []string{"127.0.0.1:1"}, Topic: "results"}}, receivers.Deps{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return s.Send(ctx, notify.Message{Records: []wire.FindingEvent{e}})
}
