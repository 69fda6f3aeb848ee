package views_test

import (
	"encoding/base32"
	"strings"
	"testing"

	"revenant/fingerprints"
)

func base32Codings() []coding {
	std, hex := base32.StdEncoding, base32.HexEncoding
	lower := func(e *base32.Encoding) func([]byte) string {
		return func(b []byte) string { return strings.ToLower(e.EncodeToString(b)) }
	}
	form := fingerprints.FormBase32
	return []coding{
		digits("base32", form, 5, std.EncodeToString, 0, ""),
		digits("base32 lower", form, 5, lower(std), 0, ""),
		digits("base32hex", form, 5, hex.EncodeToString, 0, ""),
		digits("base32hex lower", form, 5, lower(hex.WithPadding(base32.NoPadding)), 0, ""),
		digits("base32 at 76", form, 5, std.EncodeToString, 76, "\n"),
		digits("base32 at 64", form, 5, std.EncodeToString, 64, "\r\n  "),
	}
}

func TestBase32(t *testing.T) {
	k := newKit(t)
	for _, c := range base32Codings() {
		t.Run(c.name, func(t *testing.T) {
			k.aligned(t, c, string(k.value), words)
			k.aligned(t, c, generic, words)
			for _, d := range decoys(string(k.value)) {
				if hits, _ := k.scan(t, c.encode([]byte("  "+d+" ;")), 0); len(hits) > 0 {
					t.Errorf("a decoy: %v", describe(hits))
				}
			}
		})
	}
}

// TestBase32Inside has foreign characters of the alphabet before the run, and
// other encodings around and in it.
func TestBase32Inside(t *testing.T) {
	k := newKit(t)
	for _, v := range []string{string(k.value), generic} {
		for front := range 9 {
			for _, letters := range []string{"", strings.Repeat("QRSTUVWXYZABCDEF", 40)} { // as words are that were joined
				content := "otp/" + letters + strings.Repeat("Q", front) + base32.StdEncoding.EncodeToString([]byte("a "+v+" b"))
				if hits, _ := k.scan(t, content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
					t.Errorf("%d before, %d letters: %v", front, len(letters), describe(hits))
				}
			}
		}
		for _, c := range base32Codings() {
			for _, two := range []coding{nested(base64Codings()[2], c), nested(c, base64Codings()[0]), nested(c, hexCodings()[2]), nested(c, c)} {
				plain := []byte("; " + v + " - tail")
				from, to := two.place(plain, 2, 2+len(v))
				k.want(t, two.name, "\n"+two.encode(plain)+"\n", v, 1+from, 1+to, two.form)
			}
		}
	}
}

// TestWholeBase32 has values that decode to no text or to little, alone: for
// registered values only.
func TestWholeBase32(t *testing.T) {
	values := []string{text(3, 10, alnum), text(3, 11, alnum), string(noise(5, 32)), string(noise(6, 33)), "ключ鍵J🔑jключB", string(noise(7, 300))}
	for _, v := range values {
		k := newKitFor(t, []byte(v))
		for _, c := range append(base32Codings()[:2:2], digits("not padded", fingerprints.FormBase32, 5, base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString, 0, "")) {
			for off := range 70 {
				lead := strings.Repeat(".", off) + surroundings()[off%len(surroundings())][0]
				from, to := c.place([]byte(v), 0, len(v))
				k.want(t, c.name, lead+c.encode([]byte(v))+surroundings()[off%len(surroundings())][1], v, len(lead)+from, len(lead)+to, c.form)
			}
			for _, content := range []string{"7" + c.encode([]byte(v)), strings.TrimRight(c.encode([]byte(v)), "=") + "7"} {
				if hits, _ := k.scan(t, content, 0); len(hits) > 0 {
					t.Errorf("%q: %v", content, describe(hits))
				}
			}
		}
	}
	// What only looks like a token of a rule is not shown to it.
	if hits, _ := newKit(t).scan(t, strings.Repeat("MFRGGZDF", 3)+" 7777777777777777 mfrggzdfmztwq2lknnwg23q", 0); len(hits) > 0 {
		t.Errorf("%v", describe(hits))
	}
}

func TestChunksOfBase32(t *testing.T) {
	k := newKit(t)
	c := base32Codings()[4]
	plain := []byte(strings.Repeat("some words. ", 60) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
	k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 2)
}
