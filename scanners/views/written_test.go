package views_test

import (
	"fmt"
	"strings"
	"testing"

	"revenant/scanners"
)

func textuals() []textual {
	b, p, h := "backslash-escaped", "percent-encoded", "html-escaped"
	slashed := replace(`/`, `\/`, `"`, `\"`, `\`, `\\`)
	return []textual{
		{"json 3", b, times(3, jsonOf), `{"a": "%s"}`, true},
		{"json 5", b, times(5, jsonOf), `{"a": "%s"}`, true},
		{"json 4 with slashes", b, times(4, slashed), `{"a": "%s"}`, false},
		{"all as \\u, twice", b, chain(eachRune(`\u%04x`), jsonOf), `"%s"`, true},
		{"all as \\x", b, each(`\x%02x`), `"%s"`, true},
		{"all as octal", b, each(`\%03o`), `"%s"`, true},
		{"all as \\u{}", b, eachRune(`\u{%x}`), `"%s"`, false}, // rules see it as numbers
		{"go quoted thrice", b, times(3, func(s string) string { return inner(fmt.Sprintf("%+q", s)) }), `"%s"`, true},
		{"ldap", b, each(`\%02X`), "uid=a, pw=%s", false},
		{"shell", b, replace(`\`, `\\`, `$`, `\$`, `"`, `\"`, `'`, `\'`, `&`, `\&`, ` `, `\ `, `/`, `\/`), "export A=%s", true},
		{"continued", b, broken(9, "\\\n"), "export A=%s", true},
		{"single quotes", b, replace(`'`, `'\''`), "echo '%s'", true},
		{"properties", b, replace(`:`, `\:`, `=`, `\=`, `\`, `\\`), "a=%s", true},
		{"percent thrice", p, times(3, each("%%%02X")), "https://example.org/?a=%s&b=c", true},
		{"percent", p, each("%%%02x"), "https://example.org/?a=%s&b=c", true},
		{"html", h, eachRune("&#%d;"), "<p>%s</p>", true},
		{"html twice", h, times(3, eachRune("&#x%X;")), "<p>%s</p>", true},
		{"doubled quotes", "quote-doubled", replace(`'`, `''`), "values ('%s')", true},
		{"csv in csv", "quote-doubled", times(2, replace(`"`, `""`)), `"x ""y"" %s",1`, true},
		{"quoted-printable", "quoted-printable", each("=%02X"), "a: %s", true},
		{"quoted-printable, soft breaks", "quoted-printable", broken(11, "=\r\n"), "a=3D1 b=3D2: %s", true},
		{"quoted-printable, a soft break", "quoted-printable", broken(30, "=\r\n"), "in these lines are some words before it: %s", true},
		{"colours", "terminal", broken(5, "\x1b[0m\x1b[1;31m"), "> %s\x1b[0m", true},
		{"colours written out", b + "+terminal", broken(5, `\u001b[0m\u001b[1;31m`), `"%s"`, true},
		{"colours in C", b + "+terminal", broken(5, `\033[0m\x1b[1;31m`), `"%s"`, true},
		{"carets", "terminal", broken(5, "^[[0m"), "> %s", true},
		{"overstruck", "terminal", broken(1, "x\b"), "> %s", true},
		{"links", "terminal", broken(8, "\x1b]8;;https://example.org\x1b\\"), "> %s", true},
		{"plus", "joined", broken(7, `" + "`), `key = "%s"`, true},
		{"plus across lines", "joined", broken(7, "\" +\n\t\t\""), `key := "%s"`, true},
		{"plus first", "joined", broken(7, "\"\n    + \""), `key := "%s"`, true},
		{"plus and comments", "joined", broken(7, "\" + // more\n\t\""), `key := "%s"`, true},
		{"php", "joined", broken(7, "'\n . '"), `$key = '%s';`, true},
		{"lua", "joined", broken(7, `" .. '`), `key = '%s'`, true},
		{"vb", "joined", broken(7, "\" & _\r\n  \""), `key = "%s"`, true},
		{"sql", "joined", broken(7, `' || '`), `select '%s'`, true},
		{"haskell", "joined", broken(7, `" ++ "`), `key = "%s"`, true},
		{"elixir", "joined", broken(7, `" <> "`), `key = "%s"`, true},
		{"jinja", "joined", broken(7, `" ~ "`), `{{ "%s" }}`, true},
		{"adjacent", "joined", broken(7, "\"\n\t\""), `key = "%s"`, true},
		{"adjacent, one line", "joined", broken(7, `" "`), `key = "%s"`, true},
		{"adjacent, raw", "joined", broken(7, `" r"`), `key = "%s"`, true},
		{"list", "joined", broken(7, `", "`), `["%s"].join("")`, false},
		{"list across lines", "joined", broken(7, "\",\n  \""), "[\n  \"%s\"\n]", false},
		{"characters", "joined", broken(1, "','"), `{'%s'}`, false},
		{"appended", "joined", broken(7, "\"\nkey += \""), `key = "%s"`, true},
		{"appended, calls", "joined", broken(7, "\");\n  sb.append(\""), `sb.append("%s");`, true},
		{"wrapped", "wrapped", broken(7, "\n"), "key: %s", false},
		{"wrapped, indented", "wrapped", broken(7, "\n    "), "key: %s", false},
		{"wrapped, CRLF", "wrapped", broken(7, "\r\n"), "key: %s", false},
		{"wrapped, continued", "wrapped", broken(7, "^\r\n"), "key: %s", false},
		{"soft hyphens", "wrapped", broken(3, "\u00ad"), "key: %s", true},
		{"no space", "wrapped", broken(5, "\u200b"), "key: %s", true},
		{"soft hyphens, named", h + "+wrapped", broken(3, "&shy;"), "<p>%s</p>", true},
		{"soft hyphens, numbered", h + "+wrapped", broken(4, "&#173;"), "<p>%s</p>", true},
		{"no space, hexadecimal", h + "+wrapped", broken(5, "&#x200B;"), "<p>%s</p>", true},
		{"joiners, named", h + "+wrapped", broken(6, "&zwj;&zwnj;"), "<p>%s</p>", true},
		{"no break, named", h + "+wrapped", broken(7, "&NoBreak;"), "<p>%s</p>", true},
		{"no space, escaped", b + "+wrapped", broken(5, `\u200b`), `{"a": "%s"}`, true},
		{"soft hyphens, escaped", b + "+wrapped", broken(3, `\u00AD`), `{"a": "%s"}`, true},
		{"word joiners, escaped", b + "+wrapped", broken(7, `\u2060\ufeff`), `{"a": "%s"}`, true},
		{"no space, escaped twice", b + "+wrapped", broken(5, `\\u200b`), `{"a": "%s"}`, true},
		{"tags", "markup", broken(5, "</b><b>"), "key: <b>%s</b>", true},
		{"wbr", "markup", broken(9, "<wbr>"), "<p>%s</p>", true},
		{"cdata", "markup", broken(9, "]]><![CDATA["), "<p><![CDATA[%s]]></p>", true},
	}
}

// some are values that take all paths of an encoding.
func some(e textual) []string {
	quoted := random(2, 12, base62) + `'"\` + random(3, 12, base62) + `/:=$`
	plain := token(4)
	switch {
	case e.rules && e.enc(plain) == plain:
		return []string{quoted}
	case strings.Contains(e.form, "joined"), e.form == "wrapped", strings.HasSuffix(e.form, "+wrapped"), e.form == "markup", strings.Contains(e.form, "terminal"), e.form == "quoted-printable":
		return []string{plain, random(5, 31, base62)}
	}
	return []string{plain, quoted}
}

func TestRegistered(t *testing.T) {
	for _, e := range textuals() {
		t.Run(e.name, func(t *testing.T) {
			for _, v := range some(e) {
				if e.enc(v) == v {
					continue
				}
				e.find(t, v)
			}
		})
	}
}

func TestRules(t *testing.T) {
	m := ruleMatcher(t)
	for _, e := range textuals() {
		v := token(77)
		if !e.rules || e.enc(v) == v {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			for _, front := range []string{"", "words before it\n", strings.Repeat("line of text\n", 300), bytesOf(40) + "\n"} {
				content, want := e.plant(v)
				want.Start, want.End = want.Start+int64(len(front)), want.End+int64(len(front))
				var hits []scanners.Hit
				for _, h := range scan(t, m, front+content+"\nand more\n", 0) {
					if h.Rule == "github-pat" {
						hits = append(hits, h)
					}
				}
				if len(hits) != 1 || hits[0].Span != want || string(hits[0].Value.Reveal()) != v {
					t.Fatalf("behind %d bytes: want %v, got %+v\n%q", len(front), want, hits, content)
				}
			}
		})
	}
}

// TestEqualsSigns: a value that ends with an equals sign does not go on in the next line
// for rules, unless more shows that this is mail.
func TestEqualsSigns(t *testing.T) {
	m := ruleMatcher(t)
	key := "api_k" + "ey"
	for _, v := range []string{random(11, 43, base62) + "=", random(12, 86, base62) + "==", random(13, 9, base62) + "=A4" + random(14, 16, base62)} {
		for _, next := range []string{"X-API-Key: foo\n", "---\nkind: x\n", "secret = \"x\"\n", "Address = 10.0.0.1\n", "name=\n"} {
			for _, text := range []string{"Authorization: Bearer " + v + "\n" + next, key + ": " + v + "\n" + next, key + "=" + v + "\r\n" + next} {
				for _, h := range scan(t, m, "first: 1\n"+text+"last: 1\n", 0) {
					if h.Form != "raw" && h.Form != "" {
						t.Errorf("%s in %q: %q", h.Form, text, h.Value.Reveal())
					}
				}
			}
		}
	}
}
