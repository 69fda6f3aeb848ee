package registered

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/fingerprints/privatekeys"
	"revenant/scanners"
)

// found identifies a hit: one value is reported once for a span.
type found struct {
	span scanners.Span
	row  fingerprints.RowID // the first of them
}

// hashed is one entry of the memo of spans that were looked up: the keyed
// hash of their bytes and epoch, and what was found.
type hashed struct {
	sum  uint64 // 0: empty
	rows []fingerprints.RowID
}

// anyEpoch asks check to look under every epoch.
const anyEpoch = math.MaxUint32

// check looks raw bytes up. Equal bytes are hashed with HMAC once: the memo has
// two places for each, so that two spans of a repeated text that meet in one
// place do not drive each other out.
func (w *work) check(raw []byte, epoch uint32) []fingerprints.RowID {
	sum := w.sum(raw, epoch)
	pair := &w.spans[sum>>(64-memoBits)]
	for k := range pair {
		if pair[k].sum == sum {
			return pair[k].rows
		}
	}
	w.stats.MACs++
	w.stats.Bytes += int64(len(raw))
	pair[1] = pair[0]
	slot := &pair[0]
	if epoch == anyEpoch {
		*slot = hashed{sum: sum, rows: w.confirmer.LookupAny(raw)}
	} else {
		*slot = hashed{sum: sum, rows: w.confirmer.Lookup(epoch, raw)}
	}
	return slot.rows
}

// sum hashes what the memo tells spans apart by; it is never 0.
func (w *work) sum(raw []byte, epoch uint32) uint64 {
	var h maphash.Hash
	h.SetSeed(w.m.seed)
	_, _ = h.Write(raw)
	var e [8]byte
	binary.LittleEndian.PutUint64(e[:], uint64(epoch)<<32|uint64(len(raw)))
	_, _ = h.Write(e[:])
	return h.Sum64() | 1
}

// report appends a hit unless it is a repeat or longer than any hit may be.
func (w *work) report(span scanners.Span, form fingerprints.Form, raw []byte, rows []fingerprints.RowID) {
	key := found{span: span, row: rows[0]}
	if _, dup := w.seen[key]; dup || span.Len() > int64(w.m.longest) {
		return
	}
	w.seen[key] = struct{}{}
	w.hits = append(w.hits, scanners.Hit{
		Span: span, Form: form, Value: fingerprints.NewValue(raw), Rows: slices.Clone(rows),
	})
}

// place is where a byte comes from: the character of the text that begins at
// byte at, and which of the bytes that the character stands for.
type place struct{ at, of int }

// confirm checks the candidates of a region that starts at a place of the text.
func (w *work) confirm(x *text, p place, candidates []pack.Candidate) {
	for _, c := range candidates {
		if c.Kind == pack.KindPrivateKey {
			w.keyAround(x, p.at)
			continue
		}
		from, n := p.at-int(c.Offset), int(c.Length)
		if p.of == 0 && from >= 0 && n <= len(x.data)-from && w.plausible(x.data[from:from+n], c) {
			if rows := w.check(x.data[from:from+n], c.Epoch); len(rows) > 0 {
				w.report(x.span(from, from+n), x.form, x.data[from:from+n], rows)
				continue
			}
		}
		w.unescapeAround(x, p, c)
	}
}

// plausible reports whether the windows of the value's other regions are in a
// filter: what stands between a repeated region and a hash of a long value.
func (w *work) plausible(raw []byte, c pack.Candidate) bool {
	for _, o := range c.Others {
		if o == 0 {
			continue
		}
		if int(o)+16 > len(raw) {
			return true
		}
		if !slices.ContainsFunc(w.m.tables, func(t *table) bool {
			return t.has(binary.LittleEndian.Uint64(raw[o:]))
		}) {
			return false
		}
	}
	return true
}

