package recall_test

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"

	"github.com/klauspost/compress/zlib"
)

// digits85 are those of git, RFC 1924 and Python.
const digits85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"

// base85 writes four bytes as five digits; the last group is whole, or as short as it can be.
func base85(in []byte, whole bool) []byte {
	var out []byte
	for ; len(in) > 0; in = in[min(4, len(in)):] {
		var v uint32
		for k := range 4 {
			if v <<= 8; k < len(in) {
				v |= uint32(in[k])
			}
		}
		var g [5]byte
		for k := range g {
			g[4-k], v = digits85[v%85], v/85
		}
		n := 5
		if !whole {
			n = 1 + min(4, len(in))
		}
		out = append(out, g[:n]...)
	}
	return out
}

// groups85 places bytes in what one of base85's encoders makes.
func groups85(encode func([]byte) []byte) coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		c := coded{out: encode(in), at: make([]stretch, len(in))}
		for i := range in {
			c.at[i] = stretch{i / 4 * 5, min(i/4*5+5, len(c.out))}
		}
		return c, true
	}
}

func python85() coder { return groups85(func(in []byte) []byte { return base85(in, false) }) }

func adobe85() coder {
	return groups85(func(in []byte) []byte {
		out := make([]byte, ascii85.MaxEncodedLen(len(in)))
		return bytes.ReplaceAll(out[:ascii85.Encode(out, in)], []byte("z"), []byte("!!!!!"))
	})
}

