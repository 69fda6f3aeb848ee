package rules

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestInVain: what was seen in vain before is suspected where it would be by somebody
// who remembers nothing.
func TestInVain(t *testing.T) {
	m, err := New(Options{Own: OwnOn})
	if err != nil {
		t.Fatal(err)
	}
	e := m.engine
	warm, all := e.newScratch(), 0
	for seed := range uint64(400) {
		text := leadText(e, rand.New(rand.NewPCG(seed, 43)))
		cold := e.newScratch()
		cold.remember = nil
		want, err := e.newSearch(context.Background(), cold, text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := e.newSearch(context.Background(), warm, text)
		if err != nil {
			t.Fatal(err)
		}
		for plan := range e.plans {
			if !slices.Equal(inOrder(got.interval[plan]), inOrder(want.interval[plan])) || got.hinted[plan] != want.hinted[plan] {
				t.Fatalf("seed %d, %s: %v %v, want %v %v in %q", seed, e.rules[plan].id, got.interval[plan], got.hinted[plan], want.interval[plan], want.hinted[plan], text)
			}
		}
		all += cold.work
	}
	if warm.work > all*98/100 {
		t.Errorf("gates read %d bytes of %d", warm.work, all)
	}
}

// inOrder sorts places, which may have waited to be asked about together, or not.
func inOrder(at []interval) []interval {
	slices.SortFunc(at, func(a, b interval) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last)) })
	return slices.Compact(at)
}

// leadText is made of a few pieces of what rules look for and of what may follow, so
// that much of it stands in it often.
func leadText(e *engine, r *rand.Rand) string {
	pieces := []string{" ", "=", ": ", "\"", "\n", ":12:", "x", "_", "0123456789abcdef", "a1B2c3D4e5F6g7H8", "\u017f"}
	r.Shuffle(len(pieces), func(i, k int) { pieces[i], pieces[k] = pieces[k], pieces[i] })
	pieces = pieces[:3]
	for range 3 {
		br := e.branches[r.IntN(len(e.branches))]
		pieces = append(pieces, leadIn(br.leads[r.IntN(len(br.leads))], r))
	}
	var b []byte
	for range 100 + r.IntN(400) {
		b = append(b, pieces[r.IntN(len(pieces))]...)
	}
	return string(b)
}

// leadIn is what a lead looks for, or the beginning of it.
func leadIn(l lead, r *rand.Rand) string {
	var b []byte
	for i := range l.sets[:len(l.sets)-r.IntN(2)] {
		if c, fold, ok := l.sets[i].letter(); ok {
			b = append(b, c&^(fold*byte(r.IntN(2))))
		} else {
			b = append(b, "aZ5-"[r.IntN(4)])
		}
	}
	return string(b)
}
