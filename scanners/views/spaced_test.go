package views_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
)

// spacedCodings have blanks where lines ended.
func spacedCodings() (out []coding) {
	std, url := base64.StdEncoding.EncodeToString, base64.RawURLEncoding.EncodeToString
	for _, width := range []int{48, 60, 64, 70, 76, 80, 100, 128, 160} {
		for _, sep := range []string{" ", "  "} {
			out = append(out,
				digits(fmt.Sprintf("base64 of %d and %d", width, len(sep)), fingerprints.FormBase64, 6, std, width, sep),
				digits(fmt.Sprintf("base64url of %d and %d", width, len(sep)), fingerprints.FormBase64, 6, url, width, sep),
			)
		}
	}
	return append(out, digits("hex of 60", fingerprints.FormHex, 4, hex.EncodeToString, 60, " "))
}

// TestSpaced has a value at every place of lines whose ends became blanks.
func TestSpaced(t *testing.T) {
	k := newKit(t)
	for _, c := range spacedCodings() {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range []string{string(k.value), generic} {
				for front := range 150 {
					for _, around := range [][2]string{{"V=", "\n"}, {`{"v":"`, `"}`}, {"\t", ""}} {
						plain := append(append(words(front), " "+v+"\n"...), words(150-front)...)
						from, to := c.place(plain, front+1, front+1+len(v))
						k.want(t, fmt.Sprintf("%s, %d before", c.name, front), around[0]+c.encode(plain)+around[1], v, len(around[0])+from, len(around[0])+to, c.form)
					}
				}
			}
			for _, d := range decoys(string(k.value)) {
				if hits, _ := k.scan(t, c.encode([]byte(strings.Repeat(" ,;", 20)+d+strings.Repeat(" ;", 40))), 0); len(hits) > 0 {
					t.Errorf("a decoy: %v", describe(hits))
				}
			}
		})
	}
}

// TestSpacedSlashes has JSON that escapes slashes and plus signs.
func TestSpacedSlashes(t *testing.T) {
	k := newKit(t)
	for front := range 150 {
		plain := append(append([]byte(strings.Repeat("??>>~~", 30)[:front]), " "+string(k.value)+"\n"...), strings.Repeat("~?> ", 30)...)
		body := wrap(base64.StdEncoding.EncodeToString(plain), 76, " ")
		for name, escaped := range map[string]string{
			"slashes": strings.ReplaceAll(body, "/", `\/`), "both": strings.NewReplacer("/", `\u002f`, "+", `\u002B`).Replace(body),
		} {
			if hits, _ := k.scan(t, `{"v":"`+escaped+`"}`, 0); len(hits) != 1 {
				t.Errorf("%s, %d before: %v in %s", name, front, describe(hits), escaped)
			}
		}
	}
}

// TestNotSpaced has words behind what is encoded that it does not go on with, and
// what is encoded by itself behind it.
func TestNotSpaced(t *testing.T) {
	k := newKit(t)
	one := base64.StdEncoding.EncodeToString([]byte("0123456789 " + generic))
	for _, behind := range []string{" and more words", " with,", " that.", "   " + one, "\t" + one, " " + one[:4] + one, " (" + one, " end of it"} {
		found := 1
		if strings.Contains(behind, one) {
			found = 2
		}
		if hits, _ := k.scan(t, "key "+one+behind+"\n", 0); len(hits) != found {
			t.Errorf("%q: %v", behind, describe(hits))
		}
	}
}

func TestChunksOfSpaced(t *testing.T) {
	k := newKit(t)
	for _, c := range spacedCodings() {
		plain := []byte(strings.Repeat("some words. ", 20) + string(k.value) + " " + generic + strings.Repeat(" and", 60) + "\n" + string(k.value) + "\n")
		k.cuts(t, c.name, strings.Repeat("log line\n", 50)+"V="+c.encode(plain)+strings.Repeat("\nlog line", 50), 3)
	}
}
