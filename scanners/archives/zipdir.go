package archives

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"slices"
)

// Structures of a zip file, from the APPNOTE of PKWARE.
const (
	zipEnd      = 22 // end of central directory, without its comment
	zipEnd64    = 56
	zipLocator  = 20
	zipDirEntry = 46
	zipLocal    = 30
	zipComment  = 1 << 16
	zipMaxEnds  = 64 // candidates that are tried
)

// zipDir is where a zip's directory lies, and where the zip begins: data may
// stand before it.
type zipDir struct{ base, start, end int64 }

// zipMark is a byte of what findEnd looks for.
const zipMark = '\x05'

// tailSize is how much of a content's end is looked at for a directory.
const tailSize = zipEnd + zipComment

// findEnd looks for a directory at the end of a content, which is read into room.
func findEnd(at io.ReaderAt, size int64, room *[tailSize]byte) (zipDir, bool) {
	buf := room[:min(size, tailSize)]
	off := size - int64(len(buf))
	n, _ := at.ReadAt(buf, off)
	return endIn(at, off, buf[:n])
}

// endIn is findEnd for the end of a content that stands at off and has been read.
func endIn(at io.ReaderAt, off int64, buf []byte) (zipDir, bool) {
	magic := []byte("PK\x05\x06")
	if !bytes.Contains(buf, magic) { // many times as fast as looking from the end
		return zipDir{}, false
	}
	for tries, i := 0, len(buf); tries < zipMaxEnds; tries++ {
		if i = bytes.LastIndex(buf[:i], magic); i < 0 {
			return zipDir{}, false
		}
		if len(buf)-i < zipEnd || i+zipEnd+int(binary.LittleEndian.Uint16(buf[i+20:])) > len(buf) {
			continue
		}
		if d, ok := readEnd(at, off+int64(i), buf[i:]); ok {
			return d, true
		}
	}
	return zipDir{}, false
}

// readEnd judges an end of directory that stands at pos.
func readEnd(at io.ReaderAt, pos int64, b []byte) (zipDir, bool) {
	le := binary.LittleEndian
	count, length, offset := int64(le.Uint16(b[10:])), int64(le.Uint32(b[12:])), int64(le.Uint32(b[16:]))
	end := pos
	if count == 0xffff || length == 0xffffffff || offset == 0xffffffff {
		if p, e, ok := readEnd64(at, pos); ok {
			end = p
			length, offset = int64(le.Uint64(e[40:])), int64(le.Uint64(e[48:]))
		}
	}
	if length < 0 || offset < 0 || length > end {
		return zipDir{}, false
	}
	start := end - length
	for _, d := range []zipDir{{base: start - offset, start: start, end: end}, {base: 0, start: offset, end: end}} {
		if d.base >= 0 && d.start <= d.end && (length == 0 && count == 0 || hasMagic(at, d.start, "PK\x01\x02")) {
			return d, true
		}
	}
	return zipDir{}, false
}

// readEnd64 reads the end of a zip64 directory, which stands before the other.
func readEnd64(at io.ReaderAt, pos int64) (int64, []byte, bool) {
	locator := make([]byte, zipLocator)
	if n, _ := at.ReadAt(locator, pos-zipLocator); pos < zipLocator || n < zipLocator || string(locator[:4]) != "PK\x06\x07" {
		return 0, nil, false
	}
	e := make([]byte, zipEnd64)
	// Where the locator says, or right before it when data stands before the zip.
	for _, p := range []int64{int64(binary.LittleEndian.Uint64(locator[8:])), pos - zipLocator - zipEnd64} {
		if p < 0 || p > pos {
			continue
		}
		if n, _ := at.ReadAt(e, p); n == zipEnd64 && string(e[:4]) == "PK\x06\x06" {
			return p, e, true
		}
	}
	return 0, nil, false
}

func hasMagic(at io.ReaderAt, pos int64, magic string) bool {
	b := make([]byte, len(magic))
	n, _ := at.ReadAt(b, pos)
	return n == len(b) && string(b) == magic
}

