package archives_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"revenant/scanners/archives"
)

type part struct {
	name string
	data []byte
}

// compoundOf is a compound file whose streams lie in turns: hardly a sector
// stands beside the next of its stream.
func compoundOf(t testing.TB, parts ...part) []byte {
	t.Helper()
	const sector, end = 512, 0xfffffffe
	le := binary.LittleEndian
	var fat []uint32
	var sectors [][]byte
	add := func(b []byte) uint32 {
		sectors, fat = append(sectors, append(bytes.Clone(b), make([]byte, sector-len(b))...)), append(fat, end)
		return uint32(len(sectors) - 1)
	}
	chains := func(data ...[]byte) []uint32 {
		starts, last := make([]uint32, len(data)), make([]uint32, len(data))
		for more, turn := true, 0; more; turn++ {
			more = false
			for i, d := range data {
				if turn*sector >= len(d) {
					continue
				}
				more = true
				s := add(d[turn*sector : min((turn+1)*sector, len(d))])
				if turn == 0 {
					starts[i] = s
				} else {
					fat[last[i]] = s
				}
				last[i] = s
			}
		}
		return starts
	}
	var small []byte
	var mini []uint32
	var large [][]byte
	at := make([]uint32, len(parts))
	for i, p := range parts {
		if len(p.data) >= 4096 {
			large = append(large, p.data)
			continue
		}
		at[i] = uint32(len(mini))
		for k := 0; k < len(p.data); k += 64 {
			small = append(small, p.data[k:min(k+64, len(p.data))]...)
			small = append(small, make([]byte, -len(small)&63)...)
			mini = append(mini, uint32(len(mini)+1))
		}
		if len(p.data) > 0 {
			mini[len(mini)-1] = end
		}
	}
	var miniTable []byte
	for _, m := range mini {
		miniTable = le.AppendUint32(miniTable, m)
	}
	starts := chains(append(large, small, miniTable)...)
	entry := func(name string, kind byte, child, right, start uint32, size int) []byte {
		e := make([]byte, 128)
		for i, c := range []byte(name) {
			e[2*i] = c
		}
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66] = kind
		le.PutUint32(e[68:], 0xffffffff)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		le.PutUint32(e[116:], start)
		le.PutUint32(e[120:], uint32(size))
		return e
	}
	n := len(large)
	dir := entry("Root Entry", 5, 1, 0xffffffff, starts[n], len(small))
	dir = append(dir, entry("folder", 1, 2, 0xffffffff, 0, 0)...)
	for i, p := range parts {
		right := uint32(i + 3)
		if i == len(parts)-1 {
			right = 0xffffffff
		}
		start := at[i]
		if len(p.data) >= 4096 {
			start, starts = starts[0], starts[1:]
		}
		dir = append(dir, entry(p.name, 2, 0xffffffff, right, start, len(p.data))...)
	}
	return compoundFile(fat, sectors, chains(dir)[0], starts[len(starts)-1], len(mini), add, &fat, &sectors)
}

