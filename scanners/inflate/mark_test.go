package inflate_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"revenant/scanners/inflate"
)

// counted tells how much was read of what a Gzip reads.
type counted struct {
	r  io.Reader
	at int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.at += n
	return n, err
}

// marked is a mark, with where it stands.
type marked struct {
	mark          *inflate.Mark
	packed, plain int
}

// blocks is a member with blocks of all kinds, with what they hold.
func blocks(t *testing.T) (packed, plain []byte) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	for n := range 60 {
		part := make([]byte, 1+rng.IntN(20_000))
		for i := range part {
			switch n % 3 {
			case 0: // stored
				part[i] = byte(rng.Uint32())
			case 1:
				part[i] = "abcdefgh \n"[rng.IntN(10)]
			}
		}
		if n%3 == 2 { // with codes that need not be told
			part = []byte("short")
		}
		if n%9 == 0 { // much is decoded at once
			part = bytes.Repeat([]byte("all the same "), 12_000)
		}
		if n%5 == 0 && len(plain) > 20_000 { // from far away
			part = slices.Clone(plain[len(plain)-20_000:][:10_000])
		}
		plain = append(plain, part...)
		if _, err := w.Write(part); err != nil || w.Flush() != nil {
			t.Fatal("cannot be packed")
		}
	}
	if w.Close() != nil {
		t.Fatal("cannot be packed")
	}
	return b.Bytes(), plain
}

// TestMark: from every mark a member goes on to its end, whoever went on from it
// before, and what is wrong with it is seen.
func TestMark(t *testing.T) {
	packed, plain := blocks(t)
	c := &counted{r: bytes.NewReader(packed)}
	src := bufio.NewReaderSize(c, 4096)
	z, err := inflate.NewGzip(src)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	var all []marked
	at := 0
	for err == nil {
		all = append(all, marked{z.Mark(), c.at - src.Buffered(), at})
		buf := make([]byte, 1+rng.IntN(9000))
		var n int
		n, err = z.Read(buf)
		if !bytes.Equal(buf[:n], plain[at:at+n]) {
			t.Fatal("marks change what is read")
		}
		at += n
	}
	all = append(all, marked{z.Mark(), c.at - src.Buffered(), at})
	if !errors.Is(err, io.EOF) || at != len(plain) || len(all) < 100 {
		t.Fatal(err, at, len(all))
	}
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var used inflate.Gzip
	for i, m := range slices.Concat(all, all[:10]) {
		again := &used
		if i%3 == 0 {
			again = &inflate.Gzip{}
		}
		src := bufio.NewReaderSize(bytes.NewReader(packed[m.packed:]), 4096)
		again.Resume(src, m.mark)
		if got, err := io.ReadAll(again); err != nil || !bytes.Equal(got, plain[m.plain:]) {
			t.Fatalf("from %d (%d packed): %d of %d bytes, %v", m.plain, m.packed, len(got), len(plain)-m.plain, err)
		}
		if left, _ := io.ReadAll(src); len(left) > 0 {
			t.Fatalf("%d bytes are left", len(left))
		}
	}
	m := all[0]
	bad := bytes.Clone(packed)
	bad[len(bad)-8]++
	used.Resume(bufio.NewReader(bytes.NewReader(bad[m.packed:])), m.mark)
	if _, err := io.ReadAll(&used); !errors.Is(err, inflate.ErrChecksum) {
		t.Error(err)
	}
}

// TestMarkOfNothing: where a member cannot be read further there is no mark.
func TestMarkOfNothing(t *testing.T) {
	packed, _ := blocks(t)
	z, err := inflate.NewGzip(bufio.NewReader(bytes.NewReader(packed[:len(packed)/2])))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, z); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	if z.Mark() != nil {
		t.Error("there is a mark")
	}
}
