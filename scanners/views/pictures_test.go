package views_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"testing"
)

// chunk is one of PNG's: its name, and what is in it.
func chunk(name, data string) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, name+data...)
	return string(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
}

// picture is a PNG whose points come in parts of some length, with a text compressed in
// a chunk before its end.
func picture(t *testing.T, part int, text string) string {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, 200, 200))
	for i, c := range noise(7, len(m.Pix)) {
		m.Pix[i] = c & 0x1f
	}
	var whole bytes.Buffer
	if err := png.Encode(&whole, m); err != nil {
		t.Fatal(err)
	}
	file, points := whole.String()[:8], ""
	for rest := whole.Bytes()[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		switch name := string(rest[4:8]); name {
		case "IHDR":
			file += chunk(name, string(rest[8:8+n]))
		case "IDAT":
			points += string(rest[8 : 8+n])
		}
		rest = rest[12+n:]
	}
	for len(points) > 0 {
		n := min(part, len(points))
		file, points = file+chunk("IDAT", points[:n]), points[n:]
	}
	file += chunk("zTXt", "Comment\x00\x00"+string(packed(t, []byte(text), func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriter(w), nil })))
	file += chunk("IEND", "")
	if _, err := png.Decode(bytes.NewReader([]byte(file))); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestNumbersOfPrograms: numbers in a program may look like a stream that is stored.
func TestNumbersOfPrograms(t *testing.T) {
	k := newKit(t)
	program := "\x7fELF" + string(noise(1, 5000)) + "\x78\x01\x00\x00\xff\xff\x00\x00" + string(noise(2, 65535)) + "\x06" + string(noise(3, 100_000))
	if hits, skips := k.scan(t, program, 1<<20); len(hits) != 0 || len(skips) != 0 {
		t.Errorf("hits %v, skips %v", describe(hits), skips)
	}
}

// TestPictures: the points of a picture are no text, and their parts no streams that
// break off; what is compressed in other chunks is searched.
func TestPictures(t *testing.T) {
	k := newKit(t)
	for _, part := range []int{5000, 8192, 1 << 20} {
		file := picture(t, part, "a comment with "+string(k.value)+" in it")
		for name, content := range map[string]string{
			"as it is":        file,
			"in base64":       `{"a":"` + base64.StdEncoding.EncodeToString([]byte(file)) + `"}`,
			"in lines":        wrap(base64.StdEncoding.EncodeToString([]byte(file)), 76, "\r\n    "),
			"in short lines":  wrap(base64.StdEncoding.EncodeToString([]byte(file)), 9, "&#10;"),
			"in base64, by 1": base64.StdEncoding.EncodeToString([]byte("x" + file)),
			"in base64, by 2": base64.StdEncoding.EncodeToString([]byte("xy" + file)),
		} {
			hits, skips := k.scan(t, content, 1<<20)
			if len(hits) == 0 || len(skips) != 0 {
				t.Errorf("parts of %d, %s: hits %v, skips %v", part, name, describe(hits), skips)
			}
		}
	}
}
