package views_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
)

// TestStyleEscapes has values in style sheets, as encoders write them.
func TestStyleEscapes(t *testing.T) {
	for seed := range uint64(20) {
		v := text(seed, 12, alnum) + "/+" + text(seed+100, 9, alnum) + "="
		k := newKitFor(t, []byte(v))
		for name, in := range map[string]string{
			"all":        each(`\%06X`)(v),
			"blanks":     each(`\%06x `)(v),
			"signs":      replace("/", `\00002F`, "+", `\00002b `, "=", `\00003D`)(v),
			"short, too": each(`\%x `)(v[:4]) + each(`\%06x`)(v[4:]),
			"lines":      each("\\%06x\r\n")(v[:1]) + each(`\%06x`)(v[1:]),
		} {
			content := strings.Repeat("a line\n", int(seed)) + `.a { content: "key ` + in + `"; }` + "\n"
			from := strings.Index(content, in)
			if name == "short, too" {
				in = strings.TrimLeft(in, " ")
			}
			hits, _ := k.scan(t, content, 0)
			if len(hits) != 1 || string(hits[0].Value.Reveal()) != v || !strings.HasSuffix(string(hits[0].Form), string(fingerprints.FormBackslash)) || int(hits[0].Span.Start) != from || int(hits[0].Span.End) != from+len(in) {
				t.Errorf("%s: %v, want %d-%d in %s", name, describe(hits), from, from+len(in), content)
			}
		}
	}
	k := newKit(t)
	for _, d := range decoys(string(k.value)) {
		if hits, _ := k.scan(t, each(`\%06X`)(d), 0); len(hits) > 0 {
			t.Errorf("a decoy: %v", describe(hits))
		}
	}
}

// TestLongStyles has a line that is longer than what is looked at at once.
func TestLongStyles(t *testing.T) {
	k := newKit(t)
	for front := 3700; front < 4200; front += 7 {
		content := `\000041 ` + strings.Repeat("a", front) + " " + each(`\%06x`)(string(k.value)) + " ;"
		if hits, _ := k.scan(t, content, 0); len(hits) != 1 {
			t.Errorf("behind %d: %v", front, describe(hits))
		}
	}
	for _, content := range []string{`\00`, `\000`, `\00004`, `\000000`, `\00zz`, `\00ffff`, `\000041`} {
		if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
			t.Errorf("%q: %v %v", content, describe(hits), skips)
		}
	}
}
