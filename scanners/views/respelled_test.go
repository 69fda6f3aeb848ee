package views_test

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"revenant/scanners"
	"revenant/scanners/views"
)

// uuidOf is a UUID in small letters.
func uuidOf(seed uint64) string {
	h := hex.EncodeToString(noise(seed, 16))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-a" + h[17:20] + "-" + h[20:]
}

// bracedCapitals is a UUID as Windows writes it.
func bracedCapitals(s string) string { return "{" + strings.ToUpper(s) + "}" }

func undashed(s string) string { return strings.ReplaceAll(s, "-", "") }

// urlSigns are - and _ in place of + and /.
func urlSigns(s string) string { return replace("+", "-", "/", "_")(s) }

func plusSigns(s string) string { return replace("-", "+", "_", "/")(s) }

func unpadded(s string) string { return strings.TrimRight(s, "=") }

// spelling is a value, and how it is written where it stands.
type spelling struct{ name, value, written string }

func spellings() (out []spelling) {
	add := func(name, value string, ways ...func(string) string) {
		for i, way := range ways {
			out = append(out, spelling{fmt.Sprintf("%s %d", name, i), value, way(value)})
		}
	}
	for seed := range uint64(6) {
		for _, n := range []int{8, 16, 20, 32, 150} {
			h := hex.EncodeToString(noise(seed, n))
			add("hex", h, strings.ToUpper)
			add("HEX", strings.ToUpper(h), strings.ToLower)
		}
		u := uuidOf(seed)
		capitals := strings.ToUpper(u)
		add("uuid", u, strings.ToUpper, undashed, chain(undashed, strings.ToUpper))
		add("UUID", capitals, strings.ToLower, undashed, chain(undashed, strings.ToLower))
		add("uuid without dashes", undashed(u), func(string) string { return u }, func(string) string { return capitals }, strings.ToUpper)
		add("UUID without dashes", undashed(capitals), func(string) string { return u }, func(string) string { return capitals })
		add("{UUID}", bracedCapitals(u), func(string) string { return u }, func(string) string { return undashed(u) }, func(string) string { return undashed(capitals) })
		for _, n := range []int{24, 31, 32, 64, 200} {
			// Both signs stand in it at places where no chance puts them.
			b := append([]byte{0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff}, noise(seed+9, n)...)
			std := base64.StdEncoding.EncodeToString(b)
			url := base64.URLEncoding.EncodeToString(b)
			add("base64", std, urlSigns)
			add("base64url", url, plusSigns)
			if unpadded(std) != std {
				add("base64, padded", std, unpadded, chain(urlSigns, unpadded))
				add("base64url, padded", url, unpadded, chain(plusSigns, unpadded))
			}
			add("base64url, not padded", unpadded(url), func(string) string { return std })
		}
	}
	return out
}

// TestSpellings finds values in other spellings than the one that was registered, where
// they stand, once; and not what differs in more.
func TestSpellings(t *testing.T) {
	for _, s := range spellings() {
		for _, around := range []string{"a: %s\n", `{"a":"%s"}`, "A=%s;", "https://example.org/%s/x"} {
			if strings.HasPrefix(around, "https") && strings.HasPrefix(s.name, "base64") && (strings.HasSuffix(s.value, "=") || strings.ContainsAny(s.written, "+/")) {
				continue // a path is of base64 too
			}
			if unpadded(s.value) == s.value { // the padding is no part of it
				around = strings.Replace(around, "%s", "%s"+s.written[len(unpadded(s.written)):], 1)
				s.written = unpadded(s.written)
			}
			e := textual{name: s.name, form: "raw", enc: func(v string) string {
				if v == s.value {
					return s.written
				}
				return s.decoy(v)
			}, around: around}
			e.find(t, s.value)
		}
	}
}

// decoy is a value that differs, in the spelling of the value that is looked for.
func (s spelling) decoy(v string) string {
	out := []byte(s.written)
	i := min(len(v), len(out)) / 2
	for out[i] == '-' || out[i] == '+' || out[i] == '/' || out[i] == '_' || out[i] == '=' {
		i++
	}
	if out[i]++; out[i] == ':' || out[i] == '{' || out[i] == 'G' || out[i] == 'g' || out[i] == '[' {
		out[i] = '3'
	}
	if string(out) == s.written {
		out[i] = '4'
	}
	return string(out)
}

// TestSpellingsInLayers are in what is encoded otherwise, and next to each other.
func TestSpellingsInLayers(t *testing.T) {
	h := hex.EncodeToString(noise(3, 20))
	std := base64.StdEncoding.EncodeToString(append([]byte{0xfb, 0xef, 0xbe}, noise(4, 30)...))
	for name, e := range map[string]struct {
		value   string
		content string
	}{
		"in base64":  {h, "x: " + base64.StdEncoding.EncodeToString([]byte("password is "+strings.ToUpper(h)+", so far"))},
		"escaped":    {urlSigns(std), `{"a":"` + replace("/", `\/`, "+", `\u002b`)(std) + `"}`},
		"in percent": {urlSigns(std), "?a=" + replace("/", "%2F", "+", "%2B", "=", "%3D")(std) + "&b=c"},
		"many":       {h, strings.Repeat(strings.ToUpper(hex.EncodeToString(noise(5, 20)))+" "+uuidOf(7)+" "+std+"\n", 3000) + strings.ToUpper(h) + "\n"},
	} {
		if hits := scan(t, registeredMatcher(t, e.value), e.content, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != e.value {
			t.Errorf("%s: %+v", name, hits)
		}
	}
}

// TestSpellingsInOrdinaryText: names, paths, words and numbers have one spelling, and
// what is guessed already, or nobody confirms, is not read in another.
func TestSpellingsInOrdinaryText(t *testing.T) {
	look := func(l scanners.Layer, want bool) {
		t.Helper()
		l.Piece, l.Overlap = 1<<20, 1<<10
		shown := false
		views.New().View(context.Background(), l, func(x scanners.Text) bool {
			shown = shown || x.Form == "raw"
			return true
		})
		if shown != want {
			t.Errorf("%.80q is shown in another spelling: %v, want %v", l.Data, shown, want)
		}
	}
	for _, s := range []string{
		"a_rather_long_identifier_2 = 1\n", "github.com/Some/Package2/internal-things/file_name.go\n", "SomeCamelCaseIdentifier2Factory\n",
		"12345678901234567890123456789012\n", "AES-256-GCM-SHA384-with-something\n", "sha256sum-of-the-file_2\n", "x86_64-unknown-linux-gnu\n",
		"2026-11-28T21-00-29Z-0000-1234567\n", "deadBEEFdeadBEEFdeadBEEF\n",
	} {
		look(scanners.Layer{Data: []byte(s)}, false)
	}
	h := []byte("x = " + strings.ToUpper(hex.EncodeToString(noise(3, 20))) + "\n")
	look(scanners.Layer{Data: h}, true)
	look(scanners.Layer{Data: h, NoGuesses: true}, false)
	look(scanners.Layer{Data: h, Guessed: true}, false)
	look(scanners.Layer{Data: h, Depth: 3}, false)
}
