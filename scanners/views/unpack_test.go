package views_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/views"
)

// packed compresses through a writer.
func packed(t testing.TB, plain []byte, to func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := to(&b)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t testing.TB, plain []byte) []byte {
	return packed(t, plain, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
}

func zipped(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"one.txt", "dir/two.txt"} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write(plain[:len(plain)*len(name)/11])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t testing.TB, plain []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: "secret.txt", Mode: 0o600, Size: int64(len(plain))})
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// streams are the formats of compressed streams.
func streams(t testing.TB) map[string]func([]byte) []byte {
	level := func(n int) func([]byte) []byte {
		return func(b []byte) []byte {
			return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return zlib.NewWriterLevel(w, n) })
		}
	}
	return map[string]func([]byte) []byte{
		"gzip": func(b []byte) []byte { return gzipped(t, b) },
		"gzip with a name": func(b []byte) []byte {
			return packed(t, b, func(w io.Writer) (io.WriteCloser, error) {
				z := gzip.NewWriter(w)
				z.Name, z.Comment, z.Extra = "a name", "a comment", []byte("extra")
				return z, nil
			})
		},
		"zlib": level(-1), "zlib 9": level(9), "zlib 2": level(2), "zlib 0": level(0),
		"zstd": func(b []byte) []byte {
			return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
		},
		"xz": func(b []byte) []byte {
			return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return xz.NewWriter(w) })
		},
		"tar.gz": func(b []byte) []byte { return gzipped(t, tarred(t, b)) },
		"zip":    func(b []byte) []byte { return zipped(t, b) },
	}
}

// batchPackers are the formats that Kafka's batches have besides.
func batchPackers(t testing.TB) map[string]func([]byte) []byte {
	return map[string]func([]byte) []byte{
		"lz4": func(b []byte) []byte {
			return packed(t, b, func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil })
		},
		"snappy": func(b []byte) []byte {
			out := []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01")
			for block := range slices.Chunk(b, 32<<10) {
				z := snappy.Encode(nil, block)
				out = append(binary.BigEndian.AppendUint32(out, uint32(len(z))), z...)
			}
			return out
		},
	}
}

// TestUnpack has compressed streams in base64 and hex, at every alignment and
// behind other bytes.
func TestUnpack(t *testing.T) {
	k := newKit(t)
	plain := []byte("a: " + string(k.value) + "\nb: " + generic + "\n" + strings.Repeat("more text, ", 9))
	wide := base64Codings()
	for name, pack := range streams(t) {
		t.Run(name, func(t *testing.T) {
			raw := pack(plain)
			for front := range 7 {
				whole := append(noise(uint64(front), front), raw...)
				for _, c := range append(wide[:6:6], hexCodings()...) {
					if strings.HasPrefix(strings.ToLower(c.name), "hex") || c.name == "xxd -p" {
						if front > 0 {
							continue // begins with its magic, or is no stream
						}
					}
					lead := strings.Repeat(" ", front) + "data: "
					content := lead + c.encode(whole) + " end"
					hits, skips := k.scan(t, content, 0)
					want := 2
					if name == "zip" { // of two members
						want = 4
					}
					if len(hits) != want || len(skips) > 0 {
						t.Fatalf("%s, %d before: %v %v", c.name, front, describe(hits), skips)
					}
					from, to := c.place(whole, front, front+len(raw))
					for _, h := range hits {
						if h.Form != c.form.Within(fingerprints.FormCompressed) && !bytes.Contains(raw, h.Value.Reveal()) || int(h.Span.Start) < len(lead)+from || int(h.Span.End) > len(lead)+to {
							t.Errorf("%s, %d before: %v, the stream is at %d-%d", c.name, front, describe(hits), len(lead)+from, len(lead)+to)
						}
					}
				}
			}
		})
	}
}

