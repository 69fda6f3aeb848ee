package views_test

import (
	"fmt"
	"strings"
	"testing"
)

// behind writes a text behind what a program puts before every line.
func behind(prefix func(line int) string, text string) string {
	var b strings.Builder
	for i, line := range strings.Split("it begins here\n"+text+"\nit ends here", "\n") {
		b.WriteString(prefix(i) + line + "\n")
	}
	return b.String()
}

// prefixesOfPrograms are some that no stamp is known for, or more than a stamp.
func prefixesOfPrograms() map[string]func(line int) string {
	return map[string]func(line int) string{
		"npm":    func(int) string { return "npm ERR! " },
		"Python": func(int) string { return "INFO:deploy:" },
		"nginx": func(i int) string {
			return fmt.Sprintf("2026/05/06 07:08:%02d [error] 12#12: *%d ", 10+3*i, 97+i)
		},
		"syslog": func(i int) string {
			return fmt.Sprintf("<134>1 2026-05-06T07:08:%02d.123Z host deploy 12 - - ", 10+2*i)
		},
		"Azure": func(i int) string { return fmt.Sprintf("2026-05-06T07:08:%02d.%07dZ ##[debug]", 10+3*i, 131*i) },
	}
}

// TestBehindPrefixes has what goes on over lines that a program wrote something before.
func TestBehindPrefixes(t *testing.T) {
	t.Parallel()
	phrase, signs := "vekuu rumie rofey remei mugeu legou", "W\\+wO%<PFL&ii~dN<V_ot|?<"
	list := "\"data\": [\n"
	for i := range len(signs) {
		list += fmt.Sprintf("    %d,\n", signs[i])
	}
	list = strings.TrimSuffix(list, ",\n") + "\n  ]"
	for what, c := range map[string]struct{ value, text string }{
		"folded":              {phrase, "k: >-\n    " + strings.ReplaceAll(phrase, " ", "\n    ") + "\nm: 1"},
		"folded, indented":    {phrase, "  k: >\n      " + strings.ReplaceAll(phrase, " ", "\n      ") + "\n  m: 1"},
		"sum":                 {signs, "const k = '" + signs[:5] + "'\n    + '" + signs[5:8] + "'\n    + '" + signs[8:] + "';"},
		"sum, of words":       {phrase, "k: \"" + phrase[:8] + "\"\n  + \"" + phrase[8:] + "\""},
		"call":                {signs, "set(\"" + signs[:9] + "\"\n  \"" + signs[9:] + "\")"},
		"list, one to a line": {signs, list},
	} {
		if strings.Contains(what, "sum") || what == "call" {
			c.text = strings.ReplaceAll(c.text, `\`, `\\`)
		}
		m := registeredMatcher(t, c.value)
		for program, prefix := range prefixesOfPrograms() {
			text := behind(prefix, c.text)
			if hits := scan(t, m, text, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != c.value {
				t.Errorf("%s, %s: %+v in\n%s", program, what, hits, text)
			}
			if decoy := strings.Replace(text, c.value[len(c.value)-3:], "zzz", 1); decoy != text {
				if hits := scan(t, m, decoy, 0); len(hits) != 0 {
					t.Errorf("%s, %s: %+v in\n%s", program, what, hits, decoy)
				}
			}
		}
	}
}
