package views

import (
	"bufio"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/s2"
)

// snappyMagic is what blocks of snappy begin with that snappy-java wrote, which Kafka's
// clients do: then come two versions, and blocks behind their lengths (the framing
// of SnappyOutputStream).
const snappyMagic = "\x82SNAPPY\x00"

const (
	snappyHeader = len(snappyMagic) + 8
	// longestSnappy is how long blocks are at the most: writers make them of 32 KiB.
	longestSnappy = 1 << 20
)

// snappyBlocks reads them.
type snappyBlocks struct {
	b      *bufio.Reader
	packed []byte
	room   []byte
	left   []byte // of the block at hand
}

func newSnappyBlocks(b *bufio.Reader) (io.Reader, error) {
	head, err := b.Peek(snappyHeader)
	if err != nil {
		return nil, err
	}
	if versions := head[len(snappyMagic):]; binary.BigEndian.Uint32(versions) > 9 || binary.BigEndian.Uint32(versions[4:]) > 9 {
		return nil, errNoStream
	}
	_, err = b.Discard(snappyHeader)
	return &snappyBlocks{b: b}, err
}

// Read implements io.Reader. Nothing but what follows the last block tells that it is
// the last.
func (s *snappyBlocks) Read(p []byte) (int, error) {
	for len(s.left) == 0 {
		head, err := s.b.Peek(4)
		if err != nil {
			return 0, io.EOF
		}
		n := binary.BigEndian.Uint32(head)
		if n == 0 || n > longestSnappy {
			return 0, io.EOF
		}
		if _, err := s.b.Discard(len(head)); err != nil {
			return 0, err
		}
		s.packed = append(s.packed[:0], make([]byte, n)...)
		if _, err := io.ReadFull(s.b, s.packed); err != nil {
			return 0, io.ErrUnexpectedEOF
		}
		if size, err := s2.DecodedLen(s.packed); err != nil || size > longestSnappy {
			return 0, errNoStream
		}
		if s.left, err = s2.Decode(s.room[:cap(s.room)], s.packed); err != nil {
			return 0, errNoStream
		}
		s.room = s.left
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}
