package rules_test

import (
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// configured is a matcher of a configuration.
func configured(t *testing.T, toml string) *rules.Matcher {
	t.Helper()
	m, err := rules.New(rules.Options{Contents: []byte(toml)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// changed are the marks that one matcher has and another has not.
func changed(before, after *rules.Matcher) (out []rules.Mark) {
	was := before.Marks()
	for _, m := range after.Marks() {
		if !slices.Contains(was, m) {
			out = append(out, m)
		}
	}
	return out
}

const marked = `
[allowlist]
stopwords = ["harmless"]
[[rules]]
id = "first"
description = "one"
regex = '''first-([a-z]{8})'''
keywords = ["first"]
[[rules]]
id = "second"
description = "two"
regex = '''second-([a-z]{8})'''
entropy = 2.0
[[rules.required]]
id = "third"
withinLines = 2
[[rules]]
id = "third"
description = "three"
regex = '''third-([a-z]{8})'''
`

// TestMarks: what findings depend on makes another mark, of that rule and those
// that require it, and nothing else does.
func TestMarks(t *testing.T) {
	for name, tc := range map[string]struct {
		old, new string
		want     int
	}{
		"nothing":            {"", "", 0},
		"a description":      {`"one"`, `"another"`, 0},
		"a pattern":          {"first-([a-z]{8})", "first-([a-z]{9})", 1},
		"a keyword":          {`keywords = ["first"]`, `keywords = ["st-"]`, 1},
		"an entropy":         {"entropy = 2.0", "entropy = 1.5", 1},
		"a distance":         {"withinLines = 2", "withinLines = 3", 1},
		"a required rule":    {"third-([a-z]{8})", "third-([a-z]{9})", 2},
		"a rule's allowlist": {`keywords = ["first"]`, "keywords = [\"first\"]\n[[rules.allowlists]]\nregexes = ['''x''']", 1},
		"a rule less":        {"[[rules]]\nid = \"first\"\ndescription = \"one\"\nregex = '''first-([a-z]{8})'''\nkeywords = [\"first\"]\n", "", 0},
		"a rule more":        {"[[rules]]\nid = \"third\"", "[[rules]]\nid = \"fourth\"\nregex = '''fourth'''\n[[rules]]\nid = \"third\"", 1},
		"a stopword of all":  {`["harmless"]`, `["harmful"]`, 0},
	} {
		if !strings.Contains(marked, tc.old) {
			t.Fatalf("%s: not there", name)
		}
		before, after := configured(t, marked), configured(t, strings.Replace(marked, tc.old, tc.new, 1))
		if got := changed(before, after); len(got) != tc.want {
			t.Errorf("%s: %d rules changed, not %d", name, len(got), tc.want)
		}
		if same := slices.Equal(before.Permits(), after.Permits()); same == (name == "a stopword of all") {
			t.Errorf("%s: the permits are the same: %v", name, same)
		}
	}
	if m := configured(t, marked); !slices.Equal(m.Marks(), configured(t, marked).Marks()) || len(m.Permits()) != 1 {
		t.Error("the same configuration has other marks")
	}
}

// TestOnly: a part of the rules finds what all find by it.
func TestOnly(t *testing.T) {
	m := configured(t, marked)
	marks := m.Marks()
	text := "first-qwertzui\nsecond-asdfghjk\nthird-yxcvbnmq\n" + strings.Repeat("\n", 9) + "second-plokmijn\nfirst-harmless\n"
	found := func(m *rules.Matcher) (out []string) {
		for _, h := range m.AppendHits(nil, scanners.Chunk{Data: []byte(text), Final: true}) {
			out = append(out, h.Rule)
		}
		slices.Sort(out)
		return out
	}
	all := found(m)
	if want := []string{"first", "second", "third"}; !slices.Equal(all, want) {
		t.Fatalf("all rules find %v", all)
	}
	for i, want := range []string{"first", "second", "third"} {
		if got := found(m.Only(marks[i : i+1])); !slices.Equal(got, []string{want}) {
			t.Errorf("%s alone finds %v", want, got)
		}
	}
	if got := found(m.Only(nil)); len(got) > 0 {
		t.Errorf("no rule finds %v", got)
	}
	if got := found(m.Only(marks)); !slices.Equal(got, all) {
		t.Errorf("all of them find %v", got)
	}
}
