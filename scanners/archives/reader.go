package archives

import (
	"errors"
	"io"
)

// reader reads a member within the bounds. It ends where it fails.
type reader struct {
	stopped func() error
	w       *walk
	f       file
	began   int64 // what was read of the container before
	out     int64
	ended   bool
	err     error
}

func (m *reader) Read(p []byte) (int, error) {
	if m.ended || m.err != nil {
		return 0, io.EOF
	}
	if m.err = m.allowed(); m.err != nil {
		return 0, io.EOF
	}
	n, err := 0, error(nil)
	for range idleReads { // some libraries give nothing for ever when a stream breaks off
		if n, err = m.f.r.Read(p[:min(int64(len(p)), max(m.w.left, 1))]); n > 0 || err != nil || len(p) == 0 {
			break
		}
	}
	if n <= 0 && err == nil && len(p) > 0 {
		err = io.ErrNoProgress
	}
	n = max(n, 0)
	m.out += int64(n)
	m.w.left -= int64(n)
	switch {
	case errors.Is(err, io.EOF):
		m.ended = true
		return n, io.EOF
	case err != nil:
		m.err = err
		return n, io.EOF
	}
	return n, nil
}

// idleReads is how often a member may give nothing in a row.
const idleReads = 100

func (m *reader) allowed() error {
	l := m.w.x.Limits
	switch err := m.stopped(); {
	case err != nil:
		return err
	case m.w.left <= 0:
		return errBytes
	case !m.w.deadline.IsZero() && m.w.x.Now().After(m.w.deadline):
		return errTime
	case m.f.in != nil && m.out > l.Slack && (m.out-l.Slack)/max(l.Ratio, 1) > *m.f.in-m.began:
		return errRatio
	case m.f.most > 0 && m.out > m.f.most:
		return errOverlap
	}
	return nil
}

// counted counts what is read of a container.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
