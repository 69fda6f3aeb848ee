package scanners

import (
	"bytes"
	"context"
	"errors"
	"io"

	"revenant/fingerprints"
)

// scan is the state of one content: a buffer that slides over it.
type scan struct {
	e       *Engine
	in      feed
	path    string
	anyPath bool // the path is not known
	step    int  // bytes that a chunk owns
	overlap int  // of the matchers
	around  int  // what chunks show around what they own: overlap, and the viewer's reach

	block        *block // what buf is part of
	free         []*block
	buf          []byte // the content from base on
	base         int64
	from         int64 // first byte that the coming chunk owns
	line, column int   // of base
	read         int64
}

// block is memory that chunks borrow from. Only the goroutine of Scan counts
// them.
type block struct {
	data  []byte
	users int
}

// fill reads until the coming chunk and one byte beyond it are in the buffer.
// It reports whether the content goes on after the chunk.
func (s *scan) fill(ctx context.Context) (more bool, err error) {
	want := s.want() + 1
	for len(s.buf) < want {
		if ctx.Err() != nil {
			return false, nil
		}
		s.grow(want)
		n, err := s.in.Read(s.buf[len(s.buf):min(cap(s.buf), want)])
		s.buf = s.buf[:len(s.buf)+n]
		s.read += int64(n)
		if errors.Is(err, io.EOF) {
			return len(s.buf) == want, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// want is the length of the coming chunk unless the content ends before.
func (s *scan) want() int { return int(s.from-s.base) + s.step + 2*s.around }

// Buffers start small and grow in steps that waste little: doubling, and from
// 4 MiB on fourfold.
const (
	firstBuffer = 32 << 10
	fastGrowth  = 4 << 20
)

// grow makes room for at least one more byte, towards want.
func (s *scan) grow(want int) {
	if len(s.buf) < cap(s.buf) {
		return
	}
	size := max(firstBuffer, 2*cap(s.buf))
	if size > fastGrowth {
		size *= 2
	}
	next := make([]byte, len(s.buf), min(size, max(want, firstBuffer)))
	copy(next, s.buf)
	s.buf, s.block.data = next, next
}

// skips lists the generic hits that a cut may have shortened: those that are
// longer than what neighbouring chunks share, in a content of several chunks.
func (s *scan) skips(hits []Hit, c Chunk) []fingerprints.Skip {
	if c.Final && c.Base == 0 {
		return nil
	}
	var skips []fingerprints.Skip
	for _, h := range hits {
		whole := h.Match
		if h.Span.Len() > whole.Len() {
			whole = h.Span
		}
		if h.Registered() || h.PathOnly || whole.Len() <= int64(s.overlap) {
			continue
		}
		skips = append(skips, fingerprints.Skip{
			Path: s.path, Reason: fingerprints.SkipLongMatch, Detail: "rule " + h.Rule, Size: whole.Len(),
		})
	}
	return skips
}

// advance moves on to the next chunk. What was cut stays as it is.
func (s *scan) advance() {
	s.from += int64(s.step)
	drop := int(max(s.from-int64(s.around), 0) - s.base)
	if drop < 0 {
		drop = 0
	}
	s.line, s.column = position(s.buf[:drop], s.line, s.column)
	s.base += int64(drop)
	s.buf = s.buf[drop:]
	if len(s.buf) <= s.want() {
		s.renew()
	}
}

// renew goes on in another block, of the size of a piece.
func (s *scan) renew() {
	old, rest := s.block, s.buf
	if n := len(s.free); n > 0 {
		s.block, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.block = &block{data: make([]byte, s.step+3*s.around+1)}
	}
	s.buf = append(s.block.data[:0], rest...)
	s.leave(old)
}

// leave keeps a block for later when nobody uses it any more.
func (s *scan) leave(b *block) {
	switch {
	case b.users > 0 || b == s.block:
	case cap(b.data) == s.step+3*s.around+1:
		s.free = append(s.free, b)
	default: // the one that holds a whole chunk
		s.e.buffers.Put(&b.data)
	}
}

// release keeps memory for the next scan. Nobody looks at it any more.
func (s *scan) release() {
	s.e.buffers.Put(&s.block.data)
}

// position is where a text ends that starts at a line and column.
func position(b []byte, line, column int) (int, int) {
	n := bytes.Count(b, []byte{'\n'})
	if n == 0 {
		return line, column + len(b)
	}
	return line + n, len(b) - bytes.LastIndexByte(b, '\n')
}

// Position returns the line and column, both from 1, of an offset of the
// content that lies in the window's chunk or at its end.
func (w Window) Position(offset int64) (line, column int) {
	i := min(max(offset-w.Chunk.Base, 0), int64(len(w.Chunk.Data)))
	return position(w.Chunk.Data[:i], w.Line, w.Column)
}

// feed reads like io.Reader but makes progress or fails, whatever the reader
// underneath does.
type feed struct {
	r   io.Reader
	err error
}

// errBadReader is for readers that break their contract.
var errBadReader = errors.New("reader returned an impossible count")

// Read reads at least one byte into p, which is not empty, or returns an error.
func (f *feed) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	for range 100 {
		n, err := f.r.Read(p)
		if n < 0 || n > len(p) {
			n, err = 0, errBadReader
		}
		f.err = err
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	f.err = io.ErrNoProgress
	return 0, f.err
}
