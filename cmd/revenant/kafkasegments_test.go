package main

import (
	"fmt"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/scanners/kafka/kafkatest"
)

// TestKafkaSegments finds values in the files that a broker keeps topics in, as they
// stand in its volume, or in a copy of it: batches of every codec.
func TestKafkaSegments(t *testing.T) {
	t.Parallel()
	broker := kafkatest.Start(t, kafkatest.Options{})
	b := newBox(t)
	b.must(0, "", "init")
	codecs := []kafkago.Compression{0, kafkago.Gzip, kafkago.Snappy, kafkago.Lz4, kafkago.Zstd}
	for i, codec := range codecs {
		topic := fmt.Sprintf("topic-%d", i)
		broker.Create(topic, 1)
		var messages []kafkatest.Message
		for k := range 3000 {
			text := fmt.Sprintf(`{"n": %d, "note": "a message of the log, much like the others", "id": "%x"}`, k, k*k*7919)
			if k == 2500 {
				text = `{"password": "` + generated(uint64(20+i)) + `"}`
			}
			messages = append(messages, kafkatest.Message{Value: text})
		}
		for len(messages) > 0 { // several batches, of several blocks each
			n := min(len(messages), 1400)
			kafkatest.Produce(t, broker.Client(), topic, codec, messages[:n]...)
			messages = messages[n:]
		}
		b.must(0, generated(uint64(20+i)), "secret", "add", fmt.Sprintf("app/codec-%d", i))
	}
	broker.Stop()
	r := b.must(1, "", "dir", "--no-store", "-f", "json", broker.Dir())
	for i, codec := range codecs {
		if name := fmt.Sprintf("app/codec-%d@1", i); !strings.Contains(r.stdout, name) {
			t.Errorf("%q: %s is not found\n%s", codec, name, r.stderr)
		}
	}
}
