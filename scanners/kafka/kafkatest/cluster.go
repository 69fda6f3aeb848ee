package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// StartCluster runs a cluster of so many brokers. The first one is the controller, and
// has to stay; ids count from 1.
func StartCluster(t testing.TB, brokers int) []*Broker {
	t.Helper()
	const id = "MkU3OEVBNTcwNTJENDM2Qk"
	common := "offsets.topic.replication.factor=2\ndefault.replication.factor=2\nbroker.session.timeout.ms=3000\nbroker.heartbeat.interval.ms=500\n"
	first := Start(t, Options{cluster: id, Settings: func(int, []int) string { return common }})
	out := []*Broker{first}
	for n := 2; n <= brokers; n++ {
		out = append(out, Start(t, Options{cluster: id, joins: true, Settings: func(port int, _ []int) string {
			return common + fmt.Sprintf(`
process.roles=broker
node.id=%d
controller.quorum.bootstrap.servers=127.0.0.1:%d
listeners=PLAINTEXT://127.0.0.1:%d
`, n, first.port+1, port)
		}}))
	}
	return out
}

// CreateOn makes a topic whose partitions have the given replicas, the first of which
// lead them.
func (b *Broker) CreateOn(topic string, replicas ...[]int) {
	b.t.Helper()
	config := kafka.TopicConfig{Topic: topic, NumPartitions: -1, ReplicationFactor: -1}
	for n, list := range replicas {
		config.ReplicaAssignments = append(config.ReplicaAssignments, kafka.ReplicaAssignment{Partition: n, Replicas: list})
	}
	eventually(b.t, "making a topic", func(ctx context.Context) error {
		res, err := b.client.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}})
		if err == nil {
			err = res.Errors[topic]
		}
		if errors.Is(err, kafka.TopicAlreadyExists) { // of a try before
			err = nil
		}
		return err
	})
	led(b.t, b.client, topic, len(replicas))
}

// Move gives a partition to other brokers, and waits until the first of them leads it.
func (b *Broker) Move(topic string, part int, replicas ...int) {
	b.t.Helper()
	eventually(b.t, "moving a partition", func(ctx context.Context) error {
		res, err := b.client.AlterPartitionReassignments(ctx, &kafka.AlterPartitionReassignmentsRequest{
			Topic: topic, Timeout: 10 * time.Second, Assignments: []kafka.AlterPartitionReassignmentsRequestAssignment{{PartitionID: part, BrokerIDs: replicas}},
		})
		if err != nil {
			return err
		}
		for _, p := range res.PartitionResults {
			err = errors.Join(err, p.Error)
		}
		return errors.Join(err, res.Error)
	})
	b.Leads(topic, part, replicas[0])
}

// Leads waits until a broker leads a partition.
func (b *Broker) Leads(topic string, part, broker int) {
	b.t.Helper()
	eventually(b.t, "waiting for a leader", func(ctx context.Context) error {
		m, err := b.client.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		for _, t := range m.Topics {
			for _, p := range t.Partitions {
				if p.ID == part && p.Leader.ID == broker {
					return nil
				}
			}
		}
		return errors.New("not yet")
	})
}

// Coordinator is the id of the broker that coordinates a group.
func (b *Broker) Coordinator(group string) (id int) {
	b.t.Helper()
	eventually(b.t, "asking for a coordinator", func(ctx context.Context) error {
		res, err := b.client.FindCoordinator(ctx, &kafka.FindCoordinatorRequest{Key: group, KeyType: kafka.CoordinatorKeyTypeConsumer})
		if err == nil {
			err = res.Error
		}
		if err == nil {
			id = res.Coordinator.NodeID
		}
		return err
	})
	return id
}