// keyAround confirms the private key whose container holds byte p of the text.
func (w *work) keyAround(x *text, p int) {
	from, to := max(0, p-longestKey), min(len(x.data), p+longestKey)
	if k, ok := privatekeys.Around(x.data[from:to], p-from); ok {
		w.key(x, from, k)
	}
}

// key reports a private key found in the text from a place on.
func (w *work) key(x *text, from int, k privatekeys.Found) {
	if k.Start < 0 || k.End > len(x.data)-from || k.Start >= k.End {
		return
	}
	if rows := w.check(k.Key.Canonical, anyEpoch); len(rows) > 0 {
		w.report(x.span(from+k.Start, from+k.End), fingerprints.FormPrivateKey, k.Key.Canonical, rows)
	}
}

// unescapeAround tries every scheme whose characters stand where the value
// would be if it were not escaped: escapes only make it longer.
func (w *work) unescapeAround(x *text, p place, c pack.Candidate) {
	o, n := int(c.Offset), int(c.Length)
	near := w.near.in(x, max(0, p.at-o), min(len(x.data), p.at-o+n))
	if near == 0 || w.triedBefore(x, p, c) {
		return
	}
	for i := range w.m.schemes {
		s := &w.m.schemes[i]
		if near&s.trigger != s.trigger || !w.adds(s, x, p, o, n) {
			continue
		}
		v, a := w.viewAround(i, x, p, o, n)
		if a < 0 {
			continue
		}
		b := a + n
		first, last := int(v.start[a]), int(v.end[b-1])
		same := last-first == n && s.trigger != trigPlus // no escape inside: raw said no
		if same || !w.plausible(v.out[a:b], c) {
			continue
		}
		if rows := w.check(v.out[a:b], c.Epoch); len(rows) > 0 {
			first, last = s.whole(x.data, first, last)
			w.report(x.span(first, last), formOf(x, s.layers[0]), v.out[a:b], rows)
			return
		}
	}
}

// adds reports whether the innermost layer of a scheme can change anything:
// whether what it changes stands in what the scheme without it yields.
func (w *work) adds(s *scheme, x *text, p place, o, n int) bool {
	if s.outer < 0 {
		return true
	}
	outside := place{at: p.at} // a character of several bytes may be the innermost layer's
	v, _ := w.viewAround(s.outer, x, outside, o, n)
	k := v.index(outside)
	return k >= 0 && v.near(k-o, k-o+n)&s.layers[len(s.layers)-1].trigger() != 0
}

// attempt is one entry of the memo of places that were unescaped in vain or not.
type attempt struct {
	of             *text
	p              place
	offset, length uint32
	epoch          uint32
}

// triedBefore notes an attempt and reports whether it was noted before: probes
// of several tables and stretches lead to the same place.
func (w *work) triedBefore(x *text, p place, c pack.Candidate) bool {
	a := attempt{x, p, c.Offset, c.Length, c.Epoch}
	h := (uint64(p.at)<<20 ^ uint64(p.of)<<17 ^ uint64(c.Offset)<<10 ^ uint64(c.Length)) * 0x9E3779B97F4A7C15
	slot := &w.tried[h>>(64-triedBits)]
	if *slot == a {
		return true
	}
	*slot = a
	return false
}

// whole widens a span of doubled quotes whose first or last quote was read as
// a single one, because the quote beside it had been paired with another.
func (s *scheme) whole(data []byte, first, last int) (int, int) {
	quote := byte('\'')
	switch s.layers[0] {
	case escDouble:
		quote = '"'
	case escQuotes:
	default:
		return first, last
	}
	isQuote := func(i int) bool { return i >= 0 && i < len(data) && data[i] == quote }
	if isQuote(first) && !isQuote(first+1) && isQuote(first-1) {
		first--
	}
	if isQuote(last-1) && !isQuote(last-2) && isQuote(last) {
		last++
	}
	return first, last
}

// formOf names the outermost encoding.
func formOf(x *text, e escape) fingerprints.Form {
	if x.form != fingerprints.FormRaw {
		return x.form
	}
	return e.form()
}
