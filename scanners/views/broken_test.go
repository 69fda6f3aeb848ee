package views_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/rules"
	"revenant/scanners/views"
)

// TestBrokenValues has values that are no words in all places that break them.
func TestBrokenValues(t *testing.T) {
	plain, short, phrase := random(61, 20, base62), "28hfw"+"7gl4w", "vekuu rumie rofey remei mugeu legou"
	long := random(64, 1500, base62)
	document := "{\n  \"field\": \"" + long[:600] + "\",\n  \"next one\": \"" + long[600:] + "\",\n  \"words\": \"some of them, and some more of them, then the last of them\"\n}"
	quoted := strings.ReplaceAll(strings.ReplaceAll(document, `"`, `\"`), "\n", `\n`)
	var dumped strings.Builder
	dumped.WriteString("May 06 07:08:19 fetching it\nMay 06 07:08:20 this is how it looks\n")
	for i, row := range strings.Split(strings.TrimSpace(hex.Dump([]byte(" s ihat scmm = "+plain+" ; lt c"))), "\n") {
		fmt.Fprintf(&dumped, "May 06 07:08:%02d May  6 %02d:05:12 build-4 deploy[31337]: %s\n", 21+3*i, i+3, row)
	}
	dumped.WriteString("May 06 07:08:40 and on it goes\n")
	signs, script := "m\\+wO%<PFL&ii~dN<V_ot|?<", "señal1aUΩf0señalQJseñalXr"
	dump := strings.Split(strings.TrimSpace(hex.Dump([]byte("some text before = "+plain+" ; and some behind it"))), "\n")
	stamp := "2026-05-06T07:08:%02d.123456789Z "
	for name, c := range map[string]struct{ value, text string }{
		"shell":                     {plain, "K='" + plain[:5] + "''" + plain[5:6] + "''" + plain[6:] + "'"},
		"shell, two quotes":         {phrase, `K="` + phrase[:20] + `"'` + phrase[20:] + "'"},
		"list that a call joins":    {phrase, `["` + phrase[:2] + `", "` + phrase[2:30] + `", "` + phrase[30:] + `"].join("")`},
		"Rust":                      {short, `concat!("` + short[:2] + `", "` + short[2:3] + `", "` + short[3:] + `")`},
		"adjacent":                  {phrase, "k = '" + phrase[:10] + "' '" + phrase[10:14] + "' '" + phrase[14:] + "'"},
		"a line break":              {short, "key: " + short[:5] + "\n" + short[5:]},
		"a line break in signs":     {signs, "key: " + signs[:20] + "\n" + signs[20:]},
		"a line break in a script":  {script, "key: " + script[:12] + "\r\n  " + script[12:]},
		"a terminal, signs":         {signs, "> " + signs[:4] + "\x1b[31m" + signs[4:19] + "\x1b[m\x1b[K" + signs[19:] + " "},
		"a terminal, blanks":        {phrase, "> " + phrase[:6] + "\x1b[31m" + phrase[6:] + " "},
		"mail, blank at the end":    {"some " + plain + " ", "x: some " + plain + "=20"},
		"mail, blank at a break":    {phrase, "x: " + phrase[:6] + "=\r\n" + phrase[6:]},
		"YAML in JSON":              {phrase, `{"level":"info","msg":"k: >-\n    ` + strings.ReplaceAll(phrase, " ", `\n    `) + `\nm: 1\n","pod":"shop"}`},
		"YAML in JSON, strict":      {phrase, `{"level":"info","msg":"k: \u003e-\n    ` + strings.ReplaceAll(phrase, " ", `\n    `) + `\nm: 1\n","pod":"shop"}`},
		"a line break in Docker":    {"ZjQXStT9WZEU#!6$", docker(`key: ZjQXStT9WZ\r`, "EU#!6$")},
		"YAML in Docker":            {phrase, docker("k: \\u003e-", "    "+phrase[:17], "    "+phrase[18:], "m: 1")},
		"mail, blank behind it":     {phrase, strings.Repeat("x", 60) + phrase[:5] + "=\r\n" + phrase[5:]},
		"Rust, long pieces":         {document, `concat!("` + quoted[:1580] + `", "` + quoted[1580:1590] + `", "` + quoted[1590:] + `")`},
		"shell, a long piece":       {"FBa_" + long, `K="FB"'a_` + long + "'"},
		"dump behind two times":     {plain, dumped.String()},
		"CRI":                       {signs, fmt.Sprintf(stamp+"stdout P %s\n"+stamp+"stdout F %s", 1, signs[:17], 2, signs[17:])},
		"CRI, behind something":     {short, fmt.Sprintf("\x01\x02 "+stamp+"stdout P %s\n"+stamp+"stdout F %s", 1, short[:3], 2, short[3:])},
		"Docker":                    {phrase, `{"log":"` + phrase[:32] + `","stream":"stdout","time":"2026"}` + "\n" + `{"log":"` + phrase[32:] + `\n","stream":"stdout","time":"2026"}`},
		"dump behind times":         {plain, fmt.Sprintf(stamp+dump[0]+"\n"+stamp+dump[1]+"\n"+stamp+dump[2]+"\n", 1, 2, 3)},
		"dump in a comment":         {plain, "# " + strings.Join(dump, "\n# ") + "\n"},
		"broken, then logged":       {short, fmt.Sprintf(stamp+"it is %s\n"+stamp+"%s\n"+stamp+"done", 1, short[:7], 2, short[7:], 3)},
		"broken, logged, something": {short, fmt.Sprintf("\x01"+stamp+"it is %s\n"+stamp+"%s\n"+stamp+"done", 1, short[:7], 2, short[7:], 3)},
	} {
		m := registeredMatcher(t, c.value)
		for _, front := range []string{"", "words before it\n"} {
			if hits := scan(t, m, front+c.text+"\n", 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != c.value {
				t.Errorf("%s: %+v in\n%s", name, hits, c.text)
			}
		}
	}
}

// docker are lines as Docker writes them.
func docker(lines ...string) (text string) {
	for i, l := range lines {
		text += fmt.Sprintf(`{"log":"%s\n","stream":"stdout","time":"2026-05-06T07:08:%02d.1Z"}`+"\n", l, i)
	}
	return text
}

// TestKeyOfEcho has a private key that a script writes line by line, and one
// that a terminal coloured.
func TestKeyOfEcho(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	armoured := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE" + " KEY", Bytes: der}))
	m := registeredMatcher(t, armoured)
	lines := strings.Split(strings.TrimSuffix(armoured, "\n"), "\n")
	echo, differs := "", ""
	for i, l := range lines {
		echo += `echo "` + l + `" >> key.pem` + "\n"
		differs += `echo "` + l + fmt.Sprintf(`" >> key%d.pem`, i) + "\n"
	}
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"echo":     {echo, 1},
		"differs":  {differs, 0},
		"coloured": {armoured[:9] + "\x1b[31m" + armoured[9:90] + "\x1b[m\x1b[K" + armoured[90:], 1},
	} {
		if hits := scan(t, m, "#!/bin/sh\n"+c.text+"exit\n", 0); len(hits) != c.want {
			t.Errorf("%s: %+v in\n%s", name, hits, c.text)
		}
	}
}

