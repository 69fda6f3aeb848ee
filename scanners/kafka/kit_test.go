package kafka_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/kafka"
	"revenant/scanners/kafka/kafkatest"
)

// fake is a cluster in the process.
type fake struct {
	*kfake.Cluster
	addr   string
	client *kafkago.Client
}

func newFake(t testing.TB, brokers int, topics ...string) *fake {
	t.Helper()
	opts := []kfake.Opt{kfake.NumBrokers(brokers), kfake.ClusterID("cluster-of-tests")}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	f := &fake{Cluster: c, addr: c.ListenAddrs()[0]}
	f.client = &kafkago.Client{Addr: kafkago.TCP(f.addr), Transport: &kafkago.Transport{MetadataTTL: 50 * time.Millisecond}, Timeout: 10 * time.Second}
	for _, topic := range topics {
		kafkatest.Create(t, f.client, topic, 2)
	}
	return f
}

// memory keeps positions as a registry does.
type memory struct {
	mu   sync.Mutex
	rows map[string]map[string][]byte
}

func (m *memory) load(_ context.Context, source string) (map[string][]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := map[string][]byte{}
	for name, row := range m.rows[source] {
		out[name] = row
	}
	return out, nil
}

func (m *memory) save(t testing.TB, source string, cursor []byte) {
	t.Helper()
	c, err := kafka.ParseCursor(cursor)
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows == nil {
		m.rows = map[string]map[string][]byte{}
	}
	if m.rows[source] == nil {
		m.rows[source] = map[string][]byte{}
	}
	for name, row := range c.Rows() {
		if old, has := m.rows[source][name]; has {
			row = kafka.MergePositions(old, row)
		}
		m.rows[source][name] = row
	}
}

func witness(record []byte) []byte {
	sum := sha256.Sum256(append([]byte("key of the test"), record...))
	return sum[:8]
}

func options(addr string, m *memory) kafka.Options {
	o := kafka.Options{
		Config: kafka.Config{Brokers: []string{addr}, Timeout: 5 * time.Second}, Now: time.Now, Witness: witness, Patience: 10 * time.Second,
		Refresh: 200 * time.Millisecond,
	}
	if m != nil {
		o.Load = m.load
	}
	return o
}

// got is a part of a message with what it held.
type got struct{ Topic, Path, Locator, Content string }

// found is what came of a reading.
type found struct {
	items []got
	skips []fingerprints.Skip
	notes []string
	read  scanners.Counts
	err   error
}

// open opens a reader that is closed with the test.
func open(t testing.TB, o kafka.Options) *kafka.Reader {
	t.Helper()
	r, err := kafka.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// drain reads a source to its end; m, where there is one, keeps how far it is.
func drain(ctx context.Context, t testing.TB, src *kafka.Source, m *memory) found {
	t.Helper()
	var f found
	for {
		b, err := src.Next(ctx)
		f.take(t, b)
		if m != nil && b.Cursor != nil {
			m.save(t, b.SourceID, b.Cursor)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.err = err
			}
			return f
		}
	}
}

func (f *found) take(t testing.TB, b scanners.Batch) {
	t.Helper()
	f.skips, f.notes = append(f.skips, b.Skipped...), append(f.notes, b.Notes...)
	f.read.Items += b.Read.Items
	f.read.Bytes += b.Read.Bytes
	for _, it := range b.Items {
		if it.SourceID != b.SourceID {
			t.Errorf("an item of %q in a batch of %q", it.SourceID, b.SourceID)
		}
		rc, err := it.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(rc)
		if err != nil || int64(len(content)) != it.Size {
			t.Errorf("%d bytes of %d, %v", len(content), it.Size, err)
		}
		f.items = append(f.items, got{it.SourceID, it.Path, it.Locator, string(content)})
	}
}

// once reads what there is.
func once(t testing.TB, o kafka.Options, m *memory) found {
	t.Helper()
	r := open(t, o)
	src := r.Source()
	defer func() {
		if err := errors.Join(src.Close(), src.Close()); err != nil {
			t.Error(err)
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	f := drain(ctx, t, src, m)
	if f.err != nil {
		t.Errorf("reading ended with %v", f.err)
	}
	return f
}
