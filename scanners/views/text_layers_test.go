package views_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/byteclass"
	"revenant/scanners/scannerstest"
	"revenant/scanners/views"
)

// TestLayers has encodings in each other.
func TestLayers(t *testing.T) {
	v := random(51, 34, base62)
	m := registeredMatcher(t, v)
	quote := func(s string) string { return `say "` + s + `", please` }
	for name, content := range map[string]string{
		"json in json in json": `{"a":"` + times(3, jsonOf)(quote(each(`\x%02x`)(v))) + `"}`,
		"percent of json":      "?q=" + each("%%%02X")(`{"a":"`+eachRune(`\u%04x`)(v)+`"}`),
		"json of percent":      `{"a":"` + jsonOf(`"`+each("%%%02x")(v)+`"`) + `"}`,
		"pieces of base64":     `key = "` + broken(9, "\" +\n  \"")(b64("key: "+v)) + `"`,
		"html of json of html": eachRune("&#%d;")(`{"a":"` + jsonOf(eachRune("&#x%x;")(v)) + `"}`),
		"colours in percent":   each("%%%02X")("key: " + broken(3, "\x1b[1m")(v)),
		"mail of html":         each("=%02X")("<p>" + eachRune("&#%d;")(v) + "</p>"),
		"csv of json of wraps": `"` + replace(`"`, `""`)(`{"a":"`+jsonOf("key: "+broken(11, "\n")(v))+`"}`) + `"`,
		"percent four times":   times(4, each("%%%02X"))(v[:12] + v[12:]),
		"colours in a log":     prefixed("key is\n"+broken(5, "\x1b[1m")(v[:15])+"\n"+broken(5, "\x1b[1m")(v[15:]), prefixes()["github actions"]),
		"colours in UTF-16":    wide("le")("key is " + broken(3, "\x1b[1m")(v) + "\n"),
		"shell of json":        `echo '{"a":"` + replace(`'`, `'\''`)(eachRune(`\u%04x`)("'"+v+"'")) + `"}'`,
	} {
		if hits := scan(t, m, content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
			t.Errorf("%s: %+v in\n%.600s", name, hits, content)
		}
	}
}

// TestCuts cuts the content everywhere around a value in every encoding.
func TestCuts(t *testing.T) {
	v := random(61, 30, base62)
	m := registeredMatcher(t, v)
	all := textuals()
	for i, e := range all {
		if e.enc(v) == v {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			content, at := e.plant(v)
			front := string(scannerstest.Corpus(scannerstest.Source, uint64(i), 14<<10))
			text := front + "\n" + content + "\n" + string(scannerstest.Corpus(scannerstest.Logs, uint64(i), 24<<10))
			want := scannerstest.Describe(scan(t, m, text, 0))
			if len(want) != 1 {
				t.Fatalf("%d hits", len(want))
			}
			start := int(at.Start) + len(front) + 1
			for _, cut := range []int{start - 1, start, start + 1, start + 7, start + 20, start + int(at.Len()), 1000, 4099, 9001} {
				if got := scannerstest.Describe(scan(t, m, text, cut)); cmp.Diff(want, got) != "" {
					t.Errorf("chunks of %d:\n%s", cut, cmp.Diff(want, got))
				}
			}
		})
	}
}

// TestEveryOffset has every encoding at offsets around the borders of what is
// classified at once.
func TestEveryOffset(t *testing.T) {
	v := random(62, 30, base62)
	m := registeredMatcher(t, v)
	const border = byteclass.SignTile
	for i, e := range textuals() {
		if e.enc(v) == v {
			continue
		}
		content, at := e.plant(v)
		fill := string(scannerstest.Corpus(scannerstest.Source, uint64(i), border))
		for k := range 16 {
			pad := border - int(at.Start) - k*int(at.Len())/15
			hits := scan(t, m, fill[:pad-1]+"\n"+content+"\n", 0)
			if len(hits) != 1 || hits[0].Span.Start != int64(pad)+at.Start || hits[0].Span.Len() != at.Len() {
				t.Errorf("%s, %d before the border: %+v", e.name, border-pad, hits)
			}
		}
	}
}

// TestPlaced has two secrets in one line, escaped: a rule that undoes that by itself
// sees one stretch, from the first percent sign to the last.
func TestPlaced(t *testing.T) {
	m := ruleMatcher(t)
	escaped := func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
		return b.String()
	}
	first, second := escaped(token(71)), escaped(token(72))
	content := "?a=" + first + "&b=" + strings.Repeat("words ", 40) + "&c=" + second + "&d\n"
	for _, h := range scan(t, m, content, 0) {
		want := first
		if string(h.Value.Reveal()) == token(72) {
			want = second
		}
		if got := content[h.Span.Start:h.Span.End]; got != want {
			t.Errorf("%d bytes from %d on, of %d", h.Span.Len(), h.Span.Start, len(want))
		}
	}
	if n := len(scan(t, m, content, 0)); n != 2 {
		t.Errorf("%d hits", n)
	}
}

// TestDeeper has ever more encodings in each other: what is not undone any more is told,
// unless less was asked for.
func TestDeeper(t *testing.T) {
	text := "some words before it, and more of them behind"
	m := ruleMatcher(t)
	for n := 1; n <= scanners.DefaultViewDepth+4; n++ {
		text = base64.StdEncoding.EncodeToString([]byte(text))
		for _, depth := range []int{0, 2} {
			e := &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New(), ViewDepth: depth}
			var skips []fingerprints.Skip
			if _, err := e.Scan(t.Context(), strings.NewReader("x: "+text+"\n"), "notes.txt", func(w scanners.Window) error {
				skips = append(skips, w.Skips...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if told := len(skips) == 1 && skips[0].Reason == fingerprints.SkipEncoded; told != (depth == 0 && n > scanners.DefaultViewDepth) {
				t.Errorf("%d in each other, %d undone: %+v", n, depth, skips)
			}
			if may := e.Screen(t.Context(), []byte("x: "+text+"\n")); may != (len(skips) > 0) {
				t.Errorf("%d in each other, %d undone: screened otherwise", n, depth)
			}
		}
	}
}
