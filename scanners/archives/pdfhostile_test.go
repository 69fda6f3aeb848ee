package archives_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Documents that lead in circles, lie or claim much give what they hold, and end.
func TestPDFHostile(t *testing.T) {
	look := canary(65)
	show := "BT (" + look + ") Tj ET"
	for _, c := range []struct {
		name, skip string // a part of the detail; "": nothing is skipped
		make       func(m *pdfMaker) *pdfMaker
	}{
		{"parents in a circle", "", func(m *pdfMaker) *pdfMaker {
			return m.page(1, "/Parent 3 0 R", show).object(3, "<</Type/Pages/Parent 4 0 R/Kids[4 0 R]>>").object(4, "<</Type/Pages/Parent 3 0 R/Kids[3 0 R 1 0 R]>>").
				object(5, "<</Type/Catalog/Pages 3 0 R>>")
		}},
		{"itself", "", func(m *pdfMaker) *pdfMaker {
			m.object(5, "5 0 R").object(6, "[6 0 R]").object(7, "<</Type/Catalog/Pages 7 0 R/Kids[7 0 R]/Resources 7 0 R/Font 7 0 R>>")
			m.packed(8, "/Extends 8 0 R/Length 8 0 R", 8, "[8 0 R]", 9, "9 0 R")
			m.object(4, "<</Type/Page/Contents 4 0 R/Resources 4 0 R/Annots 4 0 R/Parent 4 0 R/AP 4 0 R/N 4 0 R/Font 4 0 R/F 4 0 R/ToUnicode 4 0 R>>")
			return m.page(1, "/Resources 5 0 R/Annots[1 0 R 6 0 R]", "BT /F 1 Tf /5 Tf Tf 1 TL "+show+" Q Q EMC EMC Do ' \" TJ BDC")
		}},
		{"streams that extend each other", "", func(m *pdfMaker) *pdfMaker {
			return m.packed(8, "/Extends 9 0 R", 1, "<</Type/Page/Contents 2 0 R>>").packed(9, "/Extends 8 0 R", 1, "<</Type/Page/Contents 2 0 R>>").stream(2, "", show)
		}},
		{"forms in a circle", "", func(m *pdfMaker) *pdfMaker {
			m.stream(5, "/Subtype/Form/Resources<</XObject<</X 6 0 R/Y 1 0 R>>>>", show+"/X Do /Y Do").stream(6, "/Subtype/Form/Resources<</XObject<</X 5 0 R>>>>", "/X Do")
			return m.page(1, "/Resources<</XObject<</X 5 0 R>>>>", "/X Do")
		}},
		{"a font that is the page", "which characters", func(m *pdfMaker) *pdfMaker {
			return m.page(1, "/Subtype/Type0/DescendantFonts[1 0 R]/W[1 1 R]/Resources<</Font<</F 1 0 R>>>>", show+" BT /F 1 Tf (ab) Tj ET")
		}},
		{"a table of all", "proportion", func(m *pdfMaker) *pdfMaker {
			m.stream(9, "", strings.Repeat("1 beginbfrange <0000> <FFFF> <"+strings.Repeat("0041", 400)+"> endbfrange\n", 70_000))
			m.object(8, "<</Subtype/Type0/ToUnicode 9 0 R>>")
			return m.page(1, "/Resources<</Font<</F 8 0 R>>>>", show+" BT /F 1 Tf <"+strings.Repeat("fffe", 1000)+"> Tj ET")
		}},
		{"deep", "", func(m *pdfMaker) *pdfMaker {
			deep := strings.Repeat("[<</A", 10_000)
			m.object(3, deep).object(4, strings.Repeat("(", 10_000)).object(5, strings.Repeat("<<", 10_000))
			m.object(6, "<</Font 7 0 R>>").object(7, deep[:400]+strings.Repeat(">>]", 80))
			return m.page(1, "/Resources 6 0 R", show+deep)
		}},
		{"nothing but numbers", "", func(m *pdfMaker) *pdfMaker {
			return m.page(1, "", show+" BT 1e999 -.-. 99999999999999999999999999999999999999 0 0 1 0 0 Tm "+strings.Repeat("9", 400)+" 0 Td (x) Tj "+strings.Repeat("1 ", 1000)+"Tm (y) Tj ET")
		}},
		{"too many operands", "longer than", func(m *pdfMaker) *pdfMaker {
			return m.page(1, "", show+strings.Repeat("1 ", 70_000))
		}},
		{"a string without end", "", func(m *pdfMaker) *pdfMaker {
			m.object(7, "<</A(").page(1, "", show)
			return m.object(8, "<</A(")
		}},
		{"a lying object stream", "", func(m *pdfMaker) *pdfMaker {
			m.stream(5, "/Type/ObjStm/N 99999999999/First -99999999999", "1 99999999999 2 -5 3 4 ")
			return m.stream(6, "/Type/ObjStm/N -1/First 1e9", "1 0 ").stream(7, "/Type/ObjStm/N 9/First 4294967296", "1 0").page(1, "", show)
		}},
		{"predicted", "", func(m *pdfMaker) *pdfMaker {
			m.stream(5, "/DecodeParms<</Predictor 12/Columns 99999999/Colors 99999>>", "x").stream(6, "/DecodeParms<</Predictor 15/Columns 0>>", "xyz")
			m.stream(8, "/DecodeParms<</Predictor 15/Columns 4/BitsPerComponent 0>>", "\x04abcd\x03xyz1\x01abcd\x02abcd\x09xyz")
			return m.object(3, "<</Type/Page/Contents[5 0 R 6 0 R 8 0 R]>>").page(1, "", show)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := c.make(newPDF(t)).bytes()
			s := expand(t, small(), data, look)
			if !slices.ContainsFunc(s.found, func(p string) bool { return strings.HasPrefix(p, "item!page-") }) {
				t.Errorf("found in %q of %q, skips %v", s.found, s.paths, s.skips)
			}
			if said := fmt.Sprint(s.order); c.skip == "" && len(s.order) > 0 || !strings.Contains(said, c.skip) {
				t.Errorf("skips %v, want %q", said, c.skip)
			}
		})
	}
}

