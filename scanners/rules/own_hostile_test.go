package rules_test

import (
	"slices"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
)

// hostileOwn are texts made to keep the rules of ours busy.
func hostileOwn(size int) map[string]string {
	texts := hostile(size)
	repeat := func(s string) string { return strings.Repeat(s, size/len(s)+1)[:size] }
	for name, s := range map[string]string{
		"names":        "pass" + "word ",
		"settings":     "pass" + "word=aB3dE5gH9 ",
		"unbroken":     "pass" + "word=",
		"open quotes":  "pwd='",
		"long names":   "a-b-c-d-e-f-g-pass" + "word",
		"addresses":    "ab+c:/" + "/u:",
		"sign after":   "x:/" + "/user:pp@",
		"commands":     "my" + "sql -",
		"transfers":    "curl -u a ",
		"elements":     "<Pa" + "ss><",
		"open element": "<pass" + "word a=",
		"pairs":        "pwd\n\n\n\n",
		"statements":   "set x pass" + "word ",
		"jwks":         `{"d":"aB_`,
		"seeds":        "SUA" + "AAAA",
		"der":          "MII" + "EpAIBAA",
		"putty":        "PuTTY-User-Key-" + "File-2:",
		"ssh2":         "---- BEGIN " + "SSH2 ENCRYPTED PRIVATE KEY ----",
		"hashes":       "ab:$6$" + "x",
		"short lines":  "a:1:b:c:d\n",
		"dnssec":       "Private-" + "key-format: v1",
		"two bytes":    "\x02\x01\x000\x0d\x06\x09*",
	} {
		texts[name] = repeat(s)
	}
	return texts
}

// TestOwnHostile: what keeps the rules of ours busy costs linear work and hides
// nothing.
func TestOwnHostile(t *testing.T) {
	const size = 96 << 10
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	twice := hostileOwn(2 * size)
	for name, text := range hostileOwn(size) {
		work := func(text string) int {
			before := m.Work()
			if !slices.ContainsFunc(hits(m, text+"\n"+token(22)+"\n", ".pgpass", 0), func(h scanners.Hit) bool { return h.Rule == "github-pat" }) {
				t.Errorf("%s: the canary is lost", name)
			}
			return m.Work() - before
		}
		if once, double := work(text), work(twice[name]); double > once*5/2+size {
			t.Errorf("%s: twice the text is %.1f times the work", name, float64(double)/float64(once))
		}
	}
}

// TestOwnUnbroken: a long line of names without values costs what automata read of it: their
// gates do not read to its end at each name, so that package regexp need not.
func TestOwnUnbroken(t *testing.T) {
	m := newMatcher(t, rules.Options{Own: rules.OwnOn})
	text := strings.Repeat("pass"+"word=", 20000)
	for _, rule := range []string{"generic-api-key", "revenant-named-line", "revenant-password-setting", "revenant-named-key"} {
		one, _ := m.Named([]string{rule})
		hits(one, text, "a.txt", 0)
		if each := one.Work() / len(text); each > 52 {
			t.Errorf("%s: %d bytes are read for each", rule, each)
		}
	}
}
