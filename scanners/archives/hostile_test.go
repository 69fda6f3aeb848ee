package archives_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/flate"

	"revenant/fingerprints"
	"revenant/scanners/archives"
)

// small are limits that tests meet quickly.
func small() archives.Limits {
	l := archives.DefaultLimits()
	l.Bytes, l.Entries, l.Ratio, l.Slack, l.Memory = 8<<20, 1000, 100, 256<<10, 64<<10
	return l
}

// Each hostile input stands beside a canary, which is found; what comes out
// stays within the bounds; and what was left is listed.
func TestHostile(t *testing.T) {
	look := canary(1)
	good := member{"good.txt", []byte("x " + look), zip.Deflate}
	zeros := make([]byte, 4<<20)
	bomb := zipped(t, member{"zeros", make([]byte, 64<<20), zip.Deflate}, good)
	var nested []byte
	for range 12 {
		if nested == nil {
			nested = gzipped(t, []byte("the innermost"))
		}
		nested = gzipped(t, nested)
	}
	many := make([]member, 0, 1<<11)
	many = append(many, good)
	for i := range 1 << 11 {
		many = append(many, member{fmt.Sprint("e", i), nil, zip.Store})
	}
	for _, c := range []struct {
		name, skip string // a part of the detail; "": nothing is skipped
		data       []byte
		contents   int // at most
	}{
		{"zip bomb", "proportion", bomb, 3},
		{"zip bombs in a zip", "proportion", zipped(t, member{"a.zip", bomb, zip.Deflate}, member{"b.zip", bomb, zip.Deflate}, good), 8},
		{"gzip bomb in a tar", "proportion", tarred(t, member{name: "z.gz", data: gzipped(t, slices.Concat(zeros, zeros, zeros))}, member{name: "g", data: good.data}), 4},
		{"many small bombs", "more bytes", zipped(t, slices.Concat([]member{good}, slices.Repeat([]member{{"b.gz", gzipped(t, zeros[:200<<10]), zip.Store}}, 100))...), 300},
		{"deep", "nested deeper than 8", tarred(t, member{name: "deep", data: nested}, member{name: "g", data: good.data}), 20},
		{"a million entries, by a thousandth", "more entries", zipped(t, many...), 1002},
		{"cut short", "damaged", zipped(t, good, member{"noise", noise(1, 50000), zip.Deflate})[:30000], 4},
		{"tar cut short", "damaged", tarred(t, member{name: "g", data: good.data}, member{name: "n.gz", data: gzipped(t, noise(1, 50000))})[:30000], 5},
		{"overlapping entries", "overlap", overlapping(t, good, 200), 300},
		{"traversal", "", zipped(t, member{"../../../../etc/passwd", good.data, zip.Deflate}, member{"/abs\x00\n", nil, zip.Deflate}), 3},
		{"a sparse giant in a tar", "proportion", tarred(t, member{name: "g", data: good.data}, member{name: "s", data: sparseTar()}), 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := expand(t, small(), c.data, look)
			if len(s.found) == 0 {
				t.Errorf("the canary was not found in %q, skips %v", s.paths, s.skips)
			}
			if s.bytes > 9<<20+4*int64(len(c.data)) {
				t.Errorf("%d bytes came out of %d", s.bytes, len(c.data))
			}
			if s.contents > c.contents {
				t.Errorf("%d contents", s.contents)
			}
			said := ""
			for _, k := range s.order {
				if k.Reason != fingerprints.SkipArchive {
					t.Errorf("a skip for another reason: %v", k)
				}
				said += k.Detail + "\n"
			}
			if c.skip == "" && said != "" || !strings.Contains(said, c.skip) {
				t.Errorf("skips %v, want %q", s.skips, c.skip)
			}
		})
	}
}

