package image

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/therootcompany/xz"

	"revenant/scanners/bunzip2"
	"revenant/scanners/zstdframes"
)

// maxWindow is as much history as a stream may ask for.
const maxWindow = 128 << 20

// decompressed reads through gzip, zstd, xz or bzip2, told by the first bytes and not
// by a media type. b may be nil.
func decompressed(r io.Reader, b beside) (io.ReadCloser, error) {
	return decompressedFrom(bufio.NewReaderSize(r, aheadBytes), b)
}

// aheadBytes is how much of a compressed stream is read at once.
const aheadBytes = 64 << 10

// decompressedFrom is decompressed for what is read through a buffer.
func decompressedFrom(in *bufio.Reader, b beside) (io.ReadCloser, error) {
	head, err := in.Peek(formatHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch formatOf(head) {
	case formatGzip:
		return newMembers(in, b)
	case formatZstd:
		return newFramed(in, b)
	case formatXZ:
		x, err := xz.NewReader(in, maxWindow)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(x), nil
	case formatBzip2:
		return io.NopCloser(bunzip2.NewReader(in)), nil
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
	case zstdframes.IsData(head), zstdframes.IsSkippable(head):
		return formatZstd
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return formatXZ
	case len(head) == formatHead && bytes.HasPrefix(head, []byte("BZh")) && string(head[4:]) == "1AY&SY":
		return formatBzip2
	}
	return formatPlain
}

var gzipMagic = []byte("\x1f\x8b")
