package rules_test

import (
	"regexp"
	"testing"

	"revenant/scanners/rules"
)

// TestAtEdges: which patterns may match a text alone and not when line ends stand
// around it; with line ends in place of the edges they match there.
func TestAtEdges(t *testing.T) {
	for _, c := range []struct {
		pattern string
		anchors bool
		text    string // that it matches by itself
	}{
		{`key_[a-z]+`, false, "key_a"},
		{`key_[a-z]+(?:[\s;]|$)`, false, "key_a"},
		{`(?:^|\s)key_[a-z]+`, false, "key_a"},
		{`(?m)^key_[a-z]+$`, false, "key_a"},
		{`\bkey_[a-z]+\b`, false, "key_a"},
		{`(?:^|[^a-z])key_(?:[a-z]+)(?:[^a-z]|\z)`, false, "key_a"},
		{`^key_[a-z]+`, true, "key_a"},
		{`key_[a-z]+$`, true, "key_a"},
		{`\Akey_[a-z]+\z`, true, "key_a"},
		{`key_[a-z]+(?:;|$)`, true, "key_a"},
		{`(?:^|;)key_[a-z]+`, true, "key_a"},
		{`key_[a-z]+(?:\s|$);?x*`, false, "key_a"},
		{`(?:\s|$|;)key_[a-z]+|x$`, true, "x"},
		{`key_(?:(?:^|\s)a|b)`, true, "key_b"},
		{`(?:(?:^|\s)k)+ey_[a-z]+`, true, "key_a"},
	} {
		anchors, without := rules.AtEdges(c.pattern)
		if anchors != c.anchors {
			t.Errorf("%s: %v", c.pattern, anchors)
		}
		if !regexp.MustCompile(c.pattern).MatchString(c.text) || !regexp.MustCompile(without).MatchString("x\n\x00\n"+c.text+"\n\x00\nx") {
			t.Errorf("%s, as %s, does not match %q", c.pattern, without, c.text)
		}
	}
}
