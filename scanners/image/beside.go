package image

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/zstd"

	"revenant/fingerprints"
	"revenant/scanners"
	"revenant/scanners/inflate"
	"revenant/scanners/zstdframes"
)

// A compressed stream may hold something beside what it unpacks to: names and comments in
// the heads of gzip's members, and frames of zstd that decoders skip.

// besideStream stands for the number of such a content of a layer: no entry.
const besideStream = -3

// Behind the path of the layer.
const (
	fieldsPart = "!@gzip"
	framePart  = "!@frame"
)

// beside is given such a content, of size bytes; below 0: there was more of it, which is
// lost. It need not read it, and its error ends the reading.
type beside func(part string, content io.Reader, size int64) error

// leastText is how many bytes hold a value at the least.
const leastText = 8

// screenedBeside is up to how long such contents are screened; longer ones are held.
const screenedBeside = 1 << 20

var errLongFields = &scanners.SkipError{Reason: fingerprints.SkipTooLarge, Detail: "names and comments of a gzip stream of more than 1 MiB: not all of them was searched", Size: -1}

// members reads gzip members that follow each other, as of eStargz, and what stands
// behind the last as it is: those who unpack a layer do not look at it.
type members struct {
	in     *bufio.Reader
	z      *inflate.Gzip
	over   bool
	beside beside // may be nil
}

func newMembers(in *bufio.Reader, b beside) (*members, error) {
	m := &members{in: in, z: &inflate.Gzip{}, beside: b}
	if err := m.begin(); err != nil {
		return nil, err
	}
	return m, nil
}

// begin begins a member.
func (m *members) begin() error {
	if err := m.z.Reset(m.in); err != nil {
		return err
	}
	text, whole := m.z.Fields()
	if len(text) < leastText || m.beside == nil {
		return nil
	}
	size := int64(len(text))
	if !whole {
		size = -1
	}
	return m.beside(fieldsPart, bytes.NewReader(text), size)
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
			if err := m.begin(); err != nil {
				return 0, err
			}
			continue
		}
		m.over = true
	}
	return m.in.Read(p)
}

// behind reports whether what was read last stands behind the stream.
func (m *members) behind() bool { return m.over }

func (m *members) Close() error { return nil }

// framed reads frames of zstd that follow each other, and what stands behind the last as
// it is.
type framed struct {
	in   *bufio.Reader
	z    *zstd.Decoder
	over bool
}

func newFramed(in *bufio.Reader, b beside) (*framed, error) {
	frames := zstdframes.NewReader(in, func(content io.Reader, size int64) error {
		if size < leastText || b == nil {
			return nil
		}
		return b(framePart, content, size)
	})
	z, err := zstd.NewReader(frames, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return &framed{in: in, z: z}, nil
}

func (f *framed) Read(p []byte) (int, error) {
	if !f.over {
		n, err := f.z.Read(p)
		if !errors.Is(err, io.EOF) {
			return n, err
		}
		if n > 0 {
			return n, nil
		}
		f.over = true
	}
	return f.in.Read(p)
}

func (f *framed) behind() bool { return f.over }

func (f *framed) Close() error {
	f.z.Close()
	return nil
}

// beside screens what stands in a layer's stream beside the layer.
func (v *survey) beside(ctx context.Context, s *surveyed) beside {
	number := -1
	return func(part string, content io.Reader, size int64) error {
		number++
		h := heldFile{Entry: besideStream, Part: part, Nth: number, Size: size}
		if size > screenedBeside {
			s.hold(h)
			return nil
		}
		data, err := io.ReadAll(content) // what breaks off is told by the stream
		if v.screen(ctx, data) {
			h.Size = int64(len(data))
			s.hold(v.keep(h, data))
		}
		if size < 0 && !s.failed {
			s.lists(errLongFields)
		}
		return err
	}
}

// errHere: what was looked for comes next.
var errHere = errors.New("here it is")

// openBeside opens such a content, from the beginning of its layer.
func openBeside(ctx context.Context, b blob, h heldFile) (io.ReadCloser, error) {
	layer, err := b.open(ctx)
	if err != nil {
		return nil, asSkip(err)
	}
	rc := io.Closer(layer)
	number := -1
	var found io.Reader
	un, err := decompressed(layer, func(_ string, content io.Reader, size int64) error {
		if number++; number < h.Nth {
			return nil
		}
		if found = content; size >= 0 {
			found = exactly(content, size)
		}
		return errHere
	})
	if err == nil {
		_, err = io.Copy(io.Discard, un)
		rc = closing(func() error { return errors.Join(un.Close(), layer.Close()) })
	}
	if found != nil {
		return within{found, rc}, nil
	}
	if err == nil {
		err = errChanged
	}
	_ = rc.Close() // it was read as far as it can be
	return nil, asSkip(err)
}
