package registered_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/registered"
)

// inner is a string without the quotes that an encoder puts around it.
func inner(s string) string { return s[1 : len(s)-1] }

func jsonString(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return inner(string(b))
}

// each encodes every character by itself.
func each(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

func replace(pairs ...string) func(string) string {
	return strings.NewReplacer(pairs...).Replace
}

// protect puts a backslash before everything but letters and digits.
func protect(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if !strings.ContainsRune(alnum, rune(c)) && c < 0x80 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// punctuated are values that escaping changes, with and without a stretch of
// letters and digits that is long enough for a region.
func punctuated() []string {
	return []string{
		`a"b'c\d&e<f>g%h+i/Lk3Jx9QwErTy77Zu0Pq"'\&<>%+/=`,
		"'\"&<\\>%" + "Xr5TbW82LmNc04KzQy" + "\\\"'%&+",
		`p@"s's\w&r<d>%+/=!#$^*(){}[]|;:,.?~` + "`",
		`A"b'C\d&E<f>G%h+I'j"K\l&M<n>O%p+Q`,
		"Ü\"ß&é\\kR7pQ2xV9nL4tB6wY1mZ/'%",
		"kключ'от'всех&дверей,K", "п'aK\"роль🔑💡-секрет", "k鍵は箱'の中にある、開けるなK",
	}
}

type escaping struct {
	name string
	form fingerprints.Form
	enc  func(string) string
}

func escapings() []escaping {
	b, p, h := fingerprints.FormBackslash, fingerprints.FormPercent, fingerprints.FormHTML
	twice := func(f func(string) string) func(string) string { return func(s string) string { return f(f(s)) } }
	return []escaping{
		{"json", b, jsonString},
		{"json with slashes", b, replace(`\`, `\\`, `"`, `\"`, `/`, `\/`)},
		{"json, each", b, func(s string) string {
			var b strings.Builder
			for _, r := range utf16.Encode([]rune(s)) {
				fmt.Fprintf(&b, `\u%04X`, r)
			}
			return b.String()
		}},
		{"json in json", b, twice(jsonString)},
		{"json in json in json", b, func(s string) string { return jsonString(jsonString(jsonString(s))) }},
		{"go", b, func(s string) string { return inner(fmt.Sprintf("%q", s)) }},
		{"ascii", b, func(s string) string { return inner(fmt.Sprintf("%+q", s)) }},
		{"c", b, each(`\x%02x`)},
		{"octal", b, each(`\%03o`)},
		{"shell", b, protect},
		{"single quotes", b, replace(`'`, `'\''`)},
		{"single quotes in double", b, replace(`'`, `'"'"'`)},
		{"query", p, url.QueryEscape},
		{"path", p, url.PathEscape},
		{"percent, each", p, each("%%%02X")},
		{"percent twice", p, twice(url.QueryEscape)},
		{"html", h, html.EscapeString},
		{"html, decimal", h, func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, `&#%d;`, r)
			}
			return b.String()
		}},
		{"html, hexadecimal", h, func(s string) string {
			var b strings.Builder
			for _, r := range s {
				fmt.Fprintf(&b, `&#x%X;`, r)
			}
			return b.String()
		}},
		{"sql", fingerprints.FormQuoted, replace(`'`, `''`)},
		{"csv", fingerprints.FormQuoted, replace(`"`, `""`)},
		{"html in json", b, func(s string) string { return jsonString(html.EscapeString(s)) }},
	}
}

func TestEscapes(t *testing.T) {
	for i, v := range punctuated() {
		m, built := matcher(t, fingerprints.AudienceCore, []byte(v))
		for _, e := range escapings() {
			enc := e.enc(v)
			if enc == v {
				continue // nothing in this value is escaped so
			}
			t.Run(fmt.Sprintf("%d/%s", i, e.name), func(t *testing.T) {
				for _, around := range [][2]string{{`password: "`, `"`}, {"x=", "&y=1"}, {"('", "')"}, {"", ""}, {"\n", "\n"}} {
					content := around[0] + enc + around[1]
					hits := scan(t, m, []byte(content), 0)
					want := scanners.Span{Start: int64(len(around[0])), End: int64(len(around[0]) + len(enc))}
					if len(hits) != 1 || hits[0].Span != want || hits[0].Form != e.form || hits[0].Rows[0] != built.Rows[0] || string(hits[0].Value.Reveal()) != v {
						t.Errorf("%q\nwant %v %s, got %+v", content, want, e.form, hits)
					}
				}
				for name, miss := range nearMisses([]byte(v)) {
					if hits := scan(t, m, []byte(`{"v":"`+e.enc(string(miss))+`"}`), 0); len(hits) > 0 {
						t.Errorf("%s: %+v", name, hits)
					}
				}
			})
		}
	}
}

// TestNothingStays looks through all that a search keeps for the next one.
func TestNothingStays(t *testing.T) {
	for i, v := range punctuated() {
		m, _ := matcher(t, fingerprints.AudienceCore, []byte(v))
		for _, e := range append(escapings(), escaping{name: "raw", enc: func(s string) string { return s }}, escaping{name: "UTF-16", enc: wide("le")}) {
			t.Run(fmt.Sprintf("%d/%s", i, e.name), func(t *testing.T) {
				contents := nearMisses([]byte(v))
				contents["the value"] = []byte(v)
				for name, near := range contents {
					content := strings.Repeat(`a\\nb%20c&amp;d `, 9) + e.enc(string(near)) + strings.Repeat(` \\n%25&lt;`, 9)
					var parts []string
					for n := 0; n+8 <= len(near); n += 4 {
						parts = append(parts, string(near[n:n+8]))
					}
					if left := registered.Left(m, scanners.Chunk{Data: []byte(content)}, parts); len(left) > 0 {
						t.Errorf("%s: parts are in %v", name, left)
					}
				}
			})
		}
	}
}

// TestForms has values in which no region is free of blanks.
func TestForms(t *testing.T) {
	vals := [][]byte{[]byte("correct horse battery staple"), []byte("a b c d e f g h i j k l m"), []byte("ünder 100% of: the & sky = blue + grey, all")}
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for i, v := range vals {
		enc := url.QueryEscape(string(v))
		for _, around := range [][2]string{{"", ""}, {"a=b+c&p=", "&q=1+2"}, {strings.Repeat("+", 300), strings.Repeat("+", 300)}} {
			content := around[0] + enc + around[1]
			hits := scan(t, m, []byte(content), 0)
			if len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] || hits[0].Form != fingerprints.FormPercent ||
				hits[0].Span != (scanners.Span{Start: int64(len(around[0])), End: int64(len(around[0]) + len(enc))}) {
				t.Errorf("%q: %+v", content, hits)
			}
		}
	}
}

