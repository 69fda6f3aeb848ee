package bunzip2_test

import (
	"bufio"
	"bytes"
	stdbzip2 "compress/bzip2"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/dsnet/compress/bzip2"

	"revenant/scanners/bunzip2"
)

// packed is data as a bzip2 stream.
func packed(t testing.TB, data []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := bzip2.NewWriter(&out, &bzip2.WriterConfig{Level: level})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inputs are streams, whole and not.
func inputs(t testing.TB) map[string][]byte {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	text := []byte(strings.Repeat("user = someone\npassword = of nobody\n", 9000))
	noise := make([]byte, 250_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	one := packed(t, text, 1)
	return map[string][]byte{
		"empty":          packed(t, nil, 9),
		"short":          packed(t, []byte("hello"), 9),
		"runs":           packed(t, bytes.Repeat([]byte{'a'}, 2_000_000), 9),
		"several blocks": one,
		"noise":          packed(t, noise, 2),
		"two streams":    append(bytes.Clone(one), packed(t, noise, 9)...),
		"cut off":        one[:len(one)-9],
		"cut in a block": one[:len(one)/2],
		"followed":       append(bytes.Clone(one), "and so on"...),
		"zeros follow":   append(bytes.Clone(one), make([]byte, 512)...),
		"damaged":        append(append(bytes.Clone(one[:len(one)/2]), 0, 1, 2, 3), one[len(one)/2+4:]...),
		"nothing":        nil,
		"other":          []byte("no stream at all"),
	}
}

// TestAsTheStandardLibrary reads what package compress/bzip2 reads.
func TestAsTheStandardLibrary(t *testing.T) {
	for name, data := range inputs(t) {
		t.Run(name, func(t *testing.T) {
			want, wantErr := io.ReadAll(stdbzip2.NewReader(bytes.NewReader(data)))
			got, err := io.ReadAll(bunzip2.NewReader(bufio.NewReader(bytes.NewReader(data))))
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes, not the %d that there are", len(got), len(want))
			}
			trailing := errors.Is(wantErr, stdbzip2.StructuralError("bad magic value in continuation file"))
			if (err == nil) != (wantErr == nil) || errors.Is(err, bunzip2.ErrTrailing) != trailing {
				t.Errorf("error %v, %v expected", err, wantErr)
			}
		})
	}
}

// TestCutOff tells that a stream goes on.
func TestCutOff(t *testing.T) {
	whole := packed(t, []byte(strings.Repeat("some words ", 1000)), 9)
	for n := range whole {
		if _, err := io.ReadAll(bunzip2.NewReader(bytes.NewReader(whole[:n]))); n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d bytes: error %v", n, len(whole), err)
		}
	}
}

// FuzzAsTheStandardLibrary compares what both read to its end: of codes that are not
// complete each refuses some that the other takes.
func FuzzAsTheStandardLibrary(f *testing.F) {
	for _, data := range inputs(f) {
		if len(data) < 4<<10 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const most = 8 << 20
		want, wantErr := io.ReadAll(io.LimitReader(stdbzip2.NewReader(bytes.NewReader(data)), most))
		got, err := io.ReadAll(io.LimitReader(bunzip2.NewReader(bufio.NewReader(bytes.NewReader(data))), most))
		if err == nil && wantErr == nil && !bytes.Equal(got, want) {
			t.Errorf("%d bytes, not the %d that there are", len(got), len(want))
		}
	})
}

// TestReadsNoMore leaves what follows the streams to whoever reads on.
func TestReadsNoMore(t *testing.T) {
	data := packed(t, []byte(strings.Repeat("some words ", 1000)), 9)
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(data), strings.NewReader("what follows")))
	out, err := io.ReadAll(bunzip2.NewReader(in))
	if !errors.Is(err, bunzip2.ErrTrailing) || len(out) != 11_000 {
		t.Fatalf("%d bytes, error %v", len(out), err)
	}
	if rest, err := io.ReadAll(in); err != nil || !strings.HasSuffix("what follows", string(rest)) || len(rest) < len("what follows")-2 {
		t.Errorf("%q is left, error %v", rest, err)
	}
}
