package views

import (
	"sort"

	"revenant/scanners/escapes"
)

// splice is a stretch of the layer that stands for other bytes, or for none.
type splice struct {
	at, end int
	n       int // bytes of out
	out     [8]byte
}

// unitAt is the splice of an escape that begins at a place.
func unitAt(at int, u escapes.Unit) splice {
	return splice{at: at, end: at + u.Width, n: u.N, out: u.Out}
}

// cut is a stretch that stands for nothing.
func cut(at, end int) splice { return splice{at: at, end: end} }

// spliced is a text that is the layer's but for splices. Its zero value is
// empty. Where bytes come from is kept by parts, because most are long.
type spliced struct {
	out   []byte
	parts []part
	high  int // most bytes that were in out
}

// part is some bytes of the text and where they come from: width bytes at at
// for all of them or, when it is negative, as many for each.
type part struct{ out, at, width int32 }

// raw appends a stretch of the layer as it is.
func (b *spliced) raw(data []byte, from, to int) {
	if from >= to {
		return
	}
	b.parts = append(b.parts, part{int32(len(b.out)), int32(from), -1})
	b.out = append(b.out, data[from:to]...)
	b.high = max(b.high, len(b.out))
}

// char appends one byte that takes width bytes of the layer, as those before it
// may.
func (b *spliced) char(c byte, at, width int) {
	if n := len(b.parts) - 1; n < 0 || b.parts[n].width != -int32(width) ||
		int(b.parts[n].at)+(len(b.out)-int(b.parts[n].out))*width != at {
		b.parts = append(b.parts, part{int32(len(b.out)), int32(at), -int32(width)})
	}
	b.out = append(b.out, c)
	b.high = max(b.high, len(b.out))
}

// put appends what a splice stands for.
func (b *spliced) put(s splice) {
	if s.n == 0 {
		return
	}
	if s.n == 1 { // runs of equal escapes are one part
		b.char(s.out[0], s.at, s.end-s.at)
		return
	}
	b.parts = append(b.parts, part{int32(len(b.out)), int32(s.at), int32(s.end - s.at)})
	b.out = append(b.out, s.out[:s.n]...)
	b.high = max(b.high, len(b.out))
}

// partAt is the part that holds a byte of the text.
func (b *spliced) partAt(i int) part {
	k := sort.Search(len(b.parts), func(k int) bool { return int(b.parts[k].out) > i })
	return b.parts[k-1]
}

// origin is where a range of the text, which is not empty, comes from.
func (b *spliced) origin(from, to int) (start, end int) {
	p := b.partAt(from)
	start = int(p.at)
	if p.width < 0 {
		start -= (from - int(p.out)) * int(p.width)
	}
	p = b.partAt(to - 1)
	if p.width >= 0 {
		return start, int(p.at + p.width)
	}
	return start, int(p.at) - (to-int(p.out))*int(p.width)
}

// keep forgets all but the last n bytes.
func (b *spliced) keep(n int) {
	n = min(n, len(b.out))
	drop := len(b.out) - n
	if n == 0 {
		b.out, b.parts = b.out[:0], b.parts[:0]
		return
	}
	k := sort.Search(len(b.parts), func(k int) bool { return int(b.parts[k].out) > drop }) - 1
	first := &b.parts[k]
	if first.width < 0 {
		first.at -= (int32(drop) - first.out) * first.width
	}
	first.out = int32(drop)
	b.parts = b.parts[:copy(b.parts, b.parts[k:])]
	for i := range b.parts {
		b.parts[i].out -= int32(drop)
	}
	b.out = b.out[:copy(b.out, b.out[drop:])]
}

// keepSpliced is how much memory a text may keep between contents.
const keepSpliced = 256 << 10

// forget drops every trace of the text.
func (b *spliced) forget() {
	if b.high > keepSpliced {
		*b = spliced{}
		return
	}
	clear(b.out[:b.high])
	b.out, b.parts, b.high = b.out[:0], b.parts[:0], 0
}
