package views_test

import (
	"encoding/hex"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/views"
)

// spelled is a coding that writes byte after byte.
func spelled(name string, form fingerprints.Form, spell func(plain []byte) (string, [][2]int)) coding {
	return coding{
		name: name, form: form,
		encode: func(plain []byte) string { s, _ := spell(plain); return s },
		place: func(plain []byte, i, j int) (int, int) {
			_, at := spell(plain)
			return at[i][0], at[j-1][1]
		},
	}
}

// listed writes numbers, in lines of per, with what stands before the first,
// between two, at ends of lines, and behind the last.
func listed(name, verb, open, sep, end, shut string, per int) coding {
	return spelled(name, fingerprints.FormNumbers, func(plain []byte) (string, [][2]int) {
		s := open
		var at [][2]int
		for i, c := range plain {
			switch {
			case i > 0 && per > 0 && i%per == 0:
				s += end
			case i > 0:
				s += sep
			}
			tok := fmt.Sprintf(verb, c)
			if strings.HasSuffix(verb, "i8") {
				tok = fmt.Sprint(int8(c))
			}
			at = append(at, [2]int{len(s), len(s) + len(tok)})
			s += tok
		}
		return s + shut, at
	})
}

func listCodings() []coding {
	return []coding{
		listed("0x", "0x%02x", "{", ", ", "", "}", 0),
		listed("0X", "0X%02X", "{", ",", "", "}", 0),
		listed("xxd -i", "0x%02x", "unsigned char f[] = {\n  ", ", ", ",\n  ", "\n};", 12),
		listed("go", "0x%x", "[]byte{\n\t", ", ", ",\n\t\t", ",\n}", 8),
		listed("casts", "0x%02x", "(byte)", ", (byte)", ",\n      (byte)", " }", 8),
		listed("decimal", "%d", "[", ", ", "", "]", 0),
		listed("buffer", "%d", `{"type":"Buffer","data":[`, ",", "", "]}", 0),
		listed("one a line", "%d", "[\n        ", ",\n        ", "", "\n]", 0),
		listed("java", "%i8", "{", ", ", "", "}", 0),
		listed("blanks", "%d", "", " ", "\n", "", 16),
		listed("octal", "0%o", "{", ", ", "", "}", 0),
		listed("octal of three", "%03o", "", " ", "\n", "", 16),
		listed("colons", "%02x", "", ":", ":\n    ", "", 15),
		listed("COLONS", "%02X", "", ":", "", "", 0),
		listed("dashes", "%02x", "", "-", "", "", 0),
		listed("pairs", "%02x", "", " ", "\n", "", 16),
		listed("php", "%d", "chr(", ").chr(", "", ")", 0),
		listed("vb", "%d", "Chr(", ") & Chr(", "", ")", 0),
		listed("sql", "%d", "CHAR(", ")||CHAR(", "", ")", 0),
		listed("powershell", "0x%02x", "[char]", "+[char]", "", "", 0),
		listed("js", "%d", "String.fromCharCode(", ",", "", ")", 0),
		listed("quoted", "%02x", `["`, `","`, "", `"]`, 0),
		listed("binary", "%08b", "", " ", "", "", 0),
		listed("0b", "0b%08b", "", ", ", "", "", 0),
	}
}

// offsets are the lines of a dump.
func dumped(name, offset string, per int, line func(at int, part []byte) (string, [][2]int), gutter func(part []byte) string) coding {
	return spelled(name, fingerprints.FormDump, func(plain []byte) (string, [][2]int) {
		s := ""
		var at [][2]int
		for i := 0; i < len(plain); i += per {
			part := plain[i:min(len(plain), i+per)]
			s += fmt.Sprintf(offset, i)
			text, places := line(len(s), part)
			s += text
			at = append(at, places...)
			s += gutter(part) + "\n"
		}
		return s, at
	})
}

