package views_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

const base62 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// textual is a way to write a value down. plant returns what stands before the
// encoded value, the value, and what stands behind it.
type textual struct {
	name string
	form string // of a registered value; empty: any
	enc  func(v string) string
	// around is what stands around it, with %s for the value.
	around string
	rules  bool // generic rules see it, too
}

// inner is a string without the quotes that an encoder puts around it.
func inner(s string) string { return s[1 : len(s)-1] }

func jsonOf(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return inner(string(b))
}

// times applies an encoding n times.
func times(n int, enc func(string) string) func(string) string {
	return func(s string) string {
		for range n {
			s = enc(s)
		}
		return s
	}
}

// chain applies encodings one after the other.
func chain(encs ...func(string) string) func(string) string {
	return func(s string) string {
		for _, enc := range encs {
			s = enc(s)
		}
		return s
	}
}

// each encodes every byte by itself.
func each(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, c := range []byte(s) {
			fmt.Fprintf(&b, format, c)
		}
		return b.String()
	}
}

// eachRune encodes every character by itself.
func eachRune(format string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range s {
			fmt.Fprintf(&b, format, r)
		}
		return b.String()
	}
}

// broken puts sep between pieces of a value that are width bytes long.
func broken(width int, sep string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for len(s) > width {
			b.WriteString(s[:width] + sep)
			s = s[width:]
		}
		return b.String() + s
	}
}

func replace(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func wide(order string) func(string) string {
	return func(s string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			if order == "le" {
				b = append(b, byte(u), byte(u>>8))
			} else {
				b = append(b, byte(u>>8), byte(u))
			}
		}
		return string(b)
	}
}

// random is a value over an alphabet.
func random(seed uint64, n int, alphabet string) string {
	rng := rand.New(rand.NewPCG(seed, 11))
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(b)
}

// token is a value that a rule of gitleaks matches wherever it stands alone.
func token(seed uint64) string { return "gh" + "p_" + random(seed, 36, base62) }

func registeredMatcher(tb testing.TB, vals ...string) scanners.Matcher {
	tb.Helper()
	var raw [][]byte
	for _, v := range vals {
		raw = append(raw, []byte(v))
	}
	m, err := registered.New(packtest.New(tb, fingerprints.AudienceCore, raw...).Pack)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func ruleMatcher(tb testing.TB) scanners.Matcher {
	tb.Helper()
	m, err := rules.New(rules.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

func scan(tb testing.TB, m scanners.Matcher, content string, chunk int) []scanners.Hit {
	tb.Helper()
	return scanWith(tb, &scanners.Engine{Matchers: []scanners.Matcher{m}, Viewer: views.New(), ChunkSize: chunk}, content)
}

func scanWith(tb testing.TB, e *scanners.Engine, content string) []scanners.Hit {
	tb.Helper()
	var hits []scanners.Hit
	_, err := e.Scan(context.Background(), strings.NewReader(content), "notes.txt", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return hits
}

// span is where the encoded value stands in what plant returned.
func (e textual) plant(v string) (content string, span scanners.Span) {
	enc := e.enc(v)
	front, back, _ := strings.Cut(e.around, "%s")
	return front + enc + back, scanners.Span{Start: int64(len(front)), End: int64(len(front) + len(enc))}
}

// changed are changed copies of a value.
func changed(v string) []string {
	var out []string
	for _, i := range []int{0, len(v) / 2, len(v) - 1} {
		c := []byte(v)
		if c[i] == 'x' {
			c[i] = 'y'
		} else {
			c[i] = 'x'
		}
		out = append(out, string(c))
	}
	return out
}

// find checks that a value that is registered is found once, where it stands,
// and that changed copies are not.
func (e textual) find(t *testing.T, v string) {
	t.Helper()
	m := registeredMatcher(t, v)
	content, want := e.plant(v)
	for _, front := range []string{"", "x", "some words before it, and 17 more\n", strings.Repeat("line of text\n", 40), bytesOf(33)} {
		hits := scan(t, m, front+content+"\n", 0)
		at := scanners.Span{Start: want.Start + int64(len(front)), End: want.End + int64(len(front))}
		if len(hits) != 1 || hits[0].Span != at || string(hits[0].Value.Reveal()) != v {
			t.Errorf("behind %d bytes: want %v, got %+v in\n%q", len(front), at, hits, content)
			return
		}
		if e.form != "" && string(hits[0].Form) != e.form {
			t.Errorf("form %s, want %s", hits[0].Form, e.form)
		}
	}
	for i, d := range changed(v) {
		content, _ := e.plant(d)
		if hits := scan(t, m, content, 0); len(hits) > 0 {
			t.Errorf("decoy %d: %+v", i, hits)
		}
	}
}

func bytesOf(n int) string {
	b := make([]byte, n)
	_, _ = packtest.Seed(uint64(n)).Read(b)
	return string(bytes.ReplaceAll(b, []byte{0}, []byte{1}))
}

// count is what one look through data yields.
func count(data string) (bytes, texts int) {
	views.New().View(context.Background(), scanners.Layer{Data: []byte(data), Piece: 1 << 20, Overlap: 4 << 10}, func(t scanners.Text) bool {
		bytes, texts = bytes+len(t.Data), texts+1
		return true
	})
	return bytes, texts
}
