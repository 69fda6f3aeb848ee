// Package zstdframes tells the frames of a zstd stream (RFC 8878) from each other,
// without decompressing them: those that decoders skip may hold anything.
//
// It promises: a stream is looked at once and in order, or at its heads alone where it
// can be read anywhere; memory is flat; what is no frame is left where it stands.
package zstdframes

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Sizes of RFC 8878, section 3.1.
const (
	magicSize     = 4
	skippableHead = magicSize + 4
	longestHead   = magicSize + 1 + 1 + 4 + 8
	blockHead     = 3
	sumSize       = 4
)

const dataMagic = "\x28\xb5\x2f\xfd"

// IsData reports whether a frame begins that decoders decode.
func IsData(head []byte) bool { return bytes.HasPrefix(head, []byte(dataMagic)) }

// IsSkippable reports whether a frame begins that decoders skip.
func IsSkippable(head []byte) bool {
	return len(head) >= magicSize && head[0]&0xf0 == 0x50 && string(head[1:magicSize]) == "\x2a\x4d\x18"
}

var (
	// errNoFrame: what is read is not laid out as a frame is.
	errNoFrame = errors.New("not a frame of zstd")
	// errShort is no bare io.ErrUnexpectedEOF: a decoder takes that for an end.
	errShort = fmt.Errorf("a frame that is skipped: %w", io.ErrUnexpectedEOF)
)

// dataHead is how long the head of a frame is, and whether a checksum ends it. There
// must be longestHead bytes, or all that there are.
func dataHead(head []byte) (size int, summed bool, err error) {
	if len(head) <= magicSize {
		return 0, false, errNoFrame
	}
	says := head[magicSize]
	size = magicSize + 1
	single := says&0x20 != 0
	if !single {
		size++ // the window
	}
	size += []int{0, 1, 2, 4}[says&3] // the dictionary's id
	switch length := says >> 6; {     // of the content
	case length > 0:
		size += 1 << length
	case single:
		size++
	}
	return size, says&4 != 0, nil
}

// block is how long a block is behind its head, and whether it is a frame's last.
func block(head []byte) (size int64, last bool, err error) {
	if len(head) < blockHead {
		return 0, false, errNoFrame
	}
	says := uint32(head[0]) | uint32(head[1])<<8 | uint32(head[2])<<16
	switch size = int64(says >> 3); says >> 1 & 3 {
	case 1: // one byte, again and again
		size = 1
	case 3:
		return 0, false, errNoFrame
	}
	return size, says&1 != 0, nil
}

// Reader passes a stream on without the frames that are to be skipped. It ends where
// there is no frame any more: what stands there is still to be read from its source.
type Reader struct {
	in *bufio.Reader
	// skipped is given what such a frame holds. It need not read it, and an error of it is
	// the reader's: then it was not read further.
	skipped func(content io.Reader, size int64) error
	left    int64 // bytes that are passed on before anything is looked at
	within  bool  // a frame
	summed  bool
	blind   bool // what is no frame is passed on, for whoever reads it to say so
}

// NewReader makes a reader of what in holds, which has a buffer of 18 bytes or more.
func NewReader(in *bufio.Reader, skipped func(content io.Reader, size int64) error) *Reader {
	return &Reader{in: in, skipped: skipped}
}

// Read implements io.Reader.
func (r *Reader) Read(p []byte) (int, error) {
	for r.left == 0 && !r.blind {
		if err := r.step(); err != nil {
			return 0, err
		}
	}
	if !r.blind {
		p = p[:min(int64(len(p)), r.left)]
	}
	n, err := r.in.Read(p)
	r.left -= int64(n)
	return n, err //nolint:wrapcheck // it is the source's
}

// step looks at what comes next.
func (r *Reader) step() error {
	if r.within {
		return r.block()
	}
	head, err := r.in.Peek(longestHead)
	switch {
	case IsSkippable(head):
		return r.skip(head)
	case !IsData(head):
		if err != nil && !errors.Is(err, io.EOF) {
			return err //nolint:wrapcheck // as above
		}
		return io.EOF
	}
	size, summed, err := dataHead(head)
	if r.left, r.summed, r.within = int64(size), summed, true; err != nil {
		r.blind = true
	}
	return nil
}

func (r *Reader) block() error {
	head, _ := r.in.Peek(blockHead)
	size, last, err := block(head)
	if err != nil {
		r.blind = true
		return nil
	}
	r.left = blockHead + size
	if r.within = !last; last && r.summed {
		r.left += sumSize
	}
	return nil
}

func (r *Reader) skip(head []byte) error {
	if len(head) < skippableHead {
		return errShort
	}
	size := int64(binary.LittleEndian.Uint32(head[magicSize:]))
	_, _ = r.in.Discard(skippableHead)
	content := &io.LimitedReader{R: r.in, N: size}
	if r.skipped != nil {
		if err := r.skipped(content, size); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, content)
	if err == nil && content.N > 0 {
		err = errShort
	}
	return err //nolint:wrapcheck // as above
}

// Skippable yields where what the frames hold stands that decoders skip. It ends where
// there is no frame any more.
func Skippable(at io.ReaderAt, size int64, yield func(start, end int64) bool) {
	var room [longestHead]byte
	for pos := int64(0); pos < size; {
		n, _ := at.ReadAt(room[:min(longestHead, size-pos)], pos) // of less there is no frame
		head := room[:n]
		switch {
		case IsSkippable(head) && n >= skippableHead:
			start := pos + skippableHead
			end := start + int64(binary.LittleEndian.Uint32(head[magicSize:]))
			if !yield(start, min(end, size)) {
				return
			}
			pos = end
		case IsData(head):
			if pos = behindData(at, pos, head); pos < 0 {
				return
			}
		default:
			return
		}
	}
}

// behindData is where a frame ends; below 0: it does not.
func behindData(at io.ReaderAt, pos int64, head []byte) int64 {
	n, summed, err := dataHead(head)
	if err != nil {
		return -1
	}
	pos += int64(n)
	for {
		var room [blockHead]byte
		n, _ := at.ReadAt(room[:], pos)
		size, last, err := block(room[:n])
		if err != nil {
			return -1
		}
		if pos += blockHead + size; !last {
			continue
		}
		if summed {
			pos += sumSize
		}
		return pos
	}
}