// TestWrapped breaks encoded values into lines.
func TestWrapped(t *testing.T) {
	vals := append(values(31, 2, 40, alnum), values(32, 2, 700, alnum)...)
	vals = append(vals, noise(33, 4096))
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for _, width := range []int{60, 64, 76} {
		for _, sep := range []string{"\n", "\r\n", "\n    ", "\n\t", `\n`, `\r\n`, "%0A", "%0D%0A"} {
			for name, enc := range map[string]func([]byte) string{
				"base64": base64.StdEncoding.EncodeToString, "hex": hex.EncodeToString,
			} {
				for i, v := range vals {
					for front := range 5 {
						text := strings.TrimRight(enc(append(bytes.Repeat([]byte{7}, 3*front), v...)), "=")
						content := "-- " + wrapAt(width, sep)(text) + " --"
						hits := scan(t, m, []byte(content), 0)
						if len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] || hits[0].Span.End != int64(len(content)-3) ||
							string(hits[0].Form) != name {
							t.Fatalf("%s, %d bytes at %d, width %d, %q: %+v", name, len(v), 3*front, width, sep, hits)
						}
					}
				}
			}
		}
	}
}

// TestWrappedRaw breaks long values into lines, raw and in JSON.
func TestWrappedRaw(t *testing.T) {
	vals := append(values(35, 3, 300, alnum), values(36, 2, 4096, alnum+"\"'\\&<% +/")...)
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for _, width := range []int{60, 64, 76, 100} {
		for _, sep := range []string{"\n", "\r\n", "\n    ", "\n\t"} {
			for i, v := range vals {
				if strings.TrimLeft(sep, "\r\n") != "" && bytes.ContainsRune(v, ' ') {
					continue // nobody can tell the value's blanks from indentation
				}
				for name, enc := range map[string]string{
					"raw":            wrapAt(width, sep)(string(v)),
					"in json":        jsonString(wrapAt(width, sep)(string(v))),
					"json, in lines": wrapAt(width, sep)(jsonString(string(v))),
				} {
					hits := scan(t, m, []byte("-- "+enc+" --"), 0)
					if len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] || hits[0].Span != (scanners.Span{Start: 3, End: int64(3 + len(enc))}) {
						t.Fatalf("value %d %s, width %d, %q: %+v", i, name, width, sep, hits)
					}
				}
			}
		}
	}
}

