package views_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
)

// literalCodings are lists of character literals.
func literalCodings() []coding {
	list := []coding{
		listed("characters", "%q", "char k[] = {", ", ", "", "};", 0),
		listed("characters, close", "%q", "{", ",", "", "}", 0),
		listed("characters, lines", "%q", "[\n  ", ", ", ",\n  ", ",\n]", 8),
		listed("characters, one a line", "%q", "[\n  ", ",\n    ", "", "\n]", 0),
		listed("bytes", "%q", "[b", ", b", "", "]", 0),
	}
	for i, c := range list {
		list[i].form = fingerprints.FormJoined
		list[i].place = func(plain []byte, from, to int) (int, int) { // without quotes
			from, to = c.place(plain, from, to)
			return from + 1, to - 1
		}
	}
	return list
}

func TestLiterals(t *testing.T) {
	k := newKit(t)
	for _, c := range literalCodings() {
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
		from, to := strings.Index(content, "'")+1, len(content)-2
		if len(hits) != 1 || hits[0].Form != fingerprints.FormJoined || int(hits[0].Span.Start) != from || int(hits[0].Span.End) != to {
			t.Errorf("%s: %v, want %d-%d", name, describe(hits), from, to)
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
	long := "{" + strings.Repeat("'5', 'x', ' ', ", 200<<10) + literalCodings()[0].encode(k.value)[len("char k[] = {"):]
	if hits, _ := k.scan(t, long, 0); len(hits) != 1 {
		t.Errorf("at the end of a long list: %v", describe(hits))
	}
}
