package escapes_test

import (
	"testing"

	"revenant/scanners/escapes"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		read  func([]byte) escapes.Unit
		in    string
		width int
		out   string
	}{
		{escapes.Backslash, `\`, 1, `\`},
		{escapes.Backslash, `\n`, 2, "\n"},
		{escapes.Backslash, `\e[0m`, 2, "\x1b"},
		{escapes.Backslash, `\/`, 2, "/"},
		{escapes.Backslash, `\x4a2`, 4, "J"},
		{escapes.Backslash, `\x4`, 1, `\`},
		{escapes.Backslash, `\101`, 4, "A"},
		{escapes.Backslash, `\777`, 3, "?"},
		{escapes.Backslash, `\08`, 2, "\x00"},
		{escapes.Backslash, `\u00e9x`, 6, "é"},
		{escapes.Backslash, `\ud83d\ude00`, 12, "😀"},
		{escapes.Backslash, `\ud83d\u0041`, 6, "\ufffd"},
		{escapes.Backslash, `\u{1F600}`, 9, "😀"},
		{escapes.Backslash, `\u{}`, 1, `\`},
		{escapes.Backslash, `\U0001F600`, 10, "😀"},
		{escapes.Backslash, `\UFFFFFFFF`, 1, `\`},
		{escapes.Backslash, "\\\r\n\t x", 5, ""},
		{escapes.Backslash, "\\\xff", 1, `\`},
		{escapes.Entity, "&amp;", 5, "&"},
		{escapes.Entity, "&#x41;", 6, "A"},
		{escapes.Entity, "&#65;", 5, "A"},
		{escapes.Entity, "&#0;", 1, "&"},
		{escapes.Entity, "&qqq;", 1, "&"},
		{escapes.Entity, "&a b;", 1, "&"},
		{escapes.Entity, "&", 1, "&"},
	} {
		u := c.read([]byte(c.in))
		if u.Width != c.width || string(u.Out[:u.N]) != c.out {
			t.Errorf("%q: %d bytes as %q, want %d as %q", c.in, u.Width, u.Out[:u.N], c.width, c.out)
		}
	}
}

func TestBreak(t *testing.T) {
	for in, want := range map[string]int{"": 0, "x": 0, " \n": 0, "\n": 1, "\r\n": 2, "\n\t  x": 4, "\n\n x": 3} {
		if got := escapes.Break([]byte(in)); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}

func FuzzUnits(f *testing.F) {
	for _, s := range []string{`\u{41}`, `\x4`, "&#x;", "\\\n ", `\ud83d\u`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		for i := range in {
			for _, read := range []func([]byte) escapes.Unit{escapes.Backslash, escapes.Entity} {
				u := read(in[i:])
				if u.Width < 1 || u.Width > len(in)-i || u.N < 0 || u.N > len(u.Out) || u.N > u.Width {
					t.Fatalf("%q: %+v", in[i:], u)
				}
			}
		}
	})
}