func TestBzip2(t *testing.T) {
	k := newKit(t)
	raw, err := os.ReadFile("testdata/two.txt.bz2")
	if err != nil {
		t.Fatal(err)
	}
	for front := range 4 {
		whole := append(append(noise(1, front), raw...), "tail"...)
		for name, content := range map[string]string{
			"base64": "x " + base64.StdEncoding.EncodeToString(whole), "hex": hex.EncodeToString(whole[front:]),
			"bytes": strings.Repeat("\x01\x02", 50) + string(whole),
		} {
			if hits, skips := k.scan(t, content, 0); len(hits) != 2 || len(skips) > 0 {
				t.Errorf("%s, %d before: %v %v", name, front, describe(hits), skips)
			}
		}
	}
}

// TestStreamsInBinary has streams as they stand in contents of other formats.
func TestStreamsInBinary(t *testing.T) {
	k := newKit(t)
	halves := func(s string) string { return s[len(s)/2:] + " " + s[:len(s)/2] + "\n" } // so that no value is written out
	plain := []byte(halves(string(k.value)) + halves(generic) + "a: " + string(k.value) + "\nb: " + generic + "\n" +
		strings.Repeat("a message of the log, much like the others\n", 2000) + text(6, 9000, alnum) + "\n")
	all := streams(t)
	maps.Copy(all, batchPackers(t))
	for name, pack := range all {
		raw := pack(plain)
		for _, front := range []int{1, 63, 64, 65, 16383, 16384, 40000} {
			content := strings.Repeat("\xcf", front) + string(raw) + "\x00\xfe rest"
			hits, skips := k.scan(t, content, 0)
			want := 2
			if name == "zip" {
				want = 0 // whoever opens archives opens it
			}
			if len(hits) != want || len(skips) > 0 {
				t.Errorf("%s at %d: %v %v", name, front, describe(hits), skips)
				continue
			}
			for _, h := range hits {
				if !bytes.Contains(raw, h.Value.Reveal()) && (h.Form != fingerprints.FormCompressed || int(h.Span.Start) != front) {
					t.Errorf("%s at %d: %v", name, front, describe(hits))
				}
			}
		}
	}
}

// TestHelm is how Helm keeps releases in secrets: gzip in base64 in base64.
func TestHelm(t *testing.T) {
	k := newKit(t)
	plain := []byte(`{"config":{"password":"` + string(k.value) + `","t":"` + generic + `"},"pad":"` + text(5, 9000, alnum) + `"}`)
	inner := base64.StdEncoding.EncodeToString(gzipped(t, plain))
	for _, wide := range []int{0, 64, 76} {
		content := "data:\n  release: " + wrap(base64.StdEncoding.EncodeToString([]byte(inner)), wide, "\n    ") + "\ntype: helm\n"
		hits, skips := k.scan(t, content, 0)
		if len(hits) != 2 || len(skips) > 0 || hits[0].Form != "base64+base64+compressed" {
			t.Errorf("%d: %v %v", wide, describe(hits), skips)
		}
		from, to := strings.Index(content, ": ")+2, strings.LastIndex(content, "\ntype")
		for _, h := range hits {
			if got := content[h.Span.Start:h.Span.End]; int(h.Span.Start) < from || int(h.Span.End) > to || len(got) < 9000 {
				t.Errorf("%d: %v", wide, describe(hits))
			}
		}
	}
}

// TestLongStreams come out in several pieces.
func TestLongStreams(t *testing.T) {
	k := newKit(t)
	var plain bytes.Buffer
	for i := range 12 {
		plain.WriteString(strings.Repeat(fmt.Sprintf("line %d of many that follow\n", i), 15000))
		fmt.Fprintf(&plain, "x %s y\n", k.value)
	}
	raw := gzipped(t, append(noise(1, 300<<10), plain.Bytes()...))
	hits, skips := k.scan(t, "d "+wrap(base64.StdEncoding.EncodeToString(raw), 76, "\n"), 0)
	if len(hits) != 1 || len(skips) > 0 { // one stretch holds all copies
		t.Errorf("%v %v", describe(hits), skips)
	}
}

