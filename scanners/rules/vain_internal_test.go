package rules

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"strings"
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
	if warm.work >= all {
		t.Errorf("gates read %d bytes of %d", warm.work, all)
	}
}

// TestInVainDigits: a digit that ends what a rule looks for says nothing of another.
func TestInVainDigits(t *testing.T) {
	m, err := New(Options{Own: OwnOn})
	if err != nil {
		t.Fatal(err)
	}
	e := m.engine
	plan := slices.IndexFunc(e.rules, func(r *rule) bool { return r.id == "revenant-nats-seed" })
	sc := e.newScratch()
	for _, c := range []struct {
		digit string
		want  int
	}{{"8", 0}, {"2", 1}, {"9", 0}, {"7", 1}} {
		text := strings.Repeat(" ", 32) + "SU" + "A" + c.digit + strings.Repeat("B", 54) + strings.Repeat(" ", 32)
		s, err := e.newSearch(context.Background(), sc, text)
		if err != nil || len(inOrder(s.interval[plan])) != c.want {
			t.Errorf("%s: %v, %v, want %d", c.digit, s.interval[plan], err, c.want)
		}
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
	for i, c := range b {
		if c >= '0' && c <= '9' && r.IntN(4) == 0 {
			b[i] = byte('0' + r.IntN(10))
		}
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
