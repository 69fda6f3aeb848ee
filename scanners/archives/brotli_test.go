package archives_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/pierrec/lz4/v4"

	"revenant/scanners/archives"
)

func brotlied(t testing.TB, data []byte) []byte {
	return through(t, data, func(w io.Writer) (io.WriteCloser, error) { return brotli.NewWriter(w), nil })
}

// mozLz4Of is a file as Firefox writes it.
func mozLz4Of(t testing.TB, data []byte) []byte {
	block := make([]byte, lz4.CompressBlockBound(len(data)))
	n, err := lz4.CompressBlock(data, block, nil)
	must(t, err)
	if n == 0 { // what cannot be compressed is literals alone
		t.Fatal("not compressed")
	}
	return append(binary.LittleEndian.AppendUint32([]byte("mozLz40\x00"), uint32(len(data))), block[:n]...)
}

// named expands an item under a name.
func named(t *testing.T, l archives.Limits, name string, data []byte, look string) *seen {
	t.Helper()
	s := &seen{look: look, skips: map[string]string{}, packed: map[string]bool{}}
	if err := (&archives.Expander{Limits: l}).Expand(t.Context(), bytes.NewReader(data), name, s); err != nil {
		t.Fatalf("expanding: %v", err)
	}
	return s
}

// asset is text with something in it, of some bytes.
func asset(look string, n int) []byte {
	line := "var a = function (b) { return b.c + 17; };\n"
	return []byte(strings.Repeat(line, n/2/len(line)) + string(hexNoise(n/4)) + "\nk = \"" + look + "\"\n" + strings.Repeat(line, n/4/len(line)))
}

// TestBrotli is opened where the name says what it is, and nowhere else.
func TestBrotli(t *testing.T) {
	look := canary(91)
	for _, n := range []int{300, 5000, 100_000, 3_000_000} {
		data := brotlied(t, asset(look, n))
		for name, want := range map[string]string{"app.js.br": "app.js.br!app.js", "web/APP.JSON.BR": "web/APP.JSON.BR!APP.JSON", archives.AnyName: "-!content"} {
			if s := named(t, small(), name, data, look); !slices.Equal(s.found, []string{want}) || len(s.skips) > 0 {
				t.Errorf("%d bytes as %s: found in %v, skipped %v", n, name, s.found, s.skips)
			}
		}
		for _, name := range []string{"app.js", "a.br/app.js", ".br"} {
			if s := named(t, small(), name, data, look); len(s.found) > 0 || len(s.skips) > 0 || len(s.paths) != 1 {
				t.Errorf("%d bytes as %s: %v %v", n, name, s.paths, s.skips)
			}
		}
		packed := tarred(t, member{name: "srv/app.js.br", data: data})
		if s := named(t, small(), "layer.tar", packed, look); !slices.Equal(s.found, []string{"layer.tar!srv/app.js.br!app.js"}) || len(s.skips) > 0 {
			t.Errorf("%d bytes in tar: found in %v, skipped %v", n, s.found, s.skips)
		}
		if !archives.Packed(data) {
			t.Errorf("%d bytes are not screened as packed", n)
		}
	}
}

// TestNoBrotli: what is named so and is something else is a content like any other.
func TestNoBrotli(t *testing.T) {
	look := canary(92)
	for name, data := range map[string][]byte{
		"text":   []byte("traduction: " + look + "\n"),
		"noise":  append(noise(8, 9000), look...),
		"empty":  nil,
		"closed": {6},
		"short":  append(noise(9, 20), look...),
	} {
		s := named(t, small(), "x.br", data, look)
		if len(s.skips) > 0 || !slices.Equal(s.paths, []string{"x.br"}) || (len(data) > 20) != (len(s.found) == 1) {
			t.Errorf("%s: %v, found in %v, skipped %v", name, s.paths, s.found, s.skips)
		}
	}
	for seed := range uint64(300) {
		if data := noise(seed, 700); archives.Packed(data) && len(named(t, small(), "x.br", data, "").paths) > 1 {
			t.Errorf("noise %d is taken for brotli", seed)
		}
	}
}