// TestCutStreams lists what does not go on.
func TestCutStreams(t *testing.T) {
	k := newKit(t)
	plain := []byte(strings.Repeat("begin ", 200) + string(k.value) + string(noise(3, 9000)))
	for name, pack := range streams(t) {
		if name == "tar.gz" || name == "zip" || name == "zstd" || name == "xz" { // of these nothing or all comes out of a block
			continue
		}
		raw := pack(plain)
		hits, skips := k.scan(t, "x: "+base64.StdEncoding.EncodeToString(raw[:len(raw)*2/3]), 0)
		if len(hits) != 1 || len(skips) != 1 || !strings.Contains(skips[0].Detail, "cut off") {
			t.Errorf("%s: %v %v", name, describe(hits), skips)
		}
	}
}

// TestChanceMagics has bytes that begin like streams and are none, and streams
// that break at once: nothing of them is listed, for they hide nothing.
func TestChanceMagics(t *testing.T) {
	k := newKit(t)
	contents := map[string][]byte{}
	for i := range uint64(40) {
		var b []byte
		for _, magic := range []string{"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "\x78\x9c", "\x78\xda", "\x78\x01", "\x28\xb5\x2f\xfd", "BZh91AY&SY", "\xfd7zXZ\x00"} {
			b = append(append(b, magic...), noise(i, 700)...)
		}
		contents[fmt.Sprint("noise ", i)] = b
	}
	plain := []byte("a text " + string(k.value) + " that is short" + string(noise(9, 90)))
	for name, pack := range streams(t) {
		if name == "zip" || name == "tar.gz" {
			continue // opened by others, and long
		}
		raw := pack(plain)
		contents["cut "+name] = append([]byte("\xcf\xce"), raw[:len(raw)*3/4]...)
	}
	for name, b := range contents {
		for _, content := range []string{string(b), "x: " + base64.StdEncoding.EncodeToString(b)} {
			if _, skips := k.scan(t, content, 0); len(skips) > 0 {
				t.Errorf("%s: %v", name, skips)
			}
		}
	}
}

// TestBombs expand without end.
func TestBombs(t *testing.T) {
	bomb := gzipped(t, make([]byte, 40<<20))
	deep := gzipped(t, bytes.Repeat(gzipped(t, make([]byte, 1<<20)), 200))
	many := base64.StdEncoding.EncodeToString(gzipped(t, bytes.Repeat([]byte("0123456789abcdef"), 60000)))
	for name, content := range map[string]string{
		"one":           base64.StdEncoding.EncodeToString(bomb),
		"in each other": base64.StdEncoding.EncodeToString(deep),
		"many":          strings.Repeat(many+"\n\n", 300),
		"headers":       strings.Repeat("H4sIAAAAAAAA", 20000),
		"zlib headers":  strings.Repeat("eJyeJxeJ", 30000),
		"xz headers":    strings.Repeat(base64.StdEncoding.EncodeToString([]byte("\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46\x02\x00\x21\x01\x16\x00")), 9000),
		"bzip2":         strings.Repeat(base64.StdEncoding.EncodeToString([]byte("BZh91AY&SY12345678")), 9000),
	} {
		l := scanners.Layer{Data: []byte(content), Piece: 1 << 20, Overlap: 64 << 10}
		cost := views.CostOf(l, func(scanners.Text) bool { return true })
		if most := int64(64<<20 + 8*len(content) + 2<<20); cost.Unpacked > most || cost.Streams > int64(len(content)) {
			t.Errorf("%s: %d bytes cost %+v, %d bytes allowed", name, len(content), cost, most)
		}
		if name != "one" && name != "many" {
			continue
		}
		var why []string
		views.New().View(t.Context(), l, func(t scanners.Text) bool {
			if t.Unread != "" {
				why = append(why, t.Unread)
			}
			return true
		})
		if len(why) != 1 {
			t.Errorf("%s: %q", name, why)
		}
	}
}
