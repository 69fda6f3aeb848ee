package registered_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"

	"revenant/fingerprints"
	"revenant/fingerprints/pack/packtest"
	"revenant/scanners"
	"revenant/scanners/registered"
)

const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// values are n generated values of a length over an alphabet.
func values(seed uint64, n, length int, alphabet string) [][]byte {
	rng := rand.New(packtest.Seed(seed))
	out := make([][]byte, n)
	for i := range out {
		for range length {
			out[i] = append(out[i], alphabet[rng.IntN(len(alphabet))])
		}
	}
	return out
}

func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	_, _ = packtest.Seed(seed).Read(b)
	return b
}

func matcher(tb testing.TB, aud fingerprints.Audience, vals ...[]byte) (*registered.Matcher, *packtest.Built) {
	tb.Helper()
	built := packtest.New(tb, aud, vals...)
	m, err := registered.New(built.Pack)
	if err != nil {
		tb.Fatal(err)
	}
	return m, built
}

// scan runs the engine over a content.
func scan(tb testing.TB, m scanners.Matcher, content []byte, chunk int) []scanners.Hit {
	tb.Helper()
	e := &scanners.Engine{Matchers: []scanners.Matcher{m}, ChunkSize: chunk}
	var hits []scanners.Hit
	n, err := e.Scan(context.Background(), bytes.NewReader(content), "file", func(w scanners.Window) error {
		hits = append(hits, w.Hits...)
		return nil
	})
	if err != nil || n != int64(len(content)) {
		tb.Fatalf("scanned %d of %d bytes: %v", n, len(content), err)
	}
	return hits
}

func wide(order string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, u := range utf16.Encode([]rune(s)) {
			if order == "le" {
				b.WriteByte(byte(u))
				b.WriteByte(byte(u >> 8))
			} else {
				b.WriteByte(byte(u >> 8))
				b.WriteByte(byte(u))
			}
		}
		return b.String()
	}
}

// wrapAt breaks lines.
func wrapAt(width int, sep string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for len(s) > width {
			b.WriteString(s[:width] + sep)
			s = s[width:]
		}
		return b.String() + s
	}
}

// inBlob encodes the value inside a larger content, skip bytes in, and returns
// only the characters that carry its bits between the rest.
type encoded struct {
	before, value, after string
}

func blob(enc *base64.Encoding, front int) func(string) encoded {
	return func(s string) encoded {
		plain := strings.Repeat("\x07", front) + s + "\x07tail"
		e := enc.EncodeToString([]byte(plain))
		from, to := front*8/6, ((front+len(s))*8+5)/6
		return encoded{e[:from], e[from:to], e[to:]}
	}
}

func whole(f func(string) string) func(string) encoded {
	return func(s string) encoded { return encoded{value: strings.TrimRight(f(s), "=")} }
}

type encoding struct {
	name string
	form fingerprints.Form
	enc  func(string) encoded
}

func encodings() []encoding {
	hexUpper := func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }
	out := []encoding{
		{"raw", fingerprints.FormRaw, whole(func(s string) string { return s })},
		{"base64", fingerprints.FormBase64, whole(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) })},
		{"base64url", fingerprints.FormBase64, whole(func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) })},
		{"hex", fingerprints.FormHex, whole(func(s string) string { return hex.EncodeToString([]byte(s)) })},
		{"HEX", fingerprints.FormHex, whole(hexUpper)},
		{"utf-16le", fingerprints.FormUTF16, whole(wide("le"))},
		{"utf-16be", fingerprints.FormUTF16, whole(wide("be"))},
	}
	for i := range 4 {
		out = append(out, encoding{fmt.Sprintf("base64+%d", i), fingerprints.FormBase64, blob(base64.StdEncoding, i)})
	}
	return out
}

func TestEveryOffset(t *testing.T) {
	for _, g := range []struct {
		name   string
		aud    fingerprints.Audience
		length int
	}{
		{"core", fingerprints.AudienceCore, 24},
		{"edge", fingerprints.AudienceEdge, 40},
		{"short", fingerprints.AudienceCore, 9},
		{"long", fingerprints.AudienceCore, 300},
		{"least", fingerprints.AudienceCore, 15},
		{"fourteen", fingerprints.AudienceCore, 14},
	} {
		vals := values(3, 4, g.length, alnum)
		m, built := matcher(t, g.aud, vals...)
		for _, e := range encodings() {
			t.Run(g.name+"/"+e.name, func(t *testing.T) {
				for off := range 16 {
					for i, v := range vals {
						enc := e.enc(string(v))
						front := append(noise(uint64(off), 64+off), 1)
						front = append(front, enc.before...)
						content := append(append(bytes.Clone(front), enc.value+enc.after...), 2)
						content = append(content, noise(uint64(off+99), 40)...)
						hits := scan(t, m, content, 0)
						want := scanners.Span{Start: int64(len(front)), End: int64(len(front) + len(enc.value))}
						if len(hits) != 1 || hits[0].Span != want || hits[0].Form != e.form || hits[0].Rows[0] != built.Rows[i] || !bytes.Equal(hits[0].Value.Reveal(), v) {
							t.Fatalf("offset %d, value %d: want %v, got %+v", off, i, want, hits)
						}
					}
				}
			})
		}
	}
}

// TestRunsAcrossTiles has runs of every length around the border of what is
// classified at once.
func TestRunsAcrossTiles(t *testing.T) {
	v := values(91, 1, 24, alnum)[0]
	m, _ := matcher(t, fingerprints.AudienceCore, v)
	enc := base64.StdEncoding.EncodeToString(v)
	for back := 0; back < 80; back += 2 {
		for length := 14; length < 24; length++ {
			content := bytes.Repeat([]byte(". "), 64<<10-back/2)
			content = append(content, strings.Repeat("a", length)+" "+enc+" "...)
			if hits := scan(t, m, content, 0); len(hits) != 1 {
				t.Fatalf("a run of %d %d before the border: %+v", length, back, hits)
			}
		}
	}
}
