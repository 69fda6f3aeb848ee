package archives_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// meter is a visitor that keeps nothing, and an item that counts how it is read.
type meter struct {
	data  []byte
	look  []byte
	found []string
	skips []string
	read  int64 // of the item
	out   int64 // of its members
	count int
	heap  uint64 // the most at the begin and end of contents
}

func (m *meter) Size() int64 { return int64(len(m.data)) }
func (m *meter) Read(p []byte) (int, error) {
	panic("the item is read at places, and whole at the end")
}

func (m *meter) ReadAt(p []byte, off int64) (int, error) {
	n, err := bytes.NewReader(m.data).ReadAt(p, off)
	m.read += int64(n)
	return n, err
}

func (m *meter) sample() {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	m.heap = max(m.heap, s.HeapAlloc)
}

func (m *meter) Content(_ context.Context, c archives.Content, r io.Reader) error {
	if c.Parent == 0 {
		return nil
	}
	if m.count++; m.count%64 == 1 {
		m.sample()
	}
	buf := make([]byte, 0, 64<<10)
	for {
		n, err := r.Read(buf[len(buf):cap(buf)])
		m.out += int64(n)
		buf = buf[:len(buf)+n]
		if bytes.Contains(buf, m.look) && !slices.Contains(m.found, c.Path) {
			m.found = append(m.found, c.Path)
		}
		if len(buf) == cap(buf) {
			buf = append(buf[:0], buf[len(buf)-len(m.look):]...)
		}
		if err != nil {
			if m.count%64 == 1 {
				m.sample()
			}
			return nil
		}
	}
}

func (m *meter) Skip(s fingerprints.Skip) {
	if len(m.skips) < 2000 {
		m.skips = append(m.skips, s.Detail)
	}
}

func metered(t *testing.T, data []byte, look string) *meter {
	t.Helper()
	runtime.GC()
	m := &meter{data: data, look: []byte(look)}
	m.sample()
	before := m.heap
	l := archives.DefaultLimits()
	l.Bytes = 64 << 20
	must(t, (&archives.Expander{Limits: l}).Expand(t.Context(), m, "item", m))
	m.heap -= min(before, m.heap)
	return m
}

