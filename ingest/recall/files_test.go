package recall_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"database/sql"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"html"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/andybalholm/brotli"
	"github.com/dsnet/compress/bzip2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
	_ "modernc.org/sqlite" // for database/sql
)

// maker of a file of a text.
type filer func(t *testing.T, b *bench, r *rand.Rand, text []byte) []byte

// inStraw is a text file of a kind.
func inStraw(kind string, n int) filer {
	return func(_ *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
		return slices.Concat(b.straw(r, kind, r.IntN(n)+1), text, b.straw(r, kind, r.IntN(n)+1))
	}
}

// packed is a small text file in something else.
func packed(pack func(t *testing.T, data []byte) []byte) filer {
	return func(t *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
		return pack(t, inStraw([]string{"text", "log", "source"}[r.IntN(3)], 3000)(t, b, r, text))
	}
}

func stream(open func(io.Writer) (io.WriteCloser, error)) func(*testing.T, []byte) []byte {
	return func(t *testing.T, data []byte) []byte {
		var b bytes.Buffer
		w, err := open(&b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

func asGzip() func(*testing.T, []byte) []byte {
	return stream(func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func asZstd() func(*testing.T, []byte) []byte {
	return stream(func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
}

func asBrotli() func(*testing.T, []byte) []byte {
	return stream(func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil })
}

// asMozLz4 is a file of Firefox: one block of LZ4 behind its size.
func asMozLz4() func(*testing.T, []byte) []byte {
	return func(t *testing.T, data []byte) []byte {
		block := make([]byte, lz4.CompressBlockBound(len(data)))
		n, err := lz4.CompressBlock(data, block, nil)
		if err != nil {
			t.Fatal(err)
		}
		return append(binary.LittleEndian.AppendUint32([]byte("mozLz40\x00"), uint32(len(data))), block[:n]...)
	}
}

// zipOf is a zip file with one more member before and after.
func zipOf(method uint16, name string, data []byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			panic(err)
		}
	}
	add("META-INF/MANIFEST.MF", []byte("Manifest-Version: 1.0\r\n"))
	add(name, data)
	add("end.txt", []byte("nothing\n"))
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func tarOf(name string, data []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o600, Typeflag: tar.TypeReg}); err != nil {
		panic(err)
	}
	if _, err := w.Write(data); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func zipped(method uint16, name string) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte { return zipOf(method, name, data) }
}

func tarred(name string) func(*testing.T, []byte) []byte {
	return func(_ *testing.T, data []byte) []byte { return tarOf(name, data) }
}

// then packs what was packed.
func then(list ...func(*testing.T, []byte) []byte) func(*testing.T, []byte) []byte {
	return func(t *testing.T, data []byte) []byte {
		for _, f := range list {
			data = f(t, data)
		}
		return data
	}
}

// document is an office document with the text in its main part; between is
// what a word processor puts between two runs of characters, "" for one run.
func document(part, before, after, between string) filer {
	return func(t *testing.T, _ *bench, r *rand.Rand, text []byte) []byte {
		if !isText(text) {
			t.Fatal("no text for a document")
		}
		s := html.EscapeString(string(text))
		if between != "" {
			if c, ok := broken(2, always(between), betweenLetters)(r, []byte(s)); ok {
				s = string(c.out)
			}
		}
		return zipOf(zip.Deflate, part, []byte(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"+before+prose(r, 50)+s+prose(r, 50)+after))
	}
}

// minified is one long line of a program.
func minified(_ *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
	line := func(n int) []byte { return bytes.ReplaceAll(b.straw(r, "source", n), []byte("\n"), []byte(";")) }
	return slices.Concat(line(150<<10), bytes.ReplaceAll(text, []byte("\n"), []byte("\n")), line(150<<10))
}

// wideFile is a text file as UTF-16 with a byte order mark.
func wideFile(order binary.AppendByteOrder) filer {
	return func(t *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
		out := order.AppendUint16(nil, 0xfeff)
		for _, u := range utf16.Encode([]rune(string(inStraw("text", 2000)(t, b, r, text)))) {
			out = order.AppendUint16(out, u)
		}
		return out
	}
}

// acrossBorder has the text where a chunk ends.
func acrossBorder(chunk int) filer {
	return func(_ *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
		before := b.straw(r, "log", chunk)
		return slices.Concat(before[:chunk-r.IntN(len(text)+1)], text, b.straw(r, "log", chunk))
	}
}

// database is an SQLite file with the text in a cell that is n bytes long, the
// text where a page ends.
func database(n int) filer {
	return func(t *testing.T, b *bench, r *rand.Rand, text []byte) []byte {
		name := filepath.Join(t.TempDir(), "x.db")
		db, err := sql.Open("sqlite", name)
		if err != nil {
			t.Fatal(err)
		}
		cell := string(text)
		if n > 0 {
			const page, header = 4096, 6
			local := (page-12)*32/255 - 23
			if k := local + (n+header-local)%(page-4); k <= page-35 {
				local = k
			}
			at := local - header + page - 4 - len(text)/2
			cell = string(b.straw(r, "text", 8*n)[:n])
			cell = cell[:at] + cell[:1] + "\n" + string(text) + cell[at:]
			cell = cell[:n]
		}
		db.SetMaxOpenConns(1)
		for _, q := range []string{"PRAGMA synchronous = OFF", "PRAGMA journal_mode = OFF", "BEGIN", "CREATE TABLE notes (id INTEGER PRIMARY KEY, at TEXT, note TEXT)", "INSERT INTO notes (at, note) VALUES ('2026', 'first')"} {
			if _, err := db.Exec(q); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 8 { // so few that no page is split, which would leave copies
			note := prose(r, 200)
			if i == 5 {
				note = cell
			}
			if _, err := db.Exec("INSERT INTO notes (note) VALUES (?)", note); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec("COMMIT"); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

// sevenZip is a 7z file of one member that is not compressed.
func sevenZip(_ *testing.T, data []byte) []byte {
	le := binary.LittleEndian
	var name []byte
	for _, u := range utf16.Encode([]rune("notes.txt\x00")) {
		name = le.AppendUint16(name, u)
	}
	size := []byte{0xc0 | byte(len(data)>>16), byte(len(data)), byte(len(data) >> 8)}
	header := slices.Concat(
		[]byte{1, 4, 6, 0, 1, 9}, size, []byte{0}, // one packed stream
		[]byte{7, 0x0b, 1, 0, 1, 1, 0, 0x0c}, size, // one folder, copied
		[]byte{0x0a, 1}, le.AppendUint32(nil, crc32.ChecksumIEEE(data)), []byte{0, 0},
		[]byte{5, 1, 0x11, byte(len(name) + 1), 0}, name, []byte{0, 0}, // one file
	)
	start := le.AppendUint64(nil, uint64(len(data)))
	start = le.AppendUint64(start, uint64(len(header)))
	start = le.AppendUint32(start, crc32.ChecksumIEEE(header))
	out := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), le.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return slices.Concat(out, start, data, header)
}

// debian is a package: an ar archive with a compressed tar in it.
func debian(t *testing.T, data []byte) []byte {
	inner := asGzip()(t, tarOf("./etc/app.conf", data))
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, m := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"data.tar.gz", inner}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", m.name, 0, 0, 0, "100644", len(m.data))
		b.Write(m.data)
		if len(m.data)%2 == 1 {
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// portable is a PDF with the data in a compressed stream.
func portable(t *testing.T, data []byte) []byte {
	body := stream(func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })(t, data)
	return fmt.Appendf(nil, "%%PDF-1.5\n1 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%%%EOF\n", len(body), body)
}

// copied is a cpio archive, new ASCII.
func copied(_ *testing.T, data []byte) []byte {
	var b bytes.Buffer
	for _, m := range []struct {
		name string
		data []byte
	}{{"etc/app.conf", data}, {"TRAILER!!!", nil}} {
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, 0o100600, 0, 0, 1, 0, len(m.data), 0, 0, 0, 0, len(m.name)+1, 0)
		b.WriteString(m.name + "\x00")
		b.WriteString(strings.Repeat("\x00", -b.Len()&3))
		b.Write(m.data)
		b.WriteString(strings.Repeat("\x00", -b.Len()&3))
	}
	return b.Bytes()
}

// allPlaces lists the places.
func allPlaces() []place {
	const wordText, wordEnd = `<w:document><w:body><w:p><w:r><w:t xml:space="preserve">`, `</w:t></w:r></w:p></w:body></w:document>`
	return []place{
		{name: "text file", file: inStraw("text", 3000)},
		{name: "log", file: inStraw("log", 3000)},
		{name: "source file", file: inStraw("source", 3000)},
		{name: "binary file", file: inStraw("binary", 3000)},
		{name: "line of 300 KB", file: minified},
		{name: "UTF-16 LE file", file: wideFile(binary.LittleEndian)},
		{name: "UTF-16 BE file", file: wideFile(binary.BigEndian)},
		{name: "folder", file: inStraw("text", 3000), source: asFolder},
		{name: "standard input", file: inStraw("log", 3000), source: asStdin},
		{name: "border of two chunks", file: acrossBorder(150 << 10), chunk: 150 << 10},
		{name: "gzip", file: packed(asGzip())},
		{name: "bzip2", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return bzip2.NewWriter(w, nil) }))},
		{name: "xz", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{DictCap: 1 << 16}.NewWriter(w) }))},
		{name: "lzma", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return lzma.WriterConfig{DictCap: 1 << 16}.NewWriter(w) }))},
		{name: "zstd", file: packed(asZstd())},
		{name: "lz4", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil }))},
		{name: "snappy", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return snappy.NewBufferedWriter(w), nil }))},
		{name: "brotli, app.js.br", file: packed(asBrotli()), ext: ".js.br"},
		{name: "brotli in tar in gzip", file: packed(then(asBrotli(), tarred("web/app.js.br"), asGzip()))},
		{name: "mozLz4, a session of Firefox", file: packed(asMozLz4())},
		{name: "zlib", file: packed(stream(func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil }))},
		{name: "zip", file: packed(zipped(zip.Deflate, "notes.txt"))},
		{name: "zip, stored", file: packed(zipped(zip.Store, "notes.txt"))},
		{name: "tar", file: packed(tarred("notes.txt"))},
		{name: "tar.gz", file: packed(then(tarred("etc/app.conf"), asGzip()))},
		{name: "7z", file: packed(sevenZip)},
		{name: "cpio", file: packed(copied)},
		{name: "zip in tar.zst", file: packed(then(zipped(zip.Deflate, "notes.txt"), tarred("in.zip"), asZstd()))},
		{name: "jar in war", file: packed(then(zipped(zip.Deflate, "application.properties"), zipped(zip.Store, "WEB-INF/lib/app.jar")))},
		{name: "layer of an image", file: packed(then(tarred("app/.env"), asGzip(), tarred("blobs/sha256/0a1b")))},
		{name: "Debian package", file: packed(debian)},
		{name: "docx", file: document("word/document.xml", wordText, wordEnd, "")},
		{name: "docx, several runs", file: document("word/document.xml", wordText, wordEnd, `</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">`), sure: true},
		{name: "xlsx", file: document("xl/sharedStrings.xml", `<sst><si><t>first</t></si><si><t xml:space="preserve">`, "</t></si></sst>", "")},
		{name: "PDF", file: packed(portable)},
		{name: "SQLite, a cell", file: database(0)},
		{name: "SQLite, across pages", file: database(30_000)},
	}
}