// TestBrotliBreaksOff: what was read is searched, the rest is listed.
func TestBrotliBreaksOff(t *testing.T) {
	look := canary(93)
	data := brotlied(t, slices.Concat([]byte("first: "+look+"\n"), hexNoise(400_000)))
	s := named(t, small(), "app.js.br", data[:len(data)-5000], look)
	if !slices.Equal(s.found, []string{"app.js.br!app.js"}) || s.skips["app.js.br!app.js"] != "damaged or cut short" {
		t.Errorf("cut short: found in %v, skipped %v", s.found, s.skips)
	}
	bad := bytes.Clone(data)
	copy(bad[len(bad)/2:], bytes.Repeat([]byte{0xff}, 200))
	if s := named(t, small(), "app.js.br", bad, look); !slices.Equal(s.found, []string{"app.js.br!app.js"}) || s.skips["app.js.br!app.js"] != "damaged or cut short" {
		t.Errorf("damaged: found in %v, skipped %v", s.found, s.skips)
	}
	off := small()
	off.Depth = 0
	if s := named(t, off, "app.js.br", data, look); s.skips["app.js.br"] != "not opened: archives are switched off" {
		t.Errorf("switched off: %v", s.skips)
	}
}

// TestStreamBombs are bounded as all streams are.
func TestStreamBombs(t *testing.T) {
	zeros := make([]byte, 64<<20)
	for name, data := range map[string][]byte{"x.br": brotlied(t, zeros), "x.jsonlz4": mozLz4Of(t, zeros)} {
		s := named(t, small(), name, data, "")
		if s.largest > small().Bytes+int64(len(data))+1 || len(s.skips) != 1 {
			t.Errorf("%s: %d bytes, skipped %v", name, s.largest, s.skips)
		}
	}
}

// TestMozLz4 reads what Firefox keeps.
func TestMozLz4(t *testing.T) {
	look := canary(94)
	for _, n := range []int{300, 5000, 100_000, 3_000_000} {
		plain := asset(look, n)
		data := mozLz4Of(t, plain)
		s := named(t, archives.DefaultLimits(), "recovery.jsonlz4", data, look)
		// Literals stand in the file, too, which says that it is packed.
		if !slices.Contains(s.found, "recovery.jsonlz4!recovery.json") || !s.packed["recovery.jsonlz4"] || len(s.skips) > 0 || s.bytes != int64(len(plain)+len(data)) {
			t.Errorf("%d bytes: found in %v, skipped %v, %d bytes of %d", n, s.found, s.skips, s.bytes, len(plain)+len(data))
		}
	}
	data := mozLz4Of(t, slices.Concat([]byte("first: "+look+"\n"), bytes.Repeat([]byte("and on "), 900), hexNoise(40_000)))
	for name, bad := range map[string][]byte{
		"cut short": data[:len(data)-100],
		"too long":  slices.Concat(data[:8], []byte{0xff, 0xff, 0xff, 0}, data[12:]),
		"no block":  data[:12],
		"no size":   data[:10],
	} {
		s := named(t, small(), "x", bad, look)
		if s.skips["x!content"] != "damaged or cut short" || (len(bad) > 12) != slices.Contains(s.found, "x!content") {
			t.Errorf("%s: found in %v, skipped %v", name, s.found, s.skips)
		}
	}
	far := []byte("mozLz40\x00\x09\x00\x00\x00\x14a\x05\x00")
	if s := named(t, small(), "x", far, ""); s.skips["x!content"] != "damaged or cut short" {
		t.Errorf("a match before the beginning: %v", s.skips)
	}
}

// FuzzNamed opens what a name or a magic says is one stream: within the bounds, and of
// LZ4 what its library reads, too.
func FuzzNamed(f *testing.F) {
	f.Add(brotlied(f, asset(canary(95), 900)), true)
	f.Add(mozLz4Of(f, asset(canary(95), 900))[12:], false)
	l := small()
	l.Bytes, l.Entries = 1<<20, 100
	f.Fuzz(func(t *testing.T, data []byte, br bool) {
		name := "x.br"
		if !br {
			name = "x"
			plain := make([]byte, 64<<10)
			if n, err := lz4.UncompressBlock(data, plain); err == nil && n > 0 {
				whole := append(binary.LittleEndian.AppendUint32([]byte("mozLz40\x00"), uint32(n)), data...)
				if s := named(t, l, name, whole, ""); s.bytes < int64(n+len(whole)) && len(s.skips) > 0 {
					t.Errorf("%d bytes, %d are in it; skipped %v", s.bytes, n, s.skips)
				}
			}
			data = append([]byte("mozLz40\x00\xff\xff\xff\x7f"), data...)
		}
		s := named(t, l, name, data, "")
		if s.bytes > l.Bytes+3*int64(len(data))*int64(l.Depth+1) || s.contents > l.Entries+1 {
			t.Errorf("%d bytes in %d contents out of %d", s.bytes, s.contents, len(data))
		}
	})
}