// overlapping is a zip of n entries that share one large deflated stream, and
// an honest one.
func overlapping(t *testing.T, good member, n int) []byte {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, 9)
	must(t, err)
	_, err = w.Write(bytes.Repeat([]byte("overlap "), 300_000))
	must(t, err)
	must(t, w.Close())
	le := binary.LittleEndian
	var b, dir []byte
	entry := func(name string, method uint16, crc uint32, packed, offset int) {
		dir = append(dir, "PK\x01\x02\x14\x00\x14\x00\x00\x00"...)
		dir = le.AppendUint16(dir, method)
		dir = append(dir, 0, 0, 0, 0)
		dir = le.AppendUint32(dir, crc)
		dir = le.AppendUint32(dir, uint32(packed))
		dir = le.AppendUint32(dir, uint32(packed))
		dir = le.AppendUint16(dir, uint16(len(name)))
		dir = append(dir, make([]byte, 12)...)
		dir = le.AppendUint32(dir, uint32(offset))
		dir = append(dir, name...)
	}
	local := func(method uint16, data []byte) int {
		at := len(b)
		b = append(b, "PK\x03\x04\x14\x00\x00\x00"...)
		b = le.AppendUint16(b, method)
		b = append(b, make([]byte, 20)...)
		b = append(b, data...)
		return at
	}
	at := local(8, packed.Bytes())
	for i := range n {
		entry(fmt.Sprint("o", i), 8, 0, packed.Len(), at)
	}
	at = local(0, good.data)
	entry("good", 0, crc32.ChecksumIEEE(good.data), len(good.data), at)
	start := len(b)
	b = append(b, dir...)
	b = append(b, "PK\x05\x06\x00\x00\x00\x00"...)
	b = le.AppendUint16(b, uint16(n+1))
	b = le.AppendUint16(b, uint16(n+1))
	b = le.AppendUint32(b, uint32(len(dir)))
	b = le.AppendUint32(b, uint32(start))
	return append(b, 0, 0)
}

// sparseTar is a GNU tar of one file of 1 TiB with hardly a byte in it.
func sparseTar() []byte {
	h := make([]byte, 512)
	copy(h, "giant")
	copy(h[100:], "0000600\x000000000\x000000000\x0000000001000\x0000000000000\x00        S")
	copy(h[257:], "ustar  \x00")
	copy(h[386:], "20000000000\x0000000001000\x00") // offset and length of the data
	copy(h[483:], "20000001000\x00")                // the real size
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	return slices.Concat(h, make([]byte, 512+1024))
}

// What a zip says of sizes is not believed.
func TestLyingSizes(t *testing.T) {
	look := canary(2)
	data := zipped(t, member{"a", []byte("x " + look + strings.Repeat(" word", 5000)), zip.Deflate}, member{"b", []byte(look), zip.Deflate})
	at := bytes.Index(data, []byte("PK\x01\x02"))
	for _, size := range []uint32{0, 1, 1 << 30, 0xfffffffe} {
		lying := slices.Clone(data)
		binary.LittleEndian.PutUint32(lying[at+20:], size)
		binary.LittleEndian.PutUint32(lying[at+24:], size)
		s := expand(t, small(), lying, look)
		if !slices.Contains(s.found, "item!a") || !slices.Contains(s.found, "item!b") {
			t.Errorf("size %d: found in %q, skips %v", size, s.found, s.skips)
		}
	}
}

func TestRefused(t *testing.T) {
	data := zipped(t, member{"locked", []byte("x"), zip.Deflate}, member{"odd", []byte("x"), zip.Deflate}, member{"fine", []byte("x"), zip.Deflate})
	dir := bytes.Index(data, []byte("PK\x01\x02"))
	data[dir+8] |= 1
	second := dir + 4 + bytes.Index(data[dir+4:], []byte("PK\x01\x02"))
	data[second+10] = 98
	s := expand(t, small(), data, "")
	if s.skips["item!locked"] != "encrypted" || s.skips["item!odd"] != "the compression method is not supported" || len(s.skips) != 2 {
		t.Errorf("skips %v", s.skips)
	}
	if s := expand(t, small(), []byte("Rar!\x1a\x07\x01\x00 and so on"), ""); s.skips["item"] == "" {
		t.Errorf("skips %v", s.skips)
	}
	off := small()
	off.Depth = 0
	if s := expand(t, off, data, ""); s.contents != 1 || s.skips["item"] != "not opened: archives are switched off" {
		t.Errorf("%d contents, skips %v", s.contents, s.skips)
	}
}

// Time is a bound too; the item's own bytes are read whatever it takes.
func TestTime(t *testing.T) {
	l := small()
	l.Time = 50 * time.Second
	now := time.Unix(0, 0)
	x := &archives.Expander{Limits: l, Now: func() time.Time { now = now.Add(time.Second); return now }}
	s := &seen{skips: map[string]string{}, packed: map[string]bool{}}
	must(t, x.Expand(t.Context(), bytes.NewReader(zipped(t, slices.Repeat([]member{{"m", []byte("x"), zip.Store}}, 500)...)), "item", s))
	if s.contents > 60 || s.paths[len(s.paths)-1] != "item" || !strings.Contains(fmt.Sprint(s.skips), "takes longer") {
		t.Errorf("%d contents, skips %v", s.contents, s.skips)
	}
}

