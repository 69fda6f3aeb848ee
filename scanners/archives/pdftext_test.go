package archives_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	pdfPlainFont = "/Resources<</Font<</F 9 0 R>>>>"
	pdfHelv      = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
)

// What is shown comes out as a reader sees it, in words and lines.
func TestPDFLines(t *testing.T) {
	look := canary(61)
	each := func(format string) string { // a glyph for each place
		var b strings.Builder
		for _, c := range look {
			fmt.Fprintf(&b, format, string(c))
		}
		return b.String()
	}
	for _, c := range []struct{ name, content, want string }{
		{"a string", "BT /F 12 Tf 9 700 Td (" + look + ") Tj ET", look + "\n"},
		{"escapes", `BT /F 12 Tf (a\(b\)\\(c)\101\12\
d) Tj ET`, "a(b)\\(c)A d\n"},
		{"kerned", "BT /F 12 Tf [(" + look[:9] + ")-90(" + look[9:20] + ")30<" + fmt.Sprintf("%x", look[20:]) + ">]TJ ET", look + "\n"},
		{"apart in an array", "BT /F 12 Tf [(one)-333(two)-90(three)]TJ ET", "one twothree\n"},
		{"lines", "BT /F 12 Tf 14 TL (one) Tj T* (two) Tj 0 -14 Td (three) Tj (four) ' 1 2 (five) \" 0 -20 TD (six) Tj ET", "one\ntwo\nthree\nfour\nfive\nsix\n"},
		{"glyph by glyph", "BT /M 10 Tf 50 700 Td " + each("(%s) Tj 6 0 Td ") + "ET", look + "\n"},
		{"glyph by glyph, matrices", "BT /M 10 Tf (" + look[:1] + ") Tj 1 0 0 1 6 0 Tm (" + look[1:2] + ") Tj ET BT /M 10 Tf 1 0 0 1 12 0 Tm (" + look[2:] + ") Tj ET", look + "\n"},
		{"turned", "BT /M 10 Tf 0 1 -1 0 100 100 Tm (one) Tj 20 0 Td (two) Tj 0 -12 Td (three) Tj ET", "one two\nthree\n"},
		{"upside down", "1 0 0 -1 0 800 cm BT /M 10 Tf 1 0 0 -1 100 100 Tm (one) Tj 1 0 0 -1 118 100 Tm (two) Tj 1 0 0 -1 100 112 Tm (three) Tj ET", "onetwo\nthree\n"},
		{"columns", "BT /F 12 Tf 100 700 Td (left) Tj 200 0 Td (right) Tj ET", "left right\n"},
		{"raised", "BT /F 12 Tf (x) Tj 7 4 Td /F 8 Tf (2) Tj ET", "x2\n"},
		{"spread", "BT /F 12 Tf 4 Tc (" + look[:20] + ") Tj (" + look[20:] + ") Tj ET", look + "\n"},
		{"saved", "q 2 0 0 2 0 0 cm BT /M 10 Tf (one) Tj ET Q q BT /M 10 Tf 1 0 0 1 36 0 Tm (two) Tj ET Q", "onetwo\n"},
		{"a picture", "BT /F 12 Tf (one) Tj ET BI /W 1 /H 1 ID \x01(EI \x02 EIx( \nEI Q BT 0 -20 Td (two) Tj ET", "one\ntwo\n"},
		{"told otherwise", "BT /F 12 Tf (a) Tj /Span<</ActualText(ffi)>>BDC (\x01) Tj EMC (b) Tj ET", "affib\n"},
		{"told otherwise, hidden", "BT /F 12 Tf /Span<</ActualText<feff0078>>>BDC (" + look + ") Tj EMC ET", "x\n" + look + "\n"},
		{"a comment", "BT /F 12 Tf (one) Tj %" + look + "\n(two) Tj ET", "onetwo\n" + look + "\n"},
		{"told beside", "/P<</Alt(" + look + ")>>BDC BT /F 12 Tf (one) Tj ET EMC", "one\n" + look + "\n"},
		{"no font", "BT 0 0 Td (" + look + ") Tj ET", look + "\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newPDF(t).object(9, pdfHelv).object(8, "<</Subtype/Type1/BaseFont/Courier>>")
			r := reads(t, m.page(1, "/Resources<</Font<</F 9 0 R/M 8 0 R>>>>", c.content).bytes())
			if r.texts["page-1"] != c.want || len(r.skips) > 0 {
				t.Errorf("got %q, want %q, skips %q", r.texts["page-1"], c.want, r.skips)
			}
			if raw, has := r.texts["object-2"]; has {
				t.Errorf("the program is given too: %q", raw)
			}
		})
	}
}