// TestColoured has a name and its value in colours of their own, and the header of a key
// that mail and a terminal broke, for rules.
func TestColoured(t *testing.T) {
	m, err := rules.New(rules.Options{DecodeDepth: -1})
	if err != nil {
		t.Fatal(err)
	}
	v := random(63, 32, base62)
	key := "-----BEGIN RSA PRIVATE" + " KEY-----\n" + strings.Repeat(random(65, 64, base62)+"\n", 24) + "-----END RSA PRIVATE" + " KEY-----\n"
	for name, c := range map[string]struct{ rule, text string }{
		"value":             {"generic-api-key", "api_key = \x1b[1;4m\"" + v + "\""},
		"name":              {"generic-api-key", "\x1b[36mapi_key\x1b[0m = \"" + v + "\""},
		"sign":              {"generic-api-key", "api_key =\x1b[38;5;214m '" + v + "' # billing"},
		"behind a time":     {"generic-api-key", "2026-05-06T07:08:09.1Z stdout F 'api_key: \x1b[1m" + v + "' # billing"},
		"mail":              {"private-key", strings.Repeat("x", 50) + strings.Replace(key, "BEGIN R", "BEGIN R=\n", 1)},
		"mail, before":      {"private-key", strings.Repeat("x", 60) + strings.Replace(key, "BEGIN", "BEG=\r\nIN", 1)},
		"mail, at a blank":  {"private-key", strings.Repeat("x", 50) + strings.Replace(key, "PRIVATE ", "PRIVATE=\n ", 1)},
		"no key, and mail":  {"", "-----BEGIN=\nnothing of that\n" + strings.Repeat("words\n", 900)},
		"assigned, no mail": {"", "  x =\n    -----BEGIN nothing\n"},
	} {
		hits := scan(t, m, "before\n"+c.text+"\nbehind\n", 0)
		if c.rule == "" && len(hits) > 0 || c.rule != "" && (len(hits) != 1 || hits[0].Rule != c.rule) {
			t.Errorf("%s: %+v in\n%s", name, hits, c.text)
		}
	}
}

// TestMarksAreGuesses: what reads like an assignment once the marks of a comment
// are gone is none to a rule; behind a time it is.
func TestMarksAreGuesses(t *testing.T) {
	m := ruleMatcher(t)
	v := random(62, 40, base62)
	for name, c := range map[string]struct {
		text string
		want int
	}{
		"comment": {"// the api key:\n//   " + v[:20] + "\n//   " + v[20:] + "\n", 0},
		"mail":    {"> " + token(63)[:20] + "\n> " + token(63)[20:] + "\n", 0},
	} {
		if hits := scan(t, m, c.text, 0); len(hits) != c.want {
			t.Errorf("%s: %+v", name, hits)
		}
	}
}

// TestSequencesAtTheEnds has control sequences where a text begins and ends, in
// the middle of long words.
func TestSequencesAtTheEnds(t *testing.T) {
	word := string(random(97, 40, base62))
	for _, text := range []string{word + "\x1b[m", "\x1b[m" + word, "\x1b[m", word + "\x1b[0m\x1b[K", word + "\x1b", "-----\x1b[m"} {
		views.New().View(t.Context(), scanners.Layer{Data: []byte(text), Piece: 1 << 20, Overlap: 512}, func(scanners.Text) bool { return true })
	}
}
