package archives_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// pgWriter writes archives as pg_dump -Fc does: of which version of the format, how large
// numbers are, and how the data is compressed: by a level before version 1.15, by an
// algorithm since then.
type pgWriter struct {
	bytes.Buffer
	version   byte // 1.N
	ints      int  // 0: 4
	level     int
	algorithm byte
	format    byte // 0: custom
	chunk     int  // 0: 4096
}

func (w *pgWriter) int(n int) {
	sign := byte(0)
	if n < 0 {
		sign, n = 1, -n
	}
	w.WriteByte(sign)
	for range w.ints {
		w.WriteByte(byte(n))
		n >>= 8
	}
}

func (w *pgWriter) text(s string) {
	w.int(len(s))
	w.WriteString(s)
}

func (w *pgWriter) header() {
	w.WriteString("PGDMP")
	w.Write([]byte{1, w.version, 0, byte(w.ints), 8, max(w.format, 1)})
	if w.version >= 15 {
		w.WriteByte(w.algorithm)
	} else {
		w.int(w.level)
	}
	for i := range 7 {
		w.int(i)
	}
	w.text("postgres")
	if w.version >= 10 {
		w.text("17.1")
		w.text("17.1")
	}
}

func (w *pgWriter) entry(id int, tag, what string) {
	w.int(id)
	w.int(1)
	if w.version >= 8 {
		w.text("1259")
	}
	w.text("16385")
	w.text(tag)
	w.text(what)
	if w.version >= 11 {
		w.int(3)
	}
	w.text("")
	w.int(-1) // no text at all
	w.text("COPY public." + tag + " FROM stdin;\n")
	w.text("public")
	if w.version >= 10 {
		w.int(-1)
	}
	if w.version >= 14 {
		w.text("heap")
	}
	if w.version >= 16 {
		w.int('r')
	}
	w.text("postgres")
	if w.version >= 9 {
		w.text("false")
	}
	w.text("3")
	w.text("")
	w.int(-1)
	w.WriteByte(2)
	w.Write(make([]byte, 8))
}

// chunks writes data as it is compressed, with lengths before each piece.
func (w *pgWriter) chunks(t testing.TB, data []byte) {
	packed := data
	through := func(make func(io.Writer) io.WriteCloser) {
		var b bytes.Buffer
		z := make(&b)
		_, err := z.Write(data)
		must(t, err)
		must(t, z.Close())
		packed = b.Bytes()
	}
	switch {
	case w.version < 15 && w.level != 0, w.version >= 15 && w.algorithm == 1:
		through(func(b io.Writer) io.WriteCloser { return zlib.NewWriter(b) })
	case w.version >= 15 && w.algorithm == 2:
		through(func(b io.Writer) io.WriteCloser { return lz4.NewWriter(b) })
	case w.version >= 15 && w.algorithm == 3:
		through(func(b io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(b)
			must(t, err)
			return z
		})
	}
	for part := range slices.Chunk(packed, w.chunk) {
		w.int(len(part))
		w.Write(part)
	}
	w.int(0)
}

// pgDumpOf is an archive with a table's data, those of an empty one, and large objects.
func pgDumpOf(t testing.TB, w pgWriter, data []byte) []byte {
	t.Helper()
	if w.ints == 0 {
		w.ints = 4
	}
	if w.chunk == 0 {
		w.chunk = 4096
	}
	w.header()
	w.int(4)
	w.entry(7, "m", "TABLE")
	w.entry(8, "m", "TABLE DATA")
	w.entry(9, "empty", "TABLE DATA")
	w.entry(10, "BLOBS", "BLOBS")
	w.WriteByte(1)
	w.int(9)
	w.int(0)
	w.WriteByte(1)
	w.int(8)
	w.chunks(t, data)
	w.WriteByte(3)
	w.int(10)
	for i := range 2 {
		w.int(500 + i)
		w.chunks(t, slices.Concat(noise(uint64(i), 9000), data))
	}
	w.int(0)
	return w.Bytes()
}

// TestPgDump opens archives of every version, by every compression, whose data is cut
// anywhere.
func TestPgDump(t *testing.T) {
	look := canary(31)
	data := slices.Concat(hexNoise(30_000), []byte("\t"+look+"\n"), hexNoise(10_000))
	writers := []pgWriter{{version: 7, level: -1}, {version: 8, level: 9, ints: 8}, {version: 9, level: 0}, {version: 10, level: 1}, {version: 11}, {version: 14, level: -1, chunk: 1 << 17}}
	for algorithm := range byte(4) {
		writers = append(writers, pgWriter{version: 15, algorithm: algorithm, chunk: 100}, pgWriter{version: 16, algorithm: algorithm})
	}
	for _, w := range writers {
		t.Run(fmt.Sprintf("1.%d level %d algorithm %d chunks of %d", w.version, w.level, w.algorithm, w.chunk), func(t *testing.T) {
			s := expand(t, small(), pgDumpOf(t, w, data), look)
			if want := []string{"item!public.m", "item!blob-500", "item!blob-501"}; !slices.Equal(s.found, want) || len(s.skips) > 0 {
				t.Errorf("found in %q, skips %v", s.found, s.skips)
			}
		})
	}
}

// TestPgDumpRefused lists what cannot be opened, and nothing of archives whose data is
// somewhere else.
func TestPgDumpRefused(t *testing.T) {
	look := canary(32)
	whole := pgDumpOf(t, pgWriter{version: 14, level: -1}, slices.Concat([]byte(look), hexNoise(20_000)))
	damaged := bytes.Clone(whole)
	damaged[len(whole)-9000] ^= 0xff
	// What ends a table's chunks is a negative length: the stream before it is whole.
	behind := pgDumpOf(t, pgWriter{version: 14, level: -1}, []byte("a row\n"))
	end := bytes.Index(behind, []byte{1, 0, 8, 0, 0, 0}) + 6 // the block of the table
	end += 5 + int(behind[end+1]) + int(behind[end+2])<<8
	behind[end] = 1
	behind[end+1] = 9
	for _, c := range []struct {
		name, skip string
		data       []byte
		found      int
	}{
		{"damaged behind a stream", "damaged or cut short", behind, 0},
		{"another version", "the archive format is not supported", pgDumpOf(t, pgWriter{version: 99}, nil), 0},
		{"another compression", "the archive format is not supported", pgDumpOf(t, pgWriter{version: 16, algorithm: 9}, nil), 0},
		{"a folder's table of contents", "", pgDumpOf(t, pgWriter{version: 14, format: 5}, nil), 0},
		{"cut in the table of contents", "damaged or cut short", whole[:150], 0},
		{"cut in a table", "damaged or cut short", whole[:9000], 1},
		{"damaged", "damaged or cut short", damaged, 2},
	} {
		s := expand(t, small(), c.data, look)
		if len(s.found) < c.found || (c.skip == "") != (len(s.order) == 0) {
			t.Errorf("%s: found in %q, skips %v", c.name, s.found, s.skips)
		}
		for _, k := range s.order {
			if k.Detail != c.skip {
				t.Errorf("%s: %q is skipped: %s", c.name, k.Path, k.Detail)
			}
		}
	}
}
