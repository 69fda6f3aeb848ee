package archives

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// spool keeps a stream for random access: in memory up to a bound, beyond it in
// a temporary file that has no name any more.
type spool struct {
	w    *walk
	mem  []byte
	file *os.File
	size int64
}

// spoolStep is how much is read at once.
const spoolStep = 32 << 10

// fill reads r to its end or to limit bytes, and returns a reader of what is
// left: r itself where it goes on.
func (s *spool) fill(r io.Reader, limit int64) (rest io.Reader, err error) {
	buf := make([]byte, spoolStep)
	for s.size < limit {
		n, err := r.Read(buf[:min(int64(len(buf)), limit-s.size)])
		done, failed := s.write(buf[:n])
		switch {
		case failed != nil:
			return io.MultiReader(bytes.NewReader(buf[done:n]), r), failed
		case err != nil:
			return failing{err}, nil
		}
	}
	return r, nil
}

// write keeps p and says how much of it was kept.
func (s *spool) write(p []byte) (int, error) {
	if s.file == nil && int64(len(p)) <= s.w.memory {
		s.mem = append(s.mem, p...)
		s.w.memory -= int64(len(p))
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

// ReadAt reads what was spooled: first memory, behind it the file.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
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

func (s *spool) close() {
	s.w.memory += int64(len(s.mem))
	s.mem = nil
	if s.file != nil {
		_ = s.file.Close()
	}
}
