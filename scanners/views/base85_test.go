package views_test

import (
	"encoding/ascii85"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
)

const zeroMQDigits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"

// adobe85 is base85 without groups of one sign.
func adobe85(b []byte) string {
	out := make([]byte, ascii85.MaxEncodedLen(len(b)))
	return strings.ReplaceAll(string(out[:ascii85.Encode(out, b)]), "z", "!!!!!")
}

// trimmed85 is base85 whose last group is as long as it has to be.
func trimmed85(digits string) func([]byte) string {
	return func(b []byte) string { s := base85(b, digits); return s[:len(s)-(4-len(b)%4)%4] }
}

// in85 is a coding with what is around it, in lines of some width.
func in85(name, before string, encode func([]byte) string, after string, width int) coding {
	return coding{name: name, form: fingerprints.FormBase85, encode: func(plain []byte) string {
		return before + wrap(encode(plain), width, "\n") + after
	}, place: func(plain []byte, i, j int) (int, int) {
		all := len(encode(plain))
		at := func(char int) int {
			if width > 0 {
				return len(before) + char + char/width
			}
			return len(before) + char
		}
		return at(i / 4 * 5), at(min((j+3)/4*5, all)-1) + 1
	}}
}

func base85Codings() []coding {
	git, zero := trimmed85(base85Digits), trimmed85(zeroMQDigits)
	escaped := func(b []byte) string { return adobe85(b) }
	return []coding{
		in85("Adobe", "<~", adobe85, "~>", 0),
		in85("Adobe, lines", "<~", adobe85, "~>", 72),
		in85("b85decode", `base64.b85decode("`, git, `")`, 0),
		in85("b85decode, bytes", `b85decode(b'`, git, `')`, 0),
		in85("b85decode, lines", "b85decode(\n  b\"\"\"", git, `""")`, 64),
		in85("a85decode", `base64.a85decode(r"""`, escaped, `""")`, 0),
		in85("a85decode, adobe", `a85decode(rb"<~`, escaped, `~>")`, 0),
		in85("z85decode", `base64.z85decode("`, zero, `")`, 0),
	}
}

func TestBase85(t *testing.T) {
	k := newKit(t)
	for _, c := range base85Codings() {
		if strings.HasPrefix(c.name, "a85") { // with a quote it ends
			continue
		}
		k.aligned(t, c, string(k.value), words)
		k.aligned(t, c, generic, words)
		for _, d := range decoys(string(k.value)) {
			if hits, _ := k.scan(t, c.encode([]byte(" "+d+" ;")), 0); len(hits) > 0 {
				t.Errorf("%s, a decoy: %v", c.name, describe(hits))
			}
		}
	}
}

// TestPython85 has literals as Python writes them: with backslashes before quotes.
func TestPython85(t *testing.T) {
	for seed := range uint64(60) {
		v := text(seed, 22, alnum)
		k := newKitFor(t, []byte(v))
		s := adobe85(append(noise(seed, int(seed)), " "+v+" ;"...))
		repr := `b'` + replace(`\`, `\\`, `'`, `\'`)(s) + `'`
		for name, content := range map[string]string{
			"escaped":  "key = base64.a85decode(" + repr + ")\n",
			"in JSON":  `{"key":"` + jsonOf("<~"+s+"~>") + `"}`,
			"in Go":    fmt.Sprintf("%q", "<~"+s+"~>"),
			"in marks": "key = a85decode(b'<~" + repr[2:len(repr)-1] + "~>', adobe=True)\n",
			"zeros":    "base64.a85decode(b\"" + strings.ReplaceAll("z"+replace(`\`, `\\`, `"`, `\"`)(s), "!!!!!", "z") + `")`,
		} {
			if hits, _ := k.scan(t, content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
				t.Errorf("%s: %v in %s", name, describe(hits), content)
			}
		}
	}
}

// TestStreams85 has compressed streams in it, also where no call decodes them.
func TestStreams85(t *testing.T) {
	k := newKit(t)
	plain := []byte("some text, some text, key " + string(k.value) + " and some more text")
	for name, pack := range streams(t) {
		git := trimmed85(base85Digits)(pack(plain))
		contents := map[string]string{
			"call":  `exec(decompress(b85decode("` + git + `")))`,
			"adobe": "<~" + wrap(adobe85(pack(plain)), 60, "\n") + "\n~>",
		}
		if name == "gzip" || name == "zip" {
			contents["alone"] = "DATA = b\"\"\"\n" + wrap(git, 76, "\n") + "\n\"\"\"\n"
		}
		for how, content := range contents {
			if hits, skips := k.scan(t, content, 0); len(hits) != 1 || len(skips) > 0 {
				t.Errorf("%s, %s: %v %v", name, how, describe(hits), skips)
			}
		}
	}
}

// TestLongStreams85 has streams of several pieces: that a part is not read is told.
func TestLongStreams85(t *testing.T) {
	k := newKit(t)
	plain := append(noise(1, 3<<20), " key "+string(k.value)...)
	for name, pack := range map[string]func([]byte) []byte{"gzip": streams(t)["gzip"], "zlib": streams(t)["zlib"]} {
		hits, skips := k.scan(t, "<~"+adobe85(pack(plain))+"~>", 0)
		if len(hits) > 0 || len(skips) == 0 {
			t.Errorf("%s: %v %v", name, describe(hits), skips)
		}
	}
}

// TestNo85 is text that is none.
func TestNo85(t *testing.T) {
	k := newKit(t)
	s := adobe85([]byte("  " + string(k.value) + " ;    ")) // whole groups
	for name, content := range map[string]string{
		"no end": "<~" + s + " and so on\x7f", "too much": "<~" + s + "uuuuu~>", "one digit": "<~" + s + "a~>", "inside": "<~" + s[:7] + "z" + s[7:] + "~>",
		"no call": `b85("` + s + `")`, "a name": "b85decode(data)", "other": `base85decode("x` + s + `")`, "open": `b85decode("`, "empty": `b85decode("")`, "mark": "<~", "stream": "P)h>@", "p": "P)h", "85": "85d",
	} {
		if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
			t.Errorf("%s: %v %v", name, describe(hits), skips)
		}
	}
}

func TestChunksOfBase85(t *testing.T) {
	k := newKit(t)
	for _, c := range base85Codings()[:3] {
		plain := []byte(strings.Repeat("some words. ", 90) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
		k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 2)
		long := c.encode([]byte(strings.Repeat("some words. ", 200<<10) + fmt.Sprint(string(k.value), ";")))
		if hits, _ := k.scan(t, long, 0); len(hits) != 1 {
			t.Errorf("%s: at the end of a long text: %v", c.name, describe(hits))
		}
	}
}
