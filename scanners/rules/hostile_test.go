package rules_test

import (
	"strings"
	"testing"

	"revenant/scanners/rules"
)

// hostile are texts made to keep matchers busy, by name.
func hostile(size int) map[string]string {
	fill := func(s string) string { return strings.Repeat(s, size/len(s)+1)[:size] }
	return map[string]string{
		"keywords":        fill("key token secret api auth passwd creds "),
		"assignments":     fill("key=token=secret=api=auth="),
		"near misses":     fill("api_key = '" + "aB3dE5gH9" + "' "),
		"one long line":   fill("curl -H "),
		"curl lines":      fill("curl x\r\n"),
		"dots":            fill("ey" + "abcdefghijklmnopqrst."),
		"yaml":            fill("kind: secret data: "),
		"private keys":    fill("-----BEGIN " + "PRIVATE KEY-----"),
		"almost encoded":  fill("abcdefgh12345678/x%2 \\u12 U+12 "),
		"percent":         fill("%41%zz"),
		"hexadecimal":     fill("0123456789abcdefABCDEF9876543210"),
		"base64":          fill("QUFB"),
		"escapes":         fill("\\u0041"),
		"points in lines": fill("U+0041\n"),
		"webhooks":        fill("https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.webhook."),
		"nuget":           fill(`<add key="Password" value="`),
		"other cases":     fill("to\u212aen = \u017fecret "),
		"no text":         fill("\xff\xe2\x84\x00"),
		"newlines":        fill("\n"),
		"digits":          fill("123456789012345|"),
		"one letter":      fill("a"),
	}
}

// TestHostile: what keeps matchers busy costs linear work, hides nothing, and
// is what gitleaks makes of it.
func TestHostile(t *testing.T) {
	const size = 96 << 10
	o := newOracle(t, rules.Options{})
	twice := hostile(2 * size)
	short := hostile(3 << 10)
	for name, text := range hostile(size) {
		t.Run(name, func(t *testing.T) {
			o.compare(t, short[name]+"\n"+token(21)+"\n", "a.yaml", name)
			work := func(text string) int {
				m := newMatcher(t, rules.Options{})
				found := 0
				for _, h := range hits(m, text+"\n"+token(22)+"\n", "a.yaml", 0) {
					if h.Rule == "github-pat" {
						found++
					}
				}
				if found == 0 {
					t.Error("the canary is lost")
				}
				return m.Work()
			}
			once, double := work(text), work(twice[name])
			if double > once*5/2+size {
				t.Errorf("twice the text is %.1f times the work", float64(double)/float64(once))
			}
		})
	}
}
