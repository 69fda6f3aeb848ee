package views_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/registered"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

const (
	alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	// generic is what the rule of the tests finds.
	generic = "tok" + "_7h3q9x2m5k8w1z4v6r0t8y2p"
)

// aRule finds generic values, and nothing else.
const aRule = `
title = "test"
[[rules]]
id = "test-token"
description = "a token of the tests"
regex = '''\btok_[a-z0-9]{24}\b'''
keywords = ["tok_"]
`

// kit is an engine that looks for one registered value and for generic ones.
type kit struct {
	value []byte
	row   fingerprints.RowID
	ms    []scanners.Matcher
}

func newKit(tb testing.TB) *kit {
	tb.Helper()
	return newKitFor(tb, []byte(text(7, 24, alnum)))
}

func newKitFor(tb testing.TB, value []byte) *kit {
	tb.Helper()
	built := packtest.New(tb, fingerprints.AudienceCore, value)
	m, err := registered.New(built.Pack)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := rules.New(rules.Options{Contents: []byte(aRule), DecodeDepth: -1})
	if err != nil {
		tb.Fatal(err)
	}
	return &kit{value: value, row: built.Rows[0], ms: []scanners.Matcher{m, r}}
}

// scan runs the engine over a content.
func (k *kit) scan(tb testing.TB, content string, chunk int) ([]scanners.Hit, []fingerprints.Skip) {
	tb.Helper()
	e := &scanners.Engine{Matchers: k.ms, Viewer: views.New(), ChunkSize: chunk}
	var hits []scanners.Hit
	var skips []fingerprints.Skip
	if _, err := e.Scan(context.Background(), strings.NewReader(content), "file", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		skips = append(skips, w.Skips...)
		return nil
	}); err != nil {
		tb.Fatal(err)
	}
	return hits, skips
}

// want checks that one value is found, once, where it stands.
func (k *kit) want(t *testing.T, name, content, value string, from, to int, form fingerprints.Form) {
	t.Helper()
	hits, _ := k.scan(t, content, 0)
	if len(hits) != 1 {
		t.Fatalf("%s: %d hits, want one: %v\nin %.300q", name, len(hits), describe(hits), content)
	}
	h := hits[0]
	if string(h.Value.Reveal()) != value || h.Form != form || int(h.Span.Start) != from || int(h.Span.End) != to {
		t.Fatalf("%s: %v, want %d-%d %s\nin %.300q", name, describe(hits), from, to, form, content)
	}
	if value != generic && (!h.Registered() || h.Rows[0] != k.row) {
		t.Fatalf("%s: rows %v", name, h.Rows)
	}
}

func describe(hits []scanners.Hit) (out []string) {
	for _, h := range hits {
		out = append(out, fmt.Sprintf("%d-%d %s %q %s", h.Span.Start, h.Span.End, h.Form, h.Value.Reveal(), h.Rule))
	}
	return out
}

// text makes characters of an alphabet from a seed.
func text(seed uint64, n int, alphabet string) string {
	rng := rand.New(packtest.Seed(seed))
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[rng.IntN(len(alphabet))]
	}
	return string(out)
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = packtest.Seed(seed).Read(b)
	return b
}

// coding writes bytes in an encoding. The place of a byte is from the first to
// the last character that has a bit of it.
type coding struct {
	name   string
	form   fingerprints.Form
	encode func(plain []byte) string
	// place is where plain[i:j] stands in what encode returns.
	place func(plain []byte, i, j int) (from, to int)
}

// digits is a coding of so many bits a character, wrapped in lines.
func digits(name string, form fingerprints.Form, bits int, encode func([]byte) string, width int, sep string) coding {
	at := func(char int) int {
		if width == 0 {
			return char
		}
		return char + char/width*len(sep)
	}
	return coding{name: name, form: form, encode: func(plain []byte) string {
		return wrap(encode(plain), width, sep)
	}, place: func(_ []byte, i, j int) (int, int) {
		return at(8 * i / bits), at((8*j-1)/bits) + 1
	}}
}

func wrap(s string, width int, sep string) string {
	if width == 0 {
		return s
	}
	var b strings.Builder
	for len(s) > width {
		b.WriteString(s[:width] + sep)
		s = s[width:]
	}
	return b.String() + s
}

func base64Codings() []coding {
	std, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	form := fingerprints.FormBase64
	return []coding{
		digits("base64", form, 6, std, 0, ""),
		digits("base64url", form, 6, url, 0, ""),
		digits("base64 at 64", form, 6, std, 64, "\n"),
		digits("base64 at 76", form, 6, std, 76, "\r\n"),
		digits("base64 indented", form, 6, std, 64, "\n    "),
		digits("base64 with \\n", form, 6, std, 64, `\n`),
		digits("base64 with \\\\r\\\\n", form, 6, std, 76, `\\r\\n`),
		digits("base64 of 60", form, 6, std, 60, " \\\n\t"),
		digits("base64 of 17", form, 6, std, 17, "\n"),
	}
}

func hexCodings() []coding {
	form := fingerprints.FormHex
	upper := func(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }
	return []coding{
		digits("hex", form, 4, hex.EncodeToString, 0, ""),
		digits("HEX", form, 4, upper, 0, ""),
		digits("xxd -p", form, 4, hex.EncodeToString, 60, "\n"),
	}
}

// surroundings are what stands before and behind an encoded value.
func surroundings() [][2]string {
	return [][2]string{
		{"", ""}, {"key: ", "\n"}, {`{"a":"`, `","b":1}`}, {"x = '", "'; y"}, {"(", ")"}, {"\x00\x01", "\xff"}, {"日本 ", " 語"}, {"blob,", ",next"},
	}
}

// aligned looks for a value in a coding at every alignment of the text and of
// what is encoded, in every surroundings.
func (k *kit) aligned(t *testing.T, c coding, value string, fill func(n int) []byte) {
	t.Helper()
	for off := range 16 {
		for i, s := range surroundings() {
			front := off % 7
			plain := append(fill(front), value...)
			plain = append(plain, fill(40+off)...)
			lead := strings.Repeat(".", off) + s[0]
			from, to := c.place(plain, front, front+len(value))
			k.want(t, fmt.Sprintf("%s, %d before, surroundings %d", c.name, off, i), lead+c.encode(plain)+s[1], value, len(lead)+from, len(lead)+to, c.form)
		}
	}
}

// words fills with what may stand beside a value in a text.
func words(n int) []byte { return bytes.Repeat([]byte(" ,;"), n/3+1)[:n] }

// decoys are values that differ in the first, the last or a middle byte.
func decoys(value string) (out []string) {
	for _, i := range []int{0, len(value) / 2, len(value) - 1} {
		b := []byte(value)
		if b[i]++; !strings.ContainsRune(alnum, rune(b[i])) {
			b[i] = 'M'
		}
		out = append(out, string(b))
	}
	return out
}
