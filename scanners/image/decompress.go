package image

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"

	"revenant/scanners/inflate"
)

// maxWindow is as much history as a stream may ask for.
const maxWindow = 128 << 20

// decompressed reads through gzip, zstd, xz or bzip2, told by the first bytes and not
// by a media type.
func decompressed(r io.Reader) (io.ReadCloser, error) {
	return decompressedFrom(bufio.NewReaderSize(r, aheadBytes))
}

// aheadBytes is how much of a compressed stream is read at once.
const aheadBytes = 64 << 10

// decompressedFrom is decompressed for what is read through a buffer.
func decompressedFrom(in *bufio.Reader) (io.ReadCloser, error) {
	head, err := in.Peek(formatHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch formatOf(head) {
	case formatGzip:
		return newMembers(in)
	case formatZstd:
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case formatXZ:
		x, err := xz.NewReader(in, maxWindow)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(x), nil
	case formatBzip2:
		return io.NopCloser(bzip2.NewReader(in)), nil
	case formatPlain:
	}
	return io.NopCloser(in), nil
}

// format is how a stream is compressed.
type format uint8

// The formats; all others are plain.
const (
	formatPlain format = iota
	formatGzip
	formatZstd
	formatXZ
	formatBzip2
)

// formatHead is how many bytes formatOf looks at.
const formatHead = 10

// formatOf tells the format by the first bytes.
func formatOf(head []byte) format {
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		return formatGzip
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")), len(head) >= 4 && head[0]&0xf0 == 0x50 && bytes.HasPrefix(head[1:], []byte("\x2a\x4d\x18")):
		return formatZstd
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return formatXZ
	case len(head) == formatHead && bytes.HasPrefix(head, []byte("BZh")) && string(head[4:]) == "1AY&SY":
		return formatBzip2
	}
	return formatPlain
}

var gzipMagic = []byte("\x1f\x8b")

// members reads gzip members that follow each other, as of eStargz, and what stands
// behind the last as it is: those who unpack a layer do not look at it.
type members struct {
	in   *bufio.Reader
	z    *inflate.Gzip
	over bool
}

func newMembers(in *bufio.Reader) (*members, error) {
	z, err := inflate.NewGzip(in)
	if err != nil {
		return nil, err
	}
	return &members{in: in, z: z}, nil
}

func (m *members) Read(p []byte) (int, error) {
	for !m.over {
		n, err := m.z.Read(p)
		if n > 0 && errors.Is(err, io.EOF) {
			return n, nil
		}
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if head, _ := m.in.Peek(len(gzipMagic)); bytes.Equal(head, gzipMagic) {
			if err := m.z.Reset(m.in); err != nil {
				return 0, err
			}
			continue
		}
		m.over = true
	}
	return m.in.Read(p)
}

func (m *members) Close() error { return nil }
