package inflate_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"testing"

	kgzip "github.com/klauspost/compress/gzip"

	"revenant/scanners/inflate"
)

// member is one gzip member with every field that a head may have.
func member(tb testing.TB, data []byte, name, comment string, extra []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Name, w.Comment, w.Extra = name, comment, extra
	_, err := w.Write(data)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// withHeadSum adds the checksum of a head that has nothing but its ten bytes.
func withHeadSum(m []byte) []byte {
	head := bytes.Clone(m[:10])
	head[3] |= 2
	sum := crc32.ChecksumIEEE(head)
	return append(append(head, byte(sum), byte(sum>>8)), m[10:]...)
}

func ownMember(in []byte) (o outcome) {
	src := bufio.NewReader(bytes.NewReader(in))
	z, err := inflate.NewGzip(src)
	if o.err = err; err == nil {
		o.out, o.err = io.ReadAll(z)
	}
	o.left, _ = io.ReadAll(src)
	return o
}

// theirMember is the oracle.
func theirMember(in []byte) (o outcome) {
	src := bufio.NewReader(bytes.NewReader(in))
	z, err := gzip.NewReader(src)
	if o.err = err; err == nil {
		z.Multistream(false)
		o.out, o.err = io.ReadAll(z)
	}
	o.left, _ = io.ReadAll(src)
	return o
}

func TestGzip(t *testing.T) {
	data := contents()["mixed"]
	plain := member(t, data, "", "", nil)
	for name, packed := range map[string][]byte{
		"plain":     plain,
		"every":     member(t, data, "a name", "a comment", bytes.Repeat([]byte("extra"), 1000)),
		"empty":     member(t, nil, "", "", nil),
		"head's":    withHeadSum(plain),
		"not zeros": append(bytes.Clone(plain), "what stands behind it"...),
	} {
		got, want := ownMember(packed), theirMember(packed)
		if got.err != nil || want.err != nil || !bytes.Equal(got.out, want.out) || !bytes.Equal(got.left, want.left) {
			t.Errorf("%s: %d bytes, %q left, %v; want %d, %q, %v", name, len(got.out), got.left, got.err, len(want.out), want.left, want.err)
		}
	}
}

// Members follow each other; what is none can still be read.
func TestGzipMembers(t *testing.T) {
	var in []byte
	for _, data := range []string{"one ", "", "two ", "three"} {
		in = append(in, member(t, []byte(data), "name", "", nil)...)
	}
	src := bufio.NewReader(strings.NewReader(string(in) + "PK and more"))
	z, err := inflate.NewGzip(src)
	var all []byte
	for err == nil {
		var out []byte
		if out, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
		all = append(all, out...)
		err = z.Reset(src)
	}
	left, _ := io.ReadAll(src)
	if !errors.Is(err, inflate.ErrHeader) || string(all) != "one two three" || string(left) != "PK and more" {
		t.Errorf("%q, %q left, %v", all, left, err)
	}
	if err := z.Reset(src); !errors.Is(err, io.EOF) {
		t.Errorf("behind everything: %v", err)
	}
}

// TestGzipFields: what a head says beside the data, of each member its own.
func TestGzipFields(t *testing.T) {
	long := strings.Repeat("n", inflate.LongestFields)
	for name, c := range map[string]struct {
		in   []byte
		want string
		cut  bool
	}{
		"none":             {member(t, nil, "", "", nil), "", false},
		"every":            {member(t, []byte("x"), "name", "comment", []byte("extra")), "extra\nname\ncomment\n", false},
		"behind another":   {append(member(t, nil, "one", "", nil), member(t, nil, "", "two", nil)...), "two\n", false},
		"none behind":      {append(member(t, nil, "one", "", nil), member(t, nil, "", "", nil)...), "", false},
		"longer than kept": {member(t, nil, long, "comment", nil), long, true},
	} {
		src := bufio.NewReader(bytes.NewReader(c.in))
		z, err := inflate.NewGzip(src)
		for err == nil {
			if _, err = io.Copy(io.Discard, z); err != nil {
				t.Fatal(name, err)
			}
			if _, err = src.Peek(1); err == nil {
				err = z.Reset(src)
			}
		}
		if got, whole := z.Fields(); string(got) != c.want || whole == c.cut || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %d bytes, whole %v, %v", name, len(got), whole, err)
		}
	}
}

func TestGzipRefuses(t *testing.T) {
	data := []byte(strings.Repeat("some text of a member ", 100))
	good := member(t, data, "name", "comment", []byte("extra"))
	turned := func(at int) []byte {
		b := bytes.Clone(good)
		b[(at+len(b))%len(b)] ^= 0x10
		return b
	}
	headSum := withHeadSum(member(t, data, "", "", nil))
	headSum[4] ^= 1
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"first byte":  {turned(0), inflate.ErrHeader},
		"method":      {turned(2), inflate.ErrHeader},
		"head's sum":  {headSum, inflate.ErrHeader},
		"checksum":    {turned(-8), inflate.ErrChecksum},
		"size":        {turned(-1), inflate.ErrChecksum},
		"nothing":     {nil, io.EOF},
		"one byte":    {good[:1], io.ErrUnexpectedEOF},
		"in the head": {good[:14], io.ErrUnexpectedEOF},
		"in the data": {good[:len(good)/2], io.ErrUnexpectedEOF},
		"in the tail": {good[:len(good)-3], io.ErrUnexpectedEOF},
		"no tail":     {good[:len(good)-8], io.ErrUnexpectedEOF},
	} {
		if got := ownMember(c.in); !errors.Is(got.err, c.want) {
			t.Errorf("%s: %v, want %v", name, got.err, c.want)
		}
	}
}

