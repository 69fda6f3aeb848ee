package views_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"revenant/scanners"
	"revenant/scanners/views"
)

// doubles puts each of some signs twice.
func doubles(signs string) func(string) string {
	var pairs []string
	for _, c := range signs {
		pairs = append(pairs, string(c), string([]rune{c, c}))
	}
	return replace(pairs...)
}

// high encodes what is not ASCII, character by character.
func high(f func(r rune) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if r < 0x80 {
				b.WriteRune(r)
			} else {
				b.WriteString(f(r))
			}
		}
		return b.String()
	}
}

// highBytes encodes what is not ASCII, byte by byte.
func highBytes(format string) func(string) string {
	return high(func(r rune) string { return each(format)(string(r)) })
}

// sized is a format for characters of Latin-1, and one for others.
func sized(small, large string) func(rune) string {
	return func(r rune) string {
		if r < 0x100 {
			return fmt.Sprintf(small, r)
		}
		return fmt.Sprintf(large, r)
	}
}

// windows1252 is a text of characters that are in it.
func windows1252(s string) string {
	var b []byte
	for _, r := range s {
		switch r {
		case '€':
			b = append(b, 0x80)
		case 'ž':
			b = append(b, 0x9e)
		default:
			b = append(b, byte(r))
		}
	}
	return string(b)
}

// spelledOut is a literal in which calls make the signs.
func spelledOut(open, shut, signs string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			if strings.ContainsRune(signs, r) {
				fmt.Fprintf(&b, open+"%d"+shut, r)
			} else {
				b.WriteRune(r)
			}
		}
		return b.String()
	}
}

// signed is a way to write values that have some sign.
type signed struct {
	textual
	values []string
}

func withSigns() []signed {
	const q, b, p, j = "quote-doubled", "backslash-escaped", "percent-encoded", "joined"
	of := func(signs string) (out []string) {
		for _, c := range signs {
			s := string(c)
			out = append(out, "a"+s+"3xK9q"+s+"Lm2", s+"Kq73xpw"+s+"9zT", "correct"+s+"horse"+s+s+"staple7")
		}
		return out
	}
	words := []string{"Grüße9Xk4ß7é", "übel7Kq2xL9zä", "Schöne Füße 17 da", "naïvePässword"}
	wider := append([]string{"k€9Grü7ßxQ4", "zž7Kqpw€€3mT"}, words...)
	return []signed{
		{textual{"compose", q, doubles("$"), "      PW: %s\n", false}, of("$")},
		{textual{"make", q, doubles("$"), "\tcurl -u 'app:%s' https://example.org\n", false}, of("$")},
		{textual{"unit", q, doubles("%"), "Environment=PW=%s\n", false}, of("%")},
		{textual{"unit, two signs", q, doubles("$%"), "ExecStart=/bin/app --pw %s\n", false}, []string{"a$3xK%q9$Lm2", "Kq7$zTpw%9"}},
		{textual{"two signs, one doubled", q, doubles("$"), "PW: %s\n", false}, []string{"a%%3xK$q9$Lm2", "Kq7}}zT$pw9{{"}},
		{textual{"percent-encoded", "", chain(each("%%%02X"), doubles("%")), "url = postgres://app:%s@db\n", false}, []string{"<aB7&kQ9/x@Z3"}},
		{textual{"percent-encoded, some", "", chain(replace("<", "%3C", "&", "%26", "/", "%2F", "@", "%40", "%", "%25"), doubles("%")), "url = postgres://app:%s@db\n", false}, []string{"<aB7&kQ9/x@Z3", "Kq%7zT/pw9m2"}},
		{textual{"format string", q, doubles("{}"), `pw = f"%s"`, false}, of("{}")},
		{textual{"ODBC", q, doubles("}"), `PWD={%s};`, false}, []string{"a}3xK9{q}Lm2", "Kq73xpw9}zT"}},
		{textual{"RCS", q, doubles("@"), "text\n@pw: %s\n@", false}, of("@")},
		{textual{"ColdFusion", q, doubles("#"), `<cfset pw="%s">`, false}, of("#")},
		{textual{"label", q, doubles("&"), `MENUITEM "%s"`, false}, []string{"a&3xK9q&Lm2", "Kq73xpw9&zT"}},
		{textual{"QEMU", q, doubles(","), "-object secret,data=%s,id=1\n", false}, []string{"a,3xK9q,Lm2", "Kq73xpw9,zT"}},
		{textual{"Kotlin", j, replace("$", "${'$'}"), `val pw = "%s"`, false}, of("$")},
		{textual{"Kotlin, double", j, replace("$", `${"$"}`), `val pw = """%s"""`, false}, of("$")},
		{textual{"Jinja", j, replace("{{", "{{ '{{' }}", "}}", "{{ '}}' }}"), "pw=%s\n", false}, []string{"Kq{{9x}}T4mZ2"}},
		{textual{"Oracle", j, spelledOut("'||CHR(", ")||'", "'&"), "VALUES ('%s')", false}, []string{"p'X7k&Q9z2m", "my pass'phrase & 17"}},
		{textual{"SQL Server", j, spelledOut("'+CHAR(", ")+'", "'&"), "VALUES (N'%s')", false}, []string{"p'X7k&Q9z2m"}},
		{textual{"MySQL", j, spelledOut("', CHAR(", "), '", "'&"), "SELECT CONCAT('%s')", false}, []string{"p'X7k&Q9z2m"}},
		{textual{"Basic", j, spelledOut(`" & Chr(`, `) & "`, `"&`), `x = "%s"`, false}, []string{`p"X7k&Q9z2m`}},
		{textual{"PHP", j, spelledOut("'.chr(", ").'", "'$"), "$x = '%s';", false}, []string{"p'X7k$Q9z2m"}},
		{textual{"JavaScript", j, spelledOut(`" + String.fromCharCode(`, `) + "`, `"&€`), `x = "%s"`, false}, []string{`p"X7k€Q9z2m`}},
		{textual{"two calls", j, replace("'&", "'||CHR(39)||CHR(38)||'"), "VALUES ('%s')", false}, []string{"p'&X7kQ9z2m"}},
		{textual{"YAML", b, high(sized(`\x%02X`, `\u%04X`)), `a: "%s"`, false}, wider},
		{textual{"Python", b, high(sized(`\x%02x`, `\u%04x`)), `a = '%s'`, false}, wider},
		{textual{"Perl, octal", b, high(sized(`\%03o`, `\x{%x}`)), `a => "%s"`, false}, wider},
		{textual{"Perl", b, high(sized(`\x{%x}`, `\x{%x}`)), `a => "%s"`, false}, wider},
		{textual{"escape()", p, high(sized(`%%%02X`, `%%u%04X`)), `a=%s;`, false}, wider},
		{textual{"escape(), other planes", p, replace("🔑", "%uD83D%uDD11"), `a=%s;`, false}, []string{"Kq7🔑zT9x"}},
		{textual{"Latin-1, percent", p, high(sized(`%%%02X`, "")), `?a=%s&b`, false}, words},
		{textual{"LDAP", b, highBytes(`\%02x`), `a=%s,o=b`, false}, wider},
		{textual{"syslog", b, highBytes(`#%03o`), `a: %s`, false}, wider},
		{textual{"Windows-1252", "raw", windows1252, "Das Passwort lautet: %s", false}, wider},
		{textual{"decomposed", "raw", norm.NFD.String, "a: %s", false}, append([]string{"Kq7ệzT9xpw"}, words...)},
	}
}