// With the bounds of every scan, work and memory are in proportion to what was
// given, whatever that says of itself, and the canary beside it is found.
func TestWork(t *testing.T) {
	look := canary(31)
	good := []byte("x " + look)
	zeros := make([]byte, 1<<20)
	for _, c := range []struct {
		name, skip string
		make       func() []byte
		reads      int64 // how often the item may be read
		out        int64 // most bytes out
	}{
		{"flat bomb", "more bytes", func() []byte { return flatBomb(t, good, 64) }, 3, 72 << 20},
		{"a hundred thousand deep", "nested deeper than 8", func() []byte {
			return tarred(t, member{name: "deep", data: deepAr(100_000)}, member{name: "g", data: good})
		}, 12, 9 * 7 << 20},
		{"many entries", "more entries", func() []byte { return manyEntries(good, 150_000) }, 6, 1 << 20},
		{"many entries of a tar", "more entries", func() []byte { return manyInTar(t, good, 110_000) }, 3, 1 << 20},
		{"many tables", "", func() []byte { return manyTables(t, look) }, 12, 4 << 20},
		{"cells that are all one", "damaged", func() []byte { return sameCell(t, look) }, 9, 1 << 20},
		{"gzip members without end", "", func() []byte {
			return zipped(t, member{"e.gz", bytes.Repeat(gzipped(t, nil), 200_000), zip.Store}, member{"g", good, zip.Store})
		}, 6, 16 << 20},
		{"tar of lying sizes", "damaged", func() []byte { return lyingTar(t, good) }, 3, 1 << 20},
		{"wide rows", "", func() []byte {
			return statements(t, "", "CREATE TABLE t(a,b)", "INSERT INTO t VALUES(1, zeroblob(30000000))", "INSERT INTO t VALUES(2,'"+look+"')")
		}, 9, 70 << 20},
		{"a window larger than the content", "", func() []byte {
			return zipped(t, member{"w.zst", append([]byte("\x28\xb5\x2f\xfd\x00\x88\x21\x00\x00"), "four"...), zip.Store}, member{"g", good, zip.Store})
		}, 6, 1 << 20},
		{"a flood of a document's marks", "", func() []byte {
			return slices.Concat(pdfOf(t, "/FlateDecode", good), bytes.Repeat([]byte("/Encrypt"), 200_000), bytes.Repeat([]byte(">>stream\n"), 200_000))
		}, 4, 1 << 20},
		{"a flood of headers", "damaged", func() []byte {
			return slices.Concat(zipped(t, member{"g", good, zip.Deflate})[:90], bytes.Repeat([]byte("PK\x03\x04"), 500_000))
		}, 8, 1 << 20},
		{"a flood of a macro's marks", "", func() []byte {
			vba := compoundOf(t, part{"m", bytes.Repeat([]byte("Attribut"), 500_000)}, part{"g", good})
			return bytes.ReplaceAll(vba, []byte("f\x00o\x00l\x00d\x00e\x00r\x00"), []byte("V\x00B\x00A\x00\x00\x00\x00\x00\x00\x00"))
		}, 4, 8 << 20},
		{"text of zeros", "", func() []byte {
			head := []byte(`<w:p xmlns="http://schemas.openxmlformats.org/"><w:t>` + look + `</w:t>`)
			return slices.Concat(head, zeros, bytes.Repeat([]byte("<a"), 1<<20), bytes.Repeat([]byte("&"), 1<<20), bytes.Repeat([]byte("<!-"), 1<<20))
		}, 3, 8 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := c.make()
			m := metered(t, data, look)
			if len(m.found) == 0 {
				t.Errorf("the canary was not found in %d contents, skips %.300q", m.count, m.skips)
			}
			if m.read > c.reads*int64(len(data))+1<<20 || m.out > c.out {
				t.Errorf("%d bytes: read %d, out %d", len(data), m.read, m.out)
			}
			if m.heap > 140<<20 { // the largest history is 128 MiB
				t.Errorf("%d MiB of memory", m.heap>>20)
			}
			if said := strings.Join(m.skips, "\n"); !strings.Contains(said, c.skip) || c.skip == "" && said != "" {
				t.Errorf("skips %.300q, want %q", said, c.skip)
			}
			t.Logf("%d KiB: read %d KiB, out %d KiB in %d contents, heap %d KiB", len(data)>>10, m.read>>10, m.out>>10, m.count, m.heap>>10)
		})
	}
}

// flatBomb is a zip of n zips, each of which unpacks to hundreds of megabytes.
func flatBomb(t *testing.T, good []byte, n int) []byte {
	bomb := zipped(t, member{"zeros", make([]byte, 100<<20), zip.Deflate})
	ms := []member{{"good", good, zip.Deflate}}
	for i := range n {
		ms = append(ms, member{fmt.Sprint(i, ".zip"), bomb, zip.Store})
	}
	return zipped(t, ms...)
}

// deepAr is an ar in an ar in an ar.
func deepAr(depth int) []byte {
	var b bytes.Buffer
	for i := range depth {
		fmt.Fprintf(&b, "!<arch>\n%-16s%-12d%-6d%-6d%-8s%-10d`\n", "n", 0, 0, 0, "100644", (depth-i-1)*68)
	}
	return b.Bytes()
}

// manyEntries is a zip of empty entries after a good one.
func manyEntries(good []byte, n int) []byte {
	le := binary.LittleEndian
	var b, dir []byte
	for i := range n {
		name, data := fmt.Sprintf("%06d", i), []byte(nil)
		if i == 0 {
			data = good
		}
		sum := crc32.ChecksumIEEE(data)
		local := append([]byte("\x14\x00\x00\x00\x00\x00\x00\x00\x00\x00"), le.AppendUint32(nil, sum)...)
		local = le.AppendUint32(local, uint32(len(data)))
		local = le.AppendUint32(local, uint32(len(data)))
		local = append(local, 6, 0, 0, 0)
		dir = append(dir, "PK\x01\x02\x14\x00"...)
		dir = append(dir, local...)
		dir = append(dir, make([]byte, 10)...)
		dir = le.AppendUint32(dir, uint32(len(b)))
		dir = append(dir, name...)
		b = append(b, "PK\x03\x04"...)
		b = append(b, local...)
		b = append(append(b, name...), data...)
	}
	start := len(b)
	b = append(b, dir...)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00\xff\xff\xff\xff"...)
	b = le.AppendUint32(b, uint32(len(dir)))
	b = le.AppendUint32(b, uint32(start))
	return append(b, 0, 0)
}

