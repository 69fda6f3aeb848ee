package views_test

import (
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// literalCodings are lists of character literals.
func literalCodings() []coding {
	return []coding{
		listed("characters", "%q", "char k[] = {", ", ", "", "};", 0),
		listed("characters, close", "%q", "{", ",", "", "}", 0),
		listed("characters, lines", "%q", "[\n  ", ", ", ",\n  ", ",\n]", 8),
		listed("characters, one a line", "%q", "[\n  ", ",\n    ", "", "\n]", 0),
		listed("bytes", "b%q", "[", ", b", "", "]", 0),
	}
}

func TestLiterals(t *testing.T) {
	k := newKit(t)
	for _, c := range literalCodings()[:4] {
		k.aligned(t, c, string(k.value), words)
		k.aligned(t, c, generic, words)
	}
	for _, d := range decoys(string(k.value)) {
		if hits, _ := k.scan(t, literalCodings()[0].encode([]byte(d)), 0); len(hits) > 0 {
			t.Errorf("a decoy: %v", describe(hits))
		}
	}
}

// TestEscapedLiterals has literals that are escapes or no ASCII.
func TestEscapedLiterals(t *testing.T) {
	value := "k\x01'\\\"\n\té鍵🔑zQ7 ,4"
	k := newKitFor(t, []byte(value))
	for name, list := range map[string][]string{
		"C":    {"'k'", `'\1'`, `'\''`, `'\\'`, `'"'`, `'\n'`, `'\t'`, `'\xc3'`, `'\xa9'`, `'\351'`, `'\215'`, `'\265'`, `'\xF0'`, `'\x9f'`, `'\x94'`, `'\x91'`, "'z'", "'Q'", "'7'", "' '", "','", "'4'"},
		"Go":   {"'k'", `'\x01'`, `'\''`, `'\\'`, `'"'`, `'\n'`, `'\t'`, "'é'", `'\u9375'`, `'\U0001f511'`, "'z'", "'Q'", "'7'", "' '", "','", "'4'"},
		"Rust": {"b'k'", `b'\x01'`, `b'\''`, `b'\\'`, `b'"'`, `b'\n'`, `b'\t'`, `b'\xc3'`, `b'\xa9'`, `b'\xe9'`, `b'\x8d'`, `b'\xb5'`, `b'\xf0'`, `b'\x9f'`, `b'\x94'`, `b'\x91'`, "b'z'", "b'Q'", "b'7'", "b' '", "b','", "b'4'"},
	} {
		content := "k = [" + strings.Join(list, ", ") + "]"
		hits, _ := k.scan(t, content, 0)
		from := strings.Index(content, "'")
		if len(hits) != 1 || hits[0].Form != fingerprints.FormNumbers || int(hits[0].Span.Start) != from || int(hits[0].Span.End) != len(content)-1 {
			t.Errorf("%s: %v, want %d-%d", name, describe(hits), from, len(content)-1)
		}
	}
}

// TestNoLiterals are lists of which nothing is made, or not more than they hold.
func TestNoLiterals(t *testing.T) {
	k := newKitFor(t, []byte("abcdefghijkl"))
	for _, content := range []string{
		"'a', 'b', 'c', 'd', 'e', 'f', 'g' 'h', 'i', 'j', 'k', 'l'",
		"'a', 'b', 'c', 'd', 'e', 'f',, 'g', 'h', 'i', 'j', 'k', 'l'",
		"'a', 'b', 'c', 'd', 'e', 'f', g, 'h', 'i', 'j', 'k', 'l'",
		"'a', 'b', 'c', 'd', 'e', 'f', '\\q', 'g', 'h', 'i', 'j', 'k', 'l'",
		"'a', 'b', 'c', 'd', 'e', 'f', '\\x4', 'g', 'h', 'i', 'j', 'k', 'l'",
		"',',',',','", "',", "'',", "'\\',", "'\\x",
	} {
		if hits, _ := k.scan(t, content, 0); len(hits) > 0 {
			t.Errorf("%s: %v", content, describe(hits))
		}
	}
}

func TestChunksOfLiterals(t *testing.T) {
	k := newKit(t)
	c := literalCodings()[2]
	plain := []byte(strings.Repeat("some words. ", 90) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
	k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 2)
	long := fmt.Sprintf("%s %s", strings.Repeat("0123456789abcdef ", 300<<10/17), k.value)
	if hits, _ := k.scan(t, c.encode([]byte(long)), 0); len(hits) == 0 {
		t.Error("nothing at the end of a long list")
	}
}
