package archives

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"

	"github.com/pierrec/lz4/v4"
)

// Files of PostgreSQL's tables, from its storage/bufpage.h, access/htup_details.h, varatt.h,
// heaptoast.h and common/pg_lzcompress.c: pages of rows. Values of more than some 2 KB are
// compressed, and cut into rows of another table where they are still too long. All else
// is searched as it stands.
const (
	pgPage   = 8 << 10
	pgHeader = 24 // of a page; then come the places of its rows
	pgRow    = 23 // the fixed part of a row's header
)

// isPgPage reports whether a page of a table begins, in the layout since PostgreSQL 8.3.
func isPgPage(b []byte) bool {
	if len(b) < pgHeader {
		return false
	}
	le := binary.LittleEndian
	lower, upper, special := le.Uint16(b[12:]), le.Uint16(b[14:]), le.Uint16(b[16:])
	return le.Uint16(b[18:]) == pgPage|4 && le.Uint16(b[10:]) <= 7 && special == pgPage &&
		pgHeader < lower && lower <= upper && upper < special && (lower-pgHeader)%4 == 0
}

// pgHeap shows the values of a table that are compressed or cut, a line for each.
func (e *container) pgHeap(ctx context.Context) error {
	s := &pgValues{waste: valueWaste + 8*e.size}
	return e.values(ctx, "value", func(o *outbox) error {
		s.o = o
		return s.all(ctx, io.NewSectionReader(e.at, 0, e.size))
	}, &s.long)
}

// pgValues looks through the rows of a table.
type pgValues struct {
	o      *outbox
	waste  int64
	long   bool
	id     uint32 // of the value whose pieces follow each other
	next   uint32 // the number of its next piece
	pieces []byte
	out    []byte
}

func (s *pgValues) all(ctx context.Context, r io.Reader) error {
	b, page := bufio.NewReaderSize(r, 8*pgPage), make([]byte, pgPage)
	for ctx.Err() == nil {
		if _, err := io.ReadFull(b, page); err != nil {
			s.end()
			return s.o.flush()
		}
		if isPgPage(page) {
			s.rows(page)
		}
		if s.o.gone {
			return errStopped
		}
		if s.waste < 0 {
			s.end()
			_ = s.o.flush()
			return errBytes
		}
	}
	return ctx.Err()
}

// rows looks at the rows of a page, in the order that they were written in.
func (s *pgValues) rows(page []byte) {
	le := binary.LittleEndian
	for at := pgHeader; at < int(le.Uint16(page[12:])); at += 4 {
		place := le.Uint32(page[at:])
		from, used, n := int(place&0x7fff), place>>15&3, int(place>>17)
		if used != 1 || from < pgHeader || from+n > pgPage || n <= pgRow {
			continue
		}
		row := page[from : from+n]
		if begins := int(row[22]); begins >= pgRow && begins%8 == 0 && begins < n {
			columns := le.Uint16(row[18:]) & 0x7ff
			if data := row[begins:]; columns != 3 || !s.piece(data) {
				s.values(data)
			}
		}
	}
}

// piece takes a piece of a value that was cut, and reports whether the row is one: the
// value's id, the piece's number, and the bytes, to the end of the row.
func (s *pgValues) piece(data []byte) bool {
	le := binary.LittleEndian
	const head = 8
	if len(data) <= head+4 {
		return false
	}
	id, number, bytes := le.Uint32(data), le.Uint32(data[4:]), []byte(nil)
	switch h := data[head]; {
	case h&1 == 1 && int(h>>1) == len(data)-head && h != 1:
		bytes = data[head+1:]
	case h&3 == 0 && int(le.Uint32(data[head:])>>2) == len(data)-head:
		bytes = data[head+4:]
	default:
		return false
	}
	if id != s.id || number != s.next || len(s.pieces) > longestValue {
		s.end()
		if s.id = id; number != 0 { // what is before it stands somewhere else
			s.long = s.long || len(s.pieces) > longestValue
		}
	}
	s.pieces, s.next = append(s.pieces, bytes...), number+1
	return true
}

// end shows the value whose last piece was met.
func (s *pgValues) end() {
	if p := s.pieces; len(p) > 4 && !s.packed(p[:4], p[4:]) {
		s.line(p)
	}
	s.pieces, s.next = s.pieces[:0], 0
}

// values looks for compressed values in a row: nothing says which columns it has, but they
// say what they are, stand where four divides, and come out as long as they say.
func (s *pgValues) values(row []byte) {
	for at := 0; at+8 < len(row) && s.waste >= 0; at += 4 {
		head := binary.LittleEndian.Uint32(row[at:])
		if n := int(head >> 2); head&3 == 2 && n > 8 && n <= len(row)-at && s.packed(row[at+4:at+8], row[at+8:at+n]) {
			at += (n - 1) &^ 3
		}
	}
}

// packed shows what bytes are that were compressed, and reports whether they were. The
// four before them say how, and how long they were.
func (s *pgValues) packed(info, b []byte) bool {
	v := binary.LittleEndian.Uint32(info)
	size, method := int(v&(1<<30-1)), v>>30
	const most = 256 // to one
	if size <= len(b) || size > most*len(b) || method > 1 {
		return false
	}
	if size > longestValue {
		s.long = true
		return false
	}
	s.waste -= int64(len(b))
	if cap(s.out) < size {
		s.out = make([]byte, 0, size)
	}
	ok := false
	if method == 0 {
		s.out, ok = unpackPglz(s.out[:0], b, size)
	} else {
		n, err := lz4.UncompressBlock(b, s.out[:size])
		s.out, ok = s.out[:max(n, 0)], err == nil && n == size
	}
	if ok {
		s.waste += int64(len(b))
		s.line(s.out)
	}
	return ok
}

func (s *pgValues) line(b []byte) {
	_, _ = s.o.Write(b)
	_, _ = s.o.Write([]byte("\n"))
}

// unpackPglz appends what bytes in PGLZ stand for; ok if they are that and as long as size.
func unpackPglz(out, in []byte, size int) (_ []byte, ok bool) {
	for i := 0; i < len(in) && len(out) < size; {
		control := in[i]
		i++
		for bit := 0; bit < 8 && i < len(in) && len(out) < size; bit, control = bit+1, control>>1 {
			if control&1 == 0 {
				out = append(out, in[i])
				i++
				continue
			}
			if i+1 >= len(in) {
				return out, false
			}
			n, back := int(in[i]&0x0f)+3, int(in[i]&0xf0)<<4|int(in[i+1])
			if i += 2; n == 18 {
				if i == len(in) {
					return out, false
				}
				n += int(in[i])
				i++
			}
			if back == 0 || back > len(out) {
				return out, false
			}
			out = appendBack(out, back, min(n, size-len(out)))
		}
		if i == len(in) {
			return out, len(out) == size
		}
	}
	return out, false
}
