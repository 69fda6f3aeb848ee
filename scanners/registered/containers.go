package registered

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"iter"
	"slices"

	"revenant/fingerprints"
	"revenant/fingerprints/privatekeys"
	"revenant/scanners"
)

// keySigns are what text containers of private keys hold, whatever else.
func keySigns() [][]byte {
	return [][]byte{
		[]byte("PRIVATE KEY"), []byte("openssh-key-v1"), []byte("PuTTY-User-Key-File"),
		[]byte("\"kty\""), []byte("\\\"kty\\\""), []byte("<RSAKeyValue"),
	}
}

// runSigns are the first of the signs as base64 at every alignment: armour that
// was encoded once more.
func runSigns() [][]byte {
	var out [][]byte
	for front := range 3 {
		s := base64.StdEncoding.EncodeToString(append(make([]byte, front), keySigns()[0]...))
		out = append(out, []byte(s[(8*front+5)/6:8*(front+len(keySigns()[0]))/6]))
	}
	return out
}

// containers looks for private keys whose container is recognised by its text.
// Stretches around neighbouring signs are looked at together, so that no byte
// is read twice.
func (w *work) containers(x *text) {
	from, to := -1, 0
	for p := range signPositions(x.data, w.m.signs) {
		if from >= 0 && p-longestKey > to {
			w.keysIn(x, from, to)
			from = -1
		}
		if from < 0 {
			from = max(0, p-longestKey)
		}
		to = min(len(x.data), p+longestKey)
	}
	if from >= 0 {
		w.keysIn(x, from, to)
	}
}

// armourIn reports the private keys in armour that the run encodes. chars are
// the run's characters, of which total bits were decoded.
func (w *work) armourIn(x *text, j *joined, chars []byte, total int) {
	var done [8]int // bytes of each grid that were looked at
	for i, sign := range w.m.runSigns {
		for p := range signPositions(chars, [][]byte{sign}) {
			bit := 6*p - (6*((8*i+5)/6) - 8*i) // where the sign's first byte starts
			if bit < 0 || bit/8 < done[bit%8] {
				continue
			}
			g := uint(bit % 8)
			whole := (total - int(g)) / 8
			from, to := max(0, bit/8-longestKey/2), min(whole, bit/8+longestKey/2)
			done[g] = to
			for _, k := range privatekeys.Find(w.shiftOut(from, to-from, g)) {
				if rows := w.check(k.Key.Canonical, anyEpoch); len(rows) > 0 {
					w.reportRun(x, j, (from+k.Start)*8+int(g), (k.End-k.Start)*8, fingerprints.FormPrivateKey, k.Key.Canonical, rows)
				}
			}
		}
	}
}

// wholeKeys drops the private keys among the hits that are part of another hit
// of the same key: the body of armour, or the same text read as UTF-16 of the
// other byte order.
func wholeKeys(hits []scanners.Hit) []scanners.Hit {
	var keys []scanners.Hit
	for _, h := range hits {
		if h.Form == fingerprints.FormPrivateKey {
			keys = append(keys, h)
		}
	}
	if len(keys) < 2 {
		return hits
	}
	slices.SortFunc(keys, func(a, b scanners.Hit) int {
		return cmp.Or(cmp.Compare(b.Span.Len(), a.Span.Len()), cmp.Compare(a.Span.Start&1, b.Span.Start&1), cmp.Compare(a.Span.Start, b.Span.Start))
	})
	kept := map[fingerprints.RowID][]scanners.Span{}
	for _, h := range keys {
		if !slices.ContainsFunc(kept[h.Rows[0]], h.Span.Overlaps) {
			kept[h.Rows[0]] = append(kept[h.Rows[0]], h.Span)
		}
	}
	return slices.DeleteFunc(hits, func(h scanners.Hit) bool {
		return h.Form == fingerprints.FormPrivateKey && !slices.Contains(kept[h.Rows[0]], h.Span)
	})
}

// signPositions yields where signs stand, in order. Work is linear: each sign
// is searched for from where it was found last.
func signPositions(b []byte, signs [][]byte) iter.Seq[int] {
	return func(yield func(int) bool) {
		next := make([]int, len(signs))
		for i, s := range signs {
			next[i] = indexFrom(b, s, 0)
		}
		for {
			i := 0
			for k, at := range next {
				if at < next[i] {
					i = k
				}
			}
			if next[i] == len(b) || !yield(next[i]) {
				return
			}
			next[i] = indexFrom(b, signs[i], next[i]+1)
		}
	}
}

// indexFrom is where s stands in b at or after p; len(b) when it does not.
func indexFrom(b, s []byte, p int) int {
	if k := bytes.Index(b[p:], s); k >= 0 {
		return p + k
	}
	return len(b)
}

// keysIn reports the private keys in a stretch of the text.
func (w *work) keysIn(x *text, from, to int) {
	for _, k := range privatekeys.Find(x.data[from:to]) {
		w.key(x, from, k)
	}
}
