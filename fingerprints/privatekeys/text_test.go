package privatekeys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"revenant/fingerprints/privatekeys"
)

// presentations are what happens to a file with a key on its way into other
// files.
func presentations() map[string]func(string) string {
	lines := func(s string, f func(i int, line string) string) string {
		var out strings.Builder
		for i, l := range strings.Split(strings.TrimRight(s, "\n"), "\n") {
			out.WriteString(f(i, strings.TrimRight(l, "\r")))
		}
		return out.String()
	}
	before := func(p string) func(string) string {
		return func(s string) string { return lines(s, func(_ int, l string) string { return p + l + "\n" }) }
	}
	quoted := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	return map[string]func(string) string{
		"as it is":      func(s string) string { return s },
		"no last break": func(s string) string { return strings.TrimRight(s, "\n") },
		"crlf":          func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"cr":            func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"json":          func(s string) string { return `{"private_key": ` + quoted(s) + `, "id": "x"}` },
		"json in json":  func(s string) string { return `{"a": ` + quoted(`{"private_key": `+quoted(s)+`}`) + `}` },
		"json crlf":     func(s string) string { return quoted(strings.ReplaceAll(s, "\n", "\r\n")) },
		"php json":      func(s string) string { return strings.ReplaceAll(quoted(s), "/", `\/`) },
		"gson":          func(s string) string { return strings.ReplaceAll(quoted(s), "=", `\u003d`) },
		"env":           func(s string) string { return `KEY="` + strings.ReplaceAll(s, "\n", `\n`) + `"` },
		"folded":        func(s string) string { return "key=" + strings.ReplaceAll(s, "\n", " ") + "end" },
		"yaml":          func(s string) string { return "tls:\n  key: |\n" + before("    ")(s) + "  other: 1\n" },
		"tabs":          before("\t\t"),
		"mail":          before("> "),
		"mail twice":    before(">> "),
		"comment":       before("# "),
		"slashes":       before("// "),
		"tight slashes": before("//"),
		"doc comment":   before(" * "),
		"diff added":    before("+"),
		"diff removed":  before("-"),
		"log":           before("2024-05-06T07:08:09.123Z app-1 | "),
		"log, moving time": func(s string) string {
			return lines(s, func(i int, l string) string { return "00:00:" + string(rune('0'+i%10)) + "1 " + l + "\n" })
		},
		"java": func(s string) string {
			return lines(s, func(_ int, l string) string { return `    "` + l + `\n" +` + "\n" })
		},
		"python": func(s string) string {
			return "(" + lines(s, func(_ int, l string) string { return "    '" + l + `\n'` + "\n" }) + ")"
		},
		"c": func(s string) string {
			return lines(s, func(_ int, l string) string { return `"` + l + `\r\n" \` + "\n" })
		},
		"js array": func(s string) string {
			return "[" + lines(s, func(_ int, l string) string { return `  "` + l + `",` + "\n" }) + "].join('\\n')"
		},
		"html":        func(s string) string { return "<pre>" + html.EscapeString(s) + "</pre>" },
		"html breaks": func(s string) string { return lines(s, func(_ int, l string) string { return l + "<br>\n" }) },
		"percent":     func(s string) string { return "q=1&key=" + url.PathEscape(s) + "&z=1" },
		"in base64":   func(s string) string { return "tls.key: " + base64.StdEncoding.EncodeToString([]byte(s)) + "\n" },
		"in wrapped base64": func(s string) string {
			return wrap(base64.StdEncoding.EncodeToString([]byte(s)), 60, "\n    ")
		},
	}
}

func wrap(s string, width int, with string) string {
	var out strings.Builder
	for len(s) > width {
		out.WriteString(s[:width] + with)
		s = s[width:]
	}
	return out.String() + s
}

func TestTextOfContainersIsRecognised(t *testing.T) {
	for _, s := range samples(t) {
		if !s.text() || s.public() || strings.HasPrefix(s.key, "ec-brain") || strings.HasPrefix(s.key, "ec-sec") {
			continue
		}
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range presentations() {
			text := "text before\n" + f(string(s.data)) + "\ntext behind"
			found := privatekeys.Find([]byte(text))
			if len(found) != 1 || !bytes.Equal(found[0].Key.Canonical, want.Canonical) {
				t.Errorf("%s, %s: %d found", s.name(), name, len(found))
				continue
			}
			if f := found[0]; f.Start < len("text before") || f.End > len(text)-len("\ntext behind")+1 || f.End-f.Start < len(s.data)/2 {
				t.Errorf("%s, %s: span %d to %d of %d", s.name(), name, f.Start, f.End, len(text))
			}
		}
	}
}

// The body alone, without armour, in base64.
func TestBodyWithoutArmour(t *testing.T) {
	for _, s := range samples(t) {
		if s.public() || s.locked() || s.form != "pkcs8.der" && s.form != "pkcs1.der" && s.form != "sec1.der" && s.form != "dsa.der" {
			continue
		}
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		b64 := base64.StdEncoding.EncodeToString(s.data)
		for name, text := range map[string]string{
			"bare":         b64,
			"assigned":     "PRIVATE_KEY=" + b64 + "\nNEXT=value\n",
			"in json":      `{"key":"` + b64 + `","z":1}`,
			"64":           "key: |\n  " + wrap(b64, 64, "\n  ") + "\nother: abc\n",
			"76 crlf":      wrap(b64, 76, "\r\n") + "\r\n",
			"escaped":      `"` + wrap(b64, 64, `\n`) + `"`,
			"comment":      "# " + wrap(b64, 64, "\n# ") + "\n",
			"concatenated": `x = "` + wrap(b64, 64, "\" +\n    \"") + `";`,
			"url alphabet": base64.RawURLEncoding.EncodeToString(s.data),
			"percent":      "k=" + url.QueryEscape(b64) + "&x=1",
			"with slashes": `"` + strings.ReplaceAll(b64, "/", `\/`) + `"`,
		} {
			found := privatekeys.Find([]byte(text))
			if len(found) != 1 || !bytes.Equal(found[0].Key.Canonical, want.Canonical) {
				t.Errorf("%s, %s: %d found", s.name(), name, len(found))
				continue
			}
			span := text[found[0].Start:found[0].End]
			if !strings.HasPrefix(span, b64[:4]) || strings.Contains(span, "other") || strings.Contains(span, "NEXT") {
				t.Errorf("%s, %s: wrong span of %d", s.name(), name, len(span))
			}
		}
	}
}

func TestWidthsLabelsAndHeaders(t *testing.T) {
	for _, name := range []string{"rsa1024.pkcs1.der", "ec-prime256v1.sec1.der", "ed25519.pkcs8.der"} {
		s := sampleNamed(t, name)
		want, err := privatekeys.Parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		texts := map[string][]byte{
			"wrong label":   pem("PRIVATE KEY", s.data, 64, "\n"),
			"ssh.com style": []byte("---- BEGIN PRIVATE KEY ----\n" + base64.StdEncoding.EncodeToString(s.data) + "\n---- END PRIVATE KEY ----"),
			"no footer":     pem("PRIVATE KEY", s.data, 64, "\n")[:len(pem("PRIVATE KEY", s.data, 64, "\n"))-26],
			"headers":       bytes.Replace(pem("RSA PRIVATE KEY", s.data, 64, "\n"), []byte("KEY-----\n"), []byte("KEY-----\nComment: made by hand\nX-Origin: here\n\n"), 1),
		}
		for _, width := range []int{1, 2, 7, 16, 48, 63, 65, 76, 100, 1000, 100000} {
			texts["width "+strconv.Itoa(width)] = pem("PRIVATE KEY", s.data, width, "\n")
		}
		for what, text := range texts {
			found := privatekeys.Find(text)
			if len(found) != 1 || !bytes.Equal(found[0].Key.Canonical, want.Canonical) {
				t.Errorf("%s, %s: %d found", name, what, len(found))
			}
		}
	}
}
