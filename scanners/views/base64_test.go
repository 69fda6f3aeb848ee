package views_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/views"
)

func TestRuns(t *testing.T) {
	k := newKit(t)
	for _, c := range append(base64Codings(), hexCodings()...) {
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

// nested puts codings in each other, the first outermost.
func nested(cs ...coding) coding {
	out := cs[len(cs)-1]
	form := fingerprints.FormRaw
	for _, c := range cs {
		form = form.Within(c.form)
	}
	for i := len(cs) - 2; i >= 0; i-- {
		outer, inner := cs[i], out
		out = coding{
			name: outer.name + ", " + inner.name, form: form,
			encode: func(plain []byte) string { return outer.encode([]byte(inner.encode(plain))) },
			place: func(plain []byte, i, j int) (int, int) {
				from, to := inner.place(plain, i, j)
				return outer.place([]byte(inner.encode(plain)), from, to)
			},
		}
	}
	return out
}

func TestNested(t *testing.T) {
	k := newKit(t)
	cs := append(base64Codings(), hexCodings()...)
	for i, outer := range cs {
		for _, inner := range cs {
			two := nested(outer, inner)
			three := nested(cs[(i+3)%len(cs)], outer, inner)
			for off := range 4 {
				for _, v := range []string{string(k.value), generic} {
					for _, c := range []coding{two, three} {
						plain := append(append(words(off), v...), words(50)...)
						lead := strings.Repeat(" ", off) + "data: "
						from, to := c.place(plain, off, off+len(v))
						k.want(t, c.name, lead+c.encode(plain)+"\n", v, len(lead)+from, len(lead)+to, c.form)
					}
				}
			}
		}
	}
}

// TestForeignCharacters has characters of the alphabet before a run, which
// belong to something else.
func TestForeignCharacters(t *testing.T) {
	k := newKit(t)
	for _, lead := range []string{"/v1/data/", "a/", "base64/", "Zm9v-", "x", "yy", "zzz", `\n`, `\r\n`, "%2", strings.Repeat("/path", 40), strings.Repeat("Q", 97)} {
		for _, v := range []string{string(k.value), generic} {
			run := base64.URLEncoding.EncodeToString([]byte(base64.RawStdEncoding.EncodeToString([]byte(v + " and more"))))
			hits, _ := k.scan(t, "GET "+lead+run+" HTTP/1.1", 0)
			if len(hits) != 1 || string(hits[0].Value.Reveal()) != v || int(hits[0].Span.Start) < 4+len(lead) {
				t.Errorf("behind %q: %v", lead, describe(hits))
			}
		}
	}
}

// TestSigns has runs whose signs are escaped.
func TestSigns(t *testing.T) {
	k := newKit(t)
	for name, r := range map[string]*strings.Replacer{
		"json":         strings.NewReplacer("/", `\/`),
		"percent":      strings.NewReplacer("/", "%2F", "+", "%2B", "=", "%3D"),
		"lower":        strings.NewReplacer("/", "%2f", "+", "%2b", "=", "%3d"),
		"unicode":      strings.NewReplacer("/", `\u002f`, "+", `\u002B`, "=", `\u003d`),
		"hex":          strings.NewReplacer("/", `\x2f`, "+", `\x2B`),
		"html":         strings.NewReplacer("/", "&#47;", "+", "&#x2b;"),
		"named":        strings.NewReplacer("/", "&sol;", "+", "&plus;"),
		"json in json": strings.NewReplacer("/", `\\\/`),
	} {
		for off := range 6 {
			for _, v := range []string{string(k.value), generic} {
				plain := strings.Repeat("?>~", 5) + strings.Repeat(">", off) + base64.StdEncoding.EncodeToString([]byte(v+" ?> ~~~")) + " ???>>>???>>>~~~"
				run := r.Replace(base64.StdEncoding.EncodeToString([]byte(plain)))
				if hits, _ := k.scan(t, `"`+run+`"`, 0); len(hits) != 1 || string(hits[0].Value.Reveal()) != v {
					t.Errorf("%s, %d: %v in %s", name, off, describe(hits), run)
				}
			}
		}
	}
}

// TestUTF16InBase64 is what PowerShell takes as an encoded command.
func TestUTF16InBase64(t *testing.T) {
	k := newKit(t)
	for off := range 8 {
		for _, big := range []int{0, 1} {
			var wide []byte
			for _, c := range []byte(strings.Repeat("a", off) + " $t='" + string(k.value) + "' # end") {
				pair := [2]byte{}
				pair[big] = c
				wide = append(wide, pair[:]...)
			}
			content := "powershell -enc " + base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(wide)))
			hits, _ := k.scan(t, content, 0)
			if len(hits) != 1 || hits[0].Form != fingerprints.FormBase64.Within(fingerprints.FormUTF16) && hits[0].Form != fingerprints.FormBase64.Within(fingerprints.FormBase64).Within(fingerprints.FormUTF16) {
				t.Errorf("%d, %d: %v", off, big, describe(hits))
			}
		}
	}
}

// TestChunksOfRuns cuts contents with runs in many places.
func TestChunksOfRuns(t *testing.T) {
	k := newKit(t)
	for _, c := range []coding{nested(base64Codings()[3], hexCodings()[0]), nested(hexCodings()[2], base64Codings()[0])} {
		plain := []byte(strings.Repeat("some words. ", 60) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
		content := strings.Repeat("log line\n", 50) + c.encode(plain) + strings.Repeat("\nlog line", 50)
		k.cuts(t, c.name, content, 2)
	}
}

// cuts checks that a content has so many hits and the same ones however it is
// cut.
func (k *kit) cuts(t *testing.T, name, content string, n int) {
	t.Helper()
	hits, _ := k.scan(t, content, 0)
	want := fmt.Sprint(describe(hits))
	if len(hits) != n {
		t.Fatalf("%s: %d hits: %s", name, len(hits), want)
	}
	for _, chunk := range []int{97, 501, 997, 1500, 2048, 4000, 8191} {
		if chunk*20 < len(content) {
			continue
		}
		hits, _ := k.scan(t, content, chunk)
		if got := fmt.Sprint(describe(hits)); got != want {
			t.Errorf("%s, chunks of %d:\n%s, want\n%s", name, chunk, got, want)
		}
	}
}

// Lines that are short change the grid within a word; the chain begins with the
// first of them wherever it stands.
func TestShortLines(t *testing.T) {
	const said = "the state of the worker is 'open' and no other, so that it goes on"
	for width := 16; width <= 32; width++ {
		for name, encoded := range map[string]string{
			"base64": base64.StdEncoding.EncodeToString([]byte(said)), "hex": hex.EncodeToString([]byte(said)),
		} {
			lines, missed := wrap(encoded, width, "\n"), 0
			for n := range 64 {
				found := false
				l := scanners.Layer{Data: []byte(strings.Repeat(" ", n) + "\n" + lines + "\n"), Piece: 1 << 20, Overlap: 1 << 10}
				views.New().View(context.Background(), l, func(t scanners.Text) bool {
					found = found || bytes.Contains(t.Data, []byte(said))
					return true
				})
				if !found {
					missed++
				}
			}
			if missed > 0 && (name == "base64" || width >= 24) {
				t.Errorf("%s of %d characters a line is not read from its beginning at %d of 64 places", name, width, missed)
			}
		}
	}
}
