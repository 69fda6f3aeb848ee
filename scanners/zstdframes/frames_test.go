package zstdframes_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"

	"revenant/scanners/zstdframes"
)

func skippable(kind byte, text string) []byte {
	head := append([]byte{0x50 | kind}, "\x2a\x4d\x18"...)
	return append(binary.LittleEndian.AppendUint32(head, uint32(len(text))), text...)
}

func packed(t testing.TB, data []byte, o ...zstd.EOption) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil, append(o, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(data, nil)
}

func noise(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// streamed writes a stream whose head does not say how long it is.
func streamed(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// read is what comes of a stream: unpacked, the frames that are skipped, and what is
// left of it.
func read(stream io.Reader) (plain []byte, frames []string, rest []byte, err error) {
	in := bufio.NewReaderSize(stream, 64)
	r := zstdframes.NewReader(in, func(content io.Reader, size int64) error {
		b, err := io.ReadAll(content)
		frames = append(frames, fmt.Sprintf("%d %s", size, b))
		return err
	})
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, nil, nil, err
	}
	defer z.Close()
	if plain, err = io.ReadAll(z); err != nil {
		return plain, frames, nil, err
	}
	rest, err = io.ReadAll(in)
	return plain, frames, rest, err
}

func TestFrames(t *testing.T) {
	zeros, text := make([]byte, 400_000), []byte("some text")
	for name, c := range map[string]struct {
		stream, plain []byte
		frames        []string
		rest          string
	}{
		"nothing":         {nil, nil, nil, ""},
		"one":             {packed(t, text), text, nil, ""},
		"empty":           {packed(t, []byte{}, zstd.WithZeroFrames(true)), nil, nil, ""},
		"no checksum":     {packed(t, text, zstd.WithEncoderCRC(false)), text, nil, ""},
		"one segment":     {packed(t, text, zstd.WithSingleSegment(true)), text, nil, ""},
		"many blocks":     {packed(t, noise(1_000_000)), noise(1_000_000), nil, ""},
		"no size":         {streamed(t, noise(300_000)), noise(300_000), nil, ""},
		"zeros":           {packed(t, zeros), zeros, nil, ""},
		"two":             {slices.Concat(packed(t, text), packed(t, text)), slices.Concat(text, text), nil, ""},
		"skipped before":  {slices.Concat(skippable(0, "abc"), packed(t, text)), text, []string{"3 abc"}, ""},
		"skipped between": {slices.Concat(packed(t, text), skippable(15, "abc"), packed(t, text)), slices.Concat(text, text), []string{"3 abc"}, ""},
		"skipped behind":  {slices.Concat(packed(t, noise(70_000)), skippable(3, "abc"), skippable(4, "")), noise(70_000), []string{"3 abc", "0 "}, ""},
		"skipped alone":   {skippable(7, "abc"), nil, []string{"3 abc"}, ""},
		"something behind": {
			slices.Concat(packed(t, text), skippable(1, "abc"), []byte("and more than twenty bytes")), text, []string{"3 abc"}, "and more than twenty bytes",
		},
		"little behind": {slices.Concat(packed(t, text), []byte("x")), text, nil, "x"},
	} {
		for how, in := range map[string]io.Reader{"whole": bytes.NewReader(c.stream), "by bytes": iotest.OneByteReader(bytes.NewReader(c.stream))} {
			plain, frames, rest, err := read(in)
			if err != nil || !bytes.Equal(plain, c.plain) || !slices.Equal(frames, c.frames) || string(rest) != c.rest {
				t.Errorf("%s, %s: %d bytes, frames %q, rest %q, %v", name, how, len(plain), frames, rest, err)
			}
		}
		var frames []string
		zstdframes.Skippable(bytes.NewReader(c.stream), int64(len(c.stream)), func(start, end int64) bool {
			frames = append(frames, fmt.Sprintf("%d %s", end-start, c.stream[start:end]))
			return true
		})
		if !slices.Equal(frames, c.frames) {
			t.Errorf("%s: frames at %q", name, frames)
		}
	}
}

// TestBroken: what breaks off or is none ends in an error, or is left.
func TestBroken(t *testing.T) {
	whole := slices.Concat(packed(t, noise(300_000)), skippable(1, "abcdef"))
	for _, n := range []int{3, 5, 8, 1000, len(whole) - 20, len(whole) - 10, len(whole) - 3} {
		_, _, rest, err := read(bytes.NewReader(whole[:n]))
		if err == nil && len(rest) == 0 {
			t.Errorf("%d of %d bytes are taken for whole", n, len(whole))
		}
	}
	bad := bytes.Clone(whole)
	bad[longHead(bad)] |= 6 // a kind of block that there is not
	if _, _, _, err := read(bytes.NewReader(bad)); err == nil {
		t.Error("a block of no kind is read")
	}
	stop := errors.New("stop")
	in := bufio.NewReader(bytes.NewReader(whole))
	r := zstdframes.NewReader(in, func(_ io.Reader, size int64) error {
		if size != 6 {
			t.Errorf("%d bytes", size)
		}
		return stop
	})
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, stop) {
		t.Error(err)
	}
	if rest, _ := io.ReadAll(in); string(rest) != "abcdef" {
		t.Errorf("what was not read is %q", rest)
	}
}

// longHead is where the first block of a frame with a window and a size of four bytes begins.
func longHead(frame []byte) int {
	if frame[4]&0x20 != 0 {
		return 4 + 1 + 4
	}
	return 4 + 1 + 1 + 4
}

// FuzzFrames: nothing that comes in is read for ever, and both ways see the same frames
// as long as nothing breaks off.
func FuzzFrames(f *testing.F) {
	f.Add(slices.Concat(packed(f, []byte("text")), skippable(1, "abc")))
	f.Add(slices.Concat(skippable(2, "abc"), []byte("\x28\xb5\x2f\xfd\x00")))
	f.Fuzz(func(t *testing.T, b []byte) {
		var one, two []string
		in := bufio.NewReaderSize(bytes.NewReader(b), 32)
		r := zstdframes.NewReader(in, func(content io.Reader, _ int64) error {
			text, err := io.ReadAll(content)
			one = append(one, string(text))
			return err
		})
		n, err := io.Copy(io.Discard, r)
		if n > int64(len(b)) {
			t.Errorf("%d bytes of %d", n, len(b))
		}
		zstdframes.Skippable(bytes.NewReader(b), int64(len(b)), func(start, end int64) bool {
			two = append(two, string(b[min(start, end):end]))
			return true
		})
		if err == nil && !slices.Equal(one, two) {
			t.Errorf("%q, %q", one, two)
		}
	})
}
