package stamps_test

import (
	"strings"
	"testing"

	"revenant/scanners/stamps"
)

// lines are lines, cut where what programs write before them ends.
func lines() [][2]string {
	return [][2]string{
		{"", "hello world"},
		{"", "password: x"},
		{"", "12.5 is a number"},
		{"2026-05-06T07:08:09.1234567Z ", "##[group]x"},
		{"\ufeff2026-05-06T07:08:09.1234567Z ", "x"},
		{"2026-05-06 07:08:09,123 ", "x"},
		{"2026-05-06T07:08:09+02:00 ", "  indented"},
		{"2026-05-06T07:08:09.123456Z 00O ", "x"},
		{"2026-05-06T07:08:09.123456Z 01E+", "x"},
		{"2026-05-06T07:08:09.123456789Z stdout F ", "x"},
		{"07:08:09  ", "+ make"},
		{"07:08:09,123 INFO  [main] c.e.Deploy - ", "x"},
		{"[2026-05-06T07:08:09.123Z] ", "x"},
		{"[07:08:09]W:\t [Step 1/2] ", "x"},
		{"[   12.345678] ", "usb 1-1"},
		{"[INFO] ", "x"},
		{"#12 0.345 ", "x"},
		{"web-1  | ", "x"},
		{"web-1  | 2026-05-06T07:08:09Z ", "x"},
		{"\x1b[36mweb-1  | \x1b[0m", "x"},
		{"\x1b[32mshop-7c9f\x1b[0m \x1b[36mapp\x1b[0m ", "x"},
		{"2026/05/06 07:08:09 ", "x"},
		{"2026/05/06 07:08:09.123456 ", "x"},
		{"26/05/06 07:08:09 INFO ", "x"},
		{"06-May-2026 07:08:09.123 ", "x"},
		{"I0506 07:08:09.173564   12345 deploy.go:77] ", "x"},
		{"<134>1 2026-05-06T07:08:09.123Z ", "host"},
		{"<34>May  6 07:08:09 host deploy: ", "x"},
		{"May 06 07:08:09 ", "x"},
		{"May  6 07:08:09 build-4 deploy[31337]: ", "x"},
		{"[pod/shop-7c9f/app] ", "x"},
		{"\x1b_bk;t=1778051201234\a", "x"},
		{"\x1b[8mha:////4AAAA+b/c=\x1b[0m", "x"},
	}
}

func TestRead(t *testing.T) {
	for _, l := range lines() {
		var s stamps.Stamp
		if s.Read([]byte(l[0] + l[1])); s.Len() != len(l[0]) {
			t.Errorf("%q: the stamp takes %d bytes", l[0]+l[1], s.Len())
		}
	}
}

func TestParts(t *testing.T) {
	for line, want := range map[string][2]bool{
		"2026-05-06T07:08:09.1Z stdout P x": {true, false}, "2026-05-06T07:08:09.1Z stdout F x": {}, "2026-05-06T07:08:09.1Z 00O+x": {false, true}, "2026-05-06T07:08:09.1Z 00O x": {},
	} {
		var s stamps.Stamp
		if s.Read([]byte(line)); s.Part() != want[0] || s.GoesOn() != want[1] {
			t.Errorf("%q: part %v, goes on %v", line, s.Part(), s.GoesOn())
		}
	}
}

func TestShared(t *testing.T) {
	for _, c := range []struct {
		x, y string
		b    int
	}{
		{"web-1  | x", "web-1  | y", 9},
		{"web-1  | x", "web-2  | y", 0},
		{"#12 0.1 x", "#13 0.2 y", 0},
		{"2026-05-06T07:08:09Z [INFO] x", "2026-05-06T07:08:10Z y", 21},
		{"2026-05-06T07:08:09Z x", "[2026-05-06T07:08:10Z] y", 23},
		{"07:08:09 x", "2026-05-06T07:08:10Z y", 0},
	} {
		var x, y stamps.Stamp
		x.Read([]byte(c.x))
		y.ReadLike([]byte(c.y), &x, []byte(c.x))
		if _, b := stamps.Shared(&x, &y); b != c.b {
			t.Errorf("%q, %q: %d bytes, want %d", c.x, c.y, b, c.b)
		}
	}
}

// FuzzStamp: a stamp is within its line, the same whatever line was read before,
// and a part of what Longest allows.
func FuzzStamp(f *testing.F) {
	for _, l := range lines() {
		for _, m := range lines()[:6] {
			f.Add(l[0]+l[1], m[0]+m[1])
		}
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		x, y = strings.ReplaceAll(x, "\n", ""), strings.ReplaceAll(y, "\n", "")
		var a, b, like stamps.Stamp
		a.Read([]byte(x))
		b.Read([]byte(y))
		like.ReadLike([]byte(y), &a, []byte(x))
		if a.Len() > len(x) || b.Len() > len(y) || like.Len() > len(y) {
			t.Fatal("a stamp beyond its line")
		}
		if like != b {
			t.Errorf("%q behind %q is read as %v", y, x, like)
		}
		if p, q := stamps.Shared(&a, &b); p > a.Len() || q > b.Len() || (p == 0) != (q == 0) {
			t.Errorf("shared: %d of %d, %d of %d", p, a.Len(), q, b.Len())
		}
	})
}