// Which characters are shown is what the page's own fonts say.
func TestPDFFonts(t *testing.T) {
	look := canary(62)
	one, short := pdfSubset(look+" ", 1)
	two, long := pdfSubset(look+" =é𝔘", 2)
	type0 := "<</Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</DW 600/W[1[500 500]3 9 600]>>]/ToUnicode 8 0 R>>"
	for _, c := range []struct {
		name, font, table, content, want string
	}{
		{"one byte", "<</Subtype/TrueType/FirstChar 1/Widths[600]/ToUnicode 8 0 R>>", one, "<" + short(look) + "> Tj", look},
		{"two bytes", type0, two, "[<" + long(look[:7]) + ">-40<" + long(look[7:]) + ">-300<" + long("=é𝔘") + ">]TJ", look + " =é𝔘"},
		{"ranges", type0, "2 beginbfrange <0001><0003><0041> <0005> <0006> [<00660066><D835DD18>] endbfrange", "<00010002000300050006> Tj", "ABCff𝔘"},
		{"a range over another", type0, "2 beginbfrange <0000><ffff><0000> <0041><0041><0042> endbfrange", "<004100420043> Tj", "BBC"},
		{"no table of two", "<</Subtype/Type0/Encoding/UniGB-UCS2-H>>", "", "<00410042> Tj", "AB"},
		{"differences", "<</Subtype/Type1/Encoding<</Differences[1/A/one/hyphen 65/uni0042/ffi/u1D518/underscore]>>>>", "", `(\1\2\3ABCDE) Tj`, "A1-Bffi𝔘_E"},
		{"no table of one", "<</Subtype/TrueType>>", "", `(a\200\374) Tj`, "a€ü"},
		{"ligatures of its own", "<</Subtype/Type1/BaseFont/ABCDEF+CMR10>>", "", `(a\016b\fc) Tj`, "affibfic"},
		{"table of few", "<</Subtype/TrueType/ToUnicode 8 0 R>>", "1 beginbfchar <01> <0078> endbfchar", `(\1bc) Tj`, "xbc"},
		{"codes of some lengths", "<</Subtype/Type0/Encoding 7 0 R/ToUnicode 8 0 R>>", "2 beginbfchar <01> <0078> <8101> <0079> endbfchar", "<01810101> Tj", "xyx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newPDF(t).object(9, c.font).stream(8, "", c.table)
			m.stream(7, "", "2 begincodespacerange <00> <80> <8100> <9fff> endcodespacerange")
			r := reads(t, m.page(1, pdfPlainFont, "BT /F 10 Tf "+c.content+" ET").bytes())
			if r.texts["page-1"] != c.want+"\n" || len(r.skips) > 0 {
				t.Errorf("got %q, want %q, skips %q", r.texts["page-1"], c.want, r.skips)
			}
		})
	}
	show := map[string]string{"two bytes": "(ABCD) Tj (EF) Tj", "names": "(ABCD) Tj", "no names": `(\1\2\3\4\5\6\7\1\2\3 A) Tj`}
	for name, font := range map[string]string{
		"two bytes": "<</Subtype/Type0/Encoding/Identity-H>>",
		"no names":  "<</Subtype/TrueType/Encoding/WinAnsiEncoding>>",
		"names":     "<</Subtype/Type1/Encoding<</Differences[65/g1/g2/g3/g4/g5]>>>>",
	} {
		m := newPDF(t).object(9, font)
		r := reads(t, m.page(1, pdfPlainFont, "BT /F 10 Tf "+show[name]+" ET % "+look).bytes())
		if len(r.skips) != 1 || !strings.Contains(r.skips[0], "which characters") || !strings.Contains(r.texts["object-2"], look) || r.first["object-2"] != 1 {
			t.Errorf("%s: skips %q, contents %q", name, r.skips, r.texts)
		}
	}
}

