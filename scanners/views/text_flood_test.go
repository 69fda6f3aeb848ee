package views_test

import (
	"context"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// floods are texts that are nearly nothing but what a finder looks for.
func floods() []string {
	return []string{
		`\`, `\"`, `\\"`, `\\\"`, `\n`, `\/`, `\u0041`, `\ud83d`, `\x41`, `\101`, `\u{41}`, `\2C`, "\\\n", `\"a:`,
		"%", "%41", "%25", "%20a1b2c3d4e5", "&", "&#65;", "&amp;", "&quot", "'", `"`, `""`, `''a`, `'\''`, `'"'"'`,
		`"+"`, `" + "a`, `"," `, `"a","b",`, `" "`, "\"\n\"a", `";x+="`, `");append("`, `"/*`, `"#`, "\"+\n",
		"\x1b[", "\x1b[0m", "a\x1b[0mb", "\x1b]", "\x1b]0;a\a", "a\b", "^[[", "^[[0m",
		"=\n", "=41", "=3D", "=?a?q?", "=?a?q?=41?=", "<a>", "<", "a<b>c", "<!--", "]]><![CDATA[", "\u00ad", "a\u200b", "\xc2", "&shy;", "a&zwj;", `\u200b`, `a\u00ad`,
		"a\n", "\n", "\r", "a\r\n", "abcdefghijklmnop1\n", "2026-11-25 abcdefghijklmnop1\n", "# abcdefghijklmnop1\n", strings.Repeat("p", 64) + "-----BEGIN KEY-----x\n",
		"{\"log\":\"abcdefghijklmnop1\\n\",\"stream\":\"\"}\n", "{\"log\":\"\n", "a\x00", "\x00a", "a\x00\x00\x00", "\x00", "a\x00\x01\x04",
		"$$", "a$$b9", "%%a1", "a%%41", "{{a", "}}", "a}}{{b", "@@", "##a", "&&a", "a1b2c3d4e5&&", ",,", "a=,,", "$$%%ab", "${'$'}", "a{{ '{{' }}", `'||CHR(39)||'a`, "'+CHAR(38)+", "chr(39)&",
		`a\xfc`, `\xfc`, `\xc3`, `\303\374a`, "%fca", "%FC", "%u20AC", `\x{fc}`, "#303#274", "#303", "a#374", "a\xfc", "abcd \xfcabcd ", "\xfc\xdf", "e\u0301", "\u0301", "a\u0301\u0302\u0303",
		strings.Repeat("a\x00", 7) + "\x00\x00\x00", strings.Repeat("ab1", 1300) + "\\/",
	}
}

// TestTextFloods bounds what is yielded of one layer: every encoding at most what
// is there, in few texts.
func TestTextFloods(t *testing.T) {
	const size = 256 << 10
	for _, s := range floods() {
		data := strings.Repeat(s, size/len(s))
		bytes, texts := count(data)
		if bytes > 4*len(data) || texts > len(data)/16 {
			t.Errorf("%q: %d texts of %d bytes for %d", s, texts, bytes, len(data))
		}
	}
}

// TestFloodsTogether has all floods in turn, and in each other.
func TestFloodsTogether(t *testing.T) {
	var b strings.Builder
	for b.Len() < 256<<10 {
		for _, s := range floods() {
			b.WriteString(strings.Repeat(s, 3) + "key")
		}
	}
	data := b.String()
	if bytes, texts := count(data); bytes > 12*len(data) || texts > len(data)/16 {
		t.Errorf("%d texts of %d bytes for %d", texts, bytes, len(data))
	}
	m := &shown{}
	v := random(71, 30, base62)
	e := &scanners.Engine{Matchers: []scanners.Matcher{m, registeredMatcher(t, v)}, Viewer: views.New()}
	content := data[:32<<10] + "\n" + times(3, jsonOf)(`"`+each(`\x%02x`)(v)+`"`) + "\n" + data[:32<<10]
	if hits := scanWith(t, e, content); len(hits) != 1 {
		t.Errorf("between floods: %+v", hits)
	}
	t.Logf("%d bytes were shown for %d", m.bytes, len(content))
	if m.bytes > 448*len(content) { // every order of a dozen encodings, each bounded, and what is seldom written in the first two
		t.Errorf("%d bytes were shown for %d", m.bytes, len(content))
	}
}

// shown counts what a matcher is shown.
type shown struct{ bytes int }

func (s *shown) AppendHits(dst []scanners.Hit, c scanners.Chunk) []scanners.Hit {
	s.bytes += len(c.Data)
	return dst
}

func (*shown) Overlap() int { return 4 << 10 }

// TestStops looks no further when nobody wants more.
func TestStops(t *testing.T) {
	data := []byte(strings.Repeat(`{"a":"\u0041\/","b":"<c>"}`+"\n\n"+strings.Repeat("-", 600)+"\n", 100))
	texts := 0
	views.New().View(context.Background(), scanners.Layer{Data: data, Piece: 1 << 20}, func(scanners.Text) bool {
		texts++
		return false
	})
	if texts != 1 {
		t.Errorf("%d texts after the first was enough", texts)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	views.New().View(ctx, scanners.Layer{Data: data, Piece: 1 << 20}, func(scanners.Text) bool {
		t.Error("a text after the end")
		return true
	})
}

// TestPieces has stretches that are longer than a piece, with a value across
// every border.
func TestPieces(t *testing.T) {
	v := random(72, 30, base62)
	front := strings.Repeat("x", 97)
	var plain strings.Builder
	n := 0
	for plain.Len() < 5<<18 {
		plain.WriteString(front + " " + v + "\n")
		n++
	}
	m := registeredMatcher(t, v)
	for name, content := range map[string]string{
		"hex":     each(`\x%02x`)(plain.String()),
		"utf-16":  wide("le")(plain.String()),
		"percent": times(2, each("%%%02x"))(plain.String()[:3<<18]),
	} {
		want := n
		if name == "percent" {
			want = strings.Count(plain.String()[:3<<18], v)
		}
		if hits := scan(t, m, content, 0); len(hits) != want {
			t.Errorf("%s: %d hits of %d", name, len(hits), want)
		}
	}
}
