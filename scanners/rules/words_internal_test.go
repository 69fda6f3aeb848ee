package rules

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/zricethezav/gitleaks/v8/config"
)

// TestWordSet: gitleaks finds the same words, also short, empty and wide ones.
func TestWordSet(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	pieces := []string{"a", "b", "AB", "bab", "\u00e9", "\u0130", "x", "", "\xff", "-"}
	text := func(n int) string {
		var b strings.Builder
		for range r.IntN(n) {
			b.WriteString(pieces[r.IntN(len(pieces))])
		}
		return b.String()
	}
	found := 0
	for range 3000 {
		list := make([]string, 1+r.IntN(5))
		for i := range list {
			list[i] = text(6)
		}
		a := config.Allowlist{StopWords: list}
		if err := a.Validate(); err != nil {
			t.Fatal(err)
		}
		set := newWordSet(newPermits([]*config.Allowlist{&a})[0].stopWords)
		for range 5 {
			in := text(12)
			want, _ := a.ContainsStopWord(in)
			if got := set.in(in); got != want {
				t.Fatalf("%q in %q: got %v, want %v", list, in, got, want)
			}
			if want {
				found++
			}
		}
	}
	if found < 1000 || found > 14000 {
		t.Errorf("found %d times of 15000", found)
	}
}
