package archives

import (
	"context"
	"encoding/binary"
	"io"
	"strconv"
)

// SQLite's file format, from sqlite.org/fileformat2.html. Nothing of a file is
// believed: each page is read once in a pass, whatever points to it, so that a
// pass is linear in the file's size.
const (
	sqliteMagic   = "SQLite format 3\x00"
	sqliteHeader  = 100
	minPage       = 512
	maxPage       = 65536
	minUsable     = 480
	maxTreeDepth  = 24
	maxPages      = 1 << 30
	pageInterior  = 0x05 // of a table
	pageIndex     = 0x02 // interior, of an index
	pageLeaf      = 0x0d
	pageIndexLeaf = 0x0a
)

// encoding is how a database writes text.
type encoding byte

const (
	encodingUnknown encoding = iota
	encodingUTF8
	encodingUTF16LE
	encodingUTF16BE
)

// book is a database as numbered pages.
type book struct {
	at       io.ReaderAt
	pageSize int
	usable   int // of a page
	encoding encoding
	sheets   uint32 // how many there are, numbered from 1
	read     int64  // bytes that were read of it
	// place is where a sheet stands in the file and what page it is.
	place func(sheet uint32) (offset int64, page uint32)
	// find is the sheet of a page that a page on another sheet refers to; 0: none.
	find func(from, page uint32) uint32
}

// pass is one walk through a book.
type pass struct {
	b       *book
	used    numbers // sheets that were read
	lenient bool    // what is no record is no damage
	damaged bool
	sheet   [maxTreeDepth + 1][]byte // at hand, by depth
	more    []byte                   // page of the record at hand
}

func (b *book) pass() *pass { return &pass{b: b, used: make(numbers, b.sheets/64+1)} }

// numbers is a set of small numbers.
type numbers []uint64

func (s numbers) has(n uint32) bool { return s[n/64]&(1<<(n%64)) != 0 }

// add reports whether n was not in the set.
func (s numbers) add(n uint32) bool {
	if s.has(n) {
		return false
	}
	s[n/64] |= 1 << (n % 64)
	return true
}

// take reads a sheet of which no other part of the pass has read.
func (p *pass) take(sheet uint32, buf []byte) bool {
	if sheet == 0 || sheet > p.b.sheets || !p.used.add(sheet) {
		return false
	}
	return p.b.load(sheet, buf)
}

// load reads as much of a sheet as buf holds. The file may end inside the last.
func (b *book) load(sheet uint32, buf []byte) bool {
	offset, _ := b.place(sheet)
	n, _ := b.at.ReadAt(buf, offset)
	b.read += int64(n)
	clear(buf[n:])
	return n > 0
}

// newBook reads the header of a database file.
func newBook(at io.ReaderAt, size int64) (*book, error) {
	head := make([]byte, sqliteHeader)
	b := &book{at: at}
	if !b.fill(head, 0) || !b.header(head) {
		return nil, errDamaged
	}
	sheets := (size + int64(b.pageSize) - 1) / int64(b.pageSize)
	if sheets > maxPages {
		return nil, errUnsupported
	}
	b.sheets = uint32(sheets)
	b.place = func(sheet uint32) (int64, uint32) { return int64(sheet-1) * int64(b.pageSize), sheet }
	b.find = func(_, page uint32) uint32 {
		if page > b.sheets {
			return 0
		}
		return page
	}
	return b, nil
}

// header takes the sizes and the encoding from the first page.
func (b *book) header(head []byte) bool {
	size := int(binary.BigEndian.Uint16(head[16:]))
	if size == 1 {
		size = maxPage
	}
	usable := size - int(head[20])
	if size < minPage || size&(size-1) != 0 || usable < minUsable {
		return false
	}
	b.pageSize, b.usable = size, usable
	if e := binary.BigEndian.Uint32(head[56:]); e <= 3 {
		b.encoding = encoding(e)
	}
	return true
}

