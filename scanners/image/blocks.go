package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strconv"
)

const tarBlock = 512

var zeroBlock [tarBlock]byte

// upToBlock is where the block ends that a place is in.
func upToBlock(at int64) int64 { return (at + tarBlock - 1) &^ (tarBlock - 1) }

// padded is what stands behind the content of an entry. It is good until the next entry
// is asked for.
type padded struct {
	number int
	text   []byte
}

// blocks tells what is read of an archive beside the contents of its entries.
type blocks struct {
	heads *headers
	end   int64  // of the last entry's content, in the archive
	pad   padded // what stands behind that
}

// next asks for the coming header, and returns its blocks. Nothing may have been read
// behind the end of the content before, but for that of a sparse file.
func (b *blocks) next(t *tar.Reader, number int) (h *tar.Header, heads []byte, err error) {
	b.pad = padded{}
	b.heads.keep(b.end)
	h, err = t.Next()
	if b.heads.keeping = false; err == nil || errors.Is(err, io.EOF) {
		heads = b.padding(b.heads.kept, number-1)
	}
	return h, heads, err
}

// padding takes what stands between an entry's content and the next header, and returns
// the blocks of that.
func (b *blocks) padding(kept []byte, number int) []byte {
	base := b.heads.at - int64(len(kept))
	hold := func(at int64) int64 { return min(max(at-base, 0), int64(len(kept))) }
	from, to := hold(b.end), hold(upToBlock(b.end))
	if pad := kept[from:to]; !zero(pad) {
		b.pad = padded{number, bytes.Trim(pad, "\x00")}
	}
	return kept[to:]
}

// slack notes what an entry's headers hold beside what is meant, and where the content of
// a sparse file ends.
func (b *blocks) slack(heads []byte, h *tar.Header, m *member) {
	if len(heads) == tarBlock && !m.sparse && ordinary(heads, h, m) {
		return
	}
	if b.heads.lost { // nobody knows where one begins
		m.header = bytes.Clone(heads)
		return
	}
	s := slack{h: h, m: m}
	s.all(heads)
	if m.header = s.out; !m.sparse {
		return
	}
	if text := h.PAXRecords["size"]; text != "" {
		s.size, _ = strconv.ParseInt(text, 10, 64) // or the archive could not be read
	}
	b.end = b.heads.at + s.size
	if h.Typeflag != tar.TypeGNUSparse { // then its map is part of its content
		b.end -= s.rest
	}
}
