package recall_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

func dumpRows() []row {
	return []row{
		{name: "Netty", gutter: true, code: chain(around(60), nettyDump(), frame("READ: 80B\n", ""))},
		{name: "javax.net.debug", gutter: true, code: chain(around(60), javaxDump(), frame("Plaintext (\n", ")\n"))},
		{name: "openssl s_client -debug", gutter: true, code: chain(around(60), opensslDump(), frame("write to 0x5581 [0x5582] (80 bytes => 80 (0x50))\n", ""))},
		{name: "WinDbg, db", gutter: true, code: chain(around(60), windbgDump(), frame("0:000> db k\n", ""))},
		{name: "WinDbg, dq", code: chain(around(60), wordDump("00007ff6`6012%04[1]x ", 8, " ", "%08x`%08x", 16), frame("0:000> dq k\n", ""))},
		{name: "gdb, x/8xb", code: chain(around(60), wordDump("0x4%05[1]x <k+%[1]d>:", 1, "\t0x", "%02x", 8), frame("(gdb) x/80xb k\n", ""))},
		{name: "gdb, x/4xw", code: chain(around(60), wordDump("0x7fffffff%04[1]x:", 4, "\t0x", "%08x", 16), frame("(gdb) x/20xw $rsp\n", ""))},
		{name: "gdb, x/2xg", code: chain(around(60), wordDump("0x5555555%05[1]x <k+%[1]d>:", 8, "\t0x", "%016x", 16), frame("(gdb) x/10xg &k\n", ""))},
		{name: "gdb, x/8cb", code: chain(around(60), gdbCharacters(), frame("(gdb) x/80cb k\n", ""))},
		{name: "xxd -e", gutter: true, code: chain(around(60), littleXxd(), frame("$ xxd -e f\n", ""))},
		{name: "xxd -g8", gutter: true, code: chain(around(60), xxdOf(8), frame("$ xxd -g8 f\n", ""))},
		{name: "od -t x8", code: chain(around(60), wordDump("%07[1]o", 8, " ", "%016x", 16), frame("\n", ""))},
		{name: "od -t d1", code: chain(around(60), odSigned(), frame("\n", ""))},
		{name: "od -t u2", code: chain(around(60), wordDump("%07[1]o", 2, " ", "%5d", 16), frame("\n", ""))},
		{name: "od -t x1 -w32", code: chain(around(60), odWide(), frame("\n", ""))},
		{name: "hexdump -d", code: chain(around(60), wordDump("%07[1]x", 2, "   ", "%05d", 16), frame("\n", ""))},
		{name: "wrapped at 76, blanks", code: chain(around(300), base64Std(), wrapped(76, " "), frame("V=", "\n\n")), exact: true},
		{name: "wrapped at 70, two blanks, in JSON", code: chain(around(300), base64Std(), wrapped(70, "  "), jsonString(), frame(`{"v":"`, `"}`)), exact: true},
		{name: "HTML, soft hyphens", sure: true, keys: noKeys, code: when(noDocument, broken(3, choice("&shy;", "&#173;", "&#x200B;", "&zwnj;", "&NoBreak;"), betweenLetters))},
		{name: "JSON, characters of no width", sure: true, keys: noKeys, code: chain(when(noDocument, jsonString()), broken(3, choice(`\u200b`, `\u00ad`, `\u2060`, `\ufeff`), betweenLetters), frame(`{"k":"`, `"}`))},
	}
}

// nettyDump is what Netty logs of what it reads and writes.
func nettyDump() coder {
	return dump{offset: "|%08x|", row: 16, before: spaces(nil, " "), cell: hexCell, left: " |", right: "|"}.coder()
}

// javaxDump is what -Djavax.net.debug=all shows.
func javaxDump() coder {
	return dump{offset: "  %04X:", row: 16, before: spaces(map[int]string{8: "   "}, " "), cell: upperCell, left: "  "}.coder()
}

func opensslDump() coder {
	return dump{offset: "%04x -", row: 16, before: spaces(map[int]string{8: "-"}, " "), cell: hexCell, left: "   "}.coder()
}

func windbgDump() coder {
	return dump{offset: "00007ff6`6012%04x ", row: 16, before: spaces(map[int]string{8: "-"}, " "), cell: hexCell, left: "  "}.coder()
}

// xxdOf is xxd -g.
func xxdOf(group int) coder {
	before := func(k int) string {
		if k%group == 0 {
			return " "
		}
		return ""
	}
	return dump{offset: "%08x:", row: 16, before: before, cell: hexCell, left: "  "}.coder()
}

func odWide() coder {
	return dump{offset: "%07o", row: 32, before: spaces(nil, " "), cell: hexCell}.coder()
}

// odSigned is od -t d1.
func odSigned() coder {
	return dump{offset: "%07o", row: 16, before: spaces(nil, " "), cell: func(b byte) string { return fmt.Sprintf("%4d", int8(b)) }}.coder()
}

// wordDump shows words of n bytes, the lowest first.
func wordDump(offset string, n int, sep, verb string, row int) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		base := row * r.IntN(4000)
		for from := 0; from < len(in); from += row {
			m.raw(fmt.Sprintf(offset, base+from))
			for word := range slices.Chunk(in[from:min(len(in), from+row)], n) {
				v := uint64(0)
				for k, b := range word {
					v |= uint64(b) << (8 * k)
				}
				m.raw(sep)
				if strings.Contains(verb, "`") {
					m.carry(len(word), fmt.Sprintf(verb, v>>32, uint32(v)))
				} else {
					m.carry(len(word), fmt.Sprintf(verb, v))
				}
			}
			m.raw("\n")
		}
		return m.coded, true
	}
}

// littleXxd is xxd -e.
func littleXxd() coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		base := 16 * r.IntN(4000)
		for from := 0; from < len(in); from += 16 {
			row := in[from:min(len(in), from+16)]
			m.raw(fmt.Sprintf("%08x:", base+from))
			for k := 0; k < 16; k += 4 {
				word := row[min(k, len(row)):min(k+4, len(row))]
				text := ""
				for _, b := range word {
					text = hexCell(b) + text
				}
				m.raw(strings.Repeat(" ", 9-len(text))).carry(len(word), text)
			}
			m.raw("  ")
			for _, b := range row {
				if b < ' ' || b > '~' {
					b = '.'
				}
				m.raw(string(rune(b)))
			}
			m.raw("\n")
		}
		return m.coded, true
	}
}

// gdbCharacters are bytes as gdb shows characters.
func gdbCharacters() coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		base := 8 * r.IntN(4000)
		for i, b := range in {
			if i%8 == 0 {
				if i > 0 {
					m.raw("\n")
				}
				m.raw(fmt.Sprintf("0x4%05x <k+%d>:", base+i, i))
			}
			m.raw("\t").carry(1, fmt.Sprint(int8(b)))
			switch {
			case b == '\'' || b == '\\':
				m.raw(fmt.Sprintf(` '\%c'`, b))
			case b < ' ' || b > '~':
				m.raw(fmt.Sprintf(` '\%03o'`, b))
			default:
				m.raw(fmt.Sprintf(" '%c'", b))
			}
		}
		m.raw("\n")
		return m.coded, true
	}
}
