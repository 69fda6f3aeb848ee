package rules

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"revenant/scanners/byteclass"
)

// found is a stretch and its encoding, for comparing.
type found struct {
	Start, End int
	Kind       encoding
}

// referenceStretches finds them with gitleaks' four patterns as one.
func referenceStretches(text string) []found {
	var out []found
	for _, m := range encodedPattern.FindAllStringSubmatchIndex(text, -1) {
		for kind := range 4 {
			if m[2*kind+2] >= 0 {
				out = append(out, found{m[0], m[1], 1 << kind})
			}
		}
	}
	return out
}

var encodedPattern = regexp.MustCompile(`(%[0-9A-Fa-f]{2}(?:.*%[0-9A-Fa-f]{2})?)|` +
	`((?:(?:U\+[a-fA-F0-9]{4}(?:\s|$))+|(?i)(?:\\{1,2}u[a-fA-F0-9]{4})+))|([0-9A-Fa-f]{32,})|([\w\/+-]{16,}={0,2})`)

func compareStretches(t *testing.T, text string) int {
	t.Helper()
	var got []found
	walk := stretches{alphabets: newAlphabets(), tile: new(byteclass.Marks), text: text}
	for {
		e, more := walk.next()
		if !more {
			break
		}
		got = append(got, found{e.start, e.end, e.kind})
	}
	want := referenceStretches(text)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q: (-gitleaks' pattern +walk)\n%s", text[:min(len(text), 200)], diff)
	}
	return len(want)
}

func stretchText(r *rand.Rand, n int) string {
	pieces := []string{
		"%41", "%", "%4", "U+0041", "U+", "U", "+", "U+00e1 ", "\\u0041", "\\\\U00fF", "\\", "\\\\\\u0041", "\\u00",
		"0123456789abcdef", "ABCDEFabcdef0123", "feed", "zzzz-_/+ghij", "klmnopqrstuvwxyz", "a", "=", "==", " ", "\n", "\r\n", "\t", "&", "\xff", "ż", ".",
	}
	var b strings.Builder
	for range n {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// TestStretches compares with gitleaks' pattern on texts put together at
// random, also where one tile ends and the next begins.
func TestStretches(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	n := 0
	for range 4000 {
		n += compareStretches(t, stretchText(r, 1+r.IntN(40)))
		if t.Failed() {
			return
		}
	}
	for range 60 {
		text := strings.Repeat(" ", stretchTile-r.IntN(100)) + stretchText(r, 30)
		n += compareStretches(t, text+strings.Repeat("x.", stretchTile/2-r.IntN(300))+stretchText(r, 400))
	}
	for _, run := range []string{"a", "Az09+/-_", "0", "%41", "\\u0041", "U+0041\n"} {
		for _, size := range []int{63, 64, 65, stretchTile - 1, stretchTile, stretchTile + 1, 3 * stretchTile} {
			n += compareStretches(t, "."+strings.Repeat(run, size/len(run)+1))
		}
	}
	if n < 5000 {
		t.Errorf("only %d stretches", n)
	}
}

func FuzzStretches(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 9))
	for range 20 {
		f.Add(stretchText(r, 40))
	}
	f.Fuzz(func(t *testing.T, text string) { compareStretches(t, text) })
}
