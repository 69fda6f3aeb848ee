package kafka_test

import (
	"fmt"
	"testing"

	"revenant/scanners/kafka/kafkatest"
)

// TestRealCluster: leaders, their partitions and the group's coordinator move while a
// topic is read, alone and in a group.
func TestRealCluster(t *testing.T) {
	t.Parallel()
	nodes := kafkatest.StartCluster(t, 2)
	b := nodes[0]
	b.CreateOn("moves", []int{2, 1}, []int{1, 2}, []int{1, 2})
	group := ""
	for n := 0; group == ""; n++ { // one that the node which is killed coordinates
		if name := fmt.Sprint("group-", n); b.Coordinator(name) == 2 {
			group = name
		}
	}
	alone := options(b.Addr, nil)
	alone.Topics = []string{"moves"}
	m := &memory{}
	shared := options(b.Addr, m)
	shared.Topics, shared.Group = alone.Topics, group
	one, two := follow(t, alone, nil), follow(t, shared, m)
	both := func(values []string) {
		t.Helper()
		send(t, b, "moves", 3, values)
		one.sees(values...)
		two.sees(values...)
	}
	both(numbered("before", 0, 90))
	nodes[1].Kill()
	b.Leads("moves", 0, 1)
	both(numbered("without its leader", 0, 90))
	nodes[1].Start()
	b.Move("moves", 1, 2)
	both(numbered("moved", 0, 90))
	b.Move("moves", 1, 1)
	nodes[1].Stop()
	both(numbered("moved back", 0, 90))
	one.mu.Lock()
	defer one.mu.Unlock()
	for v, n := range one.values {
		if n != 1 {
			t.Errorf("%q came %d times", v, n)
		}
	}
	if len(one.skips) > 0 {
		t.Errorf("skips: %v", one.skips)
	}
	two.mu.Lock()
	defer two.mu.Unlock()
	for v, where := range two.where {
		if where != one.where[v] {
			t.Errorf("%q is at %s and at %s", v, where, one.where[v])
		}
	}
}
