package recall_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// digits encodes bits, some in each character.
func digits(bits int, encode func([]byte) string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		c := coded{out: []byte(encode(in)), at: make([]stretch, len(in))}
		for i := range in {
			c.at[i] = stretch{8 * i / bits, (8*i+7)/bits + 1}
		}
		return c, true
	}
}

func base64Std() coder    { return digits(6, base64.StdEncoding.EncodeToString) }
func base64StdRaw() coder { return digits(6, base64.RawStdEncoding.EncodeToString) }
func base64URL() coder    { return digits(6, base64.URLEncoding.EncodeToString) }
func base64URLRaw() coder { return digits(6, base64.RawURLEncoding.EncodeToString) }
func base32Std() coder    { return digits(5, base32.StdEncoding.EncodeToString) }
func base32Raw() coder {
	return digits(5, base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString)
}

func base32Lower() coder {
	return digits(5, func(b []byte) string { return strings.ToLower(base32.StdEncoding.EncodeToString(b)) })
}

// list encodes bytes with a format, separated, in lines of some bytes each
// (0: one line) that begin with a text.
func list(format, sep string, line int, begin string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		for i, b := range in {
			if i > 0 {
				m.raw(sep)
			}
			if line > 0 && i > 0 && i%line == 0 {
				m.out = bytes.TrimRight(m.out, " ")
				m.raw("\n" + begin)
			}
			m.carry(1, fmt.Sprintf(format, b))
		}
		return m.coded, true
	}
}

// signed is a list of Java's bytes.
func signed(sep string) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		for i, b := range in {
			if i > 0 {
				m.raw(sep)
			}
			m.carry(1, fmt.Sprintf("%d", int8(b)))
		}
		return m.coded, true
	}
}

// quotedChars is a list of character literals.
func quotedChars() coder {
	return textOnly(func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		for i, b := range in {
			if i > 0 {
				m.raw(", ")
			}
			switch {
			case b == '\'' || b == '\\':
				m.carry(1, `'\`+string(rune(b))+`'`)
			case b == '\n':
				m.carry(1, `'\n'`)
			case b >= 0x7f || b < ' ':
				m.carry(1, fmt.Sprintf(`'\x%02x'`, b))
			default:
				m.carry(1, "'"+string(rune(b))+"'")
			}
		}
		return m.coded, true
	})
}

// dump is one of the programs that show bytes in rows. cell formats byte k of
// a row; tail says whether characters follow.
type dump struct {
	offset string // format of the offset
	row    int
	before func(k int) string // what stands before byte k
	cell   func(b byte) string
	left   string // before the characters; "": none
	right  string
}

func (d dump) coder() coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		base := d.row * r.IntN(4000)
		for from := 0; from < len(in); from += d.row {
			row := in[from:min(from+d.row, len(in))]
			if d.offset != "" {
				m.raw(fmt.Sprintf(d.offset, base+from))
			}
			for k := range d.row {
				if k < len(row) {
					m.raw(d.before(k)).carry(1, d.cell(row[k]))
				} else if d.left != "" {
					m.raw(d.before(k) + "  ")
				}
			}
			if d.left != "" {
				m.raw(d.left)
				for _, b := range row {
					if b < ' ' || b > '~' {
						b = '.'
					}
					m.raw(string(rune(b)))
				}
				m.raw(d.right)
			}
			m.raw("\n")
		}
		return m.coded, true
	}
}

func hexCell(b byte) string { return fmt.Sprintf("%02x", b) }

func upperCell(b byte) string { return fmt.Sprintf("%02X", b) }

func spaces(at map[int]string, otherwise string) func(int) string {
	return func(k int) string {
		if s, ok := at[k]; ok {
			return s
		}
		return otherwise
	}
}

func xxd() coder {
	pair := func(k int) string { return strings.Repeat(" ", 1-k%2) }
	return dump{offset: "%08x:", row: 16, before: pair, cell: hexCell, left: "  "}.coder()
}

func hexdumpC() coder {
	return dump{
		offset: "%08x", row: 16, before: spaces(map[int]string{0: "  ", 8: "  "}, " "),
		cell: hexCell, left: "  |", right: "|",
	}.coder()
}

func odHex() coder {
	return dump{offset: "%07o", row: 16, before: spaces(nil, " "), cell: hexCell}.coder()
}

