package registered

import (
	"encoding/binary"
	"math/bits"

	"revenant/fingerprints/anchor"
	"revenant/fingerprints/pack"
)

// table is a pack's table, laid out for probing.
type table struct {
	x, m   uint64
	shift  uint // 64-8W
	top    uint // 64-log2 of the filter's words
	filter []uint64

	window, stride, region int

	key        anchor.Key
	index      int // among the matcher's tables
	candidates func(dst []pack.Candidate, tag uint64) []pack.Candidate
}

func newTable(index int, t *pack.Table) *table {
	g := t.Key.Geometry()
	out := &table{
		filter: t.Filter, top: 64 - t.LogWords,
		window: g.Window, stride: g.Stride, region: g.Region(),
		key: t.Key, index: index, candidates: t.AppendCandidates,
	}
	out.x, out.m, out.shift = t.Key.Seeds()
	if t.LogWords == 0 { // one word: say so with two, so that no shift is by 64
		out.filter, out.top = []uint64{t.Filter[0], t.Filter[0]}, 63
	}
	return out
}

// hash is anchor.Key.Window with the seeds in registers.
func hash(w, x, m uint64, shift uint) uint64 {
	hi, lo := bits.Mul64(w<<(shift&63)^x, m)
	return (hi ^ lo) * 0x9E3779B97F4A7C15
}

// in reports, as the lowest bit, whether both bits of a hash are set in its
// filter word; see anchor.Place.
func in(word, h uint64) uint64 { return word >> (h >> 20 & 63) & (word >> (h >> 26 & 63)) }

// has reports whether the window in the low bytes of w is in the filter.
func (t *table) has(w uint64) bool {
	h := hash(w, t.x, t.m, t.shift)
	return in(t.filter[h>>(t.top&63)], h)&1 != 0
}

// next probes data at p, p+S and so on and returns the first position whose
// window is in the filter; when there is none below end, the first position
// that it did not probe. A probe needs 8 bytes; the caller looks at the rest.
func (t *table) next(data []byte, p, end int) int {
	end = min(end, len(data)-7)
	if p >= end {
		return p
	}
	if t.stride == 8 {
		return t.next8(data[:end+7], p)
	}
	return t.next4(data[:end+7], p)
}

// next8 probes every 8th byte as long as 8 bytes follow, four at a time.
func (t *table) next8(data []byte, p int) int {
	x, m, shift, top, f := t.x, t.m, t.shift, t.top&63, t.filter
	d := data[p:]
	for len(d) >= 32 {
		h0 := hash(binary.LittleEndian.Uint64(d), x, m, shift)
		h1 := hash(binary.LittleEndian.Uint64(d[8:]), x, m, shift)
		h2 := hash(binary.LittleEndian.Uint64(d[16:]), x, m, shift)
		h3 := hash(binary.LittleEndian.Uint64(d[24:]), x, m, shift)
		b0, b1 := in(f[h0>>top], h0), in(f[h1>>top], h1)
		b2, b3 := in(f[h2>>top], h2), in(f[h3>>top], h3)
		if (b0|b1|b2|b3)&1 != 0 {
			set := b0&1 | b1&1<<1 | b2&1<<2 | b3&1<<3
			return len(data) - len(d) + 8*bits.TrailingZeros64(set)
		}
		d = d[32:]
	}
	for ; len(d) >= 8; d = d[8:] {
		if t.has(binary.LittleEndian.Uint64(d)) {
			return len(data) - len(d)
		}
	}
	return len(data) - len(d)
}

// next4 probes every 4th byte as long as 8 bytes follow.
func (t *table) next4(data []byte, p int) int {
	x, m, shift, top, f := t.x, t.m, t.shift, t.top&63, t.filter
	d := data[p:]
	for len(d) >= 20 {
		h0 := hash(binary.LittleEndian.Uint64(d), x, m, shift)
		h1 := hash(binary.LittleEndian.Uint64(d[4:]), x, m, shift)
		h2 := hash(binary.LittleEndian.Uint64(d[8:]), x, m, shift)
		h3 := hash(binary.LittleEndian.Uint64(d[12:]), x, m, shift)
		b0, b1 := in(f[h0>>top], h0), in(f[h1>>top], h1)
		b2, b3 := in(f[h2>>top], h2), in(f[h3>>top], h3)
		if (b0|b1|b2|b3)&1 != 0 {
			set := b0&1 | b1&1<<1 | b2&1<<2 | b3&1<<3
			return len(data) - len(d) + 4*bits.TrailingZeros64(set)
		}
		d = d[16:]
	}
	for ; len(d) >= 8; d = d[4:] {
		if t.has(binary.LittleEndian.Uint64(d)) {
			return len(data) - len(d)
		}
	}
	return len(data) - len(d)
}

// spot is the neighbourhood of a probe: bytes lo to hi are the text's, and the
// probed window stands at byte reach.
type spot struct {
	b      [48]byte
	lo, hi int
}

// reach is how far a region can start before a probe that met it, and a bit
// more, so that loads stay in bounds.
const reach = 8

// starts returns the range of places in the spot, first to last, where a
// region that holds the probed window can start: all its windows are in the
// filter. It is empty (first > last) when there is none.
func (t *table) starts(s *spot) (first, last int) {
	left, right := 0, 0
	for right < t.stride-1 && reach+right+1+t.window <= s.hi &&
		t.has(binary.LittleEndian.Uint64(s.b[reach+right+1:])) {
		right++
	}
	for left < t.stride-1 && reach-left-1 >= s.lo &&
		t.has(binary.LittleEndian.Uint64(s.b[reach-left-1:])) {
		left++
	}
	return reach - left, reach + right - (t.stride - 1)
}
