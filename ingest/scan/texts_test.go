package scan_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/ingest/scan"
	"revenant/scanners"
	"revenant/scanners/archives"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// realScreen looks as scans of topics do, with the default rules, or those of a
// configuration, and so many registered values and more.
func realScreen(tb testing.TB, config string, versions int, more ...string) scan.Screen {
	tb.Helper()
	var values [][]byte
	for _, v := range more {
		values = append(values, []byte(v))
	}
	for i := range versions {
		values = append(values, []byte(random(uint64(1000+i), 32)))
	}
	reg, err := registered.New(packtest.New(tb, fingerprints.AudienceCore, values...).Pack)
	if err != nil {
		tb.Fatal(err)
	}
	o := rules.Options{Marked: true, Own: rules.OwnOn}
	if config != "" {
		o.Contents = []byte(config)
	}
	generic, err := rules.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return scan.Screen{
		Engine:   &scanners.Engine{Matchers: []scanners.Matcher{reg, generic}, Viewer: views.New()},
		Archives: &archives.Expander{Limits: archives.DefaultLimits()},
	}
}

// atEdges are rules that ask for a content's beginning or end, or for each other.
const atEdges = `
[[rules]]
id = "whole"
regex = '''^tok_[a-z0-9]{12}$'''
[[rules]]
id = "begins"
regex = '''\Abeg_[a-z0-9]{12}'''
keywords = ["beg_"]
[[rules]]
id = "hidden"
regex = '''\Ahid_[a-z0-9]{12}'''
skipReport = true
[[rules]]
id = "ends"
regex = '''end_[a-z0-9]{12}(?:;|$)'''
[[rules]]
id = "line"
regex = '''(?m)^lin_[a-z0-9]{12}$'''
[[rules]]
id = "with"
regex = '''with_[a-z0-9]{12}'''
[[rules.required]]
id = "hidden"
withinLines = 1
[[rules]]
id = "allowed"
regex = '''all_[a-z0-9]{12}'''
[[rules.allowlists]]
regexTarget = "line"
regexes = ['''\nnever .*all_''', '''^excused''', '''over$''']
[[allowlists]]
regexes = ['''^tok_xx''']
`

// sameTexts compares texts that are looked at together with each by itself.
func sameTexts(t *testing.T, s scan.Screen, texts [][]byte) (found int) {
	t.Helper()
	var want, got []int
	for i, text := range texts {
		if s.Of(t.Context(), text) {
			want = append(want, i)
		}
	}
	s.Texts(t.Context(), texts, func(i int) { got = append(got, i) })
	if slices.Equal(want, got) {
		return len(want)
	}
	for i, text := range texts {
		if w, g := slices.Contains(want, i), slices.Contains(got, i); w != g {
			t.Errorf("text %d of %d, %q: by itself %v, together %v", i, len(texts), text[:min(len(text), 400)], w, g)
		}
	}
	return len(want)
}

// textParts are what messages of the comparisons are put together of.
func textParts(value string) (parts [][]byte) {
	add := func(list ...string) {
		for _, s := range list {
			parts = append(parts, []byte(s))
		}
	}
	add("", "\n", "\x00", " ", `"`, "\r\n", "= ", "> ", "\\n", "\\", "+", ";", "-----BEGIN RSA PRIVATE KEY-----", "%0a", "=\n")
	add(value, value[:len(value)/2], value[len(value)/2:], base64.StdEncoding.EncodeToString([]byte(value)), hex.EncodeToString([]byte(value)),
		base64.StdEncoding.EncodeToString([]byte("login: " + value))[:20], string(wideOf(value)), `{"password":"`+value+`"}`)
	add("tok_abcdefgh1234", "tok_xxcdefgh1234", "beg_abcdefgh1234", "end_abcdefgh1234", "lin_abcdefgh1234", "with_abcdefgh1234", "all_abcdefgh1234", "excused ", "never ", " over", "never all_abcdefgh1234", "hid_abcdefgh1234 with_abcdefgh1234",
		base64.StdEncoding.EncodeToString([]byte("tok_abcdefgh1234")))
	add("ghp_"+random(1, 36), "AKIA"+strings.ToUpper(random(2, 16)), `aws_secret_access_key = "`+random(3, 40)+`"`, "password: ", "api_key=", random(4, 32),
		strings.Repeat("0123456789abcdef", 2), "gems.contribsys.com", "http://deadbeef:cafebabe@gems.contribsys.com", "import {a} from 'x' ", "EXAMPLE", "LICENSE=")
	parts = append(parts, []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x04name12345678keykeykeykeykeykey"), []byte("\x1f\x8b\x08"))
	return append(parts, scannerstest.Messages(3, 12, 120)...)
}

func wideOf(s string) (out []byte) {
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}

// TestTexts: messages put together at random of what is found, what hides it and what
// stands at edges are found together as they are by themselves.
func TestTexts(t *testing.T) {
	value := random(77, 32)
	parts := textParts(value)
	for name, config := range map[string]string{"default rules": "", "rules of edges": atEdges} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := realScreen(t, config, 20, value)
			r := rand.New(rand.NewPCG(5, 5))
			var texts [][]byte
			for range 6000 {
				var text []byte
				for range r.IntN(4) {
					text = append(text, parts[r.IntN(len(parts))]...)
				}
				texts = append(texts, text)
			}
			if n := sameTexts(t, s, texts); n < 1000 || n > 5000 {
				t.Errorf("%d of %d texts may hold something", n, len(texts))
			}
		})
	}
}

// FuzzTexts cuts what it is given into messages.
func FuzzTexts(f *testing.F) {
	value := random(77, 32)
	all := bytes.Join(textParts(value), []byte("\x1e"))
	f.Add(all)
	f.Add([]byte(fmt.Sprintf("a\x1e%s\x1eb\nprefix %s", value, value)))
	plain, edges := realScreen(f, "", 20, value), realScreen(f, atEdges, 20, value)
	f.Fuzz(func(t *testing.T, data []byte) {
		texts := bytes.Split(data, []byte("\x1e"))
		sameTexts(t, plain, texts)
		sameTexts(t, edges, texts)
	})
}
