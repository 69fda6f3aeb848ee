package archives

import (
	"context"
	"encoding/binary"
	"hash/maphash"
	"slices"
	"sort"
)

// Logs of SQLite: pages that a transaction wrote (a write-ahead log) or found
// (a rollback journal), each with its number before it.
const (
	walMagic      = "\x37\x7f\x06\x82"
	walMagicBig   = "\x37\x7f\x06\x83" // checksums big-endian
	journalMagic  = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	walHeader     = 32
	walFrame      = 24
	journalHeader = 28
	maxFrames     = 1 << 22
	maxSeenCells  = 1 << 18
)

// sheetAt is a page of a log.
type sheetAt struct {
	page   uint32
	offset int64
}

// sqliteLog visits the records on the pages of a log. It need not have the
// schema, so their columns have no names.
func (e *container) sqliteLog(ctx context.Context, journal bool) error {
	b := &book{at: e.at}
	var sheets []sheetAt
	var commits []uint32
	var whole bool
	if journal {
		sheets, whole = b.journal(e.size)
	} else {
		sheets, commits, whole = b.wal(e.size)
	}
	if !whole {
		e.w.skip(e.content.Path, errDamaged.Error())
	}
	if len(sheets) == 0 {
		return nil
	}
	e.packed = true
	b.lookUp(sheets, commits)
	p := b.pass()
	p.lenient = true
	_, err := e.view(ctx, file{name: "pages", in: &b.read}, 0, func(yield func([]byte) bool) error {
		out := newOutbox(yield)
		x := &rows{p: p}
		once := &onlyOnce{seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
		page := make([]byte, b.pageSize)
		for sheet := uint32(1); sheet <= b.sheets && !out.gone; sheet++ {
			if !b.load(sheet, page) || !holdsRecords(page[headerAt(sheets[sheet-1].page)]) {
				continue
			}
			p.cells(sheet, page, func(c cell) bool { return once.saw(c) || x.row(c, out) })
			x.stored, x.page = x.stored[:0], x.page[:0]
		}
		return out.flush()
	})
	return err
}

// onlyOnce remembers records: a log holds a page as often as it was written.
type onlyOnce struct {
	seed maphash.Seed
	seen map[uint64]struct{}
}

func (o *onlyOnce) saw(c cell) bool {
	if c.overflow != 0 {
		return false
	}
	sum := maphash.Bytes(o.seed, c.local)
	_, has := o.seen[sum]
	if !has && len(o.seen) < maxSeenCells {
		o.seen[sum] = struct{}{}
	}
	return has
}

// wal lists the pages of a write-ahead log and where transactions end. What an
// earlier turn of the log left behind the newest is read too.
func (b *book) wal(size int64) (sheets []sheetAt, commits []uint32, whole bool) {
	head := make([]byte, walHeader)
	if !b.fill(head, 0) || !b.size(binary.BigEndian.Uint32(head[8:])) {
		return nil, nil, false
	}
	step := int64(walFrame + b.pageSize)
	for pos := int64(walHeader); pos < size; pos += step {
		if len(sheets) == maxFrames || !b.fill(head[:walFrame], pos) || pos+walFrame >= size {
			return sheets, commits, false
		}
		page := binary.BigEndian.Uint32(head)
		sheets = append(sheets, sheetAt{page, pos + walFrame})
		if binary.BigEndian.Uint32(head[4:]) != 0 {
			commits = append(commits, uint32(len(sheets)))
		}
		if page == 1 {
			b.known(pos + walFrame)
		}
		if pos+step > size {
			return sheets, commits, false
		}
	}
	return sheets, commits, true
}

// journal lists the pages of a rollback journal: parts that begin at a sector.
func (b *book) journal(size int64) (sheets []sheetAt, whole bool) {
	head := make([]byte, journalHeader)
	for pos := int64(0); pos < size; {
		if !b.fill(head, pos) || !isJournal(head) {
			return sheets, len(sheets) > 0
		}
		n, sector := binary.BigEndian.Uint32(head[8:]), int64(binary.BigEndian.Uint32(head[20:]))
		pageSize := binary.BigEndian.Uint32(head[24:])
		if b.pageSize != 0 && pageSize != uint32(b.pageSize) || !b.size(pageSize) || sector < 32 || sector > maxPage {
			return sheets, false
		}
		step := int64(8 + b.pageSize)
		records := pos + sector
		if most := max(size-records, 0) / step; n == 0 || int64(n) > most { // the count comes when all is written
			n = uint32(min(most, maxFrames))
		}
		for i := range n {
			at := records + int64(i)*step
			if len(sheets) == maxFrames || !b.fill(head[:4], at) {
				return sheets, false
			}
			page := binary.BigEndian.Uint32(head)
			sheets = append(sheets, sheetAt{page, at + 4})
			if page == 1 {
				b.known(at + 4)
			}
		}
		end := records + int64(n)*step
		pos = max((end+sector-1)/sector*sector, pos+sector)
	}
	return sheets, true
}

// isJournal recognises a header. The magic and the count stay zeros until what
// follows is safe on disk.
func isJournal(head []byte) bool {
	if len(head) < journalHeader {
		return false
	}
	sector, page := binary.BigEndian.Uint32(head[20:]), binary.BigEndian.Uint32(head[24:])
	return string(head[:8]) == journalMagic || string(head[:12]) == string(make([]byte, 12)) &&
		sector >= minPage && sector <= maxPage && sector&(sector-1) == 0 &&
		page >= minPage && page <= maxPage && page&(page-1) == 0 && binary.BigEndian.Uint32(head[16:]) > 0
}

// size takes the page size of a log; all of a page may be in use.
func (b *book) size(n uint32) bool {
	if n < minPage || n > maxPage || n&(n-1) != 0 {
		return false
	}
	if b.pageSize == 0 {
		b.pageSize, b.usable = int(n), int(n)
	}
	return true
}

// known takes from a database's first page what only that says.
func (b *book) known(offset int64) {
	head := make([]byte, sqliteHeader)
	size, usable := b.pageSize, b.usable
	if !b.fill(head, offset) || string(head[:16]) != sqliteMagic || !b.header(head) || b.pageSize != size {
		b.pageSize, b.usable = size, usable
	}
}

// lookUp lets pages be found: a page that another of the log refers to is the
// last written of its number when the other's transaction ended.
func (b *book) lookUp(sheets []sheetAt, commits []uint32) {
	b.sheets = uint32(len(sheets))
	b.place = func(sheet uint32) (int64, uint32) { return sheets[sheet-1].offset, sheets[sheet-1].page }
	order := make([]uint64, len(sheets))
	for i, s := range sheets {
		order[i] = uint64(s.page)<<32 | uint64(i+1)
	}
	slices.Sort(order)
	b.find = func(from, page uint32) uint32 {
		until := b.sheets
		if i := sort.Search(len(commits), func(i int) bool { return commits[i] >= from }); i < len(commits) {
			until = commits[i]
		}
		i, _ := slices.BinarySearch(order, uint64(page)<<32|uint64(until)+1)
		if i == 0 || uint32(order[i-1]>>32) != page {
			return 0
		}
		return uint32(order[i-1])
	}
}

// fill reads buf from a place of the file.
func (b *book) fill(buf []byte, pos int64) bool {
	n, _ := b.at.ReadAt(buf, pos)
	return n == len(buf)
}
