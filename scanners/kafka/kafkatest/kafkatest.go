// Package kafkatest runs real Apache Kafka brokers for tests, on loopback, with their
// data in a temporary folder. `make needs-kafka` fetches them.
//
// Where a broker is not there the test is skipped, loudly; CI fails if one was.
package kafkatest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// The versions that are tested with, pinned by hash in scripts/kafka.
const (
	Current = "4.4.0"
	Last3   = "3.9.2"
)

// startWait is how long a broker may take to answer; a busy machine takes its time.
const startWait = 2 * time.Minute

// Options of a broker.
type Options struct {
	Version string // "": Current
	// Settings are added to the broker's own, which listens at port and has its
	// controller at the next one; free are ports for more listeners.
	Settings func(port int, free []int) string
	Scram    string // credentials that it is formatted with, as StorageTool has them

	cluster string // id; "": one of its own
	joins   bool   // a cluster that has a controller
}

// Broker is a broker in a process of its own.
type Broker struct {
	Addr  string // without encryption and login
	Ports []int  // for listeners of Options.Settings

	t       testing.TB
	client  *kafka.Client
	o       Options
	dir     string
	port    int
	mu      sync.Mutex
	process *exec.Cmd
	done    chan struct{}
}

// Start runs a broker until the test ends.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	if o.Version == "" {
		o.Version = Current
	}
	for _, need := range []string{filepath.Join(root(t), "build", "kafka", "lib-"+o.Version), "java"} {
		if _, err := os.Stat(need); err == nil {
			continue
		}
		if _, err := exec.LookPath(need); err != nil {
			t.Skipf("there is no Kafka %s here: run `make needs-kafka`", o.Version)
		}
	}
	b := &Broker{t: t, o: o, dir: t.TempDir()}
	ports := freePorts(t, 6)
	// The controller listens beside the broker.
	b.port, b.Ports = ports[0], ports[1:]
	b.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port))
	if o.Settings != nil {
		if err := os.WriteFile(b.extra(), []byte(o.Settings(b.port, b.Ports)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	transport := &kafka.Transport{MetadataTTL: 100 * time.Millisecond}
	b.client = &kafka.Client{Addr: kafka.TCP(b.Addr), Transport: transport, Timeout: 20 * time.Second}
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(b.Kill)
	b.Start()
	return b
}

// Dir is where the broker keeps what it is told, its topics' segments among it.
func (b *Broker) Dir() string { return b.dir }

func (b *Broker) extra() string { return filepath.Join(b.dir, "extra.properties") }

// root is the project's folder.
func root(t testing.TB) string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("nobody knows where this file is")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// freePorts returns ports of which the first has a free neighbour above it.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	var open []net.Listener
	defer func() {
		for _, l := range open {
			_ = l.Close()
		}
	}()
	for len(ports) < n {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		if len(ports) == 0 {
			above, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1)))
			if err != nil {
				_ = l.Close()
				continue
			}
			open = append(open, above)
		}
		open = append(open, l)
		ports = append(ports, port)
	}
	return ports
}

// Start starts the broker again after Stop or Kill, with the data that it had, and
// waits until it answers.
func (b *Broker) Start() {
	b.t.Helper()
	args := []string{"run", b.o.Version, b.dir, strconv.Itoa(b.port)}
	if b.o.Settings != nil {
		args = append(args, b.extra())
	}
	var out bytes.Buffer
	c := exec.CommandContext(b.t.Context(), filepath.Join(root(b.t), "scripts", "kafka", "broker.sh"), args...)
	c.Env = append(os.Environ(), "KAFKA_SCRAM="+b.o.Scram, fmt.Sprintf("KAFKA_PARENT=%d", os.Getpid()), "KAFKA_CLUSTER="+b.o.cluster)
	if b.o.joins {
		c.Env = append(c.Env, "KAFKA_JOINS=-N")
	}
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Wait()
	}()
	b.mu.Lock()
	b.process, b.done = c, done
	b.mu.Unlock()
	deadline := time.Now().Add(startWait)
	for {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(b.t.Context(), "tcp", b.Addr)
		if err == nil {
			_ = conn.Close()
			ctx, cancel := context.WithTimeout(b.t.Context(), 5*time.Second)
			_, err = b.client.Metadata(ctx, &kafka.MetadataRequest{})
			cancel()
			if err == nil {
				return
			}
		}
		select {
		case <-done:
			b.t.Fatalf("the broker ended: %s", out.String())
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the broker does not answer: %v", err)
		}
	}
}

// Stop ends the broker in order.
func (b *Broker) Stop() { b.end(syscall.SIGTERM) }

// Kill ends it at once.
func (b *Broker) Kill() { b.end(syscall.SIGKILL) }

