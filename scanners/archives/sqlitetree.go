package archives

import "encoding/binary"

// cell is a record where it stands on a page.
type cell struct {
	sheet    uint32
	rowid    int64
	total    int64  // length of the record
	local    []byte // what stands of it on the page
	overflow uint32 // page where it goes on; 0: nowhere
	start    int64  // of the cell in the file
	end      int64
}

// varint reads a number of one to nine bytes; n is 0 where b ends before.
func varint(b []byte) (v uint64, n int) {
	for i := 0; i < 8; i++ {
		if i >= len(b) {
			return 0, 0
		}
		v = v<<7 | uint64(b[i]&0x7f)
		if b[i] < 0x80 {
			return v, i + 1
		}
	}
	if len(b) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(b[8]), 9
}

// tree calls yield for each record of a tree, in order. It reports whether yield
// wants more.
func (p *pass) tree(page uint32, depth int, yield func(cell) bool) bool {
	sheet := p.b.find(0, page)
	if depth > maxTreeDepth {
		p.damaged = true
		return true
	}
	if p.sheet[depth] == nil {
		p.sheet[depth] = make([]byte, p.b.pageSize)
	}
	buf := p.sheet[depth]
	if !p.take(sheet, buf) {
		p.damaged = true
		return true
	}
	h := headerAt(page)
	switch buf[h] {
	case pageLeaf, pageIndexLeaf:
		return p.cells(sheet, buf, yield)
	case pageInterior, pageIndex:
	default:
		p.damaged = true
		return true
	}
	budget := p.b.usable // as in cells
	more := p.pointers(buf, h, 12, func(at int) bool {
		if at+4 > p.b.usable {
			p.damaged = true
			return true
		}
		if !p.tree(binary.BigEndian.Uint32(buf[at:]), depth+1, yield) {
			return false
		}
		if buf[h] == pageInterior {
			return true
		}
		c, ok := p.cell(sheet, buf, at)
		if budget -= int(c.end - c.start); budget < 0 {
			p.damaged, ok = true, false
		}
		return !ok || yield(c)
	})
	return more && p.tree(binary.BigEndian.Uint32(buf[h+8:]), depth+1, yield)
}

// headerAt is where a page's header begins: behind the file's on the first.
func headerAt(page uint32) int {
	if page == 1 {
		return sqliteHeader
	}
	return 0
}

// pointers calls yield for each cell that a page points to.
func (p *pass) pointers(buf []byte, h, length int, yield func(at int) bool) bool {
	n := int(binary.BigEndian.Uint16(buf[h+3:]))
	if most := (p.b.usable - h - length) / 2; n > most {
		n, p.damaged = most, true
	}
	for i := range n {
		at := int(binary.BigEndian.Uint16(buf[h+length+2*i:]))
		if at < h+length || at >= p.b.usable {
			p.damaged = true
			continue
		}
		if !yield(at) {
			return false
		}
	}
	return true
}

// cells calls yield for the records of a page. Cells of a good page do not
// overlap: more than the page holds is not read of it.
func (p *pass) cells(sheet uint32, buf []byte, yield func(cell) bool) bool {
	_, page := p.b.place(sheet)
	h, length, budget := headerAt(page), 8, p.b.usable
	if buf[h] == pageIndex {
		length = 12
	}
	return p.pointers(buf, h, length, func(at int) bool {
		c, ok := p.cell(sheet, buf, at)
		if budget -= int(c.end - c.start); !ok || budget < 0 {
			p.damaged = true
			return ok || budget >= 0
		}
		return yield(c)
	})
}

// cell reads a cell; ok is false where it does not fit the page.
func (p *pass) cell(sheet uint32, buf []byte, at int) (c cell, ok bool) {
	offset, page := p.b.place(sheet)
	kind := buf[headerAt(page)]
	b := buf[at:p.b.usable]
	if kind == pageIndex {
		b = b[min(4, len(b)):]
	}
	total, n := varint(b)
	b = b[n:]
	c = cell{sheet: sheet, total: int64(total), start: offset + int64(at), end: offset + int64(at) + 1}
	if kind == pageLeaf && n > 0 {
		var id uint64
		id, n = varint(b)
		c.rowid, b = int64(id), b[n:]
	}
	local, more := p.b.local(kind, c.total)
	if n == 0 || c.total < 0 || local > len(b) {
		p.damaged = true
		return c, false
	}
	c.local, b = b[:local], b[local:]
	if more {
		if len(b) < 4 {
			p.damaged = true
			return c, false
		}
		c.overflow, b = binary.BigEndian.Uint32(b), b[4:]
	}
	c.end = offset + int64(p.b.usable-len(b))
	return c, true
}

// local is how much of a record stands on its page, and whether it goes on.
func (b *book) local(kind byte, total int64) (int, bool) {
	most := (b.usable-12)*64/255 - 23
	if kind == pageLeaf {
		most = b.usable - 35
	}
	if total <= int64(most) {
		return int(max(total, 0)), false
	}
	least := (b.usable-12)*32/255 - 23
	k := int64(least) + (total-int64(least))%int64(b.usable-4)
	if k <= int64(most) {
		return int(k), true
	}
	return least, true
}
