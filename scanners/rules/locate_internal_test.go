package rules

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestLocate: in whatever matches, the secret is where the expression's group is.
func TestLocate(t *testing.T) {
	pieces := map[string][]string{
		"revenant-url-credentials":  {"h", "ttp", ":/" + "/", ":", "user", "pa:ss", "@", "host", "\x60", "ü", "%40", "/", ".", "$", "-", "+s"},
		"revenant-password-literal": {"pass" + "word", "Pass", "_pwd", "secret", "-new", `\`, `"`, "'", "\x60", "=", ": ", " := ", "==", ",", "\n", " ", "value", "x(", "Some(", "||", " or ", ";s:8:", "[]", "string", "é", "long value of words", "b"},
		"revenant-password-setting": {"pass" + "word", "Pass", "_pwd", "secret", ".new", "=", ": ", " := ", "=>", ":", " ", "\t", "value9", "é", "#", "?", `"`, "]", "(", "}", ",", strings.Repeat("ab", 70), "\xff", "//", "-x", "\n"},
		"revenant-password-prose": {
			"pass" + "word", "token", "PWD", "api key", "login", "account", " ", " ", "\n", ":", "::", " is ", " - ", " for x: ", "**", "value9z", "/", "user", `"`, "'", "\x60",
			"\u201c", "\u201d", "\u2019", "long.value#8", "é", `\`, "with ",
		},
		"revenant-named-key": {
			"api_key", "TOKEN", "se" + "cret", "credential", "_x", "=", ": ", ":=", ",", "Some(", " ", `"`, `"`, "'", "\x60", `\`, "]", "value", "a1b2c3d4",
			"Zq9-Xw8+Kj7/Lm6==", `"Zq9-Xw8+Kj7é/Lm6"`, `'Zq9-"Xw8+Kj7/Lm6'`, `\"Zq9-x8+Kj7/Lm6\"`, "b", "#",
		},
	}
	r := rand.New(rand.NewPCG(3, 9))
	for i := range generatedOwn.rules {
		d := &generatedOwn.rules[i]
		find, list := locateOf(d), pieces[d.id]
		if (find == nil) != (list == nil) {
			t.Errorf("%s is not tested", d.id)
		}
		if find == nil {
			continue
		}
		re, found := regexp.MustCompile(d.pattern), 0
		for range 60000 {
			var b strings.Builder
			for range 4 + r.IntN(12) {
				b.WriteString(list[r.IntN(len(list))])
			}
			match := strings.Trim(re.FindString(b.String()), "\n")
			at := re.FindStringSubmatchIndex(match)
			if at == nil {
				continue
			}
			want := extent{}
			for g := 2; g < len(at); g += 2 {
				if at[g] >= 0 {
					want = extent{at[g], at[g+1]}
				}
			}
			got, ok := find(match[at[0]:at[1]])
			if !ok && (d.id == "revenant-named-key" && !isQuote(match[at[1]-1]) || d.id == "revenant-password-setting" && strings.Contains(match, ":-") ||
				d.id == "revenant-password-prose" && (strings.ContainsAny(match, "\u201c\u201d\u2019") || strings.ContainsAny(match[at[0]:at[0]+2], "lczLCZ"))) {
				continue
			}
			found++
			if !ok || got != (extent{want.start - at[0], want.end - at[0]}) {
				t.Fatalf("%s: %q: %v, %v; the group is at %v", d.id, match, got, ok, want)
			}
		}
		if found < 100 {
			t.Errorf("%s: %d matches are too few", d.id, found)
		}
	}
	own := generatedOwn.rules[0]
	own.pattern += "x"
	if locateOf(&own) != nil {
		t.Error("a changed expression is not what places are found for")
	}
}
