package inflate

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"io"
)

const (
	zlibHead         = 2
	adlerSize        = 4
	presetDictionary = 0x20
)

// isZlib tells the head of RFC 1950 by its first two bytes.
func isZlib(head []byte) bool {
	return head[0]&0xf == 8 && head[0]>>4 <= 7 && (uint(head[0])<<8|uint(head[1]))%31 == 0
}

// Zlib decodes a zlib stream and checks its checksum. The zero value is ready
// for Reset. It serves one goroutine.
type Zlib struct {
	r   Reader
	sum hash.Hash32
	err error
}

// NewZlib reads the head of the stream that src holds; see [NewReader].
func NewZlib(src *bufio.Reader) (*Zlib, error) {
	z := &Zlib{}
	if err := z.Reset(src); err != nil {
		return nil, err
	}
	return z, nil
}

// Reset makes z begin another stream.
func (z *Zlib) Reset(src *bufio.Reader) error {
	if z.sum == nil {
		z.sum = adler32.New()
	}
	z.r.Reset(src)
	z.sum.Reset()
	head, err := src.Peek(zlibHead)
	switch {
	case err != nil && len(head) > 0:
		err = short(err)
	case err == nil && (!isZlib(head) || head[1]&presetDictionary != 0):
		err = ErrHeader
	case err == nil:
		_, _ = src.Discard(zlibHead)
	}
	z.err = err
	return err
}

// Read implements io.Reader.
func (z *Zlib) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.r.Read(p)
	_, _ = z.sum.Write(p[:n])
	if errors.Is(err, io.EOF) {
		var tail [adlerSize]byte
		if _, e := io.ReadFull(z.r.src, tail[:]); e != nil {
			err = short(e)
		} else if binary.BigEndian.Uint32(tail[:]) != z.sum.Sum32() {
			err = ErrChecksum
		}
	}
	z.err = err
	return n, err
}

// Gzip decodes one member of a gzip stream and checks its checksum and its
// size; Reset begins the next. The zero value is ready for Reset. It serves one
// goroutine.
type Gzip struct {
	r    Reader
	sum  uint32
	size uint32
	err  error
	head summedHead
}

// GzipTrailer is how many bytes follow the data of a member.
const GzipTrailer = 8

// NewGzip reads the head of the member that src holds; see [NewReader].
func NewGzip(src *bufio.Reader) (*Gzip, error) {
	z := &Gzip{}
	if err := z.Reset(src); err != nil {
		return nil, err
	}
	return z, nil
}

// Reset makes z begin another member. io.EOF says that nothing follows,
// [ErrHeader] that what follows is no member; if it does not even begin like
// one, it can be read from src still.
func (z *Gzip) Reset(src *bufio.Reader) error {
	z.r.Reset(src)
	z.sum, z.size = 0, 0
	z.err = z.head.read(src)
	return z.err
}

// Fields are what the head of the member at hand says beside its data, each with an
// end of line: what programs put there, its name, a comment. whole is false where they
// are longer than [LongestFields], and the rest was passed over. They are good until
// Reset, and none are known behind Resume.
func (z *Gzip) Fields() (text []byte, whole bool) { return z.head.kept, !z.head.cut }

// Read implements io.Reader.
func (z *Gzip) Read(p []byte) (int, error) {
	if z.err != nil {
		return 0, z.err
	}
	n, err := z.r.Read(p)
	z.sum = crc32.Update(z.sum, crc32.IEEETable, p[:n])
	z.size += uint32(n)
	if errors.Is(err, io.EOF) {
		var tail [GzipTrailer]byte
		if _, e := io.ReadFull(z.r.src, tail[:]); e != nil {
			err = short(e)
		} else if binary.LittleEndian.Uint32(tail[:]) != z.sum || binary.LittleEndian.Uint32(tail[4:]) != z.size {
			err = ErrChecksum
		}
	}
	z.err = err
	return n, err
}

// Fields of a gzip member's head (RFC 1952, section 2.3).
const (
	gzipHeadSize = 10
	flagSum      = 2
	flagExtra    = 4
	flagName     = 8
	flagComment  = 16
)

// LongestFields is how much of the fields of a member's head is kept.
const LongestFields = 1 << 20

// summedHead reads a head and makes its checksum.
type summedHead struct {
	src  *bufio.Reader
	sum  uint32
	err  error
	kept []byte // of its fields
	cut  bool
}

// read reads the head of a member.
func (h *summedHead) read(src *bufio.Reader) error {
	*h = summedHead{src: src, kept: h.kept[:0]}
	head, err := src.Peek(gzipHeadSize)
	const magic = "\x1f\x8b\x08"
	if n := min(len(head), len(magic)); n > 0 && string(head[:n]) != magic[:n] {
		return ErrHeader
	}
	if err != nil {
		if len(head) > 0 {
			err = short(err)
		}
		return err
	}
	flags := head[3]
	for range gzipHeadSize {
		h.byte()
	}
	if flags&flagExtra != 0 {
		h.extra()
	}
	for _, f := range [...]byte{flagName, flagComment} {
		if flags&f != 0 {
			h.text()
		}
	}
	if want := uint16(h.sum); flags&flagSum != 0 && h.two() != want && h.err == nil {
		return ErrHeader
	}
	return h.err
}

func (h *summedHead) byte() byte {
	if h.err != nil {
		return 0
	}
	c, err := h.src.ReadByte()
	if err != nil {
		h.err = short(err)
		return 0
	}
	h.sum = crc32.Update(h.sum, crc32.IEEETable, []byte{c})
	return c
}

func (h *summedHead) two() uint16 { return uint16(h.byte()) | uint16(h.byte())<<8 }

// keep keeps a byte of a field.
func (h *summedHead) keep(c byte) {
	if len(h.kept) == LongestFields {
		h.cut = true
		return
	}
	h.kept = append(h.kept, c)
}

// extra reads what is as long as it says.
func (h *summedHead) extra() {
	for n := h.two(); n > 0 && h.err == nil; n-- {
		h.keep(h.byte())
	}
	h.keep('\n')
}

// text reads what ends with a zero.
func (h *summedHead) text() {
	for c := h.byte(); c != 0; c = h.byte() {
		h.keep(c)
	}
	h.keep('\n')
}