// groups writes groups of n bytes; words of the machine have the last byte
// first.
func groups(n int, words bool, verb, sep, half string, per int) func(int, []byte) (string, [][2]int) {
	return func(base int, part []byte) (string, [][2]int) {
		s := ""
		var at [][2]int
		for i := 0; i < per; i += n {
			s += sep
			if half != "" && i == per/2 {
				s += half
			}
			if i >= len(part) {
				s += strings.Repeat(" ", len(fmt.Sprintf(verb, 0))*map[bool]int{false: n, true: 1}[words])
				continue
			}
			group := part[i:min(len(part), i+n)]
			from := base + len(s)
			if words {
				v := 0
				for k, c := range group {
					v |= int(c) << (8 * k)
				}
				s += fmt.Sprintf(verb, v)
				for range group {
					at = append(at, [2]int{from, base + len(s)})
				}
				continue
			}
			for k := range n {
				if k >= len(group) {
					s += "  "
					continue
				}
				tok := fmt.Sprintf(verb, group[k])
				from := base + len(s) + len(tok) - len(strings.TrimLeft(tok, " "))
				s += tok
				at = append(at, [2]int{from, base + len(s)})
			}
		}
		return s, at
	}
}

func printed(open, shut string) func([]byte) string {
	return func(part []byte) string {
		b := slices.Clone(part)
		for i, c := range b {
			if c < ' ' || c > '~' {
				b[i] = '.'
			}
		}
		return open + string(b) + shut
	}
}

// charsOf writes four columns a byte.
func charsOf(base int, part []byte) (string, [][2]int) {
	s := ""
	var at [][2]int
	for _, c := range part {
		cell := fmt.Sprintf("   %c", c)
		switch {
		case c == '\n':
			cell = `  \n`
		case c < ' ' || c > '~':
			cell = fmt.Sprintf(" %03o", c)
		}
		blank := min(3, len(cell)-len(strings.TrimLeft(cell, " ")))
		at = append(at, [2]int{base + len(s) + blank, base + len(s) + 4})
		s += cell
	}
	return s, at
}

