package image

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"revenant/fingerprints"
	"revenant/scanners"
)

// Marks of the OCI image specification, "Whiteouts".
const (
	whiteoutMark = ".wh."
	opaqueMark   = ".wh..wh..opq"
	aufsMark     = ".wh..wh." // AUFS's own files, which no runtime shows
)

// member is an entry of a layer as it was met.
type member struct {
	entry
	size int64
	// attributes are the records that stand beside an entry's name: extended
	// attributes and comments, a line each.
	attributes []byte
}

// errNoTar: what was uncompressed is no tar archive.
var errNoTar = errors.New("no tar archive")

// maxZstdWindow is as much history as a stream may ask for.
const maxZstdWindow = 128 << 20

// decompressed reads through gzip or zstd, told by the first bytes and not by a
// media type.
func decompressed(r io.Reader) (io.ReadCloser, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	head, err := in.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzip.NewReader(in)
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}):
		d, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}
	return io.NopCloser(in), nil
}

// walkLayer calls visit for every entry of a layer, in its order. The body of a
// file ends when visit returns. What is behind the end of the archive is handed
// over as a member without a name. Entries that break off are told by the error.
func walkLayer(ctx context.Context, r io.Reader, visit func(m member, body io.Reader) error) error {
	in := bufio.NewReaderSize(r, 64<<10)
	t := tar.NewReader(in)
	for n := 0; ; n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return rest(in, visit)
		case err != nil && n == 0:
			return errNoTar
		case err != nil:
			return fmt.Errorf("after %d entries: %w", n, damaged(err))
		}
		if err := visit(memberOf(h), t); err != nil {
			return err
		}
	}
}

// damaged leaves the text of an error out: it may repeat what was read.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer breaks off", Size: -1}
	}
	var skip *scanners.SkipError
	if errors.As(err, &skip) {
		return skip
	}
	return &scanners.SkipError{Reason: fingerprints.SkipUnreadable, Detail: "the layer is damaged", Size: -1}
}

// rest hands over what stands behind an archive's end, unless it is zeros.
func rest(in *bufio.Reader, visit func(member, io.Reader) error) error {
	for {
		b, err := in.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return damaged(err)
		}
		if b != 0 {
			_ = in.UnreadByte()
			return visit(member{entry: entry{kind: kindFile}, size: -1}, in)
		}
	}
}

// ordinaryOwner is how long names of owners may be that hold nothing.
const ordinaryOwner = 7

func memberOf(h *tar.Header) member {
	m := member{entry: entryOf(h), size: h.Size}
	for _, owner := range []string{h.Uname, h.Gname} {
		if len(owner) > ordinaryOwner {
			m.attributes = fmt.Appendf(m.attributes, "owner=%s\n", owner)
		}
	}
	if len(h.PAXRecords) > 0 {
		for _, key := range slices.Sorted(maps.Keys(h.PAXRecords)) {
			switch key {
			case "path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime":
			default:
				m.attributes = fmt.Appendf(m.attributes, "%s=%s\n", key, h.PAXRecords[key])
			}
		}
	}
	return m
}

// entryOf reads a header's name and what it is.
func entryOf(h *tar.Header) entry {
	name := cleaned(h.Name)
	dir, base := path.Split(name)
	dir = strings.Trim(dir, "/")
	switch {
	case base == opaqueMark:
		return entry{name: dir, kind: kindOpaque}
	case strings.HasPrefix(base, aufsMark):
		return entry{name: name, kind: kindOther}
	case strings.HasPrefix(base, whiteoutMark) && len(base) > len(whiteoutMark):
		return entry{name: path.Join(dir, base[len(whiteoutMark):]), kind: kindWhiteout}
	}
	switch h.Typeflag {
	case tar.TypeReg, '\x00', tar.TypeCont, tar.TypeGNUSparse:
		return entry{name: name, kind: kindFile}
	case tar.TypeDir:
		return entry{name: name, kind: kindDir}
	case tar.TypeSymlink:
		return entry{name: name, kind: kindSymlink, target: h.Linkname}
	case tar.TypeLink:
		return entry{name: name, kind: kindHardlink, target: cleaned(h.Linkname)}
	}
	return entry{name: name, kind: kindOther}
}

// cleaned is a name below the root, without a slash at either end, whatever it
// says of folders above.
func cleaned(name string) string {
	return strings.Trim(path.Clean("/"+name), "/")
}
