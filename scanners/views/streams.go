package views

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/therootcompany/xz"

	"revenant/scanners/bunzip2"
	"revenant/scanners/inflate"
)

// source reads what a chain's characters carry, or bytes as they stand.
type source struct {
	chain chain
	bit   int    // the next bit of the chain's first character
	base  int    // bytes that were read before the chain's first character
	n     int    // bytes read
	from  int    // where it begins
	raw   []byte // not nil: these, from at on
	at    int
}

// open starts reading at a bit of the first character, or at a byte of raw.
func (s *source) open(bit int) {
	s.bit, s.n, s.base = bit, 0, 0
	if s.from = s.at; s.raw == nil {
		s.from = s.chain.to
	}
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if s.raw != nil {
		if s.at+s.n >= len(s.raw) {
			return 0, io.EOF
		}
		n := copy(p, s.raw[s.at+s.n:])
		s.n += n
		return n, nil
	}
	c := &s.chain
	bits := c.a.bits
	p = p[:min(len(p), firstRead+s.n)] // most streams are none
	// Characters that were read are kept until the next block: whoever reads
	// asks where a byte stood a little later.
	if used := (s.bit + 8*(s.n-s.base)) / bits; used > 8*block {
		used -= 4 * block
		used -= used % c.a.group // the bit stays the same
		c.drop(used)
		s.base += used * bits / 8
	}
	have := s.bit + 8*(s.n-s.base) // bits read of the chain's characters
	if want := (have + 8*len(p)) / bits; len(c.chars) <= want {
		c.gather(min(want, have/bits+block) + 1)
	}
	n := min(len(p), (len(c.chars)*bits-have)/8)
	if n <= 0 {
		return 0, io.EOF
	}
	var acc uint64
	at := have / bits
	acc = uint64(c.a.digit[c.chars[at]])
	left := bits - have%bits
	for i := range n {
		for left < 8 {
			at++
			acc = acc<<bits | uint64(c.a.digit[c.chars[at]])
			left += bits
		}
		left -= 8
		p[i] = byte(acc >> left)
	}
	s.n += n
	return n, nil
}

// begin is where the byte behind the n-th begins, in the text.
func (s *source) begin(n int) int {
	if s.raw != nil {
		return s.at + n
	}
	char := (s.bit + 8*max(n-s.base, 0)) / s.chain.a.bits
	if char >= len(s.chain.chars) {
		return s.chain.to
	}
	start, _ := s.chain.place(char)
	return start
}

// end is where the n-th byte that was read ends, in the text.
func (s *source) end(n int) int {
	if s.raw != nil {
		return s.at + n
	}
	char := (s.bit + 8*max(n-s.base, 1) - 1) / s.chain.a.bits
	_, end := s.chain.place(min(char, len(s.chain.chars)-1))
	return end
}

// open reads a stream's header.
func (s *search) open(k packing) (io.Reader, error) {
	switch k {
	case packGzip:
		if err := skipGzipHeader(s.buffer); err != nil {
			return nil, err
		}
	case packZlib:
		if _, err := s.buffer.Discard(2); err != nil {
			return nil, err
		}
	case packZip:
		if err := skipZipHeader(s.buffer); err != nil {
			return nil, err
		}
	case packBzip2:
		return bunzip2.NewReader(s.buffer), nil
	case packXz:
		s.xz = words{r: s.buffer}
		z, err := xz.NewReader(&s.xz, maxWindow)
		if err == nil {
			z.Multistream(false)
		}
		return z, err
	case packZstd:
		if s.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return nil, err
			}
			s.zstd = z
		}
		return s.zstd, s.zstd.Reset(s.buffer)
	case packLz4:
		if s.lz4 == nil {
			s.lz4 = lz4.NewReader(nil)
		}
		s.lz4.Reset(s.buffer)
		return s.lz4, nil
	case packSnappy:
		return newSnappyBlocks(s.buffer)
	case packNone, packBare:
	}
	if s.flate == nil {
		s.flate = &inflate.Reader{}
	}
	s.flate.Reset(s.buffer)
	return s.flate, nil
}

// skipGzipHeader reads the header of RFC 1952.
func skipGzipHeader(b *bufio.Reader) error {
	head, err := b.Peek(10)
	if err != nil {
		return err
	}
	flags := head[3]
	_, _ = b.Discard(10)
	if flags&4 != 0 { // extra
		size, err := b.Peek(2)
		if err != nil {
			return err
		}
		if _, err := b.Discard(2 + int(binary.LittleEndian.Uint16(size))); err != nil {
			return err
		}
	}
	for _, f := range [...]byte{8, 16} { // name, comment
		for n := 0; flags&f != 0; n++ {
			c, err := b.ReadByte()
			if err != nil {
				return err
			}
			if c == 0 {
				break
			}
			if n > maxGzipName {
				return errNoStream
			}
		}
	}
	if flags&2 != 0 { // checksum
		_, err = b.Discard(2)
	}
	return err
}

// skipZipHeader reads a local header.
func skipZipHeader(b *bufio.Reader) error {
	head, err := b.Peek(zipHeader)
	if err != nil {
		return err
	}
	_, err = b.Discard(zipHeader + int(binary.LittleEndian.Uint16(head[26:])) + int(binary.LittleEndian.Uint16(head[28:])))
	return err
}
