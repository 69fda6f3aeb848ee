package archives_test

import (
	"archive/zip"
	"bytes"
	"encoding/ascii85"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

// morePackers are the formats that the tests write themselves.
func morePackers(t testing.TB) map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"cpio": func(b []byte) []byte { return cpioOf("m", b) },
		"ar":   func(b []byte) []byte { return arOf("debian-binary", []byte("2.0\n"), "m", b) },
		"rpm":  func(b []byte) []byte { return rpmOf(b) },
		"snappy": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil })
		},
		"s2": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return s2.NewWriter(w), nil })
		},
		"lzma": func(b []byte) []byte {
			return through(t, b, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })
		},
		"compound": func(b []byte) []byte { return compoundOf(t, part{"m", b}, part{"other", noise(1, 900)}) },
		"pg_dump":  func(b []byte) []byte { return pgDumpOf(t, pgWriter{version: 14, level: -1}, b) },
		"pdf":      func(b []byte) []byte { return pdfOf(t, "/FlateDecode", b) },
		"sqlite": func(b []byte) []byte {
			return statements(t, "", "CREATE TABLE m(a,b)", fmt.Sprintf("INSERT INTO m VALUES(1,x'%x')", b))
		},
	}
}

// TestLzmaMatches has matches that reach further back than the smallest
// dictionary.
func TestLzmaMatches(t *testing.T) {
	look, far := canary(26), noise(4, 700)
	for _, gap := range []int{0, 3 << 10, 4 << 10, 5 << 10, 70 << 10} {
		for _, fill := range [][]byte{noise(5, gap), bytes.Repeat([]byte("a line of a log\n"), gap/16)} {
			plain := slices.Concat(far, fill, far, []byte(look), fill)
			s := expand(t, small(), morePackers(t)["lzma"](plain), look)
			if !slices.Equal(s.found, []string{"item!content"}) || len(s.skips) > 0 {
				t.Errorf("%d between: %v %v", gap, s.found, s.skips)
			}
		}
	}
}

