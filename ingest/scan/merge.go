package scan

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"

	"revenant/fingerprints"
	"revenant/scanners"
)

// merged is a hit with the rules of generic hits that it takes over.
type merged struct {
	hit    scanners.Hit
	within bool
	rules  []scanners.Hit
}

// merge joins generic hits to the registered hits whose copy they tell of, those that
// they overlap, and marks registered hits inside longer ones. Hits are sorted by span.
func merge(hits []scanners.Hit) []merged {
	var registered []int
	out := make([]merged, 0, len(hits))
	for _, h := range hits {
		if h.Registered() {
			registered = append(registered, len(out))
		}
		out = append(out, merged{hit: h})
	}
	// reach[k] is the furthest end among the first k registered hits: it bounds
	// how far back an overlap can start.
	reach := make([]int64, len(registered)+1)
	for k, i := range registered {
		reach[k+1] = max(reach[k], out[i].hit.Span.End)
	}
	gone := make([]bool, len(out))
	for i := range out {
		h := out[i].hit
		from, _ := slices.BinarySearchFunc(registered, h.Span.End, func(r int, end int64) int {
			if out[r].hit.Span.Start < end {
				return -1
			}
			return 1
		})
		for k := from - 1; k >= 0 && reach[k+1] > h.Span.Start; k-- {
			r := registered[k]
			o := out[r].hit.Span
			switch {
			case r == i || !o.Overlaps(h.Span) || h.PathOnly:
			case !h.Registered() && apart(out[r].hit, h):
			case !h.Registered():
				out[r].rules = append(out[r].rules, h)
				gone[i] = true
			case o.Contains(h.Span) && o.Len() > h.Span.Len():
				out[i].within = true
			}
		}
	}
	kept := out[:0]
	for i, m := range out {
		if !gone[i] {
			kept = append(kept, m)
		}
	}
	return kept
}

// generic is the hit that names the rule, if there is one.
func (m merged) generic() *scanners.Hit {
	switch {
	case !m.hit.Registered():
		return &m.hit
	case len(m.rules) > 0:
		return &m.rules[0]
	}
	return nil
}

// apart reports whether a generic hit that overlaps a registered one is of another
// value: what was encoded may have no place but that of all that was encoded with it,
// a compressed stream or the escapes of a line.
func apart(registered, generic scanners.Hit) bool {
	packed := func(h scanners.Hit) bool {
		return strings.Contains(string(h.Form), string(fingerprints.FormCompressed))
	}
	alike := registered.Form == generic.Form && generic.Form != "" && generic.Form != fingerprints.FormRaw
	if !alike && !(packed(registered) && packed(generic)) {
		return false
	}
	r, g := registered.Value.Reveal(), generic.Value.Reveal()
	if strings.Contains(string(registered.Form), string(fingerprints.FormPrivateKey)) && bytes.Contains(g, []byte("PRIVATE KEY")) {
		return false // a registered key has not the bytes that are found
	}
	return !meet(r, g) && !holds(r, g) && !holds(g, r)
}

// meet reports whether one value is part of the other, or one goes on where the other
// ends: what a rule takes for the secret may begin too late, or end too early.
func meet(a, b []byte) bool {
	const least = 6
	if bytes.Contains(a, b) || bytes.Contains(b, a) {
		return true
	}
	for n := least; n < min(len(a), len(b)); n++ {
		if bytes.HasSuffix(a, b[:n]) || bytes.HasSuffix(b, a[:n]) {
			return true
		}
	}
	return false
}

// holds reports whether a value is another one that was encoded, or has it in it.
func holds(encoded, value []byte) bool {
	text := strings.TrimRight(string(encoded), "=")
	for _, decode := range []func(string) ([]byte, error){base64.RawStdEncoding.DecodeString, base64.RawURLEncoding.DecodeString, hex.DecodeString} {
		if b, err := decode(text); err == nil && bytes.Contains(b, value) {
			return true
		}
	}
	return false
}
