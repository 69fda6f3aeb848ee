package rules

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
)

// TestOpenings: every match begins where an opening says that one may, and a pattern of
// a whole text has none further on.
func TestOpenings(t *testing.T) {
	for _, p := range []struct {
		pattern string
		first   bool
	}{
		{`\A\s{0,5}([0-9a-f]{32})\s{0,5}\z`, true},
		{`^[0-9a-f]{12}`, true},
		{`(?m)^[0-9a-f]{12}`, false},
		{`[0-9a-f]{12}`, false},
		{`(?i)\b[0-9a-f]{16}\b`, false},
	} {
		tree, err := syntax.Parse(p.pattern, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		o := newOpening(tree.Simplify())
		if o == nil {
			t.Errorf("%s: no opening", p.pattern)
			continue
		}
		re, matches, starts := regexp.MustCompile(p.pattern), 0, 0
		for seed := range uint64(300) {
			r := rand.New(rand.NewPCG(seed, 3))
			var text strings.Builder
			for range r.IntN(5) {
				text.WriteString([]string{"", " ", "\n", "x", "key: "}[r.IntN(5)])
				for range []int{0, 11, 12, 16, 32, 33}[r.IntN(6)] {
					text.WriteByte("0123456789abcdef"[r.IntN(16)])
				}
			}
			all := o.appendStarts(nil, text.String())
			for _, in := range all {
				if starts++; p.first && in.last > 0 {
					t.Fatalf("%s: %q may match from %d on", p.pattern, text.String(), in.last)
				}
			}
			for _, at := range re.FindAllStringIndex(text.String(), -1) {
				within := false
				for _, in := range all {
					within = within || in.first <= at[0] && at[0] <= in.last
				}
				if matches++; !within {
					t.Fatalf("%s: %q matches at %d; may only in %v", p.pattern, text.String(), at[0], all)
				}
			}
		}
		if matches == 0 || starts == 0 {
			t.Errorf("%s: %d matches in %d starts: nothing was tried", p.pattern, matches, starts)
		}
	}
}
