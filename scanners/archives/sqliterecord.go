package archives

import (
	"encoding/binary"
	"io"
)

// payload reads a record along its pages; a pass has one at a time.
type payload struct {
	p      *pass
	from   uint32 // sheet that holds the cell
	now    []byte // what is read next
	next   uint32 // page where it goes on
	left   int64  // of the record
	cut    bool   // it ended too early
	visit  func(extent)
	length int64 // of the record
}

func (p *pass) payload(c cell) *payload {
	return &payload{p: p, from: c.sheet, now: c.local, next: c.overflow, left: c.total, length: c.total}
}

// turn goes on to the next page.
func (r *payload) turn() bool {
	if r.left <= 0 {
		return false
	}
	b := r.p.b
	if r.p.more == nil {
		r.p.more = make([]byte, b.usable)
	}
	buf := r.p.more
	sheet := b.find(r.from, r.next)
	if r.next == 0 || !r.p.take(sheet, buf) {
		r.cut, r.left = true, 0
		r.p.damaged = true
		return false
	}
	r.next = binary.BigEndian.Uint32(buf)
	r.now = buf[4:][:min(int64(b.usable-4), r.left)]
	if r.visit != nil {
		offset, _ := b.place(sheet)
		r.visit(extent{offset, offset + int64(4+len(r.now))})
	}
	return true
}

func (r *payload) Read(p []byte) (int, error) {
	if len(r.now) == 0 && !r.turn() {
		return 0, io.EOF
	}
	n := copy(p, r.now)
	r.now = r.now[n:]
	r.left -= int64(n)
	return n, nil
}

func (r *payload) skip(n int64) {
	for n > 0 && (len(r.now) > 0 || r.turn()) {
		m := min(n, int64(len(r.now)))
		r.now = r.now[m:]
		r.left -= m
		n -= m
	}
}

// section is one column of a record.
type section struct {
	p    *payload
	left int64
}

func (s *section) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, io.EOF
	}
	n, err := s.p.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	if err != nil && s.left > 0 {
		return n, errDamaged
	}
	return n, err
}

// maxColumns and maxRecordHeader are more than SQLite allows.
const (
	maxColumns      = 1 << 15
	maxRecordHeader = 9 * maxColumns
)

// column is a value of a record by its serial type.
type column struct {
	kind uint64
	size int64
}

func (c column) blob() bool { return c.kind >= 12 && c.kind%2 == 0 }
func (c column) text() bool { return c.kind >= 13 && c.kind%2 == 1 }

// columns reads a record's header: the rest of the record are their values.
func (r *payload) columns() ([]column, bool) {
	var first [9]byte
	n := 0
	for size := uint64(0); n < len(first); {
		if m, err := r.Read(first[n : n+1]); err != nil || m == 0 {
			return nil, false
		}
		n++
		v, used := varint(first[:n])
		if used == 0 {
			continue
		}
		if size = v; size > uint64(r.length) || size > maxRecordHeader || size < uint64(n) {
			return nil, false
		}
		header := make([]byte, size-uint64(n))
		if _, err := io.ReadFull(r, header); err != nil {
			return nil, false
		}
		return columnsOf(header, r.length-int64(size))
	}
	return nil, false
}

func columnsOf(header []byte, room int64) ([]column, bool) {
	out := make([]column, 0, min(len(header), 64))
	for len(header) > 0 {
		kind, n := varint(header)
		if n == 0 {
			return nil, false
		}
		header = header[n:]
		c := column{kind: kind, size: sizeOf(kind)}
		if room -= c.size; room < 0 || c.size < 0 || len(out) == maxColumns {
			return nil, false
		}
		out = append(out, c)
	}
	return out, room == 0
}

// sizeOf is the length of a value; negative for types that there are not.
func sizeOf(kind uint64) int64 {
	switch {
	case kind >= 12:
		return int64((kind - 12) / 2)
	case kind >= 10:
		return -1
	}
	return int64([]byte{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[kind])
}
