package archives_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// lzwOf packs as PDF's LZWEncode does.
func lzwOf(data []byte) []byte {
	var out []byte
	acc, have, width := uint64(0), 0, 9
	put := func(code int) {
		acc, have = acc<<width|uint64(code), have+width
		for ; have >= 8; have -= 8 {
			out = append(out, byte(acc>>(have-8)))
		}
	}
	table := map[string]int{}
	code := func(s string) int {
		if len(s) == 1 {
			return int(s[0])
		}
		return table[s]
	}
	put(256)
	word := ""
	for _, c := range data {
		next := word + string([]byte{c})
		if _, ok := table[next]; ok || len(next) == 1 {
			word = next
			continue
		}
		put(code(word))
		table[next] = 258 + len(table)
		switch n := 258 + len(table); {
		case n == 4095:
			put(256)
			clear(table)
			width = 9
		case n >= 1<<width: // entry 511 asks for ten bits
			width++
		}
		word = string([]byte{c})
	}
	if word != "" {
		put(code(word))
	}
	put(257)
	put(0)
	return out
}

// runsOf packs as PDF's RunLengthEncode does: runs of equal bytes, and of others.
func runsOf(data []byte) (out []byte) {
	for len(data) > 0 {
		n := 1
		for n < min(len(data), 128) && data[n] == data[0] {
			n++
		}
		if n > 1 {
			out, data = append(out, byte(257-n), data[0]), data[n:]
			continue
		}
		for n < min(len(data), 128) && data[n] != data[n-1] {
			n++
		}
		out, data = append(append(out, byte(n-1)), data[:n]...), data[n:]
	}
	return append(out, 128)
}

// TestPDFFilters has streams in which codes grow, are forgotten, and break off.
func TestPDFFilters(t *testing.T) {
	look := canary(31)
	for name, text := range map[string][]byte{
		"short":    []byte(look),
		"a run":    append(bytes.Repeat([]byte("a"), 3000), look...),
		"words":    []byte(strings.Repeat("some words (and) some others ", 4000) + look),
		"all":      slices.Concat(noise(3, 40_000), []byte(look), noise(4, 40_000)),
		"in words": []byte(strings.Repeat("etaoin shrdlu ", 200) + look + strings.Repeat(" 0 Tw", 900)),
	} {
		for _, filter := range []string{"/LZWDecode", "/LZW", "/RunLengthDecode"} {
			doc := pdfOf(t, filter, text)
			if s := expand(t, small(), doc, look); !slices.Contains(s.found, "item!object-12") || len(s.skips) > 0 {
				t.Errorf("%s, %s: found in %q, skips %v", name, filter, s.found, s.skips)
			}
		}
	}
	plain := pdfOf(t, "/FlateDecode", []byte(look))[9:]
	open := bytes.Replace(pdfOf(t, "/RunLengthDecode", []byte("abcabc")), []byte("\x80\nendstream"), []byte("\nendstream"), 1)
	if s := expand(t, small(), slices.Concat(open, plain), look); !slices.Contains(s.found, "item!object-12") {
		t.Errorf("behind a stream without its end: %q, skips %v", s.found, s.skips)
	}
	// The example of ISO 32000, which has a code that is made by itself.
	sample := bytes.Replace(pdfOf(t, "/LZWDecode", []byte("x")), lzwOf([]byte("x")), []byte("\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01"), 1)
	if s := expand(t, small(), sample, "-----A---B"); !slices.Contains(s.found, "item!object-12") || len(s.skips) > 0 {
		t.Errorf("the standard's: found in %q, skips %v", s.found, s.skips)
	}
	bad := pdfOf(t, "/LZWDecode", []byte("abcabc"))
	i := bytes.Index(bad, []byte("stream\r\n\x80")) + 8
	copy(bad[i:], "\xff\xff\xff")
	if s := expand(t, small(), bad, look); s.skips["item!object-12"] == "" {
		t.Errorf("damaged: skips %v", s.skips)
	}
}
