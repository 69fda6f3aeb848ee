package views_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"revenant/scanners"
)

// wide32 is UTF-32.
func wide32(order string) func(string) string {
	return func(s string) string {
		var b []byte
		for _, r := range s {
			if order == "le" {
				b = append(b, byte(r), byte(r>>8), byte(r>>16), 0)
			} else {
				b = append(b, 0, byte(r>>16), byte(r>>8), byte(r))
			}
		}
		return string(b)
	}
}

// TestWide has values at every offset, among text of the same kind and among
// other bytes. Nobody can tell the byte order of ASCII by itself.
func TestWide(t *testing.T) {
	vals := []string{random(1, 24, base62), "pкaкsшsдwйoюrяd1п2", "Ü€kR7pQ2xV9nL4ߎ-💡xyzwY1mZ"}
	rule := ruleMatcher(t)
	for name, enc := range map[string]func(string) string{
		"16le": wide("le"), "16be": wide("be"), "32le": wide32("le"), "32be": wide32("be"),
	} {
		for off := range 9 {
			for _, around := range [][2]string{
				{strings.Repeat("\xff", off), "\xff\xff\xff"},
				{strings.Repeat("\xff", off) + enc("the word is "), enc(" he said") + "\xff\xff"},
				{strings.Repeat("\x00", 4*off) + enc("x") + "\x03\xff", "\x00\x00\x00\x00"},
			} {
				for i, v := range vals {
					m := registeredMatcher(t, v)
					hits := scan(t, m, around[0]+enc(v)+around[1], 0)
					want := scanners.Span{Start: int64(len(around[0])), End: int64(len(around[0]) + len(enc(v)))}
					near := len(hits) == 1 && hits[0].Span.Len() == want.Len() && max(hits[0].Span.Start-want.Start, want.Start-hits[0].Span.Start) <= 3
					if !near || !strings.HasPrefix(string(hits[0].Form), "utf-16") {
						t.Fatalf("%s, value %d, offset %d in %q: want %v, got %+v", name, i, off, around, want, hits)
					}
					for _, d := range changed(v)[:1] {
						if hits := scan(t, m, around[0]+enc(d)+around[1], 0); len(hits) > 0 {
							t.Fatalf("%s: a decoy: %+v", name, hits)
						}
					}
				}
				if off%3 == 0 {
					v := token(9)
					hits := scan(t, rule, around[0]+enc(v)+around[1], 0)
					if len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
						t.Fatalf("%s, offset %d in %q: %+v", name, off, around, hits)
					}
				}
			}
		}
	}
}

// TestWideLayers has other encodings in UTF-16.
func TestWideLayers(t *testing.T) {
	v := random(8, 30, base62)
	m := registeredMatcher(t, v)
	for name, enc := range map[string]func(string) string{
		"base64":  b64,
		"colours": broken(5, "\x1b[0m\x1b[1;31m"),
		"joined":  broken(6, `" + "`),
		"json 3":  chain(eachRune(`\u%04x`), times(2, jsonOf)),
	} {
		for _, order := range []string{"le", "be"} {
			content := wide(order)("first line\r\nkey = \"" + enc(v) + "\"\r\n")
			hits := scan(t, m, content, 0)
			if len(hits) != 1 || !strings.HasPrefix(string(hits[0].Form), "utf-16") {
				t.Errorf("%s in %s: %+v", name, order, hits)
			}
		}
	}
}

// TestWideNoise counts what is yielded of bytes that are no text.
func TestWideNoise(t *testing.T) {
	for name, data := range map[string]string{
		"zeros":    strings.Repeat("\x00", 1<<20),
		"counters": strings.Repeat("\x01\x00\x00\x00\x02\x00\x00\x00", 1<<17),
		"words":    strings.Repeat("a\x00\x00\x00\x00\x00\x00\x00", 1<<17),
		"flags":    strings.Repeat("\x01\x00\x41\x00", 1<<18),
		"random":   bytesOf(1 << 20),
		"pairs":    strings.Repeat("A\x00B\x01\x02\x03", 1<<17),
		"letters":  strings.Repeat(strings.Repeat("\x30\x04", 60)+"a\x00b\x00", 1<<12),
	} {
		bytes, texts := count(data)
		if bytes > 2*len(data) || texts > len(data)/16+16 {
			t.Errorf("%s: %d texts of %d bytes for %d", name, texts, bytes, len(data))
		}
		fmt.Fprintf(t.Output(), "%s: %d texts, %d bytes\n", name, texts, bytes)
	}
}

// TestWideTables: what stands in tables that read like UTF-16, with controls and
// private characters in them, is found: registered values of any script, and
// what patterns look for where it is as long as that is. Noise alone is nothing's.
func TestWideTables(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	table := func(units int) string {
		var b []byte
		for i := range units {
			u := [...]uint16{uint16(0xc000 + r.IntN(0x1000)), uint16(0x80 + r.IntN(0x70)), uint16(' ' + r.IntN(0x5f)), uint16(0xe000 + r.IntN(0x800))}[i%4]
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	rule := ruleMatcher(t)
	mixed, words := "pкaкsшsдwйoюrяd1п2", random(5, 24, base62)
	for n := range 40 {
		front, behind := table(4*(1+n)), table(60)
		for _, v := range []string{mixed, words} {
			hits := scan(t, registeredMatcher(t, v), front+wide("le")(v)+behind, 0)
			if len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
				t.Fatalf("%q behind %d bytes: %+v", v, len(front), hits)
			}
		}
		v := token(9)
		if hits := scan(t, rule, front+wide("le")(" "+v+" ")+behind, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
			t.Fatalf("a token behind %d bytes: %+v", len(front), hits)
		}
		if hits := scan(t, rule, front+behind, 0); len(hits) > 0 {
			t.Fatalf("noise: %+v", hits)
		}
	}
}
