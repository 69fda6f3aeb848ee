package views_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"revenant/scanners"
)

// TestLaidOut plants values that the whole of their surroundings lays out.
func TestLaidOut(t *testing.T) {
	phrase := "vekuu rumie rofey remei mugeu"
	object := "{\n  \"id\": \"" + random(1, 30, base62) + "\",\n\n  \"in\": {\n    \"key\": \"" + random(2, 900, base62) + "\"\n  }\n}"
	indented := func(by string) string { return strings.ReplaceAll(object, "\n", "\n"+by) }
	folded := strings.Replace(phrase, " ", "\n    ", 2)
	for _, c := range []struct{ name, value, before, coded, after string }{
		{"folded", phrase, "k: >-\n    ", folded, "\nm: 1\n"},
		{"folded, kept", phrase, "a:\n  - >+\n    ", folded, "\n"},
		{"folded, CRLF", phrase, "k: >\r\n    ", strings.ReplaceAll(folded, "\n", "\r\n"), "\r\nm: 1\r\n"},
		{"folded, behind other words", phrase, "k: >\n    some words\n    and more ", folded, "\n"},
		{"block", object, "k: |\n    ", indented("    "), "\nm: 1\n"},
		{"block, empty line", object, "k: |+\n  ", strings.Replace(indented("  "), "\n  \n", "\n\n", 1), "\n"},
		{"block in a block", object, "a:\n  k: |-\n   ", indented("   "), "\n  m: 1\n"},
		{"carets", "a7&b8|c^d>e9", "set K=", "a7^&b8^|c^^d^>e9", "\r\n"},
		{"carets in a row", "a7k2^^&b8q1", "set K=", "a7k2^^^^^&b8q1", "\r\n"},
		{"backticks", "a7$b8\"c`d$e9", `$k = "`, "a7`$b8`\"c``d`$e9", "\"\n"},
		{"backticks and carets", "a7^&b8$c9^^d0", `$k = "`, "a7^&b8`$c9^^d0", "\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := registeredMatcher(t, c.value)
			for _, front := range []string{"", "some words\n", strings.Repeat("line of text\n", 40)} {
				content := front + c.before + c.coded + c.after
				at := scanners.Span{Start: int64(len(front + c.before)), End: int64(len(front + c.before + c.coded))}
				if hits := scan(t, m, content, 0); len(hits) != 1 || hits[0].Span != at {
					t.Errorf("want %v, got %+v in\n%q", at, hits, content)
				}
			}
		})
	}
}

// TestNotLaidOut: what stands outside of a block, or deeper in it, is as it is.
func TestNotLaidOut(t *testing.T) {
	m := registeredMatcher(t, "vekuu rumie rofey remei mugeu")
	for _, content := range []string{
		"k: >-\n    vekuu rumie\n  rofey remei mugeu\n",
		"k: >-\n    vekuu rumie\n      rofey remei mugeu\n",
		"k: >-\n    vekuu rumie\n\n    rofey remei mugeu\n",
		"k: >-\nvekuu rumie\nrofey remei mugeu\n",
		"k: ->\n    vekuu rumie\n    rofey remei mugeu\n",
	} {
		if hits := scan(t, m, content, 0); len(hits) > 0 {
			t.Errorf("%q: %+v", content, hits)
		}
	}
}

// TestPlus: in what is percent-encoded, a plus sign may be a blank.
func TestPlus(t *testing.T) {
	v := random(3, 32, base62)
	m := ruleMatcher(t)
	key := "-----BEGIN+PRIVATE+KEY-----%0A" + random(4, 64, base62) + "%0A" + random(5, 64, base62) + "%0A-----END+PRIVATE+KEY-----%0A"
	for _, c := range []struct{ rule, content, value string }{
		{"generic-api-key", "?k=api_key+%3D+%22" + v + "%22+%23+billing&x=1", v},
		{"generic-api-key", "?k=api_key%2B%253D%2B%2522" + v + "%2522%2B%2523%2Bbilling&x=1", v},
		{"generic-api-key", "KEY=" + b64("?k=api_key+%3D+%22"+v+"%22+%23+billing&x=1") + "\n", v},
		{"private-key", "?k=" + key + "&x=1", ""},
	} {
		found := 0
		for _, h := range scan(t, m, c.content, 0) {
			if h.Rule == c.rule && (c.value == "" || string(h.Value.Reveal()) == c.value) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("found %d times in %q", found, c.content)
		}
	}
}

// TestWorn: a pattern that takes a backslash for a part of the secret is not
// to have the one of an escape.
func TestWorn(t *testing.T) {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	v := part(`{"alg":"RS256","typ":"JWT"}`) + "." + part(`{"sub":"2c048b68347799","iat":583254922}`) + "." + random(6, 86, base62)
	m := ruleMatcher(t)
	text := `Bearer "` + v + `" ok`
	for n := range 4 {
		for _, content := range []string{times(n, jsonOf)(text), "<" + b64(times(n, jsonOf)(text)) + ">"} {
			var values []string
			for _, h := range scan(t, m, content, 0) {
				if h.Rule == "jwt" {
					values = append(values, string(h.Value.Reveal()))
				}
			}
			if len(values) != 1 || values[0] != v {
				t.Errorf("escaped %d times: %q", n, values)
			}
		}
	}
}

// TestWideAlone: UTF-16 with little ASCII, between zeros or noise.
func TestWideAlone(t *testing.T) {
	list := []string{"鍵Xпароль0парольk&1", "鍵J\U0001f511jключB3rłódźmM"}
	m := registeredMatcher(t, list...)
	for _, v := range list {
		for _, order := range []string{"le", "be"} {
			for shift := range 9 {
				for _, around := range [][2]string{{"\x00\x00", "\x00\x00some words"}, {"\x01\x02", "\x00\x00\x00\x01"}, {"\r\n", "\r\n"}} {
					content := fmt.Sprintf("%s%s%s%smore words", strings.Repeat("x", 40+shift), around[0], wide(order)(v), around[1])
					if hits := scan(t, m, content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
						t.Errorf("%s: %+v in %q", order, hits, content)
					}
				}
			}
		}
	}
}