func (b *Broker) end(with syscall.Signal) {
	b.mu.Lock()
	c, done := b.process, b.done
	b.process = nil
	b.mu.Unlock()
	if c == nil {
		return
	}
	_ = c.Process.Signal(with)
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		_ = c.Process.Kill()
		<-done
	}
}

// Client asks the broker.
func (b *Broker) Client() *kafka.Client { return b.client }

// Create makes a topic, with settings as cleanup.policy=compact, and waits until it
// can be written to.
func (b *Broker) Create(topic string, partitions int, settings ...string) {
	b.t.Helper()
	Create(b.t, b.Client(), topic, partitions, settings...)
}

// Create is Broker.Create for whoever answers to a client.
func Create(t testing.TB, c *kafka.Client, topic string, partitions int, settings ...string) {
	t.Helper()
	config := kafka.TopicConfig{Topic: topic, NumPartitions: partitions, ReplicationFactor: 1}
	for _, s := range settings {
		for i := range s {
			if s[i] == '=' {
				config.ConfigEntries = append(config.ConfigEntries, kafka.ConfigEntry{ConfigName: s[:i], ConfigValue: s[i+1:]})
				break
			}
		}
	}
	eventually(t, "making a topic", func(ctx context.Context) error {
		res, err := c.CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{config}})
		if err == nil {
			err = res.Errors[topic]
		}
		if errors.Is(err, kafka.TopicAlreadyExists) { // of a try before
			err = nil
		}
		return err
	})
	led(t, c, topic, partitions)
}

// led waits until a topic has a leader for each of its partitions.
func led(t testing.TB, c *kafka.Client, topic string, partitions int) {
	t.Helper()
	eventually(t, "waiting for leaders", func(ctx context.Context) error {
		m, err := c.Metadata(ctx, &kafka.MetadataRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		for _, topic := range m.Topics {
			if topic.Error != nil {
				return topic.Error
			}
			for _, p := range topic.Partitions {
				if p.Error != nil {
					return p.Error
				}
			}
			if len(topic.Partitions) == partitions {
				return nil
			}
		}
		return errors.New("not yet")
	})
}

// Grow adds partitions to a topic.
func (b *Broker) Grow(topic string, to int) {
	b.t.Helper()
	eventually(b.t, "adding partitions", func(ctx context.Context) error {
		res, err := b.Client().CreatePartitions(ctx, &kafka.CreatePartitionsRequest{Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: int32(to)}}})
		if err == nil {
			err = res.Errors[topic]
		}
		if errors.Is(err, kafka.InvalidPartitionNumber) { // of a try before
			err = nil
		}
		return err
	})
	led(b.t, b.Client(), topic, to)
}

// Delete removes a topic and waits until it is gone.
func (b *Broker) Delete(topic string) {
	b.t.Helper()
	eventually(b.t, "removing a topic", func(ctx context.Context) error {
		_, err := b.Client().DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{topic}})
		if err != nil {
			return err
		}
		m, err := b.Client().Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return err
		}
		for _, known := range m.Topics {
			if known.Name == topic {
				return errors.New("it is still there")
			}
		}
		return nil
	})
}

// Message is a message and where it goes.
type Message struct {
	Partition  int
	Key, Value string
	Headers    []kafka.Header
	At         time.Time
	Tombstone  bool // its value is null
}

// Produce writes messages, each batch with a codec, and returns when they are kept.
func Produce(t testing.TB, c *kafka.Client, topic string, codec kafka.Compression, messages ...Message) {
	t.Helper()
	byPart := map[int][]kafka.Record{}
	for _, m := range messages {
		r := kafka.Record{Time: m.At, Headers: m.Headers, Value: kafka.NewBytes([]byte(m.Value))}
		if r.Time.IsZero() {
			r.Time = time.Now()
		}
		if m.Key != "" {
			r.Key = kafka.NewBytes([]byte(m.Key))
		}
		if m.Tombstone {
			r.Value = nil
		}
		byPart[m.Partition] = append(byPart[m.Partition], r)
	}
	for part, list := range byPart {
		eventually(t, "writing", func(ctx context.Context) error {
			for i := range list { // what was read of before
				for _, b := range []kafka.Bytes{list[i].Key, list[i].Value} {
					if s, ok := b.(interface {
						Seek(int64, int) (int64, error)
					}); ok && b != nil {
						if _, err := s.Seek(0, 0); err != nil {
							return err
						}
					}
				}
			}
			res, err := c.Produce(ctx, &kafka.ProduceRequest{
				Topic: topic, Partition: part, RequiredAcks: kafka.RequireAll, Compression: codec, Records: kafka.NewRecordReader(list...),
			})
			if err == nil {
				err = res.Error
			}
			return err
		})
	}
}

// eventually does what a broker may refuse for a while.
func eventually(t testing.TB, doing string, try func(ctx context.Context) error) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		err := try(ctx)
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(fmt.Errorf("%s: %w", doing, err))
		}
		time.Sleep(50 * time.Millisecond)
	}
}
