package objects

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
)

// Access is how files of the store are read.
type Access uint8

const (
	// AccessMap maps files into memory where the system can, else reads them.
	AccessMap Access = iota
	// AccessRead reads them: slower, and safe where files change under a
	// mapping, on network file systems for example.
	AccessRead
)

// idleBytes is how much of a pack is touched before its pages are given back,
// so that the memory of a walk does not grow with the pack.
const idleBytes = 48 << 20

// file is a file of the store: mapped, or read piece by piece.
type file struct {
	name    string
	size    int64
	data    []byte // the mapping; nil: read from f
	f       *os.File
	touched atomic.Int64
}

func openFile(name string, access Access) (*file, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, &os.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	m := &file{name: name, size: info.Size(), f: f}
	if access == AccessMap && m.size > 0 && m.size == int64(int(m.size)) {
		if data, err := mapFile(f, int(m.size)); err == nil {
			m.data, m.f = data, nil
			f.Close()
		}
	}
	return m, nil
}

// bytes is n bytes at off, or what is left of them: a part of the mapping, or
// read into scratch, which grows.
func (m *file) bytes(off, n int64, scratch *[]byte) ([]byte, error) {
	if off < 0 || off > m.size {
		return nil, broken(ReasonOffset)
	}
	n = min(n, m.size-off)
	if m.data != nil {
		return m.data[off : off+n : off+n], nil
	}
	if int64(cap(*scratch)) < n {
		*scratch = make([]byte, n)
	}
	buf := (*scratch)[:n]
	if _, err := m.f.ReadAt(buf, off); err != nil {
		return nil, err
	}
	return buf, nil
}

// whole is everything in the file.
func (m *file) whole() ([]byte, error) {
	var scratch []byte
	return m.bytes(0, m.size, &scratch)
}

// reader streams the file between two offsets.
func (m *file) reader(off, end int64) io.Reader {
	end = min(end, m.size)
	if m.data == nil {
		return io.NewSectionReader(m.f, off, end-off)
	}
	return &mapReader{m: m, at: off, end: end}
}

// touch counts what was read of a mapping and gives pages back from time to
// time. They stay in the system's cache.
func (m *file) touch(n int) {
	if m.data == nil || m.touched.Add(int64(n)) < idleBytes {
		return
	}
	m.touched.Store(0)
	releasePages(m.data)
}

func (m *file) close() {
	if m.data != nil {
		unmapFile(m.data)
		m.data = nil
	}
	if m.f != nil {
		m.f.Close()
		m.f = nil
	}
}

// mapReader reads a stretch of a mapping.
type mapReader struct {
	m       *file
	at, end int64
}

func (r *mapReader) Read(p []byte) (n int, err error) {
	defer unguard(guard())
	defer caught(&err)
	if r.at >= r.end {
		return 0, io.EOF
	}
	n = copy(p, r.m.data[r.at:r.end])
	r.at += int64(n)
	r.m.touch(n)
	return n, nil
}