// Where pages and what they are made of are said.
func TestPDFPages(t *testing.T) {
	look := canary(63)
	show := "BT /F 12 Tf (" + look + ") Tj ET"
	a, codesA := pdfSubset("ab"+look, 1)
	b, codesB := pdfSubset(look+"ba", 1)
	form := func(m *pdfMaker) *pdfMaker {
		return m.object(9, pdfHelv).stream(5, "/Subtype/Form/Matrix[1 0 0 1 0 0]"+pdfPlainFont, show)
	}
	for _, c := range []struct {
		name  string
		make  func(m *pdfMaker) *pdfMaker
		pages []string
	}{
		{"inherited", func(m *pdfMaker) *pdfMaker {
			m.object(9, pdfHelv).object(7, "<</Type/Pages/Kids[6 0 R]/Resources 5 0 R>>").object(6, "<</Type/Pages/Kids[1 0 R]/Parent 7 0 R>>")
			return m.object(5, "<</Font<</F 9 0 R>>>>").page(1, "/Parent 6 0 R", show)
		}, []string{look + "\n"}},
		{"by the tree", func(m *pdfMaker) *pdfMaker {
			m.object(9, pdfHelv).page(1, "/Kids[]"+pdfPlainFont, "BT /F 9 Tf (second) Tj ET").page(3, pdfPlainFont, show).page(5, "", "BT (in none) Tj ET")
			return m.object(8, "<</Type/Catalog/Pages 7 0 R>>").object(7, "<</Type/Pages/Kids[3 0 R 1 0 R]>>")
		}, []string{look + "\n", "second\n", "in none\n"}},
		{"several contents", func(m *pdfMaker) *pdfMaker {
			m.object(1, "<</Type/Page/Contents[2 0 R 3 0 R 4 0 R]"+pdfPlainFont+">>").object(9, pdfHelv)
			return m.stream(2, "", "BT /F 12 Tf ("+look[:9]+")").plain(3, "", "Tj\n("+look[9:]+")").stream(4, "", "Tj ET")
		}, []string{look + "\n"}},
		{"one name, two fonts", func(m *pdfMaker) *pdfMaker {
			m.page(1, "/Resources<</Font<</F 9 0 R>>>>", "BT /F 9 Tf <"+codesA(look)+"> Tj ET").stream(11, "", a).object(9, "<</Subtype/TrueType/ToUnicode 11 0 R>>")
			return m.page(3, "/Resources<</Font<</F 8 0 R>>>>", "BT /F 9 Tf <"+codesB(look)+"> Tj ET").stream(12, "", b).object(8, "<</Subtype/TrueType/ToUnicode 12 0 R>>")
		}, []string{look + "\n", look + "\n"}},
		{"a form, once", func(m *pdfMaker) *pdfMaker {
			return form(m).page(1, "/Resources<</XObject<</X 5 0 R>>>>", "/X Do /X Do").page(3, "/Resources<</XObject<</X 5 0 R>>>>", "/X Do BT (two) Tj ET")
		}, []string{look + "\n", "two\n"}},
		{"shared contents", func(m *pdfMaker) *pdfMaker {
			m.object(1, "<</Type/Page/Contents[2 0 R 4 0 R]>>").object(3, "<</Type/Page/Contents[2 0 R 6 0 R]>>")
			return m.stream(2, "", "BT (head "+look+") Tj 0 -20 Td").stream(4, "", "(one) Tj ET").stream(6, "", "(two) Tj ET")
		}, []string{"head " + look + "\none\n", "two\n"}},
		{"how a field looks", func(m *pdfMaker) *pdfMaker {
			form(m).object(7, "<</AP<</N 5 0 R>>>>").object(6, "<</AP<</N<</On 4 0 R>>>>>>").stream(4, "", "BT (on) Tj ET")
			return m.page(1, "/Annots[7 0 R 6 0 R]", "BT (one) Tj ET")
		}, []string{"one\n" + look + "\non\n"}},
		{"in object streams", func(m *pdfMaker) *pdfMaker {
			m.packed(20, "/Extends 21 0 R", 9, pdfHelv, 1, "<</Type/Page/Contents 2 0 R/Resources 8 0 R>>", 8, "<</Font 7 0 R>>")
			return m.packed(21, "/Extends 20 0 R", 7, "<</F 9 0 R>>").stream(2, "", show)
		}, []string{look + "\n"}},
		{"the last of a number", func(m *pdfMaker) *pdfMaker {
			m.packed(20, "", 1, "<</Type/Page/Contents 3 0 R>>").stream(3, "", "BT (old) Tj ET").stream(2, "", show).object(9, pdfHelv)
			return m.object(1, "<</Type/Page/Contents 2 0 R"+pdfPlainFont+">>")
		}, []string{look + "\n"}},
		{"another filter", func(m *pdfMaker) *pdfMaker {
			return m.object(1, "<</Type/Page/Contents 2 0 R>>").plain(2, "/Filter/RunLengthDecode", string(rune(len(show)-1))+show+"\x80")
		}, []string{look + "\n"}},
		{"lying lengths", func(m *pdfMaker) *pdfMaker {
			m.object(9, pdfHelv).object(1, "<</Type/Page/Contents[2 0 R 3 0 R]"+pdfPlainFont+">>")
			m.object(2, "<</Length 999999>>\nstream\n"+show+"\nendstream")
			return m.object(3, "<</Length 3>>\nstream\r\nBT 0 -99 Td (after) Tj ET\r\nendstream")
		}, []string{look + "\nafter\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := reads(t, c.make(newPDF(t)).bytes())
			for i, want := range append(c.pages, "") {
				if got := r.texts[fmt.Sprint("page-", i+1)]; got != want {
					t.Errorf("page %d: got %q, want %q, of %q, skips %q", i+1, got, want, r.texts, r.skips)
				}
			}
		})
	}
}