// cpioOf is a cpio of names and contents, in the new form.
func cpioOf(pairs ...any) []byte {
	var b bytes.Buffer
	pad := func() {
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	for i := 0; i <= len(pairs); i += 2 {
		name, data := "TRAILER!!!", []byte(nil)
		if i < len(pairs) {
			name, data = pairs[i].(string), pairs[i+1].([]byte)
		}
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", i, 0o100600, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0)
		b.WriteString(name + "\x00")
		pad()
		b.Write(data)
		pad()
	}
	return b.Bytes()
}

func arOf(pairs ...any) []byte {
	b := []byte("!<arch>\n")
	for i := 0; i < len(pairs); i += 2 {
		data := pairs[i+1].([]byte)
		b = append(b, fmt.Sprintf("%-16s%-12d%-6d%-6d%-8s%-10d`\n", pairs[i], 0, 0, 0, "100644", len(data))...)
		b = append(b, data...)
		if len(data)%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

// rpmOf is a package with a payload.
func rpmOf(payload []byte) []byte {
	head := func(entries, size int) []byte {
		b := append([]byte("\x8e\xad\xe8\x01\x00\x00\x00\x00"), binary.BigEndian.AppendUint32(nil, uint32(entries))...)
		b = binary.BigEndian.AppendUint32(b, uint32(size))
		return append(b, make([]byte, 16*entries+size)...)
	}
	lead := append([]byte("\xed\xab\xee\xdb\x03\x00"), make([]byte, 90)...)
	return slices.Concat(lead, head(1, 5), []byte{0, 0, 0}, head(3, 77), payload)
}

// pdfOf is a document with one packed stream, and others beside it.
func pdfOf(t testing.TB, filter string, data []byte) []byte {
	flate := through(t, data, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })
	switch {
	case strings.Contains(filter, "LZW"):
		flate = lzwOf(data)
	case strings.Contains(filter, "RunLength"):
		flate = runsOf(data)
	case strings.Contains(filter, "85"):
		var b bytes.Buffer
		w := ascii85.NewEncoder(&b)
		_, err := w.Write(flate)
		must(t, err)
		must(t, w.Close())
		flate = append(b.Bytes(), "~>"...)
	case strings.Contains(filter, "Hex"):
		flate = []byte(hex.EncodeToString(flate[:10]) + "\n " + hex.EncodeToString(flate[10:]) + ">")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%%PDF-1.7\n1 0 obj\n<</Length 3>>\nstream\nabc\nendstream\nendobj\n")
	fmt.Fprintf(&b, "2 0 obj\n<< /Filter /DCTDecode /Length 3>>\nstream\nabc\nendstream\nendobj\n")
	fmt.Fprintf(&b, "12 0 obj\n<< /DecodeParms <</Predictor 1>> /Length %d /Filter %s >>\r\nstream\r\n", len(flate), filter)
	b.Write(flate)
	b.WriteString("\nendstream\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n")
	return b.Bytes()
}

func TestPDF(t *testing.T) {
	look := canary(22)
	text := []byte("BT (" + look + ") Tj ET")
	for _, filter := range []string{"/FlateDecode", "[/ASCII85Decode /FlateDecode]", "[ /ASCIIHexDecode /Fl ]", "[/FlateDecode]", "/LZWDecode", "[/RunLengthDecode]"} {
		s := expand(t, small(), pdfOf(t, filter, text), look)
		if !slices.Contains(s.found, "item!object-12") || len(s.skips) > 0 || len(s.paths) != 2 || !s.packed["item"] {
			t.Errorf("%s: found in %q of %q, skips %v", filter, s.found, s.paths, s.skips)
		}
	}
	plain := pdfOf(t, "/FlateDecode", text)
	broken := slices.Clone(plain)
	i := bytes.Index(broken, []byte("stream\r\n"))
	broken[i+14] ^= 0xff
	both := slices.Concat(broken, plain)
	if s := expand(t, small(), both, look); !slices.Contains(s.found, "item!object-12") || len(s.skips) != 1 {
		t.Errorf("damaged: found in %q, skips %v", s.found, s.skips)
	}
	locked := append(slices.Clone(plain), "trailer <</Encrypt 9 0 R>>"...)
	if s := expand(t, small(), locked, look); s.skips["item"] != "encrypted" || len(s.paths) != 1 {
		t.Errorf("locked: paths %q, skips %v", s.paths, s.skips)
	}
	many := slices.Concat([]byte("%PDF-1.4\n"), bytes.Repeat([]byte(">>stream\n"), 100_000), plain)
	if s := expand(t, small(), many, look); !slices.Contains(s.found, "item!object-12") {
		t.Errorf("a flood: found in %q, skips %v", s.found, s.skips)
	}
}

// Where packages and disks put things behind each other.
func TestCpioAndPackages(t *testing.T) {
	look := canary(24)
	good := []byte("x " + look)
	inner := cpioOf("etc/app.conf", good, "empty", []byte{})
	disk := slices.Concat(cpioOf("kernel/x.bin", noise(1, 99)), make([]byte, 1000), gzipped(t, inner))
	s := expand(t, small(), disk, look)
	if !slices.Contains(s.found, "item!rest!content!etc/app.conf") || len(s.skips) > 0 {
		t.Errorf("ramdisk: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	old := fmt.Sprintf("070707%06o%06o%06o%06o%06o%06o%06o%011o%06o%011oa\x00%s", 0, 0, 0o100600, 0, 0, 1, 0, 0, 2, len(good), good) +
		"0707070000000000000000000000000000000000010000000000000000000001300000000000TRAILER!!!\x00"
	if s := expand(t, small(), []byte(old), look); !slices.Contains(s.found, "item!a") || len(s.skips) > 0 {
		t.Errorf("old: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	s = expand(t, small(), rpmOf(gzipped(t, inner)), look)
	if !slices.Contains(s.found, "item!payload.cpio.gz!payload.cpio!etc/app.conf") || len(s.skips) > 0 {
		t.Errorf("rpm: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	xz := morePackers(t)["lzma"](tarred(t, member{name: "./etc/x", data: good}))
	s = expand(t, small(), arOf("debian-binary", []byte("2.0\n"), "data.tar.lzma", xz), look)
	if !slices.Contains(s.found, "item!data.tar.lzma!data.tar!./etc/x") || len(s.skips) > 0 {
		t.Errorf("deb: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	lying := []byte(strings.Replace(string(inner), "00000000", "ffffffff", 1))
	copy(lying[54:], "ffffffff") // the first member's size
	if s := expand(t, small(), lying, look); !slices.Contains(s.found, "item!etc/app.conf") || len(s.skips) == 0 {
		t.Errorf("lying: found in %q, skips %v", s.found, s.skips)
	}
}

// Streams of several parts are read to their end, and what follows is not lost.
func TestStreamsOfParts(t *testing.T) {
	look := canary(25)
	a, b := noise(1, 9000), append(noise(2, 5000), look...)
	all := packers(t)
	skippable := append([]byte("\x5a\x2a\x4d\x18\x04\x00\x00\x00"), "1234"...)
	for name, data := range map[string][]byte{
		"gzip":             slices.Concat(all["gzip"](a), all["gzip"](b)),
		"zstd":             slices.Concat(all["zstd"](a), skippable, all["zstd"](b)),
		"zstd, skip first": slices.Concat(skippable, all["zstd"](a), all["zstd"](b)),
		"xz":               slices.Concat(all["xz"](a), make([]byte, 8), all["xz"](b)),
		"lz4":              slices.Concat(all["lz4"](a), all["lz4"](b)),
		"snappy":           slices.Concat(morePackers(t)["snappy"](a), morePackers(t)["snappy"](b)),
		"lz4 legacy":       legacyLz4(t, a, b),
		"bomb of nothing":  slices.Concat(bytes.Repeat(all["gzip"](nil), 1000), all["gzip"](b)),
	} {
		s := expand(t, small(), data, look)
		if !slices.Contains(s.found, "item!content") || len(s.skips) > 0 {
			t.Errorf("%s: found in %q of %q, skips %v", name, s.found, s.paths, s.skips)
		}
	}
}

// legacyLz4 is what lz4 -l and the kernel's build write.
func legacyLz4(t *testing.T, parts ...[]byte) []byte {
	return through(t, slices.Concat(parts...), func(w io.Writer) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(lz4.LegacyOption(true))
	})
}

// Formats that are not opened are listed, and searched as they are.
func TestUnsupported(t *testing.T) {
	look := canary(26)
	squash := append([]byte("hsqs"), make([]byte, 60)...)
	squash[28] = 4
	for name, head := range map[string][]byte{
		"rar": []byte("Rar!\x1a\x07\x01\x00"), "cab": []byte("MSCF\x00\x00\x00\x00"), "compress": []byte("\x1f\x9d\x90abc"),
		"lha": []byte("\x20\x00-lh5-"), "squashfs": squash, "erofs": append(make([]byte, 1024), 0xe2, 0xe1, 0xf5, 0xe0), "appimage": []byte("\x7fELF\x02\x01\x01\x00AI\x02"), "parquet": []byte("PAR1\x15\x00"),
	} {
		s := expand(t, small(), slices.Concat(head, noise(1, 100), []byte(look)), look)
		if s.skips["item"] != "the archive format is not supported" || !slices.Contains(s.found, "item") {
			t.Errorf("%s: found in %q, skips %v", name, s.found, s.skips)
		}
	}
}

// No stream gets more memory than the bound of histories allows.
func TestHistories(t *testing.T) {
	look := canary(27)
	huge := append([]byte("\x28\xb5\x2f\xfd\x00\xa0\x21\x00\x00"), "four"...) // a history of 1 GiB, one block
	alone := append([]byte{0x5d, 0, 0, 0, 0x80, 255, 255, 255, 255, 255, 255, 255, 255}, morePackers(t)["lzma"](noise(1, 999))[13:]...)
	for name, data := range map[string][]byte{"zstd": huge, "lzma": alone} {
		s := expand(t, small(), zipped(t, member{"h", data, zip.Store}, member{"g", []byte(look), zip.Store}), look)
		if !slices.Contains(s.found, "item!g") || len(s.skips) != 1 {
			t.Errorf("%s: found in %q of %q, skips %v", name, s.found, s.paths, s.skips)
		}
	}
}

func FuzzFormats(f *testing.F) {
	dump, err := os.ReadFile("testdata/redis7.rdb")
	must(f, err)
	f.Add(dump)
	f.Add(pgPageOf(2, compressedValue(strings.Repeat("a word, ", 90), 0), compressedValue(strings.Repeat("a word, ", 90), 1)))
	f.Add(pgPieces(7, compressedValue(strings.Repeat("a word, ", 90)+string(hexNoise(3000)), 0)[4:]))
	for _, pack := range morePackers(f) {
		f.Add(pack([]byte("x " + canary(1))))
	}
	f.Add(pdfOf(f, "[/ASCII85Decode /FlateDecode]", []byte(canary(1))))
	f.Add(pdfOf(f, "/LZWDecode", []byte(canary(1))))
	f.Add(pdfOf(f, "/RunLengthDecode", []byte(canary(1))))
	f.Add([]byte(`<w:p xmlns="http://schemas.openxmlformats.org/"><w:t>a&lt;&#65;</w:t><!-- --><![CDATA[x]]><w:delText>y</w:delText></w:p>`))
	f.Add([]byte("\x1f\x9d\x90abc"))
	p := &packer{t: f}
	p.add(3, 4, nil, []byte("base"))
	p.add(6, 8, offset(p.b.Len()), []byte("\x04\x06\x90\x04\x02ab"))
	p.add(7, 8, []byte(objectID("blob", "base")), []byte("\x04\x06\x90\x04\x02cd"))
	f.Add(p.bytes())
	f.Add([]byte("\x09\x08\x10\x00\x00\x06\x05\x00abcdefghijkl\xfc\x00\x04\x00text\x3c\x00\x03\x00\x00ab"))
	f.Add(bytes.ReplaceAll(compoundOf(f, part{"m", packedMacro("Attribute " + canary(1))}), []byte("f\x00o\x00l\x00d\x00e\x00r\x00"), []byte("V\x00B\x00A\x00\x00\x00\x00\x00\x00\x00")))
	l := small()
	l.Bytes, l.Entries = 1<<20, 100
	f.Fuzz(func(t *testing.T, data []byte) {
		s := expand(t, l, data, "")
		if s.bytes > l.Bytes+3*int64(len(data))*int64(l.Depth+1) || s.contents > l.Entries+1 {
			t.Errorf("%d bytes in %d contents out of %d", s.bytes, s.contents, len(data))
		}
	})
}