// patchLines is what git writes in patches behind the line that says what follows.
func patchLines() coder {
	return whole(func(in []byte) []byte {
		var b bytes.Buffer
		w := zlib.NewWriter(&b)
		_, _ = w.Write(in)
		_ = w.Close()
		var lines []string
		for rest := b.Bytes(); len(rest) > 0; rest = rest[min(52, len(rest)):] {
			n := min(52, len(rest))
			lines = append(lines, string("?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[n])+string(base85(rest[:n], true)))
		}
		return []byte(strings.Join(lines, "\n"))
	})
}

// gitDelta is a delta between two copies.
func gitDelta() coder {
	return func(_ *rand.Rand, in []byte) (coded, bool) {
		var m maker
		m.raw("\x90\x4e\x90\x4e\xb3\x01\x02\x03\x04")
		for i, b := range in {
			if i%127 == 0 {
				m.raw(string(rune(min(127, len(in)-i))))
			}
			m.carry(1, string([]byte{b}))
		}
		m.raw("\x91\x07\x09")
		return m.coded, true
	}
}

// gitPatch is a patch of one file of a kind.
func gitPatch(kind string) coder {
	return frame("diff --git a/k.bin b/k.bin\nindex 1b2d3e4f..5a6b7c8d 100644\nGIT binary patch\n"+kind+" 4711\n", "\n\n"+kind+" 12\nTcmZQzE6`+g{Qoxqlq)FN\n\ndiff --git a/l b/l\n")
}

// deflated is deflate without a frame.
func deflated() coder {
	return whole(func(in []byte) []byte {
		var b bytes.Buffer
		w, _ := flate.NewWriter(&b, 9)
		_, _ = w.Write(in)
		_ = w.Close()
		return b.Bytes()
	})
}

// drawing is a diagram of draw.io.
func drawing() coder {
	escape := eachRune(func(r rune) string { return strings.ReplaceAll(url.QueryEscape(string(r)), "+", "%20") })
	return chain(
		htmlNamed(), frame(`<mxGraphModel dx="1422" dy="762"><root><mxCell id="0"/><mxCell id="2" value="`, `" style="html=1;" vertex="1" parent="0"/></root></mxGraphModel>`),
		escape, deflated(), base64Std(), frame(`<mxfile host="app"><diagram id="x1" name="Page-1">`, "</diagram></mxfile>\n"),
	)
}

// signOn is a request of SAML in an address.
func signOn() coder {
	return chain(
		htmlNamed(), frame(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_8e8dc5f69a98cc4c1ff3427e5ce34606fd672f91e6" AssertionConsumerServiceURL="https://sp.example.org/acs"><saml:Attribute Name="k">`, `</saml:Attribute></samlp:AuthnRequest>`),
		deflated(), base64Std(), percentQuery(), frame("GET /sso?SAMLRequest=", "&RelayState=x HTTP/1.1\n"),
	)
}

// hexRecords are lines of hex digits with an address and a sum: Intel's, or Motorola's.
func hexRecords(intel bool) coder {
	return func(r *rand.Rand, in []byte) (coded, bool) {
		var m maker
		base := 16 * r.IntN(2000)
		for at := 0; at < len(in); at += 16 {
			row := in[at:min(at+16, len(in))]
			head := []byte{byte(len(row)), byte((base + at) >> 8), byte(base + at), 0}
			begin := ":"
			if !intel {
				head, begin = []byte{byte(len(row) + 3), head[1], head[2]}, "S1"
			}
			sum := byte(0)
			for _, b := range append(head, row...) {
				sum += b
			}
			if intel {
				sum--
			}
			m.raw(begin + fmt.Sprintf("%X", head))
			for _, b := range row {
				m.carry(1, fmt.Sprintf("%02X", b))
			}
			m.raw(fmt.Sprintf("%02X\n", ^sum))
		}
		return m.coded, true
	}
}

// richText is text in RTF, of which some is coloured and some escaped; the rule for JWTs
// takes what a backslash begins for a part of them.
func richText() coder {
	run := func(r *rand.Rand) string {
		return [...]string{`\b0 `, `}{\insrsid1337 `, `\lang1033\cf2 `, `{\*\bkmkend k}`, "\r\n"}[r.IntN(5)]
	}
	escape := eachRune(func(r rune) string {
		switch {
		case r == '\\' || r == '{' || r == '}':
			return `\` + string(r)
		case r > 0x7e && r <= 0xffff:
			return fmt.Sprintf(`\u%d?`, int16(r))
		case r > 0xffff:
			return "" // of two halves
		case r == '\n':
			return "\\par\r\n"
		}
		return string(r)
	})
	return chain(
		when(func(in []byte) bool {
			return isText(in) && !bytes.ContainsRune(in, '🔑') && bytes.IndexByte(in, '\t') < 0 && bytes.IndexByte(in, '\r') < 0
		}, escape),
		broken(3, run, betweenLetters),
		frame(`{\rtf1\ansi\deff0{\fonttbl{\f0 Calibri;}}`+"\r\n"+`\pard\f0\fs22 {\b The key: `, "\\par\r\nand more}}\r\n"),
	)
}

// styleSheet is a text in CSS, in which all is escaped that is no letter or digit.
func styleSheet() coder {
	return line(chain(eachRune(func(r rune) string {
		if r < 0x80 && letterOrDigit(byte(r)) {
			return string(r)
		}
		return fmt.Sprintf(`\%06X`, r)
	}), frame(`.k::after { content: "`, "\"; }\n")))
}

// moreRows are the encodings of this file.
func moreRows() []row {
	return []row{
		{name: "binary patch of git", code: chain(around(200), patchLines(), gitPatch("literal"))},
		{name: "binary patch of git, delta", code: chain(around(200), gitDelta(), patchLines(), gitPatch("delta"))},
		{name: "deflate in base64", code: chain(around(400), textOnly(deflated()), base64Std(), quoted())},
		{name: "SAML redirect", code: signOn()},
		{name: "draw.io", code: drawing()},
		{name: "base85 of Adobe", code: chain(around(40), adobe85(), frame("<~", "~>\n")), exact: true},
		{name: "base85 of Adobe, lines", code: chain(around(200), adobe85(), wrapped(72, "\n"), frame("\n<~", "~>\n"))},
		{name: "base85 of Python", code: chain(around(40), python85(), frame(`k = base64.b85decode("`, "\")\n")), exact: true},
		{name: "Intel HEX", code: chain(around(60), hexRecords(true), frame("\n", ":00000001FF\n"))},
		{name: "S-records", code: chain(around(60), hexRecords(false), frame("\n", "S9030000FC\n"))},
		{name: "RTF", code: richText()},
		{name: "CSS", code: styleSheet()},
	}
}
