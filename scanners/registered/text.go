package registered

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/scanners"
	"revenant/scanners/byteclass"
)

// text is what is searched: a chunk, or what was decoded from a part of one.
type text struct {
	data []byte
	// form names how the text was encoded in the chunk; raw for the chunk.
	form fingerprints.Form
	// from is where in the chunk the bytes of the text come from; empty for the
	// chunk itself.
	from []stretchOf
	base int64 // of the chunk in the content
}

// stretchOf are some bytes of a text, from out on, and where they come from: each
// from so many bytes of the chunk, from at on, or, when each is 0, all of them
// from one character of width bytes.
type stretchOf struct{ out, at, each, width int32 }

// origin is the stretch that holds a byte of the text.
func (t *text) origin(i int) stretchOf {
	k := sort.Search(len(t.from), func(k int) bool { return int(t.from[k].out) > i })
	return t.from[k-1]
}

// span maps a stretch of the text, which is not empty, to the content.
func (t *text) span(from, to int) scanners.Span {
	if len(t.from) == 0 {
		return scanners.Span{Start: t.base + int64(from), End: t.base + int64(to)}
	}
	first, last := t.origin(from), t.origin(to-1)
	return scanners.Span{
		Start: t.base + int64(first.at) + int64(first.each)*int64(from-int(first.out)),
		End:   t.base + int64(last.at) + int64(last.each)*int64(to-int(last.out)) + int64(last.width),
	}
}

// tile is how much of a text every pass sees before the next tile is touched,
// so that it is still in the core's cache.
const tile = byteclass.Tile

// raw probes one tile of the text with one table.
func (w *work) raw(x *text, t *table, from, to int) {
	p := from + (t.stride-from%t.stride)%t.stride
	for {
		p = t.next(x.data, p, to)
		if p >= to || p+8 > len(x.data) {
			break
		}
		if w.meet(x, t, p) {
			p += t.stride
			continue
		}
		p = t.behindRun(x.data, p, to)
	}
	for ; p < to && p+t.window <= len(x.data); p += t.stride {
		var last [8]byte
		copy(last[:], x.data[p:])
		if t.has(binary.LittleEndian.Uint64(last[:])) {
			w.meet(x, t, p)
		}
	}
}

// behindRun is where to probe next when there is nothing at p: behind all probes
// before to that have the same byte around them as far as a region reaches, as in
// padding.
func (t *table) behindRun(data []byte, p, to int) int {
	next := p + t.stride
	if p < reach {
		return next
	}
	if last := p - reach + sameBytes(data[p-reach:min(len(data), to+t.region)]) - t.region; last > p {
		next += (last - p) / t.stride * t.stride
	}
	return next
}

// sameBytes is how many of the first bytes are the same.
func sameBytes(data []byte) int {
	n, all := 0, uint64(data[0])*0x0101010101010101
	for n+8 <= len(data) && binary.LittleEndian.Uint64(data[n:]) == all {
		n += 8
	}
	for n < len(data) && data[n] == data[0] {
		n++
	}
	return n
}

// meet looks closer at a probe of the text that is in the filter, and reports whether
// something may stand there.
func (w *work) meet(x *text, t *table, p int) (met bool) {
	if p > 0 && p+9 <= len(x.data) && // cheap and nearly always enough
		!t.has(binary.LittleEndian.Uint64(x.data[p+1:])) && !t.has(binary.LittleEndian.Uint64(x.data[p-1:])) {
		return false
	}
	var s spot
	s.lo = max(0, reach-p)
	s.hi = reach + copy(s.b[reach:reach+t.region], x.data[p:])
	copy(s.b[s.lo:reach], x.data[p-(reach-s.lo):p])
	first, last := t.starts(&s)
	for at := first; at <= last; at++ {
		if found := w.lookUp(t, &s, at); len(found) > 0 {
			w.confirm(x, place{at: p + at - reach}, found)
			w.masked(x, p+at-reach, t.region, found)
			met = true
		}
	}
	return met
}

// sighted is one entry of the region memo.
type sighted struct {
	lo, hi   uint64 // the region's bytes
	table    int    // index + 1; 0: empty
	from, to int    // its candidates in work.candidates
}

// lookUp returns the candidates of the region at a place of the spot. Regions
// met before are not tagged again: runs of equal bytes and repeated text would
// cost an HMAC a byte otherwise.
func (w *work) lookUp(t *table, s *spot, at int) []pack.Candidate {
	lo := binary.LittleEndian.Uint64(s.b[at:])
	hi := binary.LittleEndian.Uint64(s.b[at+t.region-8:])
	pair := &w.regions[(lo*0x9E3779B97F4A7C15^hi*0xC2B2AE3D27D4EB4F)>>(64-regionBits)]
	for k := range pair {
		if slot := &pair[k]; slot.table == t.index+1 && slot.lo == lo && slot.hi == hi {
			return w.candidates[slot.from:slot.to]
		}
	}
	w.stats.Tags++
	tag := w.taggers[t.index].Tag(s.b[at : at+t.region])
	if len(w.candidates) > maxCandidates {
		clear(w.regions[:])
		w.candidates = w.candidates[:0]
	}
	from := len(w.candidates)
	w.candidates = t.candidates(w.candidates, tag)
	w.candidates = w.candidates[:from+len(distinct(w.candidates[from:]))]
	pair[1] = pair[0]
	pair[0] = sighted{lo: lo, hi: hi, table: t.index + 1, from: from, to: len(w.candidates)}
	return w.candidates[from:]
}

// distinct leaves one candidate for each place that a value can stand at. Of
// values that differ in where their other regions are it forgets those: many
// values may share a region, and one place is worth one look.
func distinct(c []pack.Candidate) []pack.Candidate {
	if len(c) < 2 {
		return c
	}
	slices.SortFunc(c, func(a, b pack.Candidate) int {
		return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Length, b.Length),
			cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Kind, b.Kind))
	})
	out := c[:1]
	for _, next := range c[1:] {
		last := &out[len(out)-1]
		others := last.Others
		if last.Others = next.Others; *last == next {
			if others != next.Others {
				last.Others = [2]uint32{}
			}
			continue
		}
		last.Others = others
		out = append(out, next)
	}
	return out
}