// TestEscapedBase64 has the two signs of base64 escaped.
func TestEscapedBase64(t *testing.T) {
	vals := make([][]byte, 90)
	for i := range vals {
		vals[i] = noise(uint64(i+500), []int{48, 300}[i%2])
		if i >= 50 { // signs beside each other near the start
			copy(vals[i][1+i%3:], "\xfb\xef\xff")
		}
	}
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for i, v := range vals {
		b64 := base64.StdEncoding.EncodeToString(v)
		for name, enc := range map[string]string{
			"percent": strings.NewReplacer("+", "%2B", "/", "%2f").Replace(b64),
			"json":    strings.NewReplacer("+", `\u002b`, "/", `\/`).Replace(b64),
			"html":    strings.NewReplacer("+", "&#43;", "/", "&#x2F;").Replace(b64),
			"path":    strings.NewReplacer("+", "%2B", "/", `\/`).Replace(b64),
		} {
			content := "v=" + enc + "&w"
			start := 2
			if strings.HasPrefix(enc, `\/`) {
				start = 3 // the character itself stands there
			}
			hits := scan(t, m, []byte(content), 0)
			if len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] || hits[0].Span != (scanners.Span{Start: int64(start), End: int64(2 + len(enc))}) {
				t.Errorf("%s: %q: %+v", name, content, hits)
			}
		}
	}
}

func TestWide(t *testing.T) {
	vals := [][]byte{[]byte("kR7pQ2xV9nL4tB6wY1mZ"), []byte("Ü€kR7pQ2xV9nL4ߎ-💡xyzwY1mZ"), values(41, 1, 1000, alnum)[0]}
	m, built := matcher(t, fingerprints.AudienceCore, vals...)
	for _, order := range []string{"le", "be"} {
		for i, v := range vals {
			for off := range 8 {
				enc := wide(order)(string(v))
				front := strings.Repeat("\xff", off)
				for name, text := range map[string][2]string{
					"alone": {front, "\xff"},
					"text":  {front + wide(order)("the password is \""), wide(order)("\", he said")},
				} {
					content := text[0] + enc + text[1]
					hits := scan(t, m, []byte(content), 0)
					if len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] || hits[0].Form != fingerprints.FormUTF16 {
						t.Fatalf("%s, value %d at %d, %s: %+v", order, i, off, name, hits)
					}
					want := scanners.Span{Start: int64(len(text[0])), End: int64(len(text[0]) + len(enc))}
					if d := hits[0].Span.Start - want.Start; hits[0].Span.Len() != want.Len() || d < -1 || d > 1 || (off%2 == 0 && d != 0) {
						t.Fatalf("%s, value %d at %d, %s: span %v, want %v", order, i, off, name, hits[0].Span, want)
					}
				}
			}
			in := wide(order)(`{"v":"` + base64.StdEncoding.EncodeToString(v) + `"}`)
			if hits := scan(t, m, []byte(in), 0); len(hits) != 1 || hits[0].Rows[0] != built.Rows[i] {
				t.Errorf("base64 in UTF-16 %s, value %d: %+v", order, i, hits)
			}
		}
	}
}