// zipEntry is a member as the directory, or its own header, describes it.
type zipEntry struct {
	name      string
	long      bool // the name is too long to be kept
	method    uint16
	encrypted bool
	streamed  bool // sizes stand behind the data
	crc       uint32
	packed    int64
	size      int64
	offset    int64 // of the header, from the zip's begin
}

// entries calls yield for each entry of the directory; whole says that it was
// read to its end.
func (d zipDir) entries(at io.ReaderAt, yield func(i int, e zipEntry) bool) (whole bool) {
	r := bufio.NewReaderSize(io.NewSectionReader(at, d.start, d.end-d.start), 64<<10)
	head := make([]byte, zipDirEntry)
	for i := 0; ; i++ {
		if n, err := io.ReadFull(r, head); err != nil {
			return n == 0
		}
		if string(head[:4]) != "PK\x01\x02" {
			return string(head[:4]) == "PK\x05\x05" || string(head[:4]) == "PK\x06\x06"
		}
		e, ok := readEntry(r, head)
		if !ok {
			return false
		}
		if !yield(i, e) {
			return true
		}
	}
}

func readEntry(r *bufio.Reader, head []byte) (zipEntry, bool) {
	le := binary.LittleEndian
	e := zipEntry{
		encrypted: le.Uint16(head[8:])&1 != 0, streamed: le.Uint16(head[8:])&8 != 0,
		method: le.Uint16(head[10:]), crc: le.Uint32(head[16:]),
		packed: int64(le.Uint32(head[20:])), size: int64(le.Uint32(head[24:])), offset: int64(le.Uint32(head[42:])),
	}
	rest := make([]byte, int(le.Uint16(head[28:]))+int(le.Uint16(head[30:])))
	if _, err := io.ReadFull(r, rest); err != nil {
		return e, false
	}
	if _, err := r.Discard(int(le.Uint16(head[32:]))); err != nil {
		return e, false
	}
	n := int(le.Uint16(head[28:]))
	e.setName(rest[:n])
	e.wide(rest[n:])
	return e, true
}

func (e *zipEntry) setName(b []byte) {
	e.long = len(b) > maxName
	if !e.long {
		e.name = string(b)
	}
}

// wide takes sizes from a zip64 extra field.
func (e *zipEntry) wide(extra []byte) {
	le := binary.LittleEndian
	for len(extra) >= 4 {
		id, n := le.Uint16(extra), int(le.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return
		}
		field := extra[:n]
		extra = extra[n:]
		if id != 1 {
			continue
		}
		for _, v := range []*int64{&e.size, &e.packed, &e.offset} {
			if *v == 0xffffffff && len(field) >= 8 {
				*v = int64(le.Uint64(field))
				field = field[8:]
			}
		}
	}
}

// layout is how a zip's entries lie to each other.
type layout struct {
	shared []bool  // entries that begin inside the data another claims
	until  []int64 // where an entry's data must end at the latest
	some   bool    // any is shared
}

// layout sorts the entries by place. Those of well-made zips do not overlap; a
// small zip whose entries share their data unpacks to anything.
func (d zipDir) layout(at io.ReaderAt, limit int) layout {
	type place struct {
		start, end int64
		i          int
	}
	var places []place
	d.entries(at, func(i int, e zipEntry) bool {
		end := e.offset + zipLocal + max(e.packed, 0)
		places = append(places, place{e.offset, max(end, e.offset), i})
		return len(places) < limit
	})
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.start, b.start) })
	l := layout{shared: make([]bool, len(places)), until: make([]int64, len(places))}
	var reach int64
	for k, p := range places {
		if k > 0 && p.start < reach {
			l.shared[p.i], l.some = true, true
		}
		reach = max(reach, p.end)
		next := d.start - d.base
		if k+1 < len(places) {
			next = places[k+1].start
		}
		// The end that an entry claims counts no names; they are bounded.
		l.until[p.i] = d.base + max(next, p.end+2<<16)
		if p.end <= next {
			l.until[p.i] = d.base + next
		}
	}
	return l
}
