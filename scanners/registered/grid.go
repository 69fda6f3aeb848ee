package registered

import (
	"encoding/binary"
	"math/bits"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/privatekeys"
)

// runBuffer holds what decoding runs needs.
type runBuffer struct {
	run     joined
	gather  []byte // characters of a run of several segments
	decoded []byte
	raw     []byte // a candidate, shifted to byte boundaries
	used    int    // bytes of the longest piece
}

// forget overwrites what was decoded.
func (b *runBuffer) forget() {
	clear(b.gather[:min(b.used, cap(b.gather))])
	clear(b.decoded[:min(b.used, cap(b.decoded))])
	clear(b.raw[:cap(b.raw)])
	b.used = 0
	b.run.data = nil
}

// padding is how many zero bytes follow decoded ones, for loads.
const padding = 32

// firstPiece is how many characters of a run are decoded at once, more when
// the pack has longer values.
const firstPiece = 64 << 10

// run probes a run piece by piece. Pieces overlap by the longest value, so
// that each value stands whole in one.
func (w *work) run(x *text, j *joined, least int) {
	keep := j.a.characters(max(w.m.maxValue, w.m.minValue)) + 8
	if w.m.keys {
		keep = max(keep, j.a.characters(longestKey/2))
	}
	piece := max(firstPiece, 4*keep)
	for {
		for j.chars < piece && !j.ended {
			j.more()
		}
		n := min(j.chars, piece)
		if n < least {
			return
		}
		w.piece(x, j, n)
		if j.ended && n == j.chars {
			return
		}
		j.drop(n - keep)
	}
}

// piece decodes and probes the first n characters of the run.
func (w *work) piece(x *text, j *joined, n int) {
	b := &w.runs
	b.used = max(b.used, n+padding)
	var chars []byte
	if s := j.segments[0]; s.n >= n && s.sub == 0 {
		chars = j.data[s.at : s.at+n]
	} else {
		chars = b.gather[:0]
		for _, s := range j.segments {
			if s.sub != 0 {
				chars = append(chars, s.sub)
			} else {
				chars = append(chars, j.data[s.at:s.at+s.n]...)
			}
			if len(chars) >= n {
				break
			}
		}
		b.gather = chars
		chars = chars[:n]
	}
	b.decoded = j.a.decode(b.decoded, chars)
	if w.m.keys && j.a.bits == 6 {
		w.armourIn(x, j, chars, n*j.a.bits)
	}
	for _, t := range w.m.tables {
		w.grids(x, j, t, n*j.a.bits)
	}
}

// decode packs the characters' bits; padding zero bytes follow.
func (a *alphabet) decode(dst, chars []byte) []byte {
	size := (len(chars)*a.bits+7)/8 + padding
	if cap(dst) < size {
		dst = make([]byte, size+size/4)
	}
	dst = dst[:size]
	clear(dst[size-padding:])
	out, digit := dst, a.digit
	if a.bits == 4 {
		for ; len(chars) >= 2; chars, out = chars[2:], out[1:] {
			out[0] = digit[chars[0]]<<4 | digit[chars[1]]
		}
		if len(chars) > 0 {
			out[0] = digit[chars[0]] << 4
		}
		return dst
	}
	for ; len(chars) >= 8; chars, out = chars[8:], out[6:] {
		c := chars[:8]
		v := uint64(digit[c[0]])<<58 | uint64(digit[c[1]])<<52 | uint64(digit[c[2]])<<46 | uint64(digit[c[3]])<<40 |
			uint64(digit[c[4]])<<34 | uint64(digit[c[5]])<<28 | uint64(digit[c[6]])<<22 | uint64(digit[c[7]])<<16
		binary.BigEndian.PutUint64(out, v)
	}
	var v uint64
	for i, c := range chars {
		v |= uint64(digit[c]) << (58 - 6*i)
	}
	for i := range (len(chars)*6 + 7) / 8 {
		out[i] = byte(v >> (56 - 8*i))
	}
	return dst
}

