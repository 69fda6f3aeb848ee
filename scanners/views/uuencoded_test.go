package views_test

import (
	"strings"
	"testing"

	"revenant/fingerprints"
)

// uuCoding is uuencode with a line end, what stands before the lines, and the
// character of zero.
func uuCoding(name, open, end string, zero byte) coding {
	digit := func(v byte) byte {
		if v == 0 {
			return zero
		}
		return ' ' + v
	}
	return spelled(name, fingerprints.FormUuencode, func(plain []byte) (string, [][2]int) {
		out := []byte(open)
		var at [][2]int
		for ; len(plain) > 0; plain = plain[min(45, len(plain)):] {
			line := plain[:min(45, len(plain))]
			out = append(out, digit(byte(len(line))))
			for i := 0; i < len(line); i += 3 {
				var g [3]byte
				for k := range copy(g[:], line[i:]) {
					at = append(at, [2]int{len(out) + k, len(out) + k + 2})
				}
				out = append(out, digit(g[0]>>2), digit(g[0]&3<<4|g[1]>>4), digit(g[1]&15<<2|g[2]>>6), digit(g[2]&63))
			}
			out = append(out, end...)
		}
		return string(append(out, digit(0))) + end + "end" + end, at
	})
}

func uuCodings() []coding {
	return []coding{
		uuCoding("uuencode", "\nbegin 644 a file\n", "\n", '`'),
		uuCoding("uuencode, CRLF", "\r\nbegin 0600 f\r\n", "\r\n", '`'),
		uuCoding("uuencode, blanks", "\nbegin 644 f\n", "\n", ' '),
		uuCoding("uuencode, lines alone", "\n", "\n", '`'),
	}
}

func TestUuencode(t *testing.T) {
	k := newKit(t)
	for i, c := range uuCodings() {
		for _, v := range []string{string(k.value), generic} {
			for front := range 100 {
				if i == 3 && front < 20 {
					continue // no full line
				}
				plain := append(words(front), " "+v+" ;"...)
				lead := strings.Repeat("a line\n", front%3)
				from, to := c.place(plain, front+1, front+1+len(v))
				k.want(t, c.name, lead+c.encode(plain)+"\nrest", v, len(lead)+from, len(lead)+to, c.form)
			}
		}
		for _, d := range decoys(string(k.value)) {
			if hits, _ := k.scan(t, c.encode([]byte("  "+d+" ;")), 0); len(hits) > 0 {
				t.Errorf("a decoy: %v", describe(hits))
			}
		}
	}
}

// TestNoUuencode has lines that are none: too short or long for what they begin
// with, of other characters, behind a line that opens nothing.
func TestNoUuencode(t *testing.T) {
	k := newKit(t)
	good := uuCodings()[0].encode(append(words(20), " "+string(k.value)+" ;"...))
	for name, content := range map[string]string{
		"longer":    strings.Replace(good, "\nM", "\nMM", 1),
		"shorter":   strings.Replace(good, "\nM", "\nL", 1),
		"no mode":   strings.Replace(strings.Replace(good, "begin 644", "begin it", 1), "\nM", "\nM ", 1),
		"not first": strings.Replace(strings.Replace(good, "begin", "to begin", 1), "\nM", "\n M", 1),
	} {
		hits, _ := k.scan(t, content, 0)
		if content == good || len(hits) > 0 {
			t.Errorf("%s: %v in %q", name, describe(hits), content)
		}
	}
	for _, content := range []string{"begin 644 f", "begin 644 f\n", "begin 644 f\nM", "\nM", "begin 644\n#86)C", "\nbegin 644 f\n`\nend\n"} {
		if hits, skips := k.scan(t, content, 0); len(hits)+len(skips) > 0 {
			t.Errorf("%q: %v %v", content, describe(hits), skips)
		}
	}
}

func TestChunksOfUuencode(t *testing.T) {
	k := newKit(t)
	for _, c := range uuCodings()[:2] {
		plain := []byte(strings.Repeat("some words. ", 90) + string(k.value) + strings.Repeat(" more words", 60) + " " + generic + strings.Repeat(" and", 300))
		k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 2)
	}
	line, _, _ := strings.Cut(uuCodings()[3].encode(words(45))[1:], "\n")
	long := strings.Repeat(line+"\n", 40<<10) + uuCodings()[3].encode(append(words(45), " "+string(k.value)+" ;"...))[1:]
	if hits, _ := k.scan(t, long, 0); len(hits) != 1 {
		t.Errorf("at the end of a long file: %v", describe(hits))
	}
}
