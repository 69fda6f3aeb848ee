// Package spool keeps streams for random access: in memory up to a budget that
// several share, beyond it in temporary files that have no name any more.
//
// It promises that nothing is left behind, whatever ends the process. It
// refuses to read more than it is told to.
package spool

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// Spool is one stream's. Reading may overlap once it is filled; the rest may not.
type Spool struct {
	memory *int64
	mem    []byte
	file   *os.File
	size   int64
}

// step is how much is read at once.
const step = 32 << 10

// New returns an empty spool that takes memory out of a budget of bytes, and
// gives it back when it is closed. Spools that share one are not used at once.
func New(memory *int64) *Spool { return &Spool{memory: memory} }

// Fill reads r to its end or to limit bytes in all, and returns a reader of what
// is left: r itself where it goes on. The error is of the spool, as of a full
// disk; r's own, and its end, come from what is left.
func (s *Spool) Fill(r io.Reader, limit int64) (rest io.Reader, err error) {
	buf := make([]byte, step)
	for s.size < limit {
		n, err := r.Read(buf[:min(int64(len(buf)), limit-s.size)])
		done, failed := s.write(buf[:n])
		switch {
		case failed != nil:
			return io.MultiReader(bytes.NewReader(buf[done:n]), r), failed
		case err != nil:
			return ended{err}, nil
		}
	}
	return r, nil
}

// ended is what is left of a reader that came to its end.
type ended struct{ err error }

func (e ended) Read([]byte) (int, error) { return 0, e.err }

// write keeps p and says how much of it was kept.
func (s *Spool) write(p []byte) (int, error) {
	if s.file == nil && int64(len(p)) <= *s.memory {
		s.mem = append(s.mem, p...)
		*s.memory -= int64(len(p))
		s.size += int64(len(p))
		return len(p), nil
	}
	if s.file == nil {
		f, err := os.CreateTemp("", "revenant-spool-*")
		if err != nil {
			return 0, fmt.Errorf("spooling: %w", err)
		}
		s.file = f
		if err := os.Remove(f.Name()); err != nil {
			return 0, fmt.Errorf("spooling: %w", err)
		}
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("spooling: %w", err)
	}
	return n, nil
}

// Size is how much was kept.
func (s *Spool) Size() int64 { return s.size }

// ReadAt implements io.ReaderAt: first memory, behind it the file.
func (s *Spool) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n := 0
	if off < int64(len(s.mem)) {
		n = copy(p, s.mem[off:])
		if n == len(p) {
			return n, nil
		}
	}
	if s.file == nil {
		return n, io.EOF
	}
	m, err := s.file.ReadAt(p[n:], off+int64(n)-int64(len(s.mem)))
	return n + m, err
}

// Close gives back memory and the file.
func (s *Spool) Close() {
	*s.memory += int64(len(s.mem))
	s.mem, s.size = nil, 0
	if s.file != nil {
		_ = s.file.Close()
	}
}
