package main

import (
	"strings"
	"testing"
	"time"

	"revenant/scripts/benchkit"
)

// TestTable: what misses the aim is said to.
func TestTable(t *testing.T) {
	took := func(wall, cpu int) []benchkit.Sample {
		return []benchkit.Sample{{Wall: time.Duration(wall) * time.Second, CPU: time.Duration(cpu) * time.Second, Peak: 5e6}}
	}
	text := table(options{runs: 1, messages: 600_000}, []row{
		{"lz4", "kafka-go, bare", 1, took(6, 60)},
		{"lz4", "revenant", 1, took(6, 5)},
		{"zstd", "revenant", 2, took(5, 10)},
		{"zstd", "a group of 2", 1, took(3, 4)},
	})
	for _, want := range []string{
		"| lz4 | kafka-go, bare | 1 | 6.00 | 60.00 | 100,000 | 10,000 | 5 |", "| 5.00 | 100,000 | 120,000 | 5 |", "| 120,000 | 60,000 (missed) | 5 |",
		"| zstd | a group of 2 | 1 each |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}
