package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"

	"revenant/fingerprints"
	"revenant/scanners"
)

// sparse reports whether a file has holes, in one of the ways that GNU tar and
// others write them.
func sparse(h *tar.Header) bool {
	for _, key := range []string{"GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.realsize"} {
		if _, has := h.PAXRecords[key]; has {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// Bounds of a layer's files with holes: a header of 512 bytes may tell of holes of any
// size.
const (
	wholeSparse = 256 << 20 // that are read as they are, together
	maxHoles    = 16 << 30  // that are passed over, together
)

// errHoles ends a file with more.
var errHoles = &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "the layer's sparse files have holes of more than 16 GiB", Size: -1}

// holeless is a sparse file without its long stretches of zeros.
type holeless struct {
	r      io.Reader
	passed *int64 // zeros, of all files of the layer
	block  []byte
	rest   []byte // of block
	err    error
}

const holeBlock = 64 << 10

func (h *holeless) Read(p []byte) (int, error) {
	for len(h.rest) == 0 {
		if h.err != nil {
			return 0, h.err
		}
		if h.block == nil {
			h.block = make([]byte, holeBlock)
		}
		var n int
		n, h.err = io.ReadFull(h.r, h.block)
		if errors.Is(h.err, io.ErrUnexpectedEOF) && n > 0 {
			h.err = nil // the next read tells whether it ended
		}
		h.rest = h.block[:n]
		if n == holeBlock && h.rest[0] == 0 && bytes.Equal(h.rest[1:], h.rest[:n-1]) {
			h.rest = nil
			*h.passed += int64(n)
		}
		if *h.passed > maxHoles && h.err == nil {
			h.err = errHoles
		}
	}
	n := copy(p, h.rest)
	h.rest = h.rest[n:]
	return n, nil
}