// Strings that stand on no page, each once; what pages show too is the same copy.
func TestPDFStrings(t *testing.T) {
	look := canary(64)
	m := newPDF(t).page(1, "", "BT (one) Tj ET")
	m.object(10, "<</T(api_token)/V<feff"+pdfWide("geheim ü "+look)+">/DA(/Helv 0 Tf)>>")
	m.object(11, "<</Contents(a \\(note\\))/A<</URI(https://u:p@h/)/JS<"+fmt.Sprintf("%x", "app.x('y')")+">>>>>")
	m.object(12, "<</Producer(Writer)/Title(\xfe\xff\x00T\x00i)/ApiKey(k1)/CreationDate(D:2026)/Odd<00010203ff>>>").object(13, "(alone \x8d)")
	m.packed(14, "", 15, "<</Title(a bookmark)/Dest[1 0 R]>>", 16, "<</Title(a bookmark)>>", 17, "<</T(pin)/V 18 0 R>>", 18, "(4711)")
	m.stream(19, "/Type/EmbeddedFile/Subtype/text#2fplain", "attached "+look)
	r := reads(t, m.bytes())
	want := []string{
		"api_token", "api_token = geheim ü " + look, "a (note)", "https://u:p@h/", "app.x('y')",
		"Writer", "Ti", "ApiKey = k1", "alone “", "a bookmark", "pin", "pin = 4711", "4711",
	}
	if got := r.texts["strings"]; got != strings.Join(want, "\n")+"\n" || r.first["strings"] != 1 || len(r.skips) > 0 {
		t.Errorf("got %q after %d, skips %q", got, r.first["strings"], r.skips)
	}
	if !strings.Contains(r.texts["object-19"], look) || r.first["object-14"] != 1 {
		t.Errorf("contents %q, first %v", r.texts, r.first)
	}
}
