package rules_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"revenant/scanners/rules"
)

// comparePattern fails when a pattern's plan finds other matches than package
// regexp, and reports whether there was a plan and a match.
func comparePattern(t *testing.T, re *regexp.Regexp, text string) bool {
	t.Helper()
	want := re.FindAllStringIndex(text, -1)
	alone, together, whole := rules.Matches(re, text)
	if diff := gocmp.Diff(want, alone); diff != "" {
		t.Errorf("%q in %q: -regexp +rules\n%s", re, text, diff)
	}
	if diff := gocmp.Diff(want, together); diff != "" {
		t.Errorf("%q in %q, asked together: -regexp +rules\n%s", re, text, diff)
	}
	return !whole && len(want) > 0
}

// TestPatterns: patterns put together at random.
func TestPatterns(t *testing.T) {
	pieces := []string{
		"abc", "key", "(?i:task)", "[a-c]{2,5}", "[^a]", ".", `\b`, `\B`, "^", "$", "(?m:^)", "(?m:$)", `\A`, `\z`, "a*", "b+?", "(ab|abc)", "(?:k|ke|key)",
		"c{0,3}?", `\w{0,9}?`, `[\w.-]{0,5}`, `\s`, "\n", `(?s:.){0,4}`, "(x|y|)", "(?i)s", "é", `[^\n]`, `\d{2,}`, "(b|bk)??", "k(?:e|ey)?", `(a|b)*c`, "\xef\xbf\xbd",
	}
	words := []string{
		"abc", "ab", "key", "keys", "task", "TASK", "taſK", "\u212aey", "a", "b", "c", "\n", " ", "\xff", "é", "\xe2\x84", "xy", "12", "_", ".", "bk", "\ufffd", "-",
	}
	planned := 0
	for seed := range uint64(10000) {
		r := rand.New(rand.NewPCG(seed, 11))
		var pattern, text strings.Builder
		for range 1 + r.IntN(5) {
			pattern.WriteString(pieces[r.IntN(len(pieces))])
		}
		if r.IntN(4) == 0 {
			pattern.WriteString("|" + pieces[r.IntN(3)] + pieces[r.IntN(len(pieces))])
		}
		for range 5 + r.IntN(30) {
			text.WriteString(words[r.IntN(len(words))])
		}
		re, err := regexp.Compile(pattern.String())
		if err != nil {
			t.Fatal(err)
		}
		if comparePattern(t, re, text.String()) {
			planned++
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d patterns with a plan matched", planned)
	if planned < 300 {
		t.Error("too few patterns had a plan and a match")
	}
}

// TestCrowds: many places that read far, some of which match.
func TestCrowds(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, pattern := range []string{
		`keya[^\n]*?end`, `(?i)keya[\w ]{3,90}(?:=|\b;)\d`, `keya(?:[^\n]*x){3}\b`, `(?:keya|keyb).{0,40}\n.{0,30}z`, `keya\w{20,150}(?:\n|$)`, `[a-k]{0,9}keya.*(?m:y$)`,
	} {
		for range 12 {
			var text strings.Builder
			for range 60 + r.IntN(300) {
				text.WriteString([]string{"keya", "keyb", "KEYA", "é", " ", "word", "x", "1"}[r.IntN(8)])
				if r.IntN(150) == 0 {
					text.WriteString([]string{"end", "=1", ";2", "\n", "z", "y\n"}[r.IntN(6)])
				}
			}
			comparePattern(t, regexp.MustCompile(pattern), text.String())
		}
	}
}

// TestManyStates: an automaton whose tables overflow starts over.
func TestManyStates(t *testing.T) {
	text := "xyz" + random(5, "ab", 40000) + "c xyz" + random(6, "ab", 3000) + "d"
	for _, pattern := range []string{`xyz[ab]*a[ab]{14}c`, `xyz[ab]*?a[ab]{14}(?:c|b\B)`, `xyz(?:[ab]*a[ab]{14})+d\b`} {
		if !comparePattern(t, regexp.MustCompile(pattern), text) {
			t.Errorf("%s: no plan or no match", pattern)
		}
	}
}

// TestOpenings: patterns that begin with what is everywhere, but in long rows.
func TestOpenings(t *testing.T) {
	patterns := []string{
		`(?i)\b(\b(sgp_(?:[a-fA-F0-9]{16}|local)_[a-fA-F0-9]{40}|sgp_[a-fA-F0-9]{40}|[a-fA-F0-9]{40})\b)(?:["\s;]|\\[nr]|$)`,
		`[a-f]{12}[g-k]{12,}?z?`, `(?:^|\s)[\w+]{24}x*`, `(?i)[k-s]{21}`, `[é-ü]{20}`, `[^ ]{400}`, `(?:[ab]{15}|[bc]{17})\B.`,
	}
	words := []string{
		"0123456789abcdef", "ABCDEFabcdef", "sgp_local_", "sgp_", "gghhiijjkk", "bbbbbbbb", "aabbaa", "ccbb", " ", "\n", ";", "z", "x+x", "taſK", "\u212a", "éüèöø", "\xff", "kklmnopqrs", `\n`,
	}
	compiled := map[string]*regexp.Regexp{}
	for _, p := range patterns {
		compiled[p] = regexp.MustCompile(p)
	}
	matched := map[string]int{}
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 13))
		var text strings.Builder
		for range 5 + r.IntN(60) {
			text.WriteString(words[r.IntN(len(words))])
			if r.IntN(3) == 0 { // a row
				text.WriteString(strings.Repeat(words[r.IntN(8)], r.IntN(5)))
			}
		}
		for _, pattern := range patterns {
			re := compiled[pattern]
			comparePattern(t, re, text.String())
			if re.MatchString(text.String()) {
				matched[pattern]++
			}
		}
		if t.Failed() {
			return
		}
	}
	if len(matched) < len(patterns)-1 {
		t.Errorf("some patterns match nowhere: %v", matched)
	}
}

// FuzzPattern: any pattern, any text.
func FuzzPattern(f *testing.F) {
	f.Add(`(?i)[\w.-]{0,5}?(?:key|token)\s*=\s*"?([a-z0-9]{4,9})(?:["\s;]|$)`, "my.key = \"abcd12\"\ntoken=zzzzz;")
	f.Add(`\bcurl\b.*?(?:[\r\n]{1,2}.*?){1,5}-u`, "curl a\n b -u c")
	f.Add(`(?:abc|\Aab|[^x]abcd)+?$`, "abcabcd\nabc")
	f.Add(`(?s)begin.{2,}?end|end\z`, "begin end end")
	f.Add(`(?i)[k-s]{19}|[a-f0-9]{40}\b`, "0123456789abcdef0123456789abcdef01234567 kkklllmmmnnnooopppqq\u017f")
	f.Add(`(?i)task\B`, "ta\u017f\u212as")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := regexp.Compile(pattern)
		if err != nil || len(pattern) > 200 || len(text) > 4096 {
			return
		}
		comparePattern(t, re, text)
	})
}
