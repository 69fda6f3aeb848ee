package archives_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"
)

// sealed7z is a 7z of what stands behind its first header: data and a header.
func sealed7z(data, header []byte) []byte {
	le := binary.LittleEndian
	start := le.AppendUint64(nil, uint64(len(data)))
	start = le.AppendUint64(start, uint64(len(header)))
	start = le.AppendUint32(start, crc32.ChecksumIEEE(header))
	b := append([]byte("7z\xbc\xaf\x27\x1c\x00\x04"), le.AppendUint32(nil, crc32.ChecksumIEEE(start))...)
	return slices.Concat(b, start, data, header)
}

// stored7z is a 7z of one member that is not compressed.
func stored7z(name string, data []byte) []byte {
	le := binary.LittleEndian
	size := append([]byte{0xc0 | byte(len(data)>>16)}, byte(len(data)), byte(len(data)>>8))
	h := slices.Concat([]byte{1, 4, 6, 0, 1, 9}, size, []byte{0, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c}, size, []byte{0x0a, 1})
	h = le.AppendUint32(h, crc32.ChecksumIEEE(data))
	h = append(h, 0, 0, 5, 1, 0x11)
	var text []byte
	for _, u := range utf16.Encode([]rune(name + "\x00")) {
		text = le.AppendUint16(text, u)
	}
	h = append(h, byte(len(text)+1), 0)
	return sealed7z(data, slices.Concat(h, text, []byte{0, 0}))
}

func Test7z(t *testing.T) {
	look := canary(6)
	s := expand(t, small(), stored7z("m", slices.Concat(noise(1, 5000), []byte(look))), look)
	if !slices.Contains(s.found, "item!m") || len(s.skips) > 0 || !s.packed["item"] {
		t.Errorf("stored: found in %q, skips %v", s.found, s.skips)
	}
	inner := gzipped(t, tarred(t, member{name: "x", data: []byte("x " + look)}))
	s = expand(t, small(), zipped(t, member{"a.7z", stored7z("b.tgz", inner), 8}), look)
	if !slices.Contains(s.found, "item!a.7z!b.tgz!b.tar!x") || len(s.skips) > 0 {
		t.Errorf("nested: found in %q, skips %v", s.found, s.skips)
	}
}

// The fixtures were written by py7zr: what others' writers make of the text.
func Test7zFixtures(t *testing.T) {
	names, err := filepath.Glob("testdata/*.7z")
	must(t, err)
	if len(names) < 3 {
		t.Fatalf("fixtures: %q", names)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		must(t, err)
		s := expand(t, small(), data, "the first member of seven")
		locked := filepath.Base(name) == "encrypted.7z"
		switch {
		case locked && (len(s.skips) != 1 || s.skips["item"] != "encrypted"):
			t.Errorf("%s: skips %v", name, s.skips)
		case !locked && (!slices.Contains(s.found, "item!d/one.txt") || len(s.skips) > 0 || len(s.paths) < 3):
			t.Errorf("%s: found in %q of %q, skips %v", name, s.found, s.paths, s.skips)
		}
	}
}

// What a header claims is not allocated.
func Test7zClaims(t *testing.T) {
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}
	some := []byte{0xe0, 0xff, 0xff, 0xff} // 28 bits
	for _, n := range [][]byte{huge, some} {
		for name, header := range map[string][]byte{
			"files":   slices.Concat([]byte{1, 5}, n, make([]byte, 50)),
			"folders": slices.Concat([]byte{1, 4, 7, 0x0b}, n, make([]byte, 50)),
			"streams": slices.Concat([]byte{1, 4, 6, 0}, n, make([]byte, 50)),
			"parts":   slices.Concat([]byte{1, 4, 7, 0x0b, 1, 0, 1, 1, 0, 0x0c, 1, 0, 8, 0x0d}, n, make([]byte, 50)),
			"coders":  slices.Concat([]byte{1, 4, 7, 0x0b, 1, 0}, n, make([]byte, 50)),
			"window":  {1, 4, 7, 0x0b, 1, 0, 1, 0x23, 3, 1, 1, 5, 0x5d, 0xff, 0xff, 0xff, 0xff, 0x0c, 1, 0, 0, 0},
		} {
			if s := expand(t, small(), sealed7z([]byte("x"), header), ""); len(s.skips) != 1 || s.contents != 1 {
				t.Errorf("%s: %d contents, skips %v", name, s.contents, s.skips)
			}
		}
	}
	cut := stored7z("m", bytes.Repeat([]byte("x"), 5000))
	if s := expand(t, small(), cut[:3000], ""); len(s.skips) != 1 {
		t.Errorf("cut short: skips %v", s.skips)
	}
}
