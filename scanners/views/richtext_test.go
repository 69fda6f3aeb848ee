package views_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
)

const richTop = `{\rtf1\ansi\ansicpg1252\deff0\nouicompat{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1 Times New Roman;}}` + "\r\n" +
	`{\colortbl ;\red255\green0\blue0;}{\*\generator Riched20 10.0.19041;}\viewkind4\uc1` + "\r\n" + `\pard\sa200\sl276\f0\fs22\lang9 The key is `

// TestRichText has what editors put into a word.
func TestRichText(t *testing.T) {
	for seed := range uint64(40) {
		v := text(seed, 24, alnum)
		k := newKitFor(t, []byte(v))
		cut := int(seed) % 20
		a, b, c := v[:cut+1], v[cut+1:cut+3], v[cut+3:]
		for name, in := range map[string]string{
			"plain":      v,
			"colour":     a + `\cf1 ` + b + `\cf0 ` + c,
			"groups":     `{\b\insrsid123 ` + a + `}{\insrsid456\charrsid7 ` + b + `}{` + c + `}`,
			"hex":        each(`\'%02x`)(v),
			"some hex":   a + each(`\'%02X`)(b) + c,
			"unicode":    eachRune(`\u%d?`)(v),
			"two more":   `\uc2 ` + eachRune(`\u%d ??`)(v) + `\uc1 `,
			"more hex":   eachRune(`\u%d\'3f`)(v),
			"line ends":  a + "\r\n" + b + "\n" + c,
			"mark":       a + `{\*\bkmkstart one}` + b + `{\*\bkmkend one}` + c,
			"hyphen":     a + `\-` + b + `\-` + c,
			"lang":       a + `\lang1033\langnp1033 ` + b + `\lang9` + "\r\n" + c,
			"a picture":  a + `{\pict\wmetafile8 0102030405}` + b + c,
			"bytes":      a + `{\*\blipuid\bin4 }}}}}` + b + c,
			"deep":       strings.Repeat("{", 100) + a + strings.Repeat("}", 90) + b + strings.Repeat("}", 10) + c,
			"skips none": `\uc0 ` + eachRune(`\u%d `)(v) + `\uc1 `,
		} {
			content := richTop + in + `\par` + "\r\n" + `and more\par}` + "\x00"
			hits, skips := k.scan(t, content, 0)
			from, to := strings.Index(content, in), strings.Index(content, in)+len(in)
			if len(hits) != 1 || len(skips) > 0 || string(hits[0].Value.Reveal()) != v || int(hits[0].Span.Start) < from || int(hits[0].Span.End) > to {
				t.Errorf("%s: %v %v, want %d-%d in %s", name, describe(hits), skips, from, to, content)
			}
			if name != "plain" && name != "line ends" && len(hits) == 1 && hits[0].Form != fingerprints.FormBackslash && hits[0].Form != fingerprints.FormNumbers {
				t.Errorf("%s: %s", name, hits[0].Form)
			}
		}
	}
}

// TestRichSigns has words that stand for characters, which end a value or belong to it.
func TestRichSigns(t *testing.T) {
	v := "kR7'pQ2{xV9}\"nL\\4t B6é鍵w-Y1"
	k := newKitFor(t, []byte(v))
	in := `kR7\rquote pQ2\{xV9\}\rdblquote nL\\4t\~B6\'e9\u-27787?w\_Y1`
	if hits, _ := k.scan(t, richTop+in+`\par}`, 0); len(hits) != 1 {
		t.Errorf("%v", describe(hits))
	}
	k = newKit(t)
	for name, in := range map[string]string{
		"a cell": string(k.value[:9]) + `\cell ` + string(k.value[9:]), "a sign": string(k.value[:9]) + `\'80` + string(k.value[9:]),
		"no RTF": "}" + string(k.value[:9]) + `\b ` + string(k.value[9:]), "hidden": string(k.value[:9]) + `\*` + string(k.value[9:]), "end": string(k.value[:9]) + `\`,
	} {
		if hits, _ := k.scan(t, richTop+in+`\par}`, 0); len(hits) > 0 {
			t.Errorf("%s: %v", name, describe(hits))
		}
	}
}

// TestLongRichText has documents of several pieces, and one that is cut off.
func TestLongRichText(t *testing.T) {
	k := newKit(t)
	v := string(k.value)
	many := strings.Repeat(`some \b words\b0 , `, 200<<10)
	hits, skips := k.scan(t, richTop+many+v[:9]+`\i `+v[9:]+many+`}`, 0)
	if len(hits) != 1 || len(skips) > 0 {
		t.Errorf("deep in a long one: %v %v", describe(hits), skips)
	}
	if _, skips = k.scan(t, richTop+many, 0); len(skips) == 0 {
		t.Error("that it is cut off is not told")
	}
	for _, content := range []string{`{\rtf`, `{\rtf1`, `{\rtf1\`, `{\rtf1\'`, `{\rtf1\'4`, `{\rtf1\u`, `{\rtf1\bin99999999999 `, `{\rtf1\uc99999999999 \u1 `, `{\r`} {
		if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
			t.Errorf("%q: %v %v", content, describe(hits), skips)
		}
	}
}
