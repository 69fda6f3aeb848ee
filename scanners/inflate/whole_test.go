package inflate_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	kzlib "github.com/klauspost/compress/zlib"

	"revenant/scanners/inflate"
)

// deflated compresses what is given at a level of the standard library.
func deflated(tb testing.TB, level int, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// whole decodes what should have size bytes.
func whole(size int, in []byte, limit int) (out []byte, used int, err error) {
	dst := make([]byte, size, size+inflate.Slack)
	used, err = inflate.NewDecoder().Whole(dst, in, limit)
	return dst, used, err
}

// again is whole with everything reused.
func again(size int) func(in []byte, limit int) error {
	d, dst := inflate.NewDecoder(), make([]byte, size, size+inflate.Slack)
	return func(in []byte, limit int) error {
		_, err := d.Whole(dst, in, limit)
		return err
	}
}

// contents are texts of every shape that deflate treats in its own way.
func contents() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 70_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	few := make([]byte, 100_000)
	for i := range few {
		few[i] = "abc\n"[r.IntN(4)]
	}
	skew := make([]byte, 200_000) // long words for rare bytes
	for i := range skew {
		skew[i] = byte(min(r.ExpFloat64()*6, 255))
	}
	return map[string][]byte{
		"empty": {}, "one": []byte("x"), "short": []byte("hello, hello, hello\n"),
		"run": bytes.Repeat([]byte{7}, 100_000), "pair": bytes.Repeat([]byte("ab"), 5_000), "seven": bytes.Repeat([]byte("1234567"), 3_000),
		"noise": noise, "few": few, "skew": skew, "mixed": append(append(bytes.Clone(few[:40_000]), noise[:40_000]...), few[:1000]...),
	}
}

func TestWhole(t *testing.T) {
	for name, data := range contents() {
		for _, level := range []int{zlib.HuffmanOnly, 0, 1, 6, 9} {
			packed := deflated(t, level, data)
			for _, tail := range []int{0, 3, 40} {
				in := append(bytes.Clone(packed), bytes.Repeat([]byte{0xa5}, tail)...)
				out, used, err := whole(len(data), in, len(packed))
				if err != nil || used != len(packed) || !bytes.Equal(out, data) {
					t.Fatalf("%s, level %d, %d after it: used %d of %d, same %v, %v", name, level, tail, used, len(packed), bytes.Equal(out, data), err)
				}
			}
		}
	}
}

// What is cut, or has another size than was said, is refused.
func TestWholeRefuses(t *testing.T) {
	for name, data := range contents() {
		packed := deflated(t, 6, data)
		tail := append(bytes.Clone(packed), make([]byte, 64)...)
		for _, size := range []int{len(data) - 1, len(data) + 1, len(data) / 2, len(data) + 1000} {
			if size < 0 || size == len(data) {
				continue
			}
			if _, _, err := whole(size, tail, len(packed)); err == nil {
				t.Errorf("%s: %d bytes taken for %d", name, len(data), size)
			}
		}
		for cut := 0; cut < len(packed); cut += 1 + len(packed)/50 {
			if _, _, err := whole(len(data), packed[:cut], cut); err == nil {
				t.Errorf("%s: cut at %d of %d and not noticed", name, cut, len(packed))
			}
			if _, _, err := whole(len(data), tail, cut); err == nil {
				t.Errorf("%s: limit %d of %d and not noticed", name, cut, len(packed))
			}
		}
	}
}

// reference inflates with the standard library and says how much was read.
func reference(in []byte, most int64) (out []byte, used int, err error) {
	src := bytes.NewReader(in)
	z, err := zlib.NewReader(src)
	if err != nil {
		return nil, 0, err
	}
	out, err = io.ReadAll(io.LimitReader(z, most))
	if err == nil && int64(len(out)) == most {
		err = io.ErrShortBuffer
	}
	return out, len(in) - src.Len(), err
}

func FuzzWhole(f *testing.F) {
	for _, data := range contents() {
		data = data[:min(len(data), 3000)]
		for _, level := range []int{0, 1, 6, zlib.HuffmanOnly} {
			f.Add(deflated(f, level, data), uint16(len(data)))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, size uint16) {
		want, used, err := reference(in, 1<<17)
		if err == nil { // a stream that the library takes
			got, n, err := whole(len(want), in, len(in))
			if err != nil || n != used || !bytes.Equal(got, want) {
				t.Fatalf("used %d, want %d, same %v, %v", n, used, bytes.Equal(got, want), err)
			}
		}
		got, n, err := whole(int(size), in, len(in))
		if err != nil {
			return
		}
		// The checksum at the end is not looked at here: mend it.
		want, _, err = referenceFlate(in[2:], int64(size)+1)
		if err != nil || !bytes.Equal(got, want) || n > len(in) {
			t.Fatalf("taken, but the library says %v", err)
		}
	})
}

// referenceFlate is reference for a bare stream.
func referenceFlate(in []byte, most int64) (out []byte, used int, err error) {
	src := bytes.NewReader(in)
	out, err = io.ReadAll(io.LimitReader(flate.NewReader(src), most))
	return out, len(in) - src.Len(), err
}

func BenchmarkWhole(b *testing.B) {
	var text bytes.Buffer
	r := rand.New(rand.NewPCG(3, 4))
	for text.Len() < 1<<20 {
		fmt.Fprintf(&text, "\tif err := s.handle%d(ctx, %q); err != nil {\n\t\treturn fmt.Errorf(\"handling %x: %%w\", err)\n\t}\n", r.IntN(500), fmt.Sprint(r.IntN(10000)), r.Uint32())
	}
	for _, size := range []int{200, 4 << 10, 64 << 10, 1 << 20} {
		data := text.Bytes()[:size]
		packed := deflated(b, 6, data)
		tail := append(bytes.Clone(packed), make([]byte, 64)...)
		b.Run(fmt.Sprintf("own/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			decode := again(size)
			for b.Loop() {
				if err := decode(tail, len(packed)); err != nil {
					b.Fatal(err)
				}
			}
		})
		for name, open := range map[string]func(io.Reader) (io.ReadCloser, error){"std": zlib.NewReader, "klauspost": kzlib.NewReader} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(size))
				dst, src := make([]byte, size), bytes.NewReader(packed)
				z, err := open(src)
				for b.Loop() {
					src.Reset(packed)
					if err == nil {
						err = z.(zlib.Resetter).Reset(src, nil)
					}
					if err == nil {
						_, err = io.ReadFull(z, dst)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