// grids probes a decoded piece with one table, in every grid of the class.
func (w *work) grids(x *text, j *joined, t *table, total int) {
	d := w.runs.decoded
	end := total/8 - t.window + 1 // a window of the first grid ends inside
	if j.a.bits == 4 {
		for p := 0; p < end; p += t.stride {
			v := binary.BigEndian.Uint64(d[p:])
			if t.has(bits.ReverseBytes64(v)) {
				w.meetGrid(x, j, t, p, 0, total)
			}
			if t.has(bits.ReverseBytes64(v << 4)) {
				w.meetGrid(x, j, t, p, 4, total)
			}
		}
		return
	}
	x0, m, shift, top, f := t.x, t.m, t.shift, t.top&63, t.filter
	for p := 0; p < end; p += t.stride {
		v := binary.BigEndian.Uint64(d[p:])
		h0 := hash(bits.ReverseBytes64(v), x0, m, shift)
		h2 := hash(bits.ReverseBytes64(v<<2), x0, m, shift)
		h4 := hash(bits.ReverseBytes64(v<<4), x0, m, shift)
		h6 := hash(bits.ReverseBytes64(v<<6), x0, m, shift)
		b0, b2 := in(f[h0>>top], h0), in(f[h2>>top], h2)
		b4, b6 := in(f[h4>>top], h4), in(f[h6>>top], h6)
		if (b0|b2|b4|b6)&1 == 0 {
			continue
		}
		for i, b := range [4]uint64{b0, b2, b4, b6} {
			if b&1 != 0 {
				w.meetGrid(x, j, t, p, uint(2*i), total)
			}
		}
	}
}

// meetGrid looks closer at a probe of a grid that is in the filter.
func (w *work) meetGrid(x *text, j *joined, t *table, p int, g uint, total int) {
	d := w.runs.decoded
	if p > 0 {
		after := bits.ReverseBytes64(binary.BigEndian.Uint64(d[p+1:]) << g)
		before := bits.ReverseBytes64(binary.BigEndian.Uint64(d[p-1:]) << g)
		if !t.has(after) && !t.has(before) {
			return
		}
	}
	var s spot
	s.lo = max(0, reach-p)
	whole := (total - int(g)) / 8 // bytes of the grid
	s.hi = reach + min(whole-p, t.region)
	for k := s.lo; k < s.hi; k++ {
		s.b[k] = shifted(d, p+k-reach, g)
	}
	first, last := t.starts(&s)
	for at := first; at <= last; at++ {
		for _, c := range w.lookUp(t, &s, at) {
			w.confirmRun(x, j, p+at-reach, g, total, c)
		}
	}
}

// shifted is byte i of the grid that starts g bits behind byte boundaries.
func shifted(d []byte, i int, g uint) byte {
	return d[i]<<g | d[i+1]>>(8-g)
}

// confirmRun checks a candidate whose region starts at byte p of a grid.
func (w *work) confirmRun(x *text, j *joined, p int, g uint, total int, c pack.Candidate) {
	whole := (total - int(g)) / 8
	if c.Kind == pack.KindPrivateKey {
		w.keyInRun(x, j, p, g, whole)
		return
	}
	from, n := p-int(c.Offset), int(c.Length)
	if from < 0 || n > whole-from {
		return
	}
	raw := w.shiftOut(from, n, g)
	if !w.plausible(raw, c) {
		return
	}
	if rows := w.check(raw, c.Epoch); len(rows) > 0 {
		w.reportRun(x, j, from*8+int(g), n*8, j.form(x), raw, rows)
	}
}

// shiftOut copies bytes of a grid to byte boundaries.
func (w *work) shiftOut(from, n int, g uint) []byte {
	b := &w.runs
	if cap(b.raw) < n+padding {
		b.raw = make([]byte, 0, n+n/4+padding)
	}
	raw := b.raw[:n]
	d := b.decoded[from:]
	for i := 0; i < n; i += 8 { // raw has room for the last 8, padding follows what was decoded
		v := binary.BigEndian.Uint64(d[i:])<<g | uint64(d[i+8])>>(8-g)
		binary.BigEndian.PutUint64(raw[i:i+8:n+padding], v)
	}
	return raw
}

func (j *joined) form(x *text) fingerprints.Form {
	switch {
	case x.form != fingerprints.FormRaw:
		return x.form
	case j.a.bits == 4:
		return fingerprints.FormHex
	}
	return fingerprints.FormBase64
}

// reportRun reports a hit whose bits stand in the run: its span goes from the
// first to the last character that carries one of them.
func (w *work) reportRun(x *text, j *joined, bit, n int, form fingerprints.Form, raw []byte, rows []fingerprints.RowID) {
	from, _ := j.place(bit / j.a.bits)
	_, to := j.place((bit + n - 1) / j.a.bits)
	w.report(x.span(from, to), form, raw, rows)
}

// keyInRun confirms the private key around byte p of a grid.
func (w *work) keyInRun(x *text, j *joined, p int, g uint, whole int) {
	from := max(0, p-longestKey/2)
	n := min(whole, p+longestKey/2) - from
	der := w.shiftOut(from, n, g)
	k, ok := privatekeys.Around(der, p-from)
	if !ok || k.Start < 0 || k.End > n || k.Start >= k.End {
		return
	}
	if rows := w.check(k.Key.Canonical, anyEpoch); len(rows) > 0 {
		w.reportRun(x, j, (from+k.Start)*8+int(g), (k.End-k.Start)*8, fingerprints.FormPrivateKey, k.Key.Canonical, rows)
	}
}