// compoundFile writes the tables of chains and the header.
func compoundFile(_ []uint32, _ [][]byte, dir, mini uint32, minis int, add func([]byte) uint32, fat *[]uint32, sectors *[][]byte) []byte {
	le := binary.LittleEndian
	var tables []uint32
	for len(tables)*128 < len(*fat)+40 {
		tables = append(tables, add(nil))
	}
	difat := uint32(0xfffffffe)
	if len(tables) > 109 {
		var b []byte
		for _, s := range tables[109:] {
			b = le.AppendUint32(b, s)
		}
		for len(b) < 508 {
			b = le.AppendUint32(b, 0xffffffff)
		}
		difat = add(le.AppendUint32(b[:508], 0xfffffffe))
	}
	for i, s := range tables {
		for k := range 128 {
			v := uint32(0xffffffff)
			if i*128+k < len(*fat) {
				v = (*fat)[i*128+k]
			}
			le.PutUint32((*sectors)[s][4*k:], v)
		}
	}
	head := make([]byte, 512)
	copy(head, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(head[26:], 3)
	le.PutUint16(head[30:], 9)
	le.PutUint16(head[32:], 6)
	le.PutUint32(head[48:], dir)
	le.PutUint32(head[56:], 4096)
	le.PutUint32(head[60:], mini)
	le.PutUint32(head[64:], uint32((minis*4+511)/512))
	le.PutUint32(head[68:], difat)
	for i := range 109 {
		v := uint32(0xffffffff)
		if i < len(tables) {
			v = tables[i]
		}
		le.PutUint32(head[76+4*i:], v)
	}
	return slices.Concat(head, slices.Concat(*sectors...))
}

// Streams of a compound file are whole, wherever their sectors lie.
func TestCompound(t *testing.T) {
	look := canary(21)
	across := func(n int) []byte { return slices.Concat(noise(1, n-20), []byte(look), noise(2, 9000)) }
	data := compoundOf(t, part{"one", noise(3, 5000)}, part{"two", across(1024)}, part{"small", append(noise(4, 50), look...)}, part{"three", noise(5, 9000)}, part{"bits", noise(6, 70)})
	s := expand(t, small(), data, look)
	if found := []string{"item!folder/two", "item!folder/small"}; !slices.Equal(s.found[:min(2, len(s.found))], found) || len(s.skips) > 0 || len(s.paths) != 6 || !s.packed["item"] {
		t.Errorf("found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	large := compoundOf(t, part{"one", noise(3, 4<<20)}, part{"two", across(4 << 20)}, part{"tiny", []byte("x")})
	l := archives.DefaultLimits()
	if s := expand(t, l, large, look); !slices.Contains(s.found, "item!folder/two") || len(s.skips) > 0 {
		t.Errorf("large: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	for n := 0; n < len(data); n += 301 {
		expand(t, small(), data[:n], look)
	}
	for i := 512; i+4 <= len(data); i += 4 { // every chain leads to a place that it was at
		if v := binary.LittleEndian.Uint32(data[i:]); v < uint32(len(data)/512) {
			looped := slices.Clone(data)
			binary.LittleEndian.PutUint32(looped[i:], 1)
			if s := expand(t, small(), looped, ""); s.bytes > 3*int64(len(data)) {
				t.Fatalf("%d: %d bytes out of %d", i, s.bytes, len(data))
			}
		}
	}
}

// What belongs together for a reader is together in the text.
func TestDocuments(t *testing.T) {
	const w = `<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>`
	const x = `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`
	const o = `<office:document-content xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">`
	for _, c := range []struct{ name, xml, want string }{
		{"runs", w + `<w:p a="x>y"><w:r><w:t>pass</w:t></w:r><w:proofErr/><w:r><w:rPr><w:b/></w:rPr><w:t>word = ab</w:t></w:r>` + "\n   " +
			`<w:r><w:t xml:space="preserve">&lt;&#x41;&amp;&#66;&bogus; </w:t></w:r></w:p><w:p><w:r><w:t>next</w:t></w:r></w:p>`, "password = ab<A&B&bogus; \nnext\n"},
		{"runs of a slide", w + `<a:p><a:r><a:t>one</a:t></a:r><a:r><a:t>two</a:t></a:r><a:br/><a:r><a:t>three</a:t></a:r></a:p>`, "onetwo\nthree\n"},
		{"table", w + `<w:tr><w:tc><w:p><w:t>key</w:t></w:p></w:tc><w:tc><w:p><w:t>val</w:t></w:p></w:tc></w:tr><w:tr><w:tc><w:p><w:t>k</w:t></w:p></w:tc></w:tr>`, "key , val\nk\n"},
		{"deleted", w + `<w:p><w:t>ab</w:t><w:delText>gone</w:delText><w:t>cd</w:t></w:p><w:p><w:t>e</w:t></w:p>`, "abcd\ngone\ne\n"},
		{"shared strings", x + `<si><t>key</t></si><si><r><t>va</t></r><r><t>lue</t></r></si>`, "key ,\nvalue\n"},
		{"sheet", x + `<row><c t="inlineStr"><is><t>a</t></is></c><c><v>12</v></c></row><row><c><v>3</v></c></row>`, "a , 12\n3\n"},
		{"spans", o + "\n  " + `<text:p>se<text:span a='1'>cr</text:span>et<text:s/><text:tab/>x<!-- no > --><![CDATA[<y>]]></text:p>` + "\n" + `<text:p/>`, "secret \tx<y>\n"},
		{"no end", w + `<w:p><w:t>abc</w:t><w:t attr="`, "abc\n"},
		{"nothing", w + `<w:p/></w:body>`, ""},
	} {
		if got := shown(t, []byte(c.xml), "item!text"); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	look := canary(23)
	long := w + strings.Repeat("<w:p><w:r><w:t>filling &amp; more</w:t></w:r></w:p>\n", 5000) + "<w:p><w:t>" + look[:9] + "</w:t><w:t>" + look[9:] + "</w:t></w:p>"
	data := zipped(t, member{"[Content_Types].xml", []byte(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`), zip.Deflate}, member{"word/document.xml", []byte(long), zip.Deflate})
	s := expand(t, small(), data, look)
	if !slices.Equal(s.found, []string{"item!word/document.xml!text"}) || len(s.skips) > 0 || len(s.paths) != 4 {
		t.Errorf("found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	l := small()
	l.Depth = 1 // the text is no container of its own
	if s := expand(t, l, data, look); !slices.Equal(s.found, []string{"item!word/document.xml!text"}) || len(s.skips) > 0 {
		t.Errorf("depth 1: found in %q, skips %v", s.found, s.skips)
	}
}

// The texts of an old spreadsheet and of macros are whole again.
func TestOldOffice(t *testing.T) {
	look := canary(28)
	record := func(kind uint16, b []byte) []byte {
		h := binary.LittleEndian.AppendUint16(nil, kind)
		return slices.Concat(binary.LittleEndian.AppendUint16(h, uint16(len(b))), b)
	}
	book := slices.Concat(record(0x809, append([]byte("\x00\x06\x05\x00"), make([]byte, 12)...)), noiseRecords(record),
		record(0xfc, append(noise(1, 8000), look[:13]...)), record(0x3c, append([]byte{0}, look[13:]...)), record(0x0a, nil), record(0x3c, []byte("no text")))
	copy(book[2:], "\x10\x00")
	macro := slices.Concat(noise(2, 5000), packedMacro("Attribute VB_Name = \"m\"\r\n"+strings.Repeat("password = password + password ' ", 300)+look[:30]+" "+look))
	data := compoundOf(t, part{"Workbook", book}, part{"x", noise(3, 10)})
	if s := expand(t, small(), data, look); !slices.Contains(s.found, "item!folder/Workbook!text") || len(s.skips) > 0 {
		t.Errorf("spreadsheet: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	vba := compoundOf(t, part{"m", macro}, part{"dir", noise(3, 10)})
	vba = bytes.ReplaceAll(vba, []byte("f\x00o\x00l\x00d\x00e\x00r\x00"), []byte("V\x00B\x00A\x00\x00\x00\x00\x00\x00\x00"))
	at := bytes.Index(vba, []byte("V\x00B\x00A\x00"))
	vba[at+64] = 8
	s := expand(t, small(), vba, look)
	if !slices.Contains(s.found, "item!VBA/m!text") || len(s.skips) > 0 {
		t.Errorf("macro: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	if got := shown(t, vba, "item!VBA/m!text"); !strings.HasPrefix(got, "Attribute VB_Name = \"m\"\r\npassword = password + password ' password") {
		t.Errorf("macro: %.80q", got)
	}
}

func noiseRecords(record func(uint16, []byte) []byte) []byte {
	var b []byte
	for i := range 50 {
		b = append(b, record(0x203, noise(uint64(i), 14))...)
	}
	return b
}

// packedMacro compresses as [MS-OVBA] says.
func packedMacro(text string) []byte {
	out := []byte{1}
	for ; len(text) > 0; text = text[min(4096, len(text)):] {
		chunk := text[:min(4096, len(text))]
		var data []byte
		for at := 0; at < len(chunk); {
			flags, group := byte(0), []byte(nil)
			for bit := 0; bit < 8 && at < len(chunk); bit++ {
				shift := 4
				for 1<<shift < at {
					shift++
				}
				n, back := longest(chunk, at, 1<<shift, 0xffff>>shift+3)
				if n < 3 {
					group = append(group, chunk[at])
					at++
					continue
				}
				flags |= 1 << bit
				group = binary.LittleEndian.AppendUint16(group, uint16((back-1)<<(16-shift)|(n-3)))
				at += n
			}
			data = append(append(data, flags), group...)
		}
		out = binary.LittleEndian.AppendUint16(out, 0xb000|uint16(len(data)-1))
		out = append(out, data...)
	}
	return out
}

// longest is the longest copy of what stands before a place.
func longest(s string, at, far, most int) (n, back int) {
	for b := 1; b <= min(at, far); b++ {
		k := 0
		for k < most && at+k < len(s) && s[at+k] == s[at+k-b] {
			k++
		}
		if k > n {
			n, back = k, b
		}
	}
	return n, back
}
