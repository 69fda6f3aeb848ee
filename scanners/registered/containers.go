package registered

import (
	"bytes"
	"iter"

	"revenant/fingerprints/privatekeys"
)

// keySigns are what text containers of private keys hold, whatever else.
func keySigns() [][]byte {
	return [][]byte{
		[]byte("PRIVATE KEY"), []byte("openssh-key-v1"), []byte("PuTTY-User-Key-File"),
		[]byte("\"kty\""), []byte("\\\"kty\\\""),
	}
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