func manyInTar(t *testing.T, good []byte, n int) []byte {
	first := tarred(t, member{name: "good", data: good})
	one := tarred(t, member{name: "empty"})[:512]
	return slices.Concat(first[:len(first)-1024], bytes.Repeat(one, n))
}

func manyTables(t *testing.T, look string) []byte {
	run := []string{"PRAGMA page_size=512", "BEGIN"}
	for i := range 2000 {
		run = append(run, fmt.Sprintf("CREATE TABLE t%d(a,b)", i))
	}
	return statements(t, "", append(run, "INSERT INTO t1999 VALUES('k','"+look+"')", "COMMIT")...)
}

// sameCell is a database with a page that names one long record 15,000 times.
func sameCell(t *testing.T, look string) []byte {
	data := statements(t, "", "PRAGMA page_size=65536", "CREATE TABLE t(a)", "CREATE TABLE z(a)",
		"INSERT INTO t VALUES('"+strings.Repeat("long ", 6000)+"')", "INSERT INTO z VALUES('"+look+"')")
	page := data[1<<16:][:1<<16]
	binary.BigEndian.PutUint16(page[3:], 15_000)
	for i := range 15_000 {
		copy(page[8+2*i:], page[8:10])
	}
	return data
}

// lyingTar has members that claim more than there is, and less.
func lyingTar(t *testing.T, good []byte) []byte {
	lie := func(size string) []byte {
		b := tarred(t, member{name: "liar", data: []byte("some text")})[:1024]
		copy(b[124:136], size)
		sum := 8 * int(' ')
		for i, c := range b[:512] {
			if i < 148 || i >= 156 {
				sum += int(c)
			}
		}
		copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		return b
	}
	data := tarred(t, member{name: "good", data: good})
	return slices.Concat(data[:len(data)-1024], lie("00000000000\x00"), lie("\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"), lie("77777777777\x00"))
}

// What is cut short gives what it holds up to there, does no harm to its
// neighbour, and is listed.
func TestCutShort(t *testing.T) {
	look := canary(32)
	all := packers(t)
	maps.Copy(all, morePackers(t))
	// What has no length, whose end is found at its end, or that was cut where a part ends.
	tolerant := map[string]bool{"zip behind": true, "pdf": true, "rpm": true, "gzip twice": true, "compound": true}
	for name, pack := range all {
		whole := pack(noise(1, 20_000))
		for _, n := range []int{30, 100, 600, len(whole) / 2, len(whole) - 30} {
			data := tarred(t, member{name: "cut", data: whole[:n]}, member{name: "g", data: []byte(look)})
			s := expand(t, small(), data, look)
			if !slices.Contains(s.found, "item!g") {
				t.Errorf("%s cut at %d: found in %q, skips %v", name, n, s.found, s.skips)
			}
			if len(s.skips) == 0 && n > 600 && !tolerant[name] {
				t.Errorf("%s cut at %d: nothing is listed", name, n)
			}
		}
	}
}

// A name is told and never used, whatever it is.
func TestNames(t *testing.T) {
	look := canary(33)
	names := []string{"../../etc/passwd", "/etc/passwd", `..\..\windows\system32`, `C:\x`, "nul", "CON", "a\x00b", "\n\r\x1b[2J", ".", "..", "", "/", "a//b", "\xff\xfe"}
	for kind, pack := range map[string]func(string) []byte{
		"zip":  func(n string) []byte { return zipped(t, member{n, []byte(look), zip.Store}) },
		"cpio": func(n string) []byte { return cpioOf(n, []byte(look)) },
		"7z":   func(n string) []byte { return stored7z(n, []byte(look)) },
		"ar":   func(n string) []byte { return arOf(n[:min(len(n), 15)], []byte(look)) },
	} {
		for _, n := range names {
			if kind == "zip" && strings.HasSuffix(n, "/") {
				continue // a folder holds nothing
			}
			if s := expand(t, small(), pack(n), look); len(s.found) == 0 {
				t.Errorf("%s %q: found in %q of %q, skips %v", kind, n, s.found, s.paths, s.skips)
			}
		}
	}
}
