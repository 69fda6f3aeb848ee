package kafka_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func at(minutes int) time.Time {
	return time.Date(2026, 5, 6, 7, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

// having says yes to what is this.
type having string

func (h having) Texts(_ context.Context, texts [][]byte, yes func(int)) {
	for i, t := range texts {
		if bytes.Equal(t, []byte(h)) {
			yes(i)
		}
	}
}

// deleteRecords removes what is before an offset.
func deleteRecords(t testing.TB, f *fake, topic string, part int32, before int64) {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(f.addr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := kmsg.NewDeleteRecordsRequestTopicPartition()
	p.Partition, p.Offset = part, before
	of := kmsg.NewDeleteRecordsRequestTopic()
	of.Topic, of.Partitions = topic, append(of.Partitions, p)
	q := kmsg.NewPtrDeleteRecordsRequest()
	q.TimeoutMillis, q.Topics = 5000, append(q.Topics, of)
	if _, err := q.RequestWith(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}