func odHexChars() coder {
	return dump{offset: "%06x", row: 16, before: spaces(nil, " "), cell: hexCell, left: "  >", right: "<"}.coder()
}

func odOctal() coder {
	return dump{offset: "%07o", row: 16, before: spaces(nil, " "), cell: func(b byte) string { return fmt.Sprintf("%03o", b) }}.coder()
}

func odChars() coder {
	return dump{offset: "%07o", row: 16, before: spaces(nil, ""), cell: func(b byte) string {
		switch s := map[byte]string{0: `\0`, 7: `\a`, 8: `\b`, 9: `\t`, 10: `\n`, 11: `\v`, 12: `\f`, 13: `\r`}[b]; {
		case s != "":
			return fmt.Sprintf("%4s", s)
		case b >= ' ' && b <= '~':
			return fmt.Sprintf("%4c", b)
		}
		return fmt.Sprintf(" %03o", b)
	}}.coder()
}

func formatHex() coder {
	return dump{offset: "%08X   ", row: 16, before: spaces(map[int]string{0: ""}, " "), cell: upperCell, left: "  "}.coder()
}

func certutil() coder {
	return dump{offset: "    %04x", row: 16, before: spaces(map[int]string{0: "  ", 8: "  "}, " "), cell: hexCell, left: "   "}.coder()
}

// hexdumpWords is what hexdump and od -x show on most machines: the second
// byte of each pair first.
func hexdumpWords() coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		m.at = make([]stretch, len(in))
		put := func(i int) {
			if i >= len(in) {
				m.raw("00")
				return
			}
			m.at[i] = stretch{len(m.out), len(m.out) + 2}
			m.raw(hexCell(in[i]))
		}
		for i := 0; i < len(in); i += 2 {
			if i%16 == 0 {
				if i > 0 {
					m.raw("\n")
				}
				m.raw(fmt.Sprintf("%07x", i))
			}
			m.raw(" ")
			put(i + 1)
			put(i)
		}
		m.raw("\n")
		return m.coded, true
	}
}

// utf16As encodes characters as UTF-16.
func utf16As(order binary.AppendByteOrder) coder {
	return eachRune(func(r rune) string {
		var b []byte
		for _, u := range utf16.Encode([]rune{r}) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	})
}

func utf16LE() coder { return utf16As(binary.LittleEndian) }
func utf16BE() coder { return utf16As(binary.BigEndian) }

func gzipped() coder {
	return whole(func(in []byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write(in)
		_ = w.Close()
		return b.Bytes()
	})
}

func zlibbed() coder {
	return whole(func(in []byte) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write(in)
		_ = w.Close()
		return b.Bytes()
	})
}

// quotedPrintable is mail's, with soft line breaks.
func quotedPrintable(lineEnd string) coder {
	return textOnly(func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		column := r.IntN(70)
		m.raw(strings.Repeat("mail has words ", 5)[:column])
		for i, b := range in {
			s := string(rune(b))
			last := i+1 == len(in) || in[i+1] == '\n' || in[i+1] == '\r'
			switch {
			case b == '\n':
				s = lineEnd
			case b == '=' || b < ' ' || b > '~' || b == ' ' && last:
				s = fmt.Sprintf("=%02X", b)
			}
			if column+len(s) > 75 && b != '\n' {
				m.raw("=" + lineEnd)
				column = 0
			}
			m.carry(1, s)
			if column += len(s); b == '\n' {
				column = 0
			}
		}
		return m.coded, true
	})
}

// uuencode is what Unix mail had before MIME.
func uuencode() coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		digit := func(v byte) byte {
			if v == 0 {
				return '`'
			}
			return v + ' '
		}
		m.raw("begin 644 f\n")
		for from := 0; from < len(in); from += 45 {
			line := in[from:min(from+45, len(in))]
			m.raw(string(rune(digit(byte(len(line))))))
			for k := 0; k < len(line); k += 3 {
				var g [3]byte
				n := copy(g[:], line[k:])
				at := len(m.out)
				m.out = append(m.out, digit(g[0]>>2), digit(g[0]&3<<4|g[1]>>4), digit(g[1]&15<<2|g[2]>>6), digit(g[2]&63))
				for i := range n {
					m.at = append(m.at, stretch{at + i, at + i + 2})
				}
			}
			m.raw("\n")
		}
		m.raw("`\nend\n")
		return m.coded, true
	}
}