func TestZlib(t *testing.T) {
	z := &inflate.Zlib{}
	for name, data := range contents() {
		packed := deflated(t, 6, data)
		src := bufio.NewReader(strings.NewReader(string(packed) + "behind"))
		if err := z.Reset(src); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(z)
		left, _ := io.ReadAll(src)
		if err != nil || !bytes.Equal(out, data) || string(left) != "behind" {
			t.Errorf("%s: %d bytes, %q left, %v", name, len(out), left, err)
		}
		packed[len(packed)-1] ^= 1
		if z, err = inflate.NewZlib(bufio.NewReader(bytes.NewReader(packed))); err != nil {
			t.Fatal(err)
		}
		if out, err := io.ReadAll(z); !errors.Is(err, inflate.ErrChecksum) || !bytes.Equal(out, data) {
			t.Errorf("%s: with another checksum %d bytes, %v", name, len(out), err)
		}
	}
	for name, c := range map[string]struct {
		in   string
		want error
	}{
		"nothing": {"", io.EOF}, "one byte": {"x", io.ErrUnexpectedEOF}, "no head": {"xx", inflate.ErrHeader},
		"dictionary": {"\x78\xbb\x00\x00\x00\x00", inflate.ErrHeader}, "cut": {"\x78\x9c\x03", io.ErrUnexpectedEOF},
	} {
		err := z.Reset(bufio.NewReader(strings.NewReader(c.in)))
		if err == nil {
			_, err = io.ReadAll(z)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func FuzzFrames(f *testing.F) {
	for _, data := range contents() {
		data = data[:min(len(data), 2000)]
		f.Add(member(f, data, "name", "comment", []byte("extra")))
		f.Add(withHeadSum(member(f, data, "", "", nil)))
		f.Add(append(member(f, data, "", "", nil), "behind"...))
		f.Add(deflated(f, 6, data))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, want := ownMember(in), theirMember(in)
		longName := len(in) > 512 && in[3]&(8|16) != 0 && errors.Is(want.err, gzip.ErrHeader) // the library has a bound
		switch {
		case longName:
		case (got.err == nil) != (want.err == nil):
			t.Fatalf("gzip: %v, want %v", got.err, want.err)
		case want.err == nil && (!bytes.Equal(got.out, want.out) || !bytes.Equal(got.left, want.left)):
			t.Fatal("gzip: other bytes")
		}
		if len(in) > 1 && in[1]&0x20 != 0 {
			return // the library takes a preset dictionary that is empty
		}
		src, theirSrc := bufio.NewReader(bytes.NewReader(in)), bufio.NewReader(bytes.NewReader(in))
		var o, w outcome
		z, err := inflate.NewZlib(src)
		if o.err = err; err == nil {
			o.out, o.err = io.ReadAll(z)
		}
		their, err := zlib.NewReader(theirSrc)
		if w.err = err; err == nil {
			w.out, w.err = io.ReadAll(their)
		}
		o.left, _ = io.ReadAll(src)
		w.left, _ = io.ReadAll(theirSrc)
		if (o.err == nil) != (w.err == nil) || w.err == nil && (!bytes.Equal(o.out, w.out) || !bytes.Equal(o.left, w.left)) {
			t.Fatalf("zlib: %v, want %v, or other bytes", o.err, w.err)
		}
	})
}

// BenchmarkGzip inflates a layer of one's own, or generated text, in the sizes that occur.
func BenchmarkGzip(b *testing.B) {
	packed := member(b, bytes.Repeat(contents()["few"], 100), "", "", nil)
	if path := os.Getenv("REVENANT_BENCH_LAYER"); path != "" {
		var err error
		if packed, err = os.ReadFile(path); err != nil {
			b.Fatal(err)
		}
	}
	src := bufio.NewReaderSize(nil, 64<<10)
	for name, open := range map[string]func() (io.Reader, error){
		"own":       func() (io.Reader, error) { return inflate.NewGzip(src) },
		"klauspost": func() (io.Reader, error) { return kgzip.NewReader(src) },
		"std":       func() (io.Reader, error) { return gzip.NewReader(src) },
	} {
		b.Run(name, func(b *testing.B) {
			into := make([]byte, 64<<10)
			for b.Loop() {
				src.Reset(bytes.NewReader(packed))
				z, err := open()
				n := 0
				for err == nil {
					var k int
					k, err = z.Read(into)
					n += k
				}
				if !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
				b.SetBytes(int64(n))
			}
		})
	}
}