// sqlite visits the tables of a database, and then its indexes and the pages
// that belong to none: those show what no table does any more.
func (e *container) sqlite(ctx context.Context) error {
	b, err := newBook(e.at, e.size)
	if err != nil {
		e.w.skip(e.content.Path, detail(err))
		return nil
	}
	e.packed = true
	d := &database{e: e, b: b, blobs: b.pass(), rows: b.pass(), first: e.w.number + 1}
	trees, damaged := d.schema()
	if damaged || e.size%int64(b.pageSize) != 0 {
		e.w.skip(e.content.Path, errDamaged.Error())
	}
	for _, index := range []bool{false, true} {
		for _, t := range trees {
			if t.index != index {
				continue
			}
			if goOn, err := d.tree(ctx, t); err != nil || !goOn {
				return err
			}
		}
	}
	_, err = d.unused(ctx)
	return err
}

// database is a SQLite file being read.
type database struct {
	e     *container
	b     *book
	blobs *pass
	rows  *pass
	first int // number of the first member
}

// tree visits one table or index: first what is packed in its columns.
func (d *database) tree(ctx context.Context, t tree) (bool, error) {
	w := d.e.w
	first := d.first
	if !t.index {
		before := w.number + 1
		if goOn, err := d.packed(ctx, t); err != nil || !goOn {
			return goOn, err
		}
		first = 0
		if w.number >= before {
			first = before
		}
	}
	x := &rows{p: d.rows, names: t.columns}
	d.rows.damaged = false
	f := file{name: t.name, in: &d.b.read}
	f.done = func() error {
		d.e.stored = append(d.e.stored, x.stored...)
		return nil
	}
	return d.e.view(ctx, f, first, func(yield func([]byte) bool) error {
		out := newOutbox(yield)
		d.rows.tree(t.root, 0, func(c cell) bool { return x.row(c, out) })
		x.endPage()
		if d.rows.damaged && !out.gone {
			_ = out.flush()
			return errDamaged
		}
		return out.flush()
	})
}

// packed opens what is packed in columns of a table.
func (d *database) packed(ctx context.Context, t tree) (goOn bool, err error) {
	goOn = true
	d.blobs.tree(t.root, 0, func(c cell) bool {
		p := d.blobs.payload(c)
		columns, ok := p.columns()
		for i := 0; ok && i < len(columns) && goOn && err == nil; i++ {
			k := columns[i]
			if !k.blob() || k.size < minPacked {
				p.skip(k.size)
				continue
			}
			data := &section{p: p, left: k.size}
			head := make([]byte, min(k.size, headSize))
			n, _ := io.ReadFull(data, head)
			if detect(head[:n]) != kindNone || program(head[:n]) {
				name := t.name + "!" + strconv.FormatInt(c.rowid, 10) + "." + label(t.columns, i)
				goOn, err = d.e.member(ctx, file{name: name, r: behind(head[:n], data), in: &d.b.read})
			}
			p.skip(data.left)
		}
		return goOn && err == nil && ctx.Err() == nil
	})
	if err == nil {
		err = ctx.Err()
	}
	return goOn, err
}

// minPacked is the least that something packed takes.
const minPacked = 20

// unused visits the records on pages that belong to no tree: of dropped tables
// and emptied ones, until something else takes their place.
func (d *database) unused(ctx context.Context) (bool, error) {
	d.rows.lenient = true
	return d.e.view(ctx, file{name: "unused pages", in: &d.b.read}, d.first, func(yield func([]byte) bool) error {
		out := newOutbox(yield)
		x := &rows{p: d.rows}
		page := make([]byte, d.b.pageSize)
		for sheet := uint32(2); sheet <= d.b.sheets && !out.gone; sheet++ {
			if !d.rows.used.has(sheet) && d.b.load(sheet, page[:1]) && holdsRecords(page[0]) && d.b.load(sheet, page) {
				d.rows.cells(sheet, page, func(c cell) bool { return x.row(c, out) })
			}
		}
		return out.flush()
	})
}

func holdsRecords(kind byte) bool {
	return kind == pageLeaf || kind == pageIndexLeaf || kind == pageIndex
}