// A long name never reaches a path: half a secret would not be recognised.
func TestLongName(t *testing.T) {
	look := canary(3)
	name := strings.Repeat("d/", 2047) + look
	for _, data := range [][]byte{zipped(t, member{name, nil, zip.Store}), tarred(t, member{name: name})} {
		s := expand(t, small(), data, look)
		if strings.Contains(s.paths[0], look[:5]) || !slices.Contains(s.found, "item") {
			t.Errorf("paths %.80q, found in %q", s.paths, s.found)
		}
	}
}

// Memory is bounded: beyond Limits.Memory lies a file, and random access over
// both gives what was written.
func TestSpool(t *testing.T) {
	look := canary(4)
	data := zipped(t, member{"n", noise(1, 300_000), zip.Store}, member{"m", []byte("x " + look), zip.Deflate})
	s := &seen{look: look, skips: map[string]string{}, packed: map[string]bool{}}
	must(t, (&archives.Expander{Limits: small()}).Expand(t.Context(), streamed{bytes.NewReader(data)}, "item", s))
	if !slices.Contains(s.found, "item!m") || len(s.skips) > 0 || s.largest != int64(len(data)) {
		t.Errorf("found in %q, skips %v, largest %d", s.found, s.skips, s.largest)
	}
}

func TestTarGoesOn(t *testing.T) {
	look := canary(5)
	first, second := tarred(t, member{name: "a", data: []byte("x")}), tarred(t, member{name: "b.gz", data: gzipped(t, []byte("x "+look))})
	s := expand(t, small(), slices.Concat(first, second), look)
	if !slices.Contains(s.found, "item!b.gz!b") || len(s.skips) > 0 {
		t.Errorf("after the end: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	broken := slices.Concat(first[:1024], noise(1, 512), second)
	s = expand(t, small(), broken, look)
	if !slices.Contains(s.found, "item!b.gz!b") || len(s.skips) != 1 {
		t.Errorf("after damage: found in %q of %q, skips %v", s.found, s.paths, s.skips)
	}
	var pax bytes.Buffer
	w := tar.NewWriter(&pax)
	must(t, w.WriteHeader(&tar.Header{Name: strings.Repeat("long/", 60) + "ü", Size: 3, Mode: 0o600, Format: tar.FormatPAX}))
	_, err := io.WriteString(w, "abc")
	must(t, err)
	must(t, w.Close())
	if s := expand(t, small(), pax.Bytes(), ""); len(s.paths) != 2 || !strings.HasSuffix(s.paths[0], "long/ü") {
		t.Errorf("pax: %q", s.paths)
	}
}

func FuzzExpand(f *testing.F) {
	for _, pack := range packers(f) {
		f.Add(pack([]byte("x " + canary(1))))
	}
	f.Add(sparseTar())
	f.Add(stored7z("m", []byte("x "+canary(1))))
	names, err := filepath.Glob("testdata/*.7z")
	must(f, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(f, err)
		f.Add(data)
	}
	f.Add([]byte("!<arch>\nname/           0           0     0     100644  3         `\nabc\n"))
	l := small()
	l.Bytes, l.Entries = 1<<20, 100
	f.Fuzz(func(t *testing.T, data []byte) {
		s := expand(t, l, data, "")
		if s.bytes > l.Bytes+3*int64(len(data))*int64(l.Depth+1) || s.contents > l.Entries+1 {
			t.Errorf("%d bytes in %d contents out of %d", s.bytes, s.contents, len(data))
		}
		if n := len(s.paths); n == 0 || n < 1000 && s.paths[n-1] != "item" {
			t.Errorf("the item does not come last")
		}
	})
}

// The bounds are the item's, at all depths: zips of zips of zips cost no more
// than one, and whatever is left is listed once.
func TestBoundsAcrossDepths(t *testing.T) {
	look := canary(7)
	data := []byte(strings.Repeat("filling ", 1000))
	for range 6 {
		var ms []member
		for i := range 10 {
			ms = append(ms, member{fmt.Sprint("m", i), data, zip.Deflate})
		}
		data = zipped(t, ms...)
	}
	data = zipped(t, member{"first", []byte("x " + look), zip.Deflate}, member{"fan", data, zip.Deflate})
	s := expand(t, small(), data, look)
	if !slices.Contains(s.found, "item!first") || s.contents > small().Entries+1 || s.bytes > 2*small().Bytes {
		t.Errorf("found in %q, %d contents, %d bytes", s.found, s.contents, s.bytes)
	}
	if len(s.skips) != 1 {
		t.Errorf("skips %v", s.skips)
	}
}