// Much is read within bounds of work and memory, and what stands before it is found.
func TestPDFWork(t *testing.T) {
	look := canary(66)
	show := "BT (" + look + ") Tj ET "
	big := strings.Repeat("(aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa) Tj\n", 300_000)
	for _, c := range []struct {
		name, skip string
		make       func(m *pdfMaker) *pdfMaker
		reads, out int64
	}{
		{"a page of much", "", func(m *pdfMaker) *pdfMaker { return m.page(1, "", show+big) }, 8, 18 << 20},
		{"many pages, one program", "proportion", func(m *pdfMaker) *pdfMaker {
			m.page(1, "", show).stream(5, "", big)
			for i := range 500 {
				m.object(10+i, "<</Type/Page/Contents 5 0 R>>")
			}
			return m
		}, 50, 36 << 20},
		{"many objects", "more objects", func(m *pdfMaker) *pdfMaker {
			m.page(1, "", show)
			for i := range 300_000 {
				fmt.Fprintf(&m.b, "%d 0 obj 1 endobj\n", 10+i)
			}
			return m
		}, 5, 1 << 20},
		{"objects that are all one", "proportion", func(m *pdfMaker) *pdfMaker {
			var args []any
			for i := range 20_000 {
				args = append(args, 10+i, "")
			}
			args[len(args)-1] = "[" + strings.Repeat("1 ", 100_000) + "]"
			return m.page(1, "", show).packed(9, "", args...)
		}, 9, 4 << 20},
		{"object streams of much", "more bytes", func(m *pdfMaker) *pdfMaker {
			m.page(1, "", show)
			for i := range 9 {
				m.packed(10+i, "", 20+i, strings.Repeat("1 ", 7<<20))
			}
			return m
		}, 9, 90 << 20},
		{"many fonts of much", "", func(m *pdfMaker) *pdfMaker {
			var table, fonts, use strings.Builder
			for i := range 60_000 {
				fmt.Fprintf(&table, "1 beginbfchar <%04x> <%s> endbfchar\n", i, strings.Repeat("0041", 30))
			}
			for i := range 20 {
				m.object(10+i, "<</Subtype/Type0/Encoding/Identity-H/ToUnicode 9 0 R/N "+fmt.Sprint(i)+">>")
				fmt.Fprintf(&fonts, "/F%d %d 0 R", i, 10+i)
				fmt.Fprintf(&use, "q /F%d 1 Tf (ab) Tj ", i)
			}
			return m.stream(9, "", table.String()).page(1, "/Resources<</Font<<"+fonts.String()+">>>>", show+use.String())
		}, 90, 16 << 20},
		{"a name said of many", "proportion", func(m *pdfMaker) *pdfMaker {
			m.page(1, "", show).object(5, "("+strings.Repeat("a long value", 50_000)+")")
			return m.object(6, "<</T("+strings.Repeat("n", 900_000)+")"+strings.Repeat("/V 5 0 R", 30_000)+">>")
		}, 9, 4 << 20},
		{"a flood of begins", "longer than", func(m *pdfMaker) *pdfMaker {
			m.page(1, "", show).b.WriteString(strings.Repeat("7 0 obj (", 300_000) + strings.Repeat("8 0 obj<<", 100_000))
			return m
		}, 12, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := c.make(newPDF(t)).bytes()
			m := metered(t, data, look)
			if !slices.Contains(m.found, "item!page-1") {
				t.Errorf("found in %q, %d contents, skips %.300q", m.found, m.count, m.skips)
			}
			if m.read > c.reads*int64(len(data))+1<<20 || m.out > c.out || m.heap > 140<<20 {
				t.Errorf("%d bytes: read %d, out %d, %d MiB of memory", len(data), m.read, m.out, m.heap>>20)
			}
			if said := strings.Join(m.skips, "\n"); !strings.Contains(said, c.skip) || c.skip == "" && said != "" || len(m.skips) > 3 {
				t.Errorf("skips %.300q, want %q", said, c.skip)
			}
			t.Logf("%d KiB: read %d KiB, out %d KiB in %d contents, heap %d KiB", len(data)>>10, m.read>>10, m.out>>10, m.count, m.heap>>10)
		})
	}
}

