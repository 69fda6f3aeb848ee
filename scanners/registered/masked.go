package registered

import (
	"bytes"

	"revenant/fingerprints"
	"revenant/fingerprints/pack"
	"revenant/scanners"
)

// A mask hides what a build must not print. Where it hides a part of a value
// only, the region of the value is still there, which nothing else has: what is
// readable beside the mask is told of, though not of which value it is.

// farMask is how far from a region a mask is looked for.
const farMask = 256

// masked reports what stands around a region that belongs to no whole value, if
// a mask stands against it where the value goes on.
func (w *work) masked(x *text, at, region int, candidates []pack.Candidate) {
	for _, c := range candidates {
		before, behind := int(c.Offset), int(c.Length)-int(c.Offset)-region
		if c.Kind == pack.KindPrivateKey || before < 0 || behind < 0 {
			continue
		}
		from, hidden := maskBefore(x.data, at, min(before, farMask))
		to, end := maskBehind(x.data, at+region, min(behind, farMask))
		if hidden == from && end == to {
			continue
		}
		w.hits = append(w.hits, scanners.Hit{
			Span: x.span(hidden, end), Match: x.span(hidden, end), Form: x.form, Value: fingerprints.NewValue(x.data[from:to]),
			Rule: scanners.RuleHalfMasked, Description: "part of a registered value is readable beside a mask",
		})
		return
	}
}

// readable reports whether a byte may be one of the value that a mask stands
// against.
func readable(c byte) bool { return c > ' ' && c != 0x7f && c != '"' && c != '\'' && c != '`' }

// maskBefore looks for a mask that ends up to n bytes before a place, with
// nothing between that no value has, and returns where what is readable begins,
// and the mask; both where readable text begins when there is none.
func maskBefore(data []byte, at, n int) (from, mask int) {
	for from = at; ; from-- {
		if k := maskAtEnd(data[:from]); k > 0 {
			return from, from - k
		}
		if from == 0 || at-from == n || !readable(data[from-1]) {
			return from, from
		}
	}
}

// maskBehind is the same behind a place.
func maskBehind(data []byte, at, n int) (to, end int) {
	for to = at; ; to++ {
		if k := maskAtStart(data[to:]); k > 0 {
			return to, to + k
		}
		if to == len(data) || to-at == n || !readable(data[to]) {
			return to, to
		}
	}
}

// namedMasks are what programs write in place of a secret.
var namedMasks = [][]byte{[]byte("[MASKED]"), []byte("[masked]"), []byte("[REDACTED]"), []byte("[redacted]"), []byte("[secure]"), []byte("[FILTERED]"), []byte("<redacted>"), []byte("<masked>")}

// leastMask says of how many characters in a row a mask is at the least.
func leastMask(c byte) int {
	switch c {
	case '*':
		return 3
	case 'x', 'X':
		return 4
	}
	return 0
}

// maskAtEnd is how long the mask is that a text ends with; 0 when there is none.
func maskAtEnd(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	last := text[len(text)-1]
	if last == ']' || last == '>' {
		for _, m := range namedMasks {
			if bytes.HasSuffix(text, m) {
				return len(m)
			}
		}
	}
	n := 0
	for least := leastMask(last); least > 0 && n < len(text) && n < farMask && text[len(text)-1-n] == last; {
		n++
	}
	if n < leastMask(last) {
		return 0
	}
	return n
}

// maskAtStart is how long the mask is that a text begins with.
func maskAtStart(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	first := text[0]
	if first == '[' || first == '<' {
		for _, m := range namedMasks {
			if bytes.HasPrefix(text, m) {
				return len(m)
			}
		}
	}
	n := 0
	for least := leastMask(first); least > 0 && n < len(text) && n < farMask && text[n] == first; {
		n++
	}
	if n < leastMask(first) {
		return 0
	}
	return n
}