// TestSignsAndLetters finds values with signs that a format doubles or spells out, and with
// characters that are not ASCII.
func TestSignsAndLetters(t *testing.T) {
	for _, e := range withSigns() {
		t.Run(e.name, func(t *testing.T) {
			for _, v := range e.values {
				if e.enc(v) == v {
					t.Errorf("%q is written as it is", v)
				}
				e.find(t, v)
			}
		})
	}
}

// TestSpelledAtEnds: a call makes the first or the last character.
func TestSpelledAtEnds(t *testing.T) {
	for content, v := range map[string]string{
		"VALUES (CHR(38)||'X7kQ9z2mpw')":                      "&X7kQ9z2mpw",
		"VALUES (CHR(38)||CHR(39)||'X7kQ9z2mpw'||CHR(38))":    "&'X7kQ9z2mpw&",
		"VALUES ('X7kQ9z2mpw' || CHR(38) || chr(39), 'next')": "X7kQ9z2mpw&'",
		`x = Chr(34) & "X7kQ9z2mpw" & Chr(34) & "a"`:          `"X7kQ9z2mpw"a`,
	} {
		if hits := scan(t, registeredMatcher(t, v), content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
			t.Errorf("%s: %+v", content, hits)
		}
	}
}

// TestSignsInOrdinaryText: what stands doubled for other reasons is not shown.
func TestSignsInOrdinaryText(t *testing.T) {
	for _, s := range []string{
		"if a && b || c {\n", "if (a&&b)return c&&!d;\n", "@@ -1,4 +1,5 @@ func a() {\n", "## Title\n", "### Title ##\n",
		"{{ .Name }}\n", "1,2,,4,abc123def456,,,7\n", `{"a":{"b":1}}` + "\n", "%% comment\n", "printf '%d %% of' 7\n", "f('X7kQ9z2m', chr(38), 'pwT4')\n", "see #30345 and #26721\n", "kill $$\n",
		"x := map[string]T{\"a\": {}}\n", "Größe und Länge, größer\n", "日本語のテキスト\n", "Привет, мир\n", "\x00\xfc\x01\x02\xe4\x00\xf6\n", "\\xff\\xfe\\x00\\xc3\n",
		"a = {'b': 'c'}\n", "#123 and #45\n", "%u and %u\n", "say(\"a\" + str(7) + \"b\")\n",
	} {
		l := scanners.Layer{Data: []byte(strings.Repeat(s, 3)), Piece: 1 << 20, Overlap: 1 << 10}
		views.New().View(context.Background(), l, func(x scanners.Text) bool {
			if x.Guessed && !strings.HasPrefix(string(x.Form), "wrapped") && !strings.HasPrefix(string(x.Form), "prefixed") {
				t.Errorf("%q is shown of %q as %s", x.Data, s, x.Form)
			}
			return true
		})
	}
}
