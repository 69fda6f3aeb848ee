package archives

import (
	"bufio"
	"bytes"
	"io"
)

// inStream reads up to where a stream ends: what says its end may be missing in it.
type inStream struct{ r *bufio.Reader }

// ReadByte implements io.ByteReader.
func (s inStream) ReadByte() (byte, error) {
	const end = "endstream"
	c, err := s.r.ReadByte()
	if err != nil || c != end[0] {
		return c, err
	}
	if rest, _ := s.r.Peek(len(end) - 1); bytes.Equal(rest, []byte(end[1:])) {
		return 0, io.EOF
	}
	return c, nil
}

// Read implements io.Reader.
func (s inStream) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if p[n], err = s.ReadByte(); err != nil {
			break
		}
		n++
	}
	return n, err
}

// lzwReader undoes PDF's LZWDecode (ISO 32000, 7.4.4): codes of 9 to 12 bits, the highest
// bit first, which grow one code earlier than they would have to. Sizes are bounded by
// whoever reads.
type lzwReader struct {
	r    io.ByteReader
	acc  uint32
	have int // bits in acc

	width, next int // of codes, and the next one that is made
	prev        int // the code before; -1: none
	before      [lzwMost]uint16
	last        [lzwMost]byte
	length      [lzwMost]uint16
	room        [lzwMost]byte
	left        []byte
	err         error
}

const (
	lzwMost  = 1 << 12 // codes
	lzwClear = 256
	lzwEnd   = 257
)

func newLZW(r *bufio.Reader) *lzwReader {
	z := &lzwReader{r: inStream{r}}
	for c := range lzwClear {
		z.last[c], z.length[c] = byte(c), 1
	}
	z.clear()
	return z
}

func (z *lzwReader) clear() { z.width, z.next, z.prev = 9, lzwEnd+1, -1 }

// Read implements io.Reader.
func (z *lzwReader) Read(p []byte) (int, error) {
	for len(z.left) == 0 {
		if z.err != nil {
			return 0, z.err
		}
		z.err = z.step()
	}
	n := copy(p, z.left)
	z.left = z.left[n:]
	return n, nil
}

// step reads a code.
func (z *lzwReader) step() error {
	for z.have < z.width {
		c, err := z.r.ReadByte()
		if err != nil { // many writers leave the end out
			return err
		}
		z.acc, z.have = z.acc<<8|uint32(c), z.have+8
	}
	z.have -= z.width
	switch code := int(z.acc>>z.have) & (1<<z.width - 1); {
	case code == lzwClear:
		z.clear()
	case code == lzwEnd:
		return io.EOF
	case code > z.next || code == z.next && z.prev < 0:
		return errDamaged
	default:
		z.put(code)
	}
	return nil
}

// put gives out what a code stands for, and makes the next code of it and the one before.
func (z *lzwReader) put(code int) {
	from := code
	if z.prev >= 0 && z.next < lzwMost {
		z.before[z.next], z.length[z.next] = uint16(z.prev), z.length[z.prev]+1
		if code == z.next {
			from = z.prev
		}
		for from >= lzwClear {
			from = int(z.before[from])
		}
		z.last[z.next] = byte(from)
		if z.next++; z.next+1 >= 1<<z.width && z.width < 12 {
			z.width++
		}
	}
	n := int(z.length[code])
	for c, i := code, n-1; i >= 0; c, i = int(z.before[c]), i-1 {
		z.room[i] = z.last[c]
	}
	z.left, z.prev = z.room[:n], code
}

// runReader undoes PDF's RunLengthDecode.
type runReader struct {
	r    io.ByteReader
	n    int  // bytes that are left of a run
	same bool // they are all c
	c    byte
}

// Read implements io.Reader.
func (z *runReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if z.n == 0 {
			if err := z.run(); err != nil {
				return n, err
			}
		}
		if p[n] = z.c; !z.same {
			if p[n], err = z.r.ReadByte(); err != nil {
				return n, err
			}
		}
		z.n--
		n++
	}
	return n, nil
}

// run begins the next run.
func (z *runReader) run() error {
	const end = 128
	size, err := z.r.ReadByte()
	switch {
	case err != nil:
		return err
	case size == end:
		return io.EOF
	case size < end:
		z.n, z.same = int(size)+1, false
		return nil
	}
	z.n, z.same = 257-int(size), true
	z.c, err = z.r.ReadByte()
	return err
}
