package rules

import (
	"testing"

	"revenant/scanners/byteclass"
)

func gramOf(text string) (symbols [gram]uint64) {
	for i := range symbols {
		symbols[i] = 1 << byteclass.Symbol(text[i])
	}
	return symbols
}

// TestGramShares: what ordinary text has often costs more than what it has less often,
// though it is of rarer letters.
func TestGramShares(t *testing.T) {
	for _, p := range [][2]string{{"ion", "aez"}, {"int", "bin"}, {"typ", "efo"}, {"con", "etn"}, {"htt", "aae"}, {"ing", "iao"}} {
		if often, seldom := gramShare(gramOf(p[0])), gramShare(gramOf(p[1])); often <= seldom {
			t.Errorf("%q %g, %q %g", p[0], often, p[1], seldom)
		}
	}
	for _, row := range []string{"AAA", "qqq", "---"} { // base64 is full of the first
		if often, seldom := gramShare(gramOf(row)), gramShare(gramOf("twi")); often <= seldom {
			t.Errorf("%q %g, twi %g", row, often, seldom)
		}
	}
	pair := gramOf("// ")
	pair[2] = anySymbol
	if behind, whole := gramShare(pair), gramShare(gramOf("//h")); behind <= whole {
		t.Errorf("// and anything %g, //h %g", behind, whole)
	}
	before := gramOf("x//")
	before[0] = anySymbol
	if a, b := gramShare(pair), gramShare(before); a != b {
		t.Errorf("// before anything %g, behind %g", a, b)
	}
}

// TestUsual: the table names everything once, and the classes together are not more than
// there is.
func TestUsual(t *testing.T) {
	for name, c := range map[string]struct {
		classes []string
		n       int
	}{"pairs": {usualPairs[:], 2}, "grams": {usualGrams[:], gram}} {
		seen, sum := map[string]bool{}, 0.0
		for class, all := range c.classes {
			if len(all)%c.n != 0 {
				t.Fatalf("%s, class %d: %d bytes", name, class, len(all))
			}
			for ; all != ""; all = all[c.n:] {
				var symbols [gram]byte
				for i := range c.n {
					symbols[i] = byteclass.Symbol(all[i])
				}
				if s := string(symbols[:]); seen[s] {
					t.Errorf("%s: %q twice", name, all[:c.n])
				} else {
					seen[s] = true
				}
				sum += usualFrom(class + 1)
			}
		}
		if sum > 1 || sum < 0.3 {
			t.Errorf("%s: all have %g of a text", name, sum)
		}
	}
}