func dumpCodings() []coding {
	nothing := func([]byte) string { return "" }
	return []coding{
		dumped("xxd", "%08x:", 16, groups(2, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("xxd -g1", "%08x:", 16, groups(1, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("xxd -u -g4", "%08x:", 16, groups(4, false, "%02X", " ", "", 16), printed("  ", "")),
		dumped("xxd -b", "%08x:", 6, groups(1, false, "%08b", " ", "", 6), printed("  ", "")),
		dumped("hexdump -C", "%08x", 16, groups(1, false, "%02x", " ", " ", 16), printed("  |", "|")),
		dumped("hexdump", "%07x", 16, groups(2, true, "%04x", " ", "", 16), nothing),
		dumped("hexdump -x", "%07x", 16, groups(2, true, "%04x", "    ", "", 16), nothing),
		dumped("od", "%07o", 16, groups(2, true, "%06o", " ", "", 16), nothing),
		dumped("od -b", "%07o", 16, groups(1, false, "%03o", " ", "", 16), nothing),
		dumped("od -t x1", "%07o", 16, groups(1, false, "%02x", " ", "", 16), nothing),
		dumped("od -A x -t x1z", "%06x", 16, groups(1, false, "%02x", " ", "", 16), printed("  >", "<")),
		dumped("od -t u1", "%07o", 16, groups(1, false, "%3d", " ", "", 16), nothing),
		dumped("od -t x4", "%07o", 16, groups(4, true, "%08x", " ", "", 16), nothing),
		dumped("od -A d", "%07d", 16, groups(1, false, "%02x", " ", "", 16), nothing),
		dumped("tcpdump", "\t0x%04x: ", 16, groups(2, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("wireshark", "%04x  ", 16, groups(1, false, "%02x", " ", "", 16), printed("   ", "")),
		dumped("od -c", "%07o", 16, charsOf, nothing),
		dumped("hexdump -c", "%07x", 16, charsOf, nothing),
	}
}

// moreDumps are of debuggers, of libraries, and of seldom options.
func moreDumps() []coding {
	nothing := func([]byte) string { return "" }
	gdb, windbg := "0x555555%06[1]x <k+%[1]d>:", "00007ff6`6012%04x "
	return []coding{
		dumped("Netty", "|%08x|", 16, groups(1, false, "%02x", " ", "", 16), printed(" |", "|")),
		dumped("javax.net.debug", "  %04X:", 16, halves(" ", "   ", "%02X"), printed("  ", "")),
		dumped("OpenSSL s_client", "%04x -", 16, halves(" ", "-", "%02x"), printed("   ", "")),
		dumped("WinDbg db", windbg, 16, halves(" ", "-", "%02x"), printed("  ", "")),
		dumped("WinDbg dw", windbg, 16, wordsOf(2, hexWord, " "), nothing),
		dumped("WinDbg dd", windbg, 16, wordsOf(4, hexWord, " "), nothing),
		dumped("WinDbg dq", windbg, 16, wordsOf(8, func(v uint64, _ int) string { return fmt.Sprintf("%08x`%08x", v>>32, uint32(v)) }, " "), nothing),
		dumped("x/8xb of gdb", gdb, 8, wordsOf(1, hexWord, "\t0x"), nothing),
		dumped("x/8xh of gdb", gdb, 16, wordsOf(2, hexWord, "\t0x"), nothing),
		dumped("x/4xw of gdb", gdb, 16, wordsOf(4, hexWord, "\t0x"), nothing),
		dumped("x/2xg of gdb", "0x7fffffff%04[1]x:", 16, wordsOf(8, hexWord, "\t0x"), nothing),
		dumped("x/8db of gdb", gdb, 8, wordsOf(1, withSign(0), "\t"), nothing),
		dumped("x/4dw of gdb", gdb, 16, wordsOf(4, withSign(0), "\t"), nothing),
		dumped("x/2dg of gdb", "0x%05x:", 16, wordsOf(8, withSign(0), "\t"), nothing),
		dumped("x/8tb of gdb", gdb, 8, wordsOf(1, unsigned("%08b"), "\t"), nothing),
		dumped("x/8ob of gdb", gdb, 8, wordsOf(1, unsigned("%#o"), "\t"), nothing),
		dumped("x/8cb of gdb", gdb, 8, quotedBytes, nothing),
		dumped("xxd -e", "%08x:", 16, turned(4), printed("  ", "")),
		dumped("xxd -e -g2", "%08x:", 16, turned(2), printed("  ", "")),
		dumped("xxd -e -g8", "%08x:", 16, turned(8), printed("  ", "")),
		dumped("xxd -g3", "%08x:", 16, groups(3, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("xxd -g8", "%08x:", 16, groups(8, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("xxd -g16", "%08x:", 16, groups(16, false, "%02x", " ", "", 16), printed("  ", "")),
		dumped("xxd -c 8 -g8", "%08x:", 8, groups(8, false, "%02x", " ", "", 8), printed("  ", "")),
		dumped("xxd -c 40", "%08x:", 40, groups(2, false, "%02x", " ", "", 40), nothing),
		dumped("xxd -c 200 -g1", "%08x:", 200, groups(1, false, "%02x", " ", "", 200), nothing),
		dumped("od -t x1 -w64", "%07o", 64, groups(1, false, "%02x", " ", "", 64), nothing),
		dumped("od -t x8", "%07o", 16, wordsOf(8, hexWord, " "), nothing),
		dumped("od -t d1", "%07o", 16, wordsOf(1, withSign(4), " "), nothing),
		dumped("od -t d2", "%07o", 16, wordsOf(2, withSign(6), " "), nothing),
		dumped("od -t u2", "%07o", 16, wordsOf(2, unsigned("%5d"), " "), nothing),
		dumped("od -t d4", "%07o", 16, wordsOf(4, withSign(11), " "), nothing),
		dumped("od -t u4", "%07o", 16, wordsOf(4, unsigned("%10d"), " "), nothing),
		dumped("od -t d8", "%07o", 16, wordsOf(8, withSign(20), " "), nothing),
		dumped("od -t u8", "%07o", 16, wordsOf(8, unsigned("%20d"), " "), nothing),
		dumped("od -t o4", "%07o", 16, wordsOf(4, unsigned("%011o"), " "), nothing),
		dumped("od -t o8", "%07o", 16, wordsOf(8, unsigned("%022o"), " "), nothing),
		dumped("od -t x1c", "%07o", 16, wordsOf(1, hexWord, "  "), func(part []byte) string {
			s, _ := charsOf(0, part)
			return "\n       " + s
		}),
		dumped("hexdump -d", "%07x", 16, wordsOf(2, unsigned("%05d"), "   "), nothing),
	}
}

// hexWord writes a number of so many bytes.
func hexWord(v uint64, n int) string { return fmt.Sprintf("%0*x", 2*n, v) }

func unsigned(verb string) func(uint64, int) string {
	return func(v uint64, _ int) string { return fmt.Sprintf(verb, v) }
}

// withSign writes a number of so many bytes with its sign, in so many columns.
func withSign(columns int) func(uint64, int) string {
	return func(v uint64, n int) string {
		shift := 64 - 8*n
		return fmt.Sprintf("%*d", columns, int64(v<<shift)>>shift)
	}
}

// wordsOf writes words of n bytes, the first of them lowest.
func wordsOf(n int, write func(v uint64, n int) string, sep string) func(int, []byte) (string, [][2]int) {
	return func(base int, part []byte) (string, [][2]int) {
		s := ""
		var at [][2]int
		for group := range slices.Chunk(part, n) {
			v := uint64(0)
			for k, c := range group {
				v |= uint64(c) << (8 * k)
			}
			tok := write(v, n)
			s += sep + tok
			end := base + len(s)
			for range group {
				at = append(at, [2]int{end - len(strings.TrimLeft(tok, " ")), end})
			}
		}
		return s, at
	}
}

// turned writes groups of n bytes with the last first, and what there is of the last
// group below where its digits would stand.
func turned(n int) func(int, []byte) (string, [][2]int) {
	return func(base int, part []byte) (string, [][2]int) {
		s := ""
		var at [][2]int
		for group := range slices.Chunk(part, n) {
			tok := ""
			for _, c := range group {
				tok = fmt.Sprintf("%02x", c) + tok
			}
			s += fmt.Sprintf(" %*s", 2*n, tok)
			for range group {
				at = append(at, [2]int{base + len(s) - len(tok), base + len(s)})
			}
		}
		return fmt.Sprintf("%-*s", 16/n*(2*n+1), s), at
	}
}

// halves writes 16 bytes with something else between the halves.
func halves(sep, half, verb string) func(int, []byte) (string, [][2]int) {
	return func(base int, part []byte) (string, [][2]int) {
		s := ""
		var at [][2]int
		for i, c := range part {
			if i == 8 {
				s += half
			} else {
				s += sep
			}
			at = append(at, [2]int{base + len(s), base + len(s) + 2})
			s += fmt.Sprintf(verb, c)
		}
		return s + strings.Repeat(" ", max(0, 50-len(s))), at
	}
}

// quotedBytes writes numbers with what they are as characters, as gdb does.
func quotedBytes(base int, part []byte) (string, [][2]int) {
	s := ""
	var at [][2]int
	for _, c := range part {
		tok := fmt.Sprint(int8(c))
		at = append(at, [2]int{base + len(s) + 1, base + len(s) + 1 + len(tok)})
		switch {
		case c == '\'' || c == '\\':
			s += fmt.Sprintf("\t%s '\\%c'", tok, c)
		case c == '\n':
			s += fmt.Sprintf("\t%s '\\n'", tok)
		case c < ' ' || c > '~':
			s += fmt.Sprintf("\t%s '\\%03o'", tok, c)
		default:
			s += fmt.Sprintf("\t%s '%c'", tok, c)
		}
	}
	return s, at
}

func TestNumbers(t *testing.T) {
	k := newKit(t)
	for _, c := range listCodings() {
		t.Run(c.name, func(t *testing.T) {
			for _, v := range []string{string(k.value), generic} {
				k.aligned(t, c, v, words)
				k.aligned(t, c, v, func(n int) []byte { // binary
					b := noise(9, n)
					if n > 0 {
						b[n-1] = '\n'
					}
					return b
				})
			}
			for _, d := range decoys(string(k.value)) {
				if hits, _ := k.scan(t, c.encode([]byte("  "+d+" ;")), 0); len(hits) > 0 {
					t.Errorf("a decoy: %v", describe(hits))
				}
			}
		})
	}
}

// TestShortLists have nothing but the value.
func TestShortLists(t *testing.T) {
	k := newKitFor(t, []byte("s3cr-T9x"))
	for _, c := range listCodings() {
		from, to := c.place(k.value, 0, len(k.value))
		k.want(t, c.name, "x = "+c.encode(k.value)+"\n", string(k.value), 4+from, 4+to, c.form)
	}
}

func TestDumps(t *testing.T) {
	k := newKit(t)
	for _, c := range append(dumpCodings(), moreDumps()...) {
		t.Run(c.name, func(t *testing.T) {
			for front := range 40 {
				for _, v := range []string{string(k.value), generic} {
					for name, fill := range map[string][]byte{"words": words(front + 60), "noise": noise(7, front+60), "zeros": make([]byte, front+60), "digits": []byte(strings.Repeat("1234567890 ", 10))[:front+60]} {
						plain := append(append(slices.Clone(fill[:front]), " "+v+"\n"...), fill[front:]...)
						lead := strings.Repeat("$ dump it\n", front%3)
						from, to := c.place(plain, front+1, front+1+len(v))
						k.want(t, fmt.Sprintf("%s, %s, %d before", c.name, name, front), lead+c.encode(plain)+"$ \n", v, len(lead)+from, len(lead)+to, c.form)
					}
				}
			}
			for _, d := range decoys(string(k.value)) {
				if hits, _ := k.scan(t, c.encode([]byte("  "+d+" ;")), 0); len(hits) > 0 {
					t.Errorf("a decoy: %v", describe(hits))
				}
			}
		})
	}
}

// TestDumpsAsTheyAre compares the codings above with what programs write, where
// they are installed.
func TestDumpsAsTheyAre(t *testing.T) {
	plain := append([]byte("some text, 0123456789\n"), []byte{1, 200, 255, 0, 'a', 'b', '0', 9, 13}...)
	seen := 0
	for _, c := range append(dumpCodings(), moreDumps()...) {
		args := strings.Fields(c.name)
		if _, err := exec.LookPath(args[0]); err != nil {
			continue
		}
		cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
		cmd.Stdin = strings.NewReader(string(plain))
		out, err := cmd.Output()
		if err != nil {
			continue
		}
		seen++
		var got []byte
		views.New().View(t.Context(), scanners.Layer{Data: out, Piece: 1 << 20}, func(x scanners.Text) bool {
			if x.Form == fingerprints.FormDump {
				got = slices.Clone(x.Data)
			}
			return true
		})
		if !strings.HasPrefix(string(got), string(plain)) {
			t.Errorf("%s: %q from\n%s", c.name, got, out)
		}
	}
	t.Logf("%d programs", seen)
}

// TestNumbersInLayers has lists and dumps in base64, and base64 in them.
func TestNumbersInLayers(t *testing.T) {
	k := newKit(t)
	for _, c := range slices.Concat(listCodings(), dumpCodings(), moreDumps()) {
		for _, two := range []coding{nested(base64Codings()[3], c), nested(c, base64Codings()[0]), nested(c, hexCodings()[0])} {
			if c.name == "xxd -e -g8" && strings.HasSuffix(two.name, "hex") {
				continue // what stands beside the groups is a column of hex
			}
			for _, v := range []string{string(k.value), generic} {
				plain := []byte("; " + v + " - tail")
				from, to := two.place(plain, 2, 2+len(v))
				k.want(t, two.name, "\n"+two.encode(plain)+"\n", v, 1+from, 1+to, two.form)
			}
		}
	}
}

func TestChunksOfNumbers(t *testing.T) {
	k := newKit(t)
	for _, c := range slices.Concat(listCodings(), dumpCodings(), moreDumps()) {
		plain := []byte(strings.Repeat("some words. ", 10) + string(k.value) + " " + generic + strings.Repeat(" and", 30) + "\n" + hex.EncodeToString(k.value))
		k.cuts(t, c.name, strings.Repeat("log line\n", 50)+c.encode(plain)+strings.Repeat("\nlog line", 50), 3)
	}
}
