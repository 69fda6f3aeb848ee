package rules

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestContainsLowered: as if all of the text were put in lower case.
func TestContainsLowered(t *testing.T) {
	words := []string{"key", "KEY", "k", "\u212aey", "\u0130d", "id", "ID", "i", "sourcegraph", "SourceGraph", "Source", "graph", "\xff", "é", "É", "-", "_", "\x00"}
	keywords := []string{"", "key", "id", "k", "sourcegraph", "é", "-key", "_", "KEY", "\x00", "idid"}
	found := map[string]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 14))
		var text strings.Builder
		for range r.IntN(20) {
			text.WriteString(words[r.IntN(len(words))])
		}
		if seed%100 == 0 { // beyond what is put in lower case at once
			text.WriteString(strings.Repeat("x", lowered-r.IntN(20)) + words[r.IntN(len(words))])
		}
		for _, k := range keywords {
			want := strings.Contains(strings.ToLower(text.String()), k)
			if got := containsLowered(text.String(), k); got != want {
				t.Fatalf("%q in %q: %v", k, text.String(), got)
			}
			if want {
				found[k]++
			}
		}
	}
	if len(found) < len(keywords)-1 { // one is in capitals
		t.Errorf("some are never there: %v", found)
	}
}