// pdfSample is a document of everything that is read.
func pdfSample(t testing.TB, look string) []byte {
	table, codes := pdfSubset(look, 2)
	m := newPDF(t).object(9, "<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[<</W[1[600 600]3 9 600]>>]/ToUnicode 8 0 R>>")
	m.stream(8, "", table).stream(7, "/Subtype/Form/Matrix[1 0 0 1 9 9]", "BT /F 9 Tf (form) Tj ET")
	m.page(1, "/Parent 3 0 R/Annots[<</AP<</N 7 0 R>>/V(value)/T(name)>>]/Resources<</Font<</F 9 0 R/G 10 0 R>>/XObject<</X 7 0 R>>>>",
		"q 1 0 0 1 0 0 cm BT /F 12 Tf [<"+codes(look[:9])+">-90<"+codes(look[9:])+">]TJ /G 9 Tf 0 -20 Td (\\1b) ' /Span<</ActualText(x)>>BDC (y) Tj EMC ET Q BI /W 1 ID x EI /X Do")
	m.packed(12, "/DecodeParms<</Predictor 1>>", 3, "<</Type/Pages/Kids[1 0 R]>>", 4, "<</Type/Catalog/Pages 3 0 R>>", 5, "<</Title<feff0041>>>")
	return m.object(10, "<</Subtype/Type1/Widths[500]/FirstChar 1/Encoding<</Differences[1/uni0041/A]>>>>").bytes()
}

// A document that was cut anywhere gives what is there or lists it.
func TestPDFCut(t *testing.T) {
	look := canary(67)
	data := pdfSample(t, look)
	if s := expand(t, small(), data, look); !slices.Equal(s.found, []string{"item!page-1"}) || len(s.skips) > 0 {
		t.Fatalf("whole: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	for n := 16; n < len(data); n += 16 {
		if s := expand(t, small(), data[:n], look); s.paths[len(s.paths)-1] != "item" {
			t.Errorf("cut at %d: contents %q", n, s.paths)
		}
		damaged := bytes.Clone(data)
		damaged[n] ^= 0x41
		if s := expand(t, small(), damaged, look); s.paths[len(s.paths)-1] != "item" || len(s.found) > 1 {
			t.Errorf("damaged at %d: found in %q of %q", n, s.found, s.paths)
		}
	}
}

func FuzzPDF(f *testing.F) {
	f.Add(pdfSample(f, canary(67)))
	m := newPDF(f).object(9, pdfHelv)
	m.plain(2, "", "BT /F 12 Tf [(a) -333 <62>]TJ T* 1 2 (c) \" /X Do % comment\n/P<</ActualText(x)/Alt(y)>>BDC(z)'EMC BI ID EI \nET")
	m.plain(3, "", "1 begincodespacerange<00><80><8100><9fff>endcodespacerange 1 beginbfrange<01><05>[<0041><d835dd18>/a]endbfrange 1 beginbfchar<8101><0042>endbfchar")
	m.plain(4, "/Type/ObjStm/N 2/First 8", "5 0 6 9 <</T(a)/V 6 0 R>>(b)")
	m.object(7, "<</Subtype/Type0/Encoding 3 0 R/ToUnicode 3 0 R/DescendantFonts[<</W[1[2 3]4 5 6]/DW 7>>]>>").plain(8, "/Subtype/Form/Matrix[1 0 0 1 0 0]", "(x)Tj")
	f.Add(m.object(1, "<</Type/Page/Contents[2 0 R]/Annots[<</AP<</N 8 0 R>>>>]/Resources<</Font<</F 9 0 R/G 7 0 R/H<</Subtype/Type3/FontMatrix[.01 0 0 .01 0 0]>>>>/XObject<</X 8 0 R>>>>>>").bytes())
	l := small()
	l.Bytes, l.Entries = 1<<20, 100
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte("%PDF-1.7\n"), data...)
		s := expand(t, l, data, "")
		if s.bytes > l.Bytes+3*int64(len(data))*int64(l.Depth+1) || s.contents > l.Entries+1 || s.paths[len(s.paths)-1] != "item" {
			t.Errorf("%d bytes in %d contents out of %d", s.bytes, s.contents, len(data))
		}
		for _, k := range s.order {
			// A panic becomes a skip of the document.
			if k.Path == "item" && k.Detail == "damaged or cut short" {
				t.Errorf("the reader failed")
			}
		}
	})
}
