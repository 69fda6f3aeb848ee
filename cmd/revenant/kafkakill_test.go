package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"revenant/scanners/kafka/kafkatest"
)

// plantedTopic is what a producer writes while workers are killed.
type plantedTopic struct {
	broker *kafkatest.Broker
	values []string
	rng    *rand.Rand

	mu      sync.Mutex
	parts   int
	planted []int // messages with each value
}

// write writes a batch of messages to each partition: some with a value, most without,
// some with one that differs in its last character.
func (p *plantedTopic) write(t *testing.T) {
	p.mu.Lock()
	parts := p.parts
	p.mu.Unlock()
	var list []kafkatest.Message
	counts := make([]int, len(p.values))
	for i := range 300 {
		m := kafkatest.Message{Partition: p.rng.IntN(parts), Value: fmt.Sprintf(`{"message":"number %d holds nothing"}`, i)}
		v := min(p.rng.IntN(len(p.values)), p.rng.IntN(len(p.values)), p.rng.IntN(len(p.values))) // the first one so often that it is counted in runs
		switch p.rng.IntN(6) {
		case 0, 1:
			m.Value = fmt.Sprintf(`{"message":"login with %s"}`, p.values[v])
			counts[v]++
		case 2:
			decoy := []byte(p.values[v])
			decoy[len(decoy)-1] ^= 1
			m.Value = `{"message":"login with ` + string(decoy) + `"}`
		}
		list = append(list, m)
	}
	kafkatest.Produce(t, p.broker.Client(), "planted", kafkago.Lz4, list...)
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, n := range counts {
		p.planted[i] += n
	}
}

// TestKafkaKilledAtAnyMoment: messages are written while workers are killed, alone and
// in a group, the broker is killed and stopped, and partitions are added. Afterwards
// every message with a value was counted once, and no other.
func TestKafkaKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	b, kills := newBox(t), killsEach(t)
	p := &plantedTopic{broker: kafkatest.Start(t, kafkatest.Options{}), parts: 2, rng: rand.New(rand.NewPCG(seed, 2)), planted: make([]int, 3)}
	b.must(0, "", "init")
	for i := range p.planted {
		p.values = append(p.values, newCanary(rng, "").value)
		b.must(0, p.values[i], "secret", "add", fmt.Sprintf("svc/%d", i))
	}
	p.broker.Create("planted", p.parts)
	alone := []string{"kafka", p.broker.Addr, "--topic", "planted", "--only", "registered", "-q"}
	shared := append(alone[:len(alone):len(alone)], "--follow", "--group", "workers")
	died := 0
	for n := range kills {
		p.write(t)
		args := alone
		if n%3 == 2 {
			args = append(alone[:len(alone):len(alone)], "--follow")
		}
		if b.killed(rng, 1500*time.Millisecond, "", args...) {
			died++
		}
		switch n {
		case kills / 3:
			p.broker.Kill()
			p.broker.Start()
		case kills / 2:
			p.broker.Grow("planted", 4)
			p.mu.Lock()
			p.parts = 4
			p.mu.Unlock()
		case 2 * kills / 3:
			died += b.killedInGroup(t, rng, p, shared)
		}
	}
	t.Logf("%d processes were killed before they were done", died)
	if died == 0 {
		t.Error("no process was killed before it was done")
	}
	p.write(t)
	b.must(1, "", alone...)
	var list []struct {
		Path    string
		Places  int
		Matches []struct{ Secret string }
	}
	if err := json.Unmarshal([]byte(b.must(0, "", "findings", "list", "--json").stdout), &list); err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range list {
		for _, m := range f.Matches {
			got[m.Secret] += f.Places
		}
	}
	for i, n := range p.planted {
		if name := fmt.Sprintf("svc/%d", i); got[name] != n || len(list) != len(p.planted) {
			t.Errorf("%s: %d sightings of %d messages, in %d findings", name, got[name], n, len(list))
		}
	}
	b.must(0, "", "audit", "verify")
}

// killedInGroup runs two members of a group, kills one after the other and stops the
// broker meanwhile; the last ends in order.
func (b *box) killedInGroup(t *testing.T, rng *rand.Rand, p *plantedTopic, args []string) (died int) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var wg sync.WaitGroup
	for range 2 {
		c := b.command(ctx, "", args...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			<-time.After(time.Duration(2000+rng.IntN(3000)) * time.Millisecond)
			_ = c.Process.Kill()
			_ = c.Wait()
		})
		p.write(t)
		died++
	}
	p.broker.Stop()
	p.broker.Start()
	p.write(t)
	wg.Wait()
	return died
}
